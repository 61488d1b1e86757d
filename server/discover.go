package main

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
)

// keptFor is how long webhooks' ids and reports are kept.
const keptFor = 30 * 24 * time.Hour

// How often the App's repositories are looked at: every hour, and soon after a
// webhook or a refused call says that something about them is new.
const (
	lookEach   = time.Hour
	lookApart  = time.Second
	doubtApart = time.Minute
)

// discover opens a queue for each repository's default branch and follows what
// becomes of the repositories. Other branches get theirs with the first label.
func (srv *server) discover(ctx context.Context) {
	for pause := time.Second; ; {
		if err := srv.store.Prune(ctx, time.Now().Add(-keptFor)); err != nil && ctx.Err() == nil {
			srv.log.Warn("old webhooks and reports could not be dropped", "err", err)
		}
		err := srv.lookAround(ctx)
		wait := lookEach
		if err != nil {
			if ctx.Err() != nil {
				return
			}
			srv.log.Warn("the App's repositories could not be read; trying again", "err", err, "after", pause)
			wait, pause = pause, min(2*pause, 5*time.Minute)
		} else {
			pause = time.Second
		}
		if !sleep(ctx, lookApart) {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-srv.news.soon:
		case <-time.After(wait):
		}
	}
}

func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// news wakes the look at the App's repositories.
type news struct {
	soon    chan struct{}
	doubted atomic.Int64 // when a refused call last did
}

// placeEvents are the webhooks that say where the App is, and what its repositories are called.
var placeEvents = map[string]bool{"installation": true, "installation_repositories": true, "installation_target": true, "repository": true}

func (n *news) wake() {
	select {
	case n.soon <- struct{}{}:
	default:
	}
}

// doubt wakes it after a call that was refused, at most once a minute: the webhook
// that told why may be lost.
func (n *news) doubt() {
	last, now := n.doubted.Load(), time.Now().UnixNano()
	if now-last >= int64(doubtApart) && n.doubted.CompareAndSwap(last, now) {
		n.wake()
	}
}

// listener hears of what concerns repositories as such, beside the queues' interpreter.
type listener struct {
	*rounds
	news *news
}

// Interpret is the adapter's, and listens.
func (l listener) Interpret(event string, body []byte) ([]queue.Hint, error) {
	if placeEvents[event] {
		l.news.wake()
	}
	return l.rounds.Interpret(event, body)
}

// lookAround holds the queues against where the App is now. One installation in
// trouble does not hold up the others: its error comes beside what was read.
func (srv *server) lookAround(ctx context.Context) error {
	census, trouble := srv.app.TakeCensus(ctx)
	known, err := srv.store.Queues(ctx)
	if err != nil {
		return err
	}
	have, open := map[queue.Place]bool{}, map[int64]bool{}
	for _, p := range known {
		p.ID = 0
		have[p] = true
	}
	for _, p := range census.Places {
		open[p.Repository] = true
		if have[p] {
			continue
		}
		if _, err := srv.engine.OpenQueue(ctx, p); err != nil {
			return err
		}
	}
	if census.Closed == nil {
		return trouble // nothing was read at all
	}
	for _, p := range known {
		state := removed
		switch {
		case open[p.Repository]:
			state = within
		case census.Unread[p.Installation]:
			continue
		case census.Closed[p.Repository]:
			state = archived
		case census.Suspended[p.Installation]:
			state = suspended
		}
		if err := srv.reach.note(ctx, p, state); err != nil {
			return err
		}
	}
	return trouble
}
