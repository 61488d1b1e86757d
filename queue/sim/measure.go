package sim

import (
	"fmt"
	"math"
	"slices"
)

// Measure is one figure and what it must reach: at most Goal, or at least where
// Goal is negative; 0 is for information.
type Measure struct {
	Name  string
	Value float64
	Unit  string
	Goal  float64
}

// windows are how long the 45 loads arrive at each rate: chosen so that the peers
// come out as docs/performance.md has them, since an overloaded queue's waits grow
// with it.
var windows = []struct {
	rate, hours float64
	day         bool
}{{1, 300, false}, {5, 64, false}, {20, 45, false}, {60, 18, false}, {8, 120, true}}

const usualConflict = 0.0003

// loads are the 45 of docs/performance.md: five rates, three shares of bad pull
// requests, three of flakes.
func loads(parallel int, seed uint64) []Load {
	var all []Load
	for _, w := range windows {
		for _, fail := range []float64{0.01, 0.05, 0.10} {
			for _, flake := range []float64{0, 0.01, 0.05} {
				all = append(all, Load{Rate: w.rate, Day: w.day, Hours: w.hours, Fail: fail, Flake: flake,
					Conflict: usualConflict, Parallel: parallel, Seed: seed})
			}
		}
	}
	return all
}

// published are the peers' mean waits over the 45 loads, in minutes.
var published = map[int]map[string]float64{
	1:  {"single": 1087, "halving-8": 238, "halving": 247, "dorfman-8": 330, Oracle: 23},
	4:  {"batches-5": 101, "groups": 109, "groups+rerun": 128, "tree": 109, "window": 170, Oracle: 16},
	16: {"batches-5": 60, "groups": 25, "groups+rerun": 33, "tree": 25, "window": 53, Oracle: 14},
}

// peerSeeds are how many seeds the peers' own figures are taken over.
const peerSeeds = 2

// MeasurePeers holds the peers' mean waits against the published ones.
func MeasurePeers(stopped func() error, parallel int) ([]Measure, error) {
	var names []string
	for name := range published[parallel] {
		names = append(names, name)
	}
	slices.Sort(names)
	var all []Measure
	for _, name := range names {
		var waits []float64
		for seed := range uint64(peerSeeds) {
			figures, err := simulateEach(stopped, loads(parallel, seed+1), name)
			if err != nil {
				return nil, err
			}
			waits = append(waits, pick(figures, func(f Figures) float64 { return f.MeanWait })...)
		}
		off := 100 * math.Abs(geometric(waits)/published[parallel][name]-1)
		all = append(all, Measure{fmt.Sprintf("sim.peers.k%d.%s", parallel, name), off, "% off the published mean wait, 45 loads", 10})
	}
	return all, nil
}

// waitGoals are the goals for our mean wait over the best peer's; honest: only
// peers that throw out at most 0.5 % good pull requests.
var waitGoals = map[int]struct {
	ratio  float64
	honest bool
}{1: {0.87, false}, 4: {0.70, false}, 16: {1.0, true}}

const honestShare = 0.005

