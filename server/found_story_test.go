package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/sandbox"
)

// leavingReports are files whose workflow runs the real Action and uploads what it
// reported, as action.yml's last step does.
func leavingReports(serverURL, on, timeout string) map[string]string {
	files := goFiles(serverURL)
	files[".github/workflows/test.yml"] = fmt.Sprintf(`name: tests
on: %s
permissions: {contents: read, id-token: write}
env: {GOFLAGS: "-vet=off"}
jobs:
  unit:
    runs-on: ubuntu-latest
    strategy: {fail-fast: false, matrix: {shard: [0, 1]}}
    steps:
      - uses: actions/checkout@v7
      - id: tests
        uses: mainstay-ci/mainstay@v1
        with: {server-url: "%s", mode: run, runner: go, tests: ./..., timeout: %s}
      - if: always()
        uses: actions/upload-artifact@v7
        with:
          name: mainstay-report-unit-${{ matrix.shard }}-${{ github.run_attempt }}
          path: ${{ steps.tests.outputs.report-file }}
          overwrite: true
          if-no-files-found: ignore
`, on, serverURL, timeout)
	return files
}

// begin puts these files on the base and waits until the server has read its config.
func (w *town) begin(files map[string]string) {
	w.t.Helper()
	w.ci.hold()
	w.repo.Protect("main", sandbox.Rules{RequiredChecks: []sandbox.RequiredCheck{{Context: "Mainstay", AppID: w.app.ID}}})
	seed, err := w.repo.Commit("main", files, "A Go module")
	w.must(err)
	w.must(w.repo.Push(w.owner, sandbox.RefUpdate{Ref: "main", New: seed}))
	w.until("the server has read the config", func() bool { return len(w.rows().Header.Settings.Suites) == 1 })
}

// passQuiet waits until so many runs have ended and been seen to, and lets the time
// pass in which another workflow could still show.
func (w *town) passQuiet(runs int) {
	w.t.Helper()
	w.until(fmt.Sprintf("run %d has ended", runs), func() bool {
		all := w.repo.WorkflowRuns()
		attempts := w.rows().Attempts
		return len(all) == runs && !all[runs-1].EndedAt.IsZero() && len(attempts) > 0 && !attempts[len(attempts)-1].DoneAt.IsZero()
	})
	w.passTime(40 * time.Second)
}

// The jobs of a batch can't reach the server from beginning to end. Their tests run
// all the same, their reports lie at GitHub, and the queue finds them there: the
// good one lands and the red one is told its test.
func TestReportsThatNeverReachedTheServerAreFoundAtGitHub(t *testing.T) {
	t.Parallel()
	w := found(t, scene{actions: true, unruled: true})
	w.begin(leavingReports("http://127.0.0.1:1", `{push: {branches: ["mainstay/**"]}}`, "1s"))
	broken := sum("Broken")
	broken["sum/broken.go"] = "package sum\n\n// Broken adds one too many.\nfunc Broken(a int) int { return Of(a, 1) }\n"

	good := w.open("good", sum("Good"))
	w.label(good)
	w.passQuiet(1)
	w.awaitEnds(ends{good: landed})

	red := w.open("broken", broken)
	head := w.pull(red).HeadSHA
	w.label(red)
	w.passQuiet(2)
	w.passQuiet(3) // its failing test alone, to see that it is no flake
	w.awaitEnds(ends{red: queue.ChecksFailed})
	if check := w.check(head); !strings.Contains(check.Title, "TestBroken failed") {
		t.Errorf("the check says %q", check.Title)
	}
}

// A fork's own runs have no identity. What they reported is on the pull request's
// page, and neither counts nor is asked for when the pull request is tested.
func TestAForksOwnRunsAreOnItsPage(t *testing.T) {
	t.Parallel()
	w := found(t, scene{actions: true, unruled: true})
	w.begin(leavingReports(w.server.url, `{pull_request: {}, push: {branches: ["mainstay/**"]}}`, "20s"))
	stranger := w.forge.NewUser("stan")
	fork, err := w.repo.Fork(stranger)
	w.must(err)
	broken := sum("Forked")
	broken["sum/forked.go"] = "package sum\n\n// Forked adds one too many.\nfunc Forked(a int) int { return Of(a, 1) }\n"
	pr := w.openFrom(fork, stranger, "topic", broken)
	w.until("the fork's run has ended", func() bool {
		runs := w.repo.WorkflowRuns()
		return len(runs) == 1 && !runs[0].EndedAt.IsZero()
	})
	runs := w.repo.WorkflowRuns()
	if runs[0].Event != "pull_request" || runs[0].Conclusion != "failure" {
		t.Fatalf("the fork's runs: %+v", runs)
	}
	if n := len(w.rows().Attempts); n != 0 {
		t.Fatalf("%d attempts", n)
	}

	w.label(pr)
	w.awaitEnds(ends{pr: queue.ChecksFailed})

	_, page := w.send("GET", fmt.Sprintf("/q/acme/widgets/main/pr/%d", pr), nil, nil)
	for _, want := range []string{"Its own runs", fmt.Sprintf("run %d", runs[0].ID), "unit 1 of 2", "unit 2 of 2", "TestForked"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}
