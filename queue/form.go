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
	if h.Pause != nil || h.Missing || h.BaseAt.IsZero() {
		return
	}
	if !free {
		t.makeWay()
		return
	}
	if fix := t.hotfix(); fix != nil {
		t.startAttempt(t.openBatch([]int{fix.PR.Number}), 0, before)
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
	members := t.inTurn(size)
	for i, pr := range members {
		if t.entries[pr].alone() {
			members = members[:max(i, 1)]
			return members
		}
	}
	if len(members) > 0 && len(members) < size && t.now.Before(t.companyDue(members)) {
		return nil
	}
	return members
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
