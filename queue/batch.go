package queue

import "time"

// Batch is entries tested together, in line order, with the whole search for a
// culprit as data: at every moment the members under test, those set aside,
// those landed and those out add up to Members.
type Batch struct {
	ID      int64     `json:"id"`
	Members []int     `json:"members"` // pull request numbers
	Nodes   []Node    `json:"nodes"`   // the tree; node 0 is the whole batch
	Landed  []int     `json:"landed,omitempty"`
	Out     []int     `json:"out,omitempty"`
	Opened  time.Time `json:"opened"`
	Closed  time.Time `json:"closed,omitzero"`
}

// NodeState is where one part of a batch stands.
type NodeState string

// The node states. Only leaves hold members that are testing or set aside.
const (
	NodeAside   NodeState = "aside"   // not yet tried
	NodeTesting NodeState = "testing" // its attempt is alive
	NodeSplit   NodeState = "split"   // red, cut into its children
	NodeDone    NodeState = "done"    // every member landed or out
)

// Node is one part of a batch: what is or was tested as one.
type Node struct {
	Parent  int       `json:"parent"` // index into Batch.Nodes; -1 for the root
	Members []int     `json:"members"`
	State   NodeState `json:"state"`
	// Attempts are the attempts that tested it, oldest first (a rebuild adds one).
	Attempts []int64 `json:"attempts,omitempty"`
	// Red are the failing tests that condemned it, when they were named.
	Red []string `json:"red,omitempty"`
}
