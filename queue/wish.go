package queue

import (
	"fmt"
	"time"
)

func readKey(pr int) string { return fmt.Sprintf("read/%d", pr) }

func labelKey(pr int) string { return fmt.Sprintf("label/%d", pr) }

func (t *step) lookAt(pr int) { t.lookAtLater(pr, t.now) }

func (t *step) lookAtLater(pr int, due time.Time) {
	t.doAt(readKey(pr), due, t.reading(pr))
}

func (t *step) reading(pr int) ReadPullRequest {
	return ReadPullRequest{Number: pr, Label: t.header.Settings.Label, Labels: t.header.Settings.Labels, Asks: t.header.asks(), Text: t.header.wantsText(), Asked: t.isBelow(pr)}
}

// hintPullRequest decides whether a hint is worth a reading. While an intent
// stands our own pushes cause most hints, and no answer could change anything.
func (t *step) hintPullRequest(f PullRequestHinted) {
	e := t.entries[f.Number]
	switch {
	case e == nil && !f.Labelled && t.top(f.Number) == nil:
		t.lookAtDependents(f.Number)
	case e != nil && e.Phase == Landing:
	case e != nil && e.Phase == Landed && !e.Settled:
		t.settleLater(e)
	case e != nil && t.now.Before(e.toggled()):
		t.lookAtLater(f.Number, e.toggled())
	default:
		t.lookAt(f.Number)
	}
}

// readPullRequest takes a reading in: a new wish enters, a standing one is judged.
func (t *step) readPullRequest(f PullRequestRead) {
	pr := f.PR
	e := t.entries[pr.Number]
	if e == nil || e.Phase.Ended() {
		t.considerWish(e, f)
		return
	}
	if e.Phase == Landing || pr.ReadAt.Before(e.PR.ReadAt) {
		return
	}
	if pr.Wish == nil && pr.Status == Open && pr.Base == t.header.Branch && t.labelling(e) {
		return // it does not show the label that we set, and so not the rest
	}
	if f.Gone {
		t.putOut(e, End{Reason: Closed, Detail: "GitHub no longer knows this pull request."})
		return
	}
	moved := pr.Head != e.PR.Head
	if pr.Wish != nil {
		e.For = 0 // it has one of its own
	}
	t.lend(&pr, e)
	t.takeStack(&pr, e.PR, true)
	e.PR = pr
	t.touchEntry(pr.Number)
	if moved {
		t.seekPullReports(e, 0)
	}
	t.judge(e)
}

// considerWish decides on a reading of a pull request that is not in line.
func (t *step) considerWish(ended *Entry, f PullRequestRead) {
	pr := f.PR
	top := t.top(pr.Number)
	if pr.Wish == nil && top != nil && !f.Gone {
		wish := top.Wish
		wish.Ours = false
		pr.Wish = &wish
	} else {
		top = nil
	}
	asks := !f.Gone && pr.Status == Open && pr.Home() == t.header.Branch && pr.Wish != nil
	if !asks || ended != nil && !pr.Wish.Ours && !pr.Wish.after(ended.Wish) {
		return // a wish is used once
	}
	if ended != nil && ended.Phase == Landed && !ended.Settled {
		return // GitHub still has to show the landing; the sweep finds the new wish after that
	}
	if pr.Wish.Ours { // our label stands for a command, and that is used
		t.do(labelKey(pr.Number), RemoveLabel{PR: pr.Number, Label: t.header.Settings.Label})
		return
	}
	t.admit(t.enter(pr, top))
}

// admit judges a new entry for the first time.
func (t *step) admit(e *Entry) {
	if end, full := t.full(e); full {
		t.putOut(e, end)
	} else {
		t.judge(e)
	}
	if e.End == nil {
		t.ruleOnWish(e, "", "")
		t.unsay(e.PR.Number, backText(t.header.Settings.Label), false)
	}
}

