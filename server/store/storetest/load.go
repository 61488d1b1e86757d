package storetest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/mainstay-ci/mainstay/queue"
)

// Eight engines take events of one queue and count them in its header: each
// event must be counted exactly once, whoever wins.
func eightEngines(t *testing.T, s Store) {
	const engines, each = 8, 25
	ctx := t.Context()
	id := openMain(t, s).ID
	var wg sync.WaitGroup
	errs := make(chan error, 2*engines)
	for engine := range engines {
		wg.Go(func() {
			for i := range each {
				if err := s.Append(ctx, id, hint(engine*each+i)); err != nil {
					errs <- err
					return
				}
			}
		})
		wg.Go(func() {
			for range each {
				if err := countOne(ctx, s, id); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		t.Fatal(err)
	}
	_, version, rows, err := s.Load(ctx, id)
	must(t, err)
	if rows.Header.NextAttempt != 1+engines*each || version != engines*each {
		t.Errorf("counted %d events in %d versions, want %d", rows.Header.NextAttempt-1, version, engines*each)
	}
	waiting(t, s)
	if got := pending(t, s, id); len(got) != engines*each {
		t.Errorf("%d effects, want one an event (%d)", len(got), engines*each)
	}
}

// countOne consumes one event, again and again until it is the one that wins.
func countOne(ctx context.Context, s Store, id int64) error {
	for {
		_, version, rows, err := s.Load(ctx, id)
		if err != nil {
			return err
		}
		unread, err := s.Unread(ctx, id, 1)
		if err != nil {
			return err
		}
		if len(unread) == 0 { // nobody appended yet
			if err := ctx.Err(); err != nil {
				return err
			}
			continue
		}
		rows.Header.NextAttempt++
		number := unread[0].Fact.(queue.PullRequestHinted).Number
		err = s.Commit(ctx, queue.Commit{
			Queue: id, Version: version, Changes: queue.Changes{Header: &rows.Header}, Consumed: []int64{unread[0].ID},
			Effects: []queue.Effect{{Key: fmt.Sprint("seen/", number), Due: noon, Task: queue.Wake{}}},
		})
		if !errors.Is(err, queue.ErrStale) {
			return err
		}
	}
}

// A reader must never see the entries of one version under the header of another.
func oneMoment(t *testing.T, s Store) {
	const versions = 150
	ctx := t.Context()
	id := openMain(t, s).ID
	written := make(chan error, 1)
	go func() {
		for v := int64(0); v < versions; v++ {
			header := queue.Header{Branch: "main", NextAttempt: v + 1}
			c := queue.Commit{Queue: id, Version: v, Changes: queue.Changes{Header: &header}}
			for pr := 1; pr <= 5; pr++ {
				e := entry(pr)
				e.Order = v + 1
				c.Changes.Entries = append(c.Changes.Entries, e)
			}
			c.Changes.Attempts = []queue.Attempt{{ID: v + 1}}
			c.Changes.AttemptsGone = []int64{v}
			if err := s.Commit(ctx, c); err != nil {
				written <- err
				return
			}
		}
		written <- nil
	}()
	for {
		_, version, rows, err := s.Load(ctx, id)
		must(t, err)
		if version > 0 {
			same := rows.Header.NextAttempt == version && len(rows.Entries) == 5 && len(rows.Attempts) == 1 && rows.Attempts[0].ID == version
			for _, e := range rows.Entries {
				same = same && e.Order == version
			}
			if !same {
				t.Fatalf("version %d holds rows of another: %+v", version, rows)
			}
		}
		if version == versions {
			break
		}
		select {
		case err := <-written:
			must(t, err)
			written <- nil
		default:
		}
	}
	must(t, <-written)
}

// A webhook may have 25 MiB, a red attempt thousands of failing tests.
func hugeRows(t *testing.T, s Store) {
	id := openMain(t, s).ID
	body := []byte(strings.Repeat("0123456789abcdef", 25<<16))
	keep(t, s, queue.Delivery{GUID: "huge", Event: "push", Body: body, At: noon})
	if got := unfinished(t, s); len(got) != 1 || string(got[0].Body) != string(body) {
		t.Fatal("a delivery of 25 MiB did not come back as it was")
	}
	must(t, s.FinishDelivery(t.Context(), "huge", nil))

	a := queue.Attempt{ID: 1, New: "n", Shards: []queue.Shard{{Suite: "unit"}}}
	for i := range 20_000 {
		a.Shards[0].Failed = append(a.Shards[0].Failed, queue.FailedTest{Name: fmt.Sprint("Test", i), Message: strings.Repeat("x", 100)})
	}
	want := queue.NewState("main").Rows()
	want.Attempts = []queue.Attempt{a}
	for pr := 1; pr <= 1000; pr++ {
		want.Entries = append(want.Entries, entry(pr))
	}
	must(t, s.Commit(t.Context(), queue.Commit{Queue: id, Changes: queue.Changes{Entries: want.Entries, Attempts: want.Attempts}}))
	_, _, rows, err := s.Load(t.Context(), id)
	must(t, err)
	if !reflect.DeepEqual(rows, want) {
		t.Error("a huge queue did not come back as it was")
	}
}

// Titles, branches and keys are written by strangers.
func hostileText(t *testing.T, s Store) {
	ctx := t.Context()
	for _, text := range []string{
		`'; DROP TABLE queues; --`, `"`, "`", `%s%n`, "a\x00b", "\u202e", "line\nline", "</script>", "日本語 🚂", `\`, "?", "$1", " ", strings.Repeat("x", 10_000),
	} {
		place := mainBranch
		place.Branch, place.Owner, place.Name = text, text, text
		got, err := s.OpenQueue(ctx, place)
		must(t, err)
		place.ID = got.ID
		e := entry(1)
		e.PR.Title, e.PR.HeadRef = text, text
		a := queue.Attempt{ID: 1, New: text, Ticket: text}
		must(t, s.Append(ctx, got.ID, queue.Event{At: noon, Fact: queue.PauseAsked{By: text, Reason: text}}))
		must(t, s.Commit(ctx, queue.Commit{
			Queue: got.ID, Changes: queue.Changes{Entries: []queue.Entry{e}, Attempts: []queue.Attempt{a}},
			Effects: []queue.Effect{{Key: text, Due: noon, Task: queue.RemoveLabel{PR: 1, Label: text}}},
		}))
		keep(t, s, queue.Delivery{GUID: text, Event: text, Body: []byte(text), At: noon})

		loadedPlace, _, rows, err := s.Load(ctx, got.ID)
		must(t, err)
		if loadedPlace != place || len(rows.Entries) != 1 || !reflect.DeepEqual(rows.Entries[0], e) || rows.Header.Branch != text {
			t.Errorf("%q: loaded %+v of %+v", text, rows.Entries, loadedPlace)
		}
		if _, found, err := s.FindAttempt(ctx, place.Repository, text); err != nil || !reflect.DeepEqual(found, a) {
			t.Errorf("%q: its attempt is %+v (%v)", text, found, err)
		}
		unread, err := s.Unread(ctx, got.ID, 1)
		must(t, err)
		if len(unread) != 1 || unread[0].Fact != (queue.PauseAsked{By: text, Reason: text}) {
			t.Errorf("%q: its event is %+v", text, unread)
		}
		effects := pending(t, s, got.ID)
		if len(effects) != 1 || effects[0].Key != text || effects[0].Task != (queue.RemoveLabel{PR: 1, Label: text}) {
			t.Errorf("%q: its effect is %+v", text, effects)
		}
		must(t, s.FinishDelivery(ctx, text, nil))
	}
}

// Who gave up before its turn must find nothing written, and harm nobody.
func gaveUp(t *testing.T, s Store) {
	id := openMain(t, s).ID
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Append(ctx, id, hint(1)); !errors.Is(err, context.Canceled) {
		t.Errorf("append got %v", err)
	}
	if err := s.Commit(ctx, queue.Commit{Queue: id}); !errors.Is(err, context.Canceled) {
		t.Errorf("commit got %v", err)
	}
	if _, _, _, err := s.Load(ctx, id); !errors.Is(err, context.Canceled) {
		t.Errorf("load got %v", err)
	}
	loaded(t, s, id, 0, queue.NewState("main").Rows())
	waiting(t, s)
}
