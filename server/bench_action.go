package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/mainstay-ci/mainstay/server/demo"
)

// benchAction measures the Action's binary: its size, its start, and a report of
// 50,000 tests from the binary's start until the server has stored it.
func (c benchCommand) benchAction(ctx context.Context) ([]figure, error) {
	binary := filepath.Join(binaries(), "mainstay-action")
	info, err := os.Stat(binary)
	if err != nil {
		return nil, fmt.Errorf("the Action's binary is not beside this one (make build): %w", err)
	}
	var starts []float64
	for range 50 {
		began := time.Now()
		if err := exec.CommandContext(ctx, binary, "--version").Run(); err != nil {
			return nil, fmt.Errorf("start the Action: %w", err)
		}
		starts = append(starts, float64(time.Since(began))/float64(time.Millisecond))
	}
	lines := []figure{
		{"action.size", float64(info.Size()) / 1e6, "MB", 9},
		{"action.start", median(starts), "ms, median of 50", 10},
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	f, err := demo.MeasureReport(ctx, demo.ReportLoad{Start: startForDemo, Binaries: binaries(), Log: slog.New(slog.DiscardHandler),
		Packages: 500, Tests: 50_000, Shards: max(c.Runs, 3)})
	if err != nil {
		return lines, err
	}
	return append(lines,
		figure{"action.report", median(f.Seconds), "s, 50,000 tests parsed and stored", 2},
		figure{"action.memory", f.PeakMiB, "MiB at most", 64}), nil
}
