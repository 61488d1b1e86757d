package web

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
)

// delivered are a webhook's headers as they should be.
func delivered(guid string) map[string]string {
	return map[string]string{"X-Hub-Signature-256": "sha256=right", "X-GitHub-Delivery": guid, "X-GitHub-Event": "push"}
}

// Whatever arrives at the webhook is refused with a sentence that helps, or kept.
func TestAWebhookIsKeptOrRefusedPlainly(t *testing.T) {
	good := delivered("guid-1")
	with := func(name, value string) map[string]string {
		h := map[string]string{}
		for k, v := range good {
			h[k] = v
		}
		h[name] = value
		return h
	}
	for name, c := range map[string]struct {
		header map[string]string
		body   []byte
		status int
		says   string
	}{
		"right":            {good, []byte(`{}`), 202, "kept"},
		"wrong signature":  {with("X-Hub-Signature-256", "sha256=wrong"), []byte(`{}`), 401, "webhook secret"},
		"no signature":     {with("X-Hub-Signature-256", ""), []byte(`{}`), 401, "X-Hub-Signature-256"},
		"malformed JSON":   {good, []byte(`{`), 400, "JSON"},
		"not even signed":  {with("X-Hub-Signature-256", ""), []byte(`{`), 401, "X-Hub-Signature-256"},
		"no delivery id":   {with("X-GitHub-Delivery", ""), []byte(`{}`), 400, "X-GitHub-Delivery"},
		"compressed":       {with("Content-Encoding", "gzip"), []byte(`{}`), 415, "Content-Encoding"},
		"over 25 MiB":      {good, bytes.Repeat([]byte(" "), 25<<20+1), 413, "25 MiB"},
		"an unknown event": {with("X-GitHub-Event", "never_seen"), []byte(`{"action":"x"}`), 202, "kept"},
	} {
		t.Run(name, func(t *testing.T) {
			f := openFront(t)
			status, text := f.send("POST", "/webhook", c.header, c.body)
			if status != c.status || !strings.Contains(text, c.says) {
				t.Fatalf("answered %d %q, want %d and %q", status, text, c.status, c.says)
			}
			if kept := len(f.keeper.deliveries) == 1; kept != (c.status == 202) {
				t.Fatalf("kept: %v", kept)
			}
		})
	}
}

// GitHub must see a failure when we could not keep it: only then can it be found and sent again.
func TestAWebhookThatCanNotBeKeptIsAnsweredAsFailed(t *testing.T) {
	f := openFront(t)
	f.keeper.down = errors.New("disk full")
	status, _ := f.send("POST", "/webhook", delivered("g"), []byte(`{}`))
	if status != 503 {
		t.Fatalf("answered %d, want 503", status)
	}
}

// GitHub sends a delivery again under its old id: it is kept once, and GitHub is told it arrived.
func TestAWebhookSentTwiceIsKeptOnce(t *testing.T) {
	f := openFront(t)
	for range 2 {
		if status, text := f.send("POST", "/webhook", delivered("g"), []byte(`{}`)); status != 202 {
			t.Fatalf("answered %d %s", status, text)
		}
	}
	if len(f.keeper.deliveries) != 1 {
		t.Fatalf("%d deliveries are kept", len(f.keeper.deliveries))
	}
}

// Anybody can send large bodies, and they must be read before a signature can be
// checked: so together they may take only so much memory.
func TestBodiesInFlightAreBounded(t *testing.T) {
	// Given room for one megabyte, half of it taken by a body that is still on its way
	d := &door{Options: Options{Webhooks: newKeeper(), Clock: noonClock, Log: quiet}}
	d.room.Store(1 << 20)
	send := func(body io.Reader) *httptest.ResponseRecorder {
		r := httptest.NewRequest("POST", "/webhook", body)
		for name, value := range delivered("g") {
			r.Header.Set(name, value)
		}
		w := httptest.NewRecorder()
		d.takeWebhook(w, r)
		return w
	}
	slow, feed := io.Pipe()
	ended := make(chan int)
	go func() { ended <- send(slow).Code }()
	if _, err := feed.Write(bytes.Repeat([]byte(" "), 512<<10)); err != nil {
		t.Fatal(err)
	}
	for d.room.Load() > 512<<10 { // what was read is counted a moment later
		runtime.Gosched()
	}
	// When another of more than the rest comes, it is refused, and leaves nothing behind
	large := bytes.Repeat([]byte(" "), 600<<10)
	if w := send(bytes.NewReader(large)); w.Code != http.StatusServiceUnavailable {
		t.Fatalf("answered %d, want 503", w.Code)
	}
	// Then the first still gets through, and with it gone there is room again
	if _, err := feed.Write([]byte("{}")); err != nil {
		t.Fatal(err)
	}
	feed.Close()
	if status := <-ended; status != 202 {
		t.Fatalf("the slow one was answered %d, want 202", status)
	}
	if w := send(bytes.NewReader(append(large, "{}"...))); w.Code != 202 {
		t.Fatalf("answered %d, want 202", w.Code)
	}
	if left := d.room.Load(); left != 1<<20 {
		t.Fatalf("%d bytes of room are left of 1 MiB", left)
	}
}
