package queue

import (
	"fmt"
	"testing"
	"time"

	"github.com/mainstay-ci/mainstay/queue/shard"
)

// lineOf is a queue with batches under test, so many side by side, and so many waiting behind it.
func lineOf(waiting, parallel int) *State {
	s, settings := NewState("main"), Defaults()
	settings.Parallel = parallel
	s, _ = Step(s, Event{At: dawn, Fact: BaseRead{Tip: "root", Settings: settings, ReadAt: dawn}})
	s, _ = Step(s, Event{At: dawn, Fact: PauseAsked{By: "ann", Reason: "wait"}})
	for n := 1; n <= waiting+15; n++ {
		s, _ = Step(s, Event{At: dawn, Fact: PullRequestRead{PR: asking(n, dawn)}})
	}
	s, _ = Step(s, Event{At: dawn, Fact: ResumeAsked{By: "ann"}})
	a := s.attempts[0]
	built := AttemptBuilt{Attempt: a.ID, New: "new", Tree: "tree"}
	for _, m := range a.Members {
		m.Became = "c" + m.Head
		built.Members = append(built.Members, m)
	}
	for _, f := range []Fact{built, TicketPushed{Attempt: a.ID}, TimePassed{}} {
		s, _ = Step(s, Event{At: dawn, Fact: f})
	}
	s.TakeChanges()
	return s
}

func asking(n int, at time.Time) PullRequest {
	return PullRequest{Number: n, Head: fmt.Sprintf("head-%d", n), HeadRef: "topic", Base: "main", Status: Open, ReadAt: at,
		Wish: &Wish{ID: int64(n), MayWrite: true, By: Actor{ID: 1, Login: "ann"}}}
}

// stepsOfEveryDay are the facts a busy queue gets most. The sweep is not among
// them: it compares the whole line once a minute, and may.
func stepsOfEveryDay(waiting int) map[string]func(s *State, i int) *State {
	last := waiting + 15
	take := func(s *State, i int, f Fact) *State {
		s, _ = Step(s, Event{At: dawn.Add(time.Duration(i) * time.Microsecond), Fact: f})
		s.TakeChanges()
		return s
	}
	report := func(i int) Fact {
		return ShardReported{Commit: "new", Shard: Shard{Suite: "unit", Index: 1, Total: 4, RunTry: i, Result: shard.ResultPassed}}
	}
	return map[string]func(s *State, i int) *State{
		"hint":  func(s *State, i int) *State { return take(s, i, PullRequestHinted{Number: last, Labelled: true}) },
		"time":  func(s *State, i int) *State { return take(s, i, TimePassed{}) },
		"shard": func(s *State, i int) *State { return take(s, i, report(i)) },
		"read":  func(s *State, i int) *State { return take(s, i, PullRequestRead{PR: asking(last, dawn)}) },
		"result": func(s *State, i int) *State {
			return take(s, i, ResultsRead{Attempt: 1, Results: Results{ReadAt: dawn}})
		},
		"member": func(s *State, i int) *State { return take(s, i, PullRequestRead{PR: asking(3, dawn)}) },
		"enter and leave": func(s *State, i int) *State {
			pr := asking(last+1, dawn)
			pr.Wish.ID = int64(last + i + 1)
			s = take(s, i, PullRequestRead{PR: pr})
			return take(s, i, LeaveAsked{PR: last + 1, By: "ann"})
		},
	}
}

// BenchmarkStepWith1000Waiting has the goal of 100 µs a step.
func BenchmarkStepWith1000Waiting(b *testing.B) {
	steps := stepsOfEveryDay(1000)
	for _, name := range sortedNames(steps) {
		b.Run(name, func(b *testing.B) {
			s := lineOf(1000, 1)
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				i++
				s = steps[name](s, i)
			}
		})
	}
	b.Run("sweep", func(b *testing.B) {
		s := lineOf(1000, 1)
		found := WishesFound{}
		for n := 1; n <= 1000+15; n++ {
			found.Numbers = append(found.Numbers, n)
		}
		b.ReportAllocs()
		for b.Loop() {
			s, _ = Step(s, Event{At: dawn, Fact: found})
			s.TakeChanges()
		}
	})
}

// A step allocates as much with 1,300 in line as with 300 (numbers up to 255 are
// boxed for free, so the short line is not shorter).
func TestAllocationsDoNotGrowWithTheLine(t *testing.T) {
	short, long := stepsOfEveryDay(300), stepsOfEveryDay(1300)
	for _, parallel := range []int{1, 16} {
		for _, name := range sortedNames(short) {
			measure := func(waiting int, step func(*State, int) *State) float64 {
				s, i := lineOf(waiting, parallel), 0
				return testing.AllocsPerRun(200, func() { i++; s = step(s, i) })
			}
			few, many := measure(300, short[name]), measure(1300, long[name])
			if many > few+few/20+1 { // the race detector adds a few of its own
				t.Errorf("%s, %d side by side: %.0f allocations with 300 in line, %.0f with 1300", name, parallel, few, many)
			}
		}
	}
}
