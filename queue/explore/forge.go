package explore

import (
	"fmt"
	"slices"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
)

// GitHub, git and CI as Step's effects meet them.

// perform does an effect in the world and gives the facts it comes to. Hints are
// what webhooks tell besides.
func (w *walk) perform(s *state, task queue.Task) (facts, hints []queue.Fact) {
	switch x := task.(type) {
	case queue.ReadPullRequest:
		return one(queue.PullRequestRead{PR: w.read(s, x.Number)}), nil
	case queue.ReadBase:
		return one(w.readBase(s)), nil
	case queue.FindWishes:
		return one(findWishes(s)), nil
	case queue.BuildAttempt:
		return one(w.build(x)), nil
	case queue.PushTicket:
		return one(w.pushTicket(s, x)), nil
	case queue.ReadResults:
		return one(queue.ResultsRead{Attempt: x.Attempt, Results: w.results(s, x)}), nil
	case queue.ReadMembers:
		read := queue.MembersRead{Attempt: x.Attempt, Base: w.readBase(s)}
		read.Base.Settings = queue.Settings{}
		for _, n := range x.Numbers {
			read.PRs = append(read.PRs, w.read(s, n))
		}
		return one(read), nil
	case queue.MoveHeads:
		return w.moveHeads(s, x)
	case queue.MoveBase:
		return w.moveBase(s, x)
	case queue.AbandonAttempt:
		return w.abandon(s, x)
	case queue.SettleLanded:
		p := s.pull(x.PR)
		if p.Status == queue.Open {
			p.Status = queue.ClosedStatus
		}
		return one(queue.Settled{PR: x.PR, Status: p.Status}), nil
	case queue.AuditLanding:
		in := w.forest.contains(s.Base, x.Commit)
		w.reach(!in, "an audit found a landing gone")
		return one(queue.Audited{Attempt: x.Attempt, Tip: s.Base, Contains: in, TreeOK: in}), nil
	case queue.FindReports:
		return one(queue.ReportsFound{Attempt: x.Attempt, At: x.At}), nil
	case queue.RemoveLabel:
		s.pull(x.PR).Wish = 0
	case queue.Wake:
		return one(queue.TimePassed{}), nil
	}
	return nil, nil
}

func one(f queue.Fact) []queue.Fact { return []queue.Fact{f} }

func (w *walk) read(s *state, n int) queue.PullRequest {
	p := s.pull(n)
	pr := queue.PullRequest{Number: n, Head: p.Head, HeadRef: "topic", Fork: w.world.Forks, Base: "main", Status: p.Status,
		Hotfix: p.Hotfix, Hold: p.Hold, ReadAt: s.Now}
	if p.Wish != 0 {
		pr.Wish = &queue.Wish{ID: p.Wish, MayWrite: true, At: dawn}
	}
	if p.Approved {
		pr.Approvals = 1
	} else {
		pr.StaleApprovals = 1
	}
	return pr
}

func (w *walk) readBase(s *state) queue.BaseRead {
	return queue.BaseRead{Tip: s.Base, Rules: w.rules, Settings: w.settings, ReadAt: s.Now}
}

func findWishes(s *state) queue.WishesFound {
	found := queue.WishesFound{Numbers: []int{}, Marks: map[int]string{}}
	for _, p := range s.Pulls {
		if p.Wish != 0 && p.Status == queue.Open {
			found.Numbers = append(found.Numbers, p.Number)
			if p.Hotfix || p.Hold {
				found.Marks[p.Number] = fmt.Sprint(p.Hold, p.Hotfix)
			}
		}
	}
	return found
}

func (w *walk) build(x queue.BuildAttempt) queue.Fact {
	built := queue.AttemptBuilt{Attempt: x.Attempt}
	tip := w.forest.byName[x.Old]
	for _, m := range x.Members {
		conflict, withBase := slices.Contains(w.world.OnBase, m.PR), slices.Contains(w.world.OnBase, m.PR)
		if other := w.world.Clash.other(m.PR); other != 0 {
			conflict = conflict || w.forest.holds(tip.name, other)
			withBase = withBase || w.forest.holds(x.Old, other)
		}
		switch {
		case w.forest.holds(x.Old, m.PR):
			built.Contained = append(built.Contained, m.PR)
			continue
		case conflict:
			w.reach(withBase, "a conflict with the base")
			w.reach(!withBase, "a conflict with a member ahead")
			built.Conflicts = append(built.Conflicts, queue.Conflicting{PR: m.PR, WithBase: withBase})
			continue
		}
		tip = w.forest.grow(commit{parent: tip, pr: m.PR, head: m.Head, attempt: x.Attempt})
		m.Became, m.Commits = tip.name, []string{tip.name}
		built.Members = append(built.Members, m)
		built.New, built.Tree = tip.name, "tree"
	}
	if x.Empty {
		built.New, built.Tree = w.forest.grow(commit{parent: tip, attempt: x.Attempt}).name, "tree"
	}
	return built
}

