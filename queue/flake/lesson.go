package flake

import (
	"cmp"
	"path"
	"slices"
	"strings"
	"time"
)

// Name names a suite and one of its variants.
type Name struct {
	Suite   string `json:"suite"`
	Variant string `json:"variant,omitempty"`
}

// Book is all that is known of a suite's tests.
type Book struct {
	Version int64 // of the quarantine
	Suite   Suite
	Tests   []Test
	Entries []Entry
}

// Lesson is what one trusted run says: of code that landed, or of the default
// branch. Name is the run's own: a lesson is learnt once.
type Lesson struct {
	Repository int64
	Suite      string
	Variant    string
	Name       string
	Commit     string
	At         time.Time
	Tests      int  // how many ran
	Red        bool // a red run of good code: only its failures say anything
	Failed     []Test
	Term       time.Duration // of a quarantine by the rules
}

// News is what a lesson changes: nothing else need be written.
type News struct {
	Suite   Suite
	Tests   []Test
	Entries []Entry
}

// Learn takes a lesson in. Failed tests count as flakes: the code was good. Where
// more than MostTests failed at once it was the machine, or whatever all of them
// need: that says nothing of each, and would fill the quarantine with the innocent.
func (b Book) Learn(l Lesson) News {
	news := News{Suite: b.Suite}
	if !l.Red {
		news.Suite.Ran(l.Tests, l.At)
	}
	tests := slices.Clone(b.Tests)
	if len(l.Failed) > MostTests {
		l.Failed = nil
	}
	for _, failed := range l.Failed {
		at := slices.IndexFunc(tests, func(t Test) bool { return t.Key == failed.Key })
		if at < 0 {
			at = len(tests)
			tests = append(tests, Test{Key: failed.Key})
		}
		t := &tests[at]
		t.Name, t.Class, t.File = failed.Name, failed.Class, cmp.Or(failed.File, t.File)
		t.Flaked(news.Suite, l.Commit, l.At)
		news.Tests = append(news.Tests, *t)
	}
	news.Entries = Review(news.Suite, tests, b.Entries, l.Term, l.At)
	return news
}

// Record finds a test's record; one that never failed on good code has an empty one.
func (b Book) Record(key string) Test {
	for _, t := range b.Tests {
		if t.Key == key {
			return t
		}
	}
	return Test{Key: key}
}

// Excused lists the keys of the tests in quarantine at that time, without those
// that pull requests touch, which change those folders: there a test has to
// pass. nil folders are pull requests of which nobody knows what they change,
// and a test of which nobody knows where it stands is never excused.
func (b Book) Excused(folders []string, now time.Time) []string {
	keys := []string{}
	for _, e := range b.Entries {
		if e.Stands(now) && e.Placed() && folders != nil && !slices.ContainsFunc(folders, e.standsIn) {
			keys = append(keys, e.Key)
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// Placed tells whether it is known where in the repository the test stands. A path
// that some other machine wrote, absolute or with backslashes, says nothing of that.
func (e Entry) Placed() bool {
	return e.File != "" && !strings.HasPrefix(e.File, "/") && !strings.ContainsAny(e.File, "\\:") && !strings.HasPrefix(path.Clean(e.File), "..")
}

// standsIn tells whether who changes the folder may have changed the test: its file
// or what that reads lies there, or its class names the folder. The file is where it
// was seen to fail, which may be one that only helps.
func (e Entry) standsIn(folder string) bool {
	folder = path.Clean(folder)
	for _, read := range []string{"testdata", "__snapshots__"} {
		if before, _, found := strings.Cut("/"+folder+"/", "/"+read+"/"); found {
			folder = path.Clean("." + before)
		}
	}
	class := e.Class
	if !strings.Contains(class, "/") {
		class = strings.ReplaceAll(class, ".", "/") // tests.unit.test_cart
	}
	return folder == path.Dir(e.File) || strings.Contains("/"+class+"/", "/"+folder+"/")
}
