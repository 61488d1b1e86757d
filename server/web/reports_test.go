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
		"of a comment":                {"event_name": "issue_comment"},
		"of another run's end":        {"event_name": "workflow_run"},
		"of the clock":                {"event_name": "schedule"},
		"of GitHub's own queue":       {"event_name": "merge_group"},
		"of an event nobody knows":    {"event_name": "Push"},
		"of a tag of that name":       {"ref": "refs/tags/mainstay/main/41"},
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

// ran is a green report of these items, by the plan or cut by the job itself.
func ran(index, total int, plan string, items ...string) shard.Report {
	r := aReport(index, total)
	r.PlanID, r.Items, r.InventoryDigest = plan, nil, shard.Digest([]string{"a", "b", "c", "d"})
	for _, id := range items {
		r.Items = append(r.Items, shard.ItemResult{ID: id, Status: shard.Passed, MS: 5})
	}
	if plan == "" {
		r.Source = shard.SourceFallback
	}
	return r
}

// What a shard ran is told in the plan's units, also of one that fell back to its own cut.
func TestAReportSaysWhatOfThePlanItRan(t *testing.T) {
	f := openFront(t)
	f.keeper.history = shard.History{{Item: "a", MS: 90_000, N: 3}}
	plan := f.ask(nil, planRequest(0, 2, "a", "b", "c", "d"))
	f.restart() // the plan is read from the store
	for i, c := range []struct {
		report shard.Report
		ran    []int
		cover  string
	}{
		{ran(0, 2, plan.PlanID, "a"), []int{0}, `"coverage":{"planned":4,"seen":1,"missing_shards":[1]}`},
		{ran(1, 2, "", "b", "d", "of its own"), []int{1, 3}, `"coverage":{"planned":4,"seen":2,"missing_shards":[0]}`},
	} {
		status, text := f.call(f.token(nil), "PUT", fmt.Sprintf("/v1/reports/unit/%d/0", i), c.report)
		if status != 200 || !strings.Contains(text, c.cover) {
			t.Errorf("shard %d: answered %d %s", i, status, text)
		}
		sh := f.keeper.facts[len(f.keeper.facts)-1].(queue.ShardReported).Shard
		units, ok := shard.ParseUnits(sh.Ran, sh.Units)
		if !ok || sh.Plan != plan.PlanID || sh.Units != 4 || units.Count() != len(c.ran) {
			t.Fatalf("shard %d: the queue heard %+v", i, sh)
		}
		for _, unit := range c.ran {
			if !units.Has(unit) {
				t.Errorf("shard %d ran unit %d, and the queue heard %v", i, unit, units)
			}
		}
	}
	// A suite that nobody planned is the shards' own.
	status, text := f.call(f.token(map[string]any{"run_id": "101"}), "PUT", "/v1/reports/unit/0/0", ran(0, 2, "", "a"))
	if sh := f.keeper.facts[len(f.keeper.facts)-1].(queue.ShardReported).Shard; status != 200 || sh.Plan != "" || sh.Units != 0 || sh.Ran != "" {
		t.Errorf("answered %d %s, the queue heard %+v", status, text, sh)
	}
}

