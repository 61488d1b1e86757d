package engine

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
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
	few     int          // so many events next, and no more; 0: as many as come
	strikes strikes
}

// strikes counts how often the event at the head could not be taken in.
type strikes struct {
	event int64
	count int
}

// mostStrikes is how often an event is tried before it is set aside.
const mostStrikes = 3

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
	limit := eventsAtOnce
	if r.few > 0 {
		limit, r.few = r.few, 0
	}
	events, err := e.Ledger.Unread(ctx, id, limit)
	if err != nil || len(events) == 0 {
		return false, err
	}
	c := queue.Commit{Queue: id, Version: r.version}
	for i, ev := range events {
		effects, err := e.step(r, ev)
		if err != nil {
			return true, e.stumble(ctx, id, r, ev, i, err)
		}
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
	return len(events) == limit, nil
}

// step takes one event in; a panic in it is an error of this one event.
func (e *Engine) step(r *runner, ev queue.RecordedEvent) (effects []queue.Effect, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	if ev.Fact == nil {
		return nil, errors.New(ev.Trouble)
	}
	r.state, effects = e.Step(r.state, ev.Event)
	return effects, nil
}

// stumble goes on after an event that can't be taken in: the ones before it are
// taken first, without it; then it has its tries, then it is set aside, so that one
// bad row neither stops a queue nor ends the process at each start.
func (e *Engine) stumble(ctx context.Context, id int64, r *runner, ev queue.RecordedEvent, before int, why error) error {
	r.state = nil // half of a step may have been done to it
	if before > 0 {
		r.few = before
		return nil
	}
	if r.strikes.event != ev.ID {
		r.strikes = strikes{event: ev.ID}
	}
	if r.strikes.count++; r.strikes.count < mostStrikes {
		return nil
	}
	e.Log.Error("an event could not be taken in and is set aside", "queue", id, "event", ev.ID, "fact", fmt.Sprintf("%T", ev.Fact), "err", why)
	return e.Ledger.SetAside(ctx, id, ev.ID, why.Error())
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
