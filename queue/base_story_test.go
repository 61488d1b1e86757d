package queue

import (
	"strings"
	"testing"
	"time"
)

// A red base: the same test fails whatever is tested. Nobody is blamed, the queue
// stops and names the test, everybody keeps the place, and it goes on by itself
// when the base passes.
func TestARedBaseStopsTheQueue(t *testing.T) {
	story(t, func(w *world) {
		w.sharded()
		w.broken = true
		w.queueTogether(1, 2, 3)
		got := w.attemptsOf(3*time.Hour, func() bool { return w.state.baseRed() })
		if last := got[len(got)-1]; last != "base: TestClock" {
			w.t.Fatalf("attempts %q", got)
		}
		w.run(6 * time.Minute)
		for _, n := range []int{1, 2, 3} {
			w.requireWaits(n, InLine)
			if title := w.pulls[n].check[w.pulls[n].head].Title; !strings.Contains(title, "main itself fails TestClock") {
				w.t.Fatalf("#%d reads %q", n, title)
			}
		}
		w.queue(4) // comes later, and is not tested before
		w.run(3 * time.Hour)
		w.requireWaits(4, InLine)
		if n := w.state.header.NextAttempt; n > 20 {
			w.t.Fatalf("%d attempts on a red base", n)
		}
		w.broken = false
		w.untilEnded(1, 2, 3, 4)
		w.requireLanded(1, 2, 3, 4)
	})
}

// Given a red base, when somebody pushes to it, then it is asked at once.
func TestAPushToARedBase(t *testing.T) {
	story(t, func(w *world) {
		w.sharded()
		w.broken = true
		w.queue(1)
		w.runUntil(3*time.Hour, func() bool { return w.state.baseRed() })
		w.run(2 * time.Hour) // by now it is asked once an hour
		w.broken = false
		w.pushBase()
		pushed := w.now
		w.untilEnded(1)
		w.requireLanded(1)
		if took := w.now.Sub(pushed); took > 15*time.Minute {
			w.t.Fatalf("landed %s after the push", took)
		}
	})
}

// Given a red base, then a pull request with the label hotfix is tested and lands:
// its green test shows that the base is well again. One that mends nothing waits
// with the others, and is not blamed either.
func TestAHotfixMendsARedBase(t *testing.T) {
	story(t, func(w *world) {
		w.sharded()
		w.broken = true
		w.queueTogether(1, 2)
		w.runUntil(3*time.Hour, func() bool { return w.state.baseRed() })
		w.run(2 * time.Hour)
		w.open(8, 9)
		for _, n := range []int{8, 9} {
			hotfix(w.pulls[n])
			w.approve(n, "bob")
		}
		w.label(8, "ann")
		w.run(10 * time.Minute)
		w.requireWaits(8, InLine)
		w.mends = 9
		w.label(9, "ann")
		w.untilEnded(9)
		w.requireLanded(9)
		w.untilEnded(1, 2, 8)
		w.requireLanded(1, 2, 8)
		if order := prsOf(w.receipts[0].Members); len(order) != 1 || order[0] != 9 {
			w.t.Fatalf("first landed %v", order)
		}
	})
}

// Given a lone pull request that breaks a test, then the base is asked before it
// is blamed, once, and it goes out.
func TestTheBaseIsAskedBeforeALoneOneIsBlamed(t *testing.T) {
	story(t, func(w *world) {
		w.sharded()
		w.bad[1] = true
		w.queue(1)
		got := w.attemptsOf(3*time.Hour, w.over(1))
		w.requireAttempts(got, []string{"[1]: all", "[1]: TestOf1", "base: TestOf1"})
		w.requireOut(1, ChecksFailed)
	})
}

// Given a part that passed the test, then the base passes it, too, and is not asked.
func TestTheBaseIsNotAskedForWhatPassed(t *testing.T) {
	story(t, func(w *world) {
		w.sharded()
		w.bad[2] = true
		w.queueTogether(1, 2, 3, 4)
		for _, line := range w.attemptsOf(3*time.Hour, w.over(1, 2, 3, 4)) {
			if strings.HasPrefix(line, "base") {
				w.t.Fatalf("the base was asked: %q", line)
			}
		}
	})
}

// Given a test that fails on the base and passes on the same commit, then it
// flakes, and what it said of anybody is forgotten.
func TestAFlakeOnTheBase(t *testing.T) {
	story(t, func(w *world) {
		w.sharded()
		falls := 3 // in full, again, and on the base
		w.flakes = func(string) bool { falls--; return falls >= 0 }
		w.queue(1)
		got := w.attemptsOf(3*time.Hour, w.over(1))
		w.requireAttempts(got, []string{"[1]: all", "[1]: TestFlaky", "base: TestFlaky", "base: TestFlaky", "[1]: all"})
		w.requireLanded(1)
	})
}

