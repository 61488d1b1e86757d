package shard

import (
	"errors"
	"fmt"
)

// A leased plan gives each shard about half of its share at once. The rest lies in
// a pool, from which a shard claims batches, large ones first, under a lease. What
// came with the plan is under a lease, too, named OwnLease, whatever fence is sent
// with it; a shard's first claim gives it back.

// The routes of a leased plan, as net/http's mux reads them.
const (
	ClaimsPattern     = "/v1/plans/{plan}/claims"
	HeartbeatsPattern = "/v1/plans/{plan}/heartbeats"
	VerdictPath       = "/v1/verdict" // of the commit that the token names
)

// ClaimRequest is the body of POST ClaimsPattern. The same Claim gets the same
// answer, however often it is sent. Done gives earlier batches back, finished.
type ClaimRequest struct {
	API   int    `json:"api"`
	Shard int    `json:"shard"`
	Claim string `json:"claim"` // the caller's own, new for each claim
	Done  []Done `json:"done,omitempty"`
}

// Done says that the items of a lease ended, however they did.
type Done struct {
	Lease string `json:"lease"`
	Fence int64  `json:"fence"`
}

// ClaimState is what a claim came to.
type ClaimState string

// The states of a claim. ClaimWait: others hold what is left and may lose it.
const (
	ClaimWork    ClaimState = "work"
	ClaimWait    ClaimState = "wait"
	ClaimDrained ClaimState = "drained"
)

// ClaimAnswer answers a ClaimRequest.
type ClaimAnswer struct {
	State      ClaimState    `json:"state"`
	Lease      string        `json:"lease,omitempty"`
	Fence      int64         `json:"fence,omitempty"`
	ExpiresS   int           `json:"expires_in_s,omitempty"`
	HeartbeatS int           `json:"heartbeat_s,omitempty"`
	PollS      int           `json:"poll_s,omitempty"` // with ClaimWait
	Items      []PlannedItem `json:"items,omitempty"`
}

// HeartbeatRequest is the body of POST HeartbeatsPattern; it keeps a lease. The
// answer is 410 where the lease is lost: finish, report, do not give it back.
type HeartbeatRequest struct {
	API   int    `json:"api"`
	Shard int    `json:"shard"`
	Lease string `json:"lease"`
	Fence int64  `json:"fence"`
}

// VerdictAnswer answers GET VerdictPath: what the suites of the token's commit
// come to so far. State is "pending", "passed", "failed", "incomplete",
// "cancelled" or "none" (the commit is no attempt's).
type VerdictAnswer struct {
	State  string `json:"state"`
	Reason string `json:"reason,omitempty"`
	Detail string `json:"detail,omitempty"`
	URL    string `json:"url,omitempty"`
}

// MaxDone is how many leases one claim may give back.
const MaxDone = 100

// Validate says what is wrong with the request, or nil.
func (r ClaimRequest) Validate() error {
	if len(r.Done) > MaxDone {
		return fmt.Errorf("a claim gives back %d leases, at most %d", len(r.Done), MaxDone)
	}
	err := errors.Join(checkVersion(r.API), checkShard(r.Shard), checkLabel("claim", r.Claim))
	for _, done := range r.Done {
		err = errors.Join(err, checkLabel("lease", done.Lease))
	}
	return err
}

// Validate says what is wrong with the request, or nil.
func (r HeartbeatRequest) Validate() error {
	return errors.Join(checkVersion(r.API), checkShard(r.Shard), checkLabel("lease", r.Lease))
}

func checkVersion(api int) error {
	if api != API {
		return fmt.Errorf("api %d is not spoken here, only %d", api, API)
	}
	return nil
}

func checkShard(index int) error {
	return Position{Index: index, Total: MaxTotal}.Validate()
}
