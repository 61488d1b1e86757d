package demo

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/mainstay-ci/mainstay/sandbox"
)

// ReportLoad is a report of so many tests, told by the Action's binary to a server
// that tests a ticket.
type ReportLoad struct {
	Start    StartServer
	Binaries string
	Log      *slog.Logger
	Packages int
	Tests    int // in all
	Shards   int // each tells as much
}

// ReportFigures are what a shard's report cost, from the binary's start to its end.
type ReportFigures struct {
	Seconds []float64 // of each shard
	PeakMiB float64   // the binary's, at most
}

// heldWorkflow is a ticket's workflow whose jobs give their identities away and
// wait: the bench tells their reports for them.
const heldWorkflow = `name: ci
on:
  push: {branches: ["mainstay/**"]}
permissions: {contents: read, id-token: write}
jobs:
  unit:
    runs-on: ubuntu-latest
    strategy: {fail-fast: false, matrix: {shard: [%[2]s]}}
    steps:
      - run: env > "$DIR/part-$SHARD" && mv "$DIR/part-$SHARD" "$DIR/env-$SHARD" && cat "$DIR/hold"
        env: {DIR: "%[1]s", SHARD: "${{ matrix.shard }}"}
`

// MeasureReport makes a fresh world with a ticket under test and tells its reports.
func MeasureReport(ctx context.Context, l ReportLoad) (f ReportFigures, err error) {
	dir, err := os.MkdirTemp("", "mainstay-bench-")
	if err != nil {
		return f, err
	}
	defer os.RemoveAll(dir)
	hold := filepath.Join(dir, "hold")
	if err := syscall.Mkfifo(hold, 0o600); err != nil {
		return f, fmt.Errorf("make a pipe: %w", err)
	}
	packages, err := writeResults(filepath.Join(dir, "results.jsonl"), l.Packages, l.Tests)
	if err != nil {
		return f, err
	}
	w, err := newWorld(ctx, worldOptions{dir: dir, owner: "bench", name: "report", adopt: filepath.Join(dir, "origin.git"),
		branch: "main", start: l.Start, log: l.Log, binaries: l.Binaries})
	if err != nil {
		return f, err
	}
	defer w.close()
	// The job waits for somebody to write, and then ends.
	pipe, err := os.OpenFile(hold, os.O_RDWR, 0)
	if err != nil {
		return f, err
	}
	defer pipe.Close()
	if err := w.serve(ctx); err != nil {
		return f, err
	}
	if err := w.holdTicket(ctx, dir, l.Shards); err != nil {
		return f, err
	}
	for i := range l.Shards {
		env, err := awaitJob(ctx, filepath.Join(dir, fmt.Sprintf("env-%d", i)))
		if err != nil {
			return f, err
		}
		seconds, peak, err := w.tellReport(ctx, dir, env, packages, i, l.Shards)
		if err != nil {
			return f, err
		}
		f.Seconds, f.PeakMiB = append(f.Seconds, seconds), max(f.PeakMiB, peak)
	}
	return f, w.holdsTests(ctx, l.Tests, l.Shards)
}

// writeResults writes what go test -json prints of so many tests, and lists the packages.
func writeResults(path string, packages, tests int) ([]string, error) {
	file, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	out := bufio.NewWriter(file)
	var names []string
	for p := range packages {
		name := fmt.Sprintf("example.com/large/module/package%03d", p)
		names = append(names, name)
		fmt.Fprintf(out, `{"Time":"2026-01-05T08:00:00Z","Action":"start","Package":%q}`+"\n", name)
		for t := range tests / packages {
			test := fmt.Sprintf("TestOfSomethingWithANameOfUsualLength%04d", t)
			for _, event := range []string{`"run"`, `"output"%s,"Output":"=== RUN   ` + test + `\n"`, `"output"%s,"Output":"--- PASS: ` + test + ` (0.01s)\n"`, `"pass"%s,"Elapsed":0.01`} {
				event = strings.Replace(event, "%s", "", 1)
				fmt.Fprintf(out, `{"Time":"2026-01-05T08:00:00.123456789Z","Package":%q,"Test":%q,"Action":%s}`+"\n", name, test, event)
			}
		}
		fmt.Fprintf(out, `{"Time":"2026-01-05T08:00:01Z","Action":"pass","Package":%q,"Elapsed":1.5}`+"\n", name)
	}
	return names, errors.Join(out.Flush(), file.Close())
}

