package queue

import (
	"slices"
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

// Given a red base, when the hotfix that mends it is red for something else once, or
// the base moves under it, then it is tested again: nothing else can get through.
func TestAHotfixIsTriedAgainOnARedBase(t *testing.T) {
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

// Given a test of the base that is red only among all others, then nobody is
// blamed for it: the base is asked with the whole suite.
func TestABaseThatIsRedInFullOnly(t *testing.T) {
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

// Given that the base can't be built to be asked, then that is tried again as patiently
// as the build of a batch is.
func TestABrokenBuildOfTheBase(t *testing.T) {
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

// Given a base that moves while a search goes on, then the new base is not asked
// over and over for it.
func TestTheBaseIsAskedOnceBesideASearch(t *testing.T) {
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
