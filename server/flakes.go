package main

import (
	"context"
	"time"

	"github.com/mainstay-ci/mainstay/queue/shard"
	"github.com/mainstay-ci/mainstay/server/store"
)

// flakes gives the door what the store knows of tests.
type flakes struct {
	*store.Store
	clock func() time.Time
}

// Quarantined lists the tests whose failures do not count in a run that touches those folders.
func (f flakes) Quarantined(ctx context.Context, repository int64, suite, variant string, touched []string) (shard.Quarantine, error) {
	book, err := f.Tests(ctx, repository, suite, variant)
	if err != nil {
		return shard.Quarantine{}, err
	}
	return shard.Quarantine{Version: book.Version, Tests: book.Excused(touched, f.clock())}, nil
}

// Reruns is how often a shard of the queue may run its failed tests again.
func (f flakes) Reruns(ctx context.Context, queueID int64) (int, error) {
	_, _, rows, err := f.Load(ctx, queueID)
	return rows.Header.Settings.Reruns, err
}
