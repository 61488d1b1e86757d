package queue

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/mainstay-ci/mainstay/queue/shard"
)

// suiteOf has the queue ask for one suite of so many shards and nothing else.
func (w *world) suiteOf(shards int) {
	w.rules.Checks, w.settings.Suites = nil, map[string]int{"unit": shards}
}

// Without a workflow for our branches nothing ever starts: everybody in the batch is
// told so, after the start limit, with what to add; nobody is searched as a culprit.
func TestNothingStarts(t *testing.T) {
	story(t, func(w *world) {
		w.workflow = nil
		w.queueTogether(1, 2, 3)
		w.untilEnded(1, 2, 3)
		for _, n := range []int{1, 2, 3} {
			w.requireOut(n, NeverStarted)
			if !strings.Contains(w.lastEnd(n).End.Next, "mainstay/**") {
				w.t.Fatalf("#%d is not told what to add: %+v", n, w.lastEnd(n).End)
			}
		}
		if w.state.header.NextAttempt != 2 {
			w.t.Fatalf("%d attempts", w.state.header.NextAttempt-1)
		}
		if wait := w.now.Sub(dawn); wait < 10*time.Minute || wait > 13*time.Minute {
			w.t.Fatalf("told after %s", wait)
		}
	})
}

// A run that hangs ends with the run limit, which counts from the first sign of life.
func TestRunLimit(t *testing.T) {
	story(t, func(w *world) {
		w.settings.RunLimit = 20 * time.Minute
		w.workflow = func(w *world, ticket, commit string) {
			w.after(5*time.Minute, func() { w.startCheck(w.startRun(commit, ticket, "push"), "build") })
		}
		w.queue(1)
		w.untilEnded(1)
		w.requireOut(1, TimedOut)
		if wait := w.now.Sub(dawn); wait < 25*time.Minute || wait > 27*time.Minute {
			w.t.Fatalf("told after %s", wait)
		}
		w.run(time.Minute)
		if len(w.cancelled) != 1 {
			w.t.Fatalf("the hanging run was not cancelled: %v", w.cancelled)
		}
	})
}

// A plan that names nothing: every run green, and quiet for 30 s after the last one showed.
func TestPlanNamesNothing(t *testing.T) {
	for _, red := range []bool{false, true} {
		story(t, func(w *world) {
			w.rules.Checks = nil
			w.workflow = func(w *world, ticket, commit string) {
				w.after(2*time.Second, func() {
					first := w.startRun(commit, ticket, "push")
					w.after(5*time.Second, func() { w.finishRun(first, "success") })
				})
				w.after(20*time.Second, func() { // a second workflow, late
					second := w.startRun(commit, ticket, "push")
					w.after(3*time.Minute, func() { w.finishRun(second, map[bool]string{true: "failure", false: "success"}[red]) })
				})
			}
			w.queue(1)
			w.untilEnded(1)
			if red {
				w.requireOut(1, ChecksFailed)
				return
			}
			w.requireLanded(1)
		})
	}
}

// A quick workflow is not landed on before the quiet time has passed.
func TestQuietTime(t *testing.T) {
	story(t, func(w *world) {
		w.rules.Checks, w.workflow = nil, oneJob(3*time.Second)
		w.queue(1)
		w.untilEnded(1)
		w.requireLanded(1)
		if wait := w.now.Sub(dawn); wait < 30*time.Second || wait > time.Minute {
			w.t.Fatalf("landed after %s", wait)
		}
	})
}

// job is a workflow of one job whose conclusion and event the test chooses.
func job(name, conclusion, event string) func(*world, string, string) {
	return func(w *world, ticket, commit string) {
		w.after(2*time.Second, func() {
			r := w.startRun(commit, ticket, event)
			c := w.startCheck(r, name)
			w.after(time.Minute, func() {
				c.Status, c.Conclusion = "completed", conclusion
				w.finishRun(r, "success")
			})
		})
	}
}

