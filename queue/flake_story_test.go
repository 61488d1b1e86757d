package queue

import (
	"slices"
	"testing"
	"time"
)

// learnt is what was to be learnt, by attempt: whether of a red run, and how often.
func (w *world) learnt() map[int64][]bool {
	all := map[int64][]bool{}
	for _, l := range w.lessons {
		all[l.Attempt] = append(all[l.Attempt], l.Red)
	}
	return all
}

// Given a batch that a flake made red, when all of it landed, then its tests are
// learnt from both runs: the green one as a run, the red one for its failures.
func TestBothRunsOfAFlakeAreLearntFrom(t *testing.T) {
	story(t, func(w *world) {
		w.sharded()
		w.rewrite(func(h *Header) { h.Rates = Rates{Bad: 1, Good: 300, Flakes: 30, Greens: 270} })
		first := true
		w.flakes = func(string) bool { was := first; first = false; return was }
		w.queueTogether(1, 2, 3)
		w.untilEnded(1, 2, 3)
		w.run(time.Minute)
		w.requireLanded(1, 2, 3)
		if got := w.learnt(); len(got) != 2 || !slices.Equal(got[1], []bool{true}) || !slices.Equal(got[3], []bool{false}) {
			w.t.Fatalf("learnt: %v", got)
		}
		for _, l := range w.lessons {
			if !l.Red && (l.Commit == "" || l.Commit != w.base) || l.Term != w.settings.Quarantine {
				w.t.Fatalf("lesson %+v, the base is at %s", l, w.base)
			}
		}
	})
}

// Given a pull request that breaks a test, when it is out, then nothing is learnt
// from any run that it was in: nobody may make a failing test of theirs a known flake.
func TestNothingIsLearntFromWhoIsOut(t *testing.T) {
	sideBySide(t, func(w *world) {
		w.sharded()
		w.bad = map[int]bool{2: true}
		w.queueTogether(1, 2, 3, 4)
		w.untilEnded(1, 2, 3, 4)
		w.run(time.Minute)
		w.requireOut(2, ChecksFailed)
		w.requireLanded(1, 3, 4)
		if len(w.lessons) == 0 {
			w.t.Fatalf("nothing was learnt from who landed")
		}
		for _, l := range w.lessons {
			for _, c := range w.commits {
				if c.attempt == l.Attempt && c.pr == 2 {
					w.t.Fatalf("attempt %d had #2 in it and was learnt from", l.Attempt)
				}
			}
		}
	})
}
