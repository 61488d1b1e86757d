package queue

import (
	"strings"
	"testing"
	"time"
)

// The road everybody walks: a writer's label on an approved pull request lands it.
func TestLabelByAWriterLands(t *testing.T) {
	story(t, func(w *world) {
		w.queue(1)
		w.untilEnded(1)
		w.requireLanded(1)
		w.run(time.Hour)
		if w.pulls[1].status != Merged {
			w.t.Fatalf("GitHub shows #1 as %s", w.pulls[1].status)
		}
		if len(w.receipts) != 1 || w.receipts[0].Commit != w.base || w.receipts[0].Old != "root" {
			w.t.Fatalf("receipts %+v", w.receipts)
		}
		if n := len(w.state.entries) + len(w.state.batches) + len(w.state.attempts); n != 0 {
			w.t.Fatalf("%d rows are left of a queue at rest: %+v", n, w.state.Rows())
		}
	})
}

// A triager may set labels but not land: the label goes, with a word on why.
func TestLabelByATriagerIsRefused(t *testing.T) {
	story(t, func(w *world) {
		w.open(1)
		w.approve(1, "bob")
		w.label(1, "tim")
		w.untilEnded(1)
		w.requireOut(1, NotPermitted)
		w.run(time.Minute)
		if w.pulls[1].label || !strings.Contains(w.pulls[1].comment, "tim") {
			w.t.Fatalf("label %v, comment %q", w.pulls[1].label, w.pulls[1].comment)
		}
	})
}

// Approval may come after the label: until then the entry waits and says for what.
func TestWaitsForApprovalThenLands(t *testing.T) {
	story(t, func(w *world) {
		w.open(1)
		w.label(1, "ann")
		w.run(10 * time.Minute)
		w.requireWaits(1, NotApproved)
		w.approve(1, "bob")
		w.untilEnded(1)
		w.requireLanded(1)
	})
}

// An approval speaks of one head only; whoever pushes after it must ask again.
func TestApprovalOfAnOldHeadDoesNotCount(t *testing.T) {
	story(t, func(w *world) {
		w.open(1)
		w.approve(1, "bob")
		w.push(1)
		w.label(1, "ann")
		w.run(30 * time.Minute)
		w.requireWaits(1, NotApproved)
		if c := w.pulls[1].check[w.pulls[1].head]; !strings.Contains(c.Title, "0 of 1") || !strings.Contains(c.Title, "older head") {
			w.t.Fatalf("the check says %q", c.Title)
		}
		w.approve(1, "bob")
		w.untilEnded(1)
		w.requireLanded(1)
	})
}

// Requested changes hold an entry back however many approve.
func TestChangesRequestedHoldBack(t *testing.T) {
	story(t, func(w *world) {
		w.open(1)
		w.approve(1, "bob")
		w.change(1, func(p *pull) { p.changes = []string{"eve"} })
		w.label(1, "ann")
		w.run(10 * time.Minute)
		w.requireWaits(1, NotApproved)
		w.change(1, func(p *pull) { p.changes = nil })
		w.untilEnded(1)
		w.requireLanded(1)
	})
}

// A pull request that only waits and loses its approval goes on asking; it is not out.
func TestApprovalLostWhileWaiting(t *testing.T) {
	story(t, func(w *world) {
		w.tell(PauseAsked{By: "ann", Reason: "lunch"})
		w.queue(1, 2)
		w.run(time.Minute)
		w.dismiss(1)
		w.run(time.Minute)
		w.requireWaits(1, NotApproved)
		w.tell(ResumeAsked{By: "ann"})
		w.untilEnded(2)
		w.requireLanded(2)
		w.approve(1, "bob")
		w.untilEnded(1)
		w.requireLanded(1)
	})
}

