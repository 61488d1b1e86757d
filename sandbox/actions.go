package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/mainstay-ci/mainstay/sandbox/runner"
)

// run is one workflow run.
type run struct {
	id, number, workflowID int64
	attempt                int64 // one more with each re-run
	repo                   *Repository
	name, path             string
	event                  runner.Event
	branch                 string
	sha                    string // what its checks stand on
	tested                 string // what it checks out: of a pull request, the merge
	status, conclusion     string
	message                string
	actor                  account
	suite                  *suite
	headRepo               *Repository // whose branch a pull request's run is of
	artifacts              []*artifact
	jobs                   []*job // of the last attempt, with those it kept
	file                   *runner.Workflow
	created, updated       time.Time
	token                  string
	cancel                 context.CancelFunc
	ended                  bool // its goroutine is done with folder and token
}

type job struct {
	run     *run
	check   *check
	spec    runner.Job
	bearer  string
	created time.Time
	attempt int64
	log     string
	notes   []string
	outputs []runner.Output
}

func (w *run) web() string { return fmt.Sprintf("%s/actions/runs/%d", w.repo.web(), w.id) }
func (j *job) web() string { return fmt.Sprintf("%s/job/%d", j.run.web(), j.check.id) }

// WorkflowRun is a workflow run as it stood at one moment.
type WorkflowRun struct {
	ID, Number         int64
	Attempt            int64 // 1, and one more with each re-run
	Name, Path         string
	Event              string
	HeadBranch         string
	HeadSHA            string
	Status, Conclusion string
	CreatedAt          time.Time
	EndedAt            time.Time // zero while it runs
	// Message says why a run could not start: the workflow does not parse.
	Message string
	Jobs    []WorkflowJob // of the last attempt, with those it kept
}

// WorkflowJob is one job of a run.
type WorkflowJob struct {
	ID                 int64
	Name               string
	Status, Conclusion string
	Log, Summary       string
	Annotations        []string
}

// WorkflowRuns returns all runs, oldest first.
func (r *Repository) WorkflowRuns() []WorkflowRun {
	r.forge.mu.Lock()
	defer r.forge.mu.Unlock()
	all := make([]WorkflowRun, 0, len(r.runs))
	for _, w := range r.runs {
		s := WorkflowRun{ID: w.id, Number: w.number, Attempt: w.attempt, Name: w.name, Path: w.path, Event: w.event.Name, HeadBranch: w.branch,
			HeadSHA: w.sha, Status: w.status, Conclusion: w.conclusion, CreatedAt: w.created, Message: w.message}
		if w.ended {
			s.EndedAt = w.updated
		}
		for _, j := range w.jobs {
			s.Jobs = append(s.Jobs, WorkflowJob{ID: j.check.id, Name: j.check.name, Status: j.check.status,
				Conclusion: j.check.conclusion, Log: j.log, Summary: j.check.summary, Annotations: slices.Clone(j.notes)})
		}
		all = append(all, s)
	}
	return all
}

// SetWorkflows gives the repository workflows that live outside its tree: path
// to content, used for every event beside those of the commit. nil takes them away.
func (r *Repository) SetWorkflows(files map[string]string) {
	r.forge.mu.Lock()
	defer r.forge.mu.Unlock()
	r.workflows = maps.Clone(files)
}

// IgnoreOwnWorkflows leaves only those of SetWorkflows: what a foreign history
// carries is not to be run here.
func (r *Repository) IgnoreOwnWorkflows() {
	r.forge.mu.Lock()
	defer r.forge.mu.Unlock()
	r.foreign = true
}

func (r *Repository) running() int {
	n := 0
	for _, w := range r.runs {
		if !w.ended {
			n++
		}
	}
	return n
}

// workflowFile is a workflow's text, parsed, or why it can't be.
type workflowFile struct {
	path     string
	workflow *runner.Workflow
	err      error
}

// workflowsAt reads and parses the workflows of a commit and those outside the tree.
func (r *Repository) workflowsAt(sha string) []workflowFile {
	sources := map[string][]byte{}
	if _, _, entries, err := r.readPath(sha, ".github/workflows"); err == nil && !r.foreign {
		for _, e := range entries {
			if ext := path.Ext(e.name); ext != ".yml" && ext != ".yaml" || !strings.HasPrefix(e.mode, "100") {
				continue
			}
			if _, _, data, err := r.objects.read(e.id); err == nil {
				sources[".github/workflows/"+e.name] = data
			}
		}
	}
	for name, content := range r.workflows {
		sources[name] = []byte(content)
	}
	files := make([]workflowFile, 0, len(sources))
	for _, name := range slices.Sorted(maps.Keys(sources)) {
		workflow, err := runner.Parse(name, sources[name])
		files = append(files, workflowFile{name, workflow, err})
	}
	return files
}

// startPushRuns starts what a moved branch or tag triggers; the lock is held.
func (r *Repository) startPushRuns(by *credential, m refMove) {
	if r.forge.options.WithoutActions || m.new == "" || !strings.HasPrefix(m.ref, "refs/heads/") && !strings.HasPrefix(m.ref, "refs/tags/") {
		return
	}
	event := runner.Event{Name: "push", Ref: m.ref}
	for _, file := range r.workflowsAt(m.new) {
		if file.err == nil && !file.workflow.Triggered(event) {
			continue
		}
		if event.Payload == nil {
			body := r.pushBody(by, m)
			r.complete(by, "", body)
			event.Payload, _ = json.Marshal(body)
		}
		r.startRun(file, event, m.new, by.account())
	}
}

