package queue

import (
	"slices"
	"time"
)

// The order of the line: a hotfix first, then by when the wish was made, where a
// step of priority is worth an hour of waiting, then by the wish's id. An hour
// waited counts as much for everybody, so two entries never change places by
// waiting alone, and the line stays sorted without being sorted again.

// priorityHour is what one step of priority is worth.
const priorityHour = time.Hour

// Turn is what decides an entry's place in line. It stays as it is while the entry is tested.
type Turn struct {
	Front    bool      `json:"front,omitempty"` // a hotfix
	First    bool      `json:"first,omitempty"` // sent to the front of the line by a command
	Solo     bool      `json:"solo,omitempty"`  // kept out of batches
	Priority int       `json:"priority,omitempty"`
	AskedAt  time.Time `json:"asked_at,omitzero"` // when the first wish was made
	// Lead is the Order of the one whose turn it is, where it is another's; Level puts
	// those of one turn in order.
	Lead  int64 `json:"lead,omitempty"`
	Level int   `json:"level,omitempty"`
}

func (u Turn) at() time.Time { return u.AskedAt.Add(-time.Duration(u.Priority) * priorityHour) }

// ahead reports whether the entry's place in line is before another's.
func (e *Entry) ahead(f *Entry) bool {
	if e.Turn.Front != f.Turn.Front {
		return e.Turn.Front
	}
	if e.Turn.First != f.Turn.First {
		return e.Turn.First
	}
	if x, y := e.Turn.at(), f.Turn.at(); !x.Equal(y) {
		return x.Before(y)
	}
	if x, y := e.lead(), f.lead(); x != y {
		return x < y
	}
	if e.Turn.Level != f.Turn.Level {
		return e.Turn.Level < f.Turn.Level
	}
	return e.Order < f.Order || e.Order == f.Order && e.PR.Number < f.PR.Number
}

// lead is what decides between equal turns: the first wish's id.
func (e *Entry) lead() int64 {
	if e.Turn.Lead != 0 {
		return e.Turn.Lead
	}
	return e.Order
}

// alone reports whether the entry gets a batch of its own.
func (e *Entry) alone() bool { return e.Turn.Front || e.Turn.Solo || e.held() || e.guards() }

// held reports whether somebody keeps the entry from landing.
func (e *Entry) held() bool { return e.PR.Hold }

// robot reports whether the entry takes from the bots' share of the tests.
func (e *Entry) robot() bool { return e.PR.Author.Bot && !e.Turn.Front }

// seeMarks takes from a reading what its labels say of the entry's place in
// line. The last reading before a landing does not know who set them.
func (t *step) seeMarks(e *Entry) {
	if e.Phase != Asking && e.Phase != Waiting || e.PR.Wish.ID == 0 {
		return
	}
	if e.For != 0 {
		return // its turn is that of its stack
	}
	turn := e.own()
	turn.Front, turn.Solo, turn.Priority = e.PR.Hotfix, e.PR.Solo, e.PR.Priority
	if e.Own != nil {
		e.Own = &turn // the turn itself follows: see arrange
		return
	}
	t.takeTurn(e, turn)
}

// own is the turn an entry has by itself.
func (e *Entry) own() Turn {
	if e.Own != nil {
		return *e.Own
	}
	return e.Turn
}

func (t *step) takeTurn(e *Entry, turn Turn) {
	if turn == e.Turn {
		return
	}
	t.leaveLine(e) // by its old place
	e.Turn = turn
	t.rejoinLine(e)
}

// turns walks the line in the order in which entries are tested: in line order,
// but no bot follows a bot while a person waits.
type turns struct {
	t       *step
	people  int // where the next person is looked for
	bots    int
	botLast bool
	botSeen bool          // among those passed in looking for a person
	authors map[int64]int // tests each author has, where they are limited
	all     bool          // also those that wait for more than their turn
	taken   []int         // those before, where others may need them
	passed  []*Entry      // people's that needed one who was not before them
}

func (t *step) turns() turns {
	return turns{t: t, botLast: t.header.BotLast, authors: t.underTest()}
}

// underTest counts the tested entries of each author; nil where there is no limit.
func (t *step) underTest() map[int64]int {
	if t.header.Settings.PerAuthor <= 0 {
		return nil
	}
	count := map[int64]int{}
	for _, b := range t.batches {
		for _, n := range b.Nodes {
			for _, pr := range n.Members {
				count[t.entries[pr].PR.Author.ID]++
			}
		}
	}
	return count
}

// next is the entry whose turn is next; nil when there is none.
func (w *turns) next() *Entry {
	e := w.late()
	if e != nil {
		w.botLast = false
		return w.take(e)
	}
	e = w.person()
	if w.botSeen && (e == nil || !w.botLast) {
		if bot := w.bot(); bot != nil {
			e = bot
		}
	}
	if e == nil {
		return nil
	}
	if w.botLast = e.robot(); w.botLast {
		w.bots++
	} else {
		w.people++
	}
	return w.take(e)
}