// Only success is green, and only from a run that our push of the ticket started.
func TestWhatCountsAsGreen(t *testing.T) {
	cases := map[string]struct {
		workflow  func(*world, string, string)
		skippedOK bool
		lands     bool
		why       Reason
	}{
		"success":                     {workflow: job("build", "success", "push"), lands: true},
		"failure":                     {workflow: job("build", "failure", "push"), why: ChecksFailed},
		"skipped":                     {workflow: job("build", "skipped", "push"), why: ChecksFailed},
		"neutral":                     {workflow: job("build", "neutral", "push"), why: ChecksFailed},
		"cancelled":                   {workflow: job("build", "cancelled", "push"), why: ChecksFailed},
		"stale":                       {workflow: job("build", "stale", "push"), why: ChecksFailed},
		"skipped where that is fine":  {workflow: job("build", "skipped", "push"), skippedOK: true, lands: true},
		"failure where skips are":     {workflow: job("build", "failure", "push"), skippedOK: true, why: ChecksFailed},
		"of a pull_request run":       {workflow: job("build", "success", "pull_request"), why: TimedOut},
		"red of a pull_request run":   {workflow: job("build", "failure", "pull_request"), why: TimedOut},
		"of another name":             {workflow: job("built", "success", "push"), why: NeverStarted},
		"of another branch's push":    {workflow: func(w *world, _, commit string) { job("build", "success", "push")(w, "topic-9", commit) }, why: TimedOut},
		"green on push, red on other": {workflow: both(job("build", "success", "push"), job("build", "failure", "pull_request")), lands: true},
		"red on push, green on other": {workflow: both(job("build", "failure", "push"), job("build", "success", "pull_request")), why: ChecksFailed},
	}
	for _, name := range sortedNames(cases) {
		c := cases[name]
		t.Run(name, func(t *testing.T) {
			story(t, func(w *world) {
				w.rules.Checks[0].SkippedOK = c.skippedOK
				w.workflow = c.workflow
				w.queue(1)
				w.untilEnded(1)
				if c.lands {
					w.requireLanded(1)
				} else {
					w.requireOut(1, c.why)
				}
			})
		})
	}
}

func both(a, b func(*world, string, string)) func(*world, string, string) {
	return func(w *world, ticket, commit string) {
		a(w, ticket, commit)
		b(w, ticket, commit)
	}
}

// A required check that appears twice, once from another App: ours is the one the rule names.
func TestCheckOfAnotherApp(t *testing.T) {
	for _, theirs := range []string{"success", "failure"} {
		story(t, func(w *world) {
			mine := map[string]string{"success": "failure", "failure": "success"}[theirs]
			w.workflow = func(w *world, ticket, commit string) {
				w.checks[commit] = append(w.checks[commit], &CheckResult{ID: w.id(), Name: "build", App: 99, Status: "completed", Conclusion: theirs})
				job("build", mine, "push")(w, ticket, commit)
			}
			w.queue(1)
			w.untilEnded(1)
			if mine == "success" {
				w.requireLanded(1)
			} else {
				w.requireOut(1, ChecksFailed)
			}
		})
	}
}

// A commit status counts where a check of that name is asked of any App.
func TestCommitStatus(t *testing.T) {
	for state, lands := range map[string]bool{"success": true, "failure": false, "error": false} {
		t.Run(state, func(t *testing.T) {
			story(t, func(w *world) {
				w.rules.Checks = []NamedCheck{{Name: "jenkins"}}
				w.workflow = func(w *world, ticket, commit string) {
					w.statuses[commit] = []StatusLine{{Context: "jenkins", State: "pending"}}
					w.hint(ResultsHinted{Commit: commit})
					oneJob(time.Minute)(w, ticket, commit)
					w.after(2*time.Minute, func() {
						w.statuses[commit] = []StatusLine{{Context: "jenkins", State: state}}
						w.hint(ResultsHinted{Commit: commit, Done: true})
					})
				}
				w.queue(1)
				w.untilEnded(1)
				if lands {
					w.requireLanded(1)
				} else {
					w.requireOut(1, ChecksFailed)
				}
			})
		})
	}
}

