package main

import (
	"context"
	"fmt"
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

// benchSimulator is how many virtual days go by in a minute on one core.
func benchSimulator(stopped func() error) ([]sim.Measure, error) {
	var measures []sim.Measure
	for _, at := range []struct {
		rate, days float64
		parallel   int
	}{{5, 100, 1}, {20, 8, 4}} {
		if err := stopped(); err != nil {
			return nil, err
		}
		load := sim.Load{Rate: at.rate, Fail: 0.05, Flake: 0.01, Conflict: 0.0003, Parallel: at.parallel, Hours: 24 * at.days, Seed: 1}
		began := time.Now()
		f, err := sim.Simulate(load, sim.Adaptive)
		if err != nil {
			return nil, err
		}
		measures = append(measures, sim.Measure{Name: fmt.Sprintf("sim.speed.%gh.k%d", at.rate, at.parallel),
			Value: f.Days / time.Since(began).Minutes(), Unit: "virtual days/min", Goal: -1000})
	}
	return measures, nil
}
