package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/mainstay-ci/mainstay/queue/shard"
)

// evenLoad is one workload of action.md's table: made-up suites on made-up machines.
type evenLoad struct {
	name    string
	shards  int
	sigma   float64 // of the files' durations, log-normal around 3 s
	history bool
	claim   float64    // ms that a claim costs: the call and the runner's start
	goals   [4]float64 // static mean and p95, leased mean and p95
}

const (
	evenTrials  = 400
	evenFiles   = 400
	evenMedian  = 3000.0 // ms
	evenPast    = 5      // runs that were seen
	evenNoise   = 0.25   // from run to run
	evenUnknown = 0.05   // new files
	evenSpeed   = 0.12   // machines differ so much
	evenDelay   = 20_000 // ms, mean of the exponential delay before a shard starts
	evenClaim   = 1_000  // ms
)

// benchEven is how evenly suites are shared out: the time until the last test
// ends over the least that anybody who knew all speeds and starts could do.
func benchEven(ctx context.Context) ([]figure, error) {
	var lines []figure
	for _, load := range []evenLoad{
		{"even", 8, 1.2, true, evenClaim, [4]float64{1.27, 1.51, 1.06, 1.13}},
		{"even.32", 32, 1.2, true, evenClaim, [4]float64{}},
		{"even.tail", 8, 2, true, evenClaim, [4]float64{}},
		{"even.new", 8, 1.2, false, evenClaim, [4]float64{}},
		{"even.slow", 8, 1.2, true, 8 * evenClaim, [4]float64{}},
	} {
		random := rand.New(rand.NewPCG(1, uint64(load.shards)))
		var dealt, static, leased []float64
		for range evenTrials {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			s := newEvenSuite(load, random)
			bound := s.bound()
			dealt = append(dealt, s.static(s.dealt())/bound)
			static = append(static, s.static(s.longestFirst())/bound)
			end, err := s.leased()
			if err != nil {
				return nil, err
			}
			leased = append(leased, end/bound)
		}
		for i, ratios := range [][]float64{static, leased, dealt} {
			name := load.name + []string{".static", ".leased", ".roundrobin"}[i]
			goals := append(slices.Clone(load.goals[:]), 0, 0)
			lines = append(lines, figure{name + ".mean", mean(ratios), "of the bound", goals[2*i]},
				figure{name + ".p95", percentile(ratios, 95), "of the bound", goals[2*i+1]})
		}
	}
	return lines, nil
}

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

// evenSuite is one run of a suite: what its files take, what is known of them,
// and the machines.
type evenSuite struct {
	basis shard.Basis
	took  []float64 // ms on a machine of speed 1
	claim float64
	speed []float64
	start []float64 // ms
}

func newEvenSuite(load evenLoad, random *rand.Rand) evenSuite {
	s := evenSuite{claim: load.claim}
	noisy := func(ms float64) float64 { return ms * math.Exp(evenNoise*random.NormFloat64()) }
	for i := range evenFiles {
		usual := evenMedian * math.Exp(load.sigma*random.NormFloat64())
		past := make([]shard.Kept, evenPast)
		for j := range past {
			past[j].MS = int64(noisy(usual))
		}
		name := fmt.Sprintf("tests/%03d", i)
		s.basis.Items = append(s.basis.Items, shard.Item{ID: name})
		s.took = append(s.took, noisy(usual))
		if load.history && random.Float64() >= evenUnknown {
			s.basis.History = append(s.basis.History, shard.Timing{Item: name, MS: shard.Median(past), N: evenPast})
		}
	}
	for range load.shards {
		s.speed = append(s.speed, math.Exp(evenSpeed*random.NormFloat64()))
		s.start = append(s.start, random.ExpFloat64()*evenDelay)
	}
	return s
}

// plan is the server's own plan of the suite.
func (s evenSuite) plan(mode string) *shard.Frozen {
	return s.basis.Freeze("even", "", len(s.speed), mode)
}

// bound is the moment before which nobody can be done: not the machines
// together with all of the work, and none of them with the longest file.
func (s evenSuite) bound() float64 {
	longest, work := slices.Max(s.took), 0.0
	for _, ms := range s.took {
		work += ms
	}
	alone := math.Inf(1)
	for k, speed := range s.speed {
		alone = min(alone, s.start[k]+longest/speed)
	}
	low, high := 0.0, slices.Max(s.start)+work/slices.Min(s.speed)
	for range 60 {
		mid, could := (low+high)/2, 0.0
		for k, speed := range s.speed {
			could += speed * max(0, mid-s.start[k])
		}
		if could < work {
			low = mid
		} else {
			high = mid
		}
	}
	return max(high, alone)
}

// static is when the last shard of a fixed cut is done.
func (s evenSuite) static(shardOf []int) float64 {
	end := slices.Clone(s.start)
	for file, k := range shardOf {
		end[k] += s.took[file] / s.speed[k]
	}
	return slices.Max(end)
}

// dealt is the cut that needs no server.
func (s evenSuite) dealt() []int {
	of := make([]int, len(s.took))
	names := shard.Inventory{Items: s.basis.Items}.IDs()
	for k, cut := range shard.Split(names, len(s.speed)) {
		for _, name := range cut {
			file, _ := slices.BinarySearch(names, name)
			of[file] = k
		}
	}
	return of
}

// longestFirst is the static plan's cut.
func (s evenSuite) longestFirst() []int {
	of := make([]int, len(s.took))
	for file, u := range s.plan(shard.ModeStatic).Units {
		of[file] = u.Shard
	}
	return of
}
