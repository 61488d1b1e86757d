package sim

import (
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
)

func TestCalib(t *testing.T) {
	ws := map[float64]float64{1: 300, 5: 64, 20: 45, 60: 18}
	for _, k := range []int{1, 4, 16} {
		for _, pol := range strings.Fields(os.Getenv("POLS")) {
			if k > 1 && (strings.HasPrefix(pol, "hal") || pol == "single" || pol == "dorfman-8") {
				continue
			}
			if k == 1 && !(strings.HasPrefix(pol, "hal") || pol == "single" || pol == "dorfman-8" || pol == "oracle") {
				continue
			}
			var lg [8]float64
			n := 0.0
			fe := 0.0
			perRate := map[float64]float64{}
			for _, r := range []float64{1, 5, 20, 60, 8} {
				for _, p := range []float64{.01, .05, .1} {
					for _, f := range []float64{0, .01, .05} {
						for seed := uint64(1); seed <= 2; seed++ {
							l := Load{Rate: r, Fail: p, Flake: f, Conflict: .0003, Parallel: k, Hours: ws[r], Seed: seed}
							if r == 8 {
								l.Day = true
								l.Hours = 120
							}
							x, err := Simulate(l, pol)
							if err != nil {
								t.Fatal(err)
							}
							for i, v := range []float64{x.MeanWait, x.P50, x.P95, x.P99, x.RunsPerLanded, x.MinutesPerLanded, x.LandedPerHour} {
								lg[i] += math.Log(v)
							}
							perRate[r] += math.Log(x.MeanWait) / 18
							fe += x.FalseEjections
							n++
							if p == .05 && f == .01 && seed == 1 && os.Getenv("V") != "" {
								fmt.Printf("   %s K%d r%v: %.0f/%.0f %.1f/h %.2f n=%d\n", pol, k, r, x.P50, x.P95, x.LandedPerHour, x.RunsPerLanded, x.Arrived)
							}
						}
					}
				}
			}
			fmt.Printf("K%d %-14s", k, pol)
			for i := range 7 {
				fmt.Printf(" %7.2f", math.Exp(lg[i]/n))
			}
			fmt.Printf(" fe %.2f%%  rates", fe/n*100)
			for _, r := range []float64{1, 5, 20, 60, 8} {
				fmt.Printf(" %v:%.0f", r, math.Exp(perRate[r]))
			}
			fmt.Println()
		}
	}
}
