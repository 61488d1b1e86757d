package queue

import (
	"fmt"
	"time"

	"github.com/mainstay-ci/mainstay/queue/search"
)

func attemptKey(id int64) string { return fmt.Sprintf("attempt/%d", id) }

// live reports whether the attempt may still hold a ticket.
func (a *Attempt) live() bool { return a.Phase != AttemptLanded && a.Phase != AttemptDead }

// cancellable reports whether there is no intent yet.
func (a *Attempt) cancellable() bool { return a.live() && a.IntentAt.IsZero() }

// running reports whether it still tests, or is about to.
func (a *Attempt) running() bool { return a.cancellable() && a.Phase != AttemptAbandoning }

func (a *Attempt) holds(pr int) bool {
	for _, m := range a.Members {
		if m.PR == pr {
			return true
		}
	}
	return false
}

// startNext starts what the search asks for, as far as attempts may run side by side.
func (t *step) startNext() {
	h := &t.header
	if h.BaseAt.IsZero() && len(t.entries) > 0 && t.now.Sub(h.BaseAsked) >= time.Minute {
		t.lookAtBase()
	}
	if h.Pause != nil || h.Missing || h.BaseAt.IsZero() {
		return
	}
	if !t.slotFree() {
		t.makeWay()
	}
	if t.baseRed() {
		t.startFix()
	}
	if t.slotFree() && t.hotfix() == nil { // which goes first
		t.askBase()
	}
	if !t.slotFree() || !t.anybody() || t.baseRed() {
		return
	}
	t.startWanted()
	t.askBeside()
}

// startWanted asks the search and does what it says, unless nothing has changed
// since it last said nothing.
func (t *step) startWanted() {
	view := t.view()
	if t.sought != nil && t.sought.Same(view) {
		return
	}
	choice, idle := search.Next(view), true
	for _, id := range choice.Drop {
		idle = false
		t.abandon(t.attempt(id), AimDrop, "what is known by now makes it useless")
	}
	started := make([]int64, len(choice.Start))
	for i, s := range choice.Start {
		on := s.On
		if on < 0 {
			on = started[-on-1]
		}
		if parent := t.attempt(on); on == 0 && s.On != 0 || parent != nil && parent.New == "" {
			continue // what it stands on is not built yet: asked again when it is
		}
		started[i], idle = t.start(s.Members, on, s.Tests), false
	}
	if t.sought = nil; idle {
		t.sought = &view
	}
}

// slotFree reports whether one more attempt may run. A landing whose outcome is
// open comes first: nobody knows the base meanwhile.
func (t *step) slotFree() bool {
	running := 0
	for _, a := range t.attempts {
		switch {
		case a.Phase == AttemptAbandoning && !a.IntentAt.IsZero():
			return false
		case a.running():
			running++
		}
	}
	return running < max(1, t.header.Settings.Parallel)
}

// anybody reports whether anybody may be tested at all.
func (t *step) anybody() bool {
	return len(t.openBatches()) > 0 || len(t.nextMembers(1)) > 0
}

// view is what the search needs to know: who is in line, what was red, what runs.
func (t *step) view() search.View {
	v := t.header.bounds()
	v.Line, v.Reds, v.Narrow = t.candidates(), t.header.Reds, t.searchesNarrow()
	for _, a := range t.attempts {
		if !a.running() && a.IntentAt.IsZero() || !a.live() {
			continue
		}
		if a.OnBase {
			v.Slots--
			continue
		}
		b := search.Build{ID: a.ID, Green: !a.IntentAt.IsZero(), Unbuilt: a.New == "", Narrow: testKeys(a.Narrow)}
		if parent := t.attempt(a.Parent); parent != nil && parent.Phase != AttemptLanded {
			b.On = parent.ID
		}
		for _, m := range a.Members {
			b.Members = append(b.Members, m.PR)
		}
		v.Builds = append(v.Builds, b)
	}
	return v
}

// lookAhead is how many waiting entries the search is shown at least, however short
// its batches are; otherwise twice what it can have under test.
const lookAhead = 100

