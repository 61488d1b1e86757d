package queue

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mainstay-ci/mainstay/queue/shard"
)

// told is every attempt a world made, as "pull requests: tests", in order.
type told struct {
	seen  map[int64]bool
	lines []string
}

// attemptsOf has the attempts written down as they are made.
func (w *world) attemptsOf(limit time.Duration, until func() bool) []string {
	w.t.Helper()
	log := told{seen: map[int64]bool{}}
	w.runUntil(limit, func() bool {
		for _, a := range w.state.attempts {
			if log.seen[a.ID] {
				continue
			}
			log.seen[a.ID] = true
			what := "all"
			if a.narrow() {
				what = strings.Join(testNames(a.Narrow), " ")
			}
			who := fmt.Sprint(a.numbers())
			if a.OnBase {
				who = "base"
			}
			log.lines = append(log.lines, who+": "+what)
		}
		return until()
	})
	return log.lines
}

// over reports whether all of these have ended.
func (w *world) over(numbers ...int) func() bool {
	return func() bool {
		return !slices.ContainsFunc(numbers, func(n int) bool { return w.lastEnd(n) == nil })
	}
}

func (w *world) requireAttempts(got, want []string) {
	w.t.Helper()
	if !slices.Equal(got, want) {
		w.t.Fatalf("attempts\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// rewrite changes what the queue knows behind its back.
func (w *world) rewrite(how func(h *Header)) {
	how(&w.state.header)
	w.rows.header = encoded(w.t, w.state.header)
}

// sharded is a queue whose suite reports in three shards.
func (w *world) sharded() {
	w.suiteOf(3)
	w.workflow = shards(3, 4*time.Minute)
}

// Given a red batch whose shards name the failing test, when its culprit is
// searched, then only that test runs on the parts, whoever passes it goes back in
// line, and they land after a full test together.
func TestNarrowSearch(t *testing.T) {
	story(t, func(w *world) {
		w.sharded()
		w.bad[3] = true
		w.queueTogether(1, 2, 3, 4, 5, 6)
		got := w.attemptsOf(12*time.Hour, w.over(1, 2, 3, 4, 5, 6))
		w.requireAttempts(got, []string{
			"[1 2 3 4 5 6]: all", "[1 2 3]: TestOf3", "[1]: TestOf3", "[2]: TestOf3", "[3]: TestOf3", "[1 2 4 5 6]: all",
		})
		w.requireOut(3, ChecksFailed)
		w.requireLanded(1, 2, 4, 5, 6)
	})
}

// Given free slots, then the parts are searched side by side.
func TestNarrowSearchSideBySide(t *testing.T) {
	story(t, func(w *world) {
		w.sharded()
		w.bad[3] = true
		w.settings.BatchSize = 8
		w.queueTogether(1, 2, 3, 4, 5, 6, 7, 8)
		w.run(4*time.Minute + time.Second + 50*time.Millisecond)
		w.settings.Parallel = 4 // from just before the report on
		w.rewrite(func(h *Header) { h.Settings.Parallel = 4 })
		got := w.attemptsOf(12*time.Hour, w.over(1, 2, 3, 4, 5, 6, 7, 8))
		w.requireAttempts(got[:5], []string{
			"[1 2 3 4 5 6 7 8]: all", "[1 2]: TestOf3", "[3 4]: TestOf3", "[5 6]: TestOf3", "[7 8]: TestOf3",
		})
		w.requireOut(3, ChecksFailed)
		w.requireLanded(1, 2, 4, 5, 6, 7, 8)
	})
}

// A narrow attempt that is green lands nothing, however long nothing else happens.
func TestANarrowResultNeverLands(t *testing.T) {
	story(t, func(w *world) {
		w.sharded()
		w.bad[2] = true
		w.queueTogether(1, 2)
		var narrow int64
		w.runUntil(time.Hour, func() bool {
			last := w.state.attempts[len(w.state.attempts)-1]
			narrow = last.ID
			return last.narrow() && last.Phase == AttemptTesting
		})
		w.tell(PauseAsked{By: "ann", Reason: "nothing else is started"})
		w.run(5 * time.Hour)
		if w.base != "root" {
			w.t.Fatalf("%s landed", w.base)
		}
		w.tell(ResumeAsked{By: "ann"})
		w.untilEnded(1, 2)
		for _, r := range w.receipts {
			if r.Attempt == narrow {
				w.t.Fatalf("a narrow attempt landed: %+v", r)
			}
		}
	})
}

// A check that is required besides the shards is none of a narrow attempt's
// business; a red one in the full test leaves the search to full tests.
func TestNarrowBesideAnotherCheck(t *testing.T) {
	for _, red := range []bool{false, true} {
		t.Run(fmt.Sprint("lint red: ", red), func(t *testing.T) {
			story(t, func(w *world) {
				w.sharded()
				w.settings.Checks = []NamedCheck{{Name: "lint"}}
				w.bad[2] = true
				w.workflow = func(w *world, ticket, commit string) {
					shards(3, 4*time.Minute)(w, ticket, commit)
					state := "success"
					if red && w.holds(commit, 2) {
						state = "failure"
					}
					if w.narrowOf(commit) == nil {
						w.statuses[commit] = []StatusLine{{Context: "lint", State: state}}
					}
					w.after(2*time.Minute, func() { w.hint(ResultsHinted{Commit: commit, Done: true}) })
				}
				w.queueTogether(1, 2, 3)
				got := w.attemptsOf(12*time.Hour, w.over(1, 2, 3))
				narrow := slices.ContainsFunc(got, func(line string) bool { return !strings.HasSuffix(line, ": all") })
				if narrow == red {
					w.t.Fatalf("attempts %q", got)
				}
				w.requireOut(2, ChecksFailed)
				w.requireLanded(1, 3)
			})
		})
	}
}

// A narrow attempt that ends in error is neither red nor green: full tests go on
// where it broke off, and nobody is blamed for the error.
func TestANarrowErrorFallsBackToFullTests(t *testing.T) {
	story(t, func(w *world) {
		w.sharded()
		w.bad[3] = true
		w.crashes = func(commit string, shard int) bool { return w.narrowOf(commit) != nil && shard == 1 }
		w.queueTogether(1, 2, 3, 4)
		got := w.attemptsOf(12*time.Hour, w.over(1, 2, 3, 4))
		w.requireAttempts(got[:3], []string{"[1 2 3 4]: all", "[1 2]: TestOf3", "[1 2]: all"})
		w.requireOut(3, ChecksFailed)
		w.requireLanded(1, 2, 4)
	})
}

// Given a suite of which a shard never reports to a narrow attempt, then it says
// nothing once its runs are over.
func TestANarrowReportMissing(t *testing.T) {
	story(t, func(w *world) {
		w.sharded()
		w.bad[2] = true
		whole := w.workflow
		w.workflow = func(w *world, ticket, commit string) {
			if w.narrowOf(commit) == nil {
				whole(w, ticket, commit)
				return
			}
			reporting(3, func(sh *Shard, _ *string) bool { return sh.Index != 2 })(w, ticket, commit)
		}
		w.queueTogether(1, 2, 3)
		w.untilEnded(1, 2, 3)
		w.requireOut(2, ChecksFailed)
		w.requireLanded(1, 3)
	})
}

// Given a batch that a flake made red, when its parts pass the test and all go back
// in line, then the batch that lands them has the flake on record.
func TestAFlakeIsOnRecord(t *testing.T) {
	sideBySide(t, func(w *world) {
		w.sharded()
		falls := 1
		w.flakes = func(string) bool { falls--; return falls >= 0 }
		w.queueTogether(1, 2, 3, 4)
		w.untilEnded(1, 2, 3, 4)
		w.requireLanded(1, 2, 3, 4)
		var tests []string
		for _, b := range w.state.batches {
			for _, f := range b.Flakes {
				tests = append(tests, f.Tests...)
			}
		}
		if !slices.Equal(tests, []string{"TestFlaky"}) {
			w.t.Fatalf("on record: %q", tests)
		}
	})
}

// Given flakes that are likelier than culprits, when a batch is red, then the
// failed test runs once more on the same members; green, they are tested in full
// and land, and the flake is on record.
func TestRerunFirst(t *testing.T) {
	story(t, func(w *world) {
		w.sharded()
		w.rewrite(func(h *Header) { h.Rates = Rates{Bad: 1, Good: 300, Flakes: 30, Greens: 270} })
		first := true
		w.flakes = func(string) bool { was := first; first = false; return was }
		w.queueTogether(1, 2, 3)
		got := w.attemptsOf(12*time.Hour, w.over(1, 2, 3))
		w.requireAttempts(got, []string{"[1 2 3]: all", "[1 2 3]: TestFlaky", "[1 2 3]: all"})
		w.requireLanded(1, 2, 3)
		flakes := 0
		for _, b := range w.state.batches {
			flakes += len(b.Flakes)
		}
		if flakes != 1 {
			w.t.Fatalf("%d flakes on record", flakes)
		}
	})
}

// Given two that pass a test each alone and fail it together, then the later one
// goes out by the name of both, with who landed told.
func TestAPairIsNamed(t *testing.T) {
	story(t, func(w *world) {
		w.sharded()
		w.pairs = [][2]int{{1, 2}}
		w.queueTogether(1, 2)
		w.untilEnded(1, 2)
		w.requireLanded(1)
		w.requireOut(2, ConflictingPair)
		end := w.lastEnd(2).End
		if !strings.HasPrefix(end.Detail, "It does not go together with #1, which landed:") || len(end.Tests) == 0 {
			w.t.Fatalf("#2 is told %+v", end)
		}
		if title := outTitle(end); title != "Out: it does not go together with #1, which landed" {
			w.t.Fatalf("its check says %q", title)
		}
	})
}

// Of a larger batch the search may land more than one before the other of a pair
// is found: then it is told that it is one of these, and no more than is known.
func TestAPairAmongMore(t *testing.T) {
	story(t, func(w *world) {
		w.sharded()
		w.pairs = [][2]int{{2, 4}}
		w.queueTogether(1, 2, 3, 4, 5)
		w.untilEnded(1, 2, 3, 4, 5)
		w.requireLanded(1, 2, 3, 5)
		w.requireOut(4, ConflictingPair)
		if detail := w.lastEnd(4).End.Detail; !strings.Contains(detail, "#2") {
			w.t.Fatalf("#4 is told %q", detail)
		}
	})
}

// Early end: what can't become green is decided at once, its runs are cancelled,
// no others, and its ticket is gone.
func TestEarlyEnd(t *testing.T) {
	story(t, func(w *world) {
		w.sharded()
		w.bad[3] = true // in shard 0, which reports first
		slow := shards(3, 4*time.Minute)
		w.workflow = func(w *world, ticket, commit string) {
			slow(w, ticket, commit)
			if ticket == "mainstay/main/1" {
				w.startRun(commit, ticket, "push") // and one that has no end
			}
		}
		w.queueTogether(1, 2, 3)
		w.runUntil(time.Hour, func() bool { return len(w.state.header.Reds) > 0 })
		w.run(time.Second)
		if _, alive := w.tickets["mainstay/main/1"]; alive || !slices.Contains(w.cancelled, "mainstay/main/1") {
			w.t.Fatalf("tickets %v, cancelled %v", w.tickets, w.cancelled)
		}
		if took := w.now.Sub(dawn); took > 6*time.Minute {
			w.t.Fatalf("decided after %s", took)
		}
	})
}

// Given a test that fails in two variants, then it is one test.
func TestATestInTwoVariantsIsOne(t *testing.T) {
	both := []FailedTest{{Name: "TestX", Suite: "unit"}}
	a := &Attempt{Shards: []Shard{
		{Suite: "unit", Variant: "a", Total: 1, Result: shard.ResultFailed, Failed: both},
		{Suite: "unit", Variant: "b", Total: 1, Result: shard.ResultFailed, Failed: both},
	}}
	if tests := a.failedTests(); len(tests) != 1 {
		t.Fatalf("%d tests", len(tests))
	}
}

// Given a suite that breaks as a whole, then its red runs are kept with as many tests
// as a search can use: the queue's own record stays small.
func TestManyFailingTestsAreNotAllKept(t *testing.T) {
	s := &step{State: NewState("main"), now: dawn}
	var many []FailedTest
	for i := range 64 * 50 {
		many = append(many, FailedTest{Suite: "unit", Name: fmt.Sprintf("TestNumber%d", i)})
	}
	for id := range int64(3) {
		s.keepRun(&Attempt{ID: id, Members: []Member{{PR: int(id)}}}, End{Reason: ChecksFailed, Tests: many})
	}
	for _, run := range s.header.RedRuns {
		if len(run.Ending.Tests) > narrowTests+1 {
			t.Fatalf("%d tests are kept", len(run.Ending.Tests))
		}
	}
}
