package sim

import (
	"math"
	"slices"
	"time"
)

// Figures are what a load came to under a policy. Waits are from the wish to the
// landing, in minutes; a run counts when it starts, its minutes as far as it went.
type Figures struct {
	Policy           string  `json:"policy"`
	MeanWait         float64 `json:"mean_wait_min"`
	P50              float64 `json:"p50"`
	P95              float64 `json:"p95"`
	P99              float64 `json:"p99"`
	RunsPerLanded    float64 `json:"runs_per_landed"`
	MinutesPerLanded float64 `json:"minutes_per_landed"`
	LandedPerHour    float64 `json:"landed_per_hour"`
	FalseEjections   float64 `json:"false_ejections"` // share of arrivals
	UntestedLanded   int     `json:"untested_landed"`
	Arrived          int     `json:"arrived"`
	Landed           int     `json:"landed"`
	Days             float64 `json:"virtual_days"`

	waits []float64 // of the landed, in order of arrival
}

// figures closes the books.
func (w *world) figures(policy string) Figures {
	f := Figures{Policy: policy, Arrived: len(w.changes), UntestedLanded: w.untested, Landed: len(w.base)}
	blameless := 0
	last := time.Duration(0)
	for c, e := range w.end {
		last = max(last, w.ended[c])
		if e == landed {
			f.waits = append(f.waits, (w.ended[c] - w.changes[c].at).Minutes())
		}
		if w.blameless(c) {
			blameless++
		}
	}
	f.Days = last.Hours() / 24
	f.FalseEjections = ratio(float64(blameless), float64(f.Arrived))
	n := float64(f.Landed)
	f.RunsPerLanded, f.MinutesPerLanded = ratio(float64(w.runs), n), ratio(w.spent.Minutes(), n)
	f.LandedPerHour = ratio(n, last.Hours())
	sorted := slices.Clone(f.waits)
	slices.Sort(sorted)
	for _, v := range sorted {
		f.MeanWait += v / n
	}
	f.P50, f.P95, f.P99 = percentile(sorted, 0.50), percentile(sorted, 0.95), percentile(sorted, 0.99)
	return f
}

func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

// percentile is the smallest value that so large a share does not exceed.
func percentile(sorted []float64, share float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[max(0, int(math.Ceil(share*float64(len(sorted))))-1)]
}
