package web

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/queue/flake"
	"github.com/mainstay-ci/mainstay/queue/shard"
)

// school is what is known of tests, in memory.
type school struct {
	book    flake.Book
	reruns  int
	lessons []flake.Lesson
	err     error
}

func (s *school) Tests(context.Context, int64, string, string) (flake.Book, error) {
	return s.book, s.err
}
func (s *school) Reruns(context.Context, int64) (int, error) { return s.reruns, nil }
func (s *school) LearnTests(_ context.Context, l flake.Lesson) error {
	s.lessons = append(s.lessons, l)
	return nil
}

// rerunScene is a door with a young suite, whose tests nobody knows well.
func rerunScene(t *testing.T) (*front, *school) {
	f := openFront(t)
	s := &school{reruns: 3}
	f.options.Flakes = s
	f.restart()
	return f, s
}

// failing is a report of one shard whose tests went so: f failed, p passed, in order.
func failing(tests map[string]string) shard.Report {
	r := aReport(0, 2)
	r.Tests, r.Outcome, r.ExitCode, r.Reruns = nil, shard.OutcomeSuccess, 0, true
	for name, runs := range tests {
		t := shard.Test{Key: shard.TestKey("unit", "", "a", name), Class: "a", Name: name}
		for _, run := range runs {
			e := shard.Execution{Status: shard.Passed, MS: 5}
			if run != 'p' {
				e = shard.Execution{Status: shard.Failed, MS: 5, Kind: shard.KindAssertion, Message: "no"}
			}
			if run == 'b' {
				e.Status, e.Kind = shard.Errored, shard.KindBuild
			}
			t.Executions = append(t.Executions, e)
			r.Round = max(r.Round, len(runs)-1)
		}
		if t.Failed() {
			r.Outcome, r.ExitCode = shard.OutcomeFailure, 1
		}
		r.Tests = append(r.Tests, t)
	}
	return r
}

// tell puts a report and tells what was answered and what the queue heard last.
func (f *front) tell(r shard.Report) (shard.ReportAnswer, queue.Fact) {
	f.t.Helper()
	status, text := f.call(f.token(nil), "PUT", "/v1/reports/unit/0/0", r)
	var a shard.ReportAnswer
	if err := json.Unmarshal([]byte(text), &a); err != nil || status != 200 {
		f.t.Fatalf("status %d, %s", status, text)
	}
	return a, f.keeper.facts[len(f.keeper.facts)-1]
}

func TestAFailedTestIsRunOnceMoreBeforeAnybodyIsBlamed(t *testing.T) {
	// Given a shard with one failing test that nobody knows well,
	f, _ := rerunScene(t)
	first := failing(map[string]string{"TestA": "f", "TestB": "p"})
	// when it reports,
	a, fact := f.tell(first)
	// then it is asked to run that test again, and the queue hears only that it is at work.
	if a.Next.Action != shard.NextRerun || len(a.Next.Tests) != 1 || a.Next.Tests[0] != shard.TestKey("unit", "", "a", "TestA") || a.Job != shard.JobFail {
		t.Fatalf("answer: %+v", a)
	}
	if _, ok := fact.(queue.ShardStarted); !ok {
		t.Fatalf("the queue heard %+v", fact)
	}
	// The same report sent twice is answered the same.
	if again, _ := f.tell(first); fmt.Sprint(again.Next) != fmt.Sprint(a.Next) {
		t.Fatalf("the second time: %+v", again.Next)
	}
	// And when the test passes, the shard is green, and the flake is told.
	a, fact = f.tell(failing(map[string]string{"TestA": "fp", "TestB": "p"}))
	ended, ok := fact.(queue.ShardReported)
	if a.Next.Action != shard.NextNone || a.ShardResult != shard.ResultFlaky || a.Job != shard.JobPass || !ok || ended.Shard.Result != shard.ResultFlaky || len(ended.Shard.Flaky) != 1 {
		t.Fatalf("answer %+v, the queue heard %+v", a, fact)
	}
}

func TestATestThatFailsAgainIsRed(t *testing.T) {
	f, s := rerunScene(t)
	s.book = flake.Book{Suite: flake.Suite{Runs: 30, Count: 30}}
	f.tell(failing(map[string]string{"TestA": "f"}))
	a, fact := f.tell(failing(map[string]string{"TestA": "ff"}))
	ended, ok := fact.(queue.ShardReported)
	if a.Next.Action != shard.NextNone || a.Job != shard.JobFail || !ok || ended.Shard.Result != shard.ResultFailed {
		t.Fatalf("answer %+v, the queue heard %+v", a, fact)
	}
}

func TestWhatIsNotRunAgain(t *testing.T) {
	solid := flake.Book{Suite: flake.Suite{Runs: 3000, Count: 3000}}
	many := map[string]string{}
	for i := range flake.MostTests + 1 {
		many[fmt.Sprintf("Test%d", i)] = "f"
	}
	for name, c := range map[string]struct {
		tests map[string]string
		prep  func(*school, *shard.Report)
	}{
		"a test that never failed in 3,000 runs": {map[string]string{"TestA": "f"}, func(s *school, _ *shard.Report) { s.book = solid }},
		"too many":                               {many, nil},
		"a build that broke":                     {map[string]string{"TestA": "f", "[build failed]": "b"}, nil},
		"a job that can't":                       {map[string]string{"TestA": "f"}, func(_ *school, r *shard.Report) { r.Reruns = false }},
		"a queue that wants none":                {map[string]string{"TestA": "f"}, func(s *school, _ *shard.Report) { s.reruns = 0 }},
		"when nothing can be read":               {map[string]string{"TestA": "f"}, func(s *school, _ *shard.Report) { s.err = context.DeadlineExceeded }},
		"what never ran": {map[string]string{"TestA": "p"}, func(_ *school, r *shard.Report) {
			r.NotRun, r.Outcome, r.ExitCode = []string{"z"}, shard.OutcomeFailure, 2
		}},
		"a pass that nobody doubts": {map[string]string{"TestA": "fp"}, func(_ *school, r *shard.Report) { r.Round = 0 }},
		"a green shard":             {map[string]string{"TestA": "p"}, nil},
	} {
		f, s := rerunScene(t)
		r := failing(c.tests)
		if c.prep != nil {
			c.prep(s, &r)
		}
		a, fact := f.tell(r)
		if _, ok := fact.(queue.ShardReported); a.Next.Action != shard.NextNone || !ok {
			t.Errorf("%s: answer %+v, the queue heard %+v", name, a.Next, fact)
		}
	}
}
