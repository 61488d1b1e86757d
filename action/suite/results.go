package suite

import (
	"slices"
	"strings"
	"time"

	"github.com/mainstay-ci/mainstay/queue/shard"
)

// Results is what came out of running a slice.
type Results struct {
	Items    []shard.ItemResult // of the slice, sorted
	NotRun   []string           // of the slice, never heard of
	Extra    []string           // ran, and not of the slice
	Tests    []shard.Test       // sorted by class, in order of their start
	ExitCode int
	Wall     time.Duration
	Blind    bool     // nothing told test by test: only the exit code is known
	Notes    []string // what a person should know though it changes nothing
}

// Failing returns the tests whose last execution was red.
func (r Results) Failing() []shard.Test {
	return slices.DeleteFunc(slices.Clone(r.Tests), func(t shard.Test) bool { return !t.Failed() })
}

// byExitCode is all that can be said of items whose command names no tests.
func (s Suite) byExitCode(items []string, code int, output string) Results {
	r := Results{ExitCode: code, Blind: true}
	status := shard.Passed
	if code != 0 {
		status = shard.Errored
		r.Tests = []shard.Test{s.exitTest("", s.commandName(), code, output)}
	}
	for _, item := range items {
		r.Items = append(r.Items, shard.ItemResult{ID: item, Status: status})
	}
	return r
}

// exitTest stands in for the tests that a red process did not name.
func (s Suite) exitTest(class, name string, code int, output string) shard.Test {
	message := ending(output)
	if message == "" {
		message = exitText(code) + " and no output"
	}
	return shard.Test{
		Key: s.key(class, name), Class: class, Name: name,
		Executions: []shard.Execution{{Status: shard.Errored, Kind: shard.KindExit, Message: shard.CleanMessage(message)}},
	}
}

// commandName names the command as it was written, so that the name stays the
// same from run to run.
func (s Suite) commandName() string {
	if s.Command == "" {
		switch s.Runner {
		case Pytest, Jest:
			return string(s.Runner)
		}
		return "tests"
	}
	return shard.CleanName(strings.TrimSpace(s.Command))
}

// ending cuts output to a message's size from its end: that is where the reason is.
func ending(output string) string {
	output = strings.TrimSpace(output)
	if limit := shard.MaxMessage - 64; len(output) > limit {
		// A head too: compilers name the first error first.
		head := shard.Cut(output, limit/4)
		tail := strings.ToValidUTF8(output[len(output)-limit*3/4:], "")
		return head + "\n[… cut …]\n" + tail
	}
	return output
}

func ms(d time.Duration) int64 { return max(d.Milliseconds(), 0) }
