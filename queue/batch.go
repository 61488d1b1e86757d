package queue

import "time"

// Batch is entries tested together, in line order, with the whole search for a
// culprit as data: at every moment the members under test, those set aside,
// those landed and those out add up to Members.
type Batch struct {
	ID      int64  `json:"id"`
	Members []int  `json:"members"` // pull request numbers
	Nodes   []Node `json:"nodes"`   // the tree; node 0 is the whole batch
	Landed  []int  `json:"landed,omitempty"`
	Out     []int  `json:"out,omitempty"`
	// Back went back in line: nothing speaks against them any more.
	Back []int `json:"back,omitempty"`
	// Flakes are red sets that landed whole after all.
	Flakes []Flake   `json:"flakes,omitempty"`
	Opened time.Time `json:"opened"`
	Closed time.Time `json:"closed,omitzero"`
}

// NodeState is where one part of a batch stands.
type NodeState string

// The node states. Only leaves hold members that are testing or set aside.
const (
	NodeAside   NodeState = "aside"   // not yet tried, or red and waiting for what comes next
	NodeTesting NodeState = "testing" // its attempt is alive
	NodeSplit   NodeState = "split"   // red, cut into its children
	NodeDone    NodeState = "done"    // every member landed, out or back in line
	NodeGuess   NodeState = "guess"   // tested on a guess: its members count elsewhere
)

// Flake is a red set of which every member landed: a flaky test, or a pair that
// is in conflict no more.
type Flake struct {
	Attempt int64    `json:"attempt"`
	PRs     []int    `json:"prs"`
	Tests   []string `json:"tests,omitempty"`
}

// Node is one part of a batch: what is or was tested as one.
type Node struct {
	Parent  int       `json:"parent"`  // index into Batch.Nodes; -1 for the root
	PRs     []int     `json:"prs"`     // what it tests; it stays for the record
	Members []int     `json:"members"` // those who count here now
	State   NodeState `json:"state"`
	// Attempts are the attempts that tested it, oldest first (a rebuild adds one).
	Attempts []int64 `json:"attempts,omitempty"`
	// Red are the failing tests that condemned it, when they were named.
	Red []string `json:"red,omitempty"`
}
