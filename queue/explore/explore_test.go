package explore

import (
	"flag"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
)

var (
	full  = flag.Bool("explore.full", false, "every world must be walked to its end")
	limit = flag.Int("explore.limit", 2000, "walk so many states of each")
)

// No law breaks, whatever happens in whichever order; nothing that is said to be
// walked completely is cut off.
func TestNoLawBreaks(t *testing.T) {
	debug.SetGCPercent(300)
	worlds := Worlds
	if !*full {
		worlds = append(slices.Clone(Worlds), Larger...)
	}
	for _, world := range worlds {
		t.Run(world.Name, func(t *testing.T) {
			t.Parallel()
			r := Explore(world, *limit)
			t.Logf("%d states, %d moves, depth %d, complete %v, %d conditions", r.States, r.Moves, r.Depth, r.Complete, len(r.Reached))
			if r.Broken != "" {
				t.Errorf("%s\n%s", r.Broken, strings.Join(r.Trace, "\n"))
			}
			if *full && r.Broken == "" && !r.Complete {
				t.Errorf("not walked to its end after %d states", r.States)
			}
		})
	}
}

// The page that says what is proved names every world that is walked to its end.
func TestThePageNamesTheWorlds(t *testing.T) {
	page, err := os.ReadFile("../../docs/proof.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, world := range Worlds {
		if !strings.Contains(string(page), world.Name+" (") {
			t.Errorf("docs/proof.md does not name %q", world.Name)
		}
	}
}
