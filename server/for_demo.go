package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/server/demo"
)

// startForDemo starts a server for the forge in a box: on loopback, its
// dashboard open, its log silent.
func startForDemo(ctx context.Context, s demo.ServerSettings) (*demo.Server, error) {
	return startFor(ctx, s, slog.New(slog.DiscardHandler))
}

// startLoudly is startForDemo with the log on standard error.
func startLoudly(ctx context.Context, s demo.ServerSettings) (*demo.Server, error) {
	return startFor(ctx, s, slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug})))
}

// boxWrites is what the forge in a box bears a minute: a demo is over before
// github.com's minute is.
const boxWrites = 10_000

func startFor(ctx context.Context, s demo.ServerSettings, log *slog.Logger) (*demo.Server, error) {
	srv, err := start(ctx, settings{listen: "127.0.0.1:0", data: s.Data, github: s.GitHub, api: s.API, issuer: s.Issuer,
		appID: s.AppID, key: s.Key, secrets: [][]byte{s.Secret}, open: true, unlinked: true, writes: boxWrites}, log)
	if err != nil {
		return nil, err
	}
	find := func(ctx context.Context, repository int64, branch string) (queue.Place, error) {
		return srv.awaitQueue(ctx, repository, branch)
	}
	return &demo.Server{
		URL: srv.url, Stop: srv.stop,
		Snapshot: func(ctx context.Context, repository int64, branch string) (demo.Snapshot, error) {
			p, err := find(ctx, repository, branch)
			if err != nil {
				return demo.Snapshot{}, err
			}
			return srv.snapshot(ctx, p.ID)
		},
		Watch: func(ctx context.Context, repository int64, branch string) (<-chan struct{}, func(), error) {
			p, err := find(ctx, repository, branch)
			if err != nil {
				return nil, nil, err
			}
			changed, stop := srv.engine.Watch(p.ID)
			return changed, stop, nil
		},
		Pause: func(ctx context.Context, repository int64, branch, reason string) error {
			p, err := find(ctx, repository, branch)
			return errors.Join(err, srv.engine.Pause(ctx, p.ID, "the demo", reason))
		},
		Resume: func(ctx context.Context, repository int64, branch string) error {
			p, err := find(ctx, repository, branch)
			return errors.Join(err, srv.engine.Resume(ctx, p.ID, "the demo"))
		},
	}, nil
}

// awaitQueue waits until a branch has its queue: the server looks for repositories by itself.
func (srv *server) awaitQueue(ctx context.Context, repository int64, branch string) (queue.Place, error) {
	for {
		opened := srv.engine.Opened()
		places, err := srv.store.QueuesOf(ctx, repository)
		if err != nil {
			return queue.Place{}, err
		}
		for _, p := range places {
			if p.Branch == branch {
				return p, nil
			}
		}
		select {
		case <-opened:
		case <-ctx.Done():
			return queue.Place{}, ctx.Err()
		}
	}
}

// historyShown bounds what a snapshot carries of the past.
const historyShown = 2000

func (srv *server) snapshot(ctx context.Context, id int64) (demo.Snapshot, error) {
	var s demo.Snapshot
	var err error
	if _, _, s.Rows, err = srv.store.Load(ctx, id); err != nil {
		return s, err
	}
	pending, err := srv.store.Pending(ctx, id)
	if err != nil {
		return s, err
	}
	for _, e := range pending {
		if !e.Due.After(time.Now()) {
			s.Busy++
		}
	}
	if s.Ended, err = srv.store.Ended(ctx, id, historyShown); err != nil {
		return s, err
	}
	s.Receipts, err = srv.store.Receipts(ctx, id, historyShown)
	return s, err
}