// A check from elsewhere may well take longer than our workflow and the start limit:
// while it is seen running, and for a while after the runs ended, nobody is told off.
func TestCheckThatOutlastsTheWorkflow(t *testing.T) {
	cases := map[string]struct{ shows, ends time.Duration }{
		"seen running for long":      {time.Minute, 30 * time.Minute},
		"shows after the runs ended": {16 * time.Minute, 18 * time.Minute},
	}
	for _, name := range sortedNames(cases) {
		c := cases[name]
		t.Run(name, func(t *testing.T) {
			story(t, func(w *world) {
				w.rules.Checks = append(w.rules.Checks, NamedCheck{Name: "preview", App: 99})
				w.workflow = func(w *world, ticket, commit string) {
					oneJob(15*time.Minute)(w, ticket, commit)
					check := &CheckResult{Name: "preview", App: 99, Status: "in_progress"}
					w.after(c.shows, func() { w.checks[commit] = append(w.checks[commit], check) })
					w.after(c.ends, func() {
						check.Status, check.Conclusion = "completed", "success"
						w.hint(ResultsHinted{Commit: commit, Done: true})
					})
				}
				w.queueTogether(1, 2)
				w.untilEnded(1, 2)
				w.requireLanded(1, 2)
			})
		})
	}
}

// A required check that never shows is told as such some time after the runs ended.
func TestCheckThatNeverShows(t *testing.T) {
	story(t, func(w *world) {
		w.rules.Checks = append(w.rules.Checks, NamedCheck{Name: "preview", App: 99})
		w.workflow = oneJob(15 * time.Minute)
		w.queueTogether(1, 2)
		w.untilEnded(1, 2)
		w.requireOut(1, NeverStarted)
		w.requireOut(2, NeverStarted)
		if wait := w.now.Sub(dawn); wait < 25*time.Minute || wait > 28*time.Minute {
			w.t.Fatalf("told after %s", wait)
		}
	})
}

// reporting is a workflow of shard jobs; tell may change what a shard says and how its job ends.
func reporting(n int, tell func(sh *Shard, job *string) (reports bool)) func(*world, string, string) {
	return func(w *world, ticket, commit string) {
		w.after(time.Second, func() {
			r := w.startRun(commit, ticket, "push")
			w.after(2*time.Minute, func() {
				conclusion := "success"
				for i := range n {
					c := w.startCheck(r, "test")
					sh := Shard{Suite: "unit", Index: i, Total: n, CheckRun: c.ID, RunID: r.ID, RunTry: 1, Result: shard.ResultPassed, Inventory: "all"}
					c.Status, c.Conclusion = "completed", "success"
					if tell(&sh, &c.Conclusion) {
						w.tell(ShardReported{Commit: commit, Shard: sh})
					}
					if c.Conclusion != "success" {
						conclusion = c.Conclusion
					}
				}
				w.finishRun(r, conclusion)
			})
		})
	}
}

// planned has each shard say which units of one plan it ran.
func planned(units int, ran [][]int) func(sh *Shard, job *string) bool {
	return func(sh *Shard, _ *string) bool {
		set := shard.NewUnits(units)
		for _, i := range ran[sh.Index] {
			set.Add(i)
		}
		sh.Plan, sh.Units, sh.Ran = "pl_1", units, set.String()
		return true
	}
}

