package queue

import "time"

// Actor is somebody at GitHub, compared by ID; the login is for reading only.
type Actor struct {
	ID    int64  `json:"id"`
	Login string `json:"login"`
	Bot   bool   `json:"bot,omitempty"`
}

// WishKind is how somebody asked to land.
type WishKind string

// The kinds; ids of different kinds can't be compared.
const (
	ByLabel   WishKind = ""
	ByCommand WishKind = "command"
	ByButton  WishKind = "button"
)

// Wish is one asking to land: a label event, or a command. It is used once.
type Wish struct {
	ID       int64     `json:"id"` // the label event's id, or the comment's
	Kind     WishKind  `json:"kind,omitempty"`
	Ours     bool      `json:"ours,omitempty"` // we set the label, for a command: it asks nothing by itself
	By       Actor     `json:"by"`
	MayWrite bool      `json:"may_write"` // looked up when the wish was read
	At       time.Time `json:"at"`
}

// after reports whether a wish was made after another: by their ids, or where these
// are of different kinds by GitHub's clock.
func (w Wish) after(other Wish) bool {
	if w.Kind == other.Kind {
		return w.ID > other.ID
	}
	return w.At.After(other.At)
}

func (w Wish) source() string {
	switch w.Kind {
	case ByCommand:
		return "comment"
	case ByButton:
		return "button"
	}
	return "label"
}

// Status is where a pull request stands at GitHub.
type Status string

// The statuses. A merged pull request is not also closed.
const (
	Open         Status = "open"
	ClosedStatus Status = "closed"
	Merged       Status = "merged"
)

// PullRequest is one reading of a pull request: facts as they stood, no deltas.
type PullRequest struct {
	Number  int    `json:"number"`
	Title   string `json:"title"`
	Author  Actor  `json:"author"`
	Head    string `json:"head"`     // commit id
	HeadRef string `json:"head_ref"` // branch name without refs/heads/, in the head's own repository
	// HeadOwner is whose fork that is; empty in the repository itself.
	HeadOwner string `json:"head_owner,omitempty"`
	// Body is its description, where Described says that it was read: only where a
	// commit may be worded by it.
	Body      string `json:"body,omitempty"`
	Described bool   `json:"described,omitempty"`
	Fork      bool   `json:"fork,omitempty"`
	Base      string `json:"base"` // branch name
	Status    Status `json:"status"`
	Draft     bool   `json:"draft,omitempty"`
	// Wish is the newest standing one; nil when nobody asks.
	Wish *Wish `json:"wish,omitempty"`
	// Approvals counts writers whose last review approves exactly Head.
	Approvals int `json:"approvals"`
	// Rulers counts those of them who are admins or maintainers.
	Rulers int `json:"rulers,omitempty"`
	// StaleApprovals counts writers whose approval stands at an older head.
	StaleApprovals   int      `json:"stale_approvals,omitempty"`
	ChangesRequested []string `json:"changes_requested,omitempty"` // logins of writers
	// StaleHead is the head that the newest of those approves.
	StaleHead string `json:"stale_head,omitempty"`
	// Review is GitHub's own word on its reviews; nil: it was not asked.
	Review *Review `json:"review,omitempty"`
	// When is what came of the config's condition; nil: nobody evaluated one.
	When *Condition `json:"when,omitempty"`
	// Traits are what conditions may speak of; they are not kept.
	Traits *Traits `json:"traits,omitempty"`
	// What its labels say, where somebody set them who may write: see Labels.
	Priority int  `json:"priority,omitempty"`
	Hotfix   bool `json:"hotfix,omitempty"`
	Hold     bool `json:"hold,omitempty"` // whoever set it
	Solo     bool `json:"solo,omitempty"`
	// Method is what a label asks for instead of the queue's.
	Method Method `json:"method,omitempty"`
	// Stack is what it stands on where its base is another one's branch.
	Stack *Stack `json:"stack,omitempty"`
	// Needs are those its description says it depends on, and Strange what it says
	// there that is not understood.
	Needs   []Need   `json:"needs,omitempty"`
	Strange []string `json:"strange,omitempty"`
	// ReadAt is when the reading began; an older reading is ignored.
	ReadAt time.Time `json:"read_at"`
}

// Phase is where an entry stands in its life.
type Phase string

