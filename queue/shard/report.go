package shard

import (
	"net/url"
	"strconv"
)

// PlansPath is where a plan is asked for, by POST.
const PlansPath = "/v1/plans"

// HeaderCheckRun carries the id of the job's check run, as a hint for a token
// that has no such claim. The token's claim counts where there is one.
const HeaderCheckRun = "Mainstay-Check-Run"

// ReportsPattern is the route of a report, by PUT, as net/http's mux reads it.
const ReportsPattern = "/v1/reports/{suite}/{shard}/{chunk}"

// Limits of a report. Both sides keep them.
const (
	MaxBody       = 8 << 20  // bytes of one body as sent, that is compressed
	MaxPlainBody  = 64 << 20 // bytes of one body after decompression
	MaxTests      = 10_000   // tests of one chunk
	MaxChunks     = 100      // chunks of one report
	MaxExecutions = 20       // executions of one test
	MaxMessage    = 16 << 10 // bytes of one message
)

// Status is how one item or one execution of a test ended.
type Status string

// The statuses. Errored means that it ended without saying what failed: it did
// not compile, it crashed, it was killed.
const (
	Passed  Status = "passed"
	Failed  Status = "failed"
	Skipped Status = "skipped"
	Errored Status = "error"
)

// Kind is how an execution failed.
type Kind string

// The kinds. The empty kind is "not known".
const (
	KindAssertion Kind = "assertion"
	KindPanic     Kind = "panic"
	KindTimeout   Kind = "timeout"
	KindBuild     Kind = "build" // the item did not compile or load
	KindExit      Kind = "exit"  // the process ended red without naming a test
	KindLost      Kind = "lost"  // planned or begun, and never heard of again
)

// Outcome is how the step that ran the tests ended, in GitHub's own words. It
// is empty where nobody told.
type Outcome string

// The outcomes.
const (
	OutcomeSuccess   Outcome = "success"
	OutcomeFailure   Outcome = "failure"
	OutcomeCancelled Outcome = "cancelled"
	OutcomeSkipped   Outcome = "skipped"
)

// Source says who cut the slice.
type Source string

// The sources.
const (
	SourceServer   Source = "server"
	SourceFallback Source = "fallback"
)

// Execution is one run of one test.
type Execution struct {
	Status  Status `json:"status"`
	MS      int64  `json:"ms"`
	Kind    Kind   `json:"kind,omitempty"`
	Message string `json:"message,omitempty"`
	File    string `json:"file,omitempty"` // where the message points, relative to the repository
	Line    int    `json:"line,omitempty"`
}

// Test is one test with its executions in order. A test without executions
// passed once, in MS.
type Test struct {
	Key        string      `json:"key"`
	File       string      `json:"file,omitempty"`
	Class      string      `json:"class,omitempty"` // the package, the class, the file: what the name is unique in
	Name       string      `json:"name"`
	MS         int64       `json:"ms,omitempty"`
	Executions []Execution `json:"executions,omitempty"`
}

// ItemResult is how one item of the slice ended.
type ItemResult struct {
	ID     string `json:"id"`
	Status Status `json:"status"`
	MS     int64  `json:"ms"`
	Part   int    `json:"part,omitempty"`  // which part of the item, zero-based
	Parts  int    `json:"parts,omitempty"` // out of how many; 0: all of it
}

// Tool is the program that wrote a report.
type Tool struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	OS      string `json:"os"`
	Arch    string `json:"arch"`
}

