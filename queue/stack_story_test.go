package queue

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// title is what the newest check on a pull request says.
func (w *world) titleOf(n int) string { return w.pulls[n].check[w.pulls[n].head].Title }

func TestALabelOnTheTopLandsTheWholeStackInOrder(t *testing.T) {
	// Given a stack of three, and others in line before and after it.
	w := newWorld(t, false)
	w.settings.BatchSize = 3 // smaller than what is in line: the stack stays whole, since it fits
	w.tell(PauseAsked{By: "ann", Reason: "wait for all"})
	w.queue(9)
	w.stack(3, 1, 2)
	w.label(2, "ann")
	w.run(time.Minute)
	w.queue(8)
	w.run(time.Minute)

	// Then the lower ones say for whom they are in line.
	for _, n := range []int{3, 1} {
		if e := w.state.entries[n]; e == nil || e.For != 2 || !strings.Contains(w.pulls[n].check[w.pulls[n].head].Summary, "It is in the stack of #2, for which `ann` asked.") {
			t.Fatalf("#%d: %s", n, w.where(n))
		}
	}
	if !strings.Contains(w.pulls[2].check[w.pulls[2].head].Summary, "It stands on #3, #1:") {
		t.Errorf("#2 says %q", w.pulls[2].check[w.pulls[2].head].Summary)
	}

	// When the queue goes on, they land in order, and GitHub shows all of them as merged.
	w.resume()
	w.untilEnded(9, 3, 1, 2, 8)
	w.requireLanded(9, 3, 1, 2, 8)
	w.requireLandings("9 | 3 1 2 | 8")
	for _, n := range []int{1, 2, 3} {
		if p := w.pulls[n]; p.status != Merged {
			t.Errorf("#%d is %s, not merged", n, p.status)
		}
	}
	w.checkAtRest()
}

func TestAStackIsNotCutWhereItFits(t *testing.T) {
	w := newWorld(t, false)
	w.state.header.Rates = Rates{Bad: 40, Good: 40} // so unsure that single ones would be tested
	w.tell(PauseAsked{By: "ann", Reason: "wait for all"})
	w.stack(1, 2, 3)
	w.label(3, "ann")
	w.run(time.Minute)
	w.resume()
	w.untilEnded(1, 2, 3)
	w.requireLandings("1 2 3")
}

func TestWhatStandsOnACulpritGoesOutWithItAndTheRestLands(t *testing.T) {
	for _, bad := range []int{1, 2, 3} {
		t.Run(fmt.Sprint(bad), func(t *testing.T) {
			w := newWorld(t, false)
			w.bad = map[int]bool{bad: true}
			w.stack(1, 2, 3)
			w.label(3, "ann")
			w.untilEnded(1, 2, 3)
			for n := 1; n < bad; n++ {
				w.requireLanded(n)
			}
			w.requireOut(bad, ChecksFailed)
			for n := bad + 1; n <= 3; n++ {
				w.requireOut(n, Withdrawn)
				if e := w.lastEnd(n); !strings.Contains(e.End.Detail, fmt.Sprintf("#%d, on which it stands, went out: ", n-1)) {
					t.Errorf("#%d is told %q", n, e.End.Detail)
				}
			}
			w.checkAtRest()
		})
	}
}

func TestOnlyTheLabelledPartOfAStackLands(t *testing.T) {
	w := newWorld(t, false)
	w.stack(1, 2)
	w.label(1, "ann")
	w.untilEnded(1)
	w.requireLanded(1)
	if p := w.pulls[2]; p.base != "topic-1" || p.status != Open || w.state.entries[2] != nil {
		t.Fatalf("#2 was touched: %+v", p)
	}

	// The branch below stayed: who labels the upper one is told to set its base.
	w.label(2, "ann")
	w.untilEnded(2)
	w.requireOut(2, Retargeted)
	if end := w.lastEnd(2).End; !strings.Contains(end.Detail, "`topic-1` of #1, which is merged") || !strings.Contains(end.Next, "Set its base to `main`") {
		t.Errorf("it is told %q, %q", end.Detail, end.Next)
	}
	w.run(time.Minute)
	w.change(2, func(p *pull) { p.base = "main" })
	w.label(2, "ann")
	w.untilEnded(2)
	w.requireLanded(2)
}

