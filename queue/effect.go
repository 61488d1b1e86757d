package queue

import "time"

// Effect is one thing to do in the outside world, worded "make it look like
// this" so that doing it twice is harmless. A later effect of the same key
// replaces an earlier one that is not done yet.
type Effect struct {
	Key  string
	Due  time.Time
	Task Task
}

// Task is what an effect does. Its outcome comes back as a fact.
type Task interface{ task() string }

// ReadPullRequest reads one pull request → PullRequestRead.
type ReadPullRequest struct {
	Number int    `json:"number"`
	Label  string `json:"label"` // whose newest standing event is the wish
	Labels Labels `json:"labels"`
	Asks   Asks   `json:"asks,omitzero"`
	// Text asks for the description whatever the method; else it is read where a label
	// asks for one that needs it.
	Text bool `json:"text,omitempty"`
	// Asked reads it as if it had the label.
	Asked bool `json:"asked,omitempty"`
}

// ReadCommands reads the commands in the repository's comments since a moment, but
// for those used → CommandsRead.
type ReadCommands struct {
	Since  time.Time `json:"since"`
	Used   []int64   `json:"used,omitempty"`
	Hinted int64     `json:"hinted,omitempty"` // a comment that the list may not show yet
	// As is how their pull requests are read, of whatever number.
	As ReadPullRequest `json:"as"`
}

// ReadPress reads what somebody who pressed a button may → ButtonPressed.
type ReadPress struct {
	Word Word            `json:"word"`
	By   Actor           `json:"by"`
	As   ReadPullRequest `json:"as"`
}

// AddLabel puts the label on; one that is there is fine → LabelSet.
type AddLabel struct {
	PR    int    `json:"pr"`
	Label string `json:"label"`
}

// React puts an emoji of ours on a comment; a deleted comment is fine; nothing comes back.
type React struct {
	Comment int64  `json:"comment"`
	Mark    string `json:"mark"` // +1, -1 or eyes
}

// ReadBase reads the base branch, its rules and its config → BaseRead.
type ReadBase struct{}

// FindWishes lists the open pull requests with the label → WishesFound.
type FindWishes struct {
	Label  string `json:"label"`
	Labels Labels `json:"labels"`
}

// BuildAttempt puts the members on Old, one behind the other, each by its method → AttemptBuilt, BuildFailed.
type BuildAttempt struct {
	Attempt int64     `json:"attempt"`
	Old     string    `json:"old"`
	Members []Member  `json:"members"`
	At      time.Time `json:"at"`
	// Landed are heads that are in Old already, as other commits: a pull request
	// that grew out of one brings only what it has beyond it.
	Landed []string `json:"landed,omitempty"`
	// Empty puts one empty commit of ours on top. With no members New is then the
	// base as it is under a name of its own: the base's own checks stay untouched.
	Empty bool `json:"empty,omitempty"`
	// Texts is what messages may name of the members, in their order; Merging says how.
	Texts   []PullText `json:"texts,omitempty"`
	Merging Merging    `json:"merging,omitzero"`
}

// FetchHead brings a commit into the clone ahead of need; nothing comes back but,
// where PR is set and it changes what is guarded over Base, HeadSeen.
type FetchHead struct {
	Head string `json:"head"`
	PR   int    `json:"pr,omitempty"`
	Base string `json:"base,omitempty"`
}

// PushTicket puts Commit on the branch Ticket, which must not exist → TicketPushed, TicketFailed.
type PushTicket struct {
	Attempt int64  `json:"attempt"`
	Ticket  string `json:"ticket"`
	Commit  string `json:"commit"`
}

// ReadResults reads the ticket's runs and its commit's checks → ResultsRead.
type ReadResults struct {
	Attempt int64  `json:"attempt"`
	Ticket  string `json:"ticket"`
	Commit  string `json:"commit"`
	// Statuses asks for commit statuses, too (one more call).
	Statuses bool `json:"statuses,omitempty"`
}

// ReadMembers reads every member and the base once more, just before the intent → MembersRead.
type ReadMembers struct {
	Attempt int64  `json:"attempt"`
	Numbers []int  `json:"numbers"`
	Label   string `json:"label"`
	Labels  Labels `json:"labels"`
	Asks    Asks   `json:"asks,omitzero"`
	// Commit is the attempt's: its statuses are read, too, where checks are named.
	Commit string `json:"commit,omitempty"`
	// Unleased are those of Numbers whose branch is not ours to move: git is
	// asked for their heads, since no lease will hold them.
	Unleased []int `json:"unleased,omitempty"`
	// Below are those of Numbers that count without a label of their own.
	Below []int `json:"below,omitempty"`
}

// MoveHeads posts our own green check on Commit, moves each branch by its own
// lease, best effort, and waits up to 20 s until GitHub shows it → HeadsMoved.
type MoveHeads struct {
	Attempt int64  `json:"attempt"`
	Commit  string `json:"commit"`
	Moves   []Move `json:"moves"`
	// Retargets are stacked pull requests that are to show the base as theirs first:
	// GitHub shows as merged what the base of a pull request contains.
	Retargets []Retarget `json:"retargets,omitempty"`
	Title     string     `json:"title"`
	Summary   string     `json:"summary"`
}

// MoveBase is the one atomic push: base Old → New and the tickets of a chain of
// attempts deleted, each by its own lease → LandingTried.
type MoveBase struct {
	Attempt int64      `json:"attempt"`
	Old     string     `json:"old"`
	New     string     `json:"new"`
	Tickets []Ticketed `json:"tickets"`
}

// Ticketed is a ticket and the commit it stands at.
type Ticketed struct {
	Ticket string `json:"ticket"`
	Commit string `json:"commit"`
}

