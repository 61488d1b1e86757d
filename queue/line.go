package queue

import "sort"

// free reports whether the entry may still be taken out: it lives, and no intent names it.
func (e *Entry) free() bool { return !e.Phase.Ended() && e.Phase != Landing }

// enter puts a new entry in line, where its wish was made: readings come in any order.
func (t *step) enter(pr PullRequest) *Entry {
	e := &Entry{
		PR: pr, Wish: *pr.Wish, Phase: Asking, Since: t.now, EnteredAt: t.now, Order: pr.Wish.ID,
	}
	t.entries[pr.Number] = e
	t.rejoinLine(e)
	t.touchEntry(pr.Number)
	t.progress()
	if t.header.SweepAt.IsZero() {
		t.header.SweepAt = t.now.Add(sweepBusy)
	}
	return e
}

// move changes an entry's phase and keeps the line true to it.
func (t *step) move(e *Entry, phase Phase, wait Wait) {
	was := e.Phase == Asking || e.Phase == Waiting
	is := phase == Asking || phase == Waiting
	e.Phase, e.Wait, e.Since = phase, wait, t.now
	t.touchEntry(e.PR.Number)
	t.progress()
	switch {
	case was && !is:
		t.leaveLine(e)
	case is && !was:
		t.rejoinLine(e)
	}
}

func (t *step) place(order int64) int {
	return sort.Search(len(t.line), func(i int) bool { return t.entries[t.line[i]].Order >= order })
}

func (t *step) leaveLine(e *Entry) {
	i := t.place(e.Order)
	if i < len(t.line) && t.line[i] == e.PR.Number {
		t.line = append(t.line[:i], t.line[i+1:]...)
	}
}

func (t *step) rejoinLine(e *Entry) {
	i := t.place(e.Order)
	t.line = append(t.line, 0)
	copy(t.line[i+1:], t.line[i:])
	t.line[i] = e.PR.Number
}

// position is an entry's place among those waiting, from 1; 0 when it does not wait.
func (t *step) position(e *Entry) int {
	n := 0
	for _, pr := range t.line {
		if t.entries[pr].Phase != Waiting {
			continue
		}
		n++
		if pr == e.PR.Number {
			return n
		}
	}
	return 0
}

// before reports whether one entry's turn is before another's.
func (t *step) before(a, b int) bool { return t.entries[a].Order < t.entries[b].Order }

// sortByTurn puts pull requests in line order.
func (t *step) sortByTurn(prs []int) {
	sort.Slice(prs, func(i, j int) bool { return t.before(prs[i], prs[j]) })
}