// judge holds a living entry against its newest reading.
func (t *step) judge(e *Entry) {
	t.seeWish(e)
	t.followHead(e)
	if end, bad := t.unfit(e); bad {
		t.putOut(e, end)
		return
	}
	t.link(e)
	if t.breakCycle(e) {
		return
	}
	t.seeMarks(e)
	t.arrange(e)
	t.seeMethod(e)
	t.keepOrder(e)
	defer t.tellWaiting(e.PR.Number)
	t.release(e)
	lack := e.Lacks(&t.header)
	ready := lack == nil
	if lack.unread() && !t.header.BaseAt.IsZero() {
		t.lookAt(e.PR.Number) // what the rules ask for by now was not asked then
	}
	switch {
	case lack.unread() && e.Phase == Asking:
		e.Wait = lack.Wait
	case lack.unread():
	case e.Phase == Asking && ready && t.header.BaseAt.IsZero():
		e.Wait = GitHubUnavailable // the rules are not known yet; the reading of the base judges again
	case e.Phase == Asking && ready:
		e.Pinned = e.PR.Head
		t.move(e, Waiting, InLine)
		t.do(fmt.Sprintf("fetch/%d", e.PR.Number), t.fetchHead(e))
		t.show(e)
	case e.Phase == Asking:
		e.Wait = lack.Wait
		t.show(e)
	case e.Phase == Waiting && !ready:
		t.giveUpWith(e, pullName(e)+" waits for "+lack.What)
		t.askAgain(e, lack)
	case e.Phase == Testing && !ready && lack.Wait == ConditionUnmet:
		t.takeOff(e, lack)
	case e.Phase == Testing && !ready:
		t.putOut(e, End{Reason: ApprovalLost, Detail: "It waits for " + lack.What + ".", Next: lack.next})
	case e.Phase == Testing:
		t.setApart(e)
	}
}

// askAgain sends a waiting entry back to be judged.
func (t *step) askAgain(e *Entry, lack *Lack) {
	e.Pinned = ""
	t.move(e, Asking, lack.Wait)
	t.show(e)
}

// takeOff takes an entry from its test because the config's condition holds no
// longer. That puts nobody out: it asks again.
func (t *step) takeOff(e *Entry, lack *Lack) {
	attempts := t.holders(e)
	t.sendBack(e)
	for _, a := range attempts {
		t.abandon(a, AimRebuild, pullName(e)+" waits for "+lack.What)
	}
	t.askAgain(e, lack)
}

// unfit says whether a reading takes a living entry out, and with which end.
func (t *step) unfit(e *Entry) (End, bool) {
	pr := e.PR
	switch {
	case pr.Status == Merged:
		return End{Reason: LandedElsewhere, Detail: "It was merged around the queue."}, true
	case pr.Status == ClosedStatus:
		return End{Reason: Closed, Detail: "It was closed."}, true
	case pr.Home() != t.header.Branch && (pr.Stack == nil || pr.Stack.Flaw == ""):
		return End{Reason: Retargeted, Detail: "It now targets " + code(pr.Home()) + ".",
			Next: "Set the label again to queue it there."}, true
	case pr.Stack != nil && pr.Stack.Flaw != "":
		return pr.Stack.end(), true
	case pr.Wish == nil && !t.labelling(e):
		return End{Reason: LabelRemoved, Detail: "The label was taken off."}, true
	case !t.mayEnter(e.PR.Number, e.Wish.By, e.Wish.MayWrite):
		return End{Reason: NotPermitted, By: e.Wish.By.Login, Detail: mayNot(e.Wish.By),
			Next: "Ask somebody who may write to set the label."}, true
	case pr.Fork && t.header.Settings.Enter.NoForks:
		return End{Reason: NotPermitted, By: e.Wish.By.Login, Detail: "It comes from a fork, and enter.forks is off here.",
			Next: "Push its branch to this repository and open a pull request from there, or set enter.forks to true in the config."}, true
	case pr.Draft:
		return End{Reason: Draft, Detail: "It is a draft.",
			Next: "Mark it ready for review, then set the label again."}, true
	case e.Pinned != "" && pr.Head != e.Pinned:
		return End{Reason: HeadMoved,
			Detail: fmt.Sprintf("Its head moved from %s to %s while it was queued.", short(e.Pinned), short(pr.Head)),
			Next:   "Get the new head approved where your rules ask for it, then set the label again."}, true
	}
	return End{}, false
}

