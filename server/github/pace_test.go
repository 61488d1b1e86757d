package github

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/mainstay-ci/mainstay/queue"
)

var noon = time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)

// Whatever asks when, no minute of any beginning has more than 60 writes, no hour more
// than 400 things made, and who is told to come again at a moment is let by then where
// nobody else came.
func TestNoMinuteHasMoreWritesThanItBears(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, now := newPace(0), noon
		var writes, makes []time.Time
		classes := rapid.SampledFrom([][]Class{{Usual, Decoration, Landing}, {Landing}}).Draw(t, "classes")
		methods := rapid.SampledFrom([][]string{{"POST", "PATCH", "DELETE", "GET"}, {"POST"}}).Draw(t, "methods")
		gap := rapid.SampledFrom([]int{1, 100, 800, 3000}).Draw(t, "gap") // only haste comes near the limits
		for range rapid.IntRange(1, 700).Draw(t, "calls") {
			now = now.Add(time.Duration(rapid.IntRange(0, gap).Draw(t, "ms")) * time.Millisecond)
			method := rapid.SampledFrom(methods).Draw(t, "method")
			class := rapid.SampledFrom(classes).Draw(t, "class")
			at, _ := p.admit(class, call{method: method}, now)
			if !at.IsZero() {
				if method == "GET" || !at.After(now) {
					t.Fatalf("%s is put off from %s to %s", method, now, at)
				}
				if rapid.Bool().Draw(t, "gives up") {
					continue
				}
				now = at
				if at, _ = p.admit(class, call{method: method}, now); !at.IsZero() && method != "POST" {
					t.Fatalf("put off twice, to %s", at)
				}
			}
			if at.IsZero() && method != "GET" {
				writes = append(writes, now)
				if method == "POST" {
					makes = append(makes, now)
				}
			}
		}
		for i := range writes {
			if i >= writesAMinute && writes[i].Sub(writes[i-writesAMinute]) < time.Minute {
				t.Fatalf("more than %d writes in the minute before %s", writesAMinute, writes[i])
			}
		}
		for i := range makes {
			if i >= makesAnHour && makes[i].Sub(makes[i-makesAnHour]) < time.Hour {
				t.Fatalf("more than %d things made in the hour before %s", makesAnHour, makes[i])
			}
		}
	})
}

// However many checks wait to be drawn, a landing finds room.
func TestALandingNeverWaitsBehindDecoration(t *testing.T) {
	p := newPace(0)
	for range 500 {
		p.admit(Decoration, call{method: "PATCH"}, noon)
	}
	if at, _ := p.admit(Decoration, call{method: "PATCH"}, noon); at.IsZero() {
		t.Fatal("500 checks at once are let by")
	}
	for range keptForLand {
		if at, why := p.admit(Landing, call{method: "POST"}, noon); !at.IsZero() {
			t.Fatalf("a landing waits until %s: %s", at, why)
		}
	}
}

func TestWhoWaitsWhenTheHourRunsOut(t *testing.T) {
	for _, c := range []struct {
		left   int
		class  Class
		method string
		waits  bool
	}{
		{2000, Decoration, "GET", false}, {999, Decoration, "GET", true}, {999, Usual, "GET", false}, {999, Usual, "PATCH", false},
		{249, Usual, "GET", true}, {249, Landing, "GET", false}, {0, Landing, "POST", false},
	} {
		p := newPace(0)
		reset := noon.Add(20 * time.Minute)
		p.note(http.Header{"X-Ratelimit-Limit": {"5000"}, "X-Ratelimit-Remaining": {fmt.Sprint(c.left)}, "X-Ratelimit-Reset": {fmt.Sprint(reset.Unix())}})
		at, why := p.admit(c.class, call{method: c.method}, noon)
		if c.waits != at.Equal(reset) || c.waits != (why != "") {
			t.Errorf("%+v: put off to %s (%s)", c, at, why)
		}
		if at, _ := p.admit(c.class, call{method: c.method}, reset); !at.IsZero() {
			t.Errorf("%+v: in the new hour put off to %s", c, at)
		}
	}
}

