package sandbox

import (
	"net/http"
	"slices"
)

var actionRoutes = []route{
	{"GET /repos/{owner}/{repo}/actions/runs", "actions:read", listRuns},
	{"GET /repos/{owner}/{repo}/actions/runs/{id}", "actions:read", withRun(getRun)},
	{"GET /repos/{owner}/{repo}/actions/runs/{id}/jobs", "actions:read", withRun(listJobs)},
	{"POST /repos/{owner}/{repo}/actions/runs/{id}/cancel", "actions:write", withRun(cancelRun)},
	{"POST /repos/{owner}/{repo}/actions/runs/{id}/rerun", "actions:write", withRun(rerun((*run).jobsAll))},
	{"POST /repos/{owner}/{repo}/actions/runs/{id}/rerun-failed-jobs", "actions:write", withRun(rerun((*run).jobsFailed))},
	{"POST /repos/{owner}/{repo}/actions/jobs/{id}/rerun", "actions:write", rerunJob},
	{"GET /repos/{owner}/{repo}/actions/jobs/{id}", "actions:read", getJob},
	{"GET /repos/{owner}/{repo}/actions/runs/{id}/artifacts", "actions:read", withRun(listArtifacts)},
	{"GET /repos/{owner}/{repo}/actions/artifacts/{id}/zip", "actions:read", getArtifact},
}

func listRuns(q *call) reply {
	sha, event, branch, state := q.query("head_sha"), q.query("event"), q.query("branch"), q.query("status")
	var list []*run
	for _, w := range slices.Backward(q.repo.runs) {
		if (sha == "" || w.sha == sha) && (event == "" || w.event.Name == event) && (branch == "" || w.branch == branch) &&
			(state == "" || w.status == state || w.conclusion == state) {
			list = append(list, w)
		}
	}
	return ok(object{"total_count": len(list), "workflow_runs": page(q, list, q.repo.runJSON)})
}

func withRun(do func(*call, *run) reply) answer {
	return func(q *call) reply {
		id := q.number("id")
		for _, w := range q.repo.runs {
			if w.id == id {
				return do(q, w)
			}
		}
		return notFound
	}
}

// getRun shows why a run could not start where GitHub's page would say it.
func getRun(q *call, w *run) reply {
	o := q.repo.runJSON(w)
	if w.message != "" {
		o["message"] = w.message
	}
	return ok(o)
}

func listJobs(q *call, w *run) reply {
	return ok(object{"total_count": len(w.jobs), "jobs": page(q, w.jobs, q.repo.jobJSON)})
}

func cancelRun(q *call, w *run) reply {
	if err := w.cancelRun(); err != nil {
		return fail(http.StatusConflict, "Cannot cancel a workflow run that is completed.")
	}
	return reply{http.StatusAccepted, object{}}
}

func getJob(q *call) reply {
	if c := q.repo.checkRun(q.number("id")); c != nil && c.job != nil {
		return ok(q.repo.jobJSON(c.job))
	}
	return notFound
}
