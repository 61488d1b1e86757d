package queue

import "time"

// Event is a fact and the moment it was recorded; time enters Step this way only.
type Event struct {
	At   time.Time
	Fact Fact
}

// Fact is something seen, never a delta: stale, doubled and shuffled ones are harmless.
type Fact interface{ fact() string }

// PullRequestHinted says "look at it again"; Labelled is what the hint showed,
// and only decides whether an unknown pull request is worth a look.
type PullRequestHinted struct {
	Number   int  `json:"number"`
	Labelled bool `json:"labelled,omitempty"`
}

// PullRequestRead is a reading; Gone means that GitHub knows no such pull request.
type PullRequestRead struct {
	PR   PullRequest `json:"pr"`
	Gone bool        `json:"gone,omitempty"`
	// Opens is a branch that it asks to land on and that is nobody's head: it may have no queue yet.
	Opens string `json:"opens,omitempty"`
}

// WishesFound is the sweep's answer: every open pull request with the label.
type WishesFound struct {
	Numbers []int `json:"numbers"`
	// Marks are the other labels of ours on each, sorted, whoever set them.
	Marks map[int]string `json:"marks,omitempty"`
}

// CommandHinted says that somebody wrote a comment that looks like a command.
type CommandHinted struct {
	Comment int64 `json:"comment"`
}

// CommandsRead are the commands in a repository's comments since a moment, in the
// order in which they were written.
type CommandsRead struct {
	Commands []Command `json:"commands,omitempty"`
	// Newest is when the newest comment was written; zero where there was none.
	Newest time.Time `json:"newest,omitzero"`
}

// ButtonHinted says that somebody pressed a button on a check of ours. Nobody can
// ask GitHub for that again: the webhook, signed as it is, is all there is.
type ButtonHinted struct {
	PR   int    `json:"pr"`
	Word Word   `json:"word"`
	By   Actor  `json:"by"`
	Head string `json:"head,omitempty"` // the check's
}

// ButtonPressed is that with what was read since of who pressed and of the pull request.
type ButtonPressed struct {
	Command Command `json:"command"`
}

// LabelSet says that the label is on.
type LabelSet struct {
	PR int `json:"pr"`
}

// BaseHinted says "look at the base again"; Tip is what the hint showed, if anything.
type BaseHinted struct {
	Tip string `json:"tip,omitempty"`
}

// BaseRead is a reading of the base branch, its rules and the config on it.
type BaseRead struct {
	Tip     string `json:"tip"`
	Missing bool   `json:"missing,omitempty"` // there is no such branch
	Rules   Rules  `json:"rules"`
	// Settings come from the config on the base; Problem says why the file is
	// wrong, and then Settings are empty and the last good ones stay.
	Settings Settings  `json:"settings"`
	Problem  string    `json:"problem,omitempty"`
	ReadAt   time.Time `json:"read_at"`
}

// HeadSeen says what a pull request's head changes of what is guarded.
type HeadSeen struct {
	PR      int      `json:"pr"`
	Head    string   `json:"head"`
	Guarded []string `json:"guarded,omitempty"`
}

// AttemptBuilt is what git made of the members.
type AttemptBuilt struct {
	Attempt   int64         `json:"attempt"`
	New       string        `json:"new"` // empty when no member is left
	Tree      string        `json:"tree"`
	Members   []Member      `json:"members"`
	Conflicts []Conflicting `json:"conflicts,omitempty"`
	Contained []int         `json:"contained,omitempty"` // nothing left after the rebase
}

// Conflicting is a member that could not be rebased, or that comes after one who could not.
type Conflicting struct {
	PR    int      `json:"pr"`
	Files []string `json:"files,omitempty"`
	// WithBase: it conflicts on the base alone; otherwise only with a member ahead of it.
	WithBase bool `json:"with_base"`
}

// BuildFailed is a build that could not be done for a reason of ours or GitHub's.
type BuildFailed struct {
	Attempt int64  `json:"attempt"`
	Detail  string `json:"detail"`
	// MissingPR is the member whose head cannot be fetched any more, if that is why.
	MissingPR int `json:"missing_pr,omitempty"`
	// LargePR is the member that brings more than is built, if that is why.
	LargePR int `json:"large_pr,omitempty"`
}

// TicketPushed says that the ticket stands on GitHub at the attempt's commit.
type TicketPushed struct {
	Attempt int64 `json:"attempt"`
	// Again: an earlier push may have put it there, so CI may have run unheard.
	Again bool `json:"again,omitempty"`
}

// TicketFailed says that it does not and will not: taken by another commit, or refused.
type TicketFailed struct {
	Attempt int64  `json:"attempt"`
	Detail  string `json:"detail"`
}

// ResultsHinted says "look at this commit's runs again"; Done when the hint showed a conclusion.
type ResultsHinted struct {
	Commit string `json:"commit"`
	Done   bool   `json:"done,omitempty"`
	// PullRun is a pull request's workflow run that ended, if the hint showed one.
	PullRun int64 `json:"pull_run,omitempty"`
}

// ResultsRead is a reading of an attempt's runs and checks.
type ResultsRead struct {
	Attempt int64   `json:"attempt"`
	Results Results `json:"results"`
}

// ShardStarted says that a shard asked for its tests.
type ShardStarted struct {
	Commit string `json:"commit"`
	Shard  Shard  `json:"shard"`
}

