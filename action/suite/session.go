package suite

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"slices"
	"time"

	"github.com/mainstay-ci/mainstay/queue/shard"
)

// Session runs a suite batch after batch, as it comes, and counts the batches.
type Session struct {
	suite Suite
	board *board
	batch int
}

// Begin begins a session whose output goes to out. Close ends it.
func (s Suite) Begin(out io.Writer) *Session {
	return &Session{suite: s, board: newBoard(out)}
}

// Close stops telling how far the tests are.
func (r *Session) Close() { r.board.close() }

// Expect says what is to come: so many items more, and the time they may take.
func (r *Session) Expect(items []string, expected time.Duration) { r.board.expect(items, expected) }

// Run runs items and parts of items: the whole ones in one go, together with the
// untested packages, and each part by itself. It fails only where nothing could
// be run; failing tests stand in the results.
func (r *Session) Run(ctx context.Context, units []shard.PlannedItem, untested []string) (Results, error) {
	var whole []string
	var sum Results
	for _, u := range units {
		if u.Part == nil {
			whole = append(whole, u.ID)
		}
	}
	// The untested ones are not items, and come last.
	size, all := r.suite.atOnce(whole, untested), append(slices.Clone(whole), untested...)
	for begin := 0; begin < len(all); begin += size {
		end := min(begin+size, len(all))
		border := min(max(len(whole), begin), end)
		results, err := r.once(ctx, r.suite, all[begin:border], all[border:end])
		if err != nil {
			return Results{}, err
		}
		sum = sum.Join(results)
	}
	for _, u := range units {
		if u.Part == nil {
			continue
		}
		if ctx.Err() != nil {
			sum.NotRun = append(sum.NotRun, u.ID)
			continue
		}
		results, err := r.part(ctx, u)
		if err != nil {
			return Results{}, err
		}
		sum = sum.Join(results)
	}
	return sum, nil
}

// part runs a part of an item.
func (r *Session) part(ctx context.Context, u shard.PlannedItem) (Results, error) {
	s := r.suite
	s.Sliced = true
	if len(u.Part.Only) > 0 {
		s.only = u.Part.Only
	} else {
		s.without = u.Part.Without
	}
	results, err := r.once(ctx, s, []string{u.ID}, nil)
	for i := range results.Items {
		if results.Items[i].ID == u.ID {
			results.Items[i].Part, results.Items[i].Parts = u.Part.Index, u.Part.Of
		}
	}
	return results, err
}

// once runs the command once.
func (r *Session) once(ctx context.Context, s Suite, items, untested []string) (Results, error) {
	s.batch = r.batch
	r.batch++
	results, err := s.Run(ctx, items, untested, r.board)
	if err == nil && s.Runner == Pytest && s.only != nil && results.ExitCode == pytestUsage {
		// One of the tests is gone or was renamed, and then pytest runs none of them.
		fmt.Fprintln(r.board, "pytest does not find each test that it was asked for: all of the file runs")
		s.only = nil
		return r.once(ctx, s, items, untested)
	}
	return results, err
}

// atOnce is how many items one command line takes: a system has its limits.
func (s Suite) atOnce(lists ...[]string) int {
	limit, size, n := 1<<20, 0, 0
	if runtime.GOOS == "windows" {
		limit = 24 << 10
	}
	for _, items := range lists {
		for _, item := range items {
			size += len(item) + 3
			n++
		}
	}
	if size <= limit || !s.takesWords() {
		return max(n, 1)
	}
	return max(n*limit/size/2, 1)
}

// Join puts the results of two runs together, as if they had been one.
func (r Results) Join(other Results) Results {
	r.ExitCode = max(r.ExitCode, other.ExitCode) // the higher one says more: a process that was killed
	r.Items = append(r.Items, other.Items...)
	r.NotRun = append(r.NotRun, other.NotRun...)
	r.Extra = append(r.Extra, other.Extra...)
	r.Notes = append(r.Notes, other.Notes...)
	r.Wall += other.Wall
	r.Blind = r.Blind || other.Blind
	index := make(map[string]int, len(r.Tests))
	for i, t := range r.Tests {
		index[t.Key] = i
	}
	for _, t := range other.Tests {
		if at, twice := index[t.Key]; twice {
			r.Tests[at] = again(r.Tests[at], t)
		} else {
			r.Tests = append(r.Tests, t)
		}
	}
	return r
}

// again adds a test's later executions.
func again(t, later shard.Test) shard.Test {
	t.Executions = append(executions(t), executions(later)...)
	if n := len(t.Executions); n > shard.MaxExecutions {
		t.Executions = t.Executions[n-shard.MaxExecutions:]
	}
	return slim(t)
}

// executions lists what a test went through, with what the wire implies.
func executions(t shard.Test) []shard.Execution {
	if len(t.Executions) == 0 {
		return []shard.Execution{t.Last()}
	}
	return slices.Clone(t.Executions)
}
