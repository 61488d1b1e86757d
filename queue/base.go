package queue

import (
	"fmt"
	"slices"
	"time"

	"github.com/mainstay-ci/mainstay/queue/search"
)

// The base may be red by itself: a test that broke with the date, a service that
// is gone, a push around the queue. Before anybody is blamed for a test that
// nothing was seen to pass since, the base is asked: an empty commit of ours on
// top of it runs that test alone. Red twice, the queue stops and names the test.

// Doubt is a base that may be red, or is.
type Doubt struct {
	Tests []FailedTest `json:"tests"`         // in question
	PRs   []int        `json:"prs,omitempty"` // who would be blamed for them
	Since time.Time    `json:"since"`
	Tip   string       `json:"tip"`
	// Reds counts how often the base failed the same of them, Failed, one after the
	// other; Looks how often it was asked.
	Reds   int          `json:"reds,omitempty"`
	Failed []FailedTest `json:"failed,omitempty"`
	Looks  int          `json:"looks,omitempty"`
	// Full: the tests alone told nothing, so all of them run.
	Full bool `json:"full,omitempty"`
	// Tried are the heads of hotfixes that did not mend it.
	Tried []string `json:"tried,omitempty"`
	// Red stops the queue until the base passes them.
	Red    bool      `json:"red,omitempty"`
	NextAt time.Time `json:"next_at"` // when the base is asked again
}

// Green is a base that was tested green as a landing, and from when on.
type Green struct {
	Tip string    `json:"tip"`
	At  time.Time `json:"at"`
}

// greensKept is how many landings are remembered as green bases.
const greensKept = 20

// How often the base is asked: so often before it counts as red, or as saying
// nothing; a red one again after five minutes, then ever more patiently.
const (
	baseReds     = 2
	baseLooks    = 4
	baseAgain    = 5 * time.Minute
	baseAgainMax = time.Hour
)

// baseRed reports whether the queue is stopped because the base is red by itself.
func (s *State) baseRed() bool { return s.header.Doubt != nil && s.header.Doubt.Red }

// doubted reports whether somebody is not blamed before the base was asked.
func (t *step) doubted(pr int) bool {
	return t.header.Doubt != nil && contains(t.header.Doubt.PRs, pr)
}

// asksBase reports whether the base is to be asked first, before one is blamed by
// a run: nothing has passed its tests on the base that it was red on, since they were first red.
func (t *step) asksBase(pr int, run RedRun) bool {
	h := &t.header
	tests := run.Ending.Tests
	if len(tests) == 0 || len(tests) > narrowTests || run.Ending.Reason != ChecksFailed || t.baseRed() {
		return false
	}
	since, newest, full := t.now, run, false
	for _, r := range h.Reds {
		for _, f := range tests {
			switch named := slices.Contains(r.Tests, f.key()); {
			case named && r.Passed && !run.Narrow:
				full = true // alone it passes: that says nothing of the whole suite
			case named && (len(r.Cleared) > 0 || r.Passed):
				return false
			}
		}
		// What the base passed before this suspicion arose says nothing of it.
		first := t.redRun(r.Run)
		if first != nil && first.speaksOf(pr, tests) && first.At.Before(since) {
			since = first.At
		}
	}
	for _, r := range h.RedRuns {
		if !r.speaksOf(pr, tests) || r.At.Before(since) {
			continue
		}
		if newest = r; r.Asked || t.wasGreen(r.Root, since) {
			return false
		}
	}
	if newest.Root != h.Tip {
		t.startOver(pr, tests)
		return true
	}
	t.doubtBase(tests, []int{pr})
	t.header.Doubt.Full = t.header.Doubt.Full || full
	return true
}

// speaksOf reports whether a red run had one, and one of these tests red.
func (r *RedRun) speaksOf(pr int, tests []FailedTest) bool {
	return contains(r.PRs, pr) && len(commonTests(r.Ending.Tests, tests)) > 0
}

// wasGreen reports whether a base was seen green after a time: all tests of the
// landing that made it ran since then.
func (t *step) wasGreen(tip string, since time.Time) bool {
	return slices.ContainsFunc(t.header.Greens, func(g Green) bool { return g.Tip == tip && g.At.After(since) })
}