// take notes that an entry is next.
func (w *turns) take(e *Entry) *Entry {
	if w.authors != nil {
		w.authors[e.PR.Author.ID]++
	}
	if len(w.t.header.Linked) > 0 {
		w.taken = append(w.taken, e.PR.Number)
	}
	return e
}

// late is one that was passed, and has before it by now what it needs; nil when there is none.
func (w *turns) late() *Entry {
	for i, e := range w.passed {
		if w.may(e) {
			w.passed = slices.Delete(w.passed, i, i+1)
			return e
		}
	}
	return nil
}

// person moves on to the next person's entry; nil when none waits.
func (w *turns) person() *Entry {
	for ; w.people < len(w.t.line); w.people++ {
		e := w.t.entries[w.t.line[w.people]]
		if e.robot() {
			w.botSeen = true
		} else if w.may(e) {
			return e
		} else if !w.all && !w.follows(e) {
			w.passed = append(w.passed, e)
		}
	}
	return nil
}

// bot moves on to the next bot's entry before the next person's; nil when there is none.
func (w *turns) bot() *Entry {
	for ; w.bots < w.people; w.bots++ {
		if e := w.t.entries[w.t.line[w.bots]]; e.robot() && w.may(e) {
			return e
		}
	}
	return nil
}

// may reports whether an entry may be tested, as far as its author's limit goes.
func (w *turns) may(e *Entry) bool {
	return e.eligible() && (w.all || !w.t.clashes(e) && w.follows(e)) && (w.authors == nil || e.Turn.Front || w.authors[e.PR.Author.ID] < w.t.header.Settings.PerAuthor)
}

// follows reports whether all that an entry needs landed, or is tested before it.
func (w *turns) follows(e *Entry) bool {
	n, _ := w.t.lacking(e, func(pr int) bool { return contains(w.taken, pr) || w.t.underWay(pr) })
	return n == 0 && len(e.PR.Strange) == 0 && w.t.gathered(e)
}

// eligible reports whether the entry waits for nothing but its turn.
func (e *Entry) eligible() bool { return e.Phase == Waiting && e.Wait != OnHold }

// inTurn is the pull requests that may be tested now, in the order in which they
// should be, at most so many.
func (t *step) inTurn(limit int) []int {
	var taken []int
	for w := t.turns(); len(taken) < limit; {
		e := w.next()
		if e == nil {
			break
		}
		taken = append(taken, e.PR.Number)
	}
	return taken
}

// LineOf is everybody in line: who is eligible by turn, and the others between
// them by their place.
func LineOf(rows Rows) []int {
	s := Restore(Rows{Header: rows.Header, Entries: rows.Entries})
	w := turns{t: &step{State: s}, botLast: s.header.BotLast, all: true}
	line := make([]int, 0, len(s.line))
	for _, pr := range s.line {
		e := s.entries[pr]
		if e.eligible() {
			e = w.next()
		}
		line = append(line, e.PR.Number)
	}
	return line
}

// hotfix is the hotfix whose turn it is; nil when none waits.
func (t *step) hotfix() *Entry {
	for _, pr := range t.line {
		e := t.entries[pr]
		if !e.Turn.Front {
			break
		}
		if n, _ := t.lacking(e, func(int) bool { return false }); n != 0 || len(e.PR.Strange) > 0 {
			continue
		}
		if e.eligible() && !t.clashes(e) && !t.triedOnRed(e) && !t.doubted(pr) {
			return e
		}
	}
	return nil
}

// companyDue is until when these wait for more to be tested with.
func (t *step) companyDue(members []int) time.Time {
	since := t.entries[members[0]].Since
	for _, pr := range members {
		e := t.entries[pr]
		if e.alone() && pr == members[0] {
			return e.Since
		}
		if e.Since.Before(since) {
			since = e.Since
		}
	}
	return since.Add(t.header.Settings.BatchWait)
}

// makeWay gives up a running test for a hotfix that waits; nothing else may do
// that, and a hotfix does it to no other.
func (t *step) makeWay() {
	fix := t.hotfix()
	if fix == nil {
		return
	}
	var youngest *Attempt
	for _, a := range t.attempts {
		if !a.running() || a.Phase == AttemptChecking {
			continue // what is green lands first: that takes seconds
		}
		if !a.OnBase && t.entries[a.Members[0].PR].Turn.Front {
			return
		}
		youngest = a
	}
	if youngest != nil {
		t.abandon(youngest, AimRebuild, "the hotfix "+pullName(fix)+" goes first")
	}
}
