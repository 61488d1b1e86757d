package explore

import (
	"slices"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
)

// checkStep holds one step against S3, S4, S5, S7, S8 and S10.
func (w *walk) checkStep(s *state, ended []queue.Entry) {
	w.checkEnds(s, ended)
	intents, testing := 0, 0
	for _, a := range s.q.Attempts() {
		was := w.past.phase(a.ID)
		switch a.Phase {
		case queue.AttemptMoving, queue.AttemptLanding:
			intents++
		case queue.AttemptPushing, queue.AttemptTesting, queue.AttemptChecking:
			testing++
		}
		if a.Phase == queue.AttemptMoving && was != queue.AttemptMoving {
			w.checkIntent(s, a)
		}
		if was == "" && s.q.Header().Pause != nil {
			w.breaks("pause", "attempt %d begins while the queue is paused", a.ID)
		}
		if a.Phase == queue.AttemptAbandoning && a.Aim == queue.AimSearch {
			for _, x := range s.path(a) {
				for _, m := range x.Members {
					s.pull(m.PR).Suspect = true
				}
			}
		}
	}
	for i := range s.Pulls {
		if e := s.q.Entry(s.Pulls[i].Number); e != nil && len(e.Clashes) > 0 {
			s.Pulls[i].Suspect = true
		}
	}
	if intents > 1 || testing > s.q.Header().Settings.Parallel {
		w.breaks("S8 one writer", "%d intents, %d attempts under test", intents, testing)
	}
	for _, b := range s.q.Batches() {
		w.checkSum(b)
		if !slices.Contains(w.past.batches, b.ID) {
			w.checkOrder(s, b)
		}
	}
}

func (w *walk) checkEnds(s *state, all []queue.Entry) {
	for i := range all {
		e := &all[i]
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
		if e.Phase == queue.Out {
			w.checkOut(s, e)
		}
		s.Ended = append(s.Ended, ended{n, wish, e.Phase})
	}
}

func landedBefore(s *state, pr int) bool {
	return slices.ContainsFunc(s.Ended, func(x ended) bool { return x.PR == pr && x.Phase == queue.Landed })
}

func (w *walk) wasRemoved(s *state, name string) bool {
	return slices.ContainsFunc(s.Removed, func(r string) bool { return w.forest.contains(r, name) })
}

// checkIntent is S3, held against the newest readings that were told, and S7:
// nobody above suspicion who waited when the batch was taken stays behind.
func (w *walk) checkIntent(s *state, a *queue.Attempt) {
	path := s.path(a)
	for _, x := range path {
		for _, m := range x.Members {
			p := s.pull(m.PR).Told
			if p.Head != m.Head || p.Status != queue.Open || p.Wish == 0 || !p.Approved || p.Hold {
				w.breaks("S3 approved as landed", "the intent of attempt %d takes #%d, read as %+v", a.ID, m.PR, p)
			}
			if age := s.Now.Sub(p.ReadAt); age > 11*time.Second {
				w.breaks("S3 approved as landed", "the intent takes #%d on a reading %s old", m.PR, age)
			}
			w.checkOvertaken(s, path, m.PR)
		}
	}
	if path[0].Old != s.BaseTold.Tip {
		w.breaks("S3 approved as landed", "the intent of attempt %d stands on another base", a.ID)
	}
	if r := s.run(a.New); r == nil || r.Conclusion != "success" {
		w.breaks("S9 separation", "attempt %d has its intent, its own run is not green", a.ID)
	}
	if s.q.Header().Pause != nil {
		w.breaks("pause", "attempt %d has its intent while the queue is paused", a.ID)
	}
}

func (w *walk) checkOvertaken(s *state, path []*queue.Attempt, pr int) {
	e := s.q.Entry(pr)
	var opened time.Time
	for _, b := range s.q.Batches() {
		if b.ID == e.Batch {
			opened = b.Opened
		}
	}
	for i := range s.Pulls {
		p := &s.Pulls[i]
		f := s.q.Entry(p.Number)
		if f == nil || f.Phase != queue.Waiting && f.Phase != queue.Testing || !ahead(f, e) || !f.Since.Before(opened) {
			continue
		}
		mine := slices.ContainsFunc(path, func(x *queue.Attempt) bool {
			return slices.ContainsFunc(x.Members, func(m queue.Member) bool { return m.PR == p.Number })
		})
		if !mine && !p.Suspect && !s.pull(pr).Suspect && !f.PR.Hold && !p.Hold {
			w.breaks("S7 order", "#%d lands before #%d", pr, p.Number)
		}
	}
}