func (w *walk) pushTicket(s *state, x queue.PushTicket) queue.Fact {
	switch s.ticketAt(x.Ticket) {
	case x.Commit:
		w.reach(true, "a ticket stood already when it was pushed")
		return queue.TicketPushed{Attempt: x.Attempt, Again: true}
	case "":
		s.Tickets = append(s.Tickets, ticket{x.Ticket, x.Commit})
		if !w.world.NoCI {
			a := s.attempt(x.Attempt)
			s.CI = append(s.CI, ciRun{Commit: x.Commit, Ticket: x.Ticket, Narrow: a != nil && (len(a.Narrow) > 0 || a.OnBase)})
		}
		return queue.TicketPushed{Attempt: x.Attempt}
	}
	return queue.TicketFailed{Attempt: x.Attempt, Detail: "taken"}
}

func (w *walk) moveHeads(s *state, x queue.MoveHeads) (facts, hints []queue.Fact) {
	moved := queue.HeadsMoved{Attempt: x.Attempt, Moved: []queue.Move{}}
	for _, m := range x.Moves {
		p := s.pull(m.PR)
		switch {
		case p.Head == m.New || p.Head == m.Old && p.Status == queue.Open:
			if p.Head != m.New {
				hints = append(hints, queue.PullRequestHinted{Number: m.PR, Labelled: p.Wish != 0})
			}
			p.Head = m.New
			moved.Moved = append(moved.Moved, m)
			w.reach(true, "a head moved")
		case p.Head != m.Old:
			moved.Elsewhere = append(moved.Elsewhere, m.PR)
			w.reach(true, "a head was elsewhere at the last moment")
		}
	}
	return one(moved), hints
}

func (w *walk) moveBase(s *state, x queue.MoveBase) (facts, hints []queue.Fact) {
	tried := queue.LandingTried{Attempt: x.Attempt, Outcome: queue.OutcomeLanded}
	if w.forest.contains(s.Base, x.New) {
		w.reach(true, "a landing was pushed again and was in already")
	} else if hints = w.push(s, x); hints == nil {
		tried.Outcome = queue.OutcomeElsewhere
		w.reach(true, "the base was elsewhere at the landing")
	}
	tried.Tip = s.Base
	return one(tried), hints
}

// push is the one atomic push: nil when a lease does not hold.
func (w *walk) push(s *state, x queue.MoveBase) (hints []queue.Fact) {
	if s.Base != x.Old || !s.holds(x.Tickets) {
		return nil
	}
	w.checkLanding(s, x)
	w.reach(len(x.Tickets) > 1, "a chain of attempts landed by one push")
	for _, t := range x.Tickets {
		s.dropTicket(t.Ticket)
	}
	return w.setBase(s, x.New)
}

// setBase moves the base; GitHub shows as merged what is in it.
func (w *walk) setBase(s *state, to string) []queue.Fact {
	s.Base = to
	hints := one(queue.BaseHinted{Tip: to})
	for i := range s.Pulls {
		if p := &s.Pulls[i]; p.Status == queue.Open && w.forest.contains(to, p.Head) {
			p.Status = queue.Merged
			hints = append(hints, queue.PullRequestHinted{Number: p.Number, Labelled: p.Wish != 0})
		}
	}
	return hints
}

func (w *walk) abandon(s *state, x queue.AbandonAttempt) (facts, hints []queue.Fact) {
	if s.ticketAt(x.Ticket) == x.Commit {
		s.dropTicket(x.Ticket)
	}
	done := queue.Abandoned{Attempt: x.Attempt, Tip: s.Base, Contains: w.forest.contains(s.Base, x.Commit)}
	w.reach(done.Contains, "an abandoned attempt had landed after all")
	for _, m := range x.Moved {
		if p := s.pull(m.PR); !done.Contains && p.Status == queue.Open && p.Head == m.New {
			p.Head = m.Old
			w.reach(true, "a head moved back")
			hints = append(hints, queue.PullRequestHinted{Number: m.PR, Labelled: p.Wish != 0})
		}
	}
	return one(done), hints
}

var dawn = time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)
