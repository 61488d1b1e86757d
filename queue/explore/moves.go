package explore

import (
	"fmt"
	"slices"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
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
	doBroken               // can't be done
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
	ciHangs
	pushes
	dismisses
	approves
	unlabels
	labels
	merges
	closes
	hotfixes
	holds
	lets
	leaves
	pauses
	admin
	force
	resumes
	heals
	crashes
	waits
)

var kindNames = [...]string{"does", "does, and dies before the answer to", "does, answer slow,", "does, webhooks lost,", "can't do", "pushes late", "pushes late and dies:",
	"does, answered unknown,", "fails, transient,", "is refused", "hears the answer to", "a zombie push arrives", "a shard reports", "CI ends", "CI flakes",
	"CI ends unheard", "CI runs on a copy", "CI hangs", "somebody pushes to", "an approval is dismissed of", "somebody approves", "the label is taken off", "the label is set on",
	"somebody merges by hand", "somebody closes", "a hotfix now is", "somebody holds", "somebody lets go", "by command leaves", "an operator pauses", "an admin pushes to the base",
	"an admin forces the base back", "the operator resumes", "the base heals", "the server dies", "time passes"}

func (w *walk) describe(s *state, m move) string {
	name := kindNames[m.kind]
	switch {
	case m.kind <= landBanned:
		return fmt.Sprintf("%s %s %T", name, s.Effects[m.n].Key, s.Effects[m.n].Task)
	case m.kind == answer:
		return name + " " + s.Flights[m.n].Key
	case m.kind == zombie:
		return fmt.Sprintf("%s: attempt %d", name, s.Zombies[m.n].Attempt)
	case m.kind >= ciReports && m.kind <= ciHangs:
		return name + " on " + s.CI[m.n].Commit
	case m.kind >= pushes && m.kind <= leaves:
		return fmt.Sprintf("%s #%d", name, m.n)
	}
	return name
}

// moves lists what may happen in a state.
func (w *walk) moves(s *state, list []move) []move {
	list = list[:0]
	rest := w.atRest(s)
	if rest && w.world.EndsAtRest {
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
	if idle {
		list = s.lettingGo(list)
	}
	if idle && w.world.RedBase && !s.Healed {
		list = append(list, move{heals, 0})
	}
	switch {
	case idle && s.q.Header().Pause != nil:
		list = append(list, move{resumes, 0})
	case idle && !rest, left.Impolite > 0 && len(s.Flights) == 0 && !idle:
		list = append(list, move{waits, 0})
	}
	return list
}

// copy is a state of its own that is equal.
func (w *walk) copy(from *state) *state {
	var s *state
	if n := len(w.free); n > 0 {
		s, w.free = w.free[n-1], w.free[:n-1]
	} else {
		s = &state{q: queue.NewState("main")}
	}
	from.cloneInto(s)
	return s
}

// after is the state after a move.
func (w *walk) after(from *state, m move) *state {
	s := w.copy(from)
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
		w.arrive(s, int(m.n))
	case m.kind >= ciReports && m.kind <= ciHangs:
		w.ciMove(s, m)
	case m.kind >= pushes && m.kind <= force:
		w.peopleMove(s, m)
	case m.kind == resumes:
		w.reach(true, "the operator resumed a paused queue")
		w.tell(s, queue.ResumeAsked{By: "ann"})
	case m.kind == heals:
		d := s.q.Header().Doubt
		w.reach(d != nil && d.Red, "a base healed that had stopped the queue")
		s.Healed = true
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

// restart is the server's death and its new start: answers under way are lost.
func (w *walk) restart(s *state) {
	w.reach(len(s.Flights) > 0, "answers were lost in a crash")
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
		!slices.ContainsFunc(s.CI, func(r ciRun) bool { return r.Conclusion == "" && !r.Hangs })
}

// atRest: every wish has ended, GitHub shows it, and nothing of ours is under way.
func (w *walk) atRest(s *state) bool { return s.q.Header().Pause == nil && w.restsBut(s, false) }

// restsBut is the same, also while some wait for approvals that nobody gives.
func (w *walk) restsBut(s *state, unapproved bool) bool {
	if len(s.Flights) > 0 {
		return false
	}
	for _, a := range s.q.Attempts() {
		if live(a) {
			return false
		}
	}
	for i := range s.Pulls {
		p := &s.Pulls[i]
		e := s.q.Entry(p.Number)
		if unapproved && e != nil && e.Phase == queue.Asking && !p.Approved {
			continue
		}
		if p.Wish != 0 && p.Status == queue.Open || e != nil && (!e.Phase.Ended() || e.Phase == queue.Landed && !e.Settled) {
			return false
		}
	}
	for _, e := range s.Effects {
		if _, audit := e.Task.(queue.AuditLanding); audit || s.due(e) {
			return false
		}
	}
	return true
}
