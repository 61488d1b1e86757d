package web

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/queue/shard"
)

// searched are the claims of a job on the ticket of a narrow attempt.
var searched = map[string]any{"sha": "searched", "ref": "refs/heads/mainstay/main/42"}

// The shards of a narrow attempt get its tests and nothing else; so does a re-run.
func TestANarrowAttemptPlansItsTestsAlone(t *testing.T) {
	f := openFront(t)
	for i, want := range []string{`"items":[{"id":"b","tests":["TestB/sub"]}]`, `"items":[]`, `"items":[{"id":"b","tests":["TestB/sub"]}]`} {
		status, text := f.call(f.token(searched), "POST", "/v1/plans", planRequest(i%2, 2, "a", "b", "c"))
		if status != 200 || !strings.Contains(text, want) || !strings.Contains(text, `"scope":"narrow"`) {
			t.Errorf("answered %d %s, want %s", status, text, want)
		}
	}
	// A suite of which nothing is asked gets empty lists, a full attempt everything.
	lint := planRequest(0, 1, "a", "b", "c")
	lint.Suite = "lint"
	if _, text := f.call(f.token(searched), "POST", "/v1/plans", lint); !strings.Contains(text, `"items":[]`) || !strings.Contains(text, `"scope":"narrow"`) {
		t.Errorf("answered %s", text)
	}
	if _, text := f.call(f.token(nil), "POST", "/v1/plans", planRequest(0, 1, "a", "b", "c")); strings.Count(text, `"id"`) != 3 || !strings.Contains(text, `"scope":"slice"`) {
		t.Errorf("answered %s", text)
	}
}

// A few tests are never told as a whole suite: their report counts for a narrow attempt only.
func TestANarrowReportNeverCountsForAFullAttempt(t *testing.T) {
	f := openFront(t)
	r := aReport(0, 2)
	r.Scope = shard.ScopeNarrow
	for name, claims := range map[string]map[string]any{"a full attempt": nil, "no attempt": {"sha": "other", "ref": "refs/heads/topic"}} {
		if status, text := f.call(f.token(claims), "PUT", "/v1/reports/unit/0/0", r); status != 409 || !strings.Contains(text, `"plan_mismatch"`) {
			t.Errorf("%s: answered %d %s", name, status, text)
		}
	}
	if len(f.keeper.facts) != 0 {
		t.Errorf("the queue heard %v", f.keeper.facts)
	}
	if status, text := f.call(f.token(searched), "PUT", "/v1/reports/unit/0/0", r); status != 200 || len(f.keeper.facts) != 1 {
		t.Errorf("a narrow attempt: answered %d %s", status, text)
	}
}

func narrowAnswer(t *testing.T, ask shard.PlanRequest, wanted []queue.FailedTest) *shard.PlanAnswer {
	t.Helper()
	a, refused := (&door{}).answerPlan(t.Context(), caller{attempt: &queue.Attempt{Narrow: wanted}}, ask, narrowPlan("pl_1", ask, wanted))
	if refused != nil {
		t.Fatal(refused.Message)
	}
	return a
}

// Which items a few tests need: never fewer than those in which they stand.
func TestNarrowedItems(t *testing.T) {
	unit := func(pkg, name string) queue.FailedTest {
		return queue.FailedTest{Suite: "unit", Package: pkg, Name: name}
	}
	for _, c := range []struct {
		name, runner string
		wanted       []queue.FailedTest
		want         string
	}{
		{"tests of two packages, in order", "go", []queue.FailedTest{unit("c", "TestC"), unit("a", "TestB"), unit("a", "TestA"), unit("a", "TestB")}, "a[TestA TestB] c[TestC]"},
		{"another suite's", "go", []queue.FailedTest{{Suite: "e2e", Package: "a", Name: "TestA"}}, ""},
		{"a suite that is not told", "go", []queue.FailedTest{{Package: "a", Name: "TestA"}}, "a[TestA]"},
		{"a package that another pull request brings", "go", []queue.FailedTest{unit("new", "TestNew"), unit("a", "TestA")}, "a[TestA]"},
		{"a package that does not compile, and a test of it", "go", []queue.FailedTest{unit("b", "TestB"), unit("b", "[build failed]")}, "b[]"},
		{"an exit code without a package", "go", []queue.FailedTest{unit("a", "TestA"), unit("", "go test")}, "everything"},
		{"a file as the item", "generic", []queue.FailedTest{{Suite: "unit", File: "b", Name: "adds up"}}, "b[adds up]"},
		{"the item itself", "generic", []queue.FailedTest{unit("", "c")}, "c[]"},
		{"no item of its own", "generic", []queue.FailedTest{unit("some.Class", "adds up")}, "everything"},
	} {
		ask := planRequest(0, 1, "a", "b", "c")
		ask.Runner = c.runner
		plan := narrowAnswer(t, ask, c.wanted)
		var got []string
		for _, item := range plan.Shard.Items {
			got = append(got, fmt.Sprint(item.ID, item.Tests))
		}
		want := c.want
		if want == "everything" {
			want = "a[] b[] c[]"
		}
		if strings.Join(got, " ") != want || plan.Scope != shard.ScopeNarrow || (len(plan.Warnings) > 0) != (c.want == "everything") {
			t.Errorf("%s: %q, scope %s, warnings %q; want %s", c.name, got, plan.Scope, plan.Warnings, want)
		}
		if err := plan.Validate(ask); err != nil {
			t.Errorf("%s: not fit for the wire: %v", c.name, err)
		}
	}
}

// Over any number of shards, each narrowed item is in exactly one.
func TestNarrowItemsAreDealtOutOnce(t *testing.T) {
	var items []string
	wanted := make([]queue.FailedTest, 7)
	for i := range 20 {
		items = append(items, fmt.Sprintf("p%02d", i))
	}
	for i := range wanted {
		wanted[i] = queue.FailedTest{Suite: "unit", Package: items[2*i], Name: "TestIt"}
	}
	for total := 1; total <= 10; total++ {
		ask := planRequest(0, total, items...)
		ask.All = true
		plan := narrowAnswer(t, ask, wanted)
		seen := map[string]int{}
		for i, s := range plan.Shards {
			for _, id := range s.IDs() {
				seen[id]++
			}
			alone := planRequest(i, total, items...)
			one, _ := json.Marshal(narrowAnswer(t, alone, wanted).Shard)
			if all, _ := json.Marshal(s); string(all) != string(one) {
				t.Errorf("shard %d of %d is planned %s for all and %s for itself", i, total, all, one)
			}
		}
		for _, w := range wanted {
			if seen[w.Package] != 1 || len(seen) != len(wanted) {
				t.Errorf("%d shards: %v", total, seen)
			}
		}
	}
}
