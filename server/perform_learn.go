package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/queue/flake"
	"github.com/mainstay-ci/mainstay/queue/shard"
)

// schoolbook keeps what is learnt of tests.
type schoolbook interface {
	// ReportBodies are the kept reports whose keys begin so.
	ReportBodies(ctx context.Context, queueID int64, prefix string) ([][]byte, error)
	LearnTests(ctx context.Context, l flake.Lesson) error
	KeepTimings(ctx context.Context, repository int64, suite, variant string, at time.Time, items []shard.Sample, tests map[string][]shard.Sample) error
}

// learnTests learns of an attempt's reports how its tests do on good code.
func (p *performer) learnTests(ctx context.Context, place queue.Place, task queue.LearnTests) error {
	kept, err := p.lessons.ReportBodies(ctx, place.ID, fmt.Sprintf("%d/", task.Attempt))
	if err != nil {
		return err
	}
	var reading flake.Reading
	for i, body := range kept {
		var report shard.Report
		if err := json.Unmarshal(body, &report); err != nil {
			return fmt.Errorf("read report %d of attempt %d: %w", i, task.Attempt, err)
		}
		reading.Add(report)
	}
	commit := task.Commit
	if commit == "" {
		commit = fmt.Sprintf("attempt %d", task.Attempt)
	}
	like := flake.Lesson{Repository: place.Repository, Name: fmt.Sprintf("attempt/%d/%d", place.ID, task.Attempt), Commit: commit, At: task.At, Red: task.Red, Term: task.Term}
	for _, l := range reading.Lessons(like) {
		if err := p.lessons.LearnTests(ctx, l); err != nil {
			return err
		}
		if l.Red {
			continue
		}
		items, tests := reading.Durations(flake.Name{Suite: l.Suite, Variant: l.Variant})
		if err := p.lessons.KeepTimings(ctx, place.Repository, l.Suite, l.Variant, task.At, items, tests); err != nil {
			return err
		}
	}
	return nil
}
