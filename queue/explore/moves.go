package explore

import (
	"fmt"
	"slices"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/queue/shard"
)

// move is one thing that may happen next.
type move struct {
	kind kind
	n    uint8 // which effect, answer, pull request, run or push
}

type kind uint8

const (
	do         kind = iota // an effect is done and answered
	doLost                 // done; the process dies before the answer
	doSlow                 // done; the answer comes later
	doUnheard              // done; its webhooks never arrive
	landLate               // a landing push without an answer, under way still
	landDies               // the same, and the process dies
	landSilent             // done, and answered "unknown"
	landFails              // "transient": nothing was done
	landBanned             // refused by a rule
	answer                 // an answer arrives
	zombie                 // a landing push thought lost arrives
	ciReports
	ciEnds
	ciFlakes
	ciUnheard
	ciCopied
	pushes
	dismisses
	approves
	unlabels
	labels
	merges
	admin
	force
	resumes
	crashes
	waits
)

var kindNames = [...]string{"does", "does, and dies before the answer to", "does, answer slow,", "does, webhooks lost,", "pushes late", "pushes late and dies:",
	"does, answered unknown,", "fails, transient,", "is refused", "hears the answer to", "a zombie push arrives", "a shard reports", "CI ends", "CI flakes",
	"CI ends unheard", "CI runs on a copy", "somebody pushes to", "an approval is dismissed of", "somebody approves", "the label is taken off", "the label is set on",
	"somebody merges by hand", "an admin pushes to the base", "an admin forces the base back", "the operator resumes", "the server dies", "time passes"}

func (w *walk) describe(s *state, m move) string {
	name := kindNames[m.kind]
	switch {
	case m.kind <= landBanned:
		return fmt.Sprintf("%s %s %T", name, s.Effects[m.n].Key, s.Effects[m.n].Task)
	case m.kind == answer:
		return name + " " + s.Flights[m.n].Key
	case m.kind == zombie:
		return fmt.Sprintf("%s: attempt %d", name, s.Zombies[m.n].Attempt)
	case m.kind >= ciReports && m.kind <= ciCopied:
		return name + " on " + s.CI[m.n].Commit
	case m.kind >= pushes && m.kind <= merges:
		return fmt.Sprintf("%s #%d", name, m.n)
	}
	return name
}

// moves lists what may happen in a state.
func (w *walk) moves(s *state, list []move) []move {
	list = list[:0]
	if w.atRest(s) && w.world.EndsAtRest {
		return list
	}
	busy := false
	for i, e := range s.Effects {
		if !s.due(e) || s.flying(e.Key) {
			continue
		}
		busy = true
		list = s.ways(list, e.Task, uint8(i))
	}
	for i := range s.Flights {
		list = append(list, move{answer, uint8(i)})
	}
	for i := range s.Zombies {
		list = append(list, move{zombie, uint8(i)})
	}
	list, working := w.ciMoves(s, list)
	list = s.people(list, w)
	left := &s.Left
	if left.Crash > 0 && len(s.Flights) > 0 {
		list = append(list, move{crashes, 0})
	}
	idle := !busy && !working && len(s.Flights) == 0
	switch {
	case idle && s.rows.Header.Pause != nil:
		list = append(list, move{resumes, 0})
	case idle && !w.atRest(s), left.Impolite > 0 && len(s.Flights) == 0 && !idle:
		list = append(list, move{waits, 0})
	}
	return list
}

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
	case queue.PushTicket:
		add(left.Crash > 0, doLost)
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

