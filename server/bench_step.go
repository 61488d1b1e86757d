package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
)

// benchStep is what one call of Step takes with a thousand in line: the facts of
// every day, and one after the other entering and leaving, which has the search
// asked anew. The red lines have a red batch to search in besides.
func benchStep(ctx context.Context) ([]figure, error) {
	var lines []figure
	for _, at := range []struct {
		parallel int
		red      bool
	}{{1, false}, {1, true}, {4, false}, {4, true}, {16, false}, {16, true}} {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		name := fmt.Sprintf("step.k%d", at.parallel)
		if at.red {
			name += ".red"
		}
		s := longLine(at.parallel, at.red)
		daily := timeSteps(s, func(i int) queue.Fact {
			return []queue.Fact{queue.TimePassed{}, queue.PullRequestHinted{Number: waitingLine, Labelled: true}, queue.PullRequestRead{PR: asking(waitingLine, 0)}}[i%3]
		})
		anew := timeSteps(s, func(i int) queue.Fact {
			if i%2 == 0 {
				return queue.PullRequestRead{PR: asking(waitingLine+1, int64(waitingLine+i))}
			}
			return queue.LeaveAsked{PR: waitingLine + 1, By: "ann"}
		})
		lines = append(lines, figure{name, daily, "µs a step, 1,000 waiting", 100}, figure{name + ".enter", anew, "µs a step, one entering or leaving", 100})
	}
	return lines, nil
}

const waitingLine = 1100

var benchDawn = time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)

func asking(n int, wish int64) queue.PullRequest {
	return queue.PullRequest{Number: n, Head: fmt.Sprintf("head-%d", n), HeadRef: "topic", Base: "main", Status: queue.Open, ReadAt: benchDawn,
		Wish: &queue.Wish{ID: max(wish, int64(n)), MayWrite: true, By: queue.Actor{ID: 1, Login: "ann"}}}
}

// longLine is a queue with a batch or more under test and about a thousand waiting.
func longLine(parallel int, red bool) *queue.State {
	settings := queue.Defaults()
	settings.Parallel = parallel
	s := queue.NewState("main")
	tell := func(f queue.Fact) { s, _ = queue.Step(s, queue.Event{At: benchDawn, Fact: f}) }
	tell(queue.BaseRead{Tip: "root", Settings: settings, ReadAt: benchDawn})
	tell(queue.PauseAsked{By: "ann", Reason: "wait"})
	for n := 1; n <= waitingLine; n++ {
		tell(queue.PullRequestRead{PR: asking(n, 0)})
	}
	tell(queue.ResumeAsked{By: "ann"})
	build := func() {
		for i := 0; i < len(s.Attempts()); i++ { // one stands on the other
			if a := s.Attempts()[i]; a.New == "" {
				tell(queue.AttemptBuilt{Attempt: a.ID, New: fmt.Sprint("new-", a.ID), Tree: "tree", Members: a.Members})
				tell(queue.TicketPushed{Attempt: a.ID})
			}
		}
	}
	build()
	if first := s.Attempts()[0]; red {
		tell(queue.ResultsRead{Attempt: first.ID, Results: queue.Results{ReadAt: benchDawn, Runs: []queue.Run{
			{ID: 1, Name: "ci", Event: "push", Branch: first.Ticket, Status: "completed", Conclusion: "failure"}}}})
		tell(queue.Abandoned{Attempt: first.ID, Tip: "root"})
		build()
	}
	s.TakeChanges()
	return s
}

// timeSteps is the median of what a step takes, in microseconds.
func timeSteps(s *queue.State, fact func(i int) queue.Fact) float64 {
	took := make([]float64, 2000)
	for i := range took {
		f := fact(i)
		began := time.Now()
		s, _ = queue.Step(s, queue.Event{At: benchDawn.Add(time.Duration(i) * time.Microsecond), Fact: f})
		took[i] = float64(time.Since(began).Nanoseconds()) / 1000
		s.TakeChanges()
	}
	slices.Sort(took)
	return took[len(took)/2]
}