// What somebody does to a queued pull request takes it out in every phase before
// the intent, with the reason of what was done; everybody else still lands.
func TestDoneToAQueuedPullRequest(t *testing.T) {
	deeds := map[string]struct {
		do  func(w *world)
		why Reason
	}{
		"push":      {func(w *world) { w.push(1) }, HeadMoved},
		"label off": {func(w *world) { w.unlabel(1) }, LabelRemoved},
		"draft":     {func(w *world) { w.change(1, func(p *pull) { p.draft = true }) }, Draft},
		"closed":    {func(w *world) { w.change(1, func(p *pull) { p.status = ClosedStatus }) }, Closed},
		"retarget":  {func(w *world) { w.change(1, func(p *pull) { p.base = "dev" }) }, Retargeted},
		"left":      {func(w *world) { w.tell(LeaveAsked{PR: 1, By: "ann"}) }, Withdrawn},
		"merged": {func(w *world) {
			w.commits[w.pulls[1].head] = commit{parent: w.base}
			w.moveBase(w.pulls[1].head)
		}, LandedElsewhere},
	}
	moments := map[string]func(w *world){
		"waiting": func(w *world) {
			w.tell(PauseAsked{By: "ann", Reason: "wait"})
			w.queue(1, 2, 3)
			w.run(time.Minute)
			w.requireWaits(1, InLine)
			w.after(time.Minute, func() { w.tell(ResumeAsked{By: "ann"}) })
		},
		"building": func(w *world) { w.queueTogether(1, 2, 3); w.untilPhase(AttemptBuilding) },
		"pushing":  func(w *world) { w.queueTogether(1, 2, 3); w.untilPhase(AttemptPushing) },
		"testing":  func(w *world) { w.queueTogether(1, 2, 3); w.untilPhase(AttemptTesting); w.run(time.Minute) },
		"checking": func(w *world) { w.queueTogether(1, 2, 3); w.untilPhase(AttemptChecking) },
	}
	for _, deed := range sortedNames(deeds) {
		for _, moment := range sortedNames(moments) {
			if deed == "push" && moment == "waiting" {
				continue // it goes back to be judged: TestPushedWhileWaiting
			}
			t.Run(deed+" while "+moment, func(t *testing.T) {
				story(t, func(w *world) {
					w.workflow = oneJob(4 * time.Minute)
					moments[moment](w)
					if moment == "checking" {
						w.hint = func(Fact) {} // only the last reading can tell
						w.membersDelay()
					}
					deeds[deed].do(w)
					w.untilEnded(1, 2, 3)
					w.requireOut(1, deeds[deed].why)
					w.requireLanded(2, 3)
				})
			})
		}
	}
}

// An approval withdrawn while it is tested takes it out: the tested head is not approved any more.
func TestApprovalWithdrawnWhileTested(t *testing.T) {
	for _, moment := range []string{"seen by its webhook", "between green and intent"} {
		t.Run(moment, func(t *testing.T) {
			story(t, func(w *world) {
				w.queueTogether(1, 2)
				if moment == "seen by its webhook" {
					w.untilPhase(AttemptTesting)
					w.run(time.Minute)
				} else {
					w.untilPhase(AttemptChecking)
					w.hint = func(Fact) {}
					w.membersDelay()
				}
				w.dismiss(1)
				w.untilEnded(1, 2)
				w.requireOut(1, ApprovalLost)
				w.requireLanded(2)
			})
		})
	}
}

// After the intent the pinned head lands whatever is done to the pull request.
func TestAfterTheIntentThePinnedHeadLands(t *testing.T) {
	for _, phase := range []AttemptPhase{AttemptMoving, AttemptLanding} {
		t.Run(string(phase), func(t *testing.T) {
			story(t, func(w *world) {
				w.queueTogether(1, 2)
				w.untilPhase(phase)
				if phase == AttemptLanding {
					w.push(1)
				}
				w.unlabel(2)
				w.tell(PullRequestRead{PR: w.read(1)}) // such readings were under way already
				w.tell(PullRequestRead{PR: w.read(2)})
				w.untilEnded(1, 2)
				w.requireLanded(1, 2)
			})
		})
	}
}

// One push can still stop it: where the lease of the head move finds another head, that
// head was never approved, and what is done meanwhile to the others counts again.
func TestHeadFoundElsewhereAfterTheIntent(t *testing.T) {
	for _, lost := range []bool{false, true} {
		story(t, func(w *world) {
			w.queueTogether(1, 2, 3)
			w.untilPhase(AttemptMoving)
			if lost {
				w.hint = func(Fact) {}
			}
			w.push(1)
			w.unlabel(2)
			w.untilEnded(1, 2, 3)
			w.requireOut(1, HeadMoved)
			w.requireOut(2, LabelRemoved)
			w.requireLanded(3)
			if got := w.pulls[2].head; got != "head-2.1" {
				w.t.Fatalf("#2's branch was not put back: %s", got)
			}
		})
	}
}

