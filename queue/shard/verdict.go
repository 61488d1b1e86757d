package shard

import (
	"slices"
	"strings"
)

// Result is what came out: of a shard, or of all shards of a suite.
type Result string

// The results. ResultError means red without a failing test to name (a crash,
// a build that broke, no report): never taken for a flake. ResultIncomplete
// means not everything was heard of, and never counts as passed.
const (
	ResultPassed      Result = "passed"
	ResultFlaky       Result = "flaky"
	ResultQuarantined Result = "quarantined"
	ResultFailed      Result = "failed"
	ResultError       Result = "error"
	ResultIncomplete  Result = "incomplete"
)

// Green tells whether the result lets the batch go on.
func (r Result) Green() bool {
	return r == ResultPassed || r == ResultFlaky || r == ResultQuarantined
}

// ShardVerdict is what one shard's report comes to.
type ShardVerdict struct {
	Result   Result
	Blocking []Test   // red, and not on the quarantine list
	Muted    []Test   // red, and on the list
	Flaky    []Test   // red first, passed then
	Warnings []string // what a person should know though it changes nothing
}

// Judge gives the verdict on one shard. Chunks are the chunks of its one
// report, in any order; without a complete report the shard is an error,
// whatever its step said. Quarantine holds keys of tests and may be nil.
//
//	step     report                          verdict
//	green    no failures                     passed, or flaky
//	green    failures                        the same, with a warning
//	red      all failures in quarantine      quarantined
//	red      other failures                  failed
//	red      no failure that says how        error
//	skipped  the slice was empty             passed
//	skipped  the slice was not empty         error
//	green    an item never ran or ended      incomplete
//	any      missing or cut off              error
func Judge(chunks []Report, quarantine map[string]bool) ShardVerdict {
	whole, ok := join(chunks)
	if !ok {
		return ShardVerdict{Result: ResultError, Warnings: []string{"the report is missing or cut off"}}
	}
	var v ShardVerdict
	for _, t := range whole.Tests {
		switch {
		case t.Failed() && quarantine[t.Key] && excusable(t):
			v.Muted = append(v.Muted, t)
		case t.Failed():
			v.Blocking = append(v.Blocking, t)
		case t.Flaky():
			v.Flaky = append(v.Flaky, t)
		}
	}
	v.Result = judgeStep(whole, &v)
	return v
}

// judgeStep is the table above, once the tests are sorted.
func judgeStep(r Report, v *ShardVerdict) Result {
	empty := len(r.Items)+len(r.NotRun) == 0
	switch {
	case r.Outcome == OutcomeCancelled:
		v.Warnings = append(v.Warnings, "the step was cancelled")
		return ResultError
	case r.Outcome == OutcomeSkipped && empty:
		return ResultPassed
	case r.Outcome == OutcomeSkipped:
		v.Warnings = append(v.Warnings, "the step was skipped though it had tests to run")
		return ResultError
	case r.red() && slices.ContainsFunc(v.Blocking, telling):
		return ResultFailed
	case r.red() && (len(v.Blocking) > 0 || len(v.Muted) == 0 || r.unexplained()):
		v.Warnings = append(v.Warnings, "the step is red and names no failing test that explains it")
		return ResultError
	case r.red():
		return ResultQuarantined
	}
	if r.unexplained() {
		v.Warnings = append(v.Warnings, "the step is green though items never ran or never ended")
		return ResultIncomplete
	}
	if len(v.Blocking) > 0 {
		v.Warnings = append(v.Warnings, "the step is green though tests failed")
	}
	if len(v.Flaky) > 0 {
		return ResultFlaky
	}
	return ResultPassed
}

// telling tells whether a red test says how it failed. An exit code alone and a
// test that was never heard of again don't: that may have been the machine.
func telling(t Test) bool {
	kind := t.Last().Kind
	return kind != KindExit && kind != KindLost
}

// excusable tells whether a list may excuse a red test. A build that broke, a
// process that ended and a test that was lost are no failures of a test, and
// neither is what stands in for one.
func excusable(t Test) bool {
	last := t.Last()
	switch last.Kind {
	case KindBuild, KindExit, KindLost, KindPanic:
		return false
	case KindTimeout:
		return last.Status != Errored // the process went on
	}
	return !strings.HasPrefix(t.Name, "[")
}

// red tells whether the step that ran the tests was red. The exit code counts
// where nobody told the outcome.
func (r Report) red() bool {
	return r.Outcome == OutcomeFailure || r.ExitCode != 0
}

// unexplained tells whether an item broke as a whole or never ran: a quarantined
// test must not excuse a package that did not compile.
func (r Report) unexplained() bool {
	for _, item := range r.Items {
		if item.Status == Errored {
			return true
		}
	}
	return len(r.NotRun) > 0
}

// join puts the chunks of one report together, by their numbers. It is false
// while one is missing; of two with one number the later one counts.
func join(chunks []Report) (Report, bool) {
	if len(chunks) == 0 {
		return Report{}, false
	}
	// The last one to arrive says how many there are.
	whole := chunks[len(chunks)-1]
	if whole.Chunks < 1 || whole.Chunks > MaxChunks {
		return Report{}, false
	}
	byNumber := make([]*Report, whole.Chunks)
	for i := range chunks {
		if c := &chunks[i]; c.Chunk >= 0 && c.Chunk < len(byNumber) && c.Chunks == whole.Chunks {
			byNumber[c.Chunk] = c
		}
	}
	tests := make([]Test, 0, len(whole.Tests)*len(byNumber))
	for _, c := range byNumber {
		if c == nil {
			return Report{}, false
		}
		tests = append(tests, c.Tests...)
	}
	whole.Tests = tests
	return whole, true
}
