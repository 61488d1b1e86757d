package queue

import (
	"strings"
	"testing"
	"time"
)

// busyRunners is a workflow of jobs one behind the other: each waits for a
// runner, then runs. One that waits for ever has a negative wait.
func busyRunners(jobs ...[2]time.Duration) func(*world, string, string) {
	return func(w *world, ticket, commit string) {
		w.after(time.Second, func() {
			r := w.startRun(commit, ticket, "push")
			r.Status = "queued"
			c := w.startCheck(r, "build")
			c.Status = "queued"
			w.runJobs(r, c, jobs)
		})
	}
}

func (w *world) runJobs(r *run, c *CheckResult, jobs [][2]time.Duration) {
	if jobs[0][0] < 0 {
		return
	}
	w.after(jobs[0][0], func() {
		if r.Status != "completed" {
			r.Status, c.Status = "in_progress", "in_progress"
		}
	})
	w.after(jobs[0][0]+jobs[0][1], func() {
		if len(jobs) > 1 {
			c.Status = "queued"
			w.runJobs(r, c, jobs[1:])
			return
		}
		c.Status, c.Conclusion = "completed", w.verdict(r.commit)
		w.finishRun(r, c.Conclusion)
	})
}

// The wait for a runner costs nobody anything, whether before the first job or between two.
func TestWaitForARunnerDoesNotCount(t *testing.T) {
	const minute = time.Minute
	for name, jobs := range map[string][][2]time.Duration{
		"at once":        {{0, 15 * minute}},
		"before it runs": {{3 * time.Hour, 15 * minute}},
		"half way":       {{0, 7 * minute}, {3 * time.Hour, 8 * minute}},
		"again and again": {{50 * minute, 4 * minute}, {50 * minute, 4 * minute}, {50 * minute, 4 * minute},
			{50 * minute, 4 * minute}},
	} {
		t.Run(name, func(t *testing.T) {
			story(t, func(w *world) {
				w.settings.RunLimit = 20 * time.Minute
				w.workflow = busyRunners(jobs...)
				w.queueTogether(1, 2)
				w.untilEnded(1, 2)
				w.requireLanded(1, 2)
			})
		})
	}
}

// What runs too long is out, and only what it ran counts.
func TestRunLimitCountsFromTheFirstJob(t *testing.T) {
	story(t, func(w *world) {
		w.settings.RunLimit = 20 * time.Minute
		w.workflow = busyRunners([2]time.Duration{2 * time.Hour, 5 * time.Hour})
		w.queue(1)
		w.run(2*time.Hour + 15*time.Minute)
		w.requireWaits(1, InTest)
		w.untilEnded(1)
		w.requireOut(1, TimedOut)
		if took := w.now.Sub(dawn); took > 2*time.Hour+25*time.Minute {
			w.t.Fatalf("it took %s to tell", took)
		}
	})
}

// Without any runner the members are told after half an hour. After six the queue
// stops, everybody keeps the place, and all of it lands once there are runners.
func TestNoRunnerAtAll(t *testing.T) {
	story(t, func(w *world) {
		w.workflow = busyRunners([2]time.Duration{-1, 0})
		w.queueTogether(1, 2)
		w.run(20 * time.Minute)
		w.requireWaits(1, InTest)
		w.run(20 * time.Minute)
		w.requireWaits(1, NoRunner)
		w.requireSays(1, "Waiting for a runner since 08:01 UTC", "See that this repository has runners")
		w.run(6 * time.Hour)
		w.requireWaits(1, InTest)
		w.requireSays(1, "paused by mainstay", "")
		p := w.state.header.Pause
		if p == nil || !strings.Contains(p.Reason, "No runner") || !strings.Contains(p.Reason, "then resume") {
			w.t.Fatalf("the pause says %+v", p)
		}
		if len(w.cancelled) == 0 {
			w.t.Fatalf("the runs nobody waits for were left in the runners' line")
		}
		w.workflow = oneJob(5 * time.Minute)
		w.tell(ResumeAsked{By: "ann"})
		w.untilEnded(1, 2)
		w.requireLanded(1, 2)
	})
}

func (w *world) requireSays(n int, title, summary string) {
	w.t.Helper()
	c := w.pulls[n].check[w.state.entries[n].Pinned]
	if w.state.entries[n].Pinned == "" {
		c = w.pulls[n].check[w.pulls[n].head]
	}
	if !strings.Contains(c.Title, title) || !strings.Contains(c.Summary, summary) {
		w.t.Fatalf("the check of #%d says %q: %s", n, c.Title, c.Summary)
	}
}

// Five landings teach the limit; what hangs after that is told sooner than by the first hour.
func TestRunLimitIsLearnt(t *testing.T) {
	story(t, func(w *world) {
		w.settings.BatchSize = 1
		w.queue(1, 2, 3, 4, 5)
		w.untilEnded(1, 2, 3, 4, 5)
		w.requireLanded(1, 2, 3, 4, 5)
		if r := w.state.header.RunTimes; r.Count != 5 || r.Mean < 3*time.Minute || r.Mean > 5*time.Minute {
			w.t.Fatalf("learnt %+v of five tests of 5 min", r)
		}
		w.workflow = oneJob(5 * time.Hour)
		w.queue(6)
		began := w.now
		w.untilEnded(6)
		w.requireOut(6, TimedOut)
		if took := w.now.Sub(began); took > 30*time.Minute {
			w.t.Fatalf("it took %s to tell", took)
		}
	})
}

