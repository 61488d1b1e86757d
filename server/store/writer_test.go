package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
)

// Writes share a transaction: one that is refused must not take the others with it.
func TestRefusedWriteLeavesItsNeighbours(t *testing.T) {
	s := openTemp(t)
	place, err := s.OpenQueue(t.Context(), shop)
	check(t, err)
	hint := queue.Event{Fact: queue.TimePassed{}}

	// Given a writer that is busy, so that all of these wait and become one group.
	busy, release := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.writer.write(t.Context(), func(*tx) error { close(busy); <-release; return nil }); err != nil {
			t.Error(err)
		}
	})
	<-busy
	var refused, kept atomic.Int32
	for i := range 40 {
		wg.Go(func() {
			id := place.ID
			if i%2 == 0 {
				id = 999
			}
			// Its first event goes in before the second statement fails.
			err := s.writer.write(context.Background(), func(t *tx) error {
				if _, err := t.exec(sqlAddEvent, place.ID, 0, "time_passed", []byte("{}")); err != nil {
					return err
				}
				rows, err := eventRows([]queue.Event{hint})
				if err != nil {
					return err
				}
				return t.addEvents(id, rows)
			})
			switch {
			case err == nil:
				kept.Add(1)
			case errors.Is(err, queue.ErrNotFound):
				refused.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	waitFor(t, func() bool { return len(s.writer.jobs) == 40 })
	close(release)
	wg.Wait()

	if kept.Load() != 20 || refused.Load() != 20 {
		t.Errorf("%d kept, %d refused, want 20 and 20", kept.Load(), refused.Load())
	}
	unread, err := s.Unread(t.Context(), place.ID, 100)
	check(t, err)
	if len(unread) != 40 {
		t.Errorf("%d events are there, want 40", len(unread))
	}
}

// waitFor yields until a condition holds; the test's own deadline ends it.
func waitFor(t *testing.T, holds func() bool) {
	t.Helper()
	deadline := time.NewTimer(10 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatal("waited in vain")
		}
	}
}

// A full disk must be an error to whom it hits, cost nothing that was acknowledged, and pass.
func TestFullDisk(t *testing.T) {
	s := openTemp(t)
	limit := func(pages int) {
		t.Helper()
		check(t, s.writer.write(t.Context(), func(x *tx) error {
			var got int
			return x.row(fmt.Sprintf("PRAGMA max_page_count = %d", pages)).Scan(&got)
		}))
	}
	keep := func(i int) error {
		_, err := s.KeepDelivery(t.Context(), queue.Delivery{GUID: fmt.Sprint(i), Body: make([]byte, 20_000)})
		return err
	}
	limit(200)
	kept := 0
	for keep(kept) == nil {
		if kept++; kept > 200 {
			t.Fatal("the disk never gets full")
		}
	}
	if err := keep(kept); err == nil || !strings.Contains(err.Error(), "full") {
		t.Errorf("the error is %v", err)
	}
	limit(100_000)
	check(t, keep(kept))
	all, err := s.UnreadDeliveries(t.Context(), 1000)
	check(t, err)
	if len(all) != kept+1 || kept == 0 {
		t.Errorf("%d deliveries are there, %d were acknowledged", len(all), kept+1)
	}
}

// A server that stops finishes what it took, and takes nothing more.
func TestCloseFinishesWhatItTook(t *testing.T) {
	s := openTemp(t)
	busy, release := make(chan struct{}), make(chan struct{})
	go s.writer.write(context.Background(), func(*tx) error { close(busy); <-release; return nil })
	<-busy
	taken := make(chan error, 1)
	go func() {
		_, err := s.KeepDelivery(context.Background(), queue.Delivery{GUID: "a"})
		taken <- err
	}()
	waitFor(t, func() bool { return len(s.writer.jobs) == 1 })
	stopped := make(chan struct{})
	go func() { s.writer.stop(); close(stopped) }()
	close(release)
	if err := <-taken; err != nil {
		t.Errorf("what was taken got %v", err)
	}
	<-stopped
	if _, err := s.KeepDelivery(t.Context(), queue.Delivery{GUID: "b"}); !errors.Is(err, errClosed) {
		t.Errorf("after the end: %v", err)
	}
	all, err := s.UnreadDeliveries(t.Context(), 10)
	check(t, err)
	if len(all) != 1 {
		t.Errorf("%d deliveries are there, want the one that was taken", len(all))
	}
}

// Webhooks come in bursts: the goal is 5,000 kept a second from 64 senders.
func BenchmarkKeepDelivery(b *testing.B) {
	s := openTemp(b)
	body := []byte(strings.Repeat("x", 9600))
	at := time.Unix(1_700_000_000, 0)
	const clients = 64
	var next atomic.Int64
	var wg sync.WaitGroup
	b.ResetTimer()
	for range clients {
		wg.Go(func() {
			for n := next.Add(1); n <= int64(b.N); n = next.Add(1) {
				d := queue.Delivery{GUID: fmt.Sprintf("%036d", n), Event: "pull_request", Body: body, At: at}
				if _, err := s.KeepDelivery(context.Background(), d); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "deliveries/s")
}

// One queue's own pace: a commit with a changed entry, a consumed event and an effect.
func BenchmarkCommit(b *testing.B) {
	s := openTemp(b)
	ctx := context.Background()
	place, err := s.OpenQueue(ctx, shop)
	if err != nil {
		b.Fatal(err)
	}
	header := queue.NewState("main").Rows().Header
	b.ResetTimer()
	for i := range b.N {
		err := s.Commit(ctx, queue.Commit{
			Queue: place.ID, Version: int64(i),
			Changes: queue.Changes{Header: &header, Entries: []queue.Entry{{PR: queue.PullRequest{Number: i % 20}}}},
			Effects: []queue.Effect{{Key: fmt.Sprint("check/", i%20), Task: queue.PostCheck{PR: i}}},
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commits/s")
}
