package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/mainstay-ci/mainstay/queue/explore"
)

// benchExplore walks every world of the explorer to its end. Each world, and the
// way to a law that breaks, go to stderr; a broken law is an error.
func (c benchCommand) benchExplore(context.Context) ([]figure, error) {
	defer debug.SetGCPercent(debug.SetGCPercent(300)) // most of what is copied is at once needed no more
	began := time.Now()
	states, moves, cut, reached := 0, 0, 0, map[string]bool{}
	var broken []string
	for _, r := range explore.All(explore.Worlds, explore.MostStates, runtime.NumCPU()) {
		fmt.Fprintf(os.Stderr, "%-40s %7d states %8d moves, depth %d\n", r.World, r.States, r.Moves, r.Depth)
		states, moves = states+r.States, moves+r.Moves
		for condition := range r.Reached {
			reached[condition] = true
		}
		switch {
		case r.Broken != "":
			broken = append(broken, r.World+": "+r.Broken)
			fmt.Fprintf(os.Stderr, "%s\n%s\n", r.Broken, strings.Join(r.Trace, "\n"))
		case !r.Complete:
			cut++
		}
	}
	figures := []figure{
		{"explore.states", float64(states), "distinct states", -1_000_000},
		{"explore.seconds", time.Since(began).Seconds(), "s", 60},
		{"explore.moves", float64(moves), "steps taken", 0},
		{"explore.worlds", float64(len(explore.Worlds) - cut), "worlds walked to their end", -float64(len(explore.Worlds))},
		{"explore.conditions", float64(len(reached)), "conditions reached", -40},
		{"explore.violations", float64(len(broken)), "laws broken", 0.5},
	}
	if len(broken) > 0 {
		return figures, fmt.Errorf("%d laws broken: %s", len(broken), strings.Join(broken, "; "))
	}
	return figures, nil
}
