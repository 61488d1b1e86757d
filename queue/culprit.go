package queue

// The search for a culprit: a red part of a batch is cut in two, each half is
// tested on the base as it is then, and what is green lands at once. A part of
// one that is red is the culprit. All of it is data in the batch.

// split cuts a red node in two halves, set aside in order.
func (b *Batch) split(node int) {
	members := b.Nodes[node].Members
	half := (len(members) + 1) / 2
	b.Nodes[node].State = NodeSplit
	b.Nodes[node].Members = nil
	for _, part := range [][]int{members[:half], members[half:]} {
		b.Nodes = append(b.Nodes, Node{Parent: node, Members: append([]int(nil), part...), State: NodeAside})
	}
}

// drop takes a member out of the leaf that holds it.
func (b *Batch) drop(pr int) {
	for i := range b.Nodes {
		n := &b.Nodes[i]
		if contains(n.Members, pr) {
			n.Members = without(n.Members, pr)
			b.tidy(i)
			return
		}
	}
}

// tidy closes a leaf without members.
func (b *Batch) tidy(node int) {
	n := &b.Nodes[node]
	if len(n.Members) == 0 && n.State != NodeSplit {
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

func (t *step) batchLive(id int64) bool {
	for _, a := range t.attempts {
		if a.Batch == id && a.live() {
			return true
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
