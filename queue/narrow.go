package queue

import (
	"fmt"
	"strings"
	"time"

	"github.com/mainstay-ci/mainstay/queue/search"
	"github.com/mainstay-ci/mainstay/queue/shard"
)

// A narrow attempt runs a few tests only: those that failed, on a part of a red
// batch, or on the base itself. What it says is a fact for the search and nothing
// else. It never lands, so the base may move under it.

// namedTests is from how many failing tests on a shard's list may be cut off.
const namedTests = 50

// narrow reports whether an attempt only tells. One on the base runs everything
// where a few tests alone told nothing.
func (a *Attempt) narrow() bool { return len(a.Narrow) > 0 || a.OnBase }

// asked are the tests that a narrow attempt is asked about.
func (t *step) asked(a *Attempt) []FailedTest {
	if len(a.Narrow) == 0 && t.header.Doubt != nil {
		return t.header.Doubt.Tests
	}
	return a.Narrow
}

// narrowPlan is what a narrow attempt must hear of: the suites of its tests, in
// as many variants as were red. The checks the branch asks for are not among it.
func (t *step) narrowPlan(a *Attempt) Plan {
	p := Plan{Suites: map[string]int{}, Variants: map[string]int{}}
	for _, f := range t.asked(a) {
		p.Suites[f.Suite] = t.header.Settings.Suites[f.Suite]
		for _, run := range t.header.RedRuns {
			if hasTest(run.Ending.Tests, f) {
				p.Variants[f.Suite] = max(p.Variants[f.Suite], run.Variants[f.Suite])
			}
		}
	}
	return p
}

// word is what a narrow attempt comes to.
type word struct {
	over   bool
	failed []FailedTest // of its tests
	tests  []FailedTest // whose outcome is known; nil: none, it ended in error
	detail string
}

// judgeNarrow reads the shards' reports for the named tests and nothing else. A
// shard without a report, or red without a test, is an error and no flake.
func (a *Attempt) judgeNarrow(now time.Time, s Settings, tests []FailedTest) word {
	w, broken := word{}, ""
	for _, sh := range a.Shards {
		state, _ := a.job(sh)
		switch {
		case sh.Result == "" && state != pending:
			broken = fmt.Sprintf("The job of %s ended without a report.", sh.label())
		case sh.Result == "" || sh.Result.Green():
		case sh.Result == shard.ResultFailed && len(sh.Failed) > 0:
			own := commonTests(sh.Failed, tests)
			if len(own) == 0 && len(sh.Failed) >= namedTests {
				broken = fmt.Sprintf("%s failed in too many tests to say which.", sh.label())
			}
			if len(own) > 0 && w.detail == "" {
				w.detail = fmt.Sprintf("%s failed.", sh.label())
			}
			w.failed = append(w.failed, own...)
		default:
			broken = fmt.Sprintf("%s ended in error without naming a test.", sh.label())
		}
	}
	w.tests = w.failed
	missing := a.narrowMissing()
	late := a.judgeTime(now, s, missing)
	switch {
	case broken == "" && missing == "":
		w.over, w.tests = true, tests
	case broken != "" || late.state == failed || a.runsDone() && a.quiet() || len(commonTests(tests, w.failed)) == len(tests):
		w.over = true
	}
	if w.detail == "" {
		w.detail = broken
	}
	return w
}

// narrowMissing names what has not reported yet; nothing when all of it has.
func (a *Attempt) narrowMissing() string {
	seen := a.variants()
	for _, suite := range sortedNames(a.Plan.Suites) {
		if seen[suite] < max(1, a.Plan.Variants[suite]) {
			return "suite " + code(suite)
		}
		ended := map[string]int{}
		total := map[string]int{}
		for _, sh := range a.Shards {
			if sh.Suite == suite {
				total[sh.Variant] = max(sh.Total, total[sh.Variant], a.Plan.Suites[suite])
				if sh.Result != "" {
					ended[sh.Variant]++
				}
			}
		}
		for _, variant := range sortedNames(total) {
			if ended[variant] < total[variant] {
				return "suite " + code(suite)
			}
		}
	}
	return ""
}

// hearNarrow books what a narrow attempt says, once it is known.
func (t *step) hearNarrow(a *Attempt) {
	w := a.judgeNarrow(t.now, t.header.Settings, t.asked(a))
	if !w.over {
		return
	}
	if len(w.failed) == 0 && w.tests == nil && a.awaitsReports(t.now) {
		t.seekReports(a)
		return
	}
	if a.OnBase {
		t.hearBase(a, w)
		return
	}
	run := search.Run{ID: a.ID, Members: a.numbers(), Tests: testKeys(w.tests), Failed: testKeys(w.failed), Green: len(w.failed) == 0}
	cause := "its tests passed: they say nothing against it"
	switch {
	case len(w.failed) > 0:
		cause = w.detail
		b := t.batch(a.Batch)
		b.Nodes[a.Node].Red = testNames(w.failed)
		t.touchBatch(b.ID)
		t.keepRun(a, End{Reason: ChecksFailed, Detail: w.detail, Next: mendIt, By: "mainstay", Tests: w.failed})
	case len(w.tests) == 0:
		cause = "its tests told nothing: tested in full instead"
		run.Green, run.Tests = false, testKeys(a.Narrow)
	}
	t.learnRed(run)
	t.abandon(a, AimSearch, cause)
	t.setAside(a)
	t.ejectGuilty()
	t.releaseInnocent()
}

// narrowTitle is what the members of a narrow attempt read.
func (a *Attempt) narrowTitle() string {
	title := "Looking for what fails " + plain(a.Narrow[0].Name)
	if more := len(a.Narrow) - 1; more > 0 {
		title += fmt.Sprintf(" and %d more", more)
	}
	return title
}

// writeNarrow says which tests run, and what for.
func (a *Attempt) writeNarrow(b *strings.Builder) {
	if !a.narrow() {
		return
	}
	b.WriteString("The batch was red. Only the tests that failed run here:\n")
	for i, f := range a.Narrow {
		if i == 20 {
			fmt.Fprintf(b, "- and %d more\n", len(a.Narrow)-i)
			break
		}
		fmt.Fprintf(b, "- %s\n", code(f.Name))
	}
	b.WriteString("\nThat says who is to blame and nothing else: whatever lands is tested in full.\n\n")
}
