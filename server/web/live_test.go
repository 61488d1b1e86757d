package web

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
)

// listening is an open stream of events.
type listening struct {
	t      *testing.T
	lines  chan string
	hangUp func()
}

func listen(t *testing.T, address string) *listening {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, "GET", address, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if got := resp.Header.Get("Content-Type"); resp.StatusCode != http.StatusOK || got != "text/event-stream" {
		t.Fatalf("status %d, %s", resp.StatusCode, got)
	}
	l := &listening{t: t, lines: make(chan string, 10_000), hangUp: cancel}
	go func() {
		defer close(l.lines)
		defer resp.Body.Close()
		scan := bufio.NewScanner(resp.Body)
		for scan.Scan() {
			l.lines <- scan.Text()
		}
	}()
	return l
}

// next is the data of the next "changed" event.
func (l *listening) next() string {
	l.t.Helper()
	var data strings.Builder
	for line := range l.lines {
		text, isData := strings.CutPrefix(line, "data: ")
		switch {
		case isData:
			data.WriteString(text + "\n")
		case line == "" && data.Len() > 0:
			return data.String()
		}
	}
	l.t.Fatal("the stream ended")
	return ""
}

func await(t *testing.T, token <-chan struct{}) {
	t.Helper()
	select {
	case <-token:
	case <-time.After(10 * time.Second):
		t.Fatal("nothing happened in 10 s")
	}
}

// Somebody who watches sees a change without asking, as the page itself would show it.
func TestALivePageFollowsItsQueue(t *testing.T) {
	for name, path := range map[string]string{"queue": "/q/acme/shop/main", "pull request": "/q/acme/shop/main/pr/16"} {
		t.Run(name, func(t *testing.T) {
			d := busyShop()
			srv := dashboard(t, d, nil)
			l := listen(t, srv.URL+path+"/events")
			if first := l.next(); !strings.Contains(first, "Show the delivery date") || strings.Contains(first, "Paused by") {
				t.Errorf("first: %.200s", first)
			}
			d.change(1, func(r *queue.Rows) { r.Header.Pause = &queue.Pause{By: "rosa", Reason: hostile, At: noon} })
			got := l.next()
			_, page := get(t, srv.URL+path)
			_, page, _ = strings.Cut(page, "/events\">")
			page, _, _ = strings.Cut(page, "</main>")
			if strings.TrimSpace(got) != strings.TrimSpace(page) || !strings.Contains(got, "Paused by rosa") {
				t.Errorf("the event is not the page's main part:\n%s\n---\n%s", got, page)
			}
		})
	}
}

// A burst of changes costs a listener few renderings, and the last state always arrives.
func TestABurstIsDrawnTogether(t *testing.T) {
	d := busyShop()
	l := listen(t, dashboard(t, d, nil).URL+"/q/acme/shop/main/events")
	l.next()
	began := time.Now()
	for i := range 200 {
		d.change(1, func(r *queue.Rows) { r.Header.Tip = sha(1000 + i) })
	}
	events := 0
	for !strings.Contains(l.next(), short(sha(1199))) {
		events++
	}
	if most := int(time.Since(began)/livePace) + 1; events > most {
		t.Errorf("%d events in %s, at most %d", events+1, time.Since(began), most)
	}
}

// Who leaves costs nothing more: the watch ends with the request.
func TestAWatchEndsWithItsRequest(t *testing.T) {
	d := busyShop()
	l := listen(t, dashboard(t, d, nil).URL+"/q/acme/shop/main/events")
	await(t, d.watched)
	l.next()
	l.hangUp()
	await(t, d.watched)
	d.mu.Lock()
	defer d.mu.Unlock()
	if n := len(d.watching[1]); n != 0 {
		t.Errorf("%d still watch", n)
	}
}

// The list of queues follows all of them; a new queue makes the page connect again.
func TestTheListFollowsEveryQueue(t *testing.T) {
	d := busyShop()
	l := listen(t, dashboard(t, d, nil).URL+"/events")
	l.next()
	d.change(2, func(r *queue.Rows) { r.Header.Pause = &queue.Pause{By: "rosa", Reason: "x", At: noon} })
	if got := l.next(); !strings.Contains(got, "Paused") {
		t.Errorf("a pause is not shown: %s", got)
	}
	d.mu.Lock()
	d.places = append(d.places, queue.Place{ID: 3, Owner: "acme", Name: "shop", Branch: "next"})
	d.mu.Unlock()
	d.change(2, func(*queue.Rows) {})
	for line := range l.lines {
		if strings.HasPrefix(line, "event:") {
			t.Error("it goes on without the new queue")
		}
	}
}

// Listening pages are bounded, and a place that is left is free again.
func TestListenersAreBounded(t *testing.T) {
	d := busyShop()
	p := newPages(PageOptions{Reader: d, Operator: d, Open: true})
	for range maxStreams {
		p.streams <- struct{}{}
	}
	mux := http.NewServeMux()
	p.routes(mux)
	door := httptest.NewServer(mux)
	t.Cleanup(door.Close)
	srv := door.URL
	if status, _ := get(t, srv+"/events"); status != http.StatusServiceUnavailable {
		t.Errorf("status %d, want 503", status)
	}
	<-p.streams
	listen(t, srv+"/events").next()
}
