package queue

import (
	"fmt"
	"time"
)

// abandon gives an attempt up. Its ticket is deleted first, until GitHub
// confirms: the fence behind which no late push of ours can land it.
func (t *step) abandon(a *Attempt, aim Aim, cause string) {
	if !a.live() || a.Phase == AttemptAbandoning && aim == AimRebuild {
		return
	}
	a.Cause, a.Aim = cause, aim
	if a.Phase == AttemptBuilding {
		t.setPhase(a, AttemptDead) // nothing of it ever left this machine
		t.setAside(a)
		return
	}
	intended := !a.IntentAt.IsZero()
	t.setPhase(a, AttemptAbandoning)
	t.do(attemptKey(a.ID), AbandonAttempt{Attempt: a.ID, Ticket: a.Ticket, Commit: a.New, Moved: a.Moved, Retargeted: a.Retargeted})
	if !a.SignAt.IsZero() {
		t.do(fmt.Sprintf("cancel/%d", a.ID), CancelRuns{Commits: []string{a.New}, Ticket: a.Ticket})
	}
	if !intended {
		t.setAside(a)
	}
	if aim != AimSearch { // what is red may still land with one that stands on it and is green
		t.voidAbove(a, cause)
	}
}

// takeAbandoned goes on once the ticket is gone for certain.
func (t *step) takeAbandoned(f Abandoned) {
	a := t.attempt(f.Attempt)
	if a == nil || a.Phase != AttemptAbandoning {
		return
	}
	if f.Contains {
		t.land(a, f.Tip)
		return
	}
	path := t.path(a)
	intended := !a.IntentAt.IsZero()
	t.setPhase(a, AttemptDead)
	switch {
	case intended:
		t.header.BaseAt = t.now
		if f.Tip == "" {
			t.header.Missing = true
			t.lookAtBase()
		}
		t.seeTip(f.Tip)
		t.takeBack(path)
	case f.Tip != t.header.Tip: // another attempt may have landed since it was read
		t.lookAtBase()
	}
	t.setAside(a)
	if a.Aim == AimPause {
		t.pause(Pause{By: "GitHub", At: t.now, Rule: a.Cause,
			Reason: "GitHub refused to move " + code(t.header.Branch) + ": " + a.Cause +
				" Let the App bypass that rule, or mend it, then resume."})
	}
	for _, m := range a.Members {
		if e := t.entries[m.PR]; e != nil && e.Phase == Testing && e.Attempt == a.ID && a.Aim == AimSearch {
			t.show(e)
		}
	}
}

// takeBack undoes an intent that came to nothing, for the whole path.
func (t *step) takeBack(path []*Attempt) {
	for _, x := range path {
		if x.Phase == AttemptCarried {
			x.IntentAt = time.Time{}
			t.abandon(x, AimRebuild, "what was to land with it did not")
		}
		for _, m := range x.Members {
			if e := t.entries[m.PR]; e != nil && e.Phase == Landing {
				t.move(e, Testing, InTest)
				e.PR.ReadAt = t.now // readings begun before may show the head as we moved it
				t.lookAt(m.PR)      // hints were left aside while the intent stood
			}
		}
	}
}