func (w *walk) ciMoves(s *state, list []move) (_ []move, working bool) {
	for i, r := range s.CI {
		if r.Conclusion != "" {
			continue
		}
		n := uint8(i)
		working = true
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

func (s *state) people(list []move, w *walk) []move {
	left := &s.Left
	for _, p := range s.Pulls {
		if p.Status != queue.Open {
			continue
		}
		add := func(so bool, k kind) {
			if so {
				list = append(list, move{k, uint8(p.Number)})
			}
		}
		add(left.Push > 0, pushes)
		add(left.Dismiss > 0 && p.Approved, dismisses)
		add(left.Approve > 0 && !p.Approved, approves)
		add(left.Unlabel > 0 && p.Wish != 0, unlabels)
		add(left.Label > 0 && p.Wish == 0, labels)
		add(left.Merge > 0 && !w.forest.holds(s.Base, p.Number), merges)
	}
	if left.Admin > 0 {
		list = append(list, move{admin, 0})
	}
	if left.Force > 0 && w.forest.parent(s.Base) != "" {
		list = append(list, move{force, 0})
	}
	return list
}

// after is the state after a move.
func (w *walk) after(from *state, m move) *state {
	s := from.clone()
	s.Now = s.Now.Add(time.Millisecond)
	switch {
	case m.kind <= landBanned:
		w.effectMove(s, m)
	case m.kind == answer:
		f := s.Flights[m.n]
		s.Flights = slices.Delete(s.Flights, int(m.n), int(m.n)+1)
		if !f.Replaced {
			s.drop(f.Key)
		}
		w.reach(f.Replaced, "an answer came after its question was replaced")
		w.tell(s, f.Fact)
	case m.kind == zombie:
		x := s.Zombies[m.n]
		s.Zombies = slices.Delete(s.Zombies, int(m.n), int(m.n)+1)
		hints := w.push(s, x)
		w.reach(hints != nil, "a zombie push landed late")
		w.reach(hints == nil && s.Base == x.Old, "a zombie push was held off by the deleted ticket alone")
		w.reach(hints == nil, "a zombie push came too late")
		w.tell(s, hints...)
	case m.kind >= ciReports && m.kind <= ciCopied:
		w.ciMove(s, m)
	case m.kind >= pushes && m.kind <= force:
		w.peopleMove(s, m)
	case m.kind == resumes:
		w.reach(true, "the operator resumed a paused queue")
		w.tell(s, queue.ResumeAsked{By: "ann"})
	case m.kind == crashes:
		s.Left.Crash--
		w.restart(s)
	case m.kind == waits:
		w.wait(s, from.idle())
	}
	w.tidy(s)
	w.checkState(s)
	return s
}

func (w *walk) effectMove(s *state, m move) {
	e := s.Effects[m.n]
	if e.Due.After(s.Now) {
		s.Now = e.Due
	}
	var facts, hints []queue.Fact
	switch m.kind {
	case landLate, landDies, landFails, landBanned:
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

// restart is the server's death and its new start: answers under way are lost.
func (w *walk) restart(s *state) {
	s.Flights = nil
	w.tell(s, queue.BaseHinted{}, queue.Restarted{})
}

// wait lets time pass until the next effect is due.
func (w *walk) wait(s *state, idle bool) {
	var next time.Time
	for _, e := range s.Effects {
		if !s.due(e) && (next.IsZero() || e.Due.Before(next)) {
			next = e.Due
		}
	}
	if !idle {
		s.Left.Impolite--
		w.reach(true, "time passed while something was under way")
	}
	switch {
	case !next.IsZero():
		s.Now = next
	case idle:
		w.breaks("progress", "nothing is left to wait for, and not all has ended")
	}
}

func (s *state) idle() bool {
	return len(s.Flights) == 0 && !slices.ContainsFunc(s.Effects, func(e queue.Effect) bool { return s.due(e) }) &&
		!slices.ContainsFunc(s.CI, func(r ciRun) bool { return r.Conclusion == "" })
}

func (w *walk) ciMove(s *state, m move) {
	r := &s.CI[m.n]
	red := w.culprits(r.Commit)
	commit := r.Commit
	switch m.kind {
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

func (w *walk) peopleMove(s *state, m move) {
	switch m.kind {
	case admin:
		s.Left.Admin--
		w.tell(s, w.setBase(s, w.forest.grow(commit{parent: w.forest.byName[s.Base], head: "admin"}).name)...)
		return
	case force:
		s.Left.Force--
		s.Removed = append(s.Removed, s.Base)
		w.tell(s, w.setBase(s, w.forest.parent(s.Base))...)
		return
	}
	p := s.pull(int(m.n))
	w.reachTouched(s, m)
	switch m.kind {
	case pushes:
		s.Left.Push--
		p.Version++
		p.Head, p.Approved = fmt.Sprintf("head-%d.%d", p.Number, p.Version), false
	case dismisses:
		s.Left.Dismiss--
		p.Approved = false
	case approves:
		s.Left.Approve--
		p.Approved = true
	case unlabels:
		s.Left.Unlabel--
		p.Wish = 0
	case labels:
		s.Left.Label--
		s.Wishes++
		p.Wish = s.Wishes
	case merges:
		s.Left.Merge--
		merged := w.forest.grow(commit{parent: w.forest.byName[s.Base], pr: p.Number, head: p.Head})
		p.Status = queue.Merged
		w.tell(s, w.setBase(s, merged.name)...)
	}
	w.tell(s, queue.PullRequestHinted{Number: p.Number, Labelled: p.Wish != 0})
}

// tidy forgets runs that nobody can ask after any more.
func (w *walk) tidy(s *state) {
	s.CI = slices.DeleteFunc(s.CI, func(r ciRun) bool {
		return s.ticketAt(r.Ticket) == "" && !slices.ContainsFunc(s.rows.Attempts, func(a queue.Attempt) bool { return a.New == r.Commit && live(&a) })
	})
}

// atRest: every wish has ended, GitHub shows it, and nothing of ours is under way.
func (w *walk) atRest(s *state) bool {
	for _, a := range s.rows.Attempts {
		if live(&a) {
			return false
		}
	}
	for _, e := range s.rows.Entries {
		if !e.Phase.Ended() || e.Phase == queue.Landed && !e.Settled {
			return false
		}
	}
	for _, p := range s.Pulls {
		if p.Wish != 0 && p.Status == queue.Open {
			return false
		}
	}
	for _, e := range s.Effects {
		if _, audit := e.Task.(queue.AuditLanding); audit || s.due(e) {
			return false
		}
	}
	return len(s.Flights) == 0 && s.rows.Header.Pause == nil
}
