package explore

import (
	"flag"
	"maps"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"
)

var (
	limit = flag.Int("explore.limit", 2500, "walk so many states of each world")
	only  = flag.String("explore.only", "", "walk the worlds whose name begins so")
)

// No law breaks, whatever happens in whichever order.
func TestNoLawBreaks(t *testing.T) {
	debug.SetGCPercent(300)
	began := time.Now()
	worlds := slices.DeleteFunc(slices.Clone(Worlds), func(w World) bool { return !strings.HasPrefix(w.Name, *only) })
	all, sum := map[string]int{}, 0
	for _, r := range All(worlds, *limit, 2) {
		t.Logf("%-32s %8d states %8d moves, depth %d, complete %v, %d conditions", r.World, r.States, r.Moves, r.Depth, r.Complete, len(r.Reached))
		for k, n := range r.Reached {
			all[k] += n
		}
		sum += r.States
		if r.Broken != "" {
			t.Errorf("%s: %s\n%s", r.World, r.Broken, strings.Join(r.Trace, "\n"))
		}
	}
	t.Logf("%d states in %s, %d conditions:", sum, time.Since(began), len(all))
	for _, k := range slices.Sorted(maps.Keys(all)) {
		t.Logf("%8d %s", all[k], k)
	}
}
