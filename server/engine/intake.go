package engine

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
)

// WakeInbox has kept webhooks looked into soon.
func (e *Engine) WakeInbox() { ping(e.inbox) }

// takeDeliveries turns kept webhooks into facts for their queues, in order.
func (e *Engine) takeDeliveries(ctx context.Context) {
	defer e.workers.Done()
	tick := time.NewTicker(fallbackTick)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-e.inbox:
		case <-tick.C:
		}
		for {
			deliveries, err := e.Inbox.UnreadDeliveries(ctx, 100)
			if err != nil && ctx.Err() == nil {
				e.Log.Error("webhooks could not be read", "err", err)
			}
			if err != nil || len(deliveries) == 0 {
				break
			}
			if !e.takeAll(ctx, deliveries) {
				break
			}
		}
	}
}

func (e *Engine) takeAll(ctx context.Context, deliveries []queue.Delivery) bool {
	for _, d := range deliveries {
		if err := e.takeDelivery(ctx, d); err != nil {
			if ctx.Err() == nil {
				e.Log.Error("a webhook could not be taken", "delivery", d.GUID, "event", d.Event, "err", err)
			}
			return false // the store's trouble: it stays for the next tick
		}
	}
	return true
}

// takeDelivery gives a webhook's hints to their queues. One that can't be
// understood is logged and done with: it was only ever a hint.
func (e *Engine) takeDelivery(ctx context.Context, d queue.Delivery) error {
	hints, err := e.interpret(d)
	if err != nil {
		e.Log.Warn("a webhook was not understood", "delivery", d.GUID, "event", d.Event, "err", err)
	}
	events := map[int64][]queue.Event{}
	for _, h := range hints {
		places, err := e.queuesFor(ctx, h)
		if err != nil {
			return err
		}
		for _, p := range places {
			events[p.ID] = append(events[p.ID], queue.Event{At: e.Clock(), Fact: h.Fact})
		}
	}
	if err := e.Inbox.FinishDelivery(ctx, d.GUID, events); err != nil {
		return err
	}
	for id := range events {
		e.Wake(id)
	}
	return nil
}

// interpret boils a webhook down; one that brings the interpreter down means nothing.
func (e *Engine) interpret(d queue.Delivery) (hints []queue.Hint, err error) {
	defer func() {
		if p := recover(); p != nil {
			hints, err = nil, fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return e.Interpreter.Interpret(d.Event, d.Body)
}

// queuesFor finds the queues a hint is for, and opens one where the hint may and the
// repository has none: else a reading tells whether one is to be opened.
func (e *Engine) queuesFor(ctx context.Context, h queue.Hint) ([]queue.Place, error) {
	all, err := e.Inbox.QueuesOf(ctx, h.Place.Repository)
	if err != nil {
		return nil, err
	}
	var found []queue.Place
	for _, p := range all {
		if h.Place.Branch == "" || p.Branch == h.Place.Branch {
			if p, err = e.rename(ctx, p, h.Place); err != nil {
				return nil, err
			}
			found = append(found, p)
		}
	}
	if _, pull := h.Fact.(queue.PullRequestHinted); pull && len(found) == 0 {
		// Its base may be the branch of another one: each queue finds out whether that ends at its own.
		for _, p := range all {
			if p, err = e.rename(ctx, p, h.Place); err != nil {
				return nil, err
			}
			found = append(found, p)
		}
	}
	if len(found) > 0 || !h.Opens {
		return found, nil
	}
	p, err := e.OpenQueue(ctx, h.Place)
	return []queue.Place{p}, err
}

// rename follows a repository that has another name or installation than we knew.
func (e *Engine) rename(ctx context.Context, p, seen queue.Place) (queue.Place, error) {
	if seen.Owner == "" || p.Owner == seen.Owner && p.Name == seen.Name && p.Installation == seen.Installation {
		return p, nil
	}
	seen.Branch = p.Branch
	if seen.Installation == 0 {
		seen.Installation = p.Installation
	}
	return e.OpenQueue(ctx, seen)
}

// OpenQueue makes sure that a base branch has a queue, and looks at the base
// when it is new or its repository was renamed.
func (e *Engine) OpenQueue(ctx context.Context, place queue.Place) (queue.Place, error) {
	opened, err := e.Inbox.OpenQueue(ctx, place)
	if err != nil {
		return opened, err
	}
	e.places.Store(opened.ID, opened)
	e.watch.tellOpened()
	return opened, e.Tell(ctx, opened.ID, queue.BaseHinted{})
}
