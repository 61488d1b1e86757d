package explore

import (
	"flag"
	"strings"
	"testing"
)

var full = flag.Bool("explore.full", false, "walk every world to its end")

// small is how many states of a world the ordinary tests walk.
const small = 2500

// No law breaks, whatever happens in whichever order.
func TestNoLawBreaks(t *testing.T) {
	limit := small
	if *full {
		limit = 10_000_000
	}
	for _, world := range Worlds {
		t.Run(world.Name, func(t *testing.T) {
			r := Explore(world, limit)
			t.Logf("%d states, %d moves, depth %d, complete %v, %d conditions", r.States, r.Moves, r.Depth, r.Complete, len(r.Reached))
			if r.Broken != "" {
				t.Fatalf("%s\n%s", r.Broken, strings.Join(r.Trace, "\n"))
			}
		})
	}
}
