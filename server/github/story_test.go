package github

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/sandbox"
)

// What people do at GitHub must arrive as hints: signed, understood and named
// after the right queue.
func TestWhatPeopleDoArrivesAsHints(t *testing.T) {
	s := newScene(t)
	hints := make(chan queue.Hint, 1000)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if err := s.app.Verify(r.Header.Get("X-Hub-Signature-256"), body); err != nil {
			t.Errorf("%s: %v", r.Header.Get("X-GitHub-Event"), err)
		}
		found, err := s.app.Interpret(r.Header.Get("X-GitHub-Event"), body)
		if err != nil {
			t.Errorf("%s: %v", r.Header.Get("X-GitHub-Event"), err)
		}
		for _, h := range found {
			hints <- h
		}
	}))
	t.Cleanup(server.Close)
	s.us.SetWebhook(server.URL)
	await := func(what string, want queue.Hint) {
		t.Helper()
		for {
			select {
			case got := <-hints:
				if got == want {
					return
				}
			case <-s.ctx.Done():
				t.Fatalf("%s: no hint %+v", what, want)
			}
		}
	}
	pr := s.open("feature")
	number := int(pr.Number)
	everywhere, release, feature := s.place, s.place, s.place
	everywhere.Branch, release.Branch, feature.Branch = "", "release/1.x", "feature"
	await("opened", queue.Hint{Place: s.place, Fact: queue.PullRequestHinted{Number: number}})
	s.must(s.repo.Label(pr.Number, s.writer, label))
	await("labelled", queue.Hint{Place: s.place, Opens: true, Fact: queue.PullRequestHinted{Number: number, Labelled: true}})
	s.review(pr.Number, s.maintainer, "approved")
	await("reviewed", queue.Hint{Place: s.place, Opens: true, Fact: queue.PullRequestHinted{Number: number, Labelled: true}})
	commit := s.push("feature", "", map[string]string{"x": "2"})
	await("its branch pushed", queue.Hint{Place: feature, Fact: queue.BaseHinted{Tip: commit}})
	s.push("release/1.x", "main", map[string]string{"v": "1"})
	s.must(s.repo.Retarget(pr.Number, s.writer, "release/1.x"))
	await("retargeted", queue.Hint{Place: release, Opens: true, Fact: queue.PullRequestHinted{Number: number, Labelled: true}})
	await("retargeted, told to the old queue", queue.Hint{Place: s.place, Fact: queue.PullRequestHinted{Number: number}})
	ci, err := s.forge.NewApp(sandbox.AppOptions{Name: "Other CI", WebhookSecret: "s"})
	s.must(err)
	s.repo.Install(ci)
	s.must(s.app.PostResult(s.ctx, s.place, commit, "Ours tells nothing", ""))
	s.repo.SetCheck(ci, commit, "build", "success")
	await("a check", queue.Hint{Place: everywhere, Fact: queue.ResultsHinted{Commit: commit, Done: true}})
	s.must(s.repo.Close(pr.Number, s.writer))
	await("closed", queue.Hint{Place: release, Opens: true, Fact: queue.PullRequestHinted{Number: number, Labelled: true}})
}

// An abandoned attempt's runs cost money and runners until they are stopped.
func TestAnAbandonedTicketsRunIsStopped(t *testing.T) {
	s := newScene(t, sandbox.Options{})
	const ticket = "mainstay/main/1"
	s.repo.SetWorkflows(map[string]string{".github/workflows/ci.yml": `
on: {push: {branches: ["mainstay/**"]}}
jobs:
  test:
    runs-on: ubuntu-latest
    steps: [{run: sleep 300}]
`})
	commit := s.push(ticket, "main", map[string]string{"x": "1"})
	running := func() bool {
		runs := s.repo.WorkflowRuns()
		return len(runs) == 1 && runs[0].Status == "in_progress"
	}
	s.must(s.forge.WaitFor(s.ctx, running))

	results, err := s.app.ReadResults(s.ctx, s.place, ticket, commit, false)
	s.must(err)
	if len(results.Runs) != 1 || len(results.Checks) != 1 {
		t.Fatalf("results %+v", results)
	}
	r, check := results.Runs[0], results.Checks[0]
	if r.ID == 0 || r.Event != "push" || r.Branch != ticket || r.Status != "in_progress" || r.CreatedAt.IsZero() || r.URL == "" ||
		check.Name != "test" || check.App != queue.ActionsApp || check.Suite != r.Suite {
		t.Errorf("run %+v, check %+v", r, check)
	}

	s.must(s.app.CancelRuns(s.ctx, s.place, []string{commit}, "mainstay/main/2"))
	if !running() {
		t.Error("another ticket's name stopped it")
	}
	began := time.Now()
	s.must(s.app.CancelRuns(s.ctx, s.place, []string{commit}, ticket))
	s.must(s.forge.WaitFor(s.ctx, func() bool { return !running() }))
	results, err = s.app.ReadResults(s.ctx, s.place, ticket, commit, false)
	s.must(err)
	if r := results.Runs[0]; r.Status != "completed" || r.Conclusion != "cancelled" {
		t.Errorf("run %+v, %v after it was stopped", r, time.Since(began))
	}
}

// A token that dies early is replaced within the call that noticed.
func TestAnExpiredTokenIsReplacedOnce(t *testing.T) {
	s := newScene(t)
	pr := s.open("feature")
	s.read(pr.Number)
	s.forge.ExpireTokens()
	s.read(pr.Number)
}
