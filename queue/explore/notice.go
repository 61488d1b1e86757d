package explore

import (
	"github.com/mainstay-ci/mainstay/queue"
)

// notice books the named conditions that a step reached.
func (w *walk) notice(s *state, f queue.Fact, ended []queue.Entry, receipts []queue.Receipt) {
	for i := range ended {
		e := &ended[i]
		if e.Phase == queue.Out {
			w.reach(true, "out: "+string(e.End.Reason))
			continue
		}
		w.reach(e.Wish.ID > int64(w.world.PRs), "a pull request landed by a second wish")
		w.reach(s.pull(e.PR.Number).Suspect, "a suspect landed after all")
	}
	for _, r := range receipts {
		w.reach(true, []string{"", "one landed alone", "two landed together", "three landed together"}[min(len(r.Members), 3)])
		if _, ok := f.(queue.Abandoned); !ok {
			w.reach(len(s.Zombies) > 0, "a landing was booked while a push of it was under way")
		}
	}
	for _, a := range s.q.Attempts() {
		was := w.past.phase(a.ID)
		if was == "" {
			w.reach(a.Parent != 0, "an attempt was built on another")
			w.reach(len(a.Narrow) > 0 && !a.OnBase, "only the failed tests were run")
			w.reach(a.OnBase, "the base was asked")
		}
		if a.Phase == queue.AttemptAbandoning && was != a.Phase && was != "" {
			w.reach(true, "abandoned while "+string(was))
			w.reach(true, "abandoned to "+string(a.Aim))
		}
		w.reach(a.Phase == queue.AttemptDead && was == queue.AttemptBuilding, "given up while building")
		w.reach(a.Phase == queue.AttemptTesting && was == queue.AttemptChecking, "a check of the members sent it back to wait")
		w.reach(a.Audits == 2 && was == queue.AttemptLanded, "both audits were done")
	}
	if p := s.q.Header().Pause; p != nil && !w.past.paused && p.By != "ann" {
		w.reach(true, "the queue paused itself")
	}
}

func (w *walk) reachLost(task queue.Task) {
	switch task.(type) {
	case queue.PushTicket:
		w.reach(true, "died after the ticket was pushed")
	case queue.MoveHeads:
		w.reach(true, "died after the heads moved")
	case queue.MoveBase:
		w.reach(true, "died during the landing push")
	case queue.AbandonAttempt:
		w.reach(true, "died after the ticket was deleted")
	}
}

// reachTouched books what somebody did to a pull request, and when.
func (w *walk) reachTouched(s *state, m move) {
	what := map[kind]string{pushes: "pushed to", dismisses: "approval dismissed", unlabels: "label taken off", merges: "merged by hand",
		closes: "closed", hotfixes: "made a hotfix", holds: "held", leaves: "taken out by command"}[m.kind]
	e := s.q.Entry(int(m.n))
	if what == "" || e == nil {
		return
	}
	when := string(e.Phase)
	if a := s.attempt(e.Attempt); a != nil && !e.Phase.Ended() {
		when = string(a.Phase)
	}
	w.reach(true, what+" while "+when)
}