// ahead is the line's order in these worlds: a hotfix first, then the older wish.
func ahead(e, f *queue.Entry) bool {
	if e.Turn.Front != f.Turn.Front {
		return e.Turn.Front
	}
	return e.Order < f.Order
}

// checkSum: testing + set aside + landed + out = members.
func (w *walk) checkSum(b *queue.Batch) {
	count := len(b.Landed) + len(b.Out)
	for _, n := range b.Nodes {
		count += len(n.Members)
	}
	for _, pr := range b.Members {
		found := 0
		for _, n := range b.Nodes {
			found += times(n.Members, pr)
		}
		if found += times(b.Landed, pr) + times(b.Out, pr); found != 1 || count != len(b.Members) {
			w.breaks("sum", "batch %d has members %v, #%d counts %d times: %+v", b.ID, b.Members, pr, found, b.Nodes)
		}
	}
}

func times(list []int, pr int) (n int) {
	for _, x := range list {
		if x == pr {
			n++
		}
	}
	return n
}

// checkOrder is S7: a new batch takes the front of the line.
func (w *walk) checkOrder(s *state, b *queue.Batch) {
	for i, n := range b.Members {
		e := s.q.Entry(n)
		if i > 0 && !ahead(s.q.Entry(b.Members[i-1]), e) {
			w.breaks("S7 order", "batch %d is not in line order: %v", b.ID, b.Members)
		}
		if (e.PR.Hotfix || e.PR.Hold) && len(b.Members) > 1 {
			w.breaks("alone", "#%d is to be tested by itself, and is in batch %d: %v", n, b.ID, b.Members)
		}
		// One set aside was under test already: only who comes from the line overtakes.
		if w.past.waiting[n-1] == 0 {
			continue
		}
		for j, was := range w.past.waiting {
			now := s.q.Entry(j + 1)
			if was != 0 && inTurn(now) && ahead(now, e) && now.Wish.ID == was && len(now.Clashes) == 0 {
				w.breaks("S7 order", "batch %d %v overtakes #%d", b.ID, b.Members, now.PR.Number)
			}
		}
	}
}

// checkLanding is S1, S2, S4, S5 and S6, as the base moves by our push.
func (w *walk) checkLanding(s *state, x queue.MoveBase) {
	if r := s.run(x.New); r == nil || r.Conclusion != "success" || r.Narrow || r.Hangs || w.world.Shards && !r.Reported || w.culprits(x.New) {
		w.breaks("S1 tested as landed", "%s lands and was not tested green, in full, as itself", x.New)
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
		w.checkChain(a, c, i)
		e := s.q.Entry(c.pr)
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

// checkChain: each attempt stands on the commit that it was built on, its members
// one behind the other, and none of them was only searched for a culprit.
func (w *walk) checkChain(a *queue.Attempt, c *commit, i int) {
	want := a.Old
	if i > 0 {
		want = a.Members[i-1].Became
	}
	if c.parent == nil || c.parent.name != want || len(a.Narrow) > 0 || a.OnBase {
		w.breaks("S1 tested as landed", "%s of attempt %d does not stand where it was tested", c.name, a.ID)
	}
}

// checkState is what must hold between steps: S5's second half, S10's first, and rest.
func (w *walk) checkState(s *state) {
	for _, z := range s.Zombies {
		if !s.holds(z.Tickets) {
			continue
		}
		for c := w.forest.byName[z.New]; c != nil && c.name != z.Old; c = c.parent {
			if e := s.q.Entry(c.pr); e == nil || e.Phase == queue.Out {
				w.breaks("S5 no lie", "#%d is told out, and a push under way may land it", c.pr)
			}
		}
	}
	for i := range s.Pulls {
		e := s.q.Entry(s.Pulls[i].Number)
		if e == nil {
			continue
		}
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
