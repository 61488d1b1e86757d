package queue

import "strconv"

// A held entry is tested in a batch of its own and does not land until somebody
// takes the label off. Once green it waits beside the line, so that nobody waits
// behind it; afterwards it is tested again, on the base as it is then.

func pullName(e *Entry) string { return "#" + strconv.Itoa(e.PR.Number) }

// setApart takes an entry out of its batch when its labels no longer let it be
// tested with others: held by somebody, or a hotfix by now.
func (t *step) setApart(e *Entry) {
	if !e.held() && (!e.PR.Hotfix || e.Turn.Front || e.PR.Wish.ID == 0) {
		return
	}
	attempts := t.holders(e)
	if !t.shares(e) {
		e.Turn.Front = e.Turn.Front || e.PR.Hotfix && e.PR.Wish.ID != 0
		for _, a := range attempts {
			switch {
			case !e.held():
			case !a.holds(e.PR.Number):
				t.abandon(a, AimRebuild, pullName(e)+", which it stands on, is held")
			case a.Phase == AttemptChecking:
				t.setPhase(a, AttemptTesting) // it is not to land: judged again
			}
		}
		return
	}
	t.sendBack(e)
	t.seeMarks(e)
	for _, a := range attempts {
		t.abandon(a, AimRebuild, pullName(e)+" is tested by itself")
	}
	t.show(e)
}

// giveUpWith gives up all that tests an entry, or stands on what does.
func (t *step) giveUpWith(e *Entry, cause string) {
	for _, a := range t.holders(e) {
		t.abandon(a, AimRebuild, cause)
	}
}

// holders are the attempts with an entry that can still be given up.
func (t *step) holders(e *Entry) []*Attempt {
	var all []*Attempt
	for _, a := range t.attempts {
		if a.running() && contains(t.allOf(a), e.PR.Number) {
			all = append(all, a)
		}
	}
	return all
}

// shares reports whether an entry is, or is about to be, tested with others.
func (t *step) shares(e *Entry) bool {
	for _, a := range t.holders(e) {
		if len(a.Members) > 1 {
			return true
		}
	}
	for _, n := range t.batch(e.Batch).Nodes {
		if contains(n.Members, e.PR.Number) && len(n.Members) > 1 {
			return true
		}
	}
	return false
}

// holdsBack reports whether somebody holds what an attempt tests.
func (t *step) holdsBack(a *Attempt) bool {
	for _, pr := range t.allOf(a) {
		if e := t.entries[pr]; e != nil && e.held() {
			return true
		}
	}
	return false
}

// keepHeld has a green attempt wait beside the line when somebody holds what it
// tested, and reports whether it did.
func (t *step) keepHeld(a *Attempt) bool {
	e := t.entries[a.Members[0].PR] // held entries are tested by themselves
	if !e.held() || e.Phase != Testing {
		return false
	}
	if t.early(a) {
		return false // what it stands on may not land: then this tested something else
	}
	t.sendBack(e)
	e.Wait, e.Tested = OnHold, a.New
	t.abandon(a, AimDrop, pullName(e)+" is held")
	t.giveUpWith(e, pullName(e)+" is held")
	t.show(e)
	return true
}

// release lets a held entry take its turn once the label is off.
func (t *step) release(e *Entry) {
	if e.Phase == Waiting && e.Wait == OnHold && !e.held() {
		t.move(e, Waiting, InLine)
		t.show(e)
	}
}
