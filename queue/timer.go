package queue

import "time"

// setTimer keeps one timer at the earliest deadline. One that goes off early does no harm.
func (t *step) setTimer() {
	due := t.nextDeadline()
	if due.IsZero() {
		return
	}
	if due.Before(t.now) {
		due = t.now
	}
	if set := t.header.WakeAt; !set.IsZero() && !set.After(due) && set.After(t.now) {
		return
	}
	t.header.WakeAt = due
	t.touchHeader()
	t.doAt("wake", due, Wake{})
}

func (t *step) nextDeadline() time.Time {
	due := t.header.SweepAt
	if due.IsZero() {
		due = t.now.Add(t.sweepPace())
		t.header.SweepAt = due
		t.touchHeader()
	}
	earlier := func(at time.Time) {
		if at.Before(due) && at.After(t.now) { // what is past was acted on, or waits for something else
			due = at
		}
	}
	s := t.header.Settings
	for _, a := range t.attempts {
		if a.Phase != AttemptTesting {
			continue
		}
		earlier(a.limitOf(s, t.now))
		if !a.SeekingAt.IsZero() {
			earlier(a.SeekingAt.Add(seekLimit))
		}
		if a.runsDone() {
			earlier(a.DoneAt.Add(s.StartLimit))
		}
		if quiet := a.NewRunAt.Add(quietTime); a.needsQuiet() && a.runsDone() {
			earlier(quiet)
		}
	}
	if d := t.header.Doubt; d != nil && t.header.Pause == nil {
		earlier(d.NextAt)
	}
	if s.BatchWait > 0 && t.slotFree() && t.header.Pause == nil {
		if next := t.inTurn(t.header.batchSize()); len(next) > 0 {
			earlier(t.companyDue(next))
		}
	}
	return due
}
