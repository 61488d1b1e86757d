package main

import (
	"context"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
)

// keptFor is how long webhooks' ids and reports are kept.
const keptFor = 30 * 24 * time.Hour

// discover opens a queue for each repository's default branch, at the start and
// every hour. Other branches get theirs with the first label.
func (srv *server) discover(ctx context.Context) {
	for pause := time.Second; ; {
		if err := srv.store.Prune(ctx, time.Now().Add(-keptFor)); err != nil && ctx.Err() == nil {
			srv.log.Warn("old webhooks and reports could not be dropped", "err", err)
		}
		err := srv.openQueues(ctx)
		wait := time.Hour
		if err != nil {
			if ctx.Err() != nil {
				return
			}
			srv.log.Warn("the App's repositories could not be read; trying again", "err", err, "after", pause)
			wait, pause = pause, min(2*pause, 5*time.Minute)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

func (srv *server) openQueues(ctx context.Context) error {
	// One installation in trouble does not hold up the others: its error comes beside what was read.
	places, trouble := srv.app.Repositories(ctx)
	known, err := srv.store.Queues(ctx)
	if err != nil {
		return err
	}
	have := map[queue.Place]bool{}
	for _, p := range known {
		p.ID = 0
		have[p] = true
	}
	for _, p := range places {
		if have[p] {
			continue
		}
		if _, err := srv.engine.OpenQueue(ctx, p); err != nil {
			return err
		}
	}
	return trouble
}
