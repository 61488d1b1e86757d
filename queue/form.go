package queue

import (
	"fmt"
	"time"
)

func attemptKey(id int64) string { return fmt.Sprintf("attempt/%d", id) }

// live reports whether the attempt may still hold a ticket.
func (a *Attempt) live() bool { return a.Phase != AttemptLanded && a.Phase != AttemptDead }

// cancellable reports whether there is no intent yet.
func (a *Attempt) cancellable() bool { return a.live() && a.IntentAt.IsZero() }

func (a *Attempt) holds(pr int) bool {
	for _, m := range a.Members {
		if m.PR == pr {
			return true
		}
	}
	return false
}

// startNext starts the next attempt: the oldest open batch's first part that is
// set aside, else a new batch from the line.
func (t *step) startNext() {
	h := &t.header
	if h.BaseAt.IsZero() && len(t.entries) > 0 && t.now.Sub(h.BaseAsked) >= time.Minute {
		t.lookAtBase()
	}
	before, free := t.standing()
	if h.Pause != nil || h.Missing || h.BaseAt.IsZero() || !free {
		return
	}
	for _, b := range t.openBatches() {
		if n := b.nextAside(); n >= 0 {
			t.startAttempt(b, n, before)
			return
		}
	}
	if members := t.nextMembers(); len(members) > 0 {
		t.startAttempt(t.openBatch(members), 0, before)
	}
}

// standing says whether a new attempt may start now, and on which other one it
// stands. Only one is tested at a time; but what is green and has its intent is
// as good as landed, so the next test does not wait for the pushes. If that
// landing fails after all, the next one is rebuilt like any on a base that moved.
func (t *step) standing() (before *Attempt, free bool) {
	for _, a := range t.attempts {
		if !a.live() {
			continue
		}
		if before != nil || a.Next != 0 || a.Phase != AttemptMoving && a.Phase != AttemptLanding {
			return nil, false
		}
		before = a
	}
	return before, true
}

// early reports whether the attempt stands on one that has not landed yet.
func (t *step) early(a *Attempt) bool {
	before := t.attempt(a.After)
	return before != nil && before.live()
}

// nextMembers takes eligible entries in line order, up to the batch size, once
// the line is long enough or its first has waited batch.wait.
func (t *step) nextMembers() []int {
	size := t.header.Settings.batchSize()
	var members []int
	for _, pr := range t.line {
		if t.entries[pr].Phase != Waiting {
			continue
		}
		if members = append(members, pr); len(members) == size {
			return members
		}
	}
	if len(members) > 0 && t.now.Before(t.batchDue(members[0])) {
		return nil
	}
	return members
}

func (t *step) batchDue(first int) time.Time {
	return t.entries[first].Since.Add(t.header.Settings.BatchWait)
}

func (t *step) openBatch(members []int) *Batch {
	b := &Batch{
		ID: t.header.NextBatch, Members: members, Opened: t.now,
		Nodes: []Node{{Parent: -1, Members: append([]int(nil), members...), State: NodeAside}},
	}
	t.header.NextBatch++
	t.batches = append(t.batches, b)
	t.touchBatch(b.ID)
	for _, pr := range members {
		e := t.entries[pr]
		e.Batch = b.ID
		t.move(e, Testing, InTest)
	}
	return b
}

func (t *step) openBatches() []*Batch {
	var open []*Batch
	for _, b := range t.batches {
		if b.Closed.IsZero() {
			open = append(open, b)
		}
	}
	return open
}

// nextAside is the first part set aside, in the tree's order; -1 when there is none.
func (b *Batch) nextAside() int {
	var walk func(n int) int
	walk = func(n int) int {
		if b.Nodes[n].State == NodeAside {
			return n
		}
		for c := n + 1; c < len(b.Nodes); c++ {
			if b.Nodes[c].Parent == n {
				if found := walk(c); found >= 0 {
					return found
				}
			}
		}
		return -1
	}
	return walk(0)
}

func (t *step) startAttempt(b *Batch, node int, before *Attempt) {
	h := &t.header
	a := &Attempt{
		ID: h.NextAttempt, Batch: b.ID, Node: node, Phase: AttemptBuilding, Since: t.now,
		Ticket: fmt.Sprintf("mainstay/%s/%d", h.Branch, h.NextAttempt), Old: h.Tip, At: t.now.Truncate(time.Second),
	}
	h.NextAttempt++
	if before != nil {
		a.Old, a.After, before.Next = before.New, before.ID, a.ID
		t.touchAttempt(before.ID)
	}
	n := &b.Nodes[node]
	n.State = NodeTesting
	n.Attempts = append(n.Attempts, a.ID)
	for _, pr := range n.Members {
		e := t.entries[pr]
		m := Member{PR: pr, Head: e.Pinned}
		if !e.PR.Fork && h.Settings.MoveBranches {
			m.HeadRef = e.PR.HeadRef
		}
		a.Members = append(a.Members, m)
		e.Attempt = a.ID
		e.Runs++
		t.touchEntry(pr)
	}
	t.attempts = append(t.attempts, a)
	t.touchAttempt(a.ID)
	t.touchBatch(b.ID)
	t.progress()
	landed := append([]string(nil), h.Landed...)
	if before != nil {
		landed = append(landed, before.heads()...)
	}
	t.do(attemptKey(a.ID), BuildAttempt{Attempt: a.ID, Old: a.Old, Members: a.Members, At: a.At, Landed: landed})
}

func (t *step) setPhase(a *Attempt, phase AttemptPhase) {
	a.Phase, a.Since = phase, t.now
	t.touchAttempt(a.ID)
	t.progress()
}

