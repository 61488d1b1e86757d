package queue

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// Each outcome of the landing push has its own way on, and all of them end well.
func TestLandingOutcomes(t *testing.T) {
	cases := map[string]struct {
		answers []answer
		builds  int64 // attempts it takes
	}{
		"lands":                          {nil, 1},
		"transient, then lands":          {[]answer{{outcome: OutcomeTransient}, {outcome: OutcomeTransient}}, 1},
		"unknown, then lands":            {[]answer{{outcome: OutcomeUnknown}}, 1},
		"unknown, and it had landed":     {[]answer{{outcome: OutcomeUnknown, moves: true}}, 1},
		"unknown, and it lands late":     {[]answer{{outcome: OutcomeUnknown, late: 300 * time.Millisecond}}, 1},
		"transient, and it had landed":   {[]answer{{outcome: OutcomeTransient, moves: true}}, 1},
		"elsewhere, and it had landed":   {[]answer{{outcome: OutcomeElsewhere, moves: true}}, 1},
		"elsewhere, and it lands late":   {[]answer{{outcome: OutcomeElsewhere, late: time.Hour}}, 2},
		"refused, and it had landed":     {[]answer{{outcome: OutcomeRefused, rule: "no", moves: true}}, 1},
		"a green check not yet seen":     {[]answer{{outcome: OutcomeRefused, rule: `Required status check "build" is expected.`}, {outcome: OutcomeRefused, rule: `Required status check "build" is expected.`}}, 1},
		"our own check not yet seen":     {[]answer{{outcome: OutcomeRefused, rule: `Required status check "Mainstay" is expected.`}}, 1},
		"transient for a quarter of one": {slices.Repeat([]answer{{outcome: OutcomeTransient}}, 22), 2},
	}
	for _, name := range sortedNames(cases) {
		c := cases[name]
		t.Run(name, func(t *testing.T) {
			story(t, func(w *world) {
				w.answers = c.answers
				w.queueTogether(1, 2)
				w.untilEnded(1, 2)
				w.requireLanded(1, 2)
				if builds := w.state.header.NextAttempt - 1; builds != c.builds {
					w.t.Fatalf("%d builds, want %d", builds, c.builds)
				}
				if w.state.header.Pause != nil {
					w.t.Fatalf("paused: %+v", w.state.header.Pause)
				}
			})
		})
	}
}

// A rule that refuses stops the queue in GitHub's own words; nobody is thrown out,
// and all of it lands once somebody mended the rule.
func TestRefusedByARule(t *testing.T) {
	for name, rule := range map[string]string{
		"a rule":                         "Changes must be made through a pull request.",
		"a check that is not among ours": `Required status check "deploy" is expected.`,
	} {
		t.Run(name, func(t *testing.T) {
			story(t, func(w *world) {
				w.answers = []answer{{outcome: OutcomeRefused, rule: rule}}
				w.queueTogether(1, 2)
				w.run(30 * time.Minute)
				p := w.state.header.Pause
				if p == nil || p.Rule != rule || !strings.Contains(p.Reason, rule) {
					w.t.Fatalf("pause %+v", p)
				}
				for _, n := range []int{1, 2} {
					if e := w.state.entries[n]; e == nil || e.Phase.Ended() {
						w.t.Fatalf("#%d was not kept: %s", n, w.where(n))
					}
					if w.pulls[n].head != w.state.entries[n].Pinned {
						w.t.Fatalf("#%d's branch was not put back: %s", n, w.pulls[n].head)
					}
				}
				w.tell(ResumeAsked{By: "ann"})
				w.untilEnded(1, 2)
				w.requireLanded(1, 2)
			})
		})
	}
}

// A delay that never ends is a refusal.
func TestAGreenCheckNeverSeen(t *testing.T) {
	story(t, func(w *world) {
		w.answers = slices.Repeat([]answer{{outcome: OutcomeRefused, rule: `Required status check "build" is expected.`}}, 1000)
		w.queueTogether(1, 2)
		w.run(40 * time.Minute)
		if w.state.header.Pause == nil || w.base != "root" {
			w.t.Fatalf("the queue goes on: %+v", w.state.header)
		}
		w.answers = nil
		w.tell(ResumeAsked{By: "ann"})
		w.untilEnded(1, 2)
		w.requireLanded(1, 2)
	})
}

