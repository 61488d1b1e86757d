package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"sort"
	"time"

	"github.com/mainstay-ci/mainstay/queue/sim"
	"github.com/mainstay-ci/mainstay/server/demo"
)

// benchCommand is `mainstay bench`: the figures of docs/performance.md.
type benchCommand struct {
	Only    string        `help:"Measure only figures whose name begins so."`
	Runs    int           `default:"3" help:"Runs of each load; the median counts."`
	Verbose bool          `help:"Log what the server says."`
	Linger  time.Duration `default:"60s" help:"How long after the last landing workflow runs are still counted (last run of a load only)."`
}

// figure is one line: name, value, unit, goal, ok or short.
type figure struct {
	name  string
	value float64
	unit  string
	goal  float64 // at most; 0: for information; below 0: at least
}

func (f figure) print(w io.Writer) {
	goal, state := "-", "ok"
	switch {
	case f.goal > 0:
		goal = fmt.Sprintf("<= %g", f.goal)
		if f.value > f.goal {
			state = "short"
		}
	case f.goal < 0:
		goal = fmt.Sprintf(">= %g", -f.goal)
		if f.value < -f.goal {
			state = "short"
		}
	}
	fmt.Fprintf(w, "%s\t%.4g\t%s\t%s\t%s\n", f.name, f.value, f.unit, goal, state)
}

// Run measures one thing after the other and prints each line as soon as it is known.
func (c benchCommand) Run(ctx context.Context) error {
	fmt.Fprintf(os.Stderr, "%d cores, %s, medians of %d\n", runtime.NumCPU(), runtime.Version(), c.Runs)
	for _, part := range []struct {
		name string
		run  func(context.Context) ([]figure, error)
	}{
		{"rebase32", c.benchRebase},
		{"batch20", func(ctx context.Context) ([]figure, error) {
			return c.benchLoad(ctx, "batch20", demo.Load{Batch: 20, JobStart: 150 * time.Millisecond}, figures{seconds: 2.0, builds: 1, calls: 12})
		}},
		{"serial20", func(ctx context.Context) ([]figure, error) {
			// While jobs start, the landing before is being pushed by the same two cores.
			return c.benchLoad(ctx, "serial20", demo.Load{Batch: 1, JobStart: 190 * time.Millisecond}, figures{seconds: 24, builds: 20})
		}},
		{"demo", c.benchDemo},
		{"plan", c.benchPlan},
		{"action", c.benchAction},
		{"step", benchStep},
		{"explore", c.benchExplore},
		{"even", benchEven},
		{"sim.speed", simulated(benchSimulator)},
		{"sim.runs", simulated(sim.MeasureRuns)},
		{"sim.ships", simulated(sim.MeasureShips)},
		{"sim.evidence", simulated(sim.MeasureEvidence)},
		{"sim.peers.k1", simulatedAt(1, sim.MeasurePeers)},
		{"sim.peers.k4", simulatedAt(4, sim.MeasurePeers)},
		{"sim.peers.k16", simulatedAt(16, sim.MeasurePeers)},
		{"sim.k1", simulatedAt(1, sim.MeasureWaits)},
		{"sim.k4", simulatedAt(4, sim.MeasureWaits)},
		{"sim.k16", simulatedAt(16, sim.MeasureWaits)},
	} {
		if len(c.Only) > len(part.name) || part.name[:len(c.Only)] != c.Only {
			continue
		}
		lines, err := part.run(ctx)
		for _, f := range lines {
			f.print(os.Stdout)
		}
		if err != nil {
			return fmt.Errorf("measure %s: %w", part.name, err)
		}
	}
	return nil
}

// figures are a load's goals.
type figures struct{ seconds, builds, calls float64 }

func (c benchCommand) benchLoad(ctx context.Context, name string, load demo.Load, goal figures) ([]figure, error) {
	var runs []demo.Figures
	for i := range c.Runs {
		start := startForDemo
		if c.Verbose {
			start = startLoudly
		}
		load.Start, load.Binaries, load.Log = start, binaries(), slog.New(slog.DiscardHandler)
		load.Pulls, load.Shards, load.CI, load.Linger = 20, 4, time.Second, 0
		if i == c.Runs-1 {
			load.Linger = c.Linger
		}
		ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
		f, err := demo.Measure(ctx, load)
		cancel()
		if err != nil {
			return nil, err
		}
		runs = append(runs, f)
	}
	last := runs[len(runs)-1]
	sort.Slice(runs, func(i, j int) bool { return runs[i].Seconds < runs[j].Seconds })
	mid := runs[len(runs)/2]
	return []figure{
		{name, mid.Seconds, "s", goal.seconds},
		{name + ".ci", mid.CISeconds, "s/workflow run", -1},
		{name + ".overhead", mid.OverheadMS, "ms/landing", 0},
		{name + ".builds", float64(last.Builds), "runs", goal.builds},
		{name + ".calls", float64(last.Calls) / 20, "calls/PR", goal.calls},
		{name + ".git", float64(last.GitCalls) / 20, "git requests/PR", 0},
		{name + ".edits", float64(last.MostEdits), "edits of a check", 4},
	}, nil
}

// binaries is the folder this program lies in, where `make build` puts the Action's binary, too.
func binaries() string {
	exe, err := os.Executable()
	if err != nil {
		return "."
	}
	return filepath.Dir(exe)
}
