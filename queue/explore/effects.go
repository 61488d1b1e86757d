package explore

import (
	"slices"

	"github.com/mainstay-ci/mainstay/queue"
)

// ways are how an effect may go.
func (s *state) ways(list []move, task queue.Task, i uint8) []move {
	left := &s.Left
	add := func(so bool, k kind) {
		if so {
			list = append(list, move{k, i})
		}
	}
	add(true, do)
	switch task.(type) {
	case queue.ReadPullRequest, queue.ReadBase, queue.ReadResults, queue.ReadMembers:
		add(left.Slow > 0, doSlow)
	case queue.BuildAttempt:
		add(left.Broken > 0, doBroken)
	case queue.PushTicket:
		add(left.Crash > 0, doLost)
		add(left.Broken > 0, doBroken)
	case queue.AbandonAttempt, queue.MoveHeads:
		add(left.Crash > 0, doLost)
		add(left.Slow > 0, doSlow)
		add(left.Lost > 0, doUnheard)
	case queue.MoveBase:
		add(left.Crash > 0, doLost)
		add(left.Slow > 0, doSlow)
		add(left.Lost > 0, doUnheard)
		add(left.Late > 0, landLate)
		add(left.Late > 0 && left.Crash > 0, landDies)
		add(left.Odd > 0, landSilent)
		add(left.Odd > 0, landFails)
		add(left.Refused > 0, landBanned)
	}
	return list
}

func (w *walk) effectMove(s *state, m move) {
	e := s.Effects[m.n]
	if e.Due.After(s.Now) {
		s.Now = e.Due
	}
	var facts, hints []queue.Fact
	switch m.kind {
	case landLate, landDies, landFails, landBanned:
	case doBroken:
		s.Left.Broken--
		facts = w.breakDown(e.Task)
	default:
		facts, hints = w.perform(s, e.Task)
	}
	if land, ok := e.Task.(queue.MoveBase); ok {
		facts = w.landingWay(s, m, land, facts)
	}
	switch m.kind {
	case doLost, landDies:
		s.Left.Crash--
		w.reachLost(e.Task)
		w.restart(s)
		return
	case doSlow:
		s.Left.Slow--
		s.Flights = append(s.Flights, flight{Key: e.Key, Fact: facts[0]})
		w.tell(s, hints...)
		return
	case doUnheard:
		s.Left.Lost--
		hints = nil
	}
	s.drop(e.Key)
	w.tell(s, facts...)
	w.tell(s, hints...)
}

// breakDown is what is said of an effect that can't be done.
func (w *walk) breakDown(task queue.Task) []queue.Fact {
	switch x := task.(type) {
	case queue.BuildAttempt:
		w.reach(true, "a build broke down")
		return one(queue.BuildFailed{Attempt: x.Attempt, Detail: "disk full"})
	case queue.PushTicket:
		w.reach(true, "a ticket was refused")
		return one(queue.TicketFailed{Attempt: x.Attempt, Detail: "branch creation is restricted"})
	}
	return nil
}

// landingWay books how a landing push went and gives what is said of it.
func (w *walk) landingWay(s *state, m move, x queue.MoveBase, facts []queue.Fact) []queue.Fact {
	tried := queue.LandingTried{Attempt: x.Attempt, Tip: s.Base}
	switch m.kind {
	case landLate, landDies:
		s.Left.Late--
		s.Zombies = append(s.Zombies, x)
		tried.Outcome = queue.OutcomeUnknown
	case landSilent:
		s.Left.Odd--
		w.reach(s.Base == x.New, "a landing was done and answered unknown")
		tried.Outcome = queue.OutcomeUnknown
	case landFails:
		s.Left.Odd--
		w.reach(true, "a landing failed for a moment")
		tried.Outcome = queue.OutcomeTransient
	case landBanned:
		s.Left.Refused--
		tried.Outcome, tried.Rule = queue.OutcomeRefused, "Cannot force-push to this branch"
	default:
		return facts
	}
	return one(tried)
}

// arrive is a push thought lost that comes to GitHub after all.
func (w *walk) arrive(s *state, n int) {
	x := s.Zombies[n]
	s.Zombies = slices.Delete(s.Zombies, n, n+1)
	hints := w.push(s, x)
	w.reach(hints != nil, "a zombie push landed late")
	w.reach(hints == nil && s.Base == x.Old, "a zombie push was held off by the deleted ticket alone")
	w.reach(hints == nil, "a zombie push came too late")
	w.tell(s, hints...)
}
