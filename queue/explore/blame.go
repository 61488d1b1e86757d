package explore

import (
	"slices"

	"github.com/mainstay-ci/mainstay/queue"
)

// checkOut: who is told out is not in the base by a push of ours, and nobody is
// blamed for what is not so.
func (w *walk) checkOut(s *state, e *queue.Entry) {
	n := e.PR.Number
	forced := (e.End.Reason == queue.AlreadyContained || e.End.Reason == queue.LandedElsewhere) && len(s.Removed) > 0 // see just
	for x := w.forest.byName[s.Base]; x != nil && !landedBefore(s, n) && !forced; x = x.parent {
		if e.Pinned != "" && x.pr == n && x.head == e.Pinned && x.attempt != 0 {
			w.breaks("S5 no lie", "#%d is told out (%s) and is in the base", n, e.End.Reason)
		}
	}
	if just, known := w.just(s, e); !just || !known {
		w.breaks("blame", "#%d is told out for %s: %s", n, e.End.Reason, e.End.Detail)
	}
}

// just reports whether what an entry is told out for is so; known, whether it can be in these worlds.
func (w *walk) just(s *state, e *queue.Entry) (just, known bool) {
	n, p, was, left := e.PR.Number, s.pull(e.PR.Number), w.world.Budget, s.Left
	switch e.End.Reason {
	case queue.ChecksFailed:
		return slices.Contains(w.world.Bad, n) || w.world.Pair.other(n) != 0 || left.Flake < was.Flake || left.Hang < was.Hang, true
	case queue.ConflictingPair:
		return w.world.Pair.other(n) != 0 || left.Flake < was.Flake, true
	case queue.TimedOut:
		return left.Hang < was.Hang, true
	case queue.NeverStarted:
		return w.world.NoCI, true
	case queue.Conflict:
		return slices.Contains(w.world.OnBase, n) || w.world.Clash.other(n) != 0, true
	case queue.HeadMoved:
		return p.Version > 1, true
	case queue.ApprovalLost:
		return left.Dismiss < was.Dismiss || p.Version > 1, true
	case queue.LabelRemoved:
		return left.Unlabel < was.Unlabel || landedBefore(s, n), true
	case queue.Closed:
		return left.Close < was.Close, true
	case queue.Withdrawn:
		return left.Leave < was.Leave, true
	case queue.LandedElsewhere, queue.AlreadyContained:
		// When somebody forces the base back over a landing that is not booked yet, part of it may stay.
		return left.Merge < was.Merge || landedBefore(s, n) || len(s.Removed) > 0, true
	}
	return false, false
}