// takeBuilt takes what git made of the members: those that conflict with the
// base are out, those that conflict only with a member ahead go back in line.
func (t *step) takeBuilt(f AttemptBuilt) {
	a := t.attempt(f.Attempt)
	if a == nil || a.Phase != AttemptBuilding {
		return
	}
	a.New, a.Tree, a.Members = f.New, f.Tree, f.Members
	for _, c := range f.Conflicts {
		if c.WithBase {
			t.hold(a, Held{PR: c.PR, Files: c.Files})
		} else {
			t.returnToLine(t.entries[c.PR])
		}
	}
	for _, pr := range f.Contained {
		t.hold(a, Held{PR: pr, Contained: true})
	}
	if a.New == "" {
		t.setPhase(a, AttemptDead)
		return
	}
	a.Plan = t.plan()
	t.setPhase(a, AttemptPushing)
	t.do(attemptKey(a.ID), PushTicket{Attempt: a.ID, Ticket: a.Ticket, Commit: a.New})
}

// hold puts a member out that can't be rebased onto the base. While that base is
// only about to be one, it goes back in line, and the word is kept until then.
func (t *step) hold(a *Attempt, h Held) {
	e := t.entries[h.PR]
	if !t.early(a) {
		t.putOut(e, h.end(t.header.Branch))
		return
	}
	h.Head = e.Pinned
	a.Held = append(a.Held, h)
	t.returnToLine(e)
}

func (h Held) end(branch string) End {
	if h.Contained {
		return End{Reason: AlreadyContained, Detail: "The base already has all of it; nothing is left to land.",
			Next: "Close the pull request, or push what is missing."}
	}
	return End{Reason: Conflict, Detail: "It conflicts with " + code(branch) + inFiles(h.Files) + ".",
		Next: "Rebase it, push, and set the label again."}
}

// tellHeld tells what was held back until this landing, if the base is what it stood on.
func (t *step) tellHeld(landed *Attempt) {
	next := t.attempt(landed.Next)
	if next == nil || next.Old != t.header.Tip {
		return
	}
	for _, h := range next.Held {
		if e := t.entries[h.PR]; e != nil && e.Phase == Waiting && e.Pinned == h.Head {
			t.putOut(e, h.end(t.header.Branch))
		}
	}
	next.Held = nil
	t.touchAttempt(next.ID)
}

// returnToLine takes a member back out of its batch without blame; it keeps its place.
func (t *step) returnToLine(e *Entry) {
	b := t.batch(e.Batch)
	b.drop(e.PR.Number)
	b.Members = without(b.Members, e.PR.Number)
	t.touchBatch(b.ID)
	e.Batch, e.Attempt = 0, 0
	e.Runs-- // it was not part of it after all
	t.move(e, Waiting, InLine)
}

// plan is what an attempt must see green: the required checks minus our own,
// the named ones, the named suites and those seen on the base.
func (t *step) plan() Plan {
	h := &t.header
	p := Plan{Suites: map[string]int{}}
	p.Checks = append(p.Checks, h.Rules.Checks...)
	for _, c := range h.Settings.Checks {
		p.addCheck(c)
	}
	for suite, total := range h.Settings.Suites {
		p.Suites[suite] = total
	}
	if len(h.Settings.Suites) == 0 {
		for _, suite := range h.Suites {
			p.Suites[suite] = 0
		}
	}
	return p
}

// addCheck adds a check unless one that asks the same or more is there.
func (p *Plan) addCheck(c NamedCheck) {
	for _, have := range p.Checks {
		if have.Name == c.Name && (have.App == c.App || c.App == 0) {
			return
		}
	}
	p.Checks = append(p.Checks, c)
}

func (t *step) takeBuildFailed(f BuildFailed) {
	a := t.attempt(f.Attempt)
	if a == nil || a.Phase != AttemptBuilding {
		return
	}
	t.setPhase(a, AttemptDead)
	if e := t.entries[f.MissingPR]; e != nil {
		t.putOut(e, End{Reason: Infrastructure, Detail: "Its head commit can't be fetched: " + f.Detail + ".",
			Next: "Push the branch again and set the label again."})
	} else {
		// What we knew of the base is wrong: read it again first, and ever more patiently.
		tries := len(t.batch(a.Batch).Nodes[a.Node].Attempts)
		t.header.BaseAt, t.header.BaseAsked = time.Time{}, t.now
		t.touchHeader()
		t.doAt("base", t.now.Add(backoff(tries)), ReadBase{})
	}
	t.setAside(a)
}

// setAside puts what is left of the attempt's node back, to be tried again.
func (t *step) setAside(a *Attempt) {
	b := t.batch(a.Batch)
	n := &b.Nodes[a.Node]
	if n.State == NodeTesting {
		n.State = NodeAside
	}
	b.tidy(a.Node)
	t.touchBatch(b.ID)
}

func (t *step) takeTicket(f TicketPushed) {
	a := t.attempt(f.Attempt)
	if a == nil || a.Phase != AttemptPushing {
		return
	}
	a.PushedAt = t.now
	t.setPhase(a, AttemptTesting)
	for _, m := range a.Members {
		t.showAt(t.entries[m.PR], t.now.Add(testingPace))
	}
}

// takeTicketFailed gives the attempt up: its name is somebody else's, or the push was refused.
func (t *step) takeTicketFailed(f TicketFailed) {
	a := t.attempt(f.Attempt)
	if a == nil || a.Phase != AttemptPushing {
		return
	}
	t.pause(Pause{By: "mainstay", At: t.now, Rule: f.Detail,
		Reason: "GitHub refused the branch " + code(a.Ticket) + "; allow the App to create mainstay/** branches, then resume."})
	t.abandon(a, AimRebuild, "its ticket was refused")
}
