package queue

import (
	"fmt"
	"strings"
	"time"
)

// How long a test may take. The start limit runs until CI shows anything at all,
// the run limit from the first job under way. While all that is unfinished
// waits for a runner neither runs: that says nothing of the pull requests.

// Without a runner: after runnerWord the members are told, after runnerPatience
// the test is given up and the queue stops, since the next one would fare no better.
const (
	runnerWord     = 30 * time.Minute
	runnerPatience = 6 * time.Hour
)

// The learnt run limit: from so many landings on, and never below so much.
const (
	learntFrom = 5
	leastRun   = 10 * time.Minute
	autoRun    = time.Hour // while nothing is learnt
)

// RunTimes is what the green tests of landed attempts took: decayed mean and
// mean deviation, without the wait for a runner.
type RunTimes struct {
	Count int           `json:"count,omitempty"` // up to learntFrom
	Mean  time.Duration `json:"mean,omitempty"`
	Dev   time.Duration `json:"dev,omitempty"`
}

// add weighs the newest as an eighth.
func (r *RunTimes) add(took time.Duration) {
	if r.Count == 0 {
		*r = RunTimes{Count: 1, Mean: took, Dev: took / 2}
		return
	}
	r.Count = min(r.Count+1, learntFrom)
	off := took - r.Mean
	r.Mean += off / 8
	r.Dev += (max(off, -off) - r.Dev) / 8
}

// limit is how long a test may run by what was learnt.
func (r RunTimes) limit() time.Duration {
	if r.Count < learntFrom {
		return autoRun
	}
	return max(leastRun, 2*r.Mean+4*r.Dev).Round(time.Minute)
}

// learnRun keeps what a landed attempt's test took.
func (t *step) learnRun(a *Attempt) {
	green := a.IntentAt
	if !a.DoneAt.IsZero() && a.DoneAt.Before(green) {
		green = a.DoneAt // a pause, or another landing, may have lain between
	}
	if took := green.Sub(a.RunAt); !a.RunAt.IsZero() && took > 0 {
		t.header.RunTimes.add(took)
		t.touchHeader()
	}
}

// runLimit is how long an attempt may run: asked for, or learnt when it began.
func (a *Attempt) runLimit(s Settings) time.Duration {
	switch {
	case s.RunLimit > 0:
		return s.RunLimit
	case a.RunLimit > 0:
		return a.RunLimit
	}
	return autoRun
}

// watchRunners keeps the clocks of what is tested: it runs while anything does.
func (t *step) watchRunners() {
	for _, a := range t.attempts {
		if a.Phase != AttemptTesting || a.SignAt.IsZero() {
			continue
		}
		active, queued := a.jobs()
		switch {
		case queued && !active && a.QueuedAt.IsZero():
			a.QueuedAt = t.now
			t.touchAttempt(a.ID)
		case (active || !queued) && !a.QueuedAt.IsZero():
			if !a.RunAt.IsZero() {
				a.RunAt = a.RunAt.Add(t.now.Sub(a.QueuedAt))
			}
			a.QueuedAt = time.Time{}
			t.touchAttempt(a.ID)
		}
		if a.RunAt.IsZero() && a.QueuedAt.IsZero() {
			a.RunAt, a.RunLimit = t.now, t.header.RunTimes.limit()
			t.touchAttempt(a.ID)
		}
		t.tellRunners(a)
	}
}

// jobs says whether anything of an attempt's CI is under way, and whether
// anything waits for a runner. What does not say how it stands is under way.
func (a *Attempt) jobs() (active, queued bool) {
	see := func(status string) {
		switch status {
		case "queued", "waiting", "pending", "requested":
			queued = true
		case "completed":
		default:
			active = true
		}
	}
	jobs := false
	counting := a.counting()
	for _, c := range a.Results.Checks {
		if c.App != ActionsApp || counting[c.Suite] {
			jobs = jobs || c.App == ActionsApp
			see(c.Status)
		}
	}
	for _, r := range a.Results.Runs {
		// A run is under way from its first job to its last, also while all of the rest are queued.
		if counting[r.Suite] && (!jobs || r.Status != "in_progress") {
			see(r.Status)
		}
	}
	for _, s := range a.Results.Statuses {
		active = active || s.State == "pending"
	}
	for _, sh := range a.Shards {
		active = active || sh.Result == "" && !a.ended(sh)
	}
	return active, queued
}

// ended reports whether GitHub saw the job of a shard end, whatever the shard says.
func (a *Attempt) ended(sh Shard) bool {
	state, _ := a.job(sh)
	return state != pending
}

// tellRunners tells the members of a test that waits long for a runner, and
// gives it up when that never ends: the members stay in their batch, and nobody is blamed.
func (t *step) tellRunners(a *Attempt) {
	waited := time.Duration(0)
	if !a.QueuedAt.IsZero() {
		waited = t.now.Sub(a.QueuedAt)
	}
	wait := InTest
	if waited >= runnerWord && waited < runnerPatience {
		wait = NoRunner
	}
	for _, m := range a.Members {
		if e := t.entries[m.PR]; e != nil && e.Phase == Testing && e.Attempt == a.ID && e.Wait != wait {
			e.Wait = wait
			t.touchEntry(m.PR)
			t.show(e)
		}
	}
	if waited < runnerPatience {
		return
	}
	t.abandon(a, AimRebuild, "no runner took its jobs")
	t.pause(Pause{By: "mainstay", At: t.now, Reason: fmt.Sprintf(
		"No runner took the jobs of attempt %d for %s. Nobody is blamed: see that this repository has runners, then resume.",
		a.ID, roughly(runnerPatience))})
}

// runnerTitle says since when the members wait for a runner.
func (a *Attempt) runnerTitle() string {
	return "Waiting for a runner since " + a.QueuedAt.UTC().Format("15:04 UTC")
}

// writeRunner says what ends the wait for a runner.
func (a *Attempt) writeRunner(b *strings.Builder) {
	fmt.Fprintf(b, "No runner has taken its jobs since %s; that does not count as test time. Without one by %s the queue stops. "+
		"See that this repository has runners with the labels its workflow asks for.\n\n",
		a.QueuedAt.UTC().Format("2 Jan 15:04 UTC"), a.QueuedAt.Add(runnerPatience).UTC().Format("2 Jan 15:04 UTC"))
}

// limitOf is when the limits of a test speak next; zero: never as things stand.
func (a *Attempt) limitOf(s Settings, now time.Time) time.Time {
	switch {
	case a.SignAt.IsZero():
		return a.PushedAt.Add(s.StartLimit)
	case !a.QueuedAt.IsZero() && now.Before(a.QueuedAt.Add(runnerWord)):
		return a.QueuedAt.Add(runnerWord)
	case !a.QueuedAt.IsZero():
		return a.QueuedAt.Add(runnerPatience)
	}
	return a.RunAt.Add(a.runLimit(s))
}