// MeasureWaits holds our mean wait against the best peer's of each of the 45 loads.
func MeasureWaits(stopped func() error, parallel int) ([]Measure, error) {
	all := loads(parallel, 1)
	ours, err := simulateEach(stopped, all, Adaptive)
	if err != nil {
		return nil, err
	}
	best := make([]float64, len(all))
	for _, p := range policies {
		for _, name := range []string{p.name, p.name + rerunSuffix} {
			theirs, err := simulateEach(stopped, all, name)
			if err != nil {
				return nil, err
			}
			for i, f := range theirs {
				if waitGoals[parallel].honest && f.FalseEjections > honestShare {
					continue
				}
				if best[i] == 0 || f.MeanWait < best[i] {
					best[i] = f.MeanWait
				}
			}
		}
	}
	ratios := make([]float64, len(all))
	blamed, arrived, untested := 0.0, 0.0, 0
	for i, f := range ours {
		ratios[i] = f.MeanWait / best[i]
		blamed, arrived, untested = blamed+f.FalseEjections*float64(f.Arrived), arrived+float64(f.Arrived), untested+f.UntestedLanded
	}
	at := fmt.Sprintf("sim.k%d.", parallel)
	mean := func(of func(f Figures) float64) float64 { return geometric(pick(ours, of)) }
	return []Measure{
		{at + "wait", geometric(ratios), "x the best peer of each load, 45 loads", waitGoals[parallel].ratio},
		{at + "mean_wait", mean(func(f Figures) float64 { return f.MeanWait }), "min, geometric mean", 0},
		{at + "p95", mean(func(f Figures) float64 { return f.P95 }), "min, geometric mean", 0},
		{at + "runs", mean(func(f Figures) float64 { return f.RunsPerLanded }), "runs/landed, geometric mean", 0},
		{at + "false_ejections", 100 * blamed / arrived, "% of arrivals", 0.1},
		// A goal of 0 would be for information: half of one is none.
		{at + "untested_landed", float64(untested), "pull requests", 0.5},
	}, nil
}

// runsSeeds are how many seeds the runs are counted over: few are bad in one.
const runsSeeds = 4

// MeasureRuns holds the runs per landed pull request of a full serial queue
// against what theory allows for as many bad ones as were drawn.
func MeasureRuns(stopped func() error) ([]Measure, error) {
	bounds := []struct{ fail, flake, bound, over float64 }{
		{0.01, 0, 0.082, 1.15}, {0.05, 0, 0.301, 1.15}, {0.10, 0, 0.521, 1.15},
		{0.01, 0.05, 0.095, 1.25}, {0.05, 0.05, 0.352, 1.25}, {0.10, 0.05, 0.608, 1.25},
	}
	var all []Load
	for _, b := range bounds {
		for seed := range uint64(runsSeeds) {
			all = append(all, Load{Rate: 60, Hours: 15, Fail: b.fail, Flake: b.flake, Parallel: 1, Seed: seed + 1, Saturated: true})
		}
	}
	figures, err := simulateEach(stopped, all, Adaptive)
	if err != nil {
		return nil, err
	}
	var measures []Measure
	for i, b := range bounds {
		runs, landed, bad, arrived := 0.0, 0.0, 0.0, 0.0
		for _, f := range figures[i*runsSeeds : (i+1)*runsSeeds] {
			runs, landed = runs+f.RunsPerLanded*float64(f.Landed), landed+float64(f.Landed)
			bad, arrived = bad+float64(f.bad), arrived+float64(f.Arrived)
		}
		bound := b.bound * entropyBound(bad/arrived) / entropyBound(b.fail)
		measures = append(measures, Measure{fmt.Sprintf("sim.runs.p%g.f%g", 100*b.fail, 100*b.flake), runs / landed / bound,
			fmt.Sprintf("x the bound, %.3f for the %.2f %% drawn (%.3f runs/landed; x %.2f of %g for %g %%), K=1, line full",
				bound, 100*bad/arrived, runs/landed, runs/landed/b.bound, b.bound, 100*b.fail), b.over})
	}
	return measures, nil
}

// entropyBound is the fewest runs per landed one that can tell good from bad, without flakes.
func entropyBound(p float64) float64 {
	return (-p*math.Log2(p) - (1-p)*math.Log2(1-p)) / (1 - p)
}

// shipSeeds are how many seeds: so near its limit a queue differs much from week to week.
const shipSeeds = 24

