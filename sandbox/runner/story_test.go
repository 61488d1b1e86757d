package runner

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// forge is the host of a test: it remembers what it was told.
type forge struct {
	t       *testing.T
	files   map[string]string // what a checkout writes
	started chan string       // names of jobs, when not nil

	mu     sync.Mutex
	jobs   []Job
	begun  map[int64]bool
	ended  map[int64]JobResult
	tokens []string
}

func (f *forge) QueueJob(job Job) int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.jobs = append(f.jobs, job)
	return int64(len(f.jobs))
}

func (f *forge) StartJob(id int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.begun[id] = true
	if f.started != nil {
		f.started <- f.jobs[id-1].Name
	}
}

func (f *forge) FinishJob(id int64, result JobResult) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, twice := f.ended[id]; twice {
		f.t.Errorf("job %d ended twice", id)
	}
	f.ended[id] = result
}

func (f *forge) Checkout(_ context.Context, dir, sha string) error {
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		return fmt.Errorf("checkout into a folder that is not empty: %v", err)
	}
	return writeFiles(dir, f.files)
}

func (f *forge) IDTokenRequest(_ int64, job Job) (url, bearer string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tokens = append(f.tokens, job.Name)
	return "http://127.0.0.1/token", "bearer-of-" + job.Key
}

func writeFiles(dir string, files map[string]string) error {
	for name, content := range files {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(name, []byte(content), 0o755); err != nil {
			return err
		}
	}
	return nil
}

// story is one workflow run of a test.
type story struct {
	*forge
	spec       Spec
	conclusion string
}

func newStory(t *testing.T, src string) *story {
	t.Helper()
	w, err := Parse(".github/workflows/ci.yml", []byte("on: push\n"+strings.TrimPrefix(src, "\n")))
	if err != nil {
		t.Fatal(err)
	}
	return &story{
		forge: &forge{t: t, begun: map[int64]bool{}, ended: map[int64]JobResult{}},
		spec: Spec{
			Workflow: w, SHA: strings.Repeat("ab", 20), Owner: "octo", Repository: "octo/box", RepositoryID: 42,
			Actor: "ann", RunID: 7, RunNumber: 3, Attempt: 1, ServerURL: "http://forge", APIURL: "http://forge/api",
			Token: "ghs_secret", Dir: t.TempDir(),
			Event: Event{Name: "push", Ref: "refs/heads/main", Payload: []byte(`{"head_commit":{"message":"Hello"},"commits":[{"id":"a"},{"id":"b"}]}`)},
			Env:   []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir()},
		},
	}
}

func (s *story) run(t *testing.T) *story {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	s.conclusion = Run(ctx, s.spec, s.forge)
	if len(s.ended) != len(s.jobs) {
		t.Errorf("%d jobs were announced, %d ended", len(s.jobs), len(s.ended))
	}
	return s
}

// result is how the job of that name ended.
func (s *story) result(t *testing.T, name string) JobResult {
	t.Helper()
	for i, job := range s.jobs {
		if job.Name == name {
			return s.ended[int64(i+1)]
		}
	}
	t.Fatalf("there is no job %q among %v", name, s.jobs)
	return JobResult{}
}

func (s *story) expect(t *testing.T, conclusions map[string]string) {
	t.Helper()
	for name, want := range conclusions {
		if name == "" {
			if s.conclusion != want {
				t.Errorf("the run ended as %s, want %s", s.conclusion, want)
			}
			continue
		}
		if got := s.result(t, name); got.Conclusion != want {
			t.Errorf("job %s ended as %s, want %s; its log:\n%s", name, got.Conclusion, want, got.Log)
		}
	}
}

func (s *story) expectLog(t *testing.T, name string, lines ...string) {
	t.Helper()
	log := s.result(t, name).Log
	for _, line := range lines {
		if !strings.Contains("\n"+log, "\n"+line+"\n") {
			t.Errorf("the log of %s has no line %q:\n%s", name, line, log)
		}
	}
}

// The workflow of the product's own documentation is the reason this package
// exists: shards side by side, a job behind them that always looks at the sum.
func TestShardsRunAndASummaryJobSeesThem(t *testing.T) {
	s := newStory(t, `
jobs:
  test:
    runs-on: ubuntu-latest
    strategy: {fail-fast: false, matrix: {shard: [0, 1, 2]}}
    outputs: {"last": "${{ steps.say.outputs.word }}"}
    steps:
      - uses: actions/checkout@v7
      - id: say
        run: |
          echo "word=$(cat hello.txt)" >> "$GITHUB_OUTPUT"
          echo "shard ${{ matrix.shard }} is ${{ strategy.job-index }} of ${{ strategy.job-total }}"
  done:
    needs: test
    if: always()
    runs-on: ubuntu-latest
    steps:
      - run: echo "${{ needs.test.result }} ${{ needs.test.outputs.last }}"
`)
	s.files = map[string]string{"hello.txt": "hi"}
	s.run(t)
	s.expect(t, map[string]string{"": Success, "test (0)": Success, "test (1)": Success, "test (2)": Success, "done": Success})
	s.expectLog(t, "test (1)", "shard 1 is 1 of 3")
	s.expectLog(t, "done", "success hi")
	if job := s.jobs[2]; job.Key != "test" || job.Index != 2 || job.Total != 3 || job.Matrix["shard"] != 2.0 {
		t.Errorf("the third shard was announced as %+v", job)
	}
}
