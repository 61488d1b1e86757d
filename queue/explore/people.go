package explore

import (
	"fmt"

	"github.com/mainstay-ci/mainstay/queue"
)

// What people do to pull requests, to the base and to the queue.

func (s *state) people(list []move, w *walk) []move {
	left := &s.Left
	for i := range s.Pulls {
		p := &s.Pulls[i]
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
		add(left.Close > 0, closes)
		add(left.Hotfix > 0 && !p.Hotfix, hotfixes)
		add(left.Hold > 0 && !p.Hold, holds)
		add(left.Leave > 0 && p.Wish != 0, leaves)
	}
	if left.Pause > 0 && s.q.Header().Pause == nil {
		list = append(list, move{pauses, 0})
	}
	if left.Admin > 0 {
		list = append(list, move{admin, 0})
	}
	if left.Force > 0 && w.forest.parent(s.Base) != "" {
		list = append(list, move{force, 0})
	}
	return list
}

// lettingGo is what ends a hold, when nothing else goes on.
func (s *state) lettingGo(list []move) []move {
	for i := range s.Pulls {
		if p := &s.Pulls[i]; p.Hold && p.Status == queue.Open {
			list = append(list, move{lets, uint8(p.Number)})
		}
	}
	return list
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
	case pauses:
		s.Left.Pause--
		w.tell(s, queue.PauseAsked{By: "ann", Reason: "lunch"})
		return
	case leaves:
		s.Left.Leave--
		w.reachTouched(s, m)
		w.tell(s, queue.LeaveAsked{PR: int(m.n), By: "ann"})
		return
	}
	p := s.pull(int(m.n))
	w.reachTouched(s, m)
	w.touch(s, p, m.kind)
	w.tell(s, queue.PullRequestHinted{Number: p.Number, Labelled: p.Wish != 0})
}

// touch is what somebody does to one pull request.
func (w *walk) touch(s *state, p *pull, k kind) {
	switch k {
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
	case closes:
		s.Left.Close--
		p.Status = queue.ClosedStatus
	case hotfixes:
		s.Left.Hotfix--
		p.Hotfix = true
	case holds:
		s.Left.Hold--
		p.Hold = true
	case lets:
		p.Hold = false
	case merges:
		s.Left.Merge--
		merged := w.forest.grow(commit{parent: w.forest.byName[s.Base], pr: p.Number, head: p.Head})
		p.Status = queue.Merged
		w.tell(s, w.setBase(s, merged.name)...)
	}
}
