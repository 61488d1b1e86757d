package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/mainstay-ci/mainstay/queue/sim"
)

// simulateCommand is `mainstay simulate`: what a load would cost under this queue
// and under others, in virtual time.
type simulateCommand struct {
	Rate      float64 `default:"20" help:"Pull requests an hour."`
	Day       bool    `help:"A working day: --rate over 24 hours, four times that at its peak."`
	Fail      float64 `default:"0.05" help:"Share of pull requests that are bad."`
	Flake     float64 `default:"0.01" help:"Chance that a good tree is red."`
	Conflict  float64 `default:"0.0003" help:"Chance that two that arrive within 2 h are red together."`
	Parallel  int     `default:"1" help:"CI runs side by side."`
	Hours     float64 `default:"200" help:"How long pull requests arrive; all are run to their end."`
	Seed      uint64  `default:"1" help:"The same seed gives the same figures."`
	Policy    string  `help:"Only this one: adaptive (this queue), oracle, single, halving-8, halving, dorfman-8, groups, window, batches-5, tree; each but the first two also with +rerun."`
	Saturated bool    `help:"Keep the line full: everything waits from the start."`
	Evidence  bool    `help:"Each bad pull request fails one test of its own, which is reported."`
	JSON      bool    `name:"json" help:"Print the figures as JSON."`
	SVG       string  `name:"svg" placeholder:"FILE" help:"Draw waits and runs into this file."`
}

// Run simulates one policy or all of them and prints the figures.
func (c simulateCommand) Run() error {
	load := sim.Load{
		Rate: c.Rate, Day: c.Day, Fail: c.Fail, Flake: c.Flake, Conflict: c.Conflict, Parallel: c.Parallel,
		Hours: c.Hours, Seed: c.Seed, Saturated: c.Saturated, Evidence: c.Evidence,
	}
	names := sim.Policies()
	if c.Policy != "" {
		names = []string{c.Policy}
	}
	all, err := sim.SimulateAll(load, names)
	if err != nil {
		return err
	}
	if c.SVG != "" {
		if err := os.WriteFile(c.SVG, []byte(sim.Draw(load, all)), 0o644); err != nil {
			return fmt.Errorf("draw the figures: %w", err)
		}
	}
	if !c.JSON {
		return printFigures(os.Stdout, load, all)
	}
	out := json.NewEncoder(os.Stdout)
	out.SetIndent("", "  ")
	if c.Policy != "" {
		return out.Encode(all[0])
	}
	return out.Encode(all)
}

func printFigures(w io.Writer, load sim.Load, all []sim.Figures) error {
	fmt.Fprintln(w, load)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "policy\tmean wait\tp50\tp95\tp99\truns/landed\tCI min/landed\tlanded/h\tgood thrown out\tuntested\t")
	for _, f := range all {
		fmt.Fprintf(t, "%s\t%.0f min\t%.0f\t%.0f\t%.0f\t%.2f\t%.1f\t%.1f\t%.2f %%\t%d\t\n", f.Policy, f.MeanWait, f.P50, f.P95, f.P99,
			f.RunsPerLanded, f.MinutesPerLanded, f.LandedPerHour, 100*f.FalseEjections, f.UntestedLanded)
	}
	return t.Flush()
}