// wantsPullRuns says whether an action on the pull request may start runs.
func (r *Repository) wantsPullRuns(by *credential, p *pull) bool {
	return !r.forge.options.WithoutActions && by.job == nil && p.state == "open" && (len(r.workflows) > 0 || r.hasWorkflows(p.headSHA))
}

func (r *Repository) hasWorkflows(sha string) bool {
	_, _, entries, err := r.readPath(sha, ".github/workflows")
	return err == nil && len(entries) > 0 && !r.foreign
}

// startPullRuns starts what the action triggers, on the merge of head and base
// as GitHub does; a pull request in conflict runs nothing. The lock is held.
func (r *Repository) startPullRuns(by *credential, p *pull, action string, body object) {
	if !r.wantsPullRuns(by, p) {
		return
	}
	event := runner.Event{Name: "pull_request", Action: action, Ref: fmt.Sprintf("refs/pull/%d/merge", p.number), BaseRef: p.baseRef, HeadRef: p.headRef}
	if !slices.ContainsFunc(r.workflowsAt(p.headSHA), func(file workflowFile) bool { return file.err == nil && file.workflow.Triggered(event) }) {
		return
	}
	delete(body, "installation")
	event.Payload, _ = json.Marshal(body)
	base, head, actor, f := r.refs["refs/heads/"+p.baseRef], p.headSHA, by.account(), r.forge
	r.merging++
	f.work.Go(func() {
		merged, err := r.mergeCommit(f.ctx, base, head)
		f.mu.Lock()
		defer f.mu.Unlock()
		r.merging--
		f.touch()
		if err != nil || f.closed {
			f.log.Debug("no merge of the pull request to run on", "pull", p.number, "error", err)
			return
		}
		for _, file := range r.workflowsAt(merged) {
			if file.err != nil || file.workflow.Triggered(event) {
				r.startRun(file, event, merged, actor, side{p.headRepo, head})
			}
		}
	})
}

// mergeCommit writes the merge that GitHub shows as refs/pull/N/merge.
func (r *Repository) mergeCommit(ctx context.Context, base, head string) (string, error) {
	out, err := runGit(ctx, r.dir, nil, "merge-tree", "--write-tree", "--end-of-options", base, head)
	if err != nil {
		return "", err
	}
	tree, _, _ := strings.Cut(string(out), "\n")
	return r.writeCommit(tree, []string{base, head}, "Merge "+head+" into "+base, r.forge.now())
}

// side is the commit that a run's checks stand on, and whose it is.
type side struct {
	repo *Repository
	sha  string
}

// startRun makes a run and lets it go; shown is where its checks stand, where that
// is not the commit that is tested. The lock is held.
func (r *Repository) startRun(file workflowFile, event runner.Event, sha string, actor account, shown ...side) {
	f := r.forge
	if f.closed {
		return
	}
	w := &run{id: f.newID(), attempt: 1, file: file.workflow, repo: r, path: file.path, name: file.path, event: event, sha: sha, tested: sha, status: "queued", actor: actor,
		created: f.now(), updated: f.now(), branch: strings.TrimPrefix(strings.TrimPrefix(event.Ref, "refs/heads/"), "refs/tags/")}
	if event.HeadRef != "" {
		w.branch = event.HeadRef
	}
	w.headRepo = r
	if len(shown) > 0 {
		w.sha, w.headRepo = shown[0].sha, shown[0].repo
	}
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(r.FullName() + file.path))
	w.workflowID = int64(hash.Sum32())
	r.runCount[file.path]++
	w.number = r.runCount[file.path]
	w.suite = r.makeSuite(f.actionsApp, w.sha)
	w.suite.branch = w.branch
	r.runs = append(r.runs, w)
	by := &credential{who: actor}
	if file.err != nil {
		w.ended, w.status, w.conclusion, w.message = true, "completed", "failure", file.err.Error()
		r.sendRun(by, "completed", w)
		f.touch()
		return
	}
	if name := file.workflow.Name(); name != "" {
		w.name = name
	}
	r.sendCheckSuite(by, "requested", w.suite)
	w.begin(by, nil)
}

// begin lets an attempt of the run go; kept are the jobs it leaves as they are.
// The lock is held.
func (w *run) begin(by *credential, kept []runner.KeptJob) {
	r, f := w.repo, w.repo.forge
	w.token = newToken("ghs_", 516)
	f.credentials[w.token] = &credential{job: w, who: f.actionsApp.account(), permissions: everyPermission(), repos: map[int64]bool{r.ID: true}}
	var ctx context.Context
	ctx, w.cancel = context.WithCancel(f.ctx)
	r.sendRun(by, "requested", w)
	f.touch()
	attempt := w.attempt
	f.work.Go(func() { w.execute(ctx, attempt, kept) })
}

var errEnded = errors.New("the run has ended")

// cancelRun asks a run to stop; the lock is held.
func (w *run) cancelRun() error {
	if w.status == "completed" {
		return fmt.Errorf("cancel run %d: %w", w.id, errEnded)
	}
	w.cancel()
	return nil
}

// CancelRun cancels a run as its button does. It fails when there is none of
// that id or it has ended.
func (r *Repository) CancelRun(id int64) error {
	r.forge.mu.Lock()
	defer r.forge.mu.Unlock()
	for _, w := range r.runs {
		if w.id == id {
			return w.cancelRun()
		}
	}
	return fmt.Errorf("cancel run %d: no such run", id)
}
