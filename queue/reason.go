package queue

// Reason says why an entry ended. The vocabulary is closed: checks, comments,
// the API and receipts use these words and no others.
type Reason string

// The reasons an entry goes out.
const (
	Conflict         Reason = "conflict"
	ChecksFailed     Reason = "checks_failed"
	TimedOut         Reason = "timed_out"
	NeverStarted     Reason = "never_started"
	HeadMoved        Reason = "head_moved"
	ApprovalLost     Reason = "approval_lost"
	LabelRemoved     Reason = "label_removed"
	Closed           Reason = "closed"
	Draft            Reason = "draft"
	Retargeted       Reason = "retargeted"
	NotPermitted     Reason = "not_permitted"
	RefusedByRule    Reason = "refused_by_rule"
	Withdrawn        Reason = "withdrawn"
	AlreadyContained Reason = "already_contained"
	LandedElsewhere  Reason = "landed_elsewhere"
	ConflictingPair  Reason = "conflicting_pair"
	Infrastructure   Reason = "infrastructure"
	QueueFull        Reason = "queue_full"
	AppRemoved       Reason = "app_removed"
	Integrity        Reason = "integrity"
)

// Wait says what an entry or a queue waits for. The vocabulary is closed, too.
type Wait string

// The waits.
const (
	NotApproved       Wait = "not_approved"
	ConditionUnmet    Wait = "condition_unmet" // the config's when
	InLine            Wait = "in_line"
	InTest            Wait = "testing"
	InLanding         Wait = "landing"
	OnHold            Wait = "held"
	NoRunner          Wait = "no_runner"
	Paused            Wait = "paused"
	BaseRed           Wait = "base_red"
	InvalidConfig     Wait = "invalid_config"
	GitHubUnavailable Wait = "github_unavailable"
)
