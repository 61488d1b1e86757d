// Package storetest is what every store of Mainstay must pass: the promises the
// engine relies on, told as tests over an interface.
//
// It is not a test of one database: how a file is opened, locked and survives a
// kill is told beside the store that has files. It may import queue, queue/shard
// and the standard library, and no store.
package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/queue/shard"
)

// Store is a store under test, all its roles together.
type Store interface {
	Queues
	Events
	Effects
	Deliveries
	Reports
	Plans
	Pools
	History
	Tests
	Greetings
}

// Queues is the queues and their rows.
type Queues interface {
	OpenQueue(ctx context.Context, place queue.Place) (queue.Place, error)
	Queues(ctx context.Context) ([]queue.Place, error)
	QueuesOf(ctx context.Context, repository int64) ([]queue.Place, error)
	Load(ctx context.Context, id int64) (place queue.Place, version int64, rows queue.Rows, err error)
	Version(ctx context.Context, id int64) (int64, error)
	Commit(ctx context.Context, c queue.Commit) error
}

// Events is what waits to be read.
type Events interface {
	Append(ctx context.Context, queueID int64, events ...queue.Event) error
	Unread(ctx context.Context, queueID int64, limit int) ([]queue.RecordedEvent, error)
	QueuesWithUnread(ctx context.Context) ([]int64, error)
	SetAside(ctx context.Context, queueID, event int64, why string) error
	Aside(ctx context.Context, limit int) ([]queue.AsideEvent, error)
}

// Effects is what waits to be done.
type Effects interface {
	Due(ctx context.Context, now time.Time, limit int) ([]queue.DueEffect, error)
	NextDue(ctx context.Context) (time.Time, bool, error)
	Finish(ctx context.Context, e queue.DueEffect, events ...queue.Event) error
	Defer(ctx context.Context, e queue.DueEffect, due time.Time, why string) error
	Pending(ctx context.Context, queueID int64) ([]queue.DueEffect, error)
}

// Deliveries is the webhooks.
type Deliveries interface {
	KeepDelivery(ctx context.Context, d queue.Delivery) (fresh bool, err error)
	UnreadDeliveries(ctx context.Context, limit int) ([]queue.Delivery, error)
	FinishDelivery(ctx context.Context, guid string, events map[int64][]queue.Event) error
	Prune(ctx context.Context, before time.Time) error
}

// Reports is what shards say.
type Reports interface {
	FindAttempt(ctx context.Context, repository int64, commit string) (queue.Place, queue.Attempt, error)
	KeepReport(ctx context.Context, queueID int64, key string, digest string, body []byte, event queue.Event) (bool, error)
}

// Plans is frozen plans, and how long things take.
type Plans interface {
	FreezePlan(ctx context.Context, key shard.PlanKey, id, inventory string, at time.Time, body []byte) ([]byte, error)
	PlanByKey(ctx context.Context, key shard.PlanKey) ([]byte, error)
	PlanByID(ctx context.Context, repository int64, id string) ([]byte, error)
	PlanOfInventory(ctx context.Context, repository int64, suite, variant, inventory string) ([]byte, error)
	KeepTimings(ctx context.Context, repository int64, suite, variant string, at time.Time, items []shard.Sample, tests map[string][]shard.Sample) error
	Timings(ctx context.Context, repository int64, suite, variant string) (shard.History, error)
	TestTimings(ctx context.Context, repository int64, suite, variant, item string) ([]shard.Sample, error)
	Entry(ctx context.Context, queueID int64, pr int) (queue.Entry, error)
}

// Pools is who holds what of leased plans.
type Pools interface {
	PlanOfRun(ctx context.Context, repository, run int64, id string) ([]byte, error)
	UpdatePool(ctx context.Context, repository int64, plan string, at time.Time, change func(body []byte) ([]byte, error)) error
}

// History is what has ended.
type History interface {
	Ended(ctx context.Context, queueID int64, limit int) ([]queue.Entry, error)
	Receipts(ctx context.Context, queueID int64, limit int) ([]queue.Receipt, error)
	Rulings(ctx context.Context, queueID int64, refusedOnly bool, limit int) ([]queue.Ruling, error)
	RulingsOfPull(ctx context.Context, queueID int64, pr, limit int) ([]queue.Ruling, error)
	Receipt(ctx context.Context, commit string) (queue.Receipt, error)
}

// Run runs the whole suite; open gives an empty store, closed by its own cleanup.
func Run(t *testing.T, open func(t *testing.T) Store) {
	for _, story := range []struct {
		name string
		tell func(*testing.T, Store)
	}{
		{"a queue is opened once", openedOnce},
		{"a renamed repository keeps its queues", renamed},
		{"what is committed is what is loaded", roundTrip},
		{"every kind of event and effect comes back", everyKind},
		{"a stale commit changes nothing", staleCommit},
		{"a refused commit leaves nothing behind", refusedCommit},
		{"events are read in order and consumed by a commit", eventsInOrder},
		{"an event is set aside", setAside},
		{"an unknown queue is said to be unknown", unknownQueue},
		{"a later effect replaces the pending one", replacedEffect},
		{"an effect finished while it was replaced", finishedWhileReplaced},
		{"a finished effect never comes back", finishedEffect},
		{"an effect put off", deferredEffect},
		{"effects come by their time", dueOrder},
		{"a doubled delivery is dropped", doubledDelivery},
		{"a delivery is finished once", finishedDelivery},
		{"only finished deliveries are pruned", prunedDeliveries},
		{"a report is kept once", keptReport},
		{"a pruned report is forgotten", prunedReport},
		{"a plan is its run's alone", planOfRun},
		{"a pool is changed by one at a time", changedPool},
		{"a pool that nobody asks is forgotten", prunedPool},
		{"an attempt is found by its commit", foundAttempt},
		{"the first plan stays", firstPlanStays},
		{"plans are kept apart", plansApart},
		{"old plans are pruned", prunedPlans},
		{"what a run took is known to the next plan", keptTimings},
		{"what is well known is seldom written", rareTimings},
		{"the tests inside a long item are known", keptTestTimings},
		{"one entry is read alone", oneEntry},
		{"history comes newest first", historyOrder},
		{"the audit is kept", rulings},
		{"a landing is learnt from once", learntOnce},
		{"a person changes the quarantine", changedQuarantine},
		{"a repository is greeted once", greetedOnce},
		{"eight engines on one queue", eightEngines},
		{"a snapshot is of one moment", oneMoment},
		{"huge rows", hugeRows},
		{"hostile text", hostileText},
		{"a caller that gave up", gaveUp},
	} {
		t.Run(story.name, func(t *testing.T) { story.tell(t, open(t)) })
	}
}

// noon is the moment the stories begin at; its nanoseconds must survive, too.
var noon = time.Date(2025, 3, 14, 12, 0, 0, 123456789, time.UTC)

var mainBranch = queue.Place{Installation: 7, Repository: 42, Owner: "octo", Name: "shop", Branch: "main"}

func openMain(t *testing.T, s Queues) queue.Place {
	t.Helper()
	place, err := s.OpenQueue(t.Context(), mainBranch)
	must(t, err)
	return place
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
