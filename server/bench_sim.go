package main

import (
	"context"
	"time"

	"github.com/mainstay-ci/mainstay/queue/sim"
)

// simulated makes a part of the bench out of the simulator's measures.
func simulated(measure func(stopped func() error) ([]sim.Measure, error)) func(context.Context) ([]figure, error) {
	return func(ctx context.Context) ([]figure, error) {
		measures, err := measure(ctx.Err)
		var lines []figure
		for _, m := range measures {
			lines = append(lines, figure{m.Name, m.Value, m.Unit, m.Goal})
		}
		return lines, err
	}
}

func simulatedAt(parallel int, measure func(func() error, int) ([]sim.Measure, error)) func(context.Context) ([]figure, error) {
	return simulated(func(stopped func() error) ([]sim.Measure, error) { return measure(stopped, parallel) })
}

// benchSimulator is how many virtual days go by in a minute: 5 pull requests an
// hour, one run at a time, on one core.
func benchSimulator(func() error) ([]sim.Measure, error) {
	load := sim.Load{Rate: 5, Fail: 0.05, Flake: 0.01, Conflict: 0.0003, Parallel: 1, Hours: 24 * 100, Seed: 1}
	began := time.Now()
	f, err := sim.Simulate(load, sim.Adaptive)
	return []sim.Measure{{Name: "sim.speed", Value: f.Days / time.Since(began).Minutes(), Unit: "virtual days/min, 5/h, K=1", Goal: -1000}}, err
}
