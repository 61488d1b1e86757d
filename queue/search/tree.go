package search

import "slices"

const (
	needed = 0.12 // a build less likely needed than this is not started
	seen   = 0.02 // and one under way less likely is as good as not in the tree
	nodes  = 16   // looked at for each slot, at most
)

// Next decides what to start and what to cancel now.
func Next(v View) Choice {
	t := tree{View: v}
	t.plant()
	t.narrow()
	t.grow()
	return t.choose()
}

// tree is the states the queue may be in, from the base on: what runs on a stand
// turns green or red, and each has its own next test.
type tree struct {
	View
	root    state
	dead    []int64 // under way and of no use
	used    int     // slots taken by those that are
	inTree  []int64
	starts  []Start // in order of the chance that they are needed
	waiting []state // not looked at yet
	choice  Choice
}

// state is what is known and assumed on one way through the tree.
type state struct {
	chance float64
	stand  int64   // the build assumed green that all stands on; 0: the base
	on     []int64 // the stand and all below it
	below  []int   // their members
	ground []int   // the same, with those of what is green and landing
	gone   []int   // assumed landed or out, or searched for elsewhere
	reds   []Red   // facts and assumed facts
	done   []int64 // builds under way whose end is assumed
}

// plant sets the root: what is green is in the base, the guilty are out.
func (t *tree) plant() {
	t.root = state{chance: 1, reds: t.Reds}
	depth := 0
	for _, b := range t.Builds {
		if chain, ok := t.chainOf(b.ID); ok && b.Green && len(chain) > depth {
			depth, t.root.stand, t.root.gone, t.root.on = len(chain), b.ID, t.membersOf(chain), nil
			t.root.ground = t.root.gone
			for _, c := range chain {
				t.root.on = append(t.root.on, c.ID)
			}
		}
	}
	if len(t.Reds) > 0 {
		t.root.reds = Leave(t.Reds, t.root.gone, nil)
		t.convict(&t.root)
	}
	for _, b := range t.Builds {
		if b.Green {
			continue
		}
		if t.isDead(b) {
			t.dead = append(t.dead, b.ID)
		} else {
			t.used++
		}
	}
}

// convict puts out who is guilty by a state's facts.
func (t *tree) convict(s *state) {
	if out := guilty(newBelief(t.Rates, t.Line, s.reds), t.Line, s.reds, t.Narrow); len(out) > 0 {
		s.gone = slices.Concat(s.gone, out)
		s.reds = Leave(s.reds, nil, out)
	}
}

// chainOf is the builds from the base up to one. False: one of them is not there any more.
func (t *tree) chainOf(id int64) (chain []Build, ok bool) {
	for id != 0 && len(chain) <= len(t.Builds) {
		i := slices.IndexFunc(t.Builds, func(b Build) bool { return b.ID == id })
		if i < 0 {
			return nil, false
		}
		chain = append(chain, t.Builds[i])
		id = t.Builds[i].On
	}
	return chain, id == 0
}

func (t *tree) membersOf(chain []Build) (prs []int) {
	for _, b := range chain {
		prs = append(prs, b.Members...)
	}
	return prs
}

// isDead reports whether a build under way can't help: it does not follow what is
// landing, or can hardly be green, or what it asks is answered.
func (t *tree) isDead(b Build) bool {
	if len(b.Narrow) > 0 {
		return !slices.ContainsFunc(t.root.reds, func(r Red) bool { return common(r.Members, b.Members) && common(r.Tests, b.Narrow) })
	}
	chain, ok := t.chainOf(b.ID)
	if !ok {
		return true
	}
	if t.root.stand != 0 {
		i := slices.IndexFunc(chain, func(c Build) bool { return c.ID == t.root.stand })
		if i <= 0 {
			return true
		}
		chain = chain[:i]
	}
	return common(t.membersOf(chain), t.root.gone) || t.isHopeless(t.membersOf(chain[1:]), b.Members)
}

// isHopeless reports whether these can hardly be green on top of those below, by
// what is known now: what runs is given up for it, so nothing is started in spite of it.
func (t *tree) isHopeless(below, members []int) bool {
	if len(t.root.reds) == 0 {
		return false
	}
	return t.greenOf(t.root, slices.Concat(below, members)) < guilt*t.greenOf(t.root, below)
}

// grow looks at states, the likeliest first, until every slot has its build and
// everything under way is found: only what is not is as good as useless.
func (t *tree) grow() {
	if t.Slots <= t.used && t.Slots <= 1 {
		return
	}
	t.waiting = append(t.waiting, t.root)
	for n := 0; len(t.waiting) > 0 && n < nodes*max(t.Slots, 1) && (len(t.starts) < t.Slots || len(t.inTree) < t.used); n++ {
		best := 0
		for i, s := range t.waiting {
			if s.chance > t.waiting[best].chance {
				best = i
			}
		}
		s := t.waiting[best]
		t.waiting = slices.Delete(t.waiting, best, best+1)
		if s.chance < seen {
			return
		}
		t.visit(s)
	}
}