// holdTicket opens a pull request whose ticket is then under test.
func (w *world) holdTicket(ctx context.Context, dir string, shards int) error {
	indexes := "0"
	for i := 1; i < shards; i++ {
		indexes += fmt.Sprintf(", %d", i)
	}
	files := map[string]string{
		"README.md":                "# Report\n",
		".github/workflows/ci.yml": fmt.Sprintf(heldWorkflow, dir, indexes),
		".github/mainstay.yml":     fmt.Sprintf("version: 1\nqueues:\n  - branch: main\n    suites: {unit: %d}\n", shards),
	}
	if err := w.seedShop(files); err != nil {
		return err
	}
	if err := w.awaitQueue(ctx); err != nil {
		return err
	}
	commit, err := w.repo.Commit(w.repo.Ref("refs/heads/main"), map[string]string{"a.txt": "a\n"}, "A change")
	if err == nil {
		err = w.repo.Push(w.author, refUpdate("refs/heads/change", commit))
	}
	if err != nil {
		return fmt.Errorf("push a change: %w", err)
	}
	pr, err := w.repo.OpenPullRequest(sandbox.OpenPullRequest{By: w.author, Head: "change", Base: "main", Title: "A change"})
	if err == nil {
		err = w.repo.Label(pr.Number, w.owner, "merge-queue")
	}
	if err != nil {
		return fmt.Errorf("ask for a landing: %w", err)
	}
	return nil
}

// awaitJob gives the environment that a held job left in a file.
func awaitJob(ctx context.Context, path string) ([]string, error) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if text, err := os.ReadFile(path); err == nil {
			return strings.Split(strings.TrimSpace(string(text)), "\n"), nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for the ticket's job: %w", ctx.Err())
		}
	}
}

// tellReport is the step of one shard: the binary in mode report.
func (w *world) tellReport(ctx context.Context, dir string, env, packages []string, index, total int) (seconds, peakMiB float64, err error) {
	output := filepath.Join(dir, fmt.Sprintf("output-%d", index))
	binary := ""
	for _, pair := range env {
		if value, ok := strings.CutPrefix(pair, "MAINSTAY_ACTION_BIN="); ok {
			binary = value
		}
	}
	cmd := exec.CommandContext(ctx, binary)
	cmd.Env = append(append([]string{}, env...), "GITHUB_OUTPUT="+output, "GITHUB_STEP_SUMMARY="+output+".md", "RUNNER_TEMP="+dir, "GITHUB_WORKSPACE="+dir,
		"INPUT_MODE=report", "INPUT_RUNNER=go", "INPUT_SUITE=unit", "INPUT_SERVER_URL="+w.server.URL, "INPUT_RESULTS=results.jsonl",
		"INPUT_OUTCOME=success", "INPUT_TESTS="+strings.Join(packages, "\n"), fmt.Sprintf("INPUT_SHARD_INDEX=%d", index), fmt.Sprintf("INPUT_SHARD_TOTAL=%d", total))
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, 0, fmt.Errorf("start the Action: %w", err)
	}
	ended, peak := make(chan struct{}), make(chan float64)
	go watchMemory(cmd.Process.Pid, ended, peak)
	err = cmd.Wait()
	took := time.Since(began)
	close(ended)
	peakMiB = <-peak
	told, _ := os.ReadFile(output)
	if err == nil && !(strings.Contains(string(told), "\ntrue\n") && strings.Contains(string(told), "\npassed\n")) {
		err = errors.New("it was not taken as passed")
	}
	if err != nil {
		// What it said names its tokens, to have them masked: that is not for people.
		return 0, 0, fmt.Errorf("tell a report: %w; it said\n%s%s", err, regexp.MustCompile(`(?m)^::add-mask::.*\n`).ReplaceAllString(said.String(), ""), told)
	}
	return took.Seconds(), peakMiB, nil
}

// watchMemory gives the most memory that a process had, in MiB. (What the system
// says of it at its end is at least what its parent had.)
func watchMemory(pid int, ended <-chan struct{}, peak chan<- float64) {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	most := 0.0
	for {
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if _, line, ok := strings.Cut(string(text), "VmHWM:"); ok {
			var kib float64
			if _, err := fmt.Sscan(line, &kib); err == nil {
				most = max(most, kib/1024)
			}
		}
		select {
		case <-tick.C:
		case <-ended:
			peak <- most
			return
		}
	}
}

// holdsTests waits until the queue has every test of every shard.
func (w *world) holdsTests(ctx context.Context, tests, shards int) error {
	changed, stop, err := w.server.Watch(ctx, w.repo.ID, w.repo.DefaultBranch())
	if err != nil {
		return err
	}
	defer stop()
	for {
		s, err := w.snapshot(ctx)
		if err != nil {
			return err
		}
		found := 0
		for _, a := range s.Rows.Attempts {
			for _, sh := range a.Shards {
				found += sh.Tests
			}
		}
		if found == tests*shards {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("the queue heard of %d tests, want %d: %w", found, tests*shards, ctx.Err())
		}
	}
}
