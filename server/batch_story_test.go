package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/sandbox"
)

// goFiles is a small Go module whose own workflow runs the real Action in two shards.
func goFiles(serverURL string) map[string]string {
	return map[string]string{
		"go.mod":               "module example.com/sums\n\ngo 1.21\n",
		"sum/sum.go":           "// Package sum adds.\npackage sum\n\n// Of adds.\nfunc Of(a, b int) int { return a + b }\n",
		"sum/sum_test.go":      "package sum\n\nimport \"testing\"\n\nfunc TestOf(t *testing.T) {\n\tif Of(1, 2) != 3 {\n\t\tt.Fatal(Of(1, 2))\n\t}\n}\n",
		"name/name.go":         "// Package name names.\npackage name\n\n// Name is one.\nconst Name = \"sums\"\n",
		"name/name_test.go":    "package name\n\nimport \"testing\"\n\nfunc TestName(t *testing.T) {\n\tif Name == \"\" {\n\t\tt.Fatal(\"no name\")\n\t}\n}\n",
		".github/mainstay.yml": "version: 1\nqueues:\n  - branch: main\n    suites: {unit: 2}\n    batch: {size: 4}\n",
		".github/workflows/test.yml": fmt.Sprintf(`name: tests
on:
  push: {branches: ["mainstay/**"]}
permissions: {contents: read, id-token: write}
env: {GOFLAGS: "-vet=off"}
jobs:
  unit:
    runs-on: ubuntu-latest
    strategy: {fail-fast: false, matrix: {shard: [0, 1]}}
    steps:
      - uses: actions/checkout@v7
      - uses: mainstay-ci/mainstay@v1
        with: {server-url: "%s", mode: run, runner: go, tests: ./...}
`, serverURL),
	}
}

// sum is a good change with a test of its own.
func sum(name string) map[string]string {
	return map[string]string{
		"sum/" + strings.ToLower(name) + ".go": fmt.Sprintf("package sum\n\n// %s adds nothing.\nfunc %s(a int) int { return Of(a, 0) }\n", name, name),
		"sum/" + strings.ToLower(name) + "_test.go": fmt.Sprintf(
			"package sum\n\nimport \"testing\"\n\nfunc Test%s(t *testing.T) {\n\tif %s(2) != 2 {\n\t\tt.Fatal(%s(2))\n\t}\n}\n", name, name, name),
	}
}

// One red change in a batch must cost its author, not its neighbours: the real
// Action runs real tests, and the report of the shard that failed names the test.
func TestTheRedOneOfABatchIsOutAndTheOthersLand(t *testing.T) {
	t.Parallel()
	// Given four pull requests, one of which breaks a test of its own.
	w := found(t, scene{actions: true, unruled: true})
	w.ci.hold()
	w.repo.Protect("main", sandbox.Rules{RequiredChecks: []sandbox.RequiredCheck{{Context: "Mainstay", AppID: w.app.ID}}})
	seed, err := w.repo.Commit("main", goFiles(w.server.url), "A Go module")
	w.must(err)
	w.must(w.repo.Push(w.owner, sandbox.RefUpdate{Ref: "main", New: seed}))
	broken := sum("Broken")
	broken["sum/broken.go"] = "package sum\n\n// Broken adds one too many.\nfunc Broken(a int) int { return Of(a, 1) }\n"
	prs := []int{w.open("one", sum("One")), w.open("two", sum("Two")), w.open("broken", broken), w.open("four", sum("Four"))}
	red := prs[2]
	head := w.pull(red).HeadSHA
	w.until("the server has read the config", func() bool { return len(w.rows().Header.Settings.Suites) == 1 })

	// When all four are tested together.
	w.labelTogether(prs...)
	w.awaitEnds(ends{prs[0]: landed, prs[1]: landed, red: queue.ChecksFailed, prs[3]: landed})

	// Then the red one is out, its failing test named in the check and in a comment.
	check := w.check(head)
	if check.Conclusion != "failure" || !strings.Contains(check.Title, "TestBroken failed") || check.Annotations == 0 {
		t.Errorf("the check concluded %s: %q, %d annotations", check.Conclusion, check.Title, check.Annotations)
	}
	if !w.said(red, "TestBroken") || !w.said(red, "set the label again") {
		t.Errorf("the comments are %q", w.repo.Comments(int64(red)))
	}
	if pull := w.pull(red); pull.State != "open" || len(pull.Labels) > 0 || pull.HeadSHA != head {
		t.Errorf("it is %s at %s with the labels %v, want it as its author left it", pull.State, pull.HeadSHA, pull.Labels)
	}
	if files := w.git("ls-tree", "-r", "--name-only", "main"); strings.Contains(files, "broken") || !strings.Contains(files, "sum/four.go") {
		t.Errorf("main has %s", files)
	}
	// And the receipt of what landed carries the shards that said so.
	receipts, err := w.server.store.Receipts(t.Context(), w.place.ID, 10)
	w.must(err)
	for _, r := range receipts {
		tests := 0 // of two shards that lease a small suite, one may run all of it
		for _, sh := range r.Shards {
			tests += sh.Tests
		}
		if len(r.Shards) != 2 || tests == 0 {
			t.Errorf("the receipt of %s has the shards %+v", r.Commit, r.Shards)
		}
	}
}
