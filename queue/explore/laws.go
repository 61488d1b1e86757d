package explore

import (
	"slices"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
)

// checkStep holds one step against S3, S4, S5, S7, S8 and S10.
func (w *walk) checkStep(s *state, before *queue.Rows, c *queue.Changes) {
	w.checkEnds(s, c)
	intents, testing := 0, 0
	for i := range s.rows.Attempts {
		a := &s.rows.Attempts[i]
		was := phaseIn(before, a.ID)
		switch a.Phase {
		case queue.AttemptMoving, queue.AttemptLanding:
			intents++
		case queue.AttemptPushing, queue.AttemptTesting, queue.AttemptChecking:
			testing++
		}
		if a.Phase == queue.AttemptMoving && was != queue.AttemptMoving {
			w.checkIntent(s, a)
		}
		if a.Phase == queue.AttemptAbandoning && a.Aim == queue.AimSearch {
			for _, x := range s.path(a) {
				for _, m := range x.Members {
					s.pull(m.PR).Suspect = true
				}
			}
		}
	}
	if intents > 1 || testing > s.rows.Header.Settings.Parallel {
		w.breaks("S8 one writer", "%d intents, %d attempts under test", intents, testing)
	}
	for i := range s.rows.Batches {
		b := &s.rows.Batches[i]
		w.checkSum(s, b)
		if !slices.ContainsFunc(before.Batches, func(x queue.Batch) bool { return x.ID == b.ID }) {
			w.checkOrder(s, before, b)
		}
	}
}

func phaseIn(rows *queue.Rows, id int64) queue.AttemptPhase {
	for i := range rows.Attempts {
		if rows.Attempts[i].ID == id {
			return rows.Attempts[i].Phase
		}
	}
	return ""
}

func (w *walk) checkEnds(s *state, c *queue.Changes) {
	for i := range c.Ended {
		e := &c.Ended[i]
		n, wish := e.PR.Number, e.Wish.ID
		if slices.ContainsFunc(s.Ended, func(x ended) bool { return x.Wish == wish }) {
			w.breaks("S4 once", "the wish of #%d ended twice", n)
		}
		if e.End == nil || e.End.Detail == "" || e.Phase == queue.Out && e.End.Reason == "" {
			w.breaks("S10 nothing lost", "#%d ended without a word", n)
		}
		if e.Phase == queue.Landed && !w.forest.contains(s.Base, e.Became) && !w.wasRemoved(s, e.Became) {
			w.breaks("S5 no lie", "#%d is told landed and is not in the base", n)
		}
		if e.Phase == queue.Out && s.pull(n).Status == queue.Open && e.End.Reason != queue.AlreadyContained {
			for x := w.forest.byName[s.Base]; x != nil; x = x.parent {
				if e.Pinned != "" && x.pr == n && x.head == e.Pinned && !landedBefore(s, n) {
					w.breaks("S5 no lie", "#%d is told out and is in the base", n)
				}
			}
		}
		s.Ended = append(s.Ended, ended{n, wish, e.Phase, e.Pinned, e.Became})
	}
}

func landedBefore(s *state, pr int) bool {
	return slices.ContainsFunc(s.Ended, func(x ended) bool { return x.PR == pr && x.Phase == queue.Landed })
}

func (w *walk) wasRemoved(s *state, name string) bool {
	return slices.ContainsFunc(s.Removed, func(r string) bool { return w.forest.contains(r, name) })
}

// checkIntent is S3, held against the newest readings that were told.
func (w *walk) checkIntent(s *state, a *queue.Attempt) {
	path := s.path(a)
	var members []queue.Member
	for _, x := range path {
		members = append(members, x.Members...)
	}
	for _, m := range members {
		p := s.pull(m.PR).Told
		if p.Head != m.Head || p.Status != queue.Open || p.Wish == 0 || !p.Approved {
			w.breaks("S3 approved as landed", "the intent of attempt %d takes #%d, read as %+v", a.ID, m.PR, p)
		}
		if age := s.Now.Sub(p.ReadAt); age > 11*time.Second {
			w.breaks("S3 approved as landed", "the intent takes #%d on a reading %s old", m.PR, age)
		}
	}
	if path[0].Old != s.rows.Header.Tip {
		w.breaks("S3 approved as landed", "the intent of attempt %d stands on another base", a.ID)
	}
	if r := s.run(a.New); r == nil || r.Conclusion != "success" {
		w.breaks("S9 separation", "attempt %d has its intent, its own run is not green", a.ID)
	}
}

