package runner

import (
	"context"
	"encoding/json"
)

// Event is what happened at the forge; it decides which workflows run and is
// what a job reads back through GITHUB_EVENT_PATH and the github context.
type Event struct {
	Name    string          // push, pull_request, workflow_dispatch
	Action  string          // pull_request only: opened, synchronize, ...
	Ref     string          // refs/heads/main, refs/pull/3/merge
	BaseRef string          // pull_request only: the base branch's short name
	HeadRef string          // pull_request only: the head branch's short name
	Payload json.RawMessage // the webhook body, written to GITHUB_EVENT_PATH
}

// Spec is everything one run needs to know; the forge fills it in.
type Spec struct {
	Workflow     *Workflow
	Event        Event
	SHA          string
	Owner        string
	Repository   string // owner/name
	RepositoryID int64
	Actor        string
	RunID        int64
	RunNumber    int64
	Attempt      int64
	ServerURL    string // GITHUB_SERVER_URL
	APIURL       string // GITHUB_API_URL
	Token        string // GITHUB_TOKEN, handed to jobs and masked in logs
	Dir          string // an empty folder that belongs to this run
	// Actions maps "owner/name" of a `uses:` (whatever its @ref) to a local
	// folder with an action.yml. actions/checkout is built in.
	Actions map[string]string
	// Env is the environment every step starts from (PATH, HOME, GOCACHE, ...).
	Env []string
	// Kept are the jobs of an earlier attempt that are not run again; the others
	// are. It is empty in a first attempt.
	Kept []KeptJob
	// JobSlots bounds jobs running at once across runs that share it; nil is no bound.
	JobSlots chan struct{}
}

// Job is one job after matrix expansion.
type Job struct {
	Key    string // the id in the workflow file
	Name   string // as GitHub shows it: "test (0)", or the evaluated name:
	Index  int    // strategy.job-index
	Total  int    // strategy.job-total
	Matrix map[string]any
}

// KeptJob is a job that ended in an earlier attempt of the run, as its JobResult told.
type KeptJob struct {
	Key, Name  string
	Conclusion string
	Outputs    []Output
}

// Output is one output of a job.
type Output struct{ Name, Value string }

// Conclusions, in GitHub's words.
const (
	Success   = "success"
	Failure   = "failure"
	Cancelled = "cancelled"
	Skipped   = "skipped"
)

// JobResult is how one job ended.
type JobResult struct {
	Conclusion string
	Log        string // what the steps printed, secrets masked
	Summary    string // what the steps wrote to GITHUB_STEP_SUMMARY
	// Annotations are the ::error:: and ::warning:: lines, in order.
	Annotations []string
	// Outputs are what jobs that need this one see of it.
	Outputs []Output
}

// Host is the forge as a run sees it. Calls may come from several goroutines.
type Host interface {
	// QueueJob announces a job and returns its id, which is also its check run's id.
	QueueJob(job Job) int64
	// StartJob says that the job's first step is about to run.
	StartJob(id int64)
	// FinishJob says how it ended. It is called exactly once for each queued job.
	FinishJob(id int64, result JobResult)
	// Checkout writes the tree of the commit into dir, which is empty.
	Checkout(ctx context.Context, dir, sha string) error
	// KeepArtifact keeps what a job uploads, and returns its id. It refuses a name
	// that is taken unless Overwrite is set.
	KeepArtifact(id int64, a Artifact) (int64, error)
	// IDTokenRequest returns the address and the bearer with which the job may
	// ask for an OIDC token; both empty when the job may not (no id-token: write).
	IDTokenRequest(id int64, job Job) (url, bearer string)
}