// Shards add up to green only when all of them reported green and GitHub says so, too.
func TestShards(t *testing.T) {
	cases := map[string]struct {
		tell  func(sh *Shard, job *string) bool
		lands bool
		says  string
	}{
		"all green": {tell: func(*Shard, *string) bool { return true }, lands: true},
		"flaky and quarantined are green": {tell: func(sh *Shard, _ *string) bool {
			sh.Result = []shard.Result{shard.ResultFlaky, shard.ResultQuarantined, shard.ResultPassed}[sh.Index]
			return true
		}, lands: true},
		"report green, job red": {tell: func(sh *Shard, job *string) bool {
			if sh.Index == 1 {
				*job = "failure"
			}
			return true
		}, says: "concluded failure"},
		"job green, report red": {tell: func(sh *Shard, _ *string) bool {
			if sh.Index == 1 {
				sh.Result, sh.Failed = shard.ResultFailed, []FailedTest{{Name: "TestX"}}
			}
			return true
		}, says: "failed"},
		"red without a test": {tell: func(sh *Shard, job *string) bool {
			if sh.Index == 2 {
				sh.Result, *job = shard.ResultError, "failure"
			}
			return true
		}, says: "without naming a test"},
		"incomplete": {tell: func(sh *Shard, _ *string) bool {
			if sh.Index == 2 {
				sh.Result = shard.ResultIncomplete
			}
			return true
		}, says: "shard 3 of 3"},
		"one shard never reports":   {tell: func(sh *Shard, _ *string) bool { return sh.Index != 2 }, says: "only 2 of 3"},
		"no shard reports":          {tell: func(sh *Shard, _ *string) bool { return false }, says: "did not report"},
		"another number of shards":  {tell: func(sh *Shard, _ *string) bool { sh.Total = 4; return true }, says: "3 were expected"},
		"another inventory":         {tell: func(sh *Shard, _ *string) bool { sh.Inventory = string(rune('a' + sh.Index)); return true }, says: "same list"},
		"one of another suite only": {tell: func(sh *Shard, _ *string) bool { sh.Suite = "lint"; return true }, says: "did not report"},
		"all of the plan ran":       {tell: planned(5, [][]int{{0, 3}, {1, 4}, {2}}), lands: true},
		"some of it ran twice":      {tell: planned(5, [][]int{{0, 3, 1}, {1, 4, 2}, {0, 1, 2, 3, 4}}), lands: true},
		"a part of it never ran":    {tell: planned(5, [][]int{{0}, {1, 4}, {2}}), says: "1 of 5 items of `unit` never ran"},
		"nothing of it ran":         {tell: planned(5, [][]int{{}, {}, {}}), says: "5 of 5 items"},
		"a suite without items":     {tell: planned(0, [][]int{{}, {}, {}}), lands: true},
		"one cut its slice by itself": {tell: func(sh *Shard, job *string) bool {
			planned(4, [][]int{{0, 3}, {1}, {2}})(sh, job)
			if sh.Index == 0 {
				sh.Plan, sh.Units, sh.Ran = "", 0, ""
			}
			return true
		}, says: "shard 1 of 3 of `unit` did not run by the plan of the others"},
		"one went by another plan": {tell: func(sh *Shard, job *string) bool {
			planned(5, [][]int{{0, 3}, {1, 4}, {2}})(sh, job)
			if sh.Index == 2 {
				sh.Plan = "pl_2"
			}
			return true
		}, says: "shard 3 of 3"},
		"one does not say what it ran": {tell: func(sh *Shard, job *string) bool {
			planned(5, [][]int{{0, 3}, {1, 4}, {2}})(sh, job)
			if sh.Index == 1 {
				sh.Ran = "????"
			}
			return true
		}, says: "shard 2 of 3"},
	}
	for _, name := range sortedNames(cases) {
		c := cases[name]
		t.Run(name, func(t *testing.T) {
			story(t, func(w *world) {
				w.suiteOf(3)
				w.workflow = func(w *world, ticket, commit string) {
					if w.holds(commit, 1) {
						reporting(3, c.tell)(w, ticket, commit)
					} else {
						shards(3, time.Minute)(w, ticket, commit) // the base is green
					}
				}
				w.queue(1)
				w.untilEnded(1)
				if c.lands {
					w.requireLanded(1)
					return
				}
				w.requireOut(1, ChecksFailed)
				if detail := w.lastEnd(1).End.Detail; !strings.Contains(detail, c.says) {
					w.t.Fatalf("#1 is told %q, want %q", detail, c.says)
				}
			})
		})
	}
}

// A quick workflow beside the one with the shards ends before the other shows: that
// is no missing suite yet.
func TestQuickWorkflowBesideTheShards(t *testing.T) {
	story(t, func(w *world) {
		w.suiteOf(2)
		w.workflow = func(w *world, ticket, commit string) {
			w.after(time.Second, func() {
				lint := w.startRun(commit, ticket, "push")
				w.after(2*time.Second, func() { w.finishRun(lint, "success") })
			})
			w.after(8*time.Second, func() { shards(2, time.Minute)(w, ticket, commit) })
		}
		w.queueTogether(1, 2)
		w.untilEnded(1, 2)
		w.requireLanded(1, 2)
	})
}

// A suite seen on the base must be seen again, though no setting names it.
func TestSuiteSeenOnTheBase(t *testing.T) {
	story(t, func(w *world) {
		w.rules.Checks = nil
		w.workflow = shards(2, time.Minute)
		w.queue(1)
		w.untilEnded(1)
		w.requireLanded(1)
		w.workflow = oneJob(time.Minute) // the shards are gone
		w.queue(2)
		w.untilEnded(2)
		w.requireOut(2, ChecksFailed)
	})
}

