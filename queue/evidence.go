package queue

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mainstay-ci/mainstay/queue/search"
	"github.com/mainstay-ci/mainstay/queue/shard"
)

// Evidence from shards: which tests failed, and of whom that speaks.

// narrowTests is how many failing tests a narrow run may have; where more fail,
// most of the suite is red, and a full run tells as much.
const narrowTests = 50

// key tells tests apart in the facts of the search. The file is where the test
// failed last, and no part of it.
func (f FailedTest) key() string { return strings.Join([]string{f.Suite, f.Package, f.Name}, "\x1f") }

func testKeys(tests []FailedTest) []string {
	var keys []string
	for _, f := range tests {
		keys = append(keys, f.key())
	}
	return keys
}

// The messages kept of a red run's tests: of so many, so much.
const (
	messagesKept = 10
	messageKept  = 1 << 10
)

func clipMessages(tests []FailedTest) []FailedTest {
	tests = slices.Clone(tests)
	for i := range tests {
		if f := &tests[i]; i >= messagesKept {
			f.Message = ""
		} else if len(f.Message) > messageKept {
			f.Message = strings.ToValidUTF8(f.Message[:messageKept], "") + "…"
		}
	}
	return tests
}

func withoutMessages(tests []FailedTest) []FailedTest {
	tests = slices.Clone(tests)
	for i := range tests {
		tests[i].Message = ""
	}
	return tests
}

func hasTest(tests []FailedTest, f FailedTest) bool {
	for _, x := range tests {
		if x.key() == f.key() {
			return true
		}
	}
	return false
}

// commonTests are those of a that are among b.
func commonTests(a, b []FailedTest) []FailedTest {
	var both []FailedTest
	among := make(map[string]bool, len(b))
	for _, f := range b {
		among[f.key()] = true
	}
	for _, f := range a {
		if key := f.key(); among[key] {
			among[key] = false
			both = append(both, f)
		}
	}
	return both
}

// tellsTests reports whether all that is red of an attempt are shards that name
// their failing tests: then those tests alone can be asked about.
func (a *Attempt) tellsTests(v verdict) bool {
	if v.reason != ChecksFailed || len(v.tests) == 0 || len(v.tests) > narrowTests {
		return false
	}
	own := map[int64]bool{} // check runs of shards that named their tests
	for _, sh := range a.Shards {
		state, _ := a.job(sh)
		switch {
		case sh.Result == shard.ResultFailed && len(sh.Failed) > 0:
			own[sh.CheckRun] = true
		case sh.Result != "" && !sh.Result.Green(), state == failed, state == passed && sh.Result == "":
			return false
		}
	}
	counting := a.counting()
	for _, c := range a.Plan.Checks {
		if state, _ := a.judgeCheck(c); state != failed {
			continue
		}
		for _, r := range a.Results.Checks {
			if r.Name == c.Name && counting[r.Suite] && concluded(r.Status, r.Conclusion, c.SkippedOK) == failed && !own[r.ID] {
				return false
			}
		}
		for _, s := range a.Results.Statuses {
			if s.Context == c.Name && s.State != "success" {
				return false
			}
		}
	}
	return true
}

// variants counts each suite's variants that reported or began.
func (a *Attempt) variants() map[string]int {
	seen, count := map[string]bool{}, map[string]int{}
	for _, sh := range a.Shards {
		if key := sh.Suite + "\x1f" + sh.Variant; !seen[key] {
			seen[key] = true
			count[sh.Suite]++
		}
	}
	return count
}

// searchesNarrow reports whether any fact names the tests to ask about.
func (t *step) searchesNarrow() bool {
	if len(t.header.Linked) > 0 {
		return false // a part of a batch may need what another part has
	}
	for _, r := range t.header.Reds {
		if len(r.Tests) > 0 {
			return true
		}
	}
	return false
}

// testsByKey are failing tests as the red runs named them, without their messages.
func (t *step) testsByKey(keys []string) []FailedTest {
	var tests []FailedTest
	for _, key := range keys {
		for i := len(t.header.RedRuns) - 1; i >= 0; i-- {
			if f, ok := findTest(t.header.RedRuns[i].Ending.Tests, key); ok {
				f.Message, f.Line = "", 0
				tests = append(tests, f)
				break
			}
		}
	}
	return tests
}

func findTest(tests []FailedTest, key string) (FailedTest, bool) {
	for _, f := range tests {
		if f.key() == key {
			return f, true
		}
	}
	return FailedTest{}, false
}

// ending is what a culprit is told: what its red run said or, where it passed the
// same test without somebody who landed since, that those two don't go together.
func (t *step) ending(pr int, run RedRun) End {
	end := run.Ending
	for _, r := range t.header.Reds {
		of := t.redRun(r.Run)
		if of == nil || !r.Passed || !contains(r.Members, pr) {
			continue
		}
		with := of.landedWith(run)
		for _, f := range end.Tests {
			if len(with) > 0 && slices.Contains(r.Tests, f.key()) {
				return clashEnd(f, with, end)
			}
		}
	}
	return end
}

// landedWith are those of a red run who landed, and whom another run had: as
// members, or in the base below it. A full run that is judged after a landing
// stands on it.
func (r *RedRun) landedWith(run RedRun) (prs []int) {
	for _, l := range r.Landed {
		below := run.At.After(l.At) && (!run.Narrow || !run.Began.Before(l.At.Truncate(time.Second)))
		if below || contains(run.PRs, l.PR) {
			prs = append(prs, l.PR)
		}
	}
	return prs
}

// clashEnd names both of a pair: the one that landed, and by its end the other.
func clashEnd(f FailedTest, landed []int, end End) End {
	others := make([]string, len(landed))
	for i, pr := range landed {
		others[i] = fmt.Sprintf("#%d", pr)
	}
	end.Reason = ConflictingPair
	end.Detail = fmt.Sprintf("It does not go together with %s, which landed: %s passes without %s and fails with it.", others[0], code(f.Name), others[0])
	if len(others) > 1 {
		end.Detail = fmt.Sprintf("It does not go together with one of %s and %s, which landed: %s passes without them and fails with them.",
			strings.Join(others[:len(others)-1], ", "), others[len(others)-1], code(f.Name))
	}
	end.Next = "Rebase it, look at what the two do to each other, push, and set the label again."
	return end
}

// forgetTests drops tests from the facts: they speak of nobody in line. Flaky ones
// are put on record.
func (t *step) forgetTests(tests []FailedTest, flaky bool) {
	h := &t.header
	was := h.Reds
	var kept []search.Red
	for _, r := range h.Reds {
		var rest []string
		for _, key := range r.Tests {
			if _, ok := findTest(tests, key); !ok {
				rest = append(rest, key)
			}
		}
		if len(r.Tests) > 0 && len(rest) == 0 {
			continue
		}
		r.Tests = rest
		kept = append(kept, r)
	}
	h.Reds = kept
	if flaky {
		t.noteFlakes(was, 0)
	}
	t.forgetRuns()
}
