package queue

import "time"

// The record of a search: each batch is a tree of what was tested. Every member
// counts in exactly one leaf, however many attempts test it at the same time.

// placeInTree says which part of which batch a test of these members is: the
// leaf they are, a part cut from it, or the first part of a new batch.
func (t *step) placeInTree(members []int) (*Batch, int) {
	b := t.commonBatch(members)
	if b == nil {
		return t.openBatch(members), 0
	}
	if leaf := b.leafOf(members[0]); b.Nodes[leaf].State == NodeAside {
		if sameList(b.Nodes[leaf].Members, members) {
			return b, leaf
		}
		if containsAll(b.Nodes[leaf].Members, members) {
			return b, b.cut(leaf, members)
		}
	}
	return b, t.guess(b, members)
}

// commonBatch is the open batch that has all of them; nil when there is none.
func (t *step) commonBatch(members []int) *Batch {
	first := t.entries[members[0]].Batch
	for _, pr := range members {
		if t.entries[pr].Batch != first {
			return nil
		}
	}
	return t.batch(first)
}

// openBatch opens a batch of those that are free: in line, or set aside in another search.
func (t *step) openBatch(members []int) *Batch {
	var free []int
	for _, pr := range members {
		e := t.entries[pr]
		if e.Phase == Testing {
			old := t.batch(e.Batch)
			if old.Nodes[old.leafOf(pr)].State != NodeAside {
				continue // counted where it is tested now
			}
			t.sendBack(e)
		}
		free = append(free, pr)
	}
	b := &Batch{
		ID: t.header.NextBatch, Members: free, Opened: t.now,
		Nodes: []Node{{Parent: -1, PRs: members, Members: append([]int(nil), free...), State: NodeAside}},
	}
	if len(free) == 0 {
		b.Nodes[0].State = NodeGuess
	}
	t.header.NextBatch++
	t.batches = append(t.batches, b)
	t.touchBatch(b.ID)
	for _, pr := range free {
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

// leafOf is the leaf a member counts in; -1 when it is in none.
func (b *Batch) leafOf(pr int) int {
	for i := range b.Nodes {
		if contains(b.Nodes[i].Members, pr) {
			return i
		}
	}
	return -1
}

// cut splits a leaf in the members to be tested now and the rest.
func (b *Batch) cut(leaf int, members []int) int {
	rest := b.Nodes[leaf].Members
	for _, pr := range members {
		rest = without(rest, pr)
	}
	b.Nodes[leaf].State, b.Nodes[leaf].Members = NodeSplit, nil
	for _, part := range [][]int{members, rest} {
		b.Nodes = append(b.Nodes, Node{
			Parent: leaf, PRs: part, Members: append([]int(nil), part...), State: NodeAside,
		})
	}
	return len(b.Nodes) - 2
}

// guess is a part whose members are not one leaf: those set aside move there,
// the others count where they are tested already.
func (t *step) guess(b *Batch, members []int) int {
	n := Node{Parent: 0, PRs: members, State: NodeGuess}
	for _, pr := range members {
		if leaf := b.leafOf(pr); b.Nodes[leaf].State == NodeAside {
			b.drop(pr)
			n.Members, n.State = append(n.Members, pr), NodeAside
		}
	}
	b.Nodes = append(b.Nodes, n)
	return len(b.Nodes) - 1
}

// drop takes a member out of the leaf that holds it.
func (b *Batch) drop(pr int) {
	if i := b.leafOf(pr); i >= 0 {
		b.Nodes[i].Members = without(b.Nodes[i].Members, pr)
		b.tidy(i)
	}
}

// tidy closes a leaf without members.
func (b *Batch) tidy(node int) {
	n := &b.Nodes[node]
	if len(n.Members) == 0 && n.State != NodeSplit && n.State != NodeGuess {
		n.State = NodeDone
	}
}

// takeFromBatch books an entry that went out.
func (t *step) takeFromBatch(e *Entry) {
	b := t.batch(e.Batch)
	b.drop(e.PR.Number)
	b.Out = append(b.Out, e.PR.Number)
	t.touchBatch(b.ID)
}

// sendBack puts a member back in line without blame; it keeps its place.
func (t *step) sendBack(e *Entry) {
	b := t.batch(e.Batch)
	b.drop(e.PR.Number)
	b.Members = without(b.Members, e.PR.Number)
	b.Back = append(b.Back, e.PR.Number)
	t.touchBatch(b.ID)
	e.Batch, e.Attempt = 0, 0
	t.move(e, Waiting, InLine)
}

// claim takes one that went back in line into the part that lands it after all.
func (t *step) claim(e *Entry, a *Attempt) {
	b, pr := t.batch(a.Batch), e.PR.Number
	if !contains(b.Members, pr) {
		b.Members = append(append([]int(nil), b.Members...), pr)
	}
	b.Back = without(b.Back, pr)
	n := &b.Nodes[a.Node]
	n.Members, n.State = append(n.Members, pr), NodeTesting
	b.Closed = time.Time{}
	t.touchBatch(b.ID)
	e.Batch = b.ID
}

// releaseInnocent sends those back in line who are set aside and in no red set
// any more: whoever explains the red is known, or they are out of the question.
func (t *step) releaseInnocent() {
	for _, b := range t.openBatches() {
		for i := range b.Nodes {
			if b.Nodes[i].State != NodeAside {
				continue
			}
			for _, pr := range b.Nodes[i].Members {
				if !t.suspected(pr) {
					t.sendBack(t.entries[pr])
					t.countWhereTested(t.entries[pr])
				}
			}
		}
	}
}

// countWhereTested books an entry that is not set aside any more where another
// attempt tests it, if one does.
func (t *step) countWhereTested(e *Entry) {
	for _, a := range t.attempts {
		if a.running() && a.holds(e.PR.Number) && !e.held() {
			t.claim(e, a)
			e.Attempt = a.ID
			t.move(e, Testing, InTest)
			return
		}
	}
}

// setAside puts what is left of the attempt's part back, to be tried again.
func (t *step) setAside(a *Attempt) {
	b := t.batch(a.Batch)
	if b == nil {
		return
	}
	n := &b.Nodes[a.Node]
	if n.State == NodeTesting && !t.tested(b, a.Node) {
		n.State = NodeAside
	}
	b.tidy(a.Node)
	t.touchBatch(b.ID)
}

// tested reports whether an attempt runs, or lands, for a part.
func (t *step) tested(b *Batch, node int) bool {
	for _, a := range t.attempts {
		if a.Batch == b.ID && a.Node == node && a.live() && a.Phase != AttemptAbandoning {
			return true
		}
	}
	return false
}

// closeBatches closes those with nothing left to test, and forgets closed ones
// together with their attempts once the last landing was looked back at.
func (t *step) closeBatches() {
	kept := t.batches[:0]
	for _, b := range t.batches {
		if b.Closed.IsZero() && len(b.Landed)+len(b.Out) == len(b.Members) && !t.batchLive(b.ID) {
			b.Closed = t.now
			t.touchBatch(b.ID)
		}
		if !b.Closed.IsZero() && t.audited(b) {
			t.touchBatch(b.ID)
			t.forgetAttempts(b.ID)
			continue
		}
		kept = append(kept, b)
	}
	t.batches = kept
}

// batchLive reports whether an attempt of the batch lives, or one stands on one of its attempts.
func (t *step) batchLive(id int64) bool {
	for _, a := range t.attempts {
		if !a.live() {
			continue
		}
		for _, x := range t.path(a) {
			if x.Batch == id {
				return true
			}
		}
	}
	return false
}

// audited reports whether nothing is left to do about a batch's landings.
func (t *step) audited(b *Batch) bool {
	for _, pr := range b.Landed {
		if e := t.entries[pr]; e != nil && e.Phase == Landed && !e.Settled {
			return false // GitHub does not show its end yet
		}
	}
	for _, a := range t.attempts {
		if a.Batch == b.ID && a.Phase == AttemptLanded && a.Audits < len(auditAfter) {
			return false
		}
	}
	return true
}

func (t *step) forgetAttempts(batch int64) {
	kept := t.attempts[:0]
	for _, a := range t.attempts {
		if a.Batch == batch {
			t.touchAttempt(a.ID)
			continue
		}
		kept = append(kept, a)
	}
	t.attempts = kept
}

func contains(list []int, pr int) bool {
	for _, x := range list {
		if x == pr {
			return true
		}
	}
	return false
}

func containsAll(list, part []int) bool {
	for _, pr := range part {
		if !contains(list, pr) {
			return false
		}
	}
	return true
}

func sameList(a, b []int) bool { return len(a) == len(b) && containsAll(a, b) }

// without is the list less one member; the list itself stays as it is.
func without(list []int, pr int) []int {
	rest := make([]int, 0, len(list))
	for _, x := range list {
		if x != pr {
			rest = append(rest, x)
		}
	}
	return rest
}
