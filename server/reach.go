package main

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/server/engine"
	"github.com/mainstay-ci/mainstay/server/store"
)

// standing is whether we can do anything on a repository.
type standing string

const (
	within    standing = ""
	archived  standing = "the repository is archived"
	suspended standing = "the App is suspended there"
	removed   standing = "the App was taken off the repository"
)

// outOfReach begins the reason of pauses that are ours to end.
const outOfReach = "GitHub: "

// again is when what cannot be done is looked at again; no call is made before
// the repository is found within reach.
const again = time.Hour

// reach knows which repositories are out of reach. Their queues stand still and keep
// everything, and nothing is asked of GitHub for them; what the App was taken off is
// given up: its entries are out, its clone is deleted.
type reach struct {
	store  *store.Store
	engine *engine.Engine
	clones *clones
	clock  func() time.Time
	log    *slog.Logger

	mu  sync.Mutex
	all map[int64]standing // by queue
}

// check fails for a repository out of reach, before anything is asked of GitHub.
func (r *reach) check(queueID int64) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s := r.all[queueID]; s != within {
		return &engine.Later{At: r.clock().Add(again), Why: string(s)}
	}
	return nil
}

// note takes in how a queue's repository stands now.
func (r *reach) note(ctx context.Context, p queue.Place, now standing) error {
	r.mu.Lock()
	was, known := r.all[p.ID]
	if r.all == nil {
		r.all = map[int64]standing{}
	}
	r.all[p.ID] = now
	r.mu.Unlock()
	if known && was == now {
		return nil
	}
	_, _, rows, err := r.store.Load(ctx, p.ID)
	if err != nil {
		return err
	}
	ours := false
	for _, s := range []standing{archived, suspended, removed} {
		ours = ours || rows.Header.Pause != nil && rows.Header.Pause.Reason == outOfReach+string(s)
	}
	if now == within {
		if !ours && !known {
			return nil
		}
		return r.welcome(ctx, p, ours)
	}
	r.log.Warn("a repository is out of reach", "repository", p.Owner+"/"+p.Name, "branch", p.Branch, "why", string(now))
	var facts []queue.Fact
	if ours {
		facts = append(facts, queue.ResumeAsked{By: "GitHub"})
	}
	facts = append(facts, queue.PauseAsked{By: "GitHub", Reason: outOfReach + string(now)})
	if now == removed {
		for _, e := range rows.Entries {
			if !e.Phase.Ended() {
				facts = append(facts, queue.LeaveAsked{PR: e.PR.Number, By: "GitHub", Lost: true})
			}
		}
	}
	err = r.engine.Tell(ctx, p.ID, facts...)
	if now == removed {
		err = errors.Join(err, r.clones.drop(p.Repository))
	}
	return err
}

// welcome goes on with a repository that is within reach again: whatever happened
// meanwhile is looked at, and what was put off is done.
func (r *reach) welcome(ctx context.Context, p queue.Place, paused bool) error {
	r.log.Info("a repository is within reach again", "repository", p.Owner+"/"+p.Name, "branch", p.Branch)
	if err := r.store.Hasten(ctx, p.ID, r.clock()); err != nil {
		return err
	}
	facts := []queue.Fact{queue.BaseHinted{}, queue.Restarted{}}
	if paused {
		facts = append(facts, queue.ResumeAsked{By: "GitHub"})
	}
	return r.engine.Tell(ctx, p.ID, facts...)
}