// The union over the shards is what was seen: parts of one item count when all are there.
func TestCoverageIsCountedInItems(t *testing.T) {
	plan := &shard.Frozen{ID: "pl_1", Total: 3, Units: []shard.Unit{
		{PlannedItem: shard.PlannedItem{ID: "a", Part: &shard.Part{Index: 0, Of: 2, Only: []string{"TestA"}}}},
		{PlannedItem: shard.PlannedItem{ID: "a", Part: &shard.Part{Index: 1, Of: 2}}}, {PlannedItem: shard.PlannedItem{ID: "b"}}}}
	report := shard.Report{Suite: "unit", Shard: shard.Position{Index: 0, Total: 3}, Items: []shard.ItemResult{{ID: "a", Part: 0, Parts: 2, Status: shard.Failed}}}
	units := func(ids ...int) string {
		u := shard.NewUnits(3)
		for _, i := range ids {
			u.Add(i)
		}
		return u.String()
	}
	for name, c := range map[string]struct {
		shards []queue.Shard
		want   string
	}{
		"alone":                         {nil, "{2 0 [1 2]}"},
		"with another":                  {[]queue.Shard{{Suite: "unit", Index: 1, Result: "passed", Plan: "pl_1", Ran: units(1, 2)}}, "{2 2 [2]}"},
		"with one that runs yet":        {[]queue.Shard{{Suite: "unit", Index: 1, Plan: "pl_1"}}, "{2 0 [1 2]}"},
		"with another suite's":          {[]queue.Shard{{Suite: "lint", Index: 1, Result: "passed", Plan: "pl_1", Ran: units(1, 2)}}, "{2 0 [1 2]}"},
		"with one of another plan":      {[]queue.Shard{{Suite: "unit", Index: 1, Result: "passed", Plan: "pl_2", Ran: units(1, 2)}}, "{2 0 [2]}"},
		"in place of an earlier try":    {[]queue.Shard{{Suite: "unit", Index: 0, Result: "error", Plan: "pl_1", Ran: units(0, 1, 2)}}, "{2 0 [1 2]}"},
		"with one that says it wrongly": {[]queue.Shard{{Suite: "unit", Index: 2, Result: "passed", Plan: "pl_1", Ran: "!"}}, "{2 0 [1]}"},
	} {
		if got := fmt.Sprint(coverage(c.shards, report, plan)); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	if got := fmt.Sprint(coverage(nil, report, nil)); got != "{0 0 [1 2]}" {
		t.Errorf("without a plan: %s", got)
	}
}

// Only the list that the job had is excused, and what was excused is told.
func TestAVerdictUsesTheQuarantineOfThePlan(t *testing.T) {
	f := openFront(t)
	f.options.Quarantines = &quarantines{}
	f.keeper.folders = map[int][]string{12: {"api"}, 14: {"api"}}
	f.restart()
	plan := f.ask(nil, planRequest(0, 3, "a", "b"))
	for i, c := range []struct {
		plan, failing string
		want          shard.Result
		job           string
		failed, muted int
	}{
		{plan.PlanID, "TestFlaky", shard.ResultQuarantined, "pass", 0, 1},
		{plan.PlanID, "TestOther", shard.ResultFailed, "fail", 1, 0},
		{"", "TestFlaky", shard.ResultFailed, "fail", 1, 0},
	} {
		r := aReport(i, 3, c.failing)
		r.PlanID = c.plan
		_, text := f.call(f.token(nil), "PUT", fmt.Sprintf("/v1/reports/unit/%d/0", i), r)
		sh := f.keeper.facts[len(f.keeper.facts)-1].(queue.ShardReported).Shard
		if sh.Result != c.want || len(sh.Failed) != c.failed || len(sh.Muted) != c.muted || !strings.Contains(text, `"job":"`+c.job+`"`) {
			t.Errorf("%s: %s, the queue heard %+v", c.failing, text, sh)
		}
		for _, told := range append(sh.Failed, sh.Muted...) {
			if told.Key != shard.TestKey("unit", "", "a", c.failing) {
				t.Errorf("%s is told as %+v", c.failing, told)
			}
		}
	}
}

// A flake is told with how it failed; and no more of them than anybody reads.
func TestFlakesReachTheQueueBounded(t *testing.T) {
	f := openFront(t)
	r := aReport(0, 2)
	for i := range keptTests + 20 {
		r.Tests = append(r.Tests, shard.Test{Key: fmt.Sprint("k", i), Class: "a", Name: fmt.Sprint("Test", i), Executions: []shard.Execution{
			{Status: shard.Failed, Message: "want 1, got 2", Line: 7}, {Status: shard.Passed}}})
	}
	f.call(f.token(nil), "PUT", "/v1/reports/unit/0/0", r)
	sh := f.keeper.facts[0].(queue.ShardReported).Shard
	if sh.Result != shard.ResultFlaky || len(sh.Flaky) != keptTests || sh.Flaky[0].Line != 7 || sh.Flaky[0].Key != "k0" || len(sh.Failed) != 0 {
		t.Errorf("the queue heard %+v", sh)
	}
}