func TestAStackLongerThanABatchLandsFromTheBottom(t *testing.T) {
	w := newWorld(t, false)
	w.settings.BatchSize = 2
	w.stack(1, 2, 3, 4, 5)
	w.label(5, "ann")
	w.untilEnded(1, 2, 3, 4, 5)
	w.requireLanded(1, 2, 3, 4, 5)
	for n := 1; n <= 5; n++ {
		if w.pulls[n].status != Merged {
			t.Errorf("#%d is %s", n, w.pulls[n].status)
		}
	}
}

// What happens to one member while the stack is tested, and what becomes of the three.
func TestAStackWhileItIsTested(t *testing.T) {
	type ends map[int]Reason
	landed := Reason("")
	for name, c := range map[string]struct {
		do   func(w *world)
		want ends
	}{
		"the bottom is pushed to": {func(w *world) { w.push(1) }, ends{1: HeadMoved, 2: Withdrawn, 3: Withdrawn}},
		"the middle is pushed to": {func(w *world) { w.push(2) }, ends{1: landed, 2: HeadMoved, 3: Withdrawn}},
		"the top is pushed to":    {func(w *world) { w.push(3) }, ends{1: landed, 2: landed, 3: HeadMoved}},
		"the middle is closed":    {func(w *world) { w.change(2, func(p *pull) { p.status = ClosedStatus }) }, ends{1: landed, 2: Closed, 3: Withdrawn}},
		"the middle has another base": {func(w *world) { w.change(2, func(p *pull) { p.base = "dev" }) },
			ends{1: landed, 2: Retargeted, 3: Withdrawn}},
		"the bottom loses its approval": {func(w *world) { w.dismiss(1) }, ends{1: ApprovalLost, 2: Withdrawn, 3: Withdrawn}},
		"the label is taken off":        {func(w *world) { w.unlabel(3) }, ends{1: LabelRemoved, 2: LabelRemoved, 3: LabelRemoved}},
		"somebody takes the top out":    {func(w *world) { w.tell(LeaveAsked{PR: 3, By: "ann"}) }, ends{1: Withdrawn, 2: Withdrawn, 3: Withdrawn}},
		"the top is to land on main":    {func(w *world) { w.change(3, func(p *pull) { p.base = "main" }) }, ends{1: landed, 2: landed, 3: landed}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, lost := range []bool{false, true} {
				w := newWorld(t, lost)
				w.stack(1, 2, 3)
				w.label(3, "ann")
				w.untilPhase(AttemptTesting)
				c.do(w)
				w.untilEnded(1, 2, 3)
				for n, why := range c.want {
					if why == landed {
						w.requireLanded(n)
					} else {
						w.requireOut(n, why)
					}
				}
				w.checkAtRest()
			}
		})
	}
}

func TestALowerOneThatIsNotFitHoldsTheStackBack(t *testing.T) {
	// Given that the bottom is not approved.
	w := newWorld(t, false)
	w.stack(1, 2)
	w.pulls[1].approvals = map[string]string{}
	w.label(2, "ann")
	w.run(time.Minute)
	w.requireWaits(1, NotApproved)
	if got := w.titleOf(2); got != "Waiting for #1, on which it stands: that one waits for approval" {
		t.Fatalf("#2 says %q", got)
	}
	// When it is, both land.
	w.approve(1, "bob")
	w.untilEnded(1, 2)
	w.requireLanded(1, 2)

	// And a draft below takes the one above out with it.
	w = newWorld(t, false)
	w.stack(1, 2)
	w.pulls[1].draft = true
	w.label(2, "ann")
	w.untilEnded(1, 2)
	w.requireOut(1, Draft)
	w.requireOut(2, Withdrawn)
}

func TestAStackThatCannotBeFollowedIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		given func(w *world)
		why   Reason
		words string
	}{
		"a cycle":         {func(w *world) { w.pulls[1].base = "topic-2" }, Conflict, "comes back to itself"},
		"closed below":    {func(w *world) { w.pulls[1].status = ClosedStatus }, Retargeted, "`topic-1` of #1, which was closed"},
		"merged below":    {func(w *world) { w.pulls[1].status = Merged }, Retargeted, "`topic-1` of #1, which is merged"},
		"a fork's branch": {func(w *world) { w.pulls[1].fork = true }, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, false)
			w.stack(1, 2)
			c.given(w)
			w.label(2, "ann")
			w.run(10 * time.Minute)
			if c.why == "" { // it is no stack, and not this queue's
				if w.state.entries[2] != nil || w.state.entries[1] != nil {
					t.Fatalf("it is in line: %s", w.where(2))
				}
				return
			}
			w.requireOut(2, c.why)
			if got := w.lastEnd(2).End.Detail; !strings.Contains(got, c.words) {
				t.Errorf("it is told %q", got)
			}
		})
	}
}

func TestGitHubsOwnStackKeepsItsBases(t *testing.T) {
	w := newWorld(t, false)
	w.stack(1, 2)
	w.pulls[1].native, w.pulls[2].native = true, true
	w.label(2, "ann")
	w.untilEnded(1, 2)
	w.run(time.Minute)
	w.requireLanded(1, 2) // the model fails where a base of it is changed
	if w.pulls[1].status != Merged || w.pulls[2].status == Open {
		t.Errorf("#1 is %s, #2 %s", w.pulls[1].status, w.pulls[2].status)
	}
}

func TestBasesAreSetBackWhereTheLandingIsRefused(t *testing.T) {
	w := newWorld(t, false)
	w.answers = []answer{{outcome: OutcomeRefused, rule: "no"}}
	w.stack(1, 2)
	w.label(2, "ann")
	w.run(time.Hour)
	if p := w.pulls[2]; p.base != "topic-1" || p.status != Open || w.state.header.Pause == nil {
		t.Fatalf("#2: %+v", p)
	}
	w.tell(ResumeAsked{By: "ann"})
	w.untilEnded(1, 2)
	w.requireLanded(1, 2)
}

func TestTwoStacksOnOneBottom(t *testing.T) {
	// Given two that stand on #1, both labelled.
	w := newWorld(t, false)
	w.stack(1, 2)
	w.open(3)
	w.pulls[3].base = "topic-1"
	w.approve(3, "bob")
	w.tell(PauseAsked{By: "ann", Reason: "wait for all"})
	w.label(2, "ann")
	w.run(time.Minute)
	w.label(3, "ann")
	w.run(time.Minute)
	// When the first is taken back, #1 stays for the other.
	w.unlabel(2)
	w.resume()
	w.untilEnded(1, 2, 3)
	w.requireLanded(1, 3)
	w.requireOut(2, LabelRemoved)
}

// A lower one has no label by which a sweep would find it: it is looked at all the same
// while it waits for an approval of which no webhook told.
func TestALowerOneApprovedWithoutAWebhook(t *testing.T) {
	w := newWorld(t, false)
	w.rules.Approvals = 1
	w.stack(1, 2)
	w.approve(2, "bob")
	w.pulls[1].approvals = map[string]string{}
	w.label(2, "ann")
	w.run(time.Minute)
	if e := w.state.entries[1]; e == nil || e.Phase != Asking {
		t.Fatalf("#1: %s", w.where(1))
	}
	w.hint = func(Fact) {}
	w.approve(1, "bob")
	w.untilEnded(1, 2)
	w.requireLanded(1, 2)
}

// A lower one that gets a label of its own while it is tested, of which only the last
// reading tells, loses it when it goes out: no label may stand that asks for nothing.
func TestALowerOneLabelledWhileTestedLosesItsLabelWithItsEnd(t *testing.T) {
	w := newWorld(t, false)
	w.rules.Approvals = 1
	w.stack(1, 2)
	w.approve(1, "bob")
	w.approve(2, "bob")
	w.label(2, "ann")
	w.untilPhase(AttemptTesting)
	w.hint = func(Fact) {}
	w.label(1, "ann")
	w.dismiss(2)
	for w.state.entries[2] != nil && !w.state.entries[2].Phase.Ended() {
		w.run(time.Second)
	}
	w.bad = map[int]bool{1: true}
	w.untilEnded(1, 2)
	w.requireOut(1, ChecksFailed)
	w.checkAtRest()
	for n := 1; n <= 2; n++ {
		if w.pulls[n].label {
			t.Errorf("#%d is out and still labelled", n)
		}
	}
}