func TestLearntLimit(t *testing.T) {
	const m = time.Minute
	for name, c := range map[string]struct {
		took []time.Duration
		want time.Duration
	}{
		"nothing known": {nil, time.Hour},
		"too little":    {[]time.Duration{m, m, m, m}, time.Hour},
		"very short":    {[]time.Duration{m, m, m, m, m}, 10 * m},
		"long":          {[]time.Duration{40 * m, 40 * m, 40 * m, 40 * m, 40 * m}, 127 * m},
		"uneven":        {[]time.Duration{10 * m, 30 * m, 10 * m, 30 * m, 10 * m}, 57 * m},
	} {
		var r RunTimes
		for _, took := range c.took {
			r.add(took)
		}
		if got := r.limit(); got != c.want {
			t.Errorf("%s: %s, want %s (%+v)", name, got, c.want, r)
		}
	}
}

// Whatever an entry waits for, it says for what and what a person can do, and
// the wait ends by itself or by that person.
func TestEveryWaitEnds(t *testing.T) {
	type wait struct {
		begin          func(w *world)
		title, summary string
		person         func(w *world) // nil: it ends by itself, within the limit
		limit          time.Duration
		after          func(w *world) bool
	}
	waits := map[Wait]wait{
		NotApproved: {
			begin:  func(w *world) { w.open(1); w.label(1, "ann") },
			person: func(w *world) { w.approve(1, "bob") },
			title:  "Waiting for approval: 0 of 1", summary: "as soon as the branch's rules are met",
		},
		InLine: {
			begin: func(w *world) { w.settings.BatchSize = 1; w.queue(2); w.untilPhase(AttemptTesting); w.queue(1) },
			title: "1st in line", summary: "Taking the label off takes it out", limit: 2 * time.Hour,
		},
		InTest: {
			begin: func(w *world) { w.workflow = oneJob(100 * time.Hour); w.queue(1) },
			title: "Testing", summary: "Taking the label off takes it out", limit: 2 * time.Hour,
		},
		InLanding: {
			begin: func(w *world) {
				w.queue(1)
				w.untilPhase(AttemptTesting)
				for range 100 {
					w.answers = append(w.answers, answer{outcome: OutcomeTransient})
				}
				w.untilPhase(AttemptLanding)
			},
			title: "Testing", limit: landPatience + time.Minute, // the check is not edited for seconds
			after: func(w *world) bool { return w.state.entries[1].Wait != InLanding },
		},
		OnHold: {
			begin:  func(w *world) { w.queue(1); w.mark(hold, 1); w.run(10 * time.Minute) },
			person: func(w *world) { w.mark(unhold, 1) },
			title:  "Tested green and held", summary: "Take the label `hold` off",
		},
		NoRunner: {
			begin: func(w *world) {
				w.workflow = busyRunners([2]time.Duration{-1, 0})
				w.queue(1)
				w.run(40 * time.Minute)
			},
			title: "Waiting for a runner since", summary: "See that this repository has runners", limit: 6 * time.Hour,
			after: func(w *world) bool { return w.state.header.Pause != nil },
		},
		ConditionUnmet: {
			begin: func(w *world) {
				w.settings.When = "pr.files < 5"
				w.queue(1)
				w.change(1, func(p *pull) { p.unmet = "it does not hold" })
				w.run(10 * time.Minute)
			},
			person: func(w *world) { w.change(1, func(p *pull) { p.unmet = "" }) },
			title:  "Waiting for `when: pr.files < 5`", summary: "asks for",
		},
		GitHubUnavailable: {
			begin: func(w *world) {
				read := w.latency
				w.latency = func() time.Duration { return 10 * time.Minute }
				w.after(time.Minute, func() { w.latency = read })
				w.open(1)
				w.approve(1, "bob")
				w.pulls[1].label, w.pulls[1].wish = true, &Wish{ID: w.id(), By: Actor{ID: 101, Login: "ann"}, MayWrite: true, At: w.now}
				w.tell(PullRequestRead{PR: w.read(1)})
			},
			limit: time.Hour,
		},
		// The next three are waits of the queue, told on the page and never an entry's own.
		Paused: {
			begin:  func(w *world) { w.lineUp(1) },
			person: func(w *world) { w.tell(ResumeAsked{By: "ann"}) },
			title:  "in line, the queue is paused", summary: "The queue was paused by `ann`: wait for all",
		},
		BaseRed: {
			begin: func(w *world) {
				w.sharded()
				w.broken = true
				w.queue(1)
				w.runUntil(time.Hour, func() bool { return w.state.baseRed() })
				w.after(30*time.Minute, func() { w.broken = false })
				w.run(6 * time.Minute)
			},
			title: "1st in line, waiting: main itself fails TestClock", summary: "The base is tested again at", limit: 3 * time.Hour,
		},
		InvalidConfig: { // the last good one stays in force
			begin: func(w *world) { w.problem = ".github/mainstay.yml:1:1: no"; w.queue(1) },
			title: "Testing", limit: time.Hour,
		},
	}
	for _, name := range allWaits {
		t.Run(string(name), func(t *testing.T) {
			c, known := waits[name]
			if !known {
				t.Fatalf("nobody says how the wait %q ends", name)
			}
			story(t, func(w *world) {
				c.begin(w)
				w.run(10 * time.Second)
				if e := w.state.entries[1]; name != Paused && name != BaseRed && name != InvalidConfig && (e == nil || e.Wait != name) {
					w.t.Fatalf("#1 does not wait for %s: %s", name, w.where(1))
				}
				w.requireSays(1, c.title, c.summary)
				if c.person != nil {
					w.run(12 * time.Hour)
					c.person(w)
					c.limit = 2 * time.Hour
				}
				if c.after == nil {
					c.after = func(w *world) bool { return w.lastEnd(1) != nil }
				}
				if !w.runUntil(c.limit, func() bool { return c.after(w) }) {
					w.t.Fatalf("the wait for %s did not end in %s: %s", name, c.limit, w.where(1))
				}
				w.answers = nil
			})
		})
	}
}
