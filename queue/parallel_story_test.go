package queue

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// sideBySide tells a story with one attempt at a time and with several: it must end the same.
func sideBySide(t *testing.T, tell func(w *world)) {
	for _, slots := range []int{1, 2, 4} {
		t.Run(fmt.Sprint("parallel ", slots), func(t *testing.T) {
			story(t, func(w *world) {
				w.settings.Parallel = slots
				tell(w)
			})
		})
	}
}

// What stands on an attempt is tested meanwhile, and a green path lands by one push.
func TestSideBySideLandsTogether(t *testing.T) {
	story(t, func(w *world) {
		w.settings.Parallel, w.settings.BatchSize = 3, 1
		w.queueTogether(1, 2, 3)
		w.untilEnded(1, 2, 3)
		w.requireLanded(1, 2, 3)
		if first := w.receipts[0]; len(w.receipts) > 2 || !slices.Equal(prsOf(w.receipts[0].Members)[:1], []int{1}) {
			w.t.Fatalf("%d landings, the first of %v", len(w.receipts), prsOf(first.Members))
		}
		if took := w.receipts[len(w.receipts)-1].At.Sub(w.lastEnd(1).Since); took > 10*time.Minute {
			w.t.Fatalf("three tests of some minutes side by side took %s", took)
		}
	})
}

// A short test that was started in case the long one is red waits for it: landing
// alone would throw away what is likely green, with everything that stands on it.
func TestHedgeWaitsForTheLikelyGreen(t *testing.T) {
	story(t, func(w *world) {
		w.settings.Parallel, w.settings.BatchSize = 2, 3
		tests := 0
		w.workflow = func(w *world, ticket, commit string) {
			if tests++; tests == 1 {
				oneJob(20*time.Minute)(w, ticket, commit)
			} else {
				oneJob(time.Minute)(w, ticket, commit)
			}
		}
		w.queueTogether(1, 2, 3)
		w.untilEnded(1, 2, 3)
		w.requireLanded(1, 2, 3)
		if len(w.receipts) != 1 || tests < 2 {
			w.t.Fatalf("%d tests, landings %+v", tests, w.receipts)
		}
	})
}

// Somebody holds a pull request that others stand on: they are built again
// without it at once, not when its test has ended.
func TestHoldBelowOthers(t *testing.T) {
	story(t, func(w *world) {
		w.settings.Parallel, w.settings.BatchSize = 3, 1
		tests := 0
		w.workflow = func(w *world, ticket, commit string) {
			if tests++; tests == 1 {
				oneJob(50*time.Minute)(w, ticket, commit)
			} else {
				oneJob(4*time.Minute)(w, ticket, commit)
			}
		}
		w.queueTogether(1, 2, 3)
		w.untilPhase(AttemptTesting)
		w.change(1, hold)
		w.run(15 * time.Minute)
		w.requireLanded(2, 3)
	})
}

// What git says of a pull request on two stands is kept for both: it is not built
// there again and again.
func TestConflictsOnSeveralStands(t *testing.T) {
	sideBySide(t, func(w *world) {
		w.settings.BatchSize = 1
		w.clashes = [][2]int{{1, 4}, {2, 4}}
		w.bad[1] = true
		w.queueTogether(1, 2, 3, 4)
		w.untilEnded(1, 2, 3, 4)
		w.requireLanded(2, 3)
		w.requireOut(4, Conflict)
	})
}

// What lands by one push takes every ticket on the path with it: one that is not on
// GitHub yet is waited for, else the push could only fail.
func TestATicketBelowThatIsPushedSlowly(t *testing.T) {
	story(t, func(w *world) {
		w.settings.Parallel, w.settings.BatchSize = 2, 1
		quick, slow := w.latency, false
		w.latency = func() time.Duration {
			if a := w.state.attempts; len(a) > 0 && a[0].Phase == AttemptPushing && !slow {
				slow = true
				return 40 * time.Minute
			}
			return quick()
		}
		w.queueTogether(1, 2)
		intended := func() bool {
			return slices.ContainsFunc(w.state.attempts, func(a *Attempt) bool { return !a.IntentAt.IsZero() })
		}
		if !w.runUntil(3*time.Hour, intended) || w.state.attempts[0].PushedAt.IsZero() {
			w.t.Fatalf("the landing does not wait for the first ticket: %+v", w.state.attempts[0])
		}
		w.untilEnded(1, 2)
		w.requireLanded(1, 2)
	})
}