// AbandonAttempt deletes the ticket until the remote confirms it, puts moved
// heads back by lease, then reads the base → Abandoned.
type AbandonAttempt struct {
	Attempt int64  `json:"attempt"`
	Ticket  string `json:"ticket"`
	Commit  string `json:"commit"`
	Moved   []Move `json:"moved,omitempty"`
	// Retargeted have their old base again.
	Retargeted []Retarget `json:"retargeted,omitempty"`
}

// CancelRuns stops exactly the runs that a push started on these commits; nothing comes back.
type CancelRuns struct {
	Commits []string `json:"commits"`
	// Ticket is the branch they run on: the attempt's, or the one of a head we moved.
	Ticket string `json:"ticket"`
}

// PostCheck makes the check on a pull request look like this → CheckPosted.
type PostCheck struct {
	PR    int    `json:"pr"`
	Head  string `json:"head"`
	ID    int64  `json:"id,omitempty"` // 0: create it, or with Again find it by ExternalID first
	Again bool   `json:"again,omitempty"`
	Title string `json:"title"`
	// Summary is Markdown, hostile text already fenced.
	Summary    string       `json:"summary"`
	Status     string       `json:"status"` // queued, in_progress, completed
	Conclusion string       `json:"conclusion,omitempty"`
	Tests      []FailedTest `json:"tests,omitempty"` // annotated on their lines
	ExternalID string       `json:"external_id"`
	Buttons    []Word       `json:"buttons,omitempty"` // at most three
}

// RemoveLabel takes the label off; an absent one is fine; nothing comes back.
type RemoveLabel struct {
	PR    int    `json:"pr"`
	Label string `json:"label"`
}

// PostComment keeps the one comment of ours on a pull request at Text; nothing comes back.
type PostComment struct {
	PR   int    `json:"pr"`
	Text string `json:"text"`
}

// SettleLanded waits until GitHub shows the pull request as merged or closed; one that is
// still open is closed with the commit named. Then the check is concluded, and the
// result put on the commit it became, and what GitHub does for pull requests merged
// by its own button is done: issues closed, the branch deleted → Settled.
type SettleLanded struct {
	PR     int    `json:"pr"`
	Became string `json:"became"`
	// Tip is true when Became is the tested tip, which carries our check already.
	Tip   bool      `json:"tip,omitempty"`
	Since time.Time `json:"since"`
	// Method is how it landed.
	Method Method `json:"method,omitempty"`
	// Branch is its own branch in the repository itself, and Stands where it stands by
	// now: it may be deleted there. Empty: a fork's.
	Branch string    `json:"branch,omitempty"`
	Stands string    `json:"stands,omitempty"`
	Check  PostCheck `json:"check"`
}

// LearnTests has the tests of good code learnt from what an attempt's shards
// reported: of one that landed, or of a red one whose pull requests all landed
// as they were, of which only the failures count. Doing it twice learns once;
// nothing comes back.
type LearnTests struct {
	Attempt int64         `json:"attempt"`
	Commit  string        `json:"commit"`
	At      time.Time     `json:"at"` // of the landing: what is done twice is of one moment
	Red     bool          `json:"red,omitempty"`
	Term    time.Duration `json:"term,omitempty"` // of a quarantine by the rules; 0: none
}

// AuditLanding looks whether the base still has Commit with Tree → Audited.
type AuditLanding struct {
	Attempt int64  `json:"attempt"`
	Commit  string `json:"commit"`
	Tree    string `json:"tree"`
}

// FindReports looks for reports that the jobs of these runs left at GitHub. What is
// found of this commit's push is told as if it had been sent; then → ReportsFound.
type FindReports struct {
	Attempt int64     `json:"attempt"`
	Commit  string    `json:"commit"`
	Ticket  string    `json:"ticket"`
	Runs    []int64   `json:"runs"`
	At      time.Time `json:"at"`
}

// FindPullReports keeps, for its page, what the runs of a fork's pull request left
// at GitHub; nothing comes back.
type FindPullReports struct {
	PR   int    `json:"pr"`
	Head string `json:"head"`
	Run  int64  `json:"run,omitempty"` // 0: all that ended
}

// Wake is a timer → TimePassed.
type Wake struct{}

func (ReadPullRequest) task() string { return "read_pull_request" }
func (ReadCommands) task() string    { return "read_commands" }
func (ReadPress) task() string       { return "read_press" }
func (AddLabel) task() string        { return "add_label" }
func (React) task() string           { return "react" }
func (ReadBase) task() string        { return "read_base" }
func (FindWishes) task() string      { return "find_wishes" }
func (BuildAttempt) task() string    { return "build_attempt" }
func (FetchHead) task() string       { return "fetch_head" }
func (PushTicket) task() string      { return "push_ticket" }
func (ReadResults) task() string     { return "read_results" }
func (ReadMembers) task() string     { return "read_members" }
func (MoveHeads) task() string       { return "move_heads" }
func (MoveBase) task() string        { return "move_base" }
func (AbandonAttempt) task() string  { return "abandon_attempt" }
func (CancelRuns) task() string      { return "cancel_runs" }
func (PostCheck) task() string       { return "post_check" }
func (RemoveLabel) task() string     { return "remove_label" }
func (PostComment) task() string     { return "post_comment" }
func (SettleLanded) task() string    { return "settle_landed" }
func (AuditLanding) task() string    { return "audit_landing" }
func (LearnTests) task() string      { return "learn_tests" }
func (FindReports) task() string     { return "find_reports" }
func (FindPullReports) task() string { return "find_pull_reports" }
func (Wake) task() string            { return "wake" }
