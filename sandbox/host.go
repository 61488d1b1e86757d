package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/mainstay-ci/mainstay/sandbox/runner"
)

// host is the forge as one run sees it.
type host struct{ run *run }

// execute runs the workflow to its end and takes back what the run was given.
func (w *run) execute(ctx context.Context, attempt int64, kept []runner.KeptJob) {
	f := w.repo.forge
	dir := filepath.Join(f.options.Dir, "runs", fmt.Sprint(w.id))
	conclusion, err := runner.Failure, os.MkdirAll(dir, 0o755)
	if err == nil {
		conclusion = runner.Run(ctx, runner.Spec{Workflow: w.file, Event: w.event, SHA: w.tested, Owner: w.repo.owner.login,
			Repository: w.repo.FullName(), RepositoryID: w.repo.ID, Actor: w.actor.login, RunID: w.id, RunNumber: w.number, Attempt: attempt,
			ServerURL: f.url, APIURL: f.APIURL(), Token: w.token, Dir: dir, Actions: f.options.Actions, Env: f.options.JobEnv,
			Kept: kept, JobSlots: f.slots}, host{w})
		_ = os.RemoveAll(dir)
	} else {
		f.log.Error("a run has no folder", "run", w.id, "error", err)
	}
	w.cancel()
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.credentials, w.token)
	w.ended, w.status, w.conclusion, w.updated = true, "completed", conclusion, f.now()
	w.repo.sendRun(&credential{who: w.actor}, "completed", w)
	f.touch()
}

func (h host) find(id int64) *job {
	for _, j := range h.run.jobs {
		if j.check.id == id {
			return j
		}
	}
	return nil
}

// QueueJob makes the job and its check run, which share a number.
func (h host) QueueJob(spec runner.Job) int64 {
	w, r := h.run, h.run.repo
	r.forge.mu.Lock()
	defer r.forge.mu.Unlock()
	j := &job{run: w, attempt: w.attempt, check: r.addCheck(w.suite, spec.Name), spec: spec, created: r.forge.now(), bearer: newToken("", 64)}
	j.check.job, j.check.externalID = j, newGUID()
	w.jobs = append(w.jobs, j)
	by := &credential{who: w.actor}
	j.check.announce(by, true)
	r.sendJob(by, "queued", j)
	r.forge.touch()
	return j.check.id
}

// StartJob shows the job, and with the first one the run, as running.
func (h host) StartJob(id int64) {
	w, r := h.run, h.run.repo
	r.forge.mu.Lock()
	defer r.forge.mu.Unlock()
	j, by := h.find(id), &credential{who: w.actor}
	j.check.status, j.check.started = "in_progress", r.forge.now()
	if w.status == "queued" {
		w.status, w.updated = "in_progress", r.forge.now()
		r.sendRun(by, "in_progress", w)
	}
	r.sendJob(by, "in_progress", j)
	r.forge.touch()
}

// mostText is how much a check run's summary and text hold.
const mostText = 65535

// FinishJob concludes the job. Its token for identities is good no longer.
func (h host) FinishJob(id int64, result runner.JobResult) {
	w, r := h.run, h.run.repo
	r.forge.mu.Lock()
	defer r.forge.mu.Unlock()
	j, by := h.find(id), &credential{who: w.actor}
	c := j.check
	c.status, c.conclusion, c.completed = "completed", result.Conclusion, r.forge.now()
	c.summary = result.Summary[:min(len(result.Summary), mostText)]
	j.log, j.notes, j.outputs, j.bearer = result.Log, result.Annotations, result.Outputs, ""
	c.announce(by, false)
	r.sendJob(by, "completed", j)
	r.forge.touch()
}

// Checkout writes a commit's tree into an empty folder with one child and an
// index of its own, which goes away again.
func (h host) Checkout(ctx context.Context, dir, sha string) error {
	index := filepath.Join(h.run.repo.forge.options.Dir, "index-"+newToken("", 16))
	defer func() { _ = os.Remove(index) }()
	ctx, cancel := context.WithTimeout(ctx, childDeadline)
	defer cancel()
	cmd := gitCommand(ctx, h.run.repo.dir, "--work-tree="+dir, "read-tree", "--reset", "-u", sha)
	cmd.Env = append(cmd.Env, "GIT_INDEX_FILE="+index)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("check out %s: %w: %s", sha, err, out)
	}
	return nil
}

// KeepArtifact keeps what a job uploads for as long as the forge lives.
func (h host) KeepArtifact(_ int64, a runner.Artifact) (int64, error) {
	w, f := h.run, h.run.repo.forge
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, have := range w.artifacts {
		if have.name == a.Name && !a.Overwrite {
			return 0, errors.New("(409) Conflict: an artifact with this name already exists on the workflow run")
		} else if have.name == a.Name {
			w.artifacts = slices.Delete(w.artifacts, i, i+1)
			break
		}
	}
	kept := &artifact{id: f.newID(), run: w, name: a.Name, zip: a.Zip, created: f.now()}
	w.artifacts = append(w.artifacts, kept)
	f.touch()
	return kept.id, nil
}

// IDTokenRequest is where the job asks for its identity. Whether it may is the
// runner's to read from the workflow's permissions; a fork's pull request may not.
func (h host) IDTokenRequest(id int64, _ runner.Job) (url, bearer string) {
	f := h.run.repo.forge
	f.mu.Lock()
	defer f.mu.Unlock()
	if j := h.find(id); j != nil && h.run.headRepo == h.run.repo {
		return fmt.Sprintf("%s/_services/pipelines/idtoken/%d?api-version=2.0", f.url, id), j.bearer
	}
	return "", ""
}
