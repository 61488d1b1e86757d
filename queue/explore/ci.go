package explore

import (
	"slices"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/queue/shard"
)

// What CI does with the commits of tickets.

func (w *walk) ciMoves(s *state, list []move) (_ []move, working bool) {
	for i, r := range s.CI {
		if r.Conclusion != "" || r.Hangs {
			continue
		}
		n := uint8(i)
		working = true
		if s.Left.Hang > 0 {
			list = append(list, move{ciHangs, n})
		}
		if w.world.Shards && !r.Reported {
			list = append(list, move{ciReports, n})
			continue
		}
		list = append(list, move{ciEnds, n})
		if s.Left.Flake > 0 && !w.culprits(r.Commit) {
			list = append(list, move{ciFlakes, n})
		}
		if s.Left.Lost > 0 {
			list = append(list, move{ciUnheard, n})
		}
		if s.Left.Copy > 0 && !r.Copied {
			list = append(list, move{ciCopied, n})
		}
	}
	return list, working
}

func (w *walk) ciMove(s *state, m move) {
	r := &s.CI[m.n]
	red := w.culprits(r.Commit) || w.redBase(s, r.Commit)
	commit := r.Commit
	switch m.kind {
	case ciHangs:
		s.Left.Hang--
		r.Hangs = true
		w.tell(s, queue.ResultsHinted{Commit: commit, Done: true})
		return
	case ciCopied:
		s.Left.Copy--
		r.Copied = true
		w.tell(s, queue.ResultsHinted{Commit: commit, Done: true})
		return
	case ciReports:
		r.Reported = true
		sh := queue.Shard{Suite: "unit", Total: 1, CheckRun: 1, RunID: 1, RunTry: 1, Result: shard.ResultPassed, Tests: 1}
		if red {
			sh.Result, sh.Failed = shard.ResultFailed, []queue.FailedTest{{Name: "TestIt", Suite: "unit"}}
		}
		w.tell(s, queue.ShardReported{Commit: commit, Shard: sh})
		return
	case ciFlakes:
		s.Left.Flake--
		red = true
		w.reach(true, "a good commit was tested red")
	case ciUnheard:
		s.Left.Lost--
	}
	r.Conclusion = "success"
	if red {
		r.Conclusion = "failure"
	}
	if m.kind != ciUnheard {
		w.tell(s, queue.ResultsHinted{Commit: commit, Done: true})
	}
}

// redBase reports whether a commit is red because its base is.
func (w *walk) redBase(s *state, tip string) bool {
	mended := w.world.Mends != 0 && w.forest.holds(tip, w.world.Mends)
	return w.world.RedBase && !s.Healed && !mended
}

// culprits reports whether a commit is red wherever it is tested.
func (w *walk) culprits(tip string) bool {
	for _, pr := range w.world.Bad {
		if w.forest.holds(tip, pr) {
			return true
		}
	}
	p := w.world.Pair
	return p != (Two{}) && w.forest.holds(tip, p[0]) && w.forest.holds(tip, p[1])
}

func (w *walk) results(s *state, x queue.ReadResults) queue.Results {
	res := queue.Results{ReadAt: s.Now}
	r := s.run(x.Commit)
	if r == nil {
		return res
	}
	status := "in_progress"
	if r.Conclusion != "" {
		status = "completed"
	}
	res.Runs = append(res.Runs, queue.Run{ID: 1, Name: "ci", Event: "push", Branch: r.Ticket, Suite: 1, Status: status, Conclusion: r.Conclusion})
	res.Checks = append(res.Checks, queue.CheckResult{ID: 1, Name: "build", App: queue.ActionsApp, Suite: 1, Status: status, Conclusion: r.Conclusion})
	if r.Copied {
		res.Runs = append(res.Runs, queue.Run{ID: 2, Name: "ci", Event: "push", Branch: "copy", Suite: 2, Status: "completed", Conclusion: "success"})
		res.Checks = append(res.Checks, queue.CheckResult{ID: 2, Name: "build", App: queue.ActionsApp, Suite: 2, Status: "completed", Conclusion: "success"})
	}
	return res
}

// tidy forgets runs that nobody can ask after any more.
func (w *walk) tidy(s *state) {
	s.CI = slices.DeleteFunc(s.CI, func(r ciRun) bool {
		return s.ticketAt(r.Ticket) == "" && !slices.ContainsFunc(s.q.Attempts(), func(a *queue.Attempt) bool { return a.New == r.Commit && live(a) })
	})
}
