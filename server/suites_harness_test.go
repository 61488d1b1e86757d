package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mainstay-ci/mainstay/sandbox"
)

// project is a real project of testdata/suites, with the workflow that the
// documentation prints for its runner, and the changes that its stories make.
type project struct {
	runner string // and the folder's name
	layout string // of its workflow: run, steps or plan
	suite  string
	tools  func(t *testing.T) (env []string) // of its jobs; skips the test where a tool is missing
	item   func(name string) string          // that holds the tests of a change of this name
	test   func(name string) string          // the test of that name, as reports call it

	// A change brings a test of this name which…
	passes  func(name string) map[string]string
	fails   func(name string) map[string]string
	flakes  func(name string) map[string]string // fails the first time it runs
	unbuilt func(name string) map[string]string // does not compile, load or parse
	crashes func(name string) map[string]string // kills -9 its own process
	dies    func(name string) map[string]string // kills -9 the whole job, the first time
	retried func(name string) map[string]string // fails in the first attempt of a pull request's own run
}

// files is the project as it stands on main, its workflow with this server in it.
func (p project) files(t *testing.T, server string) map[string]string {
	t.Helper()
	root := filepath.Join("testdata", "suites", p.runner)
	files := map[string]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		files[filepath.ToSlash(name)] = string(body)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	files[testWorkflow] = p.workflow(t, server)
	return files
}

// in is the project with another workflow.
func (p project) in(layout string) project {
	p.layout = layout
	return p
}

const testWorkflow = ".github/workflows/test.yml"

// workflow is the documentation's for this layout, with this server in it. What
// it installs is here already.
func (p project) workflow(t *testing.T, server string) string {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("testdata", "suites", "workflows", p.runner+"-"+p.layout+".yml"))
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(string(body), "https://mainstay.example.com", server)
	return strings.ReplaceAll(text, "npm ci", `ln -s "$NODE_MODULES" node_modules`)
}

// items is the inventory of the project on main.
func (p project) items(t *testing.T) []string {
	t.Helper()
	var items []string
	for file := range p.files(t, "") {
		if name := strings.TrimSuffix(strings.TrimSuffix(filepath.Base(file), "_test.go"), ".test.js"); name != filepath.Base(file) || strings.HasPrefix(name, "test_") {
			items = append(items, p.itemOf(file))
		}
	}
	slices.Sort(items)
	return slices.Compact(items)
}

func (p project) itemOf(file string) string {
	if p.runner == "go" {
		return "example.com/shop/" + filepath.Dir(file)
	}
	return file
}

// asQueued is what a town of this project is like whose pull requests run
// nothing of their own: that is another story.
func (p project) asQueued(files map[string]string) {
	files[testWorkflow] = strings.Replace(files[testWorkflow], "  pull_request:\n", "", 1)
}

// settle builds a town around the project and waits until its server has read
// the config. Each edit may change the first commit.
func (p project) settle(t *testing.T, edits ...func(files map[string]string)) *town {
	t.Helper()
	t.Parallel()
	env := p.tools(t)
	place := t.TempDir()
	r := openRoad(t)
	files := p.files(t, r.URL)
	for _, edit := range edits {
		edit(files)
	}
	w := foundWithoutServer(t, scene{actions: true, unruled: true, road: r, files: files,
		jobEnv: append(env, "STORY_DIR="+place)})
	w.waits = 5 * patience // several runs of real suites, on a machine that may be busy
	w.notes = filepath.Join(place, "ran")
	w.ci.hold()
	w.repo.Protect("main", sandbox.Rules{RequiredChecks: []sandbox.RequiredCheck{{Context: "Mainstay", AppID: w.app.ID}}})
	w.serve()
	w.until("the server has read the config", func() bool { return len(w.rows().Header.Settings.Suites) == 1 })
	return w
}

// note is one item that really ran, as the project itself noted it.
type note struct{ run, try, job, item string }

// ran is what ran so far, in order; each is there once.
func (w *town) ran() []note {
	w.t.Helper()
	text, err := os.ReadFile(w.notes)
	if err != nil && !os.IsNotExist(err) {
		w.t.Fatal(err)
	}
	var notes []note
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if len(f) != 4 {
			w.t.Fatalf("a note reads %q", line)
		}
		if n := (note{f[0], f[1], f[2], f[3]}); !slices.Contains(notes, n) {
			notes = append(notes, n)
		}
	}
	return notes
}

// slices is what each job of one attempt of a run ran, sorted.
func (w *town) slices(run sandbox.WorkflowRun, try int) map[string][]string {
	w.t.Helper()
	jobs := map[string][]string{}
	for _, n := range w.ran() {
		if n.run == fmt.Sprint(run.ID) && n.try == fmt.Sprint(try) {
			jobs[n.job] = append(jobs[n.job], n.item)
		}
	}
	for _, items := range jobs {
		slices.Sort(items)
	}
	return jobs
}

// ranAll checks that a run's first attempt ran exactly these items, each in one job.
func (w *town) ranAll(run sandbox.WorkflowRun, want []string) {
	w.t.Helper()
	var all []string
	for _, items := range w.slices(run, 1) {
		all = append(all, items...)
	}
	slices.Sort(all)
	want = slices.Sorted(slices.Values(want))
	if !slices.Equal(all, want) {
		w.t.Errorf("run %d ran\n%q, want\n%q", run.ID, all, want)
	}
}

// runsOf are the runs for an event, oldest first: "push" are those of tickets.
func (w *town) runsOf(event string) []sandbox.WorkflowRun {
	var runs []sandbox.WorkflowRun
	for _, run := range w.repo.WorkflowRuns() {
		if run.Event == event {
			runs = append(runs, run)
		}
	}
	return runs
}

// awaitRun waits until the run of a pull request's own head ended in this attempt.
func (w *town) awaitRun(pr int, try int64) sandbox.WorkflowRun {
	w.t.Helper()
	var found sandbox.WorkflowRun
	head := w.pull(pr).HeadSHA
	w.until(fmt.Sprintf("attempt %d of the run of #%d has ended", try, pr), func() bool {
		for _, run := range w.runsOf("pull_request") {
			if run.HeadSHA == head && run.Attempt == try && !run.EndedAt.IsZero() && run.Status == "completed" {
				found = run
				return true
			}
		}
		return false
	})
	return found
}

// letIdleTimePass lets minutes pass for the server, but only while no job runs.
func (w *town) letIdleTimePass(what string, holds func() bool) {
	w.t.Helper()
	w.letTimePass(what, func() bool {
		w.until("no workflow runs", func() bool {
			return !slices.ContainsFunc(w.repo.WorkflowRuns(), func(r sandbox.WorkflowRun) bool { return r.EndedAt.IsZero() })
		})
		w.awaitRest()
		return holds()
	})
}

// showRuns shows the logs of all runs under a story that failed.
func (w *town) showRuns() {
	if !w.t.Failed() {
		return
	}
	for _, run := range w.repo.WorkflowRuns() {
		w.t.Logf("run %d, attempt %d, %s on %s: %s %s", run.ID, run.Attempt, run.Event, run.HeadBranch, run.Conclusion, run.Message)
		for _, job := range run.Jobs {
			w.t.Logf("job %s: %s\n%s", job.Name, job.Conclusion, job.Log)
		}
	}
}

// tool finds the first of these programs that the check accepts.
func tool(t *testing.T, missing string, names []string, check ...string) string {
	t.Helper()
	for _, name := range names {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		err = exec.CommandContext(ctx, path, check...).Run()
		cancel()
		if err == nil {
			return path
		}
	}
	t.Skip(missing)
	return ""
}
