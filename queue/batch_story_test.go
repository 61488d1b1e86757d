package queue

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// A batch lands whole when it is green, in line order.
func TestGreenBatchLandsInOrder(t *testing.T) {
	story(t, func(w *world) {
		w.queueTogether(3, 1, 2)
		w.untilEnded(1, 2, 3)
		w.requireLanded(1, 2, 3)
		if len(w.receipts) != 1 || !slices.Equal(prsOf(w.receipts[0].Members), []int{3, 1, 2}) {
			w.t.Fatalf("receipts %+v", w.receipts)
		}
	})
}

func prsOf(members []Member) (prs []int) {
	for _, m := range members {
		prs = append(prs, m.PR)
	}
	return prs
}

// Red batches: whoever is bad goes out with the failing test named, everybody else lands.
func TestRedBatch(t *testing.T) {
	cases := map[string]struct {
		members []int
		bad     []int
		pairs   [][2]int
		clashes [][2]int
		onBase  []int
		out     map[int]Reason
	}{
		"one bad of five":             {members: []int{1, 2, 3, 4, 5}, bad: []int{3}, out: map[int]Reason{3: ChecksFailed}},
		"the first bad":               {members: []int{1, 2, 3, 4, 5}, bad: []int{1}, out: map[int]Reason{1: ChecksFailed}},
		"the last bad":                {members: []int{1, 2, 3, 4, 5}, bad: []int{5}, out: map[int]Reason{5: ChecksFailed}},
		"two bad":                     {members: []int{1, 2, 3, 4, 5}, bad: []int{2, 5}, out: map[int]Reason{2: ChecksFailed, 5: ChecksFailed}},
		"two bad side by side":        {members: []int{1, 2, 3, 4}, bad: []int{1, 2}, out: map[int]Reason{1: ChecksFailed, 2: ChecksFailed}},
		"all bad":                     {members: []int{1, 2, 3}, bad: []int{1, 2, 3}, out: map[int]Reason{1: ChecksFailed, 2: ChecksFailed, 3: ChecksFailed}},
		"alone and bad":               {members: []int{1}, bad: []int{1}, out: map[int]Reason{1: ChecksFailed}},
		"a pair bad together":         {members: []int{1, 2, 3, 4, 5}, pairs: [][2]int{{2, 4}}, out: map[int]Reason{4: ConflictingPair}},
		"a pair side by side":         {members: []int{1, 2}, pairs: [][2]int{{1, 2}}, out: map[int]Reason{2: ConflictingPair}},
		"conflict with the base":      {members: []int{1, 2, 3}, onBase: []int{2}, out: map[int]Reason{2: Conflict}},
		"all in conflict":             {members: []int{1, 2}, onBase: []int{1, 2}, out: map[int]Reason{1: Conflict, 2: Conflict}},
		"conflict with one ahead":     {members: []int{1, 2, 3}, clashes: [][2]int{{1, 3}}, out: map[int]Reason{3: Conflict}},
		"conflict with a bad one":     {members: []int{1, 2, 3}, clashes: [][2]int{{1, 3}}, bad: []int{1}, out: map[int]Reason{1: ChecksFailed}},
		"conflict and bad, mixed":     {members: []int{1, 2, 3, 4, 5, 6}, clashes: [][2]int{{2, 5}}, bad: []int{3, 6}, out: map[int]Reason{3: ChecksFailed, 6: ChecksFailed, 5: Conflict}},
		"conflict with an ejected":    {members: []int{1, 2}, clashes: [][2]int{{1, 2}}, onBase: []int{1}, out: map[int]Reason{1: Conflict}},
		"bad one after the other":     {members: []int{1, 2, 3, 4, 5, 6, 7, 8}, bad: []int{4, 5}, out: map[int]Reason{4: ChecksFailed, 5: ChecksFailed}},
		"a pair across the halves":    {members: []int{1, 2, 3, 4}, pairs: [][2]int{{1, 4}}, bad: []int{2}, out: map[int]Reason{2: ChecksFailed, 4: ConflictingPair}},
		"three that clash in a chain": {members: []int{1, 2, 3}, clashes: [][2]int{{1, 2}, {2, 3}}, out: map[int]Reason{2: Conflict}},
	}
	for _, name := range sortedNames(cases) {
		c := cases[name]
		t.Run(name, func(t *testing.T) {
			sideBySide(t, func(w *world) {
				w.rules.Checks, w.settings.Suites, w.workflow = nil, map[string]int{"unit": 3}, shards(3, 4*time.Minute)
				for _, pr := range c.bad {
					w.bad[pr] = true
				}
				for _, pr := range c.onBase {
					w.onBase[pr] = true
				}
				w.pairs, w.clashes = c.pairs, c.clashes
				w.queueTogether(c.members...)
				w.untilEnded(c.members...)
				for _, pr := range c.members {
					if c.out[pr] == "" {
						w.requireLanded(pr)
						continue
					}
					want := c.out[pr]
					if want == ConflictingPair && w.settings.Parallel > 1 && w.lastEnd(pr).End.Reason == ChecksFailed {
						want = ChecksFailed // side by side it may be red before it was seen green without the other
					}
					w.requireOut(pr, want)
					tests := w.lastEnd(pr).End.Tests
					if want == ChecksFailed && (len(tests) == 0 || !strings.HasPrefix(tests[0].Name, "TestOf")) {
						w.t.Fatalf("#%d is out and no test is named: %+v", pr, w.lastEnd(pr).End)
					}
				}
			})
		})
	}
}

