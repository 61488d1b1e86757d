package runner

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
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
	kept   []Artifact
}

func (f *forge) KeepArtifact(_ int64, a Artifact) (int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.kept = append(f.kept, a)
	return int64(len(f.kept)), nil
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
	if src = strings.TrimPrefix(src, "\n"); !strings.HasPrefix(src, "on:") {
		src = "on: push\n" + src
	}
	w, err := Parse(".github/workflows/ci.yml", []byte(src))
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

// pipe is a named pipe that steps know as $PIPE.
func (s *story) pipe(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
	s.spec.Env = append(s.spec.Env, "PIPE="+name)
	return name
}
