package queue

import (
	"slices"
	"testing"
	"time"
)

func (w *world) presses(n int, by string, word Word) {
	who := Actor{ID: 100 + writers[by], Login: by}
	if writers[by] == 0 {
		who.ID = 1000
	}
	w.hint(ButtonHinted{PR: n, Word: word, By: who})
}

func (w *world) buttonsOf(n int) []Word { return w.pulls[n].check[w.pulls[n].head].Buttons }

// The check offers what can be done now, and a press is as good as a comment.
func TestButtons(t *testing.T) {
	story(t, func(w *world) {
		w.settings.BatchSize = 1
		w.tell(BaseHinted{})
		w.run(time.Minute)
		w.queue(1, 2, 3)
		w.untilPhase(AttemptTesting)
		w.run(2 * time.Second)
		if !slices.Equal(w.buttonsOf(1), []Word{WordOut}) || !slices.Equal(w.buttonsOf(3), []Word{WordOut, WordFirst}) {
			w.t.Fatalf("under test %v, in line %v", w.buttonsOf(1), w.buttonsOf(3))
		}
		w.presses(3, "ann", WordFirst)
		w.run(time.Second)
		if w.state.line[0] != 3 {
			w.t.Fatalf("the line is %v", w.state.line)
		}
		w.presses(2, "mallory", WordOut)
		w.run(time.Second)
		if last := w.rulings[len(w.rulings)-1]; last.Rule != Rule(NotPermitted) || last.Source != "button" {
			w.t.Fatalf("the audit says %+v", last)
		}
		w.presses(2, "ann", WordOut)
		w.run(time.Second)
		w.requireOut(2, Withdrawn)
		if !slices.Equal(w.buttonsOf(2), []Word{WordRetry}) {
			w.t.Fatalf("out, it offers %v", w.buttonsOf(2))
		}
		w.presses(2, "bob", WordRetry)
		w.presses(2, "bob", WordRetry) // a nervous finger
		w.runUntil(time.Hour, func() bool { return len(w.ended[2]) == 2 })
		w.untilEnded(1, 2, 3)
		w.requireLanded(1, 2, 3)
		if e := w.lastEnd(2); e.Wish.Kind != ByButton || len(w.ended[2]) != 2 {
			w.t.Fatalf("the wish is %+v, %d ends", e.Wish, len(w.ended[2]))
		}
	})
}
