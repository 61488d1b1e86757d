package sandbox_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/google/go-github/v60/github"

	"github.com/mainstay-ci/mainstay/sandbox"
)

const shardsWorkflow = `name: CI
on:
  push: {branches: ["mainstay/**"]}
permissions: {contents: read, id-token: write}
jobs:
  test:
    runs-on: ubuntu-latest
    strategy: {fail-fast: false, matrix: {shard: [0, 1]}}
    steps:
      - uses: actions/checkout@v4
      - run: cat README.md && test -f feature.txt && echo shard ${{ matrix.shard }}
  after:
    needs: test
    runs-on: ubuntu-latest
    steps:
      - run: |
          echo "$GITHUB_REF $GITHUB_SHA"
          echo "url=$ACTIONS_ID_TOKEN_REQUEST_URL" >> "$GITHUB_STEP_SUMMARY"
          echo "bearer=$ACTIONS_ID_TOKEN_REQUEST_TOKEN" >> "$GITHUB_STEP_SUMMARY"
`

// A ticket's push starts the repository's own workflow, whole and for real.
func TestTicketRunsItsWorkflow(t *testing.T) {
	w := found(t)
	w.move("main", w.commit("main", ".github/workflows/ci.yml", shardsWorkflow))
	w.open("feature")
	w.settle()
	if runs := w.repo.WorkflowRuns(); len(runs) != 0 {
		t.Fatalf("runs before the ticket: %+v", runs)
	}
	w.inbox.take()
	head := w.pull(1).HeadSHA
	c := w.clone(w.token())
	c.git("push", "--quiet", "origin", head+":refs/heads/mainstay/main/1")
	w.settle()
	runs := w.repo.WorkflowRuns()
	if len(runs) != 1 || runs[0].Conclusion != "success" || runs[0].HeadSHA != head || runs[0].HeadBranch != "mainstay/main/1" || runs[0].Event != "push" {
		t.Fatalf("runs: %+v", runs)
	}
	var jobs []string
	for _, j := range runs[0].Jobs {
		jobs = append(jobs, j.Name+" "+j.Conclusion)
	}
	if want := []string{"test (0) success", "test (1) success", "after success"}; !slices.Equal(jobs, want) {
		t.Errorf("jobs %v", jobs)
	}
	if log := runs[0].Jobs[1].Log; !strings.Contains(log, "hello") || !strings.Contains(log, "shard 1") {
		t.Errorf("the log reads %q", log)
	}
	names, hooks := w.inbox.take()
	for _, one := range []string{"workflow_run.requested", "workflow_run.in_progress", "workflow_run.completed", "workflow_job.queued",
		"workflow_job.in_progress", "workflow_job.completed", "check_suite.requested", "check_run.created", "check_run.completed", "check_suite.completed"} {
		if !slices.Contains(names, one) {
			t.Errorf("no %s among %v", one, names)
		}
	}
	for _, h := range hooks {
		if _, err := github.ParseWebHook(h.event, h.raw); err != nil {
			t.Errorf("%s does not parse: %v", h.event, err)
		}
	}
	gh, ctx := w.client(), soon(t)
	listed, _, err := gh.Actions.ListRepositoryWorkflowRuns(ctx, "acme", "widgets", &github.ListWorkflowRunsOptions{HeadSHA: head, Event: "push"})
	must(t, err)
	read, _, err := gh.Actions.ListWorkflowJobs(ctx, "acme", "widgets", listed.WorkflowRuns[0].GetID(), nil)
	must(t, err)
	check, _, err := gh.Checks.GetCheckRun(ctx, "acme", "widgets", read.Jobs[0].GetID())
	must(t, err)
	if listed.GetTotalCount() != 1 || read.GetTotalCount() != 3 || check.GetApp().GetID() != 15368 || check.GetName() != "test (0)" {
		t.Errorf("by the API: %d runs, %d jobs, check %v", listed.GetTotalCount(), read.GetTotalCount(), check)
	}
}

// What can't be run says why, and is a red run, never silence.
func TestWorkflowThatDoesNotParse(t *testing.T) {
	w := found(t)
	w.repo.SetWorkflows(map[string]string{".github/workflows/bad.yml": "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: some/unknown@v1\n        with: [1\n"})
	w.move("main", w.commit("main", "a", "1"))
	w.settle()
	runs := w.repo.WorkflowRuns()
	if len(runs) != 1 || runs[0].Conclusion != "failure" || !strings.Contains(runs[0].Message, "bad.yml") {
		t.Errorf("runs: %+v", runs)
	}
}

// What a job pushes with its own token starts no workflow, or it would never end.
func TestPushOfAJobStartsNothing(t *testing.T) {
	w := found(t)
	w.repo.SetWorkflows(map[string]string{"outside/push.yml": `on: {push: {branches: ["go*"]}}
jobs:
  a:
    runs-on: ubuntu-latest
    env: {GITHUB_TOKEN: "${{ github.token }}"}
    steps:
      - run: |
          git clone -q "http://x-access-token:$GITHUB_TOKEN@${GITHUB_SERVER_URL#http://}/$GITHUB_REPOSITORY.git" copy
          git -C copy push -q origin HEAD:refs/heads/go-on
`})
	w.move("go", w.base)
	w.settle()
	if got := w.repo.Ref("go-on"); got != w.base {
		t.Fatalf("the job pushed nothing: %+v", w.repo.WorkflowRuns())
	}
	if runs := w.repo.WorkflowRuns(); len(runs) != 1 {
		t.Errorf("%d runs, want 1", len(runs))
	}
}