// ShardReported says how a shard ended.
type ShardReported struct {
	Commit string `json:"commit"`
	Shard  Shard  `json:"shard"`
}

// ReportsFound says that GitHub was asked for lost reports; each that was there has
// been told before.
type ReportsFound struct {
	Attempt int64     `json:"attempt"`
	At      time.Time `json:"at"` // the task's
}

// MembersRead is the last reading before the intent: each member, the base, and what
// git says each member's head is.
type MembersRead struct {
	Attempt int64         `json:"attempt"`
	PRs     []PullRequest `json:"prs"`
	Base    BaseRead      `json:"base"`
	// Statuses are those of the attempt's commit; nil: they were not read.
	Statuses []StatusLine `json:"statuses,omitempty"`
}

// HeadsMoved says which branches moved; those in neither list were skipped,
// because a rule forbids it or there was no answer.
type HeadsMoved struct {
	Attempt int64  `json:"attempt"`
	Moved   []Move `json:"moved"`
	// Elsewhere are pull requests whose branch does not stand at the pinned head.
	Elsewhere []int `json:"elsewhere,omitempty"`
	// Retargeted are those whose base was changed.
	Retargeted []Retarget `json:"retargeted,omitempty"`
}

// Outcome is how the landing push ended.
type Outcome string

// The five outcomes, each with its own way on.
const (
	OutcomeLanded    Outcome = "landed"
	OutcomeElsewhere Outcome = "base_elsewhere"
	OutcomeRefused   Outcome = "refused"
	OutcomeTransient Outcome = "transient"
	OutcomeUnknown   Outcome = "unknown"
)

// LandingTried is the answer to one landing push.
type LandingTried struct {
	Attempt int64   `json:"attempt"`
	Outcome Outcome `json:"outcome"`
	Tip     string  `json:"tip,omitempty"`  // where the base stands
	Rule    string  `json:"rule,omitempty"` // GitHub's words when refused
}

// Abandoned says that the ticket is gone for certain, and what the base shows after it.
type Abandoned struct {
	Attempt  int64  `json:"attempt"`
	Tip      string `json:"tip"`
	Contains bool   `json:"contains"` // the base has the attempt's commit after all
}

// CheckPosted says which check run shows an entry.
type CheckPosted struct {
	PR   int    `json:"pr"`
	Head string `json:"head"`
	ID   int64  `json:"id"`
}

// Settled says that GitHub shows the end of a landed entry.
type Settled struct {
	PR     int    `json:"pr"`
	Status Status `json:"status"` // merged, or closed by us with the commit named
}

// Audited is a look back at a landing.
type Audited struct {
	Attempt  int64  `json:"attempt"`
	Tip      string `json:"tip"`
	Contains bool   `json:"contains"` // the landed commit is in the base
	TreeOK   bool   `json:"tree_ok"`  // and has the tested tree
}

// PauseAsked and ResumeAsked are an operator's.
type PauseAsked struct {
	By     string `json:"by"`
	Reason string `json:"reason"`
}

// ResumeAsked ends a pause.
type ResumeAsked struct {
	By string `json:"by"`
}

// LeaveAsked takes one entry out: a button on the check or on the dashboard.
type LeaveAsked struct {
	PR int    `json:"pr"`
	By string `json:"by"`
	// Lost: nobody asked, the App was taken off the repository.
	Lost bool `json:"lost,omitempty"`
}

// Restarted says that nobody looked for a while: whatever was told meanwhile is lost.
type Restarted struct{}

// TimePassed is a timer's; the event's At says how late it is.
type TimePassed struct{}

func (PullRequestHinted) fact() string { return "pull_request_hinted" }
func (PullRequestRead) fact() string   { return "pull_request_read" }
func (WishesFound) fact() string       { return "wishes_found" }
func (CommandHinted) fact() string     { return "command_hinted" }
func (CommandsRead) fact() string      { return "commands_read" }
func (ButtonHinted) fact() string      { return "button_hinted" }
func (ButtonPressed) fact() string     { return "button_pressed" }
func (LabelSet) fact() string          { return "label_set" }
func (BaseHinted) fact() string        { return "base_hinted" }
func (BaseRead) fact() string          { return "base_read" }
func (HeadSeen) fact() string          { return "head_seen" }
func (AttemptBuilt) fact() string      { return "attempt_built" }
func (BuildFailed) fact() string       { return "build_failed" }
func (TicketPushed) fact() string      { return "ticket_pushed" }
func (TicketFailed) fact() string      { return "ticket_failed" }
func (ResultsHinted) fact() string     { return "results_hinted" }
func (ResultsRead) fact() string       { return "results_read" }
func (ShardStarted) fact() string      { return "shard_started" }
func (ShardReported) fact() string     { return "shard_reported" }
func (ReportsFound) fact() string      { return "reports_found" }
func (MembersRead) fact() string       { return "members_read" }
func (HeadsMoved) fact() string        { return "heads_moved" }
func (LandingTried) fact() string      { return "landing_tried" }
func (Abandoned) fact() string         { return "abandoned" }
func (CheckPosted) fact() string       { return "check_posted" }
func (Settled) fact() string           { return "settled" }
func (Audited) fact() string           { return "audited" }
func (PauseAsked) fact() string        { return "pause_asked" }
func (ResumeAsked) fact() string       { return "resume_asked" }
func (LeaveAsked) fact() string        { return "leave_asked" }
func (Restarted) fact() string         { return "restarted" }
func (TimePassed) fact() string        { return "time_passed" }