// While GitHub does not answer there is no verdict, and nobody is told a word.
func TestUnknownForHours(t *testing.T) {
	story(t, func(w *world) {
		w.answers = slices.Repeat([]answer{{outcome: OutcomeUnknown}}, 100)
		w.queueTogether(1)
		w.run(time.Hour)
		w.requireWaits(1, InLanding)
		w.untilEnded(1)
		w.requireLanded(1)
	})
}

// The branches were moved, then the landing was given up: a reading from those
// seconds must not throw anybody out for a push that was ours.
func TestOurOwnHeadMovesThrowNobodyOut(t *testing.T) {
	story(t, func(w *world) {
		w.queueTogether(1, 2)
		a := w.untilPhase(AttemptLanding)
		inBetween := w.read(1)
		if inBetween.Head != a.Members[0].Became {
			w.t.Fatalf("the head was not moved: %+v", inBetween)
		}
		w.pushBase()
		w.runUntil(time.Minute, func() bool { return w.state.attempt(a.ID).Phase == AttemptDead })
		w.requireWaits(1, InTest)
		w.tell(PullRequestRead{PR: inBetween})
		w.untilEnded(1, 2)
		w.requireLanded(1, 2)
	})
}

// Runs that our own branch moves start are cancelled, and those of the base are not.
func TestRunsOfOurOwnMovesAreCancelled(t *testing.T) {
	story(t, func(w *world) {
		w.queueTogether(1, 2)
		w.untilEnded(1, 2)
		w.run(5 * time.Minute)
		for _, r := range w.runs {
			if want := r.Event == "pull_request"; want != (r.Conclusion == "cancelled") {
				w.t.Fatalf("run %+v", r.Run)
			}
		}
	})
}

// Each landing is looked back at twice; a doubled answer is not the second look.
func TestAudits(t *testing.T) {
	story(t, func(w *world) {
		w.queue(1)
		w.untilEnded(1)
		landed := w.now
		tip := w.base
		w.run(70 * time.Second)
		a := w.state.attempt(1)
		if a == nil || a.Audits != 1 {
			w.t.Fatalf("a minute after the landing: %+v", a)
		}
		w.tell(Audited{Attempt: 1, Tip: tip, Contains: true, TreeOK: true})
		if a := w.state.attempt(1); a == nil || a.Audits != 1 {
			w.t.Fatalf("a doubled look counted twice: %+v", a)
		}
		w.runUntil(time.Hour, func() bool { return w.state.attempt(1) == nil })
		if after := w.now.Sub(landed); after < 10*time.Minute || after > 11*time.Minute {
			w.t.Fatalf("the last look came %s after the landing", after)
		}
	})
}

// A landed commit that vanished, or another tree in its place, stops the queue loudly.
func TestAuditFindsTrouble(t *testing.T) {
	for name, found := range map[string]Audited{
		"vanished":     {Attempt: 1, Tip: "root"},
		"another tree": {Attempt: 1, Tip: "root", Contains: true},
	} {
		t.Run(name, func(t *testing.T) {
			story(t, func(w *world) {
				w.auditFinds = &found
				w.queue(1)
				w.untilEnded(1)
				w.run(2 * time.Minute)
				p := w.state.header.Pause
				if p == nil || p.Reason == "" {
					w.t.Fatalf("nobody says so: %+v", w.state.header)
				}
				w.queue(2)
				w.run(time.Hour)
				w.requireWaits(2, InLine)
				w.tell(ResumeAsked{By: "ann"})
				w.tell(found) // late and doubled: somebody has looked already
				w.untilEnded(2)
				w.requireLanded(2)
			})
		})
	}
}

