package storetest

import (
	"bytes"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
)

func delivery(guid string, at time.Time) queue.Delivery {
	return queue.Delivery{GUID: guid, Event: "pull_request", Body: []byte(`{"n":"` + guid + `"}`), At: at}
}

func keep(t *testing.T, s Deliveries, d queue.Delivery) bool {
	t.Helper()
	fresh, err := s.KeepDelivery(t.Context(), d)
	must(t, err)
	return fresh
}

func unfinished(t *testing.T, s Deliveries) []queue.Delivery {
	t.Helper()
	all, err := s.UnreadDeliveries(t.Context(), 100)
	must(t, err)
	return all
}

// GitHub sends again what it thinks was lost.
func doubledDelivery(t *testing.T, s Store) {
	first := delivery("b", noon)
	second := queue.Delivery{GUID: "a", Event: "push", At: noon.Add(-time.Hour)} // its clock is behind; no body
	if !keep(t, s, first) || !keep(t, s, second) {
		t.Fatal("a new delivery is not fresh")
	}
	twin := delivery("b", noon.Add(time.Hour))
	twin.Body = []byte("another body")
	if keep(t, s, twin) {
		t.Error("a doubled delivery is fresh")
	}
	second.Body = []byte{}
	if got, want := unfinished(t, s), []queue.Delivery{first, second}; !reflect.DeepEqual(got, want) {
		t.Errorf("kept %+v, want %+v", got, want)
	}
	if one, err := s.UnreadDeliveries(t.Context(), 1); err != nil || len(one) != 1 || one[0].GUID != "b" {
		t.Errorf("the first to come is %+v (%v)", one, err)
	}
	if _, err := s.KeepDelivery(t.Context(), queue.Delivery{}); err == nil {
		t.Error("a delivery without a guid was kept")
	}
}

// A crash between "read" and "done" must neither lose a hint nor repeat it for ever.
func finishedDelivery(t *testing.T, s Store) {
	ctx := t.Context()
	first := openMain(t, s).ID
	other := mainBranch
	other.Branch = "release"
	release, err := s.OpenQueue(ctx, other)
	must(t, err)
	keep(t, s, delivery("a", noon))
	keep(t, s, delivery("b", noon))

	// When one of the queues does not exist, nothing is recorded and the delivery stays.
	err = s.FinishDelivery(ctx, "a", map[int64][]queue.Event{first: {hint(1)}, 999: {hint(1)}})
	if !errors.Is(err, queue.ErrNotFound) {
		t.Fatalf("an unknown queue got %v", err)
	}
	if got := unfinished(t, s); len(got) != 2 {
		t.Fatalf("%d deliveries wait, want 2", len(got))
	}

	// When it is finished twice, it counts once, and its GUID is remembered.
	for range 2 {
		must(t, s.FinishDelivery(ctx, "a", map[int64][]queue.Event{first: {hint(1), hint(2)}, release.ID: {hint(3)}}))
	}
	must(t, s.FinishDelivery(ctx, "b", nil))
	if keep(t, s, delivery("a", noon)) {
		t.Error("a finished delivery is fresh again")
	}
	if got := unfinished(t, s); len(got) != 0 {
		t.Errorf("still waiting: %+v", got)
	}
	for id, want := range map[int64][]int{first: {1, 2}, release.ID: {3}} {
		unread, err := s.Unread(ctx, id, 10)
		must(t, err)
		if got := numbers(unread); !reflect.DeepEqual(got, want) {
			t.Errorf("queue %d has events %v, want %v", id, got, want)
		}
	}
}

// What nobody has looked into is not old, however long it lies.
func prunedDeliveries(t *testing.T, s Store) {
	for _, d := range []queue.Delivery{delivery("old", noon.Add(-time.Hour)), delivery("new", noon), delivery("unread", noon.Add(-time.Hour))} {
		keep(t, s, d)
	}
	for _, guid := range []string{"old", "new"} {
		must(t, s.FinishDelivery(t.Context(), guid, nil))
	}
	must(t, s.Prune(t.Context(), noon))
	if got := unfinished(t, s); len(got) != 1 || got[0].GUID != "unread" {
		t.Errorf("left unread: %+v", got)
	}
	for guid, want := range map[string]bool{"old": true, "new": false, "unread": false} {
		if fresh := keep(t, s, delivery(guid, noon)); fresh != want {
			t.Errorf("after the pruning, %s is fresh: %v", guid, fresh)
		}
	}
}

// The Action repeats a report until it hears an answer.
func keptReport(t *testing.T, s Store) {
	ctx := t.Context()
	id := openMain(t, s).ID
	body := bytes.Repeat([]byte{0, 1, 254}, 1000)
	kept := func(key, digest string) (bool, error) { return s.KeepReport(ctx, id, key, digest, body, hint(1)) }
	if fresh, err := kept("7/unit/0", "d1"); err != nil || !fresh {
		t.Fatalf("a new report: fresh %v, %v", fresh, err)
	}
	if fresh, err := kept("7/unit/0", "d1"); err != nil || fresh {
		t.Errorf("the same again: fresh %v, %v", fresh, err)
	}
	if fresh, err := kept("7/unit/0", "d2"); !errors.Is(err, queue.ErrDiffers) || fresh {
		t.Errorf("another under its key: fresh %v, %v, want ErrDiffers", fresh, err)
	}
	if fresh, err := kept("7/unit/1", "d2"); err != nil || !fresh {
		t.Errorf("another shard: fresh %v, %v", fresh, err)
	}
	if _, err := s.KeepReport(ctx, id, "7/unit/2", "d", nil, queue.Event{At: noon}); err == nil {
		t.Error("a report without a fact was kept")
	}
	unread, err := s.Unread(ctx, id, 10)
	must(t, err)
	if len(unread) != 2 {
		t.Errorf("%d events for 2 reports", len(unread))
	}
}

// Bodies of reports are large, and nobody repeats one after a month.
func prunedReport(t *testing.T, s Store) {
	id := openMain(t, s).ID
	for _, key := range []string{"old", "new"} {
		e := hint(1)
		if key == "old" {
			e.At = noon.Add(-time.Hour)
		}
		_, err := s.KeepReport(t.Context(), id, key, "d", []byte("body"), e)
		must(t, err)
	}
	must(t, s.Prune(t.Context(), noon))
	for key, want := range map[string]bool{"old": true, "new": false} {
		fresh, err := s.KeepReport(t.Context(), id, key, "d", []byte("body"), hint(1))
		must(t, err)
		if fresh != want {
			t.Errorf("after the pruning, %s is fresh: %v", key, fresh)
		}
	}
}
