package queue

import (
	"time"

	"github.com/mainstay-ci/mainstay/queue/shard"
)

// AttemptPhase is where an attempt stands.
type AttemptPhase string

// The phases, in order. From AttemptMoving on there is an intent: no cancel.
const (
	AttemptBuilding   AttemptPhase = "building"
	AttemptPushing    AttemptPhase = "pushing"    // its ticket is on the way
	AttemptTesting    AttemptPhase = "testing"    // the ticket is on GitHub
	AttemptChecking   AttemptPhase = "checking"   // green; the members are read once more
	AttemptMoving     AttemptPhase = "moving"     // intent written; heads first
	AttemptLanding    AttemptPhase = "landing"    // the one atomic push
	AttemptCarried    AttemptPhase = "carried"    // it lands by the push of one that stands on it
	AttemptAbandoning AttemptPhase = "abandoning" // the ticket is being deleted: the fence
	AttemptLanded     AttemptPhase = "landed"
	AttemptDead       AttemptPhase = "dead"
)

// Attempt is one build of one node of a batch on one base commit.
type Attempt struct {
	ID     int64        `json:"id"`
	Batch  int64        `json:"batch"`
	Node   int          `json:"node"`
	Phase  AttemptPhase `json:"phase"`
	Since  time.Time    `json:"since"`
	Ticket string       `json:"ticket"` // branch name, never used twice
	// Parent is the attempt it stands on, whose green was foreseen; 0: the base.
	Parent  int64    `json:"parent,omitempty"`
	Old     string   `json:"old"`           // commit it stands on
	New     string   `json:"new,omitempty"` // the tested commit, once built
	Tree    string   `json:"tree,omitempty"`
	Members []Member `json:"members"`
	// Narrow, where it is set, are the only tests it runs: a search for a culprit.
	// Such an attempt never lands.
	Narrow []FailedTest `json:"narrow,omitempty"`
	// OnBase: it has no members and no batch, and asks the base itself.
	OnBase bool `json:"on_base,omitempty"`
	// At is the committer date, so that a rebuild gives the same commits.
	At      time.Time `json:"at"`
	Plan    Plan      `json:"plan"`
	Results Results   `json:"results"`
	Shards  []Shard   `json:"shards,omitempty"`
	// PushedAt is when the ticket was on GitHub; SignAt when CI first showed.
	PushedAt time.Time `json:"pushed_at,omitzero"`
	SignAt   time.Time `json:"sign_at,omitzero"`
	// QueuedAt is since when all that is unfinished waits for a runner. RunAt is since
	// when it runs, moved on by such waits; RunLimit was learnt when that began.
	QueuedAt time.Time     `json:"queued_at,omitzero"`
	RunAt    time.Time     `json:"run_at,omitzero"`
	RunLimit time.Duration `json:"run_limit,omitempty"`
	// RunsSeen counts its workflow runs; NewRunAt is when the newest was first seen.
	RunsSeen int       `json:"runs_seen,omitempty"`
	NewRunAt time.Time `json:"new_run_at,omitzero"`
	// DoneAt is since when all its workflow runs are seen concluded.
	DoneAt time.Time `json:"done_at,omitzero"`
	// SeekingAt is since when GitHub is asked for reports that did not reach us; zero
	// when it answered. SoughtAt is when it was last asked with all runs at an end.
	SeekingAt time.Time `json:"seeking_at,omitzero"`
	SoughtAt  time.Time `json:"sought_at,omitzero"`
	// CheckedAt is when the last reading of members and base began that found all well.
	CheckedAt time.Time `json:"checked_at,omitzero"`
	// IntentAt is when "about to move base from Old to New" was written.
	IntentAt time.Time `json:"intent_at,omitzero"`
	// Held is what the build found against members while the landing before it
	// was still under way: told when that one is in the base, else forgotten.
	Held  []Held `json:"held,omitempty"`
	Moved []Move `json:"moved,omitempty"` // heads that moved, to be put back if it is abandoned
	// Retargeted are stacked members that have another base by now, to be put back as well.
	Retargeted []Retarget `json:"retargeted,omitempty"`
	// Cause says why it is abandoned; Aim what follows when it is gone.
	Cause  string    `json:"cause,omitempty"`
	Aim    Aim       `json:"aim,omitempty"`
	Tries  int       `json:"tries,omitempty"` // landing pushes without an answer
	EndAt  time.Time `json:"end_at,omitzero"`
	Audits int       `json:"audits,omitempty"` // looks back done, of two
}

// Aim is what follows once an abandoned attempt's ticket is gone.
type Aim string

// The aims.
const (
	AimRebuild Aim = "rebuild" // the same members again, on the base as it is then
	AimSearch  Aim = "search"  // red: the facts say what is tested next
	AimDrop    Aim = "drop"    // it can't help any more; its members are tested otherwise
	AimPause   Aim = "pause"   // a rule refused: back in line and stop the queue
)

