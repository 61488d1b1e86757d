package queue

import "sort"

// free reports whether the entry may still be taken out: it lives, and no intent names it.
func (e *Entry) free() bool { return !e.Phase.Ended() && e.Phase != Landing }

// enter puts a new entry in line, where its wish was made: readings come in any order.
// Top is the one above it in whose stack it is wished for, if it is not by itself.
func (t *step) enter(pr PullRequest, top *Entry) *Entry {
	e := &Entry{
		PR: pr, Wish: *pr.Wish, Phase: Asking, Since: t.now, EnteredAt: t.now, Order: pr.Wish.ID,
		Turn: Turn{Front: pr.Hotfix, Solo: pr.Solo, Priority: pr.Priority, AskedAt: pr.Wish.At},
	}
	if top != nil {
		e.For = top.PR.Number
		e.Turn = Turn{Front: top.Turn.Front, First: top.Turn.First, Priority: top.Turn.Priority, AskedAt: top.Turn.AskedAt, Lead: top.lead(), Level: len(e.below())}
	}
	t.entries[pr.Number] = e
	t.rejoinLine(e)
	t.touchEntry(pr.Number)
	t.progress()
	t.seekPullReports(e, 0)
	if t.header.SweepAt.IsZero() {
		t.header.SweepAt = t.now.Add(sweepBusy)
	}
	return e
}

// move changes an entry's phase and keeps the line true to it.
func (t *step) move(e *Entry, phase Phase, wait Wait) {
	was := e.Phase == Asking || e.Phase == Waiting
	is := phase == Asking || phase == Waiting
	e.Phase, e.Wait, e.Since, e.Tested = phase, wait, t.now, ""
	if phase == Testing && t.header.BotLast != e.robot() {
		t.header.BotLast = e.robot()
		t.touchHeader()
	}
	t.touchEntry(e.PR.Number)
	t.progress()
	switch {
	case was && !is:
		t.leaveLine(e)
	case is && !was:
		t.rejoinLine(e)
	}
}

// place is where an entry stands in the line, or would.
func (s *State) place(e *Entry) int {
	return sort.Search(len(s.line), func(i int) bool { return !s.entries[s.line[i]].ahead(e) })
}

func (t *step) leaveLine(e *Entry) {
	i := t.place(e)
	if i < len(t.line) && t.line[i] == e.PR.Number {
		t.line = append(t.line[:i], t.line[i+1:]...)
	}
}

func (t *step) rejoinLine(e *Entry) {
	i := t.place(e)
	t.line = append(t.line, 0)
	copy(t.line[i+1:], t.line[i:])
	t.line[i] = e.PR.Number
}

// position is an entry's place among those waiting, from 1; 0 when it does not wait.
// A limit per author is left aside: it says nothing of the place.
func (t *step) position(e *Entry) int {
	if t.placed != nil {
		return t.placed[e.PR.Number]
	}
	w := turns{t: t, botLast: t.header.BotLast, all: true}
	for n := 1; ; n++ {
		switch w.next() {
		case e:
			return n
		case nil:
			return 0
		}
	}
}

// positions is everybody's position, for a sweep that asks for all of them.
func (t *step) positions() map[int]int {
	all := make(map[int]int, len(t.line))
	w := turns{t: t, botLast: t.header.BotLast, all: true}
	for e := w.next(); e != nil; e = w.next() {
		all[e.PR.Number] = len(all) + 1
	}
	return all
}

// before reports whether one entry's place in line is before another's.
func (t *step) before(a, b int) bool { return t.entries[a].ahead(t.entries[b]) }

// sortByTurn puts pull requests in line order.
func (t *step) sortByTurn(prs []int) {
	sort.Slice(prs, func(i, j int) bool { return t.before(prs[i], prs[j]) })
}
