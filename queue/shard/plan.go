package shard

// API is the version of the wire format that this package speaks.
const API = 1

// Limits of a plan. Both sides keep them.
const (
	MaxTotal    = 256    // shards of one suite; also GitHub's limit for a matrix
	MaxItems    = 50_000 // items of one inventory or of one report
	MaxName     = 1000   // bytes of an item, a test's name, class or file
	MaxLabel    = 200    // bytes of a suite, a variant, a runner, a plan id
	MaxWarnings = 50     // lines of advice in one answer
)

// The modes of a plan. A static one is fixed before the first test runs. In a
// leased one half of each share is, and the rest is claimed (claim.go).
const (
	ModeStatic = "static"
	ModeLeased = "leased"
)

// Scope says which part of the suite a shard was given.
type Scope string

// The scopes.
const (
	ScopeSlice Scope = "slice" // this shard's share
	ScopeAll   Scope = "all"   // the whole inventory
	// ScopeNarrow is a share of a few named tests: a search for a culprit asks
	// about those alone. What it comes to never proves the suite green.
	ScopeNarrow Scope = "narrow"
)

// Valid tells whether the scope is one of those.
func (s Scope) Valid() bool { return s == ScopeSlice || s == ScopeAll || s == ScopeNarrow }

// NeedItems is PlanAnswer.Need where the digest alone was not enough.
const NeedItems = "items"

// The algorithms, in plans and in reports. A cut that comes out otherwise gets
// another name.
const (
	RoundRobin = "round-robin/1" // Split
	LPT        = "lpt/1"         // the longest first, each to the least loaded shard
)

// Position is one shard of a suite: zero-based Index, out of Total.
type Position struct {
	Index int `json:"index"`
	Total int `json:"total"`
}

// Item is one thing a runner can be asked to run: a package, a file.
type Item struct {
	ID    string `json:"id"`
	Bytes int64  `json:"bytes,omitempty"`
}

// Inventory is the whole suite as one shard sees it. Items may be left out in
// a first request: the server asks for them when it doesn't know the digest.
type Inventory struct {
	Digest string `json:"digest"`
	Items  []Item `json:"items,omitempty"`
}

// PlanRequest is the body of POST /v1/plans.
type PlanRequest struct {
	API     int      `json:"api"`
	Suite   string   `json:"suite"`
	Variant string   `json:"variant,omitempty"`
	Runner  string   `json:"runner"`
	Shard   Position `json:"shard"`
	All     bool     `json:"all,omitempty"` // a plan job: answer with every shard besides this one
	Mode    string   `json:"mode"`
	// Parts says that the job can run a part of an item (PlannedItem.Part).
	Parts     bool      `json:"parts,omitempty"`
	Inventory Inventory `json:"inventory"`
}

// PlannedItem is an item with what is known of its duration: the estimate in
// milliseconds and the number of samples behind it. Both zero: nothing known.
// Tests, in a narrow plan, are the only ones of the item that are asked for;
// running more of it is never wrong.
type PlannedItem struct {
	ID    string   `json:"id"`
	EstMS int64    `json:"est_ms,omitempty"`
	N     int      `json:"n,omitempty"`
	Tests []string `json:"tests,omitempty"`
	Part  *Part    `json:"part,omitempty"` // nil: all of it
}

// Part is a piece of an item that is longer than a shard should be: the tests
// in Only, or, in the one last part, all but those in Without: so a test that
// nobody knew of runs as well. Names are what the runner selects by: a Go
// test's top level, the rest of a pytest node id.
type Part struct {
	Index   int      `json:"index"` // zero-based
	Of      int      `json:"of"`
	Only    []string `json:"only,omitempty"`
	Without []string `json:"without,omitempty"`
}

// PlannedShard is one shard's share of a plan.
type PlannedShard struct {
	Index      int           `json:"index"`
	Total      int           `json:"total"`
	ExpectedMS int64         `json:"expected_ms,omitempty"`
	Items      []PlannedItem `json:"items"`
}

// PlanAnswer answers a PlanRequest. Need set means: nothing is planned yet, ask
// again with the items. Shards is filled only for a request with All.
type PlanAnswer struct {
	Need             string         `json:"need,omitempty"`
	PlanID           string         `json:"plan_id,omitempty"`
	Algorithm        string         `json:"algorithm,omitempty"`
	Trusted          bool           `json:"trusted,omitempty"`
	Scope            Scope          `json:"scope,omitempty"`
	Shard            PlannedShard   `json:"shard"`
	Shards           []PlannedShard `json:"shards,omitempty"`
	ShardsExpectedMS []int64        `json:"shards_expected_ms,omitempty"`
	// Mode is the mode that was chosen: a server may answer static to leased.
	Mode string `json:"mode,omitempty"`
	// Bottleneck is an item that alone takes longer than an even share.
	Bottleneck   *PlannedItem `json:"bottleneck,omitempty"`
	UnknownItems int          `json:"unknown_items,omitempty"` // without a history
	// Quarantine is frozen with the plan: nil or empty excuses nothing.
	Quarantine *Quarantine `json:"quarantine,omitempty"`
	// Proven is set on a base branch's own run for a commit that was tested already.
	Proven   *Proven  `json:"proven,omitempty"`
	Warnings []string `json:"warnings,omitempty"`
}

// Quarantine lists the keys of tests whose failures do not count.
type Quarantine struct {
	Version int64    `json:"version"`
	Tests   []string `json:"tests"`
}

// Proven is the receipt of a commit: its tree was tested under this very SHA.
type Proven struct {
	Commit string `json:"commit"`
	Tree   string `json:"tree"`
	Batch  string `json:"batch"`
	URL    string `json:"url"` // of the receipt's page
}

// Code is what went wrong, in a word both sides know.
type Code string

// The codes of error bodies.
const (
	CodeInvalid           Code = "invalid"
	CodeUnauthenticated   Code = "unauthenticated"
	CodeUnknownRepository Code = "unknown_repository"
	CodeNotABatch         Code = "not_a_batch"
	CodePlanMismatch      Code = "plan_mismatch"
	CodeConflict          Code = "conflict"
	CodeTooLarge          Code = "too_large"
	CodeRateLimited       Code = "rate_limited"
	CodeUnavailable       Code = "unavailable"
)

// ErrorDetail says what went wrong and when it is worth asking again.
type ErrorDetail struct {
	Code        Code   `json:"code"`
	Message     string `json:"message"`
	RetryAfterS int    `json:"retry_after_s"`
}

// ErrorBody is the body of every answer that is not 2xx.
type ErrorBody struct {
	Error ErrorDetail `json:"error"`
}

// NewInventory makes the inventory of a list of items: sorted, without
// doubles, with its digest. Sizes are left at zero.
func NewInventory(items []string) Inventory {
	ids := Normalise(items)
	inv := Inventory{Digest: Digest(ids), Items: make([]Item, len(ids))}
	for i, id := range ids {
		inv.Items[i].ID = id
	}
	return inv
}

// IDs returns the items' ids in the inventory's order.
func (v Inventory) IDs() []string {
	ids := make([]string, len(v.Items))
	for i, item := range v.Items {
		ids[i] = item.ID
	}
	return ids
}

// IDs returns the ids of the shard's items in their order.
func (s PlannedShard) IDs() []string {
	ids := make([]string, len(s.Items))
	for i, item := range s.Items {
		ids[i] = item.ID
	}
	return ids
}