// checkSum: testing + set aside + landed + out = members.
func (w *walk) checkSum(s *state, b *queue.Batch) {
	var all []int
	for _, n := range b.Nodes {
		all = append(all, n.Members...)
	}
	all = append(append(all, b.Landed...), b.Out...)
	members := slices.Clone(b.Members)
	slices.Sort(all)
	slices.Sort(members)
	if !slices.Equal(all, members) {
		w.breaks("sum", "batch %d has members %v, found %v", b.ID, members, all)
	}
}

// checkOrder is S7: a new batch takes the front of the line.
func (w *walk) checkOrder(s *state, before *queue.Rows, b *queue.Batch) {
	last := int64(0)
	for _, n := range b.Members {
		e := s.entry(n)
		if e.Order <= last {
			w.breaks("S7 order", "batch %d is not in line order: %v", b.ID, b.Members)
		}
		last = e.Order
	}
	for i := range before.Entries {
		e := &before.Entries[i]
		now := s.entry(e.PR.Number)
		if e.Phase == queue.Waiting && now != nil && now.Phase == queue.Waiting && now.Order < last && now.Wish.ID == e.Wish.ID && now.Clash == 0 {
			w.breaks("S7 order", "batch %d %v overtakes #%d", b.ID, b.Members, e.PR.Number)
		}
	}
}

// checkLanding is S1, S2, S4, S5 and S6, as the base moves by our push.
func (w *walk) checkLanding(s *state, x queue.MoveBase) {
	if r := s.run(x.New); r == nil || r.Conclusion != "success" || w.culprits(x.New) {
		w.breaks("S1 tested as landed", "%s lands and was not tested green", x.New)
	}
	c := w.forest.byName[x.New]
	for ; c != nil && c.name != x.Old; c = c.parent {
		a := s.attempt(c.attempt)
		i := -1
		if a != nil {
			i = slices.IndexFunc(a.Members, func(m queue.Member) bool { return m.PR == c.pr && m.Head == c.head && m.Became == c.name })
		}
		if i < 0 {
			w.breaks("S2 only the batch", "%s brings %s, which is no member's", x.New, c.name)
			continue
		}
		e := s.entry(c.pr)
		if e == nil || e.Phase.Ended() {
			w.breaks("S4 once, S5 no lie", "#%d lands after its end", c.pr)
		}
		if w.forest.holds(x.Old, c.pr) {
			w.breaks("S4 once", "#%d lands a second time", c.pr)
		}
	}
	if c == nil {
		w.breaks("S2 only the batch", "%s does not stand on %s", x.New, x.Old)
	}
	for c := w.forest.byName[x.New]; c != nil; c = c.parent {
		if slices.Contains(s.Removed, c.name) {
			w.breaks("S6 no resurrection", "%s brings %s back", x.New, c.name)
		}
	}
}

// checkState is what must hold between steps: S5's second half, S10's first, and rest.
func (w *walk) checkState(s *state) {
	for _, z := range s.Zombies {
		if !s.holds(z.Tickets) {
			continue
		}
		for c := w.forest.byName[z.New]; c != nil && c.name != z.Old; c = c.parent {
			if e := s.entry(c.pr); e == nil || e.Phase == queue.Out {
				w.breaks("S5 no lie", "#%d is told out, and a push under way may land it", c.pr)
			}
		}
	}
	for i := range s.rows.Entries {
		e := &s.rows.Entries[i]
		if told := s.wasTold(e.Wish.ID, e.Phase); e.Phase.Ended() != told {
			w.breaks("S10 nothing lost", "#%d is %s, told so: %v", e.PR.Number, e.Phase, told)
		}
	}
	if w.atRest(s) {
		w.reach(true, "everything came to rest")
		if len(s.Tickets) > 0 {
			w.breaks("rest", "ticket %s was left behind", s.Tickets[0].Name)
		}
		for _, p := range s.Pulls {
			if p.Status == queue.Open && landedBefore(s, p.Number) && w.forest.holds(s.Base, p.Number) {
				w.breaks("rest", "#%d landed and is still open", p.Number)
			}
		}
	}
}
