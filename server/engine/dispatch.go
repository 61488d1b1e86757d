package engine

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
)

// atOnce bounds the effects under way; the adapters bound themselves per installation.
const atOnce = 32

// fallbackTick is the net under a lost wake.
const fallbackTick = 5 * time.Second

type effectKey struct {
	queue int64
	key   string
}

// dispatcher performs due effects. One key of one queue is under way once at most.
type dispatcher struct {
	*Engine
	running map[effectKey]bool
	done    chan effectKey
	// inherited are effects of an earlier life: they may have been done already.
	inherited map[int64]bool
}

func (e *Engine) newDispatcher(ctx context.Context) (*dispatcher, error) {
	d := &dispatcher{Engine: e, running: map[effectKey]bool{}, done: make(chan effectKey), inherited: map[int64]bool{}}
	due, err := e.Outbox.Due(ctx, e.Clock(), 10_000)
	for _, eff := range due {
		d.inherited[eff.ID] = true
	}
	return d, err
}

func (d *dispatcher) run(ctx context.Context) {
	defer d.workers.Done()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			for len(d.running) > 0 {
				delete(d.running, <-d.done)
			}
			return
		case key := <-d.done:
			delete(d.running, key)
		case <-d.outbox:
		case <-timer.C:
		}
		next := d.startDue(ctx)
		timer.Reset(next)
	}
}

// startDue starts what is due and says how long nothing else will be.
func (d *dispatcher) startDue(ctx context.Context) time.Duration {
	now := d.Clock()
	due, err := d.Outbox.Due(ctx, now, atOnce+len(d.running))
	if err != nil {
		if ctx.Err() == nil {
			d.Log.Error("due effects could not be read", "err", err)
		}
		return time.Second
	}
	for _, eff := range due {
		key := effectKey{eff.Queue, eff.Key}
		if d.running[key] || len(d.running) >= atOnce {
			continue
		}
		if d.inherited[eff.ID] && eff.Tries == 0 {
			eff.Tries = 1
		}
		d.running[key] = true
		go d.perform(ctx, key, eff)
	}
	next, ok, err := d.Outbox.NextDue(ctx)
	if err != nil || !ok || !next.After(now) {
		return fallbackTick // what is due already is under way, or waits for a place
	}
	return min(max(next.Sub(now), time.Millisecond), fallbackTick)
}

func (d *dispatcher) perform(ctx context.Context, key effectKey, eff queue.DueEffect) {
	defer func() { d.done <- key }()
	began := d.Clock()
	facts, err := d.outcome(ctx, eff)
	d.Log.Debug("effect performed", "effect", eff.Key, "queue", eff.Queue, "late", began.Sub(eff.Due), "took", d.Clock().Sub(began), "err", err)
	if err == nil {
		if err := d.Outbox.Finish(ctx, eff, d.events(facts)...); err != nil && ctx.Err() == nil {
			d.Log.Error("an effect's outcome could not be kept", "effect", eff.Key, "queue", eff.Queue, "err", err)
			rest(ctx) // it is still due: a store in trouble must not become a storm outside
			return
		}
		if len(facts) > 0 {
			d.Wake(eff.Queue)
		}
		return
	}
	if ctx.Err() != nil {
		return // shutting down: it stays due
	}
	due := d.Clock().Add(pause(eff.Tries))
	var later *Later
	var bad *poison
	switch {
	case errors.As(err, &later):
		due = later.At
	case errors.As(err, &bad) && eff.Tries+1 >= mostStrikes:
		due = d.Clock().Add(poisonPause)
		d.Log.Error("an effect cannot be performed and is set aside", "effect", eff.Key, "queue", eff.Queue, "until", due, "err", err)
	default:
		d.Log.Warn("an effect failed and is put off", "effect", eff.Key, "queue", eff.Queue, "tries", eff.Tries+1, "until", due, "err", err)
	}
	if err := d.Outbox.Defer(ctx, eff, due, err.Error()); err != nil && ctx.Err() == nil {
		d.Log.Error("an effect could not be put off", "effect", eff.Key, "queue", eff.Queue, "err", err)
		rest(ctx)
	}
}

// outcome performs an effect; a panic in it is an error of this one effect only.
func (d *dispatcher) outcome(ctx context.Context, eff queue.DueEffect) (facts []queue.Fact, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &poison{fmt.Errorf("perform %s: panic: %v\n%s", eff.Key, p, debug.Stack())}
		}
	}()
	if eff.Task == nil {
		return nil, &poison{errors.New(eff.Trouble)}
	}
	if _, ok := eff.Task.(queue.Wake); ok {
		return []queue.Fact{queue.TimePassed{}}, nil
	}
	place, err := d.placeOf(ctx, eff.Queue)
	if err != nil {
		return nil, err
	}
	return d.Performer.Perform(ctx, place, eff)
}

func (e *Engine) placeOf(ctx context.Context, id int64) (queue.Place, error) {
	if v, ok := e.places.Load(id); ok {
		return v.(queue.Place), nil
	}
	place, _, _, err := e.Ledger.Load(ctx, id)
	if err == nil {
		e.places.Store(id, place)
	}
	return place, err
}

// poison is the error of an effect that fails by itself, whatever the world does.
// Nothing can take its place, so it is tried again now and then: a new version
// of the server may know better.
type poison struct{ error }

const poisonPause = time.Hour

// rest lets a while pass.
func rest(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(5 * time.Second):
	}
}

// pause doubles from half a second to two minutes.
func pause(tries int) time.Duration {
	return min(2*time.Minute, 500*time.Millisecond<<min(tries, 10))
}
