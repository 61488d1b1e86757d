package main

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/queue/shard"
	"github.com/mainstay-ci/mainstay/sandbox"
	"github.com/mainstay-ci/mainstay/server/web"
)

// narrowDesk is a queue with one attempt, and what the Action tells of it.
type narrowDesk struct {
	mu      sync.Mutex
	place   queue.Place
	attempt queue.Attempt
	bodies  map[string]string
	ended   []queue.Shard
}

func (d *narrowDesk) QueuesOf(context.Context, int64) ([]queue.Place, error) {
	return []queue.Place{d.place}, nil
}

func (d *narrowDesk) FindAttempt(_ context.Context, repository int64, commit string) (queue.Place, queue.Attempt, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if repository != d.place.Repository || commit != d.attempt.New {
		return queue.Place{}, queue.Attempt{}, queue.ErrNotFound
	}
	return d.place, d.attempt, nil
}

func (d *narrowDesk) KeepReport(_ context.Context, _ int64, key, _ string, body []byte, event queue.Event) (bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.bodies[key] = string(body)
	if reported, ok := event.Fact.(queue.ShardReported); ok {
		d.ended = append(d.ended, reported.Shard)
	}
	return true, nil
}

func (d *narrowDesk) ReportBodies(context.Context, int64, string) ([][]byte, error) { return nil, nil }

func (d *narrowDesk) Tell(context.Context, int64, ...queue.Fact) error { return nil }

func (d *narrowDesk) Wake(int64) {}

func (d *narrowDesk) KeepPullReport(context.Context, int64, queue.PullReport, time.Time) error {
	return nil
}

// A search for a culprit costs its tests alone: the real Action on a narrow
// attempt's ticket runs the test that is asked for, and a job that reads the
// plan's scope skips itself.
func TestANarrowAttemptRunsItsTestAndNothingElse(t *testing.T) {
	t.Parallel()
	// Given a commit on which every test is red but the one that the attempt asks for.
	w := foundWithoutServer(t, scene{actions: true, unruled: true})
	desk := &narrowDesk{place: queue.Place{ID: 1, Repository: w.repo.ID, Owner: "acme", Name: "widgets", Branch: "main"}, bodies: map[string]string{}}
	door := httptest.NewUnstartedServer(nil)
	url := "http://" + door.Listener.Addr().String()
	door.Config.Handler = web.New(web.Options{URL: url, Issuers: []string{w.forge.IssuerURL()}, Reports: desk, Clock: w.clock.now,
		Log: slog.New(slog.NewTextHandler(w.log, nil)), Pages: web.PageOptions{Log: slog.New(slog.DiscardHandler), Clock: w.clock.now}})
	door.Start()
	t.Cleanup(door.Close)
	files := goFiles(url)
	files["name/name_test.go"] = strings.Replace(files["name/name_test.go"], `Name == ""`, `Name != ""`, 1)
	files["sum/beside_test.go"] = "package sum\n\nimport \"testing\"\n\nfunc TestBeside(t *testing.T) { t.Fatal(\"not asked for\") }\n"
	files[".github/workflows/test.yml"] += `  plan:
    runs-on: ubuntu-latest
    outputs: {scope: "${{ steps.p.outputs.scope }}"}
    steps:
      - uses: actions/checkout@v7
      - id: p
        uses: mainstay-ci/mainstay@v1
        with: {server-url: "` + url + `", mode: plan, suite: unit, shard-total: 2, runner: go}
  lint:
    needs: plan
    if: needs.plan.outputs.scope != 'narrow'
    runs-on: ubuntu-latest
    steps:
      - run: exit 1
`
	commit, err := w.repo.Commit("main", files, "Red but for one test")
	w.must(err)
	desk.attempt = queue.Attempt{ID: 41, Batch: 3, Phase: queue.AttemptTesting, New: commit, Ticket: "mainstay/main/41",
		Narrow: []queue.FailedTest{{Suite: "unit", Package: "example.com/sums/sum", Name: "TestOf"}}}

	// When its ticket is pushed and its run has ended.
	w.must(w.repo.Push(w.owner, sandbox.RefUpdate{Ref: "mainstay/main/41", New: commit}))
	w.until("the run has ended", func() bool {
		runs := w.repo.WorkflowRuns()
		return len(runs) == 1 && runs[0].Status == "completed"
	})

	// Then it is green: one shard ran the test, the other had nothing to run, and lint was skipped.
	if run := w.repo.WorkflowRuns()[0]; run.Conclusion != "success" {
		t.Errorf("the run concluded %s", run.Conclusion)
	}
	for _, check := range w.repo.CheckRuns(commit) {
		if want := map[bool]string{true: "skipped", false: "success"}[check.Name == "lint"]; check.Conclusion != want {
			t.Errorf("%s concluded %s", check.Name, check.Conclusion)
		}
	}
	desk.mu.Lock()
	defer desk.mu.Unlock()
	var tests []int
	for _, sh := range desk.ended {
		if sh.Result != shard.ResultPassed || sh.Total != 2 || len(sh.Failed) != 0 {
			t.Errorf("the queue heard %+v", sh)
		}
		tests = append(tests, sh.Tests)
	}
	if slices.Sort(tests); !slices.Equal(tests, []int{0, 1}) {
		t.Errorf("the shards ran %v tests", tests)
	}
	for key, body := range desk.bodies {
		if !strings.Contains(body, `"scope":"narrow"`) || strings.Contains(body, "TestBeside") || strings.Contains(body, "TestName") {
			t.Errorf("the report %s is %s", key, body)
		}
	}
}
