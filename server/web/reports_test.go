package web

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/queue/shard"
)

// Shards that ask one after the other must come to one cut, and the queue hears that they began.
func TestAPlanIsTheSameCutForEveryShard(t *testing.T) {
	f := openFront(t)
	seen := map[string]int{}
	for i := range 2 {
		status, text := f.call(f.token(nil), "POST", "/v1/plans", planRequest(i, 2, "c", "a", "b", "d", "e"))
		var plan shard.PlanAnswer
		if err := json.Unmarshal([]byte(text), &plan); err != nil || status != 200 {
			t.Fatalf("answered %d %s", status, text)
		}
		for _, id := range plan.Shard.IDs() {
			seen[id]++
		}
	}
	for _, id := range []string{"a", "b", "c", "d", "e"} {
		if seen[id] != 1 {
			t.Errorf("item %s is in %d shards", id, seen[id])
		}
	}
	if len(f.keeper.facts) != 2 {
		t.Fatalf("the queue heard of %d shards", len(f.keeper.facts))
	}
	started := f.keeper.facts[0].(queue.ShardStarted)
	if started.Commit != "tested" || started.Shard.CheckRun != 900 || started.Shard.RunID != 100 {
		t.Fatalf("the queue heard %+v", started)
	}
}

// An ordinary run gets its plan, but moves nothing, even where it names the tested commit.
func TestARunThatIsNoAttemptsMovesNothing(t *testing.T) {
	for name, claims := range map[string]map[string]any{
		"of a pull request":           {"event_name": "pull_request", "ref": "refs/pull/12/merge", "sha": "merged"},
		"of a pull request's branch":  {"event_name": "push", "ref": "refs/heads/topic", "sha": "other"},
		"of the landed commit's base": {"event_name": "push", "ref": "refs/heads/main"},
		"by hand, on the ticket":      {"event_name": "workflow_dispatch"},
		"of foreign code, privileged": {"event_name": "pull_request_target"},
	} {
		t.Run(name, func(t *testing.T) {
			f := openFront(t)
			token := f.token(claims)
			status, text := f.call(token, "POST", "/v1/plans", planRequest(0, 2, "a", "b"))
			if status != 200 || strings.Contains(text, `"trusted":true`) {
				t.Fatalf("the plan was answered %d %s", status, text)
			}
			status, text = f.call(token, "PUT", "/v1/reports/unit/0/0", aReport(0, 2))
			if status != 200 || strings.Contains(text, `"batch"`) {
				t.Fatalf("the report was answered %d %s", status, text)
			}
			if len(f.keeper.facts) != 0 || len(f.keeper.reports) != 0 {
				t.Fatalf("the queue heard %v", f.keeper.facts)
			}
		})
	}
}

// A failing test reaches the queue with its name and place; twice the same is once.
func TestAReportTellsTheQueueWhatFailed(t *testing.T) {
	f := openFront(t)
	for range 2 {
		status, text := f.call(f.token(nil), "PUT", "/v1/reports/unit/1/0", aReport(1, 2, "TestCheckout"))
		if status != 200 || !strings.Contains(text, `"job":"fail"`) {
			t.Fatalf("answered %d %s", status, text)
		}
	}
	if len(f.keeper.facts) != 1 {
		t.Fatalf("the queue heard %d facts", len(f.keeper.facts))
	}
	sh := f.keeper.facts[0].(queue.ShardReported).Shard
	if sh.Result != shard.ResultFailed || len(sh.Failed) != 1 || sh.Failed[0].Name != "TestCheckout" || sh.Failed[0].Line != 42 {
		t.Fatalf("the queue heard %+v", sh)
	}

	status, _ := f.call(f.token(nil), "PUT", "/v1/reports/unit/1/0", aReport(1, 2))
	if status != 409 {
		t.Fatalf("a second, other report was answered %d, want 409", status)
	}
}

