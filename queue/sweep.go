package queue

import "time"

// The sweep holds the labels on GitHub against the queue, for when webhooks are lost.

// The sweep's pace: with anything under test, with anything in line, without, and
// where nothing happened for a day. A reading of the base is renewed by the sweep
// when it is older than its age.
const (
	sweepLive   = 30 * time.Second
	sweepBusy   = time.Minute
	sweepIdle   = 75 * time.Second
	sweepAsleep = 5 * time.Minute
	asleepAfter = 24 * time.Hour
	baseAge     = 5 * time.Minute
	baseAgeIdle = time.Hour
)

// compareWishes is the net under lost webhooks: labels without an entry and
// entries without a label are looked at again, and so is whatever waits for
// approval, or to be let go.
func (t *step) compareWishes(f WishesFound) {
	labelled := make(map[int]bool, len(f.Numbers))
	for _, pr := range f.Numbers {
		labelled[pr] = true
		if e := t.entries[pr]; e == nil || e.Phase.Ended() || e.Phase == Asking || e.Wait == OnHold {
			t.lookAt(pr)
		}
		t.compareMarks(pr, f.Marks[pr])
	}
	t.placed = t.positions() // the line stays as it is in what follows
	for _, e := range t.inOrder() {
		if e.free() && !labelled[e.PR.Number] && (e.For == 0 || e.Phase == Asking || e.Wait == OnHold) {
			t.lookAt(e.PR.Number) // those below the top of a stack need no label
		}
		if e.Phase == Waiting && t.waitsFor(e) != "" {
			t.lookAt(e.PR.Number) // whom it waits for may be merged by now
		}
		if e.Phase == Landed && !e.Settled {
			t.settleLater(e)
		}
		t.refresh(e)
		if over := e.Phase == Out && !labelled[e.PR.Number] || e.Settled; over && t.now.Sub(e.End.At) >= keepEnded {
			delete(t.entries, e.PR.Number)
			t.touchEntry(e.PR.Number)
		}
	}
	t.placed = nil
}

// compareMarks looks again at an entry whose labels are not those of the last sweep:
// the webhook that told so may be lost.
func (t *step) compareMarks(pr int, marks string) {
	if e := t.entries[pr]; e != nil && e.free() && e.Marks != marks {
		e.Marks = marks
		t.touchEntry(pr)
		t.lookAt(pr)
	}
}

// keepEnded is how long an ended entry stands for its used wish: late readings still show that.
const keepEnded = 10 * time.Minute

// inOrder is every entry by place in line. It walks the whole queue: for sweeps only.
func (t *step) inOrder() []*Entry {
	all := make([]*Entry, 0, len(t.entries))
	for _, pr := range sortedKeys(t.entries) {
		all = append(all, t.entries[pr])
	}
	return all
}

// sweepPace is how long a sweep holds.
func (t *step) sweepPace() time.Duration {
	for _, a := range t.attempts {
		if a.Phase == AttemptTesting {
			return sweepLive
		}
	}
	switch {
	case len(t.line) > 0 || len(t.openBatches()) > 0:
		return sweepBusy
	case t.now.Sub(t.header.ProgressAt) < asleepAfter:
		return sweepIdle
	}
	return sweepAsleep
}

func (t *step) sweepWhenDue() {
	busy := len(t.line) > 0 || len(t.openBatches()) > 0
	pace := t.sweepPace()
	if busy && t.now.Sub(t.header.BaseAt) >= baseAge && t.now.Sub(t.header.BaseAsked) >= baseAge {
		t.lookAtBase() // nobody looked while nobody waited
	}
	if next := t.now.Add(pace); t.header.SweepAt.After(next) {
		t.header.SweepAt = next // it was set while nobody waited
		t.touchHeader()
	}
	if t.header.SweepAt.After(t.now) {
		return
	}
	t.header.SweepAt = t.now.Add(pace)
	t.touchHeader()
	t.do("sweep", FindWishes{Label: t.header.Settings.Label, Labels: t.header.Settings.Labels})
	if busy || t.now.Truncate(sweepAsleep) != t.now.Add(-pace).Truncate(sweepAsleep) {
		t.lookForCommands(0) // less often where nobody waits
	}
	if !busy && t.now.Sub(t.header.BaseAt) >= baseAgeIdle {
		t.lookAtBase()
	}
	for _, a := range t.attempts {
		if a.Phase == AttemptTesting {
			t.lookAtResults(a)
		}
	}
}