// Report is the body of PUT /v1/reports/{suite}/{shard}/{chunk}. Everything but
// Tests is the same in every chunk of one report. InventoryDigest is of the
// whole suite, not of the slice: it proves coverage where no plan was made.
type Report struct {
	API             int          `json:"api"`
	PlanID          string       `json:"plan_id,omitempty"`
	Suite           string       `json:"suite"`
	Variant         string       `json:"variant,omitempty"`
	Runner          string       `json:"runner"`
	Shard           Position     `json:"shard"`
	Source          Source       `json:"source"`
	Scope           Scope        `json:"scope"`
	InventoryDigest string       `json:"inventory_digest,omitempty"`
	Outcome         Outcome      `json:"outcome,omitempty"`
	ExitCode        int          `json:"exit_code"`
	Final           bool         `json:"final"` // the last chunk
	Chunk           int          `json:"chunk"` // zero-based
	Chunks          int          `json:"chunks"`
	WallMS          int64        `json:"wall_ms"`
	SetupMS         int64        `json:"setup_ms"`
	Items           []ItemResult `json:"items"`
	NotRun          []string     `json:"not_run,omitempty"` // items of the slice that never ran
	Extra           []string     `json:"extra,omitempty"`   // items that ran and are not of the slice
	Tests           []Test       `json:"tests"`
	// Round counts what was run again at the server's word: 0 is the first report.
	Round int `json:"round,omitempty"`
	// Reruns says that the job can run single tests again, so that it may be asked to.
	Reruns bool `json:"reruns,omitempty"`
	Tool   Tool `json:"tool"`
}

// JobAnswer is what the server thinks the job's own result should be.
type JobAnswer string

// The job answers.
const (
	JobPass JobAnswer = "pass"
	JobFail JobAnswer = "fail"
)

// CoverageAnswer is how much of the suite the server has heard of so far.
type CoverageAnswer struct {
	Planned       int   `json:"planned"`
	Seen          int   `json:"seen"`
	MissingShards []int `json:"missing_shards"`
}

// BatchAnswer links to the batch that a report belongs to.
type BatchAnswer struct {
	ID    string `json:"id"`
	State string `json:"state"`
	URL   string `json:"url"`
}

// NextAnswer is what the Action is asked to do next.
type NextAnswer struct {
	Action string `json:"action"`
	// Tests are the keys of those to run again, with NextRerun.
	Tests []string `json:"tests,omitempty"`
}

// What is next. After NextRerun the job runs those tests once more, adds the
// executions to its report and sends it anew with the next round; until then
// the queue has not been told how the shard ended.
const (
	NextNone  = "none"
	NextRerun = "rerun"
)

// ReportAnswer answers a Report. The lists hold keys of tests. Batch is nil
// for a run that belongs to no batch.
type ReportAnswer struct {
	Accepted    bool           `json:"accepted"`
	ShardResult Result         `json:"shard_result"`
	Job         JobAnswer      `json:"job"`
	Flaky       []string       `json:"flaky"`
	Quarantined []string       `json:"quarantined"`
	Blocking    []string       `json:"blocking"`
	Coverage    CoverageAnswer `json:"coverage"`
	Batch       *BatchAnswer   `json:"batch,omitempty"`
	Next        NextAnswer     `json:"next"`
}

// ReportPath is the path of one chunk of a report, escaped for a URL.
func ReportPath(suite string, index, chunk int) string {
	return "/v1/reports/" + url.PathEscape(suite) + "/" + strconv.Itoa(index) + "/" + strconv.Itoa(chunk)
}

// Matches tells whether the report is the one that its path names: the path's
// segments as the mux hands them out, unescaped.
func (r Report) Matches(suite, index, chunk string) bool {
	return r.Suite == suite && strconv.Itoa(r.Shard.Index) == index && strconv.Itoa(r.Chunk) == chunk
}

// Red tells whether the execution counts against the test.
func (e Execution) Red() bool { return e.Status == Failed || e.Status == Errored }

// Last is the test's last execution, the one that counts. A test without
// executions passed.
func (t Test) Last() Execution {
	if len(t.Executions) == 0 {
		return Execution{Status: Passed, MS: t.MS}
	}
	return t.Executions[len(t.Executions)-1]
}

// Failed tells whether the test's last execution was red.
func (t Test) Failed() bool { return t.Last().Red() }

// Flaky tells whether the test was red and then passed, in this one report.
func (t Test) Flaky() bool {
	if t.Last().Status != Passed {
		return false
	}
	for _, e := range t.Executions {
		if e.Red() {
			return true
		}
	}
	return false
}