// visit finds a state's test and the two states it leads to.
func (t *tree) visit(s state) {
	id, members := t.running(s)
	if id != 0 {
		s.done = slices.Concat(s.done, []int64{id})
		t.inTree = append(t.inTree, id)
	} else {
		members = t.segment(newBelief(t.Rates, t.Line, s.reds), s)
		if len(members) == 0 || s.chance < needed || len(t.starts) == t.Slots || t.isTwin(s.stand, members) || t.isHopeless(s.below, members) {
			return
		}
		t.starts = append(t.starts, Start{On: s.stand, Members: members})
		id = -int64(len(t.choice.Start) + len(t.starts)) // narrow builds come first
	}
	if t.Slots <= 1 && len(t.starts) > 0 {
		return
	}
	green := t.greenOf(s, members)
	t.waiting = append(t.waiting, t.afterGreen(s, id, members, green), t.afterRed(s, members, 1-green))
}

// skips reports whether one can't be tested in a state: gone, or in conflict with what is below.
func (s state) skips(c Candidate) bool {
	return slices.Contains(s.gone, c.PR) || slices.ContainsFunc(c.Clashes, func(id int64) bool { return slices.Contains(s.on, id) })
}

// greenOf is the chance that a run of these is green in a state.
func (t *tree) greenOf(s state, members []int) float64 {
	v := t.View
	v.Reds = s.reds
	return Green(v, members)
}

func (t *tree) afterGreen(s state, id int64, members []int, chance float64) state {
	s.chance *= chance
	if !t.held(members[0]) {
		s.stand, s.on, s.below = id, slices.Concat(s.on, []int64{id}), slices.Concat(s.below, members)
		s.ground = slices.Concat(s.ground, members)
	}
	s.gone = slices.Concat(s.gone, members)
	s.reds = Leave(s.reds, members, nil)
	t.convict(&s)
	return s
}

// held reports whether one does not land though it is green.
func (t *tree) held(pr int) bool {
	return slices.ContainsFunc(t.Line, func(c Candidate) bool { return c.PR == pr && c.Held })
}

func (t *tree) afterRed(s state, members []int, chance float64) state {
	s.chance *= chance
	s.reds = Learn(s.reds, Run{Members: members})
	t.convict(&s)
	return s
}

// running is the build under way on a state's stand whose end is not assumed yet.
func (t *tree) running(s state) (int64, []int) {
	for _, b := range t.Builds {
		if b.On == s.stand && !b.Green && len(b.Narrow) == 0 && !slices.Contains(s.done, b.ID) && !slices.Contains(t.dead, b.ID) &&
			!common(b.Members, s.gone) {
			return b.ID, b.Members
		}
	}
	return 0, nil
}

// isTwin reports whether the same is under way, or about to start, already.
func (t *tree) isTwin(stand int64, members []int) bool {
	for _, b := range t.Builds {
		if b.On == stand && len(b.Narrow) == 0 && slices.Equal(b.Members, members) && !slices.Contains(t.dead, b.ID) {
			return true
		}
	}
	return slices.ContainsFunc(t.starts, func(s Start) bool { return s.On == stand && slices.Equal(s.Members, members) })
}

// choose fits the starts into the slots. What is not in the tree makes room, but
// only for what can be started at once.
func (t *tree) choose() Choice {
	c := t.choice
	c.Drop = append(c.Drop, t.dead...)
	useless := t.useless()
	free := t.Slots - t.used
	for _, s := range t.starts {
		if free == 0 && len(useless) > 0 && t.built(s.On) {
			c.Drop, useless = append(c.Drop, useless[0]), useless[1:]
			free++
		}
		if free <= 0 {
			break
		}
		c.Start = append(c.Start, s)
		free--
	}
	if len(c.Start) == 0 && t.used == 0 && t.Slots > 0 && t.root.stand == 0 {
		if len(t.dead) > 0 {
			c.Drop = nil // nothing better is to be had: it may still tell something
		} else {
			c.Start = t.lastResort()
		}
	}
	return c
}

// useless is what is under way and not in the tree, the youngest first.
func (t *tree) useless() (ids []int64) {
	for _, b := range slices.Backward(t.Builds) {
		if !b.Green && len(b.Narrow) == 0 && !slices.Contains(t.inTree, b.ID) && !slices.Contains(t.dead, b.ID) {
			ids = append(ids, b.ID)
		}
	}
	return ids
}

// built reports whether something can be started on a stand now.
func (t *tree) built(on int64) bool {
	return on == 0 || slices.ContainsFunc(t.Builds, func(b Build) bool { return b.ID == on && !b.Unbuilt })
}

// lastResort tests one who is guilty and was not put out, so that nothing stands
// still. While something lands that can wait: who is left is put out then.
func (t *tree) lastResort() []Start {
	if len(t.Line) == 0 {
		return nil
	}
	return []Start{{Members: []int{t.Line[0].PR}}}
}
