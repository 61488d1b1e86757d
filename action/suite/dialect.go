package suite

import (
	"path"
	"strings"

	"github.com/mainstay-ci/mainstay/queue/shard"
)

// found is one test as a file of results tells it.
type found struct {
	doc   *document // the JUnit file it stands in; nil for other formats
	suite suiteElement
	class string
	name  string
	file  string            // as it is written there
	line  int               // -1 where it does not say
	apart string            // keeps tests of one name apart in their file
	runs  []shard.Execution // in order; none: a suite without tests

	// What the dialects make of it:
	what    string // the name of the thing that broke, where it is no test
	sameRun bool   // tells more of the execution before it
	// fixed says that class is final: no file is to be put in its place.
	fixed bool
}

// dialect is one producer's way of writing JUnit. The first that speaks is taken.
type dialect struct {
	name   string
	speaks func(s Suite, f found) bool
	mend   func(f *found, where places)
}

// Names for what is told of a file and not of a test in it.
const (
	nameLoad = "[did not load]"
	nameFile = "[whole file]" // skipped as one
)

// dialects is all we know of who writes what. Each has its fixture.
var dialects = []dialect{
	{"pytest", func(s Suite, f found) bool { return s.Runner == Pytest || f.doc.root == "pytest" }, mendPytest},
	{"jest", func(s Suite, f found) bool { return s.Runner == Jest || f.doc.root == "jest tests" }, mendJest},
	{"gotestsum", func(s Suite, f found) bool { return s.Runner == Go || f.doc.goWrote }, mendGotestsum},
	{"playwright", speaksPlaywright, mendPlaywright},
	{"plain", func(Suite, found) bool { return true }, mendPlain},
}

// mendPytest makes node ids: the file, and in it the class and the test. The
// module is in the class, and so is the file where xunit2 does not name it.
func mendPytest(f *found, where places) {
	last := &f.runs[len(f.runs)-1]
	module := f.class
	if module == "" {
		// Collecting a module is told as a test without a class.
		module, f.what = f.name, nameFile
		if last.Red() {
			f.what, last.Status, last.Kind = nameLoad, shard.Errored, shard.KindBuild
		}
	}
	file, inner := where.module(module, ".py")
	if f.file == "" {
		f.file = file
	}
	f.line++ // pytest counts from 0
	if f.file == "" {
		return // the class is all there is
	}
	if file == "" {
		// The file is named, yet no module of ours: the class ends like the file.
		_, inner, _ = strings.Cut("."+module+".", "."+strings.TrimSuffix(path.Base(f.file), ".py")+".")
		inner = strings.TrimSuffix(inner, ".")
	}
	f.class = inner
	if f.what == "" && inner != "" {
		f.name, f.class = strings.ReplaceAll(inner, ".", "::")+"::"+f.name, ""
	}
	f.sameRun = last.Status == shard.Errored && strings.Contains(shard.Cut(last.Message, 300), "failed on teardown with")
}

// mendJest joins titles to what jest's -t is compared with.
func mendJest(f *found, where places) {
	last := &f.runs[len(f.runs)-1]
	class, name := strings.TrimSpace(f.class), strings.TrimSpace(f.name)
	if class == "Test suite failed to run" {
		f.what, f.sameRun = nameLoad, true
		last.Status, last.Kind = shard.Errored, shard.KindBuild
		if f.file == "" {
			f.file = name
		}
		f.class = ""
		return
	}
	if f.file == "" {
		// jest-junit can be told to put the file elsewhere.
		for _, text := range []string{f.suite.name, f.suite.file, class} {
			if _, ok := where.file(text); ok {
				f.file = text
				break
			}
		}
	}
	if class == f.file || strings.HasPrefix(name, class) {
		class = ""
	}
	f.class, f.name = "", strings.TrimSpace(class+" "+name)
}

// mendGotestsum makes of the one name for whatever broke a package what go test
// -json would have made of it. Such a test must not be run again or excused.
func mendGotestsum(f *found, _ places) {
	f.fixed = true
	for i := range f.runs {
		run := &f.runs[i]
		run.Message = strings.TrimPrefix(run.Message, "Failed\n") // each says that
		if run.Red() && processDied().MatchString(run.Message) {
			run.Status, run.Kind = shard.Errored, shard.KindPanic // tests that come after are not told of
		}
	}
	if f.class == "" {
		f.class = f.suite.name
	}
	if f.name == "TestMain" && f.runs[len(f.runs)-1].Red() {
		f.what, f.name = nameProcess, nameProcess
		last := &f.runs[len(f.runs)-1]
		last.Status, last.Kind = shard.Errored, shard.KindExit
		if buildFailed().MatchString(last.Message) {
			f.what, f.name, last.Kind = nameBuild, nameBuild, shard.KindBuild
		}
	}
}

var processDied = expression(`(?m)^(panic|fatal error): (.*\n)+?\s*goroutine \d+ \[`)

var buildFailed = expression(`(?m)\[(build|setup) failed\]|^\S+\.go:\d+:\d+: |^# \S+`)

func speaksPlaywright(_ Suite, f found) bool {
	_, id := f.doc.attrs["id"]
	return id && f.class != "" && f.class == f.suite.name && script().MatchString(f.class)
}

var script = expression(`\.[cm]?[jt]sx?$`)

// mendPlaywright keeps projects apart: each runs the same tests.
func mendPlaywright(f *found, where places) {
	f.file, f.class = f.suite.name, ""
	if f.suite.host != "" {
		f.name = "[" + f.suite.host + "] " + f.name
	}
}

// mendPlain is what holds for most: the file is named, or the class is a path,
// a dotted path or a name; what the file does not say of the class stays in the name.
func mendPlain(f *found, where places) {
	if f.file == "" {
		f.file = f.suite.file
	}
	if f.file == "" {
		for _, text := range []string{f.class, f.suite.name} {
			if file, ok := where.file(text); ok {
				f.file = file
				break
			}
		}
	}
	if f.class == "" && f.file == "" {
		f.class = f.suite.name
	}
	if f.file == "" {
		return
	}
	stem := strings.TrimSuffix(path.Base(strings.ReplaceAll(f.file, `\`, "/")), path.Ext(f.file))
	dotted := f.class == stem || strings.HasSuffix(f.class, "."+stem) || strings.HasSuffix(f.class, `\`+stem)
	if f.class == f.file || dotted || f.class == f.suite.file || strings.HasPrefix(f.name, f.class) || path.Base(f.class) == path.Base(f.file) {
		f.class = ""
		return
	}
	f.name, f.class = f.class+"::"+f.name, ""
}
