package sandbox_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/mainstay-ci/mainstay/sandbox"
)

// Each shard counts how often it ran in a file outside; the second is red the first time.
const againWorkflow = `on: {push: {branches: ["try"]}}
permissions: {id-token: write}
jobs:
  plan:
    runs-on: ubuntu-latest
    outputs: {shards: "${{ steps.p.outputs.shards }}"}
    steps:
      - id: p
        run: |
          echo plan >> COUNT
          echo 'shards=[0, 1]' >> "$GITHUB_OUTPUT"
  test:
    needs: plan
    runs-on: ubuntu-latest
    strategy: {fail-fast: false, matrix: {shard: "${{ fromJSON(needs.plan.outputs.shards) }}"}}
    steps:
      - run: |
          echo "shard ${{ matrix.shard }}" >> COUNT
          echo "try $GITHUB_RUN_ATTEMPT"
          [ "${{ matrix.shard }}" = 0 ] || [ "$GITHUB_RUN_ATTEMPT" -gt 1 ]
  after:
    needs: test
    runs-on: ubuntu-latest
    steps:
      - run: echo after >> COUNT
`

// A re-run is the same run once more: what was green stays, with its outputs and
// its checks; what was red runs again, and so does what needs it.
func TestFailedJobsRunAgain(t *testing.T) {
	w := found(t)
	count := t.TempDir() + "/count"
	w.repo.SetWorkflows(map[string]string{"outside/again.yml": strings.ReplaceAll(againWorkflow, "COUNT", count)})
	w.move("try", w.commit("main", "a", "1"))
	w.settle()
	before := w.repo.WorkflowRuns()[0]
	if before.Conclusion != "failure" || before.Attempt != 1 {
		t.Fatalf("the first attempt: %+v", before)
	}

	must(t, w.repo.RerunFailedJobs(w.alice, before.ID))
	w.settle()

	after := w.repo.WorkflowRuns()
	if len(after) != 1 || after[0].ID != before.ID || after[0].Attempt != 2 || after[0].Conclusion != "success" || len(after[0].Jobs) != 4 {
		t.Fatalf("after the re-run: %+v", after)
	}
	ids := map[string]int64{}
	for _, j := range before.Jobs {
		ids[j.Name] = j.ID
	}
	for _, j := range after[0].Jobs {
		if kept := j.Name == "plan" || j.Name == "test (0)"; kept != (j.ID == ids[j.Name]) {
			t.Errorf("%s is job %d, it was %d", j.Name, j.ID, ids[j.Name])
		}
		if j.Name == "test (1)" && !strings.Contains(j.Log, "try 2") {
			t.Errorf("its log: %s", j.Log)
		}
	}
	lines := readLines(t, count)
	slices.Sort(lines)
	if want := []string{"after", "plan", "shard 0", "shard 1", "shard 1"}; !slices.Equal(lines, want) {
		t.Errorf("ran %v, want %v", lines, want)
	}
}

func readLines(t *testing.T, path string) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	must(t, err)
	return strings.Split(strings.TrimSpace(string(text)), "\n")
}

// The jobs' own API: one job again, by its number, and nothing while a run is under way.
func TestOneJobRunsAgainByTheAPI(t *testing.T) {
	w := found(t)
	count := t.TempDir() + "/count"
	w.repo.SetWorkflows(map[string]string{"outside/again.yml": strings.ReplaceAll(againWorkflow, "COUNT", count)})
	w.move("try", w.commit("main", "a", "1"))
	w.settle()
	run := w.repo.WorkflowRuns()[0]
	green := run.Jobs[slices.IndexFunc(run.Jobs, func(j sandbox.WorkflowJob) bool { return j.Name == "test (0)" })]

	gh, ctx := w.client(), soon(t)
	_, err := gh.Actions.RerunJobByID(ctx, "acme", "widgets", green.ID)
	must(t, err)
	w.settle()

	// The other shard is red as before, so the run is.
	if again := w.repo.WorkflowRuns()[0]; again.Attempt != 2 || again.Conclusion != "failure" {
		t.Errorf("after the job's re-run: %+v", again)
	}
	got, _, err := gh.Actions.GetWorkflowRunByID(ctx, "acme", "widgets", run.ID)
	must(t, err)
	if got.GetRunAttempt() != 2 || got.GetConclusion() != "failure" {
		t.Errorf("the API says attempt %d, %s", got.GetRunAttempt(), got.GetConclusion())
	}
	if _, err := gh.Actions.RerunJobByID(ctx, "acme", "widgets", 1<<40); err == nil {
		t.Error("a job that does not exist ran again")
	}
}
