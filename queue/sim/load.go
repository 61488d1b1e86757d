package sim

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// Load is what comes in, and what there is to test it with.
type Load struct {
	Rate      float64 // pull requests an hour
	Day       bool    // a working day's burst: Rate over 24 hours, four times that at noon
	Fail      float64 // share of pull requests that are bad
	Flake     float64 // chance that a good tree is red
	Conflict  float64 // chance that two that arrive within 2 h are red together
	Parallel  int     // executors: CI runs side by side
	Hours     float64 // how long pull requests arrive; all of them are run to their end
	Seed      uint64
	Saturated bool // all of them wait from the start, so that the line is never short
	// Evidence: each bad pull request fails one test of its own, which is reported.
	Evidence bool
}

// String is the load in a line, to stand beside its figures.
func (l Load) String() string {
	shape := ""
	if l.Day {
		shape = " in a working day's burst"
	}
	if l.Saturated {
		shape += ", line always full"
	}
	return fmt.Sprintf("%g/h%s, %g %% bad, %g %% flakes, pairs %g, K=%d, %g h, seed %d",
		l.Rate, shape, 100*l.Fail, 100*l.Flake, l.Conflict, l.Parallel, l.Hours, l.Seed)
}

// pairTime is how near in time two pull requests must arrive to conflict.
const pairTime = 2 * time.Hour

// maxChanges bounds a load: more is a mistyped flag.
const maxChanges = 1_000_000

// Validate says in one sentence what is wrong with a load; nil when nothing is.
func (l Load) Validate() error {
	share := func(name string, v float64) error {
		if !(v >= 0 && v < 1) {
			return fmt.Errorf("--%s is a share from 0 to below 1, not %v", name, v)
		}
		return nil
	}
	switch {
	case !(l.Rate > 0) || math.IsInf(l.Rate, 0):
		return fmt.Errorf("--rate is pull requests an hour, above 0, not %v", l.Rate)
	case !(l.Hours > 0) || math.IsInf(l.Hours, 0):
		return fmt.Errorf("--hours is above 0, not %v", l.Hours)
	case l.Rate*l.Hours > maxChanges:
		return fmt.Errorf("--rate %v over --hours %v is more than %d pull requests; make one of them smaller", l.Rate, l.Hours, maxChanges)
	case l.Parallel < 1 || l.Parallel > 1000:
		return fmt.Errorf("--parallel is 1 to 1000 runs side by side, not %d", l.Parallel)
	}
	return cmp.Or(share("fail", l.Fail), share("flake", l.Flake), share("conflict", l.Conflict))
}

// change is one pull request as it truly is.
type change struct {
	at     time.Duration
	bad    bool
	rivals []int // red together with these
}

// streams of chance: what arrives is the same for every policy.
const (
	arrivals = iota + 1
	runs
)

func (l Load) chance(stream uint64) *rand.Rand { return rand.New(rand.NewPCG(l.Seed, stream)) }

// arrive draws what comes in.
func (l Load) arrive() []change {
	r := l.chance(arrivals)
	var all []change
	end := time.Duration(l.Hours * float64(time.Hour))
	peak := l.Rate
	if l.Day {
		peak = dayPeak * l.Rate
	}
	for at, near := time.Duration(0), 0; ; {
		at += time.Duration(r.ExpFloat64() / peak * float64(time.Hour))
		if at >= end {
			break
		}
		if l.Day && r.Float64() >= busy(at) {
			continue
		}
		c := change{at: at, bad: r.Float64() < l.Fail}
		for all != nil && near < len(all) && at-all[near].at > pairTime {
			near++
		}
		if l.Conflict > 0 {
			for i := near; i < len(all); i++ {
				if r.Float64() < l.Conflict {
					c.rivals = append(c.rivals, i)
					all[i].rivals = append(all[i].rivals, len(all))
				}
			}
		}
		all = append(all, c)
	}
	if l.Saturated {
		for i := range all {
			all[i].at = 0
		}
	}
	return all
}

// dayPeak is a working day's peak over its mean.
const dayPeak = 4

// busy is the share of the peak rate at a time of the day: a hill of twelve hours.
func busy(at time.Duration) float64 {
	const work = 12 * time.Hour
	day := at % (24 * time.Hour)
	if day >= work {
		return 0
	}
	s := math.Sin(math.Pi * float64(day) / float64(work))
	return s * s
}

// The time of a CI run: lognormal; a red one stops somewhere on its way.
const (
	medianRun = 15 * time.Minute
	sigmaRun  = 0.35
	leastRed  = 0.3
)

// takes draws how long a run takes.
func takes(r *rand.Rand, green bool) time.Duration {
	t := float64(medianRun) * math.Exp(sigmaRun*r.NormFloat64())
	stop := leastRed + (1-leastRed)*r.Float64()
	if !green {
		t *= stop
	}
	return time.Duration(t)
}
