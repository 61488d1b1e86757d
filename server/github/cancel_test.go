package github

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/mainstay-ci/mainstay/queue"
)

// Cancelling the wrong run would stop a deployment, so this says exactly which
// runs of a commit are ours to stop.
func TestCancelStopsExactlyTheRunsOurPushStarted(t *testing.T) {
	const ticket = "mainstay/main/4"
	all := []run{
		{ID: 1, Event: "push", Branch: ticket, HeadSHA: commitA, Status: "in_progress"},
		{ID: 2, Event: "push", Branch: ticket, HeadSHA: commitA, Status: "completed", Conclusion: "failure"},
		{ID: 3, Event: "workflow_dispatch", Branch: ticket, HeadSHA: commitA, Status: "queued"},
		{ID: 4, Event: "push", Branch: "main", HeadSHA: commitA, Status: "in_progress"},
		{ID: 5, Event: "push", Branch: "feature", HeadSHA: commitA, Status: "queued"},
		{ID: 6, Event: "pull_request", Branch: "feature", HeadSHA: commitA, Status: "queued"},
		{ID: 7, Event: "push", Branch: "feature", HeadSHA: commitB, Status: "queued"},
		{ID: 8, Event: "push", Branch: ticket, HeadSHA: commitA, Status: "queued"}, // concludes meanwhile
	}
	for _, c := range []struct {
		name    string
		commits []string
		ticket  string
		want    []string
	}{
		{"of an abandoned ticket", []string{commitA}, ticket, []string{"1", "8"}},
		{"of moved heads", []string{commitA, commitB}, "", []string{"1", "5", "6", "7", "8"}},
		{"of nothing", nil, "", nil},
	} {
		var (
			mu       sync.Mutex
			canceled []string
		)
		f := newForge(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet {
				// A GitHub that ignores our filters must not make us stop more.
				_ = json.NewEncoder(w).Encode(map[string]any{"total_count": len(all), "workflow_runs": all})
				return
			}
			id := strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, "/repos/acme/shop/actions/runs/"), "/cancel")
			mu.Lock()
			canceled = append(canceled, id)
			mu.Unlock()
			if id == "8" {
				w.WriteHeader(http.StatusConflict)
				return
			}
			w.WriteHeader(http.StatusAccepted)
			fmt.Fprint(w, `{}`)
		})
		if err := f.app(t, Options{}).CancelRuns(deadline(t), shop, c.commits, c.ticket); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		slices.Sort(canceled)
		if !slices.Equal(canceled, c.want) {
			t.Errorf("%s: cancelled %v, want %v", c.name, canceled, c.want)
		}
	}
}

// Twenty pull requests labelled by one person at once are one look at that person.
func TestWhoMayWriteIsAskedOnceForAll(t *testing.T) {
	arrived, answer := make(chan struct{}, 20), make(chan struct{})
	f := newForge(t, func(w http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		<-answer
		fmt.Fprint(w, `{"permission":"write","user":{"id":5,"login":"Wren"}}`)
	})
	a := f.app(t, Options{})
	ctx := deadline(t)
	s, since := a.at(shop), a.clock().Add(-permitAge)
	var wait sync.WaitGroup
	for i := range 20 {
		wait.Go(func() {
			id := int64(5 + i%2) // half of them mean somebody who had that login before
			may, err := a.permits.mayWrite(ctx, s, queue.Actor{ID: id, Login: "wren"}, since)
			if err != nil || may != (id == 5) {
				t.Errorf("person %d may: %v, %v", id, may, err)
			}
		})
	}
	select {
	case <-arrived:
	case <-ctx.Done():
		t.Fatal("nobody asked")
	}
	close(answer)
	wait.Wait()
	if n := f.calls.Load(); n != 1 {
		t.Errorf("%d calls", n)
	}
	if may, err := a.permits.mayWrite(ctx, s, queue.Actor{}, since); may || err != nil {
		t.Errorf("a deleted account: %v, %v", may, err)
	}
}

// A permission that could not be read is nobody's: it is asked again, not remembered.
func TestAFailedLookupIsNotRemembered(t *testing.T) {
	fail := true
	f := newForge(t, func(w http.ResponseWriter, r *http.Request) {
		if fail {
			w.WriteHeader(http.StatusBadGateway)
		}
		fmt.Fprint(w, `{"permission":"admin","user":{"id":5}}`)
	})
	a := f.app(t, Options{})
	s, who := a.at(shop), queue.Actor{ID: 5, Login: "wren"}
	if _, err := a.permits.mayWrite(deadline(t), s, who, a.clock().Add(-permitAge)); KindOf(err) != Unavailable {
		t.Errorf("while it fails: %v", err)
	}
	fail = false
	if may, err := a.permits.mayWrite(deadline(t), s, who, a.clock().Add(-permitAge)); err != nil || !may {
		t.Errorf("afterwards: %v, %v", may, err)
	}
}