// A report in two chunks counts when both are there, in whatever order.
func TestAReportInChunksCountsWhenItIsWhole(t *testing.T) {
	f := openFront(t)
	for _, chunk := range []int{1, 0} {
		r := aReport(0, 2, fmt.Sprintf("Test%d", chunk))
		r.Chunks, r.Chunk, r.Final = 2, chunk, chunk == 1
		if status, text := f.call(f.token(nil), "PUT", fmt.Sprintf("/v1/reports/unit/0/%d", chunk), r); status != 200 {
			t.Fatalf("answered %d %s", status, text)
		}
	}
	if _, ok := f.keeper.facts[0].(queue.ShardStarted); !ok {
		t.Fatalf("after the first chunk the queue heard %T", f.keeper.facts[0])
	}
	sh := f.keeper.facts[1].(queue.ShardReported).Shard
	if len(sh.Failed) != 2 {
		t.Fatalf("the queue heard of %d failing tests, want those of both chunks", len(sh.Failed))
	}
}

// Bodies that are not what was asked for get a clear answer.
func TestABadBodyIsRefusedPlainly(t *testing.T) {
	f := openFront(t)
	for name, c := range map[string]struct {
		path   string
		body   any
		status int
	}{
		"another address":   {"/v1/reports/unit/1/0", aReport(0, 2), 422},
		"a shard too many":  {"/v1/reports/unit/5/0", aReport(5, 2), 422},
		"not a report":      {"/v1/reports/unit/0/0", []string{"x"}, 400},
		"a hostile suite":   {"/v1/reports/unit/0/0", func() shard.Report { r := aReport(0, 2); r.Suite = "a\nb"; return r }(), 422},
		"an unknown status": {"/v1/reports/unit/0/0", func() shard.Report { r := aReport(0, 2); r.Items[0].Status = "maybe"; return r }(), 422},
	} {
		t.Run(name, func(t *testing.T) {
			status, text := f.call(f.token(nil), "PUT", c.path, c.body)
			var body shard.ErrorBody
			if err := json.Unmarshal([]byte(text), &body); err != nil || status != c.status || body.Error.Message == "" {
				t.Fatalf("answered %d %s, want %d and a message", status, text, c.status)
			}
		})
	}
}

// Names come from code under test: whatever they hold, they stay data of one bounded fact.
func TestHostileNamesAndFloodsOfFailuresStayBounded(t *testing.T) {
	// Given a suite named like a path, and more and longer failures than anybody reads
	f := openFront(t)
	r := aReport(0, 2)
	r.Suite = "../../x/%2e%2e"
	r.Outcome, r.ExitCode, r.Items[0].Status = shard.OutcomeFailure, 1, shard.Failed
	for i := range 80 {
		name := fmt.Sprintf("Test<script>alert(%d)</script>`::error::", i)
		r.Tests = append(r.Tests, shard.Test{Key: shard.TestKey(r.Suite, "", "a", name), Class: "a", Name: name,
			Executions: []shard.Execution{{Status: shard.Failed, MS: 1, Kind: shard.KindAssertion, Message: strings.Repeat("ä", 5000)}}})
	}
	// When it reports
	status, text := f.call(f.token(nil), "PUT", "/v1/reports/..%2F..%2Fx%2F%252e%252e/0/0", r)
	// Then the key holds none of the name's slashes and the fact is cut to size
	if status != 200 {
		t.Fatalf("answered %d %s", status, text)
	}
	for key := range f.keeper.reports {
		if strings.Count(key, "/") != 6 || strings.Contains(key, "..") {
			t.Errorf("the report is kept under %q", key)
		}
	}
	sh := f.keeper.facts[0].(queue.ShardReported).Shard
	if len(sh.Failed) != keptTests || sh.Suite != r.Suite {
		t.Fatalf("the queue heard of %d failing tests of %q", len(sh.Failed), sh.Suite)
	}
	for _, failed := range sh.Failed {
		if len(failed.Message) > keptMessage+len("…") {
			t.Fatalf("a message of %d bytes reached the queue", len(failed.Message))
		}
	}
}

// A store in trouble is a reason to try again, never a word on the tests.
func TestAStoreInTroubleAsksToTryAgain(t *testing.T) {
	f := openFront(t)
	f.keeper.down = fmt.Errorf("disk full")
	for path, body := range map[string]any{"POST /v1/plans": planRequest(0, 2, "a"), "PUT /v1/reports/unit/0/0": aReport(0, 2)} {
		method, path, _ := strings.Cut(path, " ")
		status, text := f.call(f.token(nil), method, path, body)
		if status != 503 || !strings.Contains(text, `"unavailable"`) || strings.Contains(text, "disk full") {
			t.Errorf("%s answered %d %s", path, status, text)
		}
	}
}