// Looking for one culprit costs no more than 1 + 2⌈log₂ n⌉ builds.
func TestOneCulpritCostsFewBuilds(t *testing.T) {
	for culprit := 1; culprit <= 8; culprit++ {
		w := newWorld(t, false)
		w.bad[culprit] = true
		w.queueTogether(1, 2, 3, 4, 5, 6, 7, 8)
		w.untilEnded(1, 2, 3, 4, 5, 6, 7, 8)
		if builds := w.state.header.NextAttempt - 1; builds > 7 {
			t.Errorf("%d builds to find #%d of 8", builds, culprit)
		}
	}
}

// What the base has already is not landed a second time.
func TestNothingLeft(t *testing.T) {
	story(t, func(w *world) {
		w.commits["picked"] = commit{parent: "root", pr: 2}
		w.base = "picked"
		w.queueTogether(1, 2, 3)
		w.untilEnded(1, 2, 3)
		w.requireLanded(1, 3)
		w.requireOut(2, AlreadyContained)
	})
}

// A head that can't be fetched is one pull request's trouble and nobody else's.
func TestMissingHead(t *testing.T) {
	story(t, func(w *world) {
		w.missing[2] = true
		w.queueTogether(1, 2, 3)
		w.untilEnded(1, 2, 3)
		w.requireLanded(1, 3)
		w.requireOut(2, Infrastructure)
	})
}

// So is one that brings more than is built.
func TestTooLargeAPullRequest(t *testing.T) {
	story(t, func(w *world) {
		w.large[2] = true
		w.queueTogether(1, 2, 3)
		w.untilEnded(1, 2, 3)
		w.requireLanded(1, 3)
		w.requireOut(2, RefusedByRule)
	})
}

// A build that fails for no fault of a member is tried again, without a busy loop.
func TestBuildFailsForAWhile(t *testing.T) {
	story(t, func(w *world) {
		w.brokenAt = 12
		w.queueTogether(1, 2)
		w.untilEnded(1, 2)
		w.requireLanded(1, 2)
		if w.now.Sub(dawn) < 5*time.Minute+10*time.Second {
			w.t.Fatalf("twelve failed builds took no time: %s", w.now.Sub(dawn))
		}
	})
}

// Somebody else's push to the base costs a rebuild; nobody is blamed for it.
func TestBaseMovedBySomebody(t *testing.T) {
	for _, phase := range []AttemptPhase{AttemptBuilding, AttemptPushing, AttemptTesting, AttemptChecking, AttemptMoving, AttemptLanding} {
		t.Run(string(phase), func(t *testing.T) {
			for _, lost := range []bool{false, true} {
				story(t, func(w *world) {
					w.queueTogether(1, 2)
					if lost {
						w.hint = func(Fact) {}
					}
					w.untilPhase(phase)
					w.pushBase()
					other := w.base
					w.untilEnded(1, 2)
					w.requireLanded(1, 2)
					if !w.contains(w.base, other) {
						w.t.Fatalf("the other's commit %s is gone from %v", other, w.chain(w.base))
					}
				})
			}
		})
	}
}

// Three times in a row is no reason to give up.
func TestBaseMovedThreeTimes(t *testing.T) {
	story(t, func(w *world) {
		w.queueTogether(1, 2)
		for range 3 {
			w.untilPhase(AttemptTesting)
			w.run(time.Minute)
			w.pushBase()
			w.run(time.Second)
		}
		w.untilEnded(1, 2)
		w.requireLanded(1, 2)
	})
}

