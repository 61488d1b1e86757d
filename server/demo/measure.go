package demo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/sandbox"
)

// Load is one measurement of the whole road: so many good pull requests,
// labelled while the queue is paused, in batches of Batch.
type Load struct {
	Start    StartServer
	Binaries string
	Log      *slog.Logger
	Pulls    int
	Batch    int
	Shards   int
	CI       time.Duration // what a workflow run takes at least, from the push to its end
	// JobStart is about what starting and ending a job of the box takes beside its
	// test, which sleeps so much less; Figures.CISeconds tells what came of it.
	JobStart time.Duration
	Linger   time.Duration // how long after the last landing workflow runs are still counted
}

// Figures are what a Load came to.
type Figures struct {
	Seconds    float64 // from resume to the last pull request seen merged
	Builds     int     // workflow runs of any event
	Calls      int     // REST calls, from the first label on
	GitCalls   int     // requests of git itself
	MostEdits  int     // of one pull request's check
	CISeconds  float64 // what a workflow run took, on average
	OverheadMS float64 // per landing, beyond the workflow run
}

const loadWorkflow = `name: ci
on:
  push: {branches: ["mainstay/**"]}
permissions: {contents: read, id-token: write}
jobs:
  unit:
    runs-on: ubuntu-latest
    strategy: {fail-fast: false, matrix: {shard: [%s]}}
    steps:
      - uses: mainstay-ci/mainstay@v1
        with:
          server-url: %s
          mode: run
          runner: generic
          tests: |
%s          command: sh -c "sleep %g" sh {tests}
`

// Measure makes a fresh world, runs the load once and gives its figures.
func Measure(ctx context.Context, l Load) (Figures, error) {
	dir, err := os.MkdirTemp("", "mainstay-bench-")
	if err != nil {
		return Figures{}, err
	}
	defer os.RemoveAll(dir)
	w, err := newWorld(ctx, worldOptions{dir: dir, owner: "bench", name: "load", adopt: filepath.Join(dir, "origin.git"),
		branch: "main", start: l.Start, log: l.Log, binaries: l.Binaries})
	if err != nil {
		return Figures{}, err
	}
	defer w.close()
	if err := w.serve(ctx); err != nil {
		return Figures{}, err
	}
	numbers, err := w.openLoad(ctx, l)
	if err != nil {
		return Figures{}, err
	}
	return w.measure(ctx, l, numbers)
}

func (w *world) openLoad(ctx context.Context, l Load) ([]int, error) {
	shards, items := "", ""
	for i := range l.Shards {
		shards += fmt.Sprintf("%d,", i)
		items += fmt.Sprintf("            part-%d\n", i)
	}
	files := map[string]string{
		"README.md":                "# Load\n",
		".github/workflows/ci.yml": fmt.Sprintf(loadWorkflow, shards[:len(shards)-1], w.server.URL, items, (l.CI - l.JobStart).Seconds()),
		".github/mainstay.yml": fmt.Sprintf("version: 1\nqueues:\n  - branch: main\n    suites: {unit: %d}\n    batch: {size: %d}\n",
			l.Shards, l.Batch),
	}
	if err := w.seedShop(files); err != nil {
		return nil, err
	}
	if err := w.awaitQueue(ctx); err != nil {
		return nil, err
	}
	tip := w.repo.Ref("refs/heads/main")
	var numbers []int
	for i := range l.Pulls {
		branch := fmt.Sprintf("change-%02d", i+1)
		commit, err := w.repo.Commit(tip, map[string]string{fmt.Sprintf("src/%02d.txt", i): "one more\n"}, fmt.Sprintf("Change %d", i+1))
		if err != nil {
			return nil, err
		}
		if err := w.repo.Push(w.author, refUpdate("refs/heads/"+branch, commit)); err != nil {
			return nil, err
		}
		pr, err := w.repo.OpenPullRequest(sandbox.OpenPullRequest{By: w.author, Head: branch, Base: "main", Title: fmt.Sprintf("Change %d", i+1)})
		if err != nil {
			return nil, err
		}
		numbers = append(numbers, int(pr.Number))
	}
	return numbers, nil
}