// startOver forgets what tests said of one: the base it was red on is no more, and
// was never seen to pass them. It is tested again on the base as it is now.
func (t *step) startOver(pr int, tests []FailedTest) {
	h := &t.header
	h.Reds = slices.DeleteFunc(slices.Clone(h.Reds), func(r search.Red) bool {
		run := t.redRun(r.Run)
		return contains(r.Members, pr) && run != nil && run.speaksOf(pr, tests)
	})
	if t.doubted(pr) {
		d := t.amendDoubt()
		d.PRs = without(d.PRs, pr)
	}
	t.forgetRuns()
	t.touchHeader()
}

// suspectBase doubts the base when the same test was red for two sets that have
// nobody in common, and nothing was green between.
func (t *step) suspectBase(run RedRun) {
	for _, r := range t.header.RedRuns {
		if t.baseRed() || r.Asked || !r.At.After(t.header.GreenAt) || slices.ContainsFunc(r.PRs, func(pr int) bool { return contains(run.PRs, pr) }) {
			continue
		}
		if both := commonTests(run.Ending.Tests, r.Ending.Tests); len(both) > 0 && len(both) <= narrowTests {
			t.doubtBase(both, nil)
		}
	}
}

// doubtBase puts tests in question, and with them who would be blamed for them.
func (t *step) doubtBase(tests []FailedTest, prs []int) {
	h := &t.header
	if h.Doubt == nil {
		h.Doubt = &Doubt{Since: t.now, Tip: h.Tip, NextAt: t.now}
	}
	d := t.amendDoubt()
	for _, f := range tests {
		if !hasTest(d.Tests, f) && len(d.Tests) < narrowTests {
			f.Message, f.Line = "", 0
			d.Tests = append(slices.Clone(d.Tests), f)
		}
	}
	for _, pr := range prs {
		if !contains(d.PRs, pr) {
			d.PRs = append(slices.Clone(d.PRs), pr)
		}
	}
}

// amendDoubt is the doubt to be changed: a new one, since rows may share the old.
func (t *step) amendDoubt() *Doubt {
	d := *t.header.Doubt
	t.header.Doubt = &d
	t.touchHeader()
	return &d
}

// baseLook is the attempt that asks the base now; nil when none does.
func (t *step) baseLook() *Attempt {
	for _, a := range t.attempts {
		if a.OnBase && a.live() {
			return a
		}
	}
	return nil
}

// askBase starts the attempt that asks the base, when it is due.
func (t *step) askBase() {
	h := &t.header
	if h.Doubt == nil || h.Doubt.NextAt.After(t.now) || t.baseLook() != nil {
		return
	}
	a := &Attempt{
		ID: h.NextAttempt, OnBase: true, Phase: AttemptBuilding, Since: t.now,
		Ticket: fmt.Sprintf("mainstay/%s/%d", h.Branch, h.NextAttempt), Old: h.Tip, At: t.now.Truncate(time.Second),
	}
	if !h.Doubt.Full {
		a.Narrow = h.Doubt.Tests
	}
	h.NextAttempt++
	t.attempts = append(t.attempts, a)
	t.touchAttempt(a.ID)
	t.progress()
	t.do(attemptKey(a.ID), BuildAttempt{Attempt: a.ID, Old: a.Old, Members: []Member{}, At: a.At, Empty: true})
}

// askBeside has the base asked beside a search while a slot is free, so that a red
// one is seen at once.
func (t *step) askBeside() {
	h := &t.header
	if h.Settings.Parallel <= 1 || h.Doubt != nil || !t.slotFree() {
		return
	}
	for _, r := range h.Reds {
		run := t.redRun(r.Run)
		if run == nil || len(r.Tests) == 0 || len(r.Cleared) > 0 || r.Passed || run.Asked || run.Root != h.Tip || h.GreenAt.After(run.At) {
			continue
		}
		t.doubtBase(t.testsByKey(r.Tests), nil)
		t.askBase()
		return
	}
}
