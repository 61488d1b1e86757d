package web

import (
	"slices"

	"github.com/mainstay-ci/mainstay/queue"
)

// nodeView is one part of a batch, with what became of it.
type nodeView struct {
	State, Sign, Text string
	Members           []pullView
	Red               []string
	Runs              int
	Children          []nodeView
}

var nodeWords = map[queue.NodeState]nodeView{
	queue.NodeTesting: {State: "running", Sign: "•", Text: "being tested"},
	queue.NodeAside:   {State: "waiting", Sign: "", Text: "set aside, its turn comes"},
	queue.NodeSplit:   {State: "failed", Sign: "✕", Text: "red, cut in two"},
	queue.NodeGuess:   {State: "waiting", Sign: "…", Text: "tested on a guess"},
	queue.NodeDone:    {State: "passed", Sign: "✓", Text: "done"},
}

// tree is a batch's search for a culprit from its root.
func (s *scene) tree(b queue.Batch) nodeView {
	if len(b.Nodes) == 0 {
		return nodeView{}
	}
	tested := s.testedIn()
	fate := map[int]string{}
	for _, pr := range b.Landed {
		fate[pr] = "landed"
	}
	for _, pr := range b.Out {
		fate[pr] = "out"
	}
	var grow func(i int) (nodeView, []int)
	grow = func(i int) (nodeView, []int) {
		n := b.Nodes[i]
		v := nodeWords[n.State]
		v.Red, v.Runs = n.Red, len(n.Attempts)
		members := append([]int(nil), n.Members...)
		for _, id := range n.Attempts {
			members = append(members, tested[id]...)
		}
		for child := i + 1; child < len(b.Nodes); child++ { // a child stands behind its parent
			if b.Nodes[child].Parent == i {
				c, inside := grow(child)
				v.Children = append(v.Children, c)
				members = append(members, inside...)
			}
		}
		if i == 0 {
			members = append(members, b.Members...)
		}
		members = inOrder(members, b.Members)
		for _, pr := range members {
			pull := s.pull(pr)
			pull.Fate = fate[pr]
			v.Members = append(v.Members, pull)
		}
		if n.State == queue.NodeDone {
			v = judgeDone(v)
		}
		return v, members
	}
	root, _ := grow(0)
	return root
}

// judgeDone says how a finished part ended: landed, out, or some of both.
func judgeDone(v nodeView) nodeView {
	count := map[string]int{}
	for _, m := range v.Members {
		count[m.Fate]++
	}
	switch {
	case count["out"] > 0 && count["landed"] > 0:
		v.Text = "landed, but for those out"
	case count["out"] > 0:
		v.State, v.Sign, v.Text = "failed", "✕", "out"
	case count["landed"] > 0:
		v.Text = "landed"
	}
	return v
}

// testedIn gives each known attempt's members.
func (s *scene) testedIn() map[int64][]int {
	tested := map[int64][]int{}
	for _, a := range s.rows.Attempts {
		for _, m := range a.Members {
			tested[a.ID] = append(tested[a.ID], m.PR)
		}
	}
	return tested
}

// inOrder keeps each of the members once, in the batch's order.
func inOrder(members, order []int) []int {
	var kept []int
	for _, pr := range order {
		if slices.Contains(members, pr) {
			kept = append(kept, pr)
		}
	}
	return kept
}