// A run can be cancelled, and outlives its branch.
func TestCancelRun(t *testing.T) {
	w := found(t)
	w.repo.SetWorkflows(map[string]string{"outside/wait.yml": "on: {push: {branches: [\"wait*\"]}}\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: sleep 60\n"})
	w.move("wait", w.commit("main", "a", "1"))
	must(t, w.WaitFor(soon(t), func() bool {
		runs := w.repo.WorkflowRuns()
		return len(runs) == 1 && runs[0].Status == "in_progress"
	}))
	must(t, w.repo.Push(w.alice, sandbox.RefUpdate{Ref: "wait"}))
	run := w.repo.WorkflowRuns()[0]
	if run.Status != "in_progress" {
		t.Errorf("its branch is gone and it is %s", run.Status)
	}
	gh, ctx := w.client(), soon(t)
	_, err := gh.Actions.CancelWorkflowRunByID(ctx, "acme", "widgets", run.ID)
	var accepted *github.AcceptedError
	if err != nil && !strings.Contains(err.Error(), "job scheduled") && !asAccepted(err, &accepted) {
		t.Fatal(err)
	}
	w.settle()
	if got := w.repo.WorkflowRuns()[0]; got.Conclusion != "cancelled" || got.Jobs[0].Conclusion != "cancelled" {
		t.Errorf("cancelled: %+v", got)
	}
}

func asAccepted(err error, target **github.AcceptedError) bool {
	accepted, ok := err.(*github.AcceptedError)
	*target = accepted
	return ok
}

// A pull request's workflow runs on the merge of head and base, and shows on the head.
func TestPullRequestWorkflow(t *testing.T) {
	w := found(t)
	w.repo.SetWorkflows(map[string]string{"outside/pr.yml": "on: pull_request\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: actions/checkout@v4\n      - run: test -f feature.txt && test -f base.txt && echo $GITHUB_REF\n"})
	head := w.commit("main", "feature.txt", "1")
	w.move("feature", head)
	w.move("main", w.commit("main", "base.txt", "2"))
	_, err := w.repo.OpenPullRequest(sandbox.OpenPullRequest{By: w.alice, Head: "feature", Title: "t"})
	must(t, err)
	w.settle()
	runs := w.repo.WorkflowRuns()
	if len(runs) != 1 || runs[0].Conclusion != "success" || runs[0].HeadSHA != head || !strings.Contains(runs[0].Jobs[0].Log, "refs/pull/1/merge") {
		t.Errorf("runs: %+v", runs)
	}
}

// A job's identity is verified with the library a server uses, and ends with the job.
func TestIdentityOfAJob(t *testing.T) {
	w := found(t)
	ctx := soon(t)
	w.repo.SetWorkflows(map[string]string{"outside/id.yml": `on: {push: {branches: [ticket]}}
permissions: {id-token: write}
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - run: |
          export SANDBOX_BEARER="$ACTIONS_ID_TOKEN_REQUEST_TOKEN"
          export SANDBOX_GET="$ACTIONS_ID_TOKEN_REQUEST_URL&audience=https%3A%2F%2Fmainstay.example"
          ` + os.Args[0] + ` > $GITHUB_STEP_SUMMARY
`})
	sha := w.commit("main", "a", "1")
	w.move("ticket", sha)
	w.settle()
	run := w.repo.WorkflowRuns()[0]
	var answer struct{ Value string }
	if err := json.Unmarshal([]byte(run.Jobs[0].Summary), &answer); err != nil {
		t.Fatalf("the job got %q: %v", run.Jobs[0].Summary, err)
	}
	provider, err := oidc.NewProvider(ctx, w.IssuerURL())
	must(t, err)
	verifier := provider.Verifier(&oidc.Config{ClientID: "https://mainstay.example"})
	token, err := verifier.Verify(ctx, answer.Value)
	must(t, err)
	var claims map[string]any
	must(t, token.Claims(&claims))
	id := func(n int64) string { return strings.TrimSpace(string(must1(json.Marshal(n)))) }
	for name, want := range map[string]string{"sha": sha, "ref": "refs/heads/ticket", "event_name": "push", "repository": "acme/widgets",
		"repository_id": id(w.repo.ID), "run_id": id(run.ID), "run_attempt": "1", "check_run_id": id(run.Jobs[0].ID), "runner_environment": "github-hosted"} {
		if claims[name] != want {
			t.Errorf("%s is %v, want %s", name, claims[name], want)
		}
	}
	if got := token.Expiry.Sub(token.IssuedAt); got != 5*time.Minute {
		t.Errorf("it lives %v", got)
	}
	for name, bad := range map[string]map[string]any{"expired": {"exp": time.Now().Add(-time.Minute).Unix()}, "foreign": {"aud": "https://elsewhere.example"}, "of another issuer": {"iss": "https://token.example"}} {
		minted, err := w.MintToken(run.Jobs[0].ID, "https://mainstay.example", bad)
		must(t, err)
		if _, err := verifier.Verify(ctx, minted); err == nil {
			t.Errorf("a token that is %s was taken", name)
		}
	}
	if status := askIdentity(ctx, t, w.URL()+"/_services/pipelines/idtoken/"+id(run.Jobs[0].ID), "whatever"); status != 401 {
		t.Errorf("after the job's end its identity is given with status %d", status)
	}
}

func must1(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}

func askIdentity(ctx context.Context, t *testing.T, address, bearer string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address+"?audience="+url.QueryEscape("x"), nil)
	must(t, err)
	req.Header.Set("Authorization", "bearer "+bearer)
	response, err := http.DefaultClient.Do(req)
	must(t, err)
	_, _ = io.Copy(io.Discard, response.Body)
	must(t, response.Body.Close())
	return response.StatusCode
}