// Given a base that can't be asked, because such runs end in error, then its doubt
// ends after a while and the search goes on without.
func TestABaseThatSaysNothing(t *testing.T) {
	story(t, func(w *world) {
		w.sharded()
		w.bad[1] = true
		w.crashes = func(commit string, shard int) bool { return strings.Contains(commit, "-empty-") }
		w.queue(1)
		w.untilEnded(1)
		w.requireOut(1, ChecksFailed)
	})
}

// Given a red base, and narrow runs that end in error at first, then a second full
// run that names the test has the base asked: the first one's word is not the charge.
func TestARedBaseAfterANarrowError(t *testing.T) {
	story(t, func(w *world) {
		w.sharded()
		w.broken = true
		until := w.now.Add(15 * time.Minute)
		w.crashes = func(commit string, shard int) bool { return w.narrowOf(commit) != nil && w.now.Before(until) }
		w.queue(1)
		w.run(30 * time.Minute)
		if last := w.lastEnd(1); last != nil || !w.state.baseRed() {
			w.t.Fatalf("#1 is blamed for the base: %s", w.where(1))
		}
		w.broken = false
		w.untilEnded(1)
		w.requireLanded(1)
	})
}

// Given a base that was red and passed again, when the same test breaks once more,
// then that it passed in between is no word against anybody: the base is asked again.
func TestABaseThatBreaksTwice(t *testing.T) {
	story(t, func(w *world) {
		w.sharded()
		w.broken = true
		w.queue(1)
		w.change(1, hold)
		for _, then := range []func(){
			func() { w.runUntil(2*time.Hour, func() bool { return w.state.entries[1].Wait == OnHold }) },
			func() { w.untilEnded(1) },
		} {
			if !w.runUntil(time.Hour, func() bool { return w.state.baseRed() }) {
				w.t.Fatalf("the base is not seen red; #1: %s", w.where(1))
			}
			w.broken = false
			then()
			w.broken = true
			w.change(1, unhold)
		}
		w.requireLanded(1)
	})
}

// Given one that was red twice on a base that can't be asked, when another mends that
// base meanwhile, then it is tested again on the new one, and nobody is blamed.
func TestABaseMendedMeanwhile(t *testing.T) {
	story(t, func(w *world) {
		w.sharded()
		w.broken, w.mends = true, 2
		w.crashes = func(commit string, shard int) bool { return strings.Contains(commit, "-empty-") }
		w.queue(1)
		w.runUntil(time.Hour, func() bool { d := w.state.header.Doubt; return d != nil && d.Looks > 0 })
		w.queue(2)
		w.mark(hotfix, 2)
		w.untilEnded(1, 2)
		w.requireLanded(1, 2)
	})
}

// Given a free slot beside a search, then the base is asked at once.
func TestTheBaseIsAskedBesideASearch(t *testing.T) {
	story(t, func(w *world) {
		w.sharded()
		w.settings.Parallel = 3
		w.bad[1] = true
		w.queue(1)
		got := w.attemptsOf(3*time.Hour, w.over(1))
		w.requireAttempts(got, []string{"[1]: all", "[1]: TestOf1", "base: TestOf1"})
		if took := w.now.Sub(dawn); took > 10*time.Minute {
			w.t.Fatalf("one after the other: %s", took)
		}
	})
}

// A base that is red with the tests of two who have nothing to do with each other
// is asked although neither would be blamed yet.
func TestUnrelatedRedSetsDoubtTheBase(t *testing.T) {
	s := NewState("main")
	st := &step{State: s, now: dawn}
	clock := []FailedTest{{Suite: "unit", Name: "TestClock"}}
	for i, prs := range [][]int{{1, 2}, {2, 3}, {4}} {
		s.header.RedRuns = append(s.header.RedRuns, RedRun{Attempt: int64(i), PRs: prs, At: dawn, Ending: End{Tests: clock}})
		if i < 2 {
			st.suspectBase(RedRun{PRs: []int{1, 2}, Ending: End{Tests: clock}})
			if i == 0 && s.header.Doubt != nil {
				t.Fatalf("a set that shares one doubts the base")
			}
		}
	}
	st.suspectBase(RedRun{PRs: []int{9}, Ending: End{Tests: clock}})
	if d := s.header.Doubt; d == nil || len(d.Tests) != 1 || d.Tests[0].Name != "TestClock" {
		t.Fatalf("the base is not doubted: %+v", d)
	}
	s.header.Doubt, s.header.GreenAt = nil, dawn.Add(time.Second)
	st.suspectBase(RedRun{PRs: []int{9}, Ending: End{Tests: clock}})
	if s.header.Doubt != nil {
		t.Fatalf("the base is doubted although it was green since")
	}
}
