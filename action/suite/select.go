package suite

import (
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/mainstay-ci/mainstay/queue/shard"
)

// Parts tells whether the suite's command can run a part of an item.
func (s Suite) Parts() bool {
	switch s.Runner {
	case Go:
		return s.Command == "" || strings.Contains(s.Command, holeRun) && strings.Contains(s.Command, holeSkip)
	case Pytest:
		return s.takesWords()
	}
	return false
}

// Reruns tells whether tests can be run again without the rest of their shard.
func (s Suite) Reruns() bool {
	switch s.Runner {
	case Go, Pytest, Jest:
		return s.takesWords()
	}
	return s.takesWords() && s.writesResults()
}

// takesWords tells whether the command is given the items as words of their own.
func (s Suite) takesWords() bool {
	if s.Command == "" {
		return s.Runner != Generic
	}
	words, err := splitWords(s.Command)
	return err == nil && slices.Contains(words, holeTests)
}

// writesResults tells whether something is left behind that names tests.
func (s Suite) writesResults() bool {
	return s.Command == "" || s.Results != "" || strings.Contains(s.Command, holeResults)
}

// arguments are the words that select what is to be run of the items.
func (s Suite) arguments(items []string) []string {
	if s.Runner != Pytest {
		return items
	}
	if s.only != nil {
		return nodes(items, s.only)
	}
	words := slices.Clone(items)
	for _, node := range nodes(items, s.without) {
		words = append(words, "--deselect", node)
	}
	return words
}

func nodes(items, names []string) []string {
	var ids []string
	for _, item := range items {
		for _, name := range names {
			ids = append(ids, item+"::"+name)
		}
	}
	return ids
}

// pattern is what go test's -run needs: the tests' top levels, each once; ""
// runs everything. A name that is no Go test's stands for more than a test, so
// that everything runs.
func (s Suite) pattern() string {
	if s.only != nil {
		return goPattern(s.only)
	}
	return goPattern(s.Only)
}

// skipPattern is what go test's -skip needs; "" leaves nothing out.
func (s Suite) skipPattern() string { return goPattern(s.without) }

func goPattern(tests []string) string {
	var names []string
	for _, test := range tests {
		top, _, _ := strings.Cut(test, "/")
		if !goTest().MatchString(top) {
			return ""
		}
		names = append(names, top)
	}
	if len(names) == 0 {
		return ""
	}
	slices.Sort(names)
	return "^(" + strings.Join(slices.Compact(names), "|") + ")$"
}

var goTest = expression(`^(Test|Example|Fuzz)[\pL\pN_]*$`)

// jestPattern is what jest's -t needs: full names, as JavaScript writes them.
func jestPattern(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = regexp.QuoteMeta(name)
	}
	return "^(" + strings.Join(quoted, "|") + ")$"
}

// selector is how the runner calls one test of an item: a Go test's top level,
// the rest of a pytest node id, jest's full name. It is false where only the
// whole item can be run again.
func (s Suite) selector(item string, t shard.Test) (string, bool) {
	switch s.Runner {
	case Go:
		top, _, _ := strings.Cut(t.Name, "/")
		return top, goTest().MatchString(top)
	case Pytest:
		// What came back as a node id; a module as a whole has none.
		return t.Name, t.Class == item && !strings.HasPrefix(t.Name, "[")
	case Jest:
		name, _, numbered := strings.Cut(t.Name, doubled)
		return name, s.Command == "" && !strings.HasPrefix(name, "[") && !numbered
	}
	return "", false
}

// itemOf finds the item that a test stands in: its package, its file, itself.
// It is "" where it is none of them.
func (s Suite) itemOf(t shard.Test, items []string) string {
	for _, id := range []string{t.Class, t.File, s.underDir(t.File), t.Name} {
		if slices.Contains(items, id) && id != "" {
			return id
		}
	}
	return ""
}

// stopsEarly tells whether go test leaves out the tests that come after a failure.
func (s Suite) stopsEarly() bool {
	return strings.Contains(s.Command, "-failfast") || strings.Contains(os.Getenv("GOFLAGS"), "-failfast")
}

// pytestStopped is what pytest prints where -x or --maxfail ended it.
var pytestStopped = expression(`(?m)^!+ stopping after \d+ failures? !+`)

// TestsAlone tells whether a red exit code can be the failing tests' alone: a
// process that was killed, or a pytest that was interrupted, says more than that.
func (s Suite) TestsAlone(code int) bool {
	return code <= 128 && (s.Runner != Pytest || code <= 1)
}
