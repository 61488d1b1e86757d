package queue

import "slices"

// What the base said when it was asked, and what else is news of it.

// hearBase takes in what the base said.
func (t *step) hearBase(a *Attempt, w word) {
	t.abandon(a, AimDrop, "the base was asked")
	if t.header.Doubt == nil || a.Old != t.header.Tip {
		return
	}
	d := t.amendDoubt()
	d.Looks++
	switch {
	case len(w.failed) > 0:
		if again := commonTests(w.failed, d.Failed); len(again) > 0 || d.Red {
			d.Reds++
		} else {
			d.Reds = 1
		}
		d.Failed, d.NextAt = w.failed, t.now
		if d.Red {
			d.NextAt = t.now.Add(min(baseAgainMax, baseAgain<<min(d.Reds-baseReds, 10)))
		} else if d.Reds >= baseReds {
			t.stopForBase(w.failed)
		}
	case len(w.tests) > 0 && d.Red:
		t.trustBase(w.tests)
	case len(w.tests) > 0:
		if d.Reds > 0 {
			t.forgetTests(commonTests(w.tests, d.Failed), true) // red and green on one commit: they flake, and say nothing of anybody
		}
		t.believeBase(w.tests)
	case !d.Full:
		d.Full, d.NextAt = true, t.now
	case d.Red || d.Looks < baseLooks:
		d.NextAt = t.now.Add(min(baseAgainMax, baseAgain<<max(0, min(d.Looks-2, 10))))
	default:
		t.believeBase(d.Tests) // it can't be asked
	}
	t.ejectGuilty()
	t.releaseInnocent()
}

// believeBase ends the doubt about tests that the base was asked for and did not fail.
func (t *step) believeBase(tests []FailedTest) {
	h := &t.header
	var left []FailedTest
	for _, f := range h.Doubt.Tests {
		if !hasTest(tests, f) {
			left = append(left, f)
		}
	}
	t.trustBase(tests)
	if len(left) > 0 {
		t.doubtBase(left, nil)
	}
}

// trustBase ends the doubt, and with it the stop: the base does not fail these.
func (t *step) trustBase(tests []FailedTest) {
	h := &t.header
	h.RedRuns = slices.Clone(h.RedRuns)
	for i := range h.RedRuns {
		if r := &h.RedRuns[i]; r.Root == h.Tip && len(commonTests(r.Ending.Tests, tests)) > 0 {
			r.Asked = true
		}
	}
	was := h.Doubt.Red
	h.Doubt = nil
	t.progress()
	if was {
		t.showStopped()
	}
}

// forgetLooks drops attempts that asked the base and are over.
func (t *step) forgetLooks() {
	kept := t.attempts[:0]
	for _, a := range t.attempts {
		if a.OnBase && a.Phase == AttemptDead {
			t.touchAttempt(a.ID)
			continue
		}
		kept = append(kept, a)
	}
	t.attempts = kept
}

// baseMoved has a new base asked at once.
func (t *step) baseMoved() {
	if t.header.Doubt == nil || t.header.Doubt.Tip == t.header.Tip {
		return
	}
	d := t.amendDoubt()
	d.Tip, d.NextAt, d.Looks, d.Tried = t.header.Tip, t.now, 0, nil
	if !d.Red {
		d.Reds = 0
	}
}

// baseLanded takes a landing in: its tip passed every test there is.
func (t *step) baseLanded(a *Attempt) {
	h := &t.header
	h.GreenAt = a.PushedAt
	h.Greens = append(slices.Clone(h.Greens[max(0, len(h.Greens)-greensKept+1):]), Green{Tip: a.New, At: a.PushedAt})
	if h.Doubt != nil && !a.PushedAt.Before(h.Doubt.Since) {
		t.trustBase(h.Doubt.Tests)
	}
}
