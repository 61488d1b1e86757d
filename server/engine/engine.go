package engine

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
)

// Ledger keeps the queues and their events.
type Ledger interface {
	Queues(ctx context.Context) ([]queue.Place, error)
	Load(ctx context.Context, id int64) (queue.Place, int64, queue.Rows, error)
	Append(ctx context.Context, id int64, events ...queue.Event) error
	Unread(ctx context.Context, id int64, limit int) ([]queue.RecordedEvent, error)
	// Commit answers queue.ErrStale when the queue moved on since Version.
	Commit(ctx context.Context, c queue.Commit) error
	// SetAside keeps an event that can't be taken in out of the way of the others.
	SetAside(ctx context.Context, id, event int64, why string) error
}

// Outbox keeps the effects until they are done.
type Outbox interface {
	Due(ctx context.Context, now time.Time, limit int) ([]queue.DueEffect, error)
	// NextDue is when the earliest effect is due; false when there is none.
	NextDue(ctx context.Context) (time.Time, bool, error)
	// Finish appends the outcome and drops the effect unless it was replaced meanwhile.
	Finish(ctx context.Context, e queue.DueEffect, events ...queue.Event) error
	Defer(ctx context.Context, e queue.DueEffect, due time.Time, why string) error
}

// Inbox keeps webhooks until somebody has looked into them.
type Inbox interface {
	UnreadDeliveries(ctx context.Context, limit int) ([]queue.Delivery, error)
	FinishDelivery(ctx context.Context, guid string, events map[int64][]queue.Event) error
	QueuesOf(ctx context.Context, repository int64) ([]queue.Place, error)
	OpenQueue(ctx context.Context, place queue.Place) (queue.Place, error)
}

// Performer does one thing in the outside world and says what came of it. A
// *Later error puts it off; any other error is tried again with growing pauses.
type Performer interface {
	Perform(ctx context.Context, place queue.Place, e queue.DueEffect) ([]queue.Fact, error)
}

// Interpreter boils a webhook down to hints.
type Interpreter interface {
	Interpret(event string, body []byte) ([]queue.Hint, error)
}

// Later is the error of an effect that can't be done before At.
type Later struct {
	At  time.Time
	Why string
}

func (l *Later) Error() string { return l.Why }

// Options are an engine's parts. All are needed but Clock (time.Now when nil) and
// Step (queue.Step when nil).
type Options struct {
	Ledger      Ledger
	Outbox      Outbox
	Inbox       Inbox
	Performer   Performer
	Interpreter Interpreter
	Clock       func() time.Time
	Step        func(*queue.State, queue.Event) (*queue.State, []queue.Effect)
	Log         *slog.Logger
}

// Engine runs every queue of one server.
type Engine struct {
	Options
	queues  sync.Map // id → *runner
	places  sync.Map // id → queue.Place
	inbox   chan struct{}
	outbox  chan struct{}
	workers sync.WaitGroup
	work    atomic.Pointer[context.Context] // set while Run works
	watch   watchers
}

// New makes an engine; nothing happens before Run.
func New(o Options) *Engine {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Step == nil {
		o.Step = queue.Step
	}
	return &Engine{Options: o, inbox: make(chan struct{}, 1), outbox: make(chan struct{}, 1)}
}

// Run works until ctx ends, then lets what is under way finish or break off, and
// returns. It fails only when the store can't be read at the start.
func (e *Engine) Run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer e.workers.Wait()
	defer stop()
	e.work.Store(&ctx)
	places, err := e.Ledger.Queues(ctx)
	if err != nil {
		return fmt.Errorf("start the engine: %w", err)
	}
	d, err := e.newDispatcher(ctx)
	if err != nil {
		return fmt.Errorf("start the engine: %w", err)
	}
	e.workers.Add(2)
	go e.takeDeliveries(ctx)
	go d.run(ctx)
	for _, p := range places {
		// Whatever happened while nobody looked: read the base, and compare wish and queue.
		if err := e.Tell(ctx, p.ID, queue.BaseHinted{}, queue.Restarted{}); ctx.Err() != nil {
			return nil
		} else if err != nil {
			return fmt.Errorf("start the queue of %s/%s %s: %w", p.Owner, p.Name, p.Branch, err)
		}
	}
	e.WakeInbox()
	<-ctx.Done()
	return nil
}

// Tell records facts for a queue and wakes it.
func (e *Engine) Tell(ctx context.Context, id int64, facts ...queue.Fact) error {
	if err := e.Ledger.Append(ctx, id, e.events(facts)...); err != nil {
		return err
	}
	e.Wake(id)
	return nil
}

func (e *Engine) events(facts []queue.Fact) []queue.Event {
	now := e.Clock()
	events := make([]queue.Event, len(facts))
	for i, f := range facts {
		events[i] = queue.Event{At: now, Fact: f}
	}
	return events
}

// Pause stops a queue's batches and landings.
func (e *Engine) Pause(ctx context.Context, id int64, by, reason string) error {
	return e.Tell(ctx, id, queue.PauseAsked{By: by, Reason: reason})
}

// Resume ends a pause.
func (e *Engine) Resume(ctx context.Context, id int64, by string) error {
	return e.Tell(ctx, id, queue.ResumeAsked{By: by})
}

// ping leaves one token in a channel of one.
func ping(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}
