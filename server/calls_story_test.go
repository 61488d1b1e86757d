package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/sandbox"
)

// A repository where nothing happens costs a sweep a minute and a look at the base
// an hour, and nearly all of it is answered "not modified", which is free.
func TestAnIdleRepositoryCostsFewCallsAndMostAreFree(t *testing.T) {
	t.Parallel()
	w := found(t, scene{})
	pr := w.opens("topic")
	w.label(pr)
	w.awaitEnds(ends{pr: landed})
	w.letHourPass()
	w.forge.ResetCalls()

	w.letHourPass()

	calls := 0
	for route, n := range w.forge.Calls() {
		if strings.Contains(route, "/repos/") {
			calls += n
		}
	}
	free := w.forge.NotModified()
	t.Logf("%d calls an hour, %d answered 304", calls, free)
	if calls > 65 || calls < 30 {
		t.Errorf("%d calls an hour, want 30 to 65: %v", calls, w.forge.Calls())
	}
	if 10*free < 9*calls {
		t.Errorf("%d of %d were answered 304, want nine of ten", free, calls)
	}
}

func (w *town) letHourPass() {
	w.t.Helper()
	for range 240 {
		w.passTime(15 * time.Second)
		w.awaitRest()
	}
}

// With every webhook lost all lands, half of all at most 75 seconds later: a label
// and a result wait for the next sweep, which comes each minute.
func TestWithWebhooksLostHalfLandsWithin75Seconds(t *testing.T) {
	t.Parallel()
	w := found(t, scene{})
	w.forge.Faults.Plan(func(sandbox.Delivery) []sandbox.Delivery { return nil })
	first := w.opens("first")
	w.label(first)
	w.letTimePass("the first landed", func() bool { return w.entry(first).Phase == queue.Landed })
	var late []time.Duration
	for i := range 5 {
		w.awaitRest()
		w.passTime(time.Duration(7+11*i) * time.Second) // somewhere between two sweeps
		pr := w.opens("topic-" + string(rune('a'+i)))
		w.awaitRest()
		began := w.clock.now()
		w.label(pr)
		for w.clock.now().Sub(began) < 10*time.Minute && w.entry(pr).Phase != queue.Landed {
			w.passTime(5 * time.Second)
			w.awaitRest()
		}
		w.awaitEnds(ends{pr: landed})
		late = append(late, w.clock.now().Sub(began))
	}
	slices.Sort(late)
	t.Logf("from the label to the landing: %v", late)
	if late[2] > 75*time.Second {
		t.Errorf("half took more than %s", late[2])
	}
}
