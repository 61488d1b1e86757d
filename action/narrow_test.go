package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mainstay-ci/mainstay/queue/shard"
)

// A search for a culprit asks about a few tests: those run and nothing else,
// and a shard that has none of them is green without starting anything.
func TestANarrowPlanRunsItsTestsAlone(t *testing.T) {
	// Given a module with red tests everywhere but in the one that is asked for
	f := newForgery(t)
	f.narrow = map[string][]string{"example.com/m/a": {"TestA/sub", "TestGone"}}
	var log []string
	for _, index := range []string{"0", "1"} {
		s := newStep(t, map[string]string{"mode": "run", "runner": "go", "shard-index": index, "shard-total": "2", "server-url": f.url})
		s.identity()
		writeModule(t, s.env["GITHUB_WORKSPACE"], "t.Run(\"sub\", func(t *testing.T) {})")
		appendTo(t, filepath.Join(s.env["GITHUB_WORKSPACE"], "a", "a_test.go"), "\nfunc TestBeside(t *testing.T) { t.Fatal() }\n")
		appendTo(t, filepath.Join(s.env["GITHUB_WORKSPACE"], "b", "b_test.go"), "\nfunc TestElse(t *testing.T) { t.Fatal() }\n")
		appendTo(t, filepath.Join(s.env["GITHUB_WORKSPACE"], "plain", "plain.go"), "\nfunc broken() { return 1 }\n")

		// When each shard runs, then it is green and says that its scope is narrow
		if code := s.act(); code != exitFine || s.warnings() != 0 || s.outputs()["scope"] != "narrow" {
			t.Fatalf("shard %s: exit code %d, outputs %v\n%s", index, code, s.outputs(), &s.log)
		}
		log = append(log, s.outputs()["result"])
		page, err := os.ReadFile(s.env["GITHUB_STEP_SUMMARY"])
		if err != nil || !strings.Contains(string(page), "narrow search") {
			t.Errorf("the summary is %q, %v", page, err)
		}
	}
	if slices.Sort(log); !slices.Equal(log, []string{"empty", "passed"}) {
		t.Errorf("results %q", log)
	}
	// And the reports tell the scope, the one test and its package
	var ran []string
	for _, r := range f.received() {
		if r.Scope != shard.ScopeNarrow || len(r.NotRun)+len(r.Extra) != 0 {
			t.Errorf("report %+v", r)
		}
		for _, test := range r.Tests {
			ran = append(ran, test.Name)
		}
	}
	if slices.Sort(ran); !slices.Equal(ran, []string{"TestA", "TestA/sub"}) {
		t.Errorf("the tests that ran are %q", ran)
	}
}

func appendTo(t *testing.T, file, text string) {
	t.Helper()
	had, err := os.ReadFile(file)
	if err == nil {
		err = os.WriteFile(file, append(had, text...), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Where an item is asked for as it is, no other item's tests narrow it.
func TestAnItemAskedForAsItIsRunsWhole(t *testing.T) {
	for _, c := range []struct {
		items []shard.PlannedItem
		want  []string
	}{
		{nil, nil},
		{[]shard.PlannedItem{{ID: "a", Tests: []string{"TestB", "TestA"}}, {ID: "b", Tests: []string{"TestA"}}}, []string{"TestA", "TestB"}},
		{[]shard.PlannedItem{{ID: "a", Tests: []string{"TestA"}}, {ID: "b"}}, nil},
	} {
		if got := only(shard.PlannedShard{Items: c.items}); !slices.Equal(got, c.want) {
			t.Errorf("%v: only %q, want %q", c.items, got, c.want)
		}
	}
}

// The generic runner gets the items of a narrow plan as it gets any others, and
// the step that another one reports for is told apart by the plan that was kept.
func TestANarrowPlanOfOtherRunners(t *testing.T) {
	f := newForgery(t)
	f.narrow = map[string][]string{"b.py": nil}
	s := newStep(t, map[string]string{"mode": "plan", "runner": "generic", "tests": "a.py\nb.py\nc.py", "shard-index": "1", "shard-total": "2", "server-url": f.url})
	s.identity()
	if code := s.act(); code != exitFine || s.outputs()["scope"] != "narrow" || !slices.Equal(s.items(), []string{"b.py"}) {
		t.Fatalf("exit code %d, outputs %v\n%s", code, s.outputs(), &s.log)
	}
	s.with(map[string]string{"mode": "report", "outcome": "failure"})
	if code := s.act(); code != exitRed {
		t.Fatalf("exit code %d\n%s", code, &s.log)
	}
	if r := f.received()[0]; r.Scope != shard.ScopeNarrow || len(r.Items) != 1 {
		t.Errorf("report %+v", r)
	}
	// Without a server everything runs, which is never wrong: other jobs are told so.
	s = newStep(t, map[string]string{"mode": "plan", "runner": "generic", "tests": "a.py"})
	if s.act(); s.outputs()["scope"] != "full" {
		t.Errorf("outputs %v", s.outputs())
	}
}
