package engine_test

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/server/engine"
	"github.com/mainstay-ci/mainstay/server/store"
)

// outside is a performer whose answers the test writes down; each call is told on a channel.
type outside struct {
	mu     sync.Mutex
	answer func(e queue.DueEffect) ([]queue.Fact, error)
	calls  chan queue.DueEffect
}

func (o *outside) Perform(_ context.Context, _ queue.Place, e queue.DueEffect) ([]queue.Fact, error) {
	o.mu.Lock()
	answer := o.answer
	o.mu.Unlock()
	o.calls <- e
	if answer == nil {
		return nil, nil
	}
	return answer(e)
}

// hints is an interpreter for which a body is a pull request's number in words.
type hints struct{}

func (hints) Interpret(event string, body []byte) ([]queue.Hint, error) {
	if event == "bomb" {
		panic("out of range")
	}
	if event != "pull_request" {
		return nil, errors.New("never heard of it")
	}
	return []queue.Hint{{Place: queue.Place{Installation: 1, Repository: 7, Owner: "o", Name: "r", Branch: "main"}, Opens: true,
		Fact: queue.PullRequestHinted{Number: 12, Labelled: string(body) == "labelled"}}}, nil
}

type house struct {
	t       *testing.T
	path    string
	store   *store.Store
	engine  *engine.Engine
	outside *outside
	stop    func()
}

func openHouse(t *testing.T, path string) *house { return openHouseOf(t, path, nil) }

// openHouseOf opens a house with rules of its own; nil are the queue's.
func openHouseOf(t *testing.T, path string, rules func(*queue.State, queue.Event) (*queue.State, []queue.Effect)) *house {
	t.Helper()
	s, err := store.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, path: path, store: s, outside: &outside{calls: make(chan queue.DueEffect, 100)}}
	h.engine = engine.New(engine.Options{Ledger: s, Outbox: s, Inbox: s, Performer: h.outside, Interpreter: hints{}, Step: rules, Log: slog.New(slog.DiscardHandler)})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- h.engine.Run(ctx) }()
	var once sync.Once
	h.stop = func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	t.Cleanup(h.stop)
	return h
}

// expect waits for the next call whose task is a T; others are let through.
func expect[T queue.Task](h *house) (queue.DueEffect, T) {
	h.t.Helper()
	timeout := time.After(10 * time.Second)
	for {
		select {
		case e := <-h.outside.calls:
			if task, ok := e.Task.(T); ok {
				return e, task
			}
		case <-timeout:
			var want T
			h.t.Fatalf("no %T was performed", want)
		}
	}
}

func (h *house) deliver(guid, event, body string) {
	h.t.Helper()
	if _, err := h.store.KeepDelivery(h.t.Context(), queue.Delivery{GUID: guid, Event: event, Body: []byte(body), At: time.Now()}); err != nil {
		h.t.Fatal(err)
	}
	h.engine.WakeInbox()
}

// A webhook is all it takes: the queue is opened, and the pull request read.
func TestAWebhookOpensTheQueueAndIsFollowedByAReading(t *testing.T) {
	h := openHouse(t, filepath.Join(t.TempDir(), "m.db"))

	h.deliver("1", "pull_request", "labelled")

	_, read := expect[queue.ReadPullRequest](h)
	if read.Number != 12 {
		t.Fatalf("read #%d, want #12", read.Number)
	}
	places, err := h.store.QueuesOf(t.Context(), 7)
	if err != nil || len(places) != 1 || places[0].Branch != "main" {
		t.Fatalf("queues %v, %v", places, err)
	}
}

// A webhook nobody understands must not hold up those behind it.
func TestAWebhookThatIsNotUnderstoodIsDoneWith(t *testing.T) {
	h := openHouse(t, filepath.Join(t.TempDir(), "m.db"))

	h.deliver("1", "mystery", "?")
	h.deliver("2", "pull_request", "labelled")

	expect[queue.ReadPullRequest](h)
	left, err := h.store.UnreadDeliveries(t.Context(), 10)
	if err != nil || len(left) != 0 {
		t.Fatalf("%d deliveries are left unread, %v", len(left), err)
	}
}

// GitHub's trouble is delay: an effect that fails, or panics, comes again.
func TestAnEffectThatFailsIsPerformedAgain(t *testing.T) {
	for name, failure := range map[string]func() ([]queue.Fact, error){
		"error": func() ([]queue.Fact, error) { return nil, errors.New("bad gateway") },
		"panic": func() ([]queue.Fact, error) { panic("out of range") },
		"later": func() ([]queue.Fact, error) { return nil, &engine.Later{At: time.Now(), Why: "rate limited"} },
	} {
		t.Run(name, func(t *testing.T) {
			h := openHouse(t, filepath.Join(t.TempDir(), "m.db"))
			h.outside.answer = func(e queue.DueEffect) ([]queue.Fact, error) {
				if _, ok := e.Task.(queue.ReadPullRequest); ok && e.Tries == 0 {
					return failure()
				}
				return nil, nil
			}

			h.deliver("1", "pull_request", "labelled")

			expect[queue.ReadPullRequest](h)
			if e, _ := expect[queue.ReadPullRequest](h); e.Tries != 1 {
				t.Fatalf("tries %d, want 1", e.Tries)
			}
		})
	}
}

// What was under way when the process died may have been done: the next life
// performs it again and knows that it is again.
func TestAnEffectLeftByAnEarlierLifeIsPerformedAsARepeat(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.db")
	first := openHouse(t, path)
	hold := make(chan struct{})
	first.outside.answer = func(e queue.DueEffect) ([]queue.Fact, error) {
		if _, ok := e.Task.(queue.ReadPullRequest); ok {
			<-hold
			return nil, context.Canceled
		}
		return nil, nil
	}
	first.deliver("1", "pull_request", "labelled")
	expect[queue.ReadPullRequest](first)
	stopped := make(chan struct{})
	go func() { first.stop(); close(stopped) }()
	close(hold)
	<-stopped

	second := openHouse(t, path)

	if e, _ := expect[queue.ReadPullRequest](second); e.Tries == 0 {
		t.Fatal("the effect is performed as if for the first time")
	}
}

// Whoever looks at a page wants to know when it changed.
func TestWatchersAreToldOfChanges(t *testing.T) {
	h := openHouse(t, filepath.Join(t.TempDir(), "m.db"))
	place, err := h.engine.OpenQueue(t.Context(), queue.Place{Installation: 1, Repository: 7, Owner: "o", Name: "r", Branch: "main"})
	if err != nil {
		t.Fatal(err)
	}
	changed, stop := h.engine.Watch(place.ID)
	defer stop()

	if err := h.engine.Pause(t.Context(), place.ID, "octavia", "the weekend"); err != nil {
		t.Fatal(err)
	}

	for {
		select {
		case <-changed:
		case <-time.After(10 * time.Second):
			t.Fatal("nobody told of the pause")
		}
		_, _, rows, err := h.store.Load(t.Context(), place.ID)
		if err != nil {
			t.Fatal(err)
		}
		if p := rows.Header.Pause; p != nil {
			if p.By != "octavia" || p.Reason != "the weekend" {
				t.Fatalf("paused by %q: %q", p.By, p.Reason)
			}
			return
		}
	}
}