// MeasureShips are the two loads people ask about: 81 and 180 ships a day. Over
// these 72 h groups of one wait as long as the goals' comparison says.
func MeasureShips(stopped func() error) ([]Measure, error) {
	goals := []struct {
		load      Load
		mean, p95 float64
	}{
		{Load{Rate: 9, Parallel: 1}, 55, 130},
		{Load{Rate: 20, Parallel: 4}, 30, 70},
	}
	var measures []Measure
	for _, g := range goals {
		var all []Load
		for seed := range uint64(shipSeeds) {
			g.load.Fail, g.load.Flake, g.load.Conflict, g.load.Hours, g.load.Seed = 0.05, 0.01, usualConflict, 72, seed+1
			all = append(all, g.load)
		}
		figures, err := simulateEach(stopped, all, Adaptive)
		if err != nil {
			return nil, err
		}
		mean, p95 := 0.0, 0.0
		for _, f := range figures {
			mean, p95 = mean+f.MeanWait/shipSeeds, p95+f.P95/shipSeeds
		}
		at := fmt.Sprintf("sim.ships.%gh.k%d.", g.load.Rate, g.load.Parallel)
		measures = append(measures, Measure{at + "mean", mean, "min, 5 % bad, 1 % flakes, 72 h", g.mean},
			Measure{at + "p95", p95, "min", g.p95})
	}
	return measures, nil
}

// MeasureEvidence compares the search with the failing tests named and without: at
// full lines, and where pull requests arrive as at the ships. There executors are
// idle now and then, and spared minutes go into earlier tests instead.
func MeasureEvidence(stopped func() error) ([]Measure, error) {
	var measures []Measure
	for _, at := range []struct {
		name    string
		load    Load
		minutes float64 // goal
	}{
		{"full.k1", Load{Rate: 60, Parallel: 1, Hours: 10, Saturated: true}, 0.75},
		{"full.k4", Load{Rate: 60, Parallel: 4, Hours: 10, Saturated: true}, 0.75},
		{"9h.k1", Load{Rate: 9, Parallel: 1, Hours: 72}, 0},
		{"20h.k4", Load{Rate: 20, Parallel: 4, Hours: 72}, 0},
	} {
		for _, fail := range []float64{0.05, 0.10} {
			minutes, wait, err := compareEvidence(stopped, at.load, fail)
			if err != nil {
				return nil, err
			}
			name := fmt.Sprintf("sim.evidence.%s.p%g.", at.name, 100*fail)
			measures = append(measures, Measure{name + "minutes", minutes, "x CI minutes without", at.minutes},
				Measure{name + "wait", wait, "x mean wait without", 0.75})
		}
	}
	return measures, nil
}

// compareEvidence is what named tests make of the minutes and the mean wait, over some seeds.
func compareEvidence(stopped func() error, load Load, fail float64) (minutes, wait float64, err error) {
	var all []Load
	for seed := range uint64(runsSeeds) {
		load.Fail, load.Flake, load.Seed = fail, 0.01, seed+1
		named := load
		named.Evidence = true
		all = append(all, load, named)
	}
	f, err := simulateEach(stopped, all, Adaptive)
	if err != nil {
		return 0, 0, err
	}
	var spent, waited []float64
	for i := 0; i < len(f); i += 2 {
		spent, waited = append(spent, f[i+1].MinutesPerLanded/f[i].MinutesPerLanded), append(waited, f[i+1].MeanWait/f[i].MeanWait)
	}
	return geometric(spent), geometric(waited), nil
}

// simulateEach plays each load under one policy, two at a time, until stopped gives an error.
func simulateEach(stopped func() error, all []Load, policy string) ([]Figures, error) {
	figures, failed := make([]Figures, len(all)), make([]error, len(all))
	sideBySide(len(all), func(i int) {
		if failed[i] = stopped(); failed[i] == nil {
			figures[i], failed[i] = Simulate(all[i], policy)
		}
	})
	for _, err := range failed {
		if err != nil {
			return nil, err
		}
	}
	return figures, nil
}

func pick(all []Figures, of func(f Figures) float64) []float64 {
	values := make([]float64, len(all))
	for i, f := range all {
		values[i] = of(f)
	}
	return values
}

func geometric(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += math.Log(v)
	}
	return math.Exp(sum / float64(len(values)))
}
