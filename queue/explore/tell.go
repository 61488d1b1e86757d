package explore

import (
	"fmt"
	"slices"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
)

// walk is one exploration of one world. It is used by one goroutine.
type walk struct {
	world    World
	rules    queue.Rules
	settings queue.Settings
	forest   *forest
	canon    canon
	reached  map[string]int // condition → transitions that reached it
	broken   string         // the law that the last transition broke
	past     past
	free     []*state // needed no more
	say      func(format string, args ...any)
}

func newWalk(world World) *walk {
	w := &walk{world: world, forest: newForest(), reached: map[string]int{}}
	w.canon.forest = w.forest
	w.rules = queue.Rules{Approvals: 1}
	w.settings = queue.Defaults()
	w.settings.RunLimit = 10 * time.Minute
	w.settings.BatchSize, w.settings.Parallel = world.BatchSize, max(1, world.Parallel)
	if world.Shards {
		w.settings.Suites = map[string]int{"unit": 1}
	} else {
		w.rules.Checks = []queue.NamedCheck{{Name: "build", App: queue.ActionsApp}}
	}
	return w
}

// start is the world's first state: all pull requests approved and labelled, nothing told yet.
func (w *walk) start() *state {
	s := &state{env: env{Now: dawn, Base: root, Left: w.world.Budget}}
	first := w.forest.grow(commit{parent: w.forest.byName[root]})
	s.Base = first.name
	for n := 1; n <= w.world.PRs; n++ {
		s.Wishes++
		s.Pulls = append(s.Pulls, pull{Number: n, Version: 1, Head: fmt.Sprintf("head-%d.1", n), Approved: true, Wish: s.Wishes, Status: queue.Open})
	}
	s.q = queue.NewState("main")
	w.tell(s, queue.PauseAsked{By: "ann", Reason: "wait for all"})
	for n := 1; n <= w.world.PRs; n++ {
		w.tell(s, queue.PullRequestRead{PR: w.read(s, n)})
	}
	w.tell(s, w.readBase(s))
	s.Effects = slices.DeleteFunc(s.Effects, func(e queue.Effect) bool { return e.Key != "wake" })
	w.tell(s, queue.ResumeAsked{By: "ann"})
	return s
}

func (w *walk) reach(so bool, condition string) {
	if so {
		w.reached[condition]++
	}
}

func (w *walk) breaks(law, format string, args ...any) {
	if w.broken == "" {
		w.broken = law + ": " + fmt.Sprintf(format, args...)
	}
}

// past is what the laws ask of the queue as it was before a fact.
type past struct {
	phases  []phaseOf
	batches []int64
	waiting []int64 // by pull request: the wish, where it waits for its turn
	paused  bool
}

type phaseOf struct {
	attempt int64
	phase   queue.AttemptPhase
}

func (p *past) see(s *state) {
	p.phases, p.batches, p.waiting = p.phases[:0], p.batches[:0], p.waiting[:0]
	for _, a := range s.q.Attempts() {
		p.phases = append(p.phases, phaseOf{a.ID, a.Phase})
	}
	for _, b := range s.q.Batches() {
		p.batches = append(p.batches, b.ID)
	}
	for i := range s.Pulls {
		wish := int64(0)
		if e := s.q.Entry(s.Pulls[i].Number); inTurn(e) {
			wish = e.Wish.ID
		}
		p.waiting = append(p.waiting, wish)
	}
	p.paused = s.q.Header().Pause != nil
}

// phase is where an attempt stood; empty when there was none.
func (p *past) phase(id int64) queue.AttemptPhase {
	for _, x := range p.phases {
		if x.attempt == id {
			return x.phase
		}
	}
	return ""
}

func inTurn(e *queue.Entry) bool {
	return e != nil && e.Phase == queue.Waiting && e.Wait != queue.OnHold
}

// tell takes facts through Step, one by one, and keeps what comes of each.
func (w *walk) tell(s *state, facts ...queue.Fact) {
	for _, f := range facts {
		if w.say != nil {
			w.say("    told %T %+v", f, f)
		}
		w.remember(s, f)
		w.past.see(s)
		_, effects := queue.Step(s.q, queue.Event{At: s.Now, Fact: f})
		forgetLessons(s.q.Header())
		ended, receipts := s.q.TakeHistory()
		for _, e := range effects {
			w.take(s, e)
		}
		w.checkStep(s, ended)
		w.notice(s, f, ended, receipts)
		if a, ok := f.(queue.Audited); ok && !a.Contains && s.q.Header().Pause == nil {
			w.breaks("S6 no resurrection", "the landing of attempt %d is gone, and the queue goes on", a.Attempt)
		}
	}
}

// forgetLessons keeps a queue from learning: its rates, times and landed heads
// stay as they are at the beginning, and the worlds finite.
func forgetLessons(h *queue.Header) {
	h.Rates, h.RunTimes, h.TestTime, h.Landed = queue.Rates{}, queue.RunTimes{}, 0, nil
}

// take keeps an effect; those nothing waits for are done at once.
func (w *walk) take(s *state, e queue.Effect) {
	if w.say != nil {
		w.say("      → %s in %s: %T", e.Key, e.Due.Sub(s.Now).Round(time.Second), e.Task)
	}
	switch x := e.Task.(type) {
	case queue.FetchHead, queue.PostComment, queue.ReadCommands, queue.LearnTests, queue.FindPullReports:
	case queue.PostCheck:
		p := s.pull(x.PR)
		if p.Status == queue.Open && (x.Conclusion == "success" || x.Conclusion == "neutral" || x.Conclusion == "skipped") {
			w.breaks("S5", "our check concludes %s on #%d, which is open", x.Conclusion, x.PR)
		}
		s.drop(e.Key) // it takes the place of an earlier word
	case queue.CancelRuns:
		for i := range s.CI {
			if r := &s.CI[i]; slices.Contains(x.Commits, r.Commit) && r.Ticket == x.Ticket && r.Conclusion == "" {
				r.Conclusion = "cancelled"
				w.reach(true, "a run of ours was cancelled")
			}
		}
	default:
		s.keep(e)
	}
}

// remember keeps the newest readings that were told, whatever Step makes of them.
func (w *walk) remember(s *state, f queue.Fact) {
	see := func(pr queue.PullRequest) {
		p := s.pull(pr.Number)
		if pr.ReadAt.Before(p.Told.ReadAt) {
			w.reach(true, "a reading older than another was told")
			return
		}
		p.Told = reading{Head: pr.Head, Approved: pr.Approvals > 0, Status: pr.Status, Hold: pr.Hold, ReadAt: pr.ReadAt}
		if pr.Wish != nil {
			p.Told.Wish = pr.Wish.ID
		}
	}
	base := func(tip string, at time.Time) {
		if !at.Before(s.BaseTold.ReadAt) {
			s.BaseTold = baseTold{tip, at}
		}
	}
	switch x := f.(type) {
	case queue.PullRequestRead:
		see(x.PR)
	case queue.BaseRead:
		base(x.Tip, x.ReadAt)
	case queue.LandingTried:
		if x.Outcome == queue.OutcomeLanded {
			base(x.Tip, s.Now)
		}
	case queue.Abandoned:
		base(x.Tip, s.Now)
	case queue.MembersRead:
		base(x.Base.Tip, x.Base.ReadAt)
		for _, pr := range x.PRs {
			see(pr)
		}
	}
}
