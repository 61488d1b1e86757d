package queue

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// Stories of a review: each shows a fault of the rules.

// which the other stand tested, does not land.
func TestReviewTheOldHeadOfAHeldOneNeverLands(t *testing.T) {
	story(t, func(w *world) {
		w.settings.Parallel, w.settings.BatchSize = 3, 1
		w.rewrite(func(h *Header) { h.Rates = Rates{Bad: 60, Good: 140, Greens: 100} }) // #5 is tested in case #1 is red, too
		w.workflow = func(w *world, ticket, commit string) {
			takes := 4 * time.Minute
			if !w.holds(commit, 5) {
				takes = 50 * time.Minute
			}
			oneJob(takes)(w, ticket, commit)
		}
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
func TestReviewAHeldOneWithoutApprovalNeverLands(t *testing.T) {
	story(t, func(w *world) {
		w.settings.Parallel, w.settings.BatchSize = 3, 1
		w.rewrite(func(h *Header) { h.Rates = Rates{Bad: 60, Good: 140, Greens: 100} })
		w.workflow = func(w *world, ticket, commit string) {
			takes := 4 * time.Minute
			if !w.holds(commit, 5) {
				takes = 50 * time.Minute
			}
			oneJob(takes)(w, ticket, commit)
		}
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

// infrastructure once, then it is tested again: nothing else can get through.
func TestReviewAHotfixIsTriedAgainOnARedBase(t *testing.T) {
	for _, trouble := range []string{"a shard dies", "the base moves"} {
		t.Run(trouble, func(t *testing.T) {
			story(t, func(w *world) {
				w.sharded()
				w.broken = true
				w.queueTogether(1, 2)
				w.runUntil(3*time.Hour, func() bool { return w.state.baseRed() })
				w.run(time.Minute)
				died := false
				if trouble == "a shard dies" {
					w.crashes = func(commit string, shard int) bool {
						if died || !w.holds(commit, 9) {
							return false
						}
						died = true
						return true
					}
				}
				w.mends = 9
				w.open(9)
				hotfix(w.pulls[9])
				w.approve(9, "bob")
				w.label(9, "ann")
				if trouble == "the base moves" {
					w.runUntil(time.Hour, func() bool {
						a := w.state.attempt(w.state.header.NextAttempt - 1)
						return a != nil && a.holds(9) && a.Phase == AttemptTesting
					})
					w.run(time.Minute)
					w.pushBase() // does not mend it
				}
				w.runUntil(12*time.Hour, w.over(9))
				w.requireLanded(9)
			})
		})
	}
}

// blamed for it: the base is asked with the whole suite.
func TestReviewABaseThatIsRedInFullOnly(t *testing.T) {
	story(t, func(w *world) {
		w.sharded()
		red := true
		w.flakes = func(commit string) bool { return red && w.narrowOf(commit) == nil }
		w.queueTogether(1, 2, 3)
		w.runUntil(12*time.Hour, func() bool { return w.state.baseRed() })
		for _, n := range []int{1, 2, 3} {
			if last := w.lastEnd(n); last != nil {
				w.t.Fatalf("#%d is blamed for the base: %+v", n, last.End)
			}
		}
		red = false
		w.untilEnded(1, 2, 3)
		w.requireLanded(1, 2, 3)
	})
}

// a batch is.
func TestReviewABrokenBuildOfTheBase(t *testing.T) {
	story(t, func(w *world) {
		w.sharded()
		w.bad[1] = true
		w.queue(1)
		w.runUntil(3*time.Hour, func() bool { return w.state.header.Doubt != nil })
		from := w.state.header.NextAttempt
		w.brokenAt = 1 << 30
		w.run(20 * time.Minute)
		if n := w.state.header.NextAttempt - from; n > 60 {
			w.t.Fatalf("%d builds in 20 minutes", n)
		}
		w.brokenAt = 0
		w.untilEnded(1)
	})
}

// base is not asked over and over while the search goes on.
func TestReviewTheBaseIsAskedOnceBesideASearch(t *testing.T) {
	story(t, func(w *world) {
		w.sharded()
		w.settings.Parallel = 3
		w.bad[1] = true
		w.workflow = func(w *world, ticket, commit string) {
			takes := 10 * time.Minute
			switch {
			case strings.Contains(commit, "-empty-"):
				takes = time.Minute
			case w.narrowOf(commit) != nil:
				takes = 40 * time.Minute
			}
			shards(3, takes)(w, ticket, commit)
		}
		w.queue(1)
		w.runUntil(time.Hour, func() bool { return slices.ContainsFunc(w.state.attempts, func(a *Attempt) bool { return a.OnBase }) })
		w.run(30 * time.Second)
		w.pushBase()
		looks := 0
		for _, line := range w.attemptsOf(30*time.Minute, w.over(1)) {
			if strings.HasPrefix(line, "base") {
				looks++
			}
		}
		if looks > 3 {
			w.t.Fatalf("the base was asked %d times in half an hour", looks)
		}
	})
}

// Given an attempt that dies while it is built, because what it stands on is given
// up, then it stays dead: nothing of it is to be deleted, and git refuses to try.
func TestReviewDeadStaysDead(t *testing.T) {
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
