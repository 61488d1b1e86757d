package sim

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
)

// policies are those known by name; peers only, "adaptive" is ours.
var policies = []struct {
	name string
	make func(rerun bool) peer
}{
	{"single", func(r bool) peer { return &serial{size: 1, rerun: r} }},
	{"halving-8", func(r bool) peer { return &serial{size: 8, halves: true, rerun: r} }},
	{"halving", func(r bool) peer { return &serial{halves: true, rerun: r} }},
	{"dorfman-8", func(r bool) peer { return &serial{size: 8, rerun: r} }},
	{"groups", func(r bool) peer { return &pipeline{size: 1, rerun: r} }},
	{"window", func(r bool) peer { return &pipeline{size: 1, rerun: r, window: windowMost} }},
	{"batches-5", func(r bool) peer { return &pipeline{size: 5, rerun: r, patient: true} }},
	{"tree", func(r bool) peer { return &tree{rerun: r, again: map[int]bool{}} }},
}

// The policies that are not peers: ours, and the bound no queue can beat.
const (
	Adaptive = "adaptive"
	Oracle   = "oracle"
)

// rerunSuffix asks for one rerun of a red single: "groups+rerun".
const rerunSuffix = "+rerun"

// Policies are the names Simulate knows, ours first; each peer also with "+rerun".
func Policies() []string {
	names := []string{Adaptive, Oracle}
	for _, p := range policies {
		names = append(names, p.name, p.name+rerunSuffix)
	}
	return names
}

// Simulate plays a load under a policy. It fails where the load or the name is wrong.
func Simulate(l Load, policy string) (Figures, error) {
	if err := l.Validate(); err != nil {
		return Figures{}, err
	}
	switch policy {
	case Adaptive:
		return playOurs(l).figures(policy), nil
	case Oracle:
		return play(l, &oracle{}).figures(policy), nil
	}
	name, rerun := strings.CutSuffix(policy, rerunSuffix)
	for _, p := range policies {
		if p.name == name {
			return play(l, p.make(rerun)).figures(policy), nil
		}
	}
	return Figures{}, fmt.Errorf("--policy %q is not known; known are %s", policy, strings.Join(Policies(), ", "))
}

// SimulateAll plays a load under each of these policies, two at a time; the
// figures come in the order of the names.
func SimulateAll(l Load, names []string) ([]Figures, error) {
	all, failed := make([]Figures, len(names)), make([]error, len(names))
	sideBySide(len(names), func(i int) { all[i], failed[i] = Simulate(l, names[i]) })
	for _, err := range failed {
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// sideBySide does n things on two goroutines. Each writes only its own, so that
// the order they are done in does not show.
func sideBySide(n int, do func(i int)) {
	var next atomic.Int64
	var group sync.WaitGroup
	for range 2 {
		group.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	group.Wait()
}