// putOut ends an entry that nothing can land any more. A living attempt that
// holds it is abandoned and rebuilt without it.
func (t *step) putOut(e *Entry, end End) {
	if e.Phase.Ended() {
		return
	}
	end.At = t.now
	wasTesting := e.Phase == Testing
	e.End = &end
	t.move(e, Out, "")
	t.dirty.ended = append(t.dirty.ended, *e)
	if wasTesting {
		t.takeFromBatch(e)
	}
	t.leaveFacts(nil, []int{e.PR.Number})
	defer t.leaveStack(e)
	for _, a := range append([]*Attempt(nil), t.attempts...) {
		if a.cancellable() && a.Phase != AttemptAbandoning && contains(t.allOf(a), e.PR.Number) {
			t.abandon(a, AimRebuild, fmt.Sprintf("#%d went out", e.PR.Number))
		}
	}
	if end.Reason == Closed || end.Reason == LandedElsewhere {
		t.undelegatePull(e.PR.Number)
	}
	if end.Reason == NotPermitted || end.Reason == QueueFull {
		t.ruleOnWish(e, Rule(end.Reason), end.Detail)
	}
	if end.Reason != LabelRemoved && !t.borrows(e) {
		t.do(labelKey(e.PR.Number), RemoveLabel{PR: e.PR.Number, Label: t.header.Settings.Label})
	}
	t.showEnd(e)
}

func (t *step) hintBase(f BaseHinted) {
	if f.Tip != "" && f.Tip == t.header.Tip {
		return
	}
	for _, a := range t.attempts {
		if f.Tip != "" && f.Tip == a.New && a.live() {
			return // our own landing; a landed one is the tip already, or the base was forced back to it
		}
	}
	t.lookAtBase()
}

func (t *step) lookAtBase() {
	t.header.BaseAsked = t.now
	t.touchHeader()
	t.do("base", ReadBase{})
}

// readBase takes in where the base stands and what it asks. An attempt on
// another commit is rebuilt; nobody is blamed.
func (t *step) readBase(f BaseRead) {
	if f.ReadAt.Before(t.header.BaseAt) {
		if f.Tip != t.header.Tip {
			t.lookAtBase() // it began before our own last word and may still be news
		}
		return
	}
	h := &t.header
	first := h.BaseAt.IsZero() || h.Missing
	h.BaseAt, h.Missing, h.Problem = f.ReadAt, f.Missing, f.Problem
	if h.CommandsFrom.IsZero() {
		h.CommandsFrom = t.now // what was said before we were there is no command
	}
	t.touchHeader()
	if f.Missing {
		return
	}
	relabelled, method, rulesMoved := false, h.Method(""), !h.Rules.same(f.Rules)
	h.Rules = f.Rules
	if f.Problem == "" {
		rulesMoved = rulesMoved || h.Settings.When != f.Settings.When
		relabelled = !h.Settings.Labels.same(f.Settings.Labels) || h.Settings.Priority != f.Settings.Priority
		h.Settings = f.Settings
	}
	rulesMoved = rulesMoved || h.Method("") != method
	if relabelled && !first || h.wantsText() && method == MethodRebase {
		for _, pr := range t.line {
			t.lookAt(pr)
		}
	}
	if f.Tip != h.Tip {
		t.do("fetch/base", FetchHead{Head: f.Tip})
	}
	t.seeTip(f.Tip)
	if first || rulesMoved {
		for _, pr := range append([]int(nil), t.line...) {
			t.judge(t.entries[pr])
		}
	}
}

// seeTip notes where the base stands now; living attempts built elsewhere are void.
func (t *step) seeTip(tip string) {
	t.header.Tip = tip
	t.touchHeader()
	t.baseMoved()
	for _, a := range t.attempts {
		if a.narrow() && !a.OnBase && a.Phase != AttemptBuilding {
			continue // what it says of its members holds all the same
		}
		if a.running() && t.root(a) != tip && !t.landingBelow(a) {
			t.abandon(a, AimRebuild, "the base moved")
		}
	}
}
