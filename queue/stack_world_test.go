package queue

import (
	"fmt"
	"slices"
)

// Stacks in the model: the base of a pull request may be topic-N, the branch of #N.

// stackOf is what a pull request stands on, as the adapter finds it out.
func (w *world) stackOf(p *pull) *Stack {
	if p.base == "main" {
		return nil
	}
	s := &Stack{Base: p.base, Native: p.native}
	for {
		var heads []PullRequest
		for _, n := range sortedKeys(w.pulls) {
			if x := w.pulls[n]; s.Base == fmt.Sprintf("topic-%d", n) {
				heads = append(heads, PullRequest{Number: n, HeadRef: s.Base, Base: x.base, Status: x.status, Fork: x.fork})
			}
		}
		if !s.Descend(p.number, heads) || s.Base == "main" {
			break
		}
	}
	if s.Flaw != "" {
		s.Base = "main"
	} else if len(s.Below) == 0 {
		return nil
	}
	return s
}

// stack opens pull requests one on the other, the lowest first, and approves them.
func (w *world) stack(numbers ...int) {
	for i, n := range numbers {
		w.open(n)
		if i > 0 {
			w.pulls[n].base = fmt.Sprintf("topic-%d", numbers[i-1])
		}
		w.approve(n, "bob")
	}
}

// checkFooting: whatever is tested holds all that each of its members stands on, and
// depends on, and holds it before.
func (w *world) checkFooting(tip string) {
	w.t.Helper()
	chain := w.chain(tip)
	for i, c := range chain {
		n := w.commits[c].pr
		if n == 0 || w.pulls[n].status != Open {
			continue
		}
		before := func(pr int) bool {
			return slices.ContainsFunc(chain[i+1:], func(c string) bool { return w.commits[c].pr == pr })
		}
		e := w.state.entries[n]
		for _, need := range append(e.below(), e.dependsOn()...) {
			if !before(need) && w.pulls[need].status == Open {
				w.t.Fatalf("S7: #%d is tested without #%d before it: %v", n, need, chain)
			}
		}
	}
}