// Where GitHub does not say how long a limit holds, the silence doubles, and an answer ends that.
func TestALimitWithoutATimeDoubles(t *testing.T) {
	var limited atomic.Bool
	limited.Store(true)
	f := newForge(t, func(w http.ResponseWriter, r *http.Request) {
		if limited.Load() {
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, `{"message":"You have exceeded a secondary rate limit"}`)
			return
		}
		fmt.Fprint(w, `{"number":1,"state":"open"}`)
	})
	now := noon
	a := f.app(t, Options{Clock: func() time.Time { return now }})
	silence := func() time.Duration {
		_, err := a.ReadStatus(deadline(t), shop, 1)
		var trouble *Trouble
		if !errors.As(err, &trouble) || trouble.Kind != Limited {
			t.Fatalf("got %v", err)
		}
		wait := trouble.RetryAt.Sub(now)
		now = trouble.RetryAt
		return wait
	}
	for _, want := range []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute} {
		if got := silence(); got != want {
			t.Errorf("silent for %s, want %s", got, want)
		}
	}
	limited.Store(false)
	if _, err := a.ReadStatus(deadline(t), shop, 1); err != nil {
		t.Fatal(err)
	}
	limited.Store(true)
	if got := silence(); got != time.Minute {
		t.Errorf("after an answer silent for %s", got)
	}
}

// What was read before is asked for again with its tag: unchanged it costs nothing and
// reads the same, pages and all; changed it reads anew; other installations know nothing of it.
func TestReadingAgainIsConditional(t *testing.T) {
	var full, free atomic.Int64
	version := "1"
	f := newForge(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `W/"`+version+`"`)
		if r.Header.Get("If-None-Match") == `W/"`+version+`"` {
			free.Add(1)
			w.WriteHeader(http.StatusNotModified)
			return
		}
		full.Add(1)
		if r.URL.Query().Get("page") == "" {
			w.Header().Set("Link", `<http://`+r.Host+r.URL.Path+`?page=2>; rel="next"`)
		}
		fmt.Fprintf(w, `[{"number":%s%s,"pull_request":{},"labels":[]}]`, version, strings.Repeat("1", len(r.URL.Query().Get("page"))))
	})
	a := f.app(t, Options{})
	find := func(place queue.Place, want string, wantFull, wantFree int64) {
		t.Helper()
		full.Store(0)
		free.Store(0)
		found, err := a.FindWishes(deadline(t), place, label, labels)
		if err != nil || fmt.Sprint(found.Numbers) != want || full.Load() != wantFull || free.Load() != wantFree {
			t.Errorf("found %v, %v, with %d full and %d free answers; want %s, %d, %d", found.Numbers, err, full.Load(), free.Load(), want, wantFull, wantFree)
		}
	}
	find(shop, "[1 11]", 2, 0)
	find(shop, "[1 11]", 0, 2)
	version = "2"
	find(shop, "[2 21]", 2, 0)
	find(shop, "[2 21]", 0, 2)
	other := shop
	other.Installation++
	find(other, "[2 21]", 2, 0)
}

// What is remembered is bounded, and what is too large goes by.
func TestMemoryOfAnswersIsBounded(t *testing.T) {
	size := 1000
	f := newForge(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"x"`)
		if r.Header.Get("If-None-Match") != "" {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		fmt.Fprintf(w, `{"number":1,"state":"open","body":%q}`, strings.Repeat("x", size))
	})
	a := f.app(t, Options{})
	m := a.installation(shop.Installation).api.Client().Transport.(*memory)
	read := func(n int) {
		if status, err := a.ReadStatus(deadline(t), shop, n); err != nil || status != queue.Open {
			t.Fatalf("read %s, %v", status, err)
		}
	}
	size = rememberedAnswer - 100
	for n := range 100 {
		read(n + 1)
	}
	if m.size > rememberedInAll || len(m.known) != m.order.Len() || len(m.known) < 20 {
		t.Errorf("%d bytes of %d answers, %d in order", m.size, len(m.known), m.order.Len())
	}
	kept := len(m.known)
	size = rememberedAnswer + 1
	read(1000)
	if len(m.known) != kept {
		t.Error("an answer that is too large is remembered")
	}
	read(100) // remembered: as it was
}
