package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// pollPace is how often labels are looked for where GitHub sends no webhooks. The
// rest is found by the sweep, which looks as often while anything waits.
const pollPace = time.Minute

// poll looks until the server stops.
func (srv *server) poll(ctx context.Context) {
	for tick := time.NewTicker(pollPace); ; {
		select {
		case <-ctx.Done():
			tick.Stop()
			return
		case <-tick.C:
		}
		if err := srv.lookForLabels(ctx); err != nil && ctx.Err() == nil {
			srv.log.Warn("not every queue's labels could be looked for", "err", err)
		}
	}
}

// lookForLabels does by itself what the webhook of a label would bring about: one
// call for each queue, and one queue's trouble is not another's.
func (srv *server) lookForLabels(ctx context.Context) error {
	places, err := srv.store.Queues(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, place := range places {
		_, _, rows, err := srv.store.Load(ctx, place.ID)
		if err == nil && rows.Header.Missing {
			continue
		}
		s := rows.Header.Settings
		if err == nil && s.Label != "" {
			found, findErr := srv.app.FindWishes(ctx, place, s.Label, s.Labels)
			if err = findErr; err == nil {
				err = srv.engine.Tell(ctx, place.ID, found)
			}
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("queue %d: %w", place.ID, err))
		}
	}
	return errors.Join(errs...)
}
