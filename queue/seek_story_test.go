package queue

import (
	"strings"
	"testing"
	"time"

	"github.com/mainstay-ci/mainstay/queue/shard"
)

// unheard is a workflow of n shards whose jobs end while nobody hears them: what
// they report lies at GitHub only, where it does at all.
func unheard(n int, began bool, left func(i int) shard.Result) func(*world, string, string) {
	return func(w *world, ticket, commit string) {
		r := w.startRun(commit, ticket, "push")
		var ends []func()
		for i := range n {
			c := w.startCheck(r, "test")
			sh := Shard{Suite: "unit", Index: i, Total: n, CheckRun: c.ID, RunID: r.ID, RunTry: 1}
			if began {
				w.tell(ShardStarted{Commit: commit, Shard: sh})
			}
			ends = append(ends, func() {
				c.Status, c.Conclusion = "completed", "success"
				sh.CheckRun, sh.Result = 0, left(i)
				if sh.Result == shard.ResultFailed && !w.holds(commit, 1) {
					sh.Result = shard.ResultPassed // the base is not to blame
				}
				if sh.Result == shard.ResultFailed {
					c.Conclusion, sh.Failed = "failure", []FailedTest{{Name: "TestLost"}}
				}
				if sh.Result != "" {
					w.left[commit] = append(w.left[commit], sh)
				}
			})
		}
		w.after(time.Minute, func() {
			conclusion := "success"
			for i, end := range ends {
				end()
				if left(i) == shard.ResultFailed && w.holds(commit, 1) {
					conclusion = "failure"
				}
			}
			w.finishRun(r, conclusion)
		})
	}
}

func all(r shard.Result) func(int) shard.Result { return func(int) shard.Result { return r } }

// A server that was down while the tests ran finds the reports at GitHub, and they
// count as if they had come: whether it heard the shards begin or not.
func TestReportsThatOnlyGitHubHasAreFound(t *testing.T) {
	for name, began := range map[string]bool{"their beginning was heard": true, "nothing was heard": false} {
		t.Run(name, func(t *testing.T) {
			story(t, func(w *world) {
				w.suiteOf(3)
				w.left, w.workflow = map[string][]Shard{}, unheard(3, began, all(shard.ResultPassed))
				w.queue(1)
				w.untilEnded(1)
				w.requireLanded(1)
				if len(w.sought) != 1 || w.sought[0].Ticket != "mainstay/main/1" || len(w.sought[0].Runs) != 1 {
					w.t.Fatalf("GitHub was asked %+v", w.sought)
				}
			})
		})
	}
}

// A red report that is found names its tests, as one that was sent does.
func TestAFoundReportNamesItsTests(t *testing.T) {
	story(t, func(w *world) {
		w.suiteOf(2)
		w.left, w.workflow = map[string][]Shard{}, unheard(2, true, func(i int) shard.Result {
			return []shard.Result{shard.ResultPassed, shard.ResultFailed}[i]
		})
		w.queue(1)
		w.untilEnded(1)
		w.requireOut(1, ChecksFailed)
		if end := w.lastEnd(1).End; len(end.Tests) != 1 || end.Tests[0].Name != "TestLost" {
			w.t.Fatalf("told %+v", end)
		}
	})
}

// Where GitHub has none either the attempt is red, after one question.
func TestAReportThatIsNowhereIsAskedForOnce(t *testing.T) {
	for name, c := range map[string]struct {
		began  bool
		detail string
	}{"begun": {true, "ended without a report"}, "never heard of": {false, "did not report"}} {
		t.Run(name, func(t *testing.T) {
			story(t, func(w *world) {
				w.suiteOf(2)
				w.left, w.workflow = map[string][]Shard{}, unheard(2, c.began, all(""))
				w.queue(1)
				w.untilEnded(1)
				w.requireOut(1, ChecksFailed)
				if end := w.lastEnd(1).End; !strings.Contains(end.Detail, c.detail) {
					w.t.Fatalf("told %q", end.Detail)
				}
				asked := map[int64]int{}
				for _, x := range w.sought {
					if asked[x.Attempt]++; asked[x.Attempt] > 1 {
						w.t.Fatalf("GitHub was asked %+v", w.sought)
					}
				}
			})
		})
	}
}

// GitHub that does not answer holds an attempt up for two minutes, and no longer.
func TestAnAnswerThatNeverComesIsNotWaitedForLong(t *testing.T) {
	a := reported()
	a.Shards[1].Result = ""
	s := &step{State: &State{attempts: []*Attempt{a}}, now: dawn}
	if v := a.judge(dawn, Defaults()); v.state != pending || !v.seek {
		t.Fatalf("judged %+v before anybody asked", v)
	}
	s.seekReports(a)
	s.seekReports(a)
	if len(s.effects) != 1 || s.effects[0].Task.(FindReports).Runs[0] != 100 {
		t.Fatalf("asked %+v", s.effects)
	}
	for after, want := range map[time.Duration]verdictState{0: pending, seekLimit - time.Second: pending, seekLimit: failed} {
		if v := a.judge(dawn.Add(after), Defaults()); v.state != want {
			t.Errorf("%s later judged %v, want %v", after, v.state, want)
		}
	}
	// An answer to an earlier question ends no wait; the right one does.
	s.takeReportsFound(ReportsFound{Attempt: a.ID, At: dawn.Add(-time.Hour)})
	if v := a.judge(dawn, Defaults()); v.state != pending {
		t.Fatalf("judged %+v by an old answer", v)
	}
	s.takeReportsFound(ReportsFound{Attempt: a.ID, At: dawn})
	if v := a.judge(dawn, Defaults()); v.state != failed {
		t.Fatalf("judged %+v by the answer", v)
	}
}

// A red shard that names its tests is red at once, whatever else is missing.
func TestWhatIsRedAnywayWaitsForNoReport(t *testing.T) {
	a := reported()
	a.Shards[0].Result, a.Shards[0].Failed, a.Shards[1].Result = shard.ResultFailed, []FailedTest{{Name: "TestPay"}}, ""
	if v := a.judge(dawn, Defaults()); v.state != failed {
		t.Fatalf("judged %+v", v)
	}
}

// A fork's runs have no identity: what they left is fetched for the page when the
// pull request enters, when its head moves and when a run of it ends; others' is not.
func TestAForksReportsAreFetchedForItsPage(t *testing.T) {
	story(t, func(w *world) {
		w.open(1)
		w.pulls[1].fork = true
		w.approve(1, "bob")
		w.label(1, "ann")
		w.queue(2)
		w.untilPhase(AttemptTesting)
		if len(w.pullsSought) != 1 || w.pullsSought[0] != (FindPullReports{PR: 1, Head: w.pulls[1].head}) {
			w.t.Fatalf("fetched %+v", w.pullsSought)
		}
		w.tell(ResultsHinted{Commit: w.pulls[1].head, Done: true, PullRun: 77})
		w.tell(ResultsHinted{Commit: w.pulls[2].head, Done: true, PullRun: 78})
		w.run(time.Second)
		if len(w.pullsSought) != 2 || w.pullsSought[1] != (FindPullReports{PR: 1, Head: w.pulls[1].head, Run: 77}) {
			w.t.Fatalf("fetched %+v", w.pullsSought)
		}
	})
}