// A commit somebody removed from the base stays out, even where the base is
// forced back to just where one of our own landings had left it.
func TestForcedBackToAnEarlierLanding(t *testing.T) {
	story(t, func(w *world) {
		w.queue(1)
		w.untilEnded(1)
		first := w.base
		w.run(20 * time.Second)
		w.queue(2)
		w.untilEnded(2)
		w.run(5 * time.Second)
		w.forceBase(first)
		w.queue(3)
		a := w.untilPhase(AttemptTesting)
		if a.Old != first {
			w.t.Fatalf("attempt %d is built on %s, which was thrown out", a.ID, a.Old)
		}
		w.run(2 * time.Hour)
		if w.holds(w.base, 2) {
			w.t.Fatalf("#2 is back in the base")
		}
		if w.state.header.Pause == nil {
			w.t.Fatalf("a landed commit vanished and nobody says so")
		}
		w.tell(ResumeAsked{By: "ann"})
		w.untilEnded(3)
		w.requireLanded(3)
	})
}

// A paused queue lands nothing; what was green meanwhile lands on resume.
func TestPauseWhileTested(t *testing.T) {
	story(t, func(w *world) {
		w.queueTogether(1, 2)
		w.untilPhase(AttemptTesting)
		w.tell(PauseAsked{By: "ann", Reason: "a fair"})
		w.run(5 * time.Hour)
		if w.base != "root" {
			w.t.Fatalf("a paused queue landed something")
		}
		w.tell(ResumeAsked{By: "ann"})
		w.untilEnded(1, 2)
		w.requireLanded(1, 2)
		if n := w.state.header.NextAttempt; n != 2 {
			w.t.Fatalf("the green attempt was thrown away: %d were made", n-1)
		}
	})
}

// A pause between green and intent holds the landing back as well.
func TestPauseWhileChecking(t *testing.T) {
	story(t, func(w *world) {
		w.queueTogether(1, 2)
		w.untilPhase(AttemptChecking)
		w.tell(PauseAsked{By: "ann", Reason: "a fair"})
		w.run(time.Hour)
		if w.base != "root" {
			w.t.Fatalf("a paused queue landed something")
		}
		w.tell(ResumeAsked{By: "ann"})
		w.untilEnded(1, 2)
		w.requireLanded(1, 2)
	})
}

// batch.wait gathers company for the first in line, and no longer than it says.
func TestBatchWait(t *testing.T) {
	story(t, func(w *world) {
		w.settings.BatchWait = 3 * time.Minute
		w.queue(1)
		w.run(time.Minute)
		w.queue(2)
		w.untilEnded(1, 2)
		w.requireLanded(1, 2)
		if len(w.receipts) != 1 {
			w.t.Fatalf("%d landings", len(w.receipts))
		}
	})
}

// batch.wait with a queue that can't start is no reason for a busy loop.
func TestBatchWaitWithoutABase(t *testing.T) {
	story(t, func(w *world) {
		w.settings.BatchWait = 3 * time.Minute
		w.queue(1)
		w.run(time.Minute)
		gone := w.readBase()
		gone.Missing, gone.Tip = true, ""
		w.tell(gone)
		w.run(10 * time.Minute)
		w.untilEnded(1)
		w.requireLanded(1)
	})
}

// A base that is gone at the last reading is nothing to land on.
func TestBaseMissingBeforeTheIntent(t *testing.T) {
	story(t, func(w *world) {
		w.queue(1)
		w.untilPhase(AttemptChecking)
		w.baseGone = true
		w.membersDelay()
		w.run(30 * time.Minute)
		if w.base != "root" {
			w.t.Fatalf("something landed on a branch that is gone")
		}
		w.baseGone = false
		w.hint(BaseHinted{})
		w.untilEnded(1)
		w.requireLanded(1)
	})
}

// A batch of twenty that lands green edits each check four times at most.
func TestFewCheckEdits(t *testing.T) {
	story(t, func(w *world) {
		w.settings.BatchSize = 20
		w.rules.Checks, w.settings.Suites, w.workflow = nil, map[string]int{"unit": 4}, shards(4, time.Second)
		var all []int
		for n := 1; n <= 20; n++ {
			all = append(all, n)
		}
		w.queueTogether(all...)
		w.untilEnded(all...)
		w.requireLanded(all...)
		w.run(30 * time.Minute)
		if len(w.receipts) != 1 {
			w.t.Fatalf("%d landings", len(w.receipts))
		}
		for _, n := range all {
			if posts := w.pulls[n].posts; posts > 4 {
				w.t.Fatalf("#%d's check was edited %d times: %q", n, posts, w.posted)
			}
		}
	})
}

// A fork's branch is not ours to move: it lands all the same and is closed.
func TestForkLands(t *testing.T) {
	story(t, func(w *world) {
		w.open(1)
		w.pulls[1].fork = true
		w.approve(1, "bob")
		w.label(1, "ann")
		w.untilEnded(1)
		w.requireLanded(1)
		w.run(time.Minute)
		if p := w.pulls[1]; p.status != ClosedStatus || !strings.HasPrefix(p.check["head-1.1"].Title, "Landed") {
			w.t.Fatalf("#1 is %s, its check %+v", p.status, p.check)
		}
	})
}
