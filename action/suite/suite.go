package suite

import (
	"errors"
	"fmt"
	"strings"

	"github.com/mainstay-ci/mainstay/queue/shard"
)

// Runner is a kind of test runner.
type Runner string

// The runners. Of Generic, any command, only the exit code is known unless it
// writes results in a format we read.
const (
	Go      Runner = "go"
	Pytest  Runner = "pytest"
	Jest    Runner = "jest"
	Generic Runner = "generic"
)

// ErrUsage is in every error that only the workflow's author can mend: a
// pattern that matches nothing, a command that cannot be split.
var ErrUsage = errors.New("wrong use")

// Suite is one test suite as the workflow describes it.
type Suite struct {
	Name, Variant string
	Runner        Runner
	Dir           string // where commands run; "" is here
	Root          string // the repository: files are named relative to it; "" is Dir
	Tests         string // packages, or items, one a line, globs allowed
	ListCommand   string // prints the items, one a line; wins over Tests
	Command       string // runs a slice; "" is the runner's own, which Generic has not
	Results       string // files that the command writes, one pattern a line; "" is {results}
	Format        Format // of those
	Scratch       string // an existing folder for files of our own
	Sliced        bool   // what is run is not the whole suite
	// Only are the tests that are asked for, by their full names; nil is all of
	// the items' tests. Go alone can leave others out.
	Only []string

	// Of one item, in the runner's own words: the tests that are run and nothing
	// else, or the tests that are left out.
	only, without []string
	batch         int // counts the runs of a session
}

// Inventory is what a suite consists of.
type Inventory struct {
	Items []string // normalised
	// Untested are Go packages without tests. They are no items, but go test
	// on the whole module would compile them, and so must some shard.
	Untested []string
	// Bytes is how large an item's test files are, where there are any.
	Bytes map[string]int64
}

// key names a test of this suite on the wire.
func (s Suite) key(class, name string) string {
	return shard.TestKey(s.Name, s.Variant, class, name)
}

// lines cuts text into its lines, trimmed, without the empty ones.
func lines(text string) []string {
	var found []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			found = append(found, line)
		}
	}
	return found
}

// checkItems refuses what could not be handed on safely, one item a line and
// as an argument of a command.
func checkItems(items []string) error {
	for _, item := range items {
		if strings.HasPrefix(item, "-") {
			return fmt.Errorf("%w: item %q begins with a dash and would be taken for an option", ErrUsage, item)
		}
		if shard.CleanName(item) != item {
			return fmt.Errorf("%w: item %.80q is not one line of plain text of at most %d bytes", ErrUsage, item, shard.MaxName)
		}
	}
	if len(items) > shard.MaxItems {
		return fmt.Errorf("%w: %d items, at most %d", ErrUsage, len(items), shard.MaxItems)
	}
	return nil
}
