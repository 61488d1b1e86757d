package sim

import (
	"fmt"
	"testing"
	"time"
)

func TestQuick(t *testing.T) {
	for _, l := range []Load{{Rate: 5, Hours: 64, Parallel: 1}, {Rate: 20, Hours: 40, Parallel: 1}, {Rate: 20, Hours: 40, Parallel: 4}, {Rate: 60, Hours: 16, Parallel: 4}, {Rate: 20, Hours: 40, Parallel: 16}, {Rate: 60, Hours: 16, Parallel: 16}, {Rate: 9, Hours: 100, Parallel: 1}} {
		l.Fail, l.Flake, l.Conflict, l.Seed = .05, .01, .0003, 1
		s := time.Now()
		f, err := Simulate(l, "adaptive")
		if err != nil {
			t.Fatal(err)
		}
		fmt.Printf("K%d r%v mean %.0f %.0f/%.0f runs %.2f min %.1f %.1f/h fe %.4f untested %d  (%v, %.0f days/min)\n", l.Parallel, l.Rate, f.MeanWait, f.P50, f.P95, f.RunsPerLanded, f.MinutesPerLanded, f.LandedPerHour, f.FalseEjections, f.UntestedLanded, time.Since(s), f.Days/time.Since(s).Minutes())
	}
}
