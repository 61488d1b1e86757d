package sandbox

import (
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/mainstay-ci/mainstay/sandbox/runner"
)

var errUnderWay = errors.New("the run has not ended")

// RerunFailedJobs runs the jobs of a run again that did not succeed, and those
// that need them, as its button does. It fails when there is no such run, when
// it has not ended, and when all of its jobs succeeded.
func (r *Repository) RerunFailedJobs(by Actor, id int64) error {
	r.forge.mu.Lock()
	defer r.forge.mu.Unlock()
	for _, w := range r.runs {
		if w.id == id {
			return w.again(credentialOf(by), w.jobsFailed())
		}
	}
	return fmt.Errorf("re-run the failed jobs of run %d: no such run", id)
}

// RerunJob runs one job again, and those that need it, as its button does. It
// fails when no run's last attempt has that job, and when the run has not ended.
func (r *Repository) RerunJob(by Actor, id int64) error {
	r.forge.mu.Lock()
	defer r.forge.mu.Unlock()
	if w, j := r.jobOf(id); j != nil {
		return w.again(credentialOf(by), []*job{j})
	}
	return fmt.Errorf("re-run job %d: no such job", id)
}

func (r *Repository) jobOf(id int64) (*run, *job) {
	for _, w := range r.runs {
		for _, j := range w.jobs {
			if j.check.id == id {
				return w, j
			}
		}
	}
	return nil, nil
}

func (w *run) jobsAll() []*job { return slices.Clone(w.jobs) }

func (w *run) jobsFailed() []*job {
	var failed []*job
	for _, j := range w.jobs {
		if j.check.conclusion != runner.Success && j.check.conclusion != runner.Skipped {
			failed = append(failed, j)
		}
	}
	return failed
}

// again starts the run's next attempt with these jobs and those that need them;
// the others stand as they are. The lock is held.
func (w *run) again(by *credential, jobs []*job) error {
	switch {
	case !w.ended:
		return fmt.Errorf("re-run %d: %w", w.id, errUnderWay)
	case w.file == nil || len(jobs) == 0:
		return fmt.Errorf("re-run %d: there is nothing to run again", w.id)
	case w.repo.forge.closed:
		return fmt.Errorf("re-run %d: the forge is closed", w.id)
	}
	after := map[string]bool{}
	for _, j := range jobs {
		for _, key := range w.file.Dependants(j.spec.Key) {
			after[key] = true
		}
	}
	var stay []*job
	var kept []runner.KeptJob
	for _, j := range w.jobs {
		// What was skipped is judged again: it may hang on a job that runs again.
		if !after[j.spec.Key] && !slices.Contains(jobs, j) && j.check.conclusion != runner.Skipped {
			stay = append(stay, j)
			kept = append(kept, runner.KeptJob{Key: j.spec.Key, Name: j.spec.Name, Conclusion: j.check.conclusion, Outputs: j.outputs})
		} else {
			j.check.replaced = true
		}
	}
	w.attempt++
	w.jobs, w.ended, w.status, w.conclusion, w.updated = stay, false, "queued", "", w.repo.forge.now()
	w.begin(by, kept)
	return nil
}

func rerun(of func(*run) []*job) func(*call, *run) reply {
	return func(q *call, w *run) reply {
		if err := w.again(q.who, of(w)); err != nil {
			return fail(http.StatusForbidden, "This workflow run cannot be retried: "+err.Error())
		}
		return reply{http.StatusCreated, object{}}
	}
}

func rerunJob(q *call) reply {
	w, j := q.repo.jobOf(q.number("id"))
	if j == nil {
		return notFound
	}
	return rerun(func(*run) []*job { return []*job{j} })(q, w)
}