// A branch that GitHub won't let us create stops the queue, says so, and loses nobody.
func TestTicketRefused(t *testing.T) {
	story(t, func(w *world) {
		w.ticketRefused = "creations being restricted"
		w.queueTogether(1, 2)
		w.run(10 * time.Minute)
		if p := w.state.header.Pause; p == nil || !strings.Contains(p.Rule, "restricted") {
			w.t.Fatalf("pause %+v", p)
		}
		w.ticketRefused = ""
		w.tell(ResumeAsked{By: "ann"})
		w.untilEnded(1, 2)
		w.requireLanded(1, 2)
	})
}

// Late facts of attempts that are over, or never were, do nothing at all.
func TestLateFactsOfDeadAttempts(t *testing.T) {
	story(t, func(w *world) {
		w.bad[1] = true
		w.queueTogether(1, 2)
		w.untilEnded(1)
		w.requireOut(1, ChecksFailed)
		for _, id := range []int64{1, 2, 77} {
			a := Attempt{New: "nowhere", Old: "root"}
			if x := w.state.attempt(id); x != nil {
				if x.live() {
					continue
				}
				a = *x
			}
			before := string(encoded(w.t, w.state.Rows()))
			for _, f := range []Fact{
				AttemptBuilt{Attempt: id, New: "x", Tree: "x", Members: []Member{{PR: 1, Became: "x"}}, Conflicts: []Conflicting{{PR: 2, WithBase: true}}, Contained: []int{2}},
				BuildFailed{Attempt: id, MissingPR: 2}, TicketPushed{Attempt: id}, TicketFailed{Attempt: id, Detail: "no"},
				ResultsRead{Attempt: id, Results: Results{Runs: []Run{{Event: "push", Status: "completed", Conclusion: "failure"}}, ReadAt: w.now}},
				ShardReported{Commit: a.New, Shard: Shard{Suite: "unit", Total: 1, Result: "failed"}},
				MembersRead{Attempt: id, Base: w.readBase()}, HeadsMoved{Attempt: id}, LandingTried{Attempt: id, Outcome: OutcomeLanded, Tip: "x"},
				LandingTried{Attempt: id, Outcome: OutcomeElsewhere}, Abandoned{Attempt: id, Tip: "x", Contains: true}, Abandoned{Attempt: id, Tip: "x"},
				Audited{Attempt: id}, CheckPosted{PR: 99, Head: "x", ID: 3}, Settled{PR: 99}, LeaveAsked{PR: 99}, LeaveAsked{PR: 1, By: "ann"},
			} {
				w.tell(f)
				if after := string(encoded(w.t, w.state.Rows())); after != before {
					w.t.Fatalf("%T of attempt %d changed the queue:\n%s\n%s", f, id, before, after)
				}
			}
		}
		w.untilEnded(2)
		w.requireLanded(2)
	})
}

// A member that is gone from GitHub when it is read the last time is looked at by itself.
func TestMemberGoneBeforeTheIntent(t *testing.T) {
	story(t, func(w *world) {
		w.queueTogether(1, 2)
		w.untilPhase(AttemptChecking)
		w.hint = func(Fact) {}
		w.gone = 1
		w.membersDelay()
		w.untilEnded(1, 2)
		w.requireOut(1, Closed)
		w.requireLanded(2)
	})
}

// The last reading before the intent may be older than what is known by then: the newer counts.
func TestOldReadingBeforeTheIntent(t *testing.T) {
	story(t, func(w *world) {
		w.queueTogether(1, 2)
		a := w.untilPhase(AttemptChecking)
		old := MembersRead{Attempt: a.ID, PRs: []PullRequest{w.read(1), w.read(2)}, Base: w.readBase()}
		old.PRs[0].Approvals = 0 // one came a moment later
		w.run(10 * time.Millisecond)
		w.tell(PullRequestRead{PR: w.read(1)})
		w.tell(old)
		w.untilEnded(1, 2)
		w.requireLanded(1, 2)
	})
}

