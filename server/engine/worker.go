package engine

import (
	"context"
	"errors"
	"sync"

	"github.com/mainstay-ci/mainstay/queue"
)

// runner is one queue: its decoded state, cached by version, and who is at it.
// An idle queue has no goroutine.
type runner struct {
	mu      sync.Mutex
	busy    bool // a worker is at it
	again   bool // and was woken meanwhile
	version int64
	state   *queue.State // nil: load it
}

// eventsAtOnce bounds one commit, so that a flood does not hold the store for long.
const eventsAtOnce = 200

// Wake has a queue's unread events taken soon.
func (e *Engine) Wake(id int64) {
	v, _ := e.queues.LoadOrStore(id, &runner{})
	r := v.(*runner)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.busy {
		r.again = true
		return
	}
	work := e.work.Load()
	if work == nil || (*work).Err() != nil {
		return // the events stay recorded for the next start
	}
	r.busy = true
	e.workers.Add(1)
	go e.run(*work, id, r)
}

func (e *Engine) run(ctx context.Context, id int64, r *runner) {
	defer e.workers.Done()
	for {
		more, err := e.advance(ctx, id, r)
		if err != nil && ctx.Err() == nil {
			e.Log.Error("a queue could not be advanced", "queue", id, "err", err)
		}
		r.mu.Lock()
		if !more && !r.again || ctx.Err() != nil {
			r.busy, r.again = false, false
			r.mu.Unlock()
			return
		}
		r.again = false
		r.mu.Unlock()
	}
}

// advance takes unread events through Step and commits. It reports whether there may be more.
func (e *Engine) advance(ctx context.Context, id int64, r *runner) (more bool, err error) {
	if r.state == nil {
		if err := e.load(ctx, id, r); err != nil {
			return false, err
		}
	}
	events, err := e.Ledger.Unread(ctx, id, eventsAtOnce)
	if err != nil || len(events) == 0 {
		return false, err
	}
	c := queue.Commit{Queue: id, Version: r.version}
	for _, ev := range events {
		var effects []queue.Effect
		r.state, effects = queue.Step(r.state, ev.Event)
		c.Effects = append(c.Effects, effects...)
		c.Consumed = append(c.Consumed, ev.ID)
	}
	c.Changes = r.state.TakeChanges()
	if err := e.Ledger.Commit(ctx, c); err != nil {
		r.state = nil // what Step did to it was never written
		return errors.Is(err, queue.ErrStale), err
	}
	r.version++
	ping(e.outbox)
	e.watch.tell(id)
	return len(events) == eventsAtOnce, nil
}

func (e *Engine) load(ctx context.Context, id int64, r *runner) error {
	place, version, rows, err := e.Ledger.Load(ctx, id)
	if err != nil {
		return err
	}
	e.places.Store(id, place)
	r.version, r.state = version, queue.Restore(rows)
	return nil
}