// A shard that is run again has the last word, and only a later try has.
func TestShardRunAgain(t *testing.T) {
	story(t, func(w *world) {
		w.suiteOf(1)
		w.workflow = func(w *world, ticket, commit string) {
			r := w.startRun(commit, ticket, "push")
			c := w.startCheck(r, "test")
			sh := Shard{Suite: "unit", Total: 1, CheckRun: c.ID, RunID: r.ID, RunTry: 1}
			w.after(time.Minute, func() { w.tell(ShardStarted{Commit: commit, Shard: sh}) })
			w.after(2*time.Minute, func() { // a person cancels nothing, but runs it again
				sh.RunTry = 2
				w.tell(ShardStarted{Commit: commit, Shard: sh})
			})
			w.after(3*time.Minute, func() {
				late := sh
				late.RunTry, late.Result = 1, shard.ResultFailed
				w.tell(ShardReported{Commit: commit, Shard: late})
				sh.Result = shard.ResultPassed
				w.tell(ShardReported{Commit: commit, Shard: sh})
				w.tell(ShardReported{Commit: commit, Shard: late})
				w.tell(ShardStarted{Commit: commit, Shard: late})
				c.Status, c.Conclusion = "completed", "success"
				w.finishRun(r, "success")
			})
		}
		w.queue(1)
		w.untilEnded(1)
		w.requireLanded(1)
	})
}

// Facts that name a commit we do not know, or none, are nobody's.
func TestResultsOfAnotherCommit(t *testing.T) {
	story(t, func(w *world) {
		w.suiteOf(1)
		w.workflow = shards(1, 2*time.Minute)
		w.queue(1)
		w.untilPhase(AttemptTesting)
		for _, commit := range []string{"", "another", w.pulls[1].head} {
			w.tell(ShardReported{Commit: commit, Shard: Shard{Suite: "unit", Total: 1, Result: shard.ResultFailed}})
			w.tell(ResultsHinted{Commit: commit, Done: true})
		}
		w.untilEnded(1)
		w.requireLanded(1)
	})
}

// A push of the ticket whose answer nobody heard may have started CI long ago, and
// its end may have been told to nobody: who finds the ticket in place looks at once.
func TestATicketThatStandsAlready(t *testing.T) {
	story(t, func(w *world) {
		tell, ended := w.hint, false
		w.workflow = func(w *world, ticket, commit string) {
			w.hint = func(Fact) {}
			r := w.startRun(commit, ticket, "push")
			w.startCheck(r, "build").Status = "completed"
			w.checks[commit][0].Conclusion = "success"
			w.finishRun(r, "success")
			w.hint, ended = tell, true
		}
		w.queue(1)
		if !w.runUntil(time.Minute, func() bool { return ended }) {
			w.t.Fatalf("no ticket was pushed")
		}
		began := w.now
		w.crash() // before the push's answer
		w.untilEnded(1)
		w.requireLanded(1)
		if took := w.now.Sub(began); took > 30*time.Second {
			w.t.Fatalf("it took %s to see that CI had ended", took)
		}
	})
}

// What failed without holding anybody up is named on the check: a green that
// hides it would be half the truth.
func TestAFlakeIsToldThoughItLands(t *testing.T) {
	story(t, func(w *world) {
		w.rules.Checks = nil
		w.workflow = reporting(1, func(sh *Shard, _ *string) bool {
			sh.Result = shard.ResultFlaky
			sh.Flaky = []FailedTest{{Name: "TestCart"}}
			for i := range 12 {
				sh.Muted = append(sh.Muted, FailedTest{Name: fmt.Sprintf("TestMail%d", i)})
			}
			return true
		})
		w.queueTogether(1)
		w.untilEnded(1)
		w.requireLanded(1)
		summary := w.pulls[1].check["head-1.1"].Summary
		for _, want := range []string{"`TestCart` failed, then passed: flaky.", "`TestMail0` failed; it is in quarantine.", "and 3 more."} {
			if !strings.Contains(summary, want) {
				w.t.Fatalf("the check does not say %q: %s", want, summary)
			}
		}
		w.run(time.Minute)
		if len(w.lessons) != 1 || w.lessons[0].Commit == "" || w.lessons[0].Red || w.lessons[0].Term != Defaults().Quarantine {
			w.t.Fatalf("to be learnt: %+v", w.lessons)
		}
	})
}