// The phases, in order; the last two are ends.
const (
	Asking  Phase = "asking"  // wished for, not yet eligible; the head is not pinned
	Waiting Phase = "waiting" // in line with a pinned head
	Testing Phase = "testing" // member of a batch
	Landing Phase = "landing" // member of an attempt with an intent
	Landed  Phase = "landed"
	Out     Phase = "out"
)

// Ended reports whether the phase is an end.
func (p Phase) Ended() bool { return p == Landed || p == Out }

// Entry is a wish in line.
type Entry struct {
	PR     PullRequest `json:"pr"` // the newest reading
	Wish   Wish        `json:"wish"`
	Pinned string      `json:"pinned,omitempty"` // the head that is tested and lands
	Phase  Phase       `json:"phase"`
	Wait   Wait        `json:"wait,omitempty"`
	// Since is when the present phase began; EnteredAt when the wish was first seen.
	Since     time.Time `json:"since"`
	EnteredAt time.Time `json:"entered_at"`
	// Order is the first wish's id: lower is earlier. It never changes, and decides
	// the place in line between equal turns.
	Order int64 `json:"order"`
	Turn  Turn  `json:"turn,omitzero"`
	// Own is the turn it would have by itself, where Turn is that of one it is linked with.
	Own *Turn `json:"own,omitempty"`
	// For is the top of the stack by whose wish it is in line; 0: it has one of its own.
	For int `json:"for,omitempty"`
	// Method is what its label asks for; empty: what the queue does. Once landed it is
	// how it did, and Squashed says that it was to be rebased.
	Method   Method `json:"method,omitempty"`
	Squashed bool   `json:"squashed,omitempty"`
	// LabelDue is until when a reading without the label says nothing: we are setting it.
	LabelDue time.Time `json:"label_due,omitzero"`
	// FirstWhy is who sent it to the front of the line, and why.
	FirstWhy string `json:"first_why,omitempty"`
	// Marks are the labels of ours that the last sweep found on it.
	Marks string `json:"marks,omitempty"`
	Batch int64  `json:"batch,omitempty"`
	// Attempt is the attempt that tests it now, or the one that landed it.
	Attempt int64 `json:"attempt,omitempty"`
	// Clashes are attempts whose members it conflicts with in text.
	Clashes []int64 `json:"clashes,omitempty"`
	// Folders are those its head changes, as git last said; none where they are too many.
	Folders []string `json:"folders,omitempty"`
	// Guarded is what of it is guarded, as git said of a head of it.
	Guarded Guarded `json:"guarded,omitzero"`
	// Runs counts the attempts it was part of.
	Runs int `json:"runs,omitempty"`
	// Tested is the commit that was green while somebody held it; for OnHold only.
	Tested string `json:"tested,omitempty"`
	// Became is the commit its head became in the base; set with Landed.
	Became string     `json:"became,omitempty"`
	End    *End       `json:"end,omitempty"`
	Check  CheckShown `json:"check"`
	// Settled is true once GitHub shows the end (merged or closed, check concluded).
	Settled bool `json:"settled,omitempty"`
}

// End is how an entry ended: every end has a reason a person can read and act on.
type End struct {
	Reason Reason    `json:"reason,omitempty"` // empty when landed
	Detail string    `json:"detail"`           // one sentence
	Next   string    `json:"next,omitempty"`   // the next step for a person
	By     string    `json:"by,omitempty"`     // who or what caused it
	At     time.Time `json:"at"`
	// Tests are the failing tests, when the reason is ChecksFailed.
	Tests []FailedTest `json:"tests,omitempty"`
}

// FailedTest is a failing test as a shard named it.
type FailedTest struct {
	Key     string `json:"key,omitempty"` // shard.TestKey
	Name    string `json:"name"`
	Suite   string `json:"suite,omitempty"`
	Package string `json:"package,omitempty"`
	File    string `json:"file,omitempty"`
	Line    int    `json:"line,omitempty"`
	Message string `json:"message,omitempty"`
}

// CheckShown is what the check on the pull request was last told to say.
type CheckShown struct {
	ID    int64     `json:"id,omitempty"` // GitHub's id, once known
	Head  string    `json:"head,omitempty"`
	Title string    `json:"title,omitempty"`
	At    time.Time `json:"at,omitzero"`
}
