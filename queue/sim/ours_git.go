package sim

import (
	"github.com/mainstay-ci/mainstay/queue"
	"slices"
	"strconv"
)

// The simulator's git: commits, and the push that moves the base.

func (f *forge) build(x queue.BuildAttempt) queue.Fact {
	parent := f.commits[x.Old]
	have := parent.unlanded()
	id := "c" + strconv.FormatInt(x.Attempt, 10)
	c := &commit{parent: parent}
	built := queue.AttemptBuilt{Attempt: x.Attempt}
	for _, m := range x.Members {
		if n := m.PR - 1; f.end[n] == landed || slices.Contains(have, n) {
			built.Contained = append(built.Contained, m.PR)
			continue
		}
		c.members = append(c.members, m.PR-1)
		m.Became = id + "." + strconv.Itoa(m.PR)
		m.Commits = []string{m.Became}
		built.Members = append(built.Members, m)
	}
	if len(built.Members) == 0 && !x.Empty {
		return built
	}
	if n := len(built.Members); n > 0 && !x.Empty {
		id = built.Members[n-1].Became
	}
	built.New, built.Tree = id, id
	f.commits[id] = c
	return built
}

// unlanded is what a commit has beyond the base.
func (c *commit) unlanded() []int {
	var set []int
	for ; !c.inBase; c = c.parent {
		set = append(set, c.members...)
	}
	return set
}

// moveBase is the landing push: only to what was tested, and never a red tree.
func (f *forge) moveBase(x queue.MoveBase) queue.Fact {
	c := f.commits[x.New]
	var chain []*commit
	below := c
	for ; !below.inBase; below = below.parent {
		chain = append(chain, below)
	}
	if f.tip != x.Old || below != f.commits[f.tip] {
		return queue.LandingTried{Attempt: x.Attempt, Outcome: queue.OutcomeElsewhere, Tip: f.tip}
	}
	if set := c.unlanded(); !c.tested || !f.sound(set) {
		f.untested += len(set)
	}
	for _, part := range slices.Backward(chain) {
		part.inBase = true
		for _, m := range part.members {
			f.land(m)
		}
	}
	f.tip = x.New
	return queue.LandingTried{Attempt: x.Attempt, Outcome: queue.OutcomeLanded, Tip: f.tip}
}