// Member is one pull request in an attempt.
type Member struct {
	PR      int    `json:"pr"`
	Head    string `json:"head"`
	HeadRef string `json:"head_ref,omitempty"` // empty when its branch is not ours to move
	// After are those of the attempt without which it is not built: in their absence
	// it would bring what is theirs.
	After  []int  `json:"after,omitempty"`
	Became string `json:"became,omitempty"` // the commit its head became
	// Method is how it goes onto the base, fixed when the attempt begins; Squashed says
	// that it was to be rebased, and could only go in as one.
	Method   Method   `json:"method,omitempty"`
	Squashed bool     `json:"squashed,omitempty"`
	Commits  []string `json:"commits,omitempty"` // oldest first
	// Folders are those its commits change, as the build says it, none where they are
	// more than MostFolders; they are kept with the entry.
	Folders []string `json:"folders,omitempty"`
	// Guarded are the first of the guarded paths they change, likewise.
	Guarded []string `json:"guarded,omitempty"`
}

// Held is a member that conflicts with a base that is not the base yet, or is
// contained in it.
type Held struct {
	PR        int      `json:"pr"`
	Head      string   `json:"head"`
	Contained bool     `json:"contained,omitempty"`
	Files     []string `json:"files,omitempty"`
}

// Move is one pull request's branch moved from its pinned head to what it became.
type Move struct {
	PR  int    `json:"pr"`
	Ref string `json:"ref"` // branch name
	Old string `json:"old"`
	New string `json:"new"`
}

// Retarget is a pull request's base changed from one branch to another.
type Retarget struct {
	PR   int    `json:"pr"`
	From string `json:"from"`
	To   string `json:"to"`
}

// Plan is what an attempt must see green, fixed when it is built.
type Plan struct {
	Checks []NamedCheck   `json:"checks,omitempty"`
	Suites map[string]int `json:"suites,omitempty"`
	// Variants is, in a narrow attempt, how many variants of a suite must report.
	Variants map[string]int `json:"variants,omitempty"`
}

// Named reports whether the plan names anything; if not, every workflow run of
// the ticket must conclude green, at least one, with none new for quietTime.
func (p Plan) Named() bool { return len(p.Checks) > 0 || len(p.Suites) > 0 }

// quietTime is how long no new workflow run may appear before a plan that names nothing is full.
const quietTime = 30 * time.Second

// Results are one reading of what GitHub says of an attempt's commit.
type Results struct {
	Runs     []Run         `json:"runs,omitempty"`
	Checks   []CheckResult `json:"checks,omitempty"`
	Statuses []StatusLine  `json:"statuses,omitempty"`
	ReadAt   time.Time     `json:"read_at,omitzero"`
}

// Run is one workflow run.
type Run struct {
	ID         int64     `json:"id"`
	Name       string    `json:"name"`
	Event      string    `json:"event"`  // only push counts
	Branch     string    `json:"branch"` // only the ticket counts
	Suite      int64     `json:"suite"`  // check suite id: ties check runs to it
	Status     string    `json:"status"` // queued, in_progress, completed, ...
	Conclusion string    `json:"conclusion,omitempty"`
	Path       string    `json:"path,omitempty"` // of its workflow in the repository
	URL        string    `json:"url,omitempty"`
	CreatedAt  time.Time `json:"created_at"`
}

// CheckResult is one check run on the attempt's commit; a job's id is its check run's id.
type CheckResult struct {
	ID         int64  `json:"id"`
	Name       string `json:"name"`
	App        int64  `json:"app"`
	Suite      int64  `json:"suite"`
	Status     string `json:"status"`
	Conclusion string `json:"conclusion,omitempty"`
	URL        string `json:"url,omitempty"`
}

// StatusLine is the newest commit status of one context.
type StatusLine struct {
	Context string `json:"context"`
	State   string `json:"state"`         // success, failure, error, pending
	App     int64  `json:"app,omitempty"` // whose it is; 0: a person's, or nobody could tell
	URL     string `json:"url,omitempty"`
}

// ActionsApp is the App id under which GitHub Actions posts its jobs' check runs.
const ActionsApp int64 = 15368

// Shard is one slice of one suite, as the Action told us.
type Shard struct {
	Suite     string       `json:"suite"`
	Variant   string       `json:"variant,omitempty"`
	Index     int          `json:"index"`
	Total     int          `json:"total"`
	CheckRun  int64        `json:"check_run,omitempty"` // the job's, from its token
	RunID     int64        `json:"run_id"`
	RunTry    int          `json:"run_try"`
	Inventory string       `json:"inventory,omitempty"` // digest: all shards must have seen the same list
	Plan      string       `json:"plan,omitempty"`      // the server's plan; empty: cut locally
	Units     int          `json:"units,omitempty"`     // of the plan
	Ran       string       `json:"ran,omitempty"`       // shard.Units of the plan that ended here; empty: not known
	Sought    bool         `json:"sought,omitempty"`    // its job ended without a report, and GitHub was asked for one
	StartedAt time.Time    `json:"started_at"`
	EndedAt   time.Time    `json:"ended_at,omitzero"`
	Result    shard.Result `json:"result,omitempty"` // empty while it runs
	Tests     int          `json:"tests,omitempty"`
	Failed    []FailedTest `json:"failed,omitempty"`
	Flaky     []FailedTest `json:"flaky,omitempty"` // failed, then passed
	Muted     []FailedTest `json:"muted,omitempty"` // failed, and excused by the plan's quarantine
}
