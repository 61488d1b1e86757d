package web

import (
	"encoding/json"
	"testing"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/queue/flake"
	"github.com/mainstay-ci/mainstay/queue/shard"
)

// The answer to a report may be lost, and what is believed of a test may change
// before the report comes again. What is answered then is what the queue hears.
func TestAReportThatComesAgainIsDecidedAnew(t *testing.T) {
	// Given a report that was answered with a rerun, which never reached the job,
	f, s := rerunScene(t)
	first := failing(map[string]string{"TestA": "f"})
	if a, _ := f.tell(first); a.Next.Action != shard.NextRerun {
		t.Fatalf("answer: %+v", a)
	}
	// and a test that is believed to be solid since then,
	s.book = flake.Book{Suite: flake.Suite{Runs: 3000, Count: 3000}}
	// when the report comes again, then nothing is run again, and the queue hears it.
	a, fact := f.tell(first)
	if ended, ok := fact.(queue.ShardReported); a.Next.Action != shard.NextNone || !ok || ended.Shard.Result != shard.ResultFailed {
		t.Fatalf("answer %+v, the queue heard %+v", a.Next, fact)
	}
}

func TestAShardThatEndedRunsNothingAgain(t *testing.T) {
	// Given a red shard that the queue has heard of,
	f, s := rerunScene(t)
	s.book = flake.Book{Suite: flake.Suite{Runs: 3000, Count: 3000}}
	first := failing(map[string]string{"TestA": "f"})
	_, fact := f.tell(first)
	f.keeper.heard = []queue.Shard{fact.(queue.ShardReported).Shard}
	// when its report comes again and its test would be run again now,
	s.book = flake.Book{}
	heard := len(f.keeper.facts)
	a, _ := f.tell(first)
	// then it is not: the word is out. Nor is it told twice.
	if a.Next.Action != shard.NextNone || len(f.keeper.facts) != heard {
		t.Fatalf("answer %+v, the queue heard %+v", a.Next, f.keeper.facts[heard:])
	}
	// But a try of its own may.
	status, text := f.call(f.token(map[string]any{"run_attempt": "2"}), "PUT", "/v1/reports/unit/0/0", first)
	if json.Unmarshal([]byte(text), &a); status != 200 || a.Next.Action != shard.NextRerun {
		t.Fatalf("the second try: status %d, %s", status, text)
	}
}

// A base branch's own run is one run, however often its tests ran in it.
func TestARunOfTheBaseIsLearntFromOnce(t *testing.T) {
	f, s := rerunScene(t)
	base := f.token(map[string]any{"sha": "landed", "ref": "refs/heads/main"})
	for _, runs := range []string{"f", "fp"} {
		if status, text := f.call(base, "PUT", "/v1/reports/unit/0/0", failing(map[string]string{"TestA": runs})); status != 200 {
			t.Fatalf("status %d, %s", status, text)
		}
	}
	if len(s.lessons) != 1 || s.lessons[0].Red || len(s.lessons[0].Failed) != 1 || s.lessons[0].Commit != "landed" {
		t.Fatalf("lessons: %+v", s.lessons)
	}
}

// Nobody's own run teaches that their failing test is a flake.
func TestWhichRunsTeachNothing(t *testing.T) {
	for name, claims := range map[string]map[string]any{
		"a pull request":               {"sha": "new", "ref": "refs/pull/9/merge", "event_name": "pull_request"},
		"a pull request of a landed":   {"sha": "landed", "ref": "refs/pull/9/merge", "event_name": "pull_request"},
		"a topic branch":               {"sha": "landed", "ref": "refs/heads/topic"},
		"a base commit nobody tested":  {"sha": "pushed", "ref": "refs/heads/main"},
		"an attempt that is tested":    nil,
		"a nightly run of the base":    {"sha": "landed", "ref": "refs/heads/main", "event_name": "schedule"},
		"a base commit that was red":   {"sha": "dropped", "ref": "refs/heads/main"},
		"a branch that sounds like it": {"sha": "landed", "ref": "refs/heads/main2"},
	} {
		f, s := rerunScene(t)
		s.reruns = 0
		if status, text := f.call(f.token(claims), "PUT", "/v1/reports/unit/0/0", failing(map[string]string{"TestA": "fp"})); status != 200 {
			t.Fatalf("%s: status %d, %s", name, status, text)
		}
		if len(s.lessons) != 0 {
			t.Errorf("%s: learnt %+v", name, s.lessons)
		}
	}
}