// candidates are the members of open batches and the first of the line, in order.
func (t *step) candidates() []search.Candidate {
	h := &t.header
	waiting := t.nextMembers(max(lookAhead, 2*h.batchSize()*max(1, h.Settings.Parallel)))
	var all []search.Candidate
	var members []int
	for _, b := range t.openBatches() {
		for _, n := range b.Nodes {
			members = append(members, n.Members...)
		}
	}
	t.sortByTurn(members)
	for len(members) > 0 || len(waiting) > 0 {
		from := &waiting
		if len(waiting) == 0 || len(members) > 0 && t.before(members[0], waiting[0]) {
			from = &members
		}
		if e := t.entries[(*from)[0]]; !t.doubted(e.PR.Number) {
			all = append(all, search.Candidate{PR: e.PR.Number, Fail: t.suspicion(e), Alone: e.alone(), First: e.Turn.Front, Held: e.held(), Clashes: t.liveClashes(e),
				Needs: t.needs(e), Unit: t.unit(e)})
		}
		*from = (*from)[1:]
	}
	return all
}

// nextMembers takes eligible entries in line order, once the line is long enough
// or its first has waited batch.wait.
func (t *step) nextMembers(limit int) []int {
	s, size := t.header.Settings, t.header.batchSize()
	if s.BatchWait > 0 {
		limit = max(limit, size)
	}
	members := t.inTurn(limit)
	if s.BatchWait > 0 && len(members) > 0 && len(members) < size && t.now.Before(t.companyDue(members)) {
		return nil
	}
	return members
}

// unit is what those have in common who stand on each other by one wish; 0: nothing.
func (t *step) unit(e *Entry) int64 {
	if len(t.header.Linked) == 0 || e.For == 0 && len(e.below()) == 0 {
		return 0
	}
	return e.lead()
}

// batchSize is how many pull requests a fresh batch of a long line has.
func (h *Header) batchSize() int { return search.Size(h.bounds()) }

// bounds is what the search needs to know of the queue itself.
func (h *Header) bounds() search.View {
	return search.View{Rates: h.Rates.chances(), Slots: max(1, h.Settings.Parallel), Size: h.Settings.BatchSize, Min: h.Settings.BatchMin, Max: h.Settings.BatchMax}
}

// clashes reports whether the entry conflicts in text with what an attempt has
// that is still alive: until that one's end nothing is gained by trying again.
func (t *step) clashes(e *Entry) bool { return len(t.liveClashes(e)) > 0 }

func (t *step) liveClashes(e *Entry) (ids []int64) {
	for _, id := range e.Clashes {
		if a := t.attempt(id); a != nil && a.live() {
			ids = append(ids, id)
		}
	}
	return ids
}

// start makes an attempt of these members on another one, or on the base; with
// keys of tests, of those tests alone.
func (t *step) start(members []int, on int64, tests []string) int64 {
	if members = t.footed(members, on); len(members) == 0 {
		return 0
	}
	h := &t.header
	b, node := t.placeInTree(members)
	a := &Attempt{
		ID: h.NextAttempt, Batch: b.ID, Node: node, Phase: AttemptBuilding, Since: t.now, Parent: on,
		Ticket: fmt.Sprintf("mainstay/%s/%d", h.Branch, h.NextAttempt), Old: h.Tip, At: t.now.Truncate(time.Second), Narrow: t.testsByKey(tests),
	}
	h.NextAttempt++
	landed := append([]string(nil), h.Landed...)
	if parent := t.attempt(on); parent != nil {
		a.Old = parent.New
		for _, x := range t.path(parent) {
			landed = append(landed, x.heads()...)
		}
	}
	n := &b.Nodes[node]
	if n.State != NodeGuess {
		n.State = NodeTesting
	}
	n.Attempts = append(n.Attempts, a.ID)
	texts := make([]PullText, 0, len(members))
	for _, pr := range members {
		e := t.entries[pr]
		m := Member{PR: pr, Head: e.Pinned, Method: h.Method(e.Method), After: t.after(e, members)}
		if !e.PR.Fork && h.Settings.MoveBranches && !m.Method.KeepsHead() {
			m.HeadRef = e.PR.HeadRef
		}
		a.Members = append(a.Members, m)
		texts = append(texts, e.textOf())
		e.Attempt = a.ID
		e.Runs++
		t.touchEntry(pr)
	}
	t.attempts = append(t.attempts, a)
	t.touchAttempt(a.ID)
	t.touchBatch(b.ID)
	t.progress()
	t.do(attemptKey(a.ID), BuildAttempt{Attempt: a.ID, Old: a.Old, Members: a.Members, At: a.At, Landed: landed, Texts: texts, Merging: h.merging()})
	return a.ID
}

func (t *step) setPhase(a *Attempt, phase AttemptPhase) {
	a.Phase, a.Since = phase, t.now
	t.touchAttempt(a.ID)
	t.progress()
}