// A wish is used once; only a new label asks again.
func TestOutThenLabelledAgain(t *testing.T) {
	story(t, func(w *world) {
		w.bad[1] = true
		w.queue(1)
		w.untilEnded(1)
		w.requireOut(1, ChecksFailed)
		old := w.read(1)
		old.Wish = &Wish{ID: w.lastEnd(1).Wish.ID, By: Actor{ID: 101, Login: "ann"}, MayWrite: true}
		w.run(2 * time.Minute)
		old.ReadAt = w.now
		w.tell(PullRequestRead{PR: old}) // the same wish, still or again to be seen
		w.run(10 * time.Minute)
		if e := w.state.entries[1]; e != nil && !e.Phase.Ended() {
			w.t.Fatalf("the used wish is back in line: %+v", e)
		}
		w.bad[1] = false
		w.label(1, "ann")
		w.untilEnded(1)
		w.requireLanded(1)
	})
}

// A closed pull request that is opened again with the label still on it does not use its old wish twice.
func TestReopenedWithTheOldLabel(t *testing.T) {
	story(t, func(w *world) {
		w.tell(PauseAsked{By: "ann", Reason: "wait"})
		w.queue(1)
		w.run(time.Minute)
		wish := w.pulls[1].wish
		w.change(1, func(p *pull) { p.status = ClosedStatus })
		w.run(time.Minute)
		w.requireOut(1, Closed)
		w.change(1, func(p *pull) { p.label, p.wish = true, wish }) // it was never really off
		w.run(time.Minute)
		w.change(1, func(p *pull) { p.status = Open })
		w.run(10 * time.Minute)
		if e := w.state.entries[1]; e != nil && !e.Phase.Ended() {
			w.t.Fatalf("the used wish is back in line: %+v", e)
		}
		w.unlabel(1)
		w.run(time.Minute)
	})
}

// Readings can come late: what began before the newest one says nothing.
func TestAnOldReadingIsIgnored(t *testing.T) {
	story(t, func(w *world) {
		w.tell(PauseAsked{By: "ann", Reason: "wait"})
		w.open(1)
		w.approve(1, "bob")
		unlabelled := w.read(1)
		w.run(time.Minute)
		w.label(1, "ann")
		w.run(time.Minute)
		w.requireWaits(1, InLine)
		w.tell(PullRequestRead{PR: unlabelled})
		w.requireWaits(1, InLine)
		old := w.readBase()
		old.Tip, old.ReadAt = "nowhere", dawn.Add(-time.Second)
		w.tell(old)
		if w.state.header.Tip != "root" {
			w.t.Fatalf("the tip is %s", w.state.header.Tip)
		}
		w.tell(ResumeAsked{By: "ann"})
		w.untilEnded(1)
		w.requireLanded(1)
	})
}

// With every webhook lost the sweep alone gets everything landed.
func TestEveryWebhookLost(t *testing.T) {
	for name, workflow := range map[string]func(*world, string, string){"a check": oneJob(3 * time.Minute), "shards": shards(3, 3*time.Minute)} {
		t.Run(name, func(t *testing.T) {
			story(t, func(w *world) {
				if name == "shards" {
					w.rules.Checks = nil
					w.settings.Suites = map[string]int{"unit": 3}
				}
				w.workflow = workflow
				w.hint = func(Fact) {}
				w.tell(BaseHinted{}) // the engine's own word at its start
				w.bad[3] = true
				w.queue(1, 2, 3)
				w.open(4)
				w.label(4, "ann")
				w.run(20 * time.Minute)
				w.approve(4, "bob")
				w.untilEnded(1, 2, 3, 4)
				w.requireLanded(1, 2, 4)
				w.requireOut(3, ChecksFailed)
			})
		})
	}
}

// The end of a pull request whose webhooks are lost is found as well.
func TestEndsWithEveryWebhookLost(t *testing.T) {
	story(t, func(w *world) {
		w.tell(PauseAsked{By: "ann", Reason: "wait"})
		w.queue(1, 2)
		w.run(time.Minute)
		w.hint = func(Fact) {}
		w.change(1, func(p *pull) { p.status = ClosedStatus })
		w.unlabel(2)
		w.untilEnded(1, 2)
		w.requireOut(1, Closed)
		w.requireOut(2, LabelRemoved)
		w.run(30 * time.Minute)
		if n := len(w.state.entries); n != 0 {
			w.t.Fatalf("%d entries are kept for ever", n)
		}
	})
}