// Somebody else's push while we abandon is not overlooked for the age of a reading.
func TestBaseReadBesideAnAbandonedAttempt(t *testing.T) {
	story(t, func(w *world) {
		w.queueTogether(1, 2)
		w.untilPhase(AttemptTesting)
		w.unlabel(1)
		w.runUntil(time.Minute, func() bool { return w.state.attempt(1).Phase == AttemptAbandoning })
		w.run(50 * time.Millisecond) // its own look at the base has begun
		w.hint = func(Fact) {}
		w.pushBase()
		read := w.readBase()
		w.runUntil(time.Minute, func() bool { return w.state.attempt(1).Phase == AttemptDead })
		w.tell(read)
		w.untilEnded(2)
		w.requireLanded(2)
		if builds := w.state.header.NextAttempt - 1; builds > 3 {
			w.t.Fatalf("%d builds", builds)
		}
		if wait := w.now.Sub(dawn); wait > 9*time.Minute {
			w.t.Fatalf("a whole test was run on a base that had moved: %s", wait)
		}
	})
}

// Somebody puts the ticket on the base by hand while one of its members asks anew:
// the books of the batch still add up.
func TestTicketLandedByHand(t *testing.T) {
	story(t, func(w *world) {
		w.queueTogether(1, 2)
		a := w.untilPhase(AttemptTesting)
		w.unlabel(1)
		w.runUntil(time.Minute, func() bool { return a.Phase == AttemptAbandoning || w.state.attempt(a.ID).Phase == AttemptAbandoning })
		w.requireOut(1, LabelRemoved)
		w.running["attempt/1"] = true // GitHub does not answer for a while
		w.label(1, "ann")
		w.run(2 * time.Second)
		w.moveBase(a.New)
		w.run(2 * time.Second)
		delete(w.running, "attempt/1")
		w.untilEnded(1, 2)
	})
}

// The next batch is tested on top of a landing that is still under way. What is red
// there may be red because of what never lands: nobody is blamed before that is known.
func TestRedOnALandingThatFails(t *testing.T) {
	story(t, func(w *world) {
		w.pairs = [][2]int{{1, 2}}
		w.answers = slices.Repeat([]answer{{outcome: OutcomeUnknown}}, 1000)
		w.queue(1)
		w.untilPhase(AttemptLanding)
		w.queue(2)
		w.run(30 * time.Minute)
		w.requireWaits(1, InLanding)
		w.push(1) // and somebody else's push ends the landing
		w.pushBase()
		w.answers = nil
		w.tell(BaseHinted{})
		w.answers = []answer{{outcome: OutcomeElsewhere}}
		w.untilEnded(1, 2)
		w.requireOut(1, HeadMoved)
		w.requireLanded(2)
	})
}

// Where that landing succeeds, the verdict that waited for it counts.
func TestRedOnALandingThatSucceeds(t *testing.T) {
	story(t, func(w *world) {
		w.bad[2] = true
		w.answers = slices.Repeat([]answer{{outcome: OutcomeUnknown}}, 30)
		w.queue(1)
		w.untilPhase(AttemptLanding)
		w.queue(2)
		w.untilEnded(1, 2)
		w.requireLanded(1)
		w.requireOut(2, ChecksFailed)
	})
}

// The next one is tested while the first is being landed, and is red. Whose doing
// that is hangs on the landing: until it is known, the same is not tested again.
func TestRedBehindAnOpenLanding(t *testing.T) {
	story(t, func(w *world) {
		w.workflow = oneJob(5 * time.Second)
		w.bad[2] = true
		w.answers = slices.Repeat([]answer{{outcome: OutcomeTransient}}, 12)
		w.queue(1)
		w.untilPhase(AttemptTesting)
		w.queue(2)
		w.untilEnded(1, 2)
		w.requireLanded(1)
		w.requireOut(2, ChecksFailed)
		if builds := w.state.header.NextAttempt - 1; builds > 3 {
			w.t.Fatalf("%d builds: one of #1, one of #2 on top of it, and one more look at #2", builds)
		}
	})
}
