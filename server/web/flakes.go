package web

import (
	"context"
	"fmt"
	"slices"

	"github.com/mainstay-ci/mainstay/queue/flake"
	"github.com/mainstay-ci/mainstay/queue/shard"
)

// Flakes is what is known of tests.
type Flakes interface {
	// Tests is the book of a suite, empty where nothing is known.
	Tests(ctx context.Context, repository int64, suite, variant string) (flake.Book, error)
	// Reruns is how often a shard of the queue may run its failed tests again.
	Reruns(ctx context.Context, queueID int64) (int, error)
	LearnTests(ctx context.Context, l flake.Lesson) error
}

// again lists the tests that a shard is to run once more before anybody is
// blamed for them, and before a pass after a failure is believed.
func (d *door) again(ctx context.Context, c caller, chunks []shard.Report, verdict shard.ShardVerdict) []string {
	last := chunks[0] // the one that came last
	if d.Flakes == nil || len(chunks) != last.Chunks || !last.Reruns || c.narrow() || c.ended(last) || verdict.Result != shard.ResultFailed && verdict.Result != shard.ResultFlaky {
		return nil
	}
	most, err := d.Flakes.Reruns(ctx, c.place.ID)
	if err != nil {
		d.Log.Error("nothing is run again: the queue's settings could not be read", "err", err)
		return nil
	}
	book, err := d.Flakes.Tests(ctx, c.Repository, last.Suite, last.Variant)
	if err != nil {
		d.Log.Error("nothing is run again: what is known of the tests could not be read", "err", err)
		return nil
	}
	failing := failingTests(chunks, verdict)
	if last.Round >= most || failing == nil || !flake.Again(failing, c.members(), last.Round, book, d.Clock()) {
		return nil
	}
	keys := make([]string, len(failing))
	for i, f := range failing {
		keys[i] = f.Key
	}
	return keys
}

// members is how many pull requests the caller's run is about.
func (c caller) members() int {
	if c.attempt == nil {
		return 1
	}
	return len(c.attempt.Members)
}

// failingTests lists the tests of a shard that failed in any of their runs, but
// for those in quarantine. It is nil where one of them does not say how it failed:
// running that again would hide a crash.
func failingTests(chunks []shard.Report, verdict shard.ShardVerdict) []flake.Failing {
	muted := testKeys(verdict.Muted)
	var failing []flake.Failing
	for _, chunk := range chunks {
		for _, t := range chunk.Tests {
			f := flake.Failing{Key: t.Key, Runs: len(t.Executions), Red: t.Failed()}
			for _, e := range t.Executions {
				if !e.Red() {
					continue
				}
				if e.Kind == shard.KindBuild || e.Kind == shard.KindExit || e.Kind == shard.KindLost {
					return nil
				}
				f.Fails++
			}
			if f.Fails > 0 && !slices.Contains(muted, t.Key) {
				failing = append(failing, f)
			}
		}
	}
	return failing
}

// learnBase learns of a base branch's own run of a commit that was tested before
// it landed: what fails there is no break. Of the shards the first one counts as
// the suite's run.
func (d *door) learnBase(ctx context.Context, c caller, report shard.Report) {
	if d.Flakes == nil || c.attempt != nil || report.Scope == shard.ScopeNarrow {
		return
	}
	if proven, err := d.proven(ctx, c); err != nil || proven == nil {
		return // nobody vouches for this commit
	}
	var reading flake.Reading
	reading.Add(report)
	like := flake.Lesson{Repository: c.Repository, Commit: c.SHA, At: d.Clock(), Red: report.Shard.Index != 0 || !report.Final,
		Name: fmt.Sprintf("base/%d/%d/%d/%d/%d/%d", c.Repository, c.Run, c.RunTry, report.Shard.Index, report.Chunk, report.Round)}
	for _, l := range reading.Lessons(like) {
		l.Tests *= report.Shard.Total
		if err := d.Flakes.LearnTests(ctx, l); err != nil {
			d.Log.Error("a base branch's run was not learnt from", "run", c.Run, "err", err)
		}
	}
}