func (w *world) measure(ctx context.Context, l Load, numbers []int) (Figures, error) {
	if err := w.server.Pause(ctx, w.repo.ID, "main", "the bench labels first"); err != nil {
		return Figures{}, err
	}
	if err := w.forge.Settle(ctx); err != nil {
		return Figures{}, err
	}
	var heads []string
	for _, n := range numbers {
		pr, _ := w.repo.PullRequest(int64(n))
		heads = append(heads, pr.HeadSHA)
	}
	w.forge.ResetCalls()
	for _, n := range numbers {
		if err := w.repo.Label(int64(n), w.owner, "merge-queue"); err != nil {
			return Figures{}, err
		}
	}
	if err := w.awaitLine(ctx, len(numbers)); err != nil {
		return Figures{}, err
	}
	began := time.Now()
	if err := w.server.Resume(ctx, w.repo.ID, "main"); err != nil {
		return Figures{}, err
	}
	if err := w.forge.WaitFor(ctx, func() bool { return w.merged(numbers) == len(numbers) }); err != nil {
		return Figures{}, fmt.Errorf("%d of %d were merged: %w%s", w.merged(numbers), len(numbers), err, w.lastTrouble())
	}
	took := time.Since(began)
	select {
	case <-time.After(l.Linger):
	case <-ctx.Done():
		return Figures{}, ctx.Err()
	}
	f := Figures{Seconds: seconds(took), Builds: len(w.repo.WorkflowRuns()), Calls: w.forge.RESTCalls(), GitCalls: w.gitCalls()}
	landings := (len(numbers) + l.Batch - 1) / l.Batch
	f.CISeconds = w.meanRun()
	f.OverheadMS = 1000 * (took.Seconds()/float64(landings) - f.CISeconds)
	writes := w.repo.CheckWrites()
	for _, head := range heads {
		f.MostEdits = max(f.MostEdits, writes[head].Edited)
	}
	return f, nil
}

// meanRun is what a workflow run took, from its creation to its end.
func (w *world) meanRun() float64 {
	sum, n := 0.0, 0
	for _, run := range w.repo.WorkflowRuns() {
		if !run.EndedAt.IsZero() {
			sum, n = sum+run.EndedAt.Sub(run.CreatedAt).Seconds(), n+1
		}
	}
	return sum / float64(max(n, 1))
}

// lastTrouble is what the first red job of the last red run printed.
func (w *world) lastTrouble() string {
	runs := w.repo.WorkflowRuns()
	for i := len(runs) - 1; i >= 0; i-- {
		if runs[i].Message != "" {
			return "\n" + runs[i].Message
		}
		for _, j := range runs[i].Jobs {
			if j.Conclusion == "failure" {
				return fmt.Sprintf("\n%s of %s printed:\n%s", j.Name, runs[i].Name, j.Log)
			}
		}
	}
	return ""
}

// gitCalls counts the requests of git itself.
func (w *world) gitCalls() int {
	sum := 0
	for route, n := range w.forge.Calls() {
		if strings.HasPrefix(route, "git ") {
			sum += n
		}
	}
	return sum
}

// awaitLine waits until so many entries stand in line and the paused server has
// nothing left to do.
func (w *world) awaitLine(ctx context.Context, n int) error {
	changed, stop, err := w.server.Watch(ctx, w.repo.ID, "main")
	if err != nil {
		return err
	}
	defer stop()
	for {
		snap, err := w.snapshot(ctx)
		if err != nil {
			return err
		}
		waiting := 0
		for _, e := range snap.Rows.Entries {
			if e.Phase == queue.Waiting && e.Check.ID != 0 {
				waiting++
			}
		}
		if waiting == n && snap.Busy == 0 {
			return nil
		}
		select {
		case <-changed:
		case <-time.After(20 * time.Millisecond): // effects without an outcome change no queue
		case <-ctx.Done():
			return errors.New("the pull requests did not enter the line")
		}
	}
}

func (w *world) merged(numbers []int) int {
	n := 0
	for _, number := range numbers {
		if pr, _ := w.repo.PullRequest(int64(number)); pr.Merged {
			n++
		}
	}
	return n
}
