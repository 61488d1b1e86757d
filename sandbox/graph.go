package sandbox

import (
	"bytes"
	"container/heap"
	"context"
	"fmt"
	"strings"
)

// node is a commit as the history's shape sees it. Its generation is one more
// than the highest of its parents, so a walk from high to low meets every
// commit after all its descendants, whatever the dates say.
type node struct {
	sha        string
	parents    []*node
	generation int
}

type graph struct{ nodes map[string]*node }

// loadHistory learns the shape of everything the refs reach with one child.
func (o *objects) loadHistory(ctx context.Context) error {
	out, err := runGit(ctx, o.dir, nil, "rev-list", "--all", "--parents", "--topo-order", "--reverse")
	if err != nil {
		return fmt.Errorf("read the history: %w", err)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, line := range bytes.Split(out, []byte("\n")) {
		ids := strings.Fields(string(line))
		if len(ids) > 0 {
			o.graph.add(ids[0], ids[1:])
		}
	}
	return nil
}

// add needs the parents to be known already.
func (g *graph) add(sha string, parents []string) *node {
	n := &node{sha: sha, generation: 1}
	for _, id := range parents {
		if p := g.nodes[id]; p != nil {
			n.parents = append(n.parents, p)
			n.generation = max(n.generation, p.generation+1)
		}
	}
	g.nodes[sha] = n
	return n
}

// node finds a commit, reading whatever of its ancestry is not known yet.
func (o *objects) node(sha string) (*node, error) {
	stack := []string{sha}
	for len(stack) > 0 {
		id := stack[len(stack)-1]
		if o.graph.nodes[id] != nil {
			stack = stack[:len(stack)-1]
			continue
		}
		c, err := o.commitLocked(id)
		if err != nil {
			return nil, fmt.Errorf("read commit %s: %w", id, err)
		}
		known := true
		for _, parent := range c.parents {
			if o.graph.nodes[parent] == nil {
				stack, known = append(stack, parent), false
			}
		}
		if known {
			o.graph.add(id, c.parents)
			stack = stack[:len(stack)-1]
		}
	}
	return o.graph.nodes[sha], nil
}

type nodeHeap []*node

func (h nodeHeap) Len() int           { return len(h) }
func (h nodeHeap) Less(i, j int) bool { return h[i].generation > h[j].generation }
func (h nodeHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *nodeHeap) Push(x any)        { *h = append(*h, x.(*node)) }
func (h *nodeHeap) Pop() any {
	old := *h
	last := old[len(old)-1]
	*h = old[:len(old)-1]
	return last
}

const (
	fromTip  = 1
	fromBase = 2
)

// between returns the commits reachable from tip and not from base, children
// before parents, and the first commit met that both reach ("" when none is).
// An empty base stands for nothing.
func (o *objects) between(base, tip string) (only []string, common string, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	colour := map[*node]int{}
	var queue nodeHeap
	tipOnly := 0
	paint := func(n *node, with int) {
		had, queued := colour[n]
		now := had | with
		colour[n] = now
		if !queued {
			heap.Push(&queue, n)
		}
		if !queued && now == fromTip {
			tipOnly++
		}
		if queued && had == fromTip && now != fromTip {
			tipOnly--
		}
	}
	for _, end := range []struct {
		sha  string
		with int
	}{{tip, fromTip}, {base, fromBase}} {
		if end.sha == "" || end.sha == zeroSHA {
			continue
		}
		n, err := o.node(end.sha)
		if err != nil {
			return nil, "", err
		}
		paint(n, end.with)
	}
	for queue.Len() > 0 && (tipOnly > 0 || common == "") {
		n := heap.Pop(&queue).(*node)
		switch colour[n] {
		case fromTip:
			tipOnly--
			only = append(only, n.sha)
		case fromTip | fromBase:
			if common == "" {
				common = n.sha
			}
		}
		for _, parent := range n.parents {
			paint(parent, colour[n])
		}
	}
	return only, common, nil
}

// contains says whether ancestor is tip or reachable from it.
func (o *objects) contains(tip, ancestor string) (bool, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	from, err := o.node(tip)
	if err != nil {
		return false, err
	}
	want, err := o.node(ancestor)
	if err != nil {
		return false, err
	}
	seen := map[*node]bool{from: true}
	stack := []*node{from}
	for len(stack) > 0 {
		n := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if n == want {
			return true, nil
		}
		for _, parent := range n.parents {
			if !seen[parent] && parent.generation >= want.generation {
				seen[parent] = true
				stack = append(stack, parent)
			}
		}
	}
	return false, nil
}