// slowWithout is a workflow that takes long for what does not hold one.
func slowWithout(pr int) func(*world, string, string) {
	return func(w *world, ticket, commit string) {
		takes := 4 * time.Minute
		if !w.holds(commit, pr) {
			takes = 50 * time.Minute
		}
		oneJob(takes)(w, ticket, commit)
	}
}

// Given a held fork that is tested on two stands, when one of them is green and it is
// pushed to meanwhile, then the old head, which the other stand tested, does not land.
func TestTheOldHeadOfAHeldOneNeverLands(t *testing.T) {
	story(t, func(w *world) {
		w.settings.Parallel, w.settings.BatchSize = 3, 1
		w.rewrite(func(h *Header) { h.Rates = Rates{Bad: 60, Good: 140, Greens: 100} }) // #5 is tested in case #1 is red, too
		w.workflow = slowWithout(5)
		w.tell(PauseAsked{By: "ann", Reason: "wait for all"})
		w.queue(1)
		w.open(5)
		hold(w.pulls[5])
		w.pulls[5].fork = true
		w.approve(5, "bob")
		w.label(5, "ann")
		w.run(time.Minute)
		w.tell(ResumeAsked{By: "ann"})
		w.run(10 * time.Minute)
		w.requireWaits(5, OnHold)
		w.dismiss(5)
		w.run(time.Minute)
		w.push(5)
		w.change(5, unhold)
		w.run(time.Minute)
		w.approve(5, "bob")
		w.runUntil(6*time.Hour, w.over(5))
		w.requireLanded(5)
		if tip := w.commits[w.lastEnd(5).Became]; tip.head != "head-5.2" {
			w.t.Fatalf("%s landed as #5, approved is head-5.2", tip.head)
		}
	})
}

// The same without a push: who lost the approval does not land.
func TestAHeldOneWithoutApprovalNeverLands(t *testing.T) {
	story(t, func(w *world) {
		w.settings.Parallel, w.settings.BatchSize = 3, 1
		w.rewrite(func(h *Header) { h.Rates = Rates{Bad: 60, Good: 140, Greens: 100} })
		w.workflow = slowWithout(5)
		w.tell(PauseAsked{By: "ann", Reason: "wait for all"})
		w.queue(1)
		w.open(5)
		hold(w.pulls[5])
		w.approve(5, "bob")
		w.label(5, "ann")
		w.run(time.Minute)
		w.tell(ResumeAsked{By: "ann"})
		w.run(10 * time.Minute)
		w.dismiss(5)
		w.run(time.Minute)
		w.change(5, unhold)
		w.run(2 * time.Hour)
		if last := w.lastEnd(5); last != nil {
			w.t.Fatalf("#5 ended without an approval: %+v", last.End)
		}
	})
}

// Given an attempt that dies while it is built, because what it stands on is given
// up, then it stays dead: nothing of it is to be deleted, and git refuses to try.
func TestDeadStaysDead(t *testing.T) {
	story(t, func(w *world) {
		w.settings.Parallel, w.settings.BatchSize = 2, 2
		w.queueTogether(1, 2, 3, 4)
		w.runUntil(time.Hour, func() bool {
			a := w.state.attempt(2)
			return a != nil && a.Phase == AttemptBuilding && w.state.attempt(1).Phase == AttemptTesting
		})
		hold(w.pulls[1])
		w.tell(PullRequestRead{PR: w.read(1)})
		if a := w.state.attempt(2); a != nil && a.Phase != AttemptDead {
			w.t.Fatalf("attempt 2 is %s after it was dead, commit %q", a.Phase, a.New)
		}
	})
}

// Given an attempt that is given up while another lands, when the answer to its
// deleted ticket comes late, then the base it names is of before the landing.
func TestALateAnswerKnowsAnOlderBase(t *testing.T) {
	story(t, func(w *world) {
		w.settings.Parallel, w.settings.BatchSize = 2, 1
		w.queueTogether(1, 2)
		w.untilPhase(AttemptTesting)
		w.run(time.Minute)
		usual := w.latency
		w.latency = func() time.Duration {
			if a := w.state.attempt(2); a != nil && a.Phase == AttemptAbandoning {
				return 10 * time.Minute
			}
			return usual()
		}
		w.push(2)
		w.run(time.Second)
		w.latency = usual
		if !w.runUntil(time.Hour, func() bool { a := w.state.attempt(2); return a == nil || a.Phase == AttemptDead }) {
			w.t.Fatalf("attempt 2 did not end")
		}
		w.requireLanded(1)
		if w.state.header.Tip != w.base {
			w.t.Fatalf("the base is believed to be at %s, it is at %s", w.state.header.Tip, w.base)
		}
	})
}
