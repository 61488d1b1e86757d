package queue

import (
	"strings"
	"testing"
	"time"
)

// Each pull request lands by the method in force for it when its attempt began,
// and what GitHub shows follows from that.
func TestEachLandsByItsMethod(t *testing.T) {
	// Given a queue that squashes, and labels that say otherwise for two.
	w := newWorld(t, false)
	w.settings.Merge = Merging{Method: MethodSquash, Title: "{title}"}
	w.settings.BatchSize = 3
	w.tell(PauseAsked{By: "ann", Reason: "wait for all"})
	w.queue(1, 2, 3)
	w.pulls[2].fork = true
	w.change(2, func(p *pull) { p.method = MethodMerge })
	w.change(3, func(p *pull) { p.method = MethodRebase })
	w.run(time.Minute)
	before := w.pulls[2].head

	// When all three land in one batch.
	w.tell(ResumeAsked{By: "ann"})
	w.run(time.Hour)

	// Then each did so by its own, and the receipt says so.
	if b := w.asked; len(w.receipts) != 1 || b.Merging.Title != "{title}" || len(b.Texts) != 3 || b.Texts[1].Title != "Change 2" {
		t.Fatalf("asked for %+v, landed %+v", b, w.receipts)
	}
	for i, want := range []Method{MethodSquash, MethodMerge, MethodRebase} {
		if got := w.receipts[0].Members[i].Method; got != want {
			t.Errorf("the receipt says %s for #%d, want %s", got, i+1, want)
		}
	}
	// And the merged fork's is shown as merged with its branch as it was.
	if p := w.pulls[2]; p.status != Merged || p.head != before {
		t.Errorf("the fork's is %s at %s", p.status, p.head)
	}
}

// What only fits in as one commit says so where people look.
func TestWhatWasSquashedForItsMergesSaysSo(t *testing.T) {
	w := newWorld(t, false)
	w.tangled = map[int]bool{1: true}
	w.queue(1)
	w.run(time.Hour)
	p := w.pulls[1]
	if p.status != Merged {
		t.Fatalf("#1 is %s", p.status)
	}
	last := ""
	for _, c := range p.check {
		if c.Conclusion == "success" {
			last = c.Summary
		}
	}
	if !strings.Contains(last, "one squashed commit") {
		t.Errorf("the check says %q", last)
	}
}

// A label set while it is tested counts from the next attempt on: what is built
// stays as it is.
func TestAMethodIsFixedWhenTheAttemptBegins(t *testing.T) {
	w := newWorld(t, false)
	w.queue(1)
	w.runUntil(time.Hour, func() bool { return w.state.entries[1] != nil && w.state.entries[1].Phase == Testing })
	w.change(1, func(p *pull) { p.method = MethodMerge })
	w.run(time.Hour)
	if m := w.receipts[0].Members[0]; m.Method != MethodRebase || w.pulls[1].status != Merged {
		t.Errorf("landed by %s, shown as %s", m.Method, w.pulls[1].status)
	}
}

// What may not land by its method says so and waits, and goes on when its label asks
// for another, or the rules no longer mind.
func TestAMethodThatIsNotAllowedWaits(t *testing.T) {
	w := newWorld(t, false)
	w.settings.Merge.Method = MethodMerge
	w.rules.Linear = true
	w.queue(1, 2)
	w.run(time.Hour)
	for pr := 1; pr <= 2; pr++ {
		if e := w.state.entries[pr]; e.Phase != Asking || e.Wait != NotApproved {
			t.Fatalf("#%d is %s, %s", pr, e.Phase, e.Wait)
		}
	}
	if title := w.pulls[1].check[w.pulls[1].head].Title; !strings.Contains(title, "linear history. Set the label `merge:rebase`") {
		t.Errorf("the check says %q", title)
	}
	w.change(1, func(p *pull) { p.method = MethodSquash })
	w.run(time.Hour)
	if w.pulls[1].status != Merged || w.receipts[0].Members[0].Method != MethodSquash {
		t.Fatalf("#1 is %s", w.pulls[1].status)
	}
	w.rules.Linear = false
	w.pushBase()
	w.run(time.Hour)
	if w.pulls[2].status != Merged {
		t.Errorf("#2 is %s", w.pulls[2].status)
	}
}

// A queue that names no method takes the first that is allowed.
func TestTheFirstAllowedMethodIsTaken(t *testing.T) {
	for _, c := range []struct {
		rules Rules
		want  Method
	}{{Rules{}, MethodRebase}, {Rules{Methods: []Method{MethodSquash, MethodMerge}}, MethodSquash},
		{Rules{Methods: []Method{MethodMerge}}, MethodMerge}, {Rules{Methods: []Method{MethodMerge}, Linear: true}, MethodRebase}} {
		h := Header{Rules: c.rules}
		if got := h.Method(""); got != c.want {
			t.Errorf("%+v: %s, want %s", c.rules, got, c.want)
		}
		if got := h.Method(MethodMerge); got != MethodMerge {
			t.Errorf("%+v: a label asks for a merge, and it is %s", c.rules, got)
		}
	}
}

// A message has the description, also where the pull request was read before the
// config was, and where a build is the second.
func TestAMessageHasTheDescription(t *testing.T) {
	w := newWorld(t, false)
	w.settings.Merge.Method = MethodSquash
	w.queue(1)
	w.runUntil(time.Hour, func() bool {
		return w.asked.Attempt == 1 && len(w.state.attempts) == 1 && w.state.attempts[0].Phase == AttemptTesting
	})
	w.pushBase()
	w.run(time.Hour)
	if w.asked.Attempt < 2 || w.pulls[1].status != Merged {
		t.Fatalf("attempt %d, #1 is %s", w.asked.Attempt, w.pulls[1].status)
	}
	if got := w.asked.Texts[0].Body; got != "What it is for." {
		t.Errorf("the message is made of %q", got)
	}
}
