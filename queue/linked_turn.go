package queue

// A stack stands together in line, the lowest first: who is below has no later turn
// than who is above. Who depends on another one comes after it.

// arrange gives everybody linked, and those below, the turns that follow from that,
// and one that may be linked no more its own. Who is tested keeps its turn.
func (t *step) arrange(e *Entry) {
	if len(t.header.Linked) == 0 && e.Own == nil {
		return
	}
	p := places{}
	p.add(e)
	linked := t.linked()
	for _, x := range linked {
		p.add(x)
		for _, n := range append(x.below(), x.dependsOn()...) {
			if y := t.entries[n]; y != nil && !y.Phase.Ended() {
				p.add(y)
			}
		}
	}
	for n, again := 0, true; again && n <= len(linked); n++ {
		again = false
		for _, x := range linked {
			again = p.letGo(x) || again
			again = p.bring(x) || again
		}
	}
	for _, n := range sortedKeys(p) {
		t.takePlace(t.entries[n], p[n].Turn)
	}
}

func (e *Entry) dependsOn() (prs []int) {
	for _, n := range e.PR.Needs {
		if n.Status != Merged {
			prs = append(prs, n.PR)
		}
	}
	return prs
}

// places are the entries concerned with the turns they are to have.
type places map[int]*spot

type spot struct {
	Entry
	later bool // it was put behind one it depends on, and goes no further ahead
}

func (p places) add(e *Entry) {
	x := &spot{Entry: Entry{PR: PullRequest{Number: e.PR.Number}, Order: e.Order, Phase: e.Phase, Turn: e.Turn}}
	if x.inLine() {
		x.Turn = e.ownTurn()
	}
	p[e.PR.Number] = x
}

// ownTurn is the turn of an entry by itself, with its height above the ground.
func (e *Entry) ownTurn() Turn {
	turn := e.own()
	turn.Level = len(e.below())
	return turn
}

func (e *Entry) inLine() bool { return e.Phase == Asking || e.Phase == Waiting }

// letGo puts one behind those it depends on.
func (p places) letGo(e *Entry) (moved bool) {
	x := p[e.PR.Number]
	for _, n := range e.dependsOn() {
		if y := p[n]; y != nil && x.inLine() && x.ahead(&y.Entry) {
			x.follow(y, y.Turn.Level+1+len(e.below()))
			x.later, moved = true, true
		}
	}
	return moved
}

// bring puts those below one before it, or it behind them where they can't be.
func (p places) bring(e *Entry) (moved bool) {
	x := p[e.PR.Number]
	for i, n := range e.below() {
		y := p[n]
		if y == nil || !y.inLine() || !x.ahead(&y.Entry) {
			continue
		}
		if moved = true; !y.later {
			y.follow(x, x.Turn.Level-1-i)
		} else if x.inLine() {
			x.follow(y, y.Turn.Level+1+i)
			x.later = true
		}
	}
	return moved
}

// follow gives one the turn of another, at a level of it.
func (e *spot) follow(f *spot, level int) {
	e.Turn = Turn{Front: f.Turn.Front, First: f.Turn.First, Solo: e.Turn.Solo, Priority: f.Turn.Priority, AskedAt: f.Turn.AskedAt, Lead: f.lead(), Level: level}
}

// takePlace gives an entry in line the turn it is to have, and keeps its own.
func (t *step) takePlace(e *Entry, turn Turn) {
	if !e.inLine() || turn == e.Turn {
		return
	}
	if own := e.ownTurn(); turn == own || e.For != 0 {
		e.Own = nil
	} else {
		e.Own = &own
	}
	t.takeTurn(e, turn)
	t.touchEntry(e.PR.Number)
}
