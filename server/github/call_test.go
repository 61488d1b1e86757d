package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
)

// forge is GitHub reduced to one answer; tokens it hands out itself.
type forge struct {
	server *httptest.Server
	tokens atomic.Int64
	calls  atomic.Int64
}

func newForge(t *testing.T, answer http.HandlerFunc) *forge {
	t.Helper()
	f := &forge{}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /app/installations/{id}/access_tokens", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusCreated)
		fmt.Fprintf(w, `{"token":"ghs_%d","expires_at":%q}`, f.tokens.Add(1), time.Now().Add(time.Hour).Format(time.RFC3339))
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		f.calls.Add(1)
		answer(w, r)
	})
	f.server = httptest.NewServer(mux)
	t.Cleanup(f.server.Close)
	return f
}

func (f *forge) app(t *testing.T, o Options) *App {
	t.Helper()
	o.APIURL = f.server.URL
	return newApp(t, o)
}

var shop = queue.Place{Installation: 7, Owner: "acme", Name: "shop", Branch: "main"}

// The engine branches on what kind of trouble it is: ejecting on an outage or
// repeating a refusal would both be wrong.
func TestTroubleNamesItsKind(t *testing.T) {
	now := time.Now().Truncate(time.Second)
	for _, c := range []struct {
		name   string
		status int
		header map[string]string
		body   string
		kind   Kind
		retry  time.Time
	}{
		{"missing", 404, nil, `{"message":"Not Found"}`, Gone, time.Time{}},
		{"deleted", 410, nil, ``, Gone, time.Time{}},
		{"not granted", 403, nil, `{"message":"Resource not accessible by integration"}`, Forbidden, time.Time{}},
		{"wrong", 422, nil, `{"message":"Validation Failed"}`, Refused, time.Time{}},
		{"conflict", 409, nil, `{}`, Refused, time.Time{}},
		{"broken", 502, nil, `<html>unicorn</html>`, Unavailable, time.Time{}},
		{"nonsense", 200, nil, `<html>`, Unavailable, time.Time{}},
		{"primary limit", 403, map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": fmt.Sprint(now.Add(40 * time.Minute).Unix())},
			`{"message":"API rate limit exceeded"}`, Limited, now.Add(40 * time.Minute)},
		{"primary limit as 429", 429, map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": fmt.Sprint(now.Add(5 * time.Minute).Unix())},
			`{}`, Limited, now.Add(5 * time.Minute)},
		{"secondary limit", 403, map[string]string{"Retry-After": "17"},
			`{"message":"You have exceeded a secondary rate limit","documentation_url":"https://docs.github.com/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits"}`, Limited, now.Add(17 * time.Second)},
		{"secondary limit as 429", 429, map[string]string{"Retry-After": "30"}, `{}`, Limited, now.Add(30 * time.Second)},
		{"secondary limit without a time", 403, nil, `{"message":"You have exceeded a secondary rate limit."}`, Limited, now.Add(time.Minute)},
	} {
		f := newForge(t, func(w http.ResponseWriter, r *http.Request) {
			for name, value := range c.header {
				w.Header().Set(name, value)
			}
			w.WriteHeader(c.status)
			fmt.Fprint(w, c.body)
		})
		a := f.app(t, Options{Clock: func() time.Time { return now }})
		_, err := a.ReadStatus(deadline(t), shop, 1)
		var trouble *Trouble
		if !errors.As(err, &trouble) {
			t.Errorf("%s: %v is no Trouble", c.name, err)
			continue
		}
		if trouble.Kind != c.kind || !trouble.RetryAt.Equal(c.retry) {
			t.Errorf("%s: %s, again at %v; want %s, %v (%v)", c.name, trouble.Kind, trouble.RetryAt, c.kind, c.retry, err)
		}
		if n := f.calls.Load(); n != 1 {
			t.Errorf("%s: %d calls; nothing is repeated blindly", c.name, n)
		}
		if !strings.Contains(err.Error(), "GET repos/acme/shop/pulls/1") {
			t.Errorf("%s: %v does not say which call", c.name, err)
		}
	}
}

// Going on calling while limited may get the App banned, and one account's limit
// must not stop another's.
func TestALimitHoldsForItsInstallationOnly(t *testing.T) {
	now := time.Now()
	clock := func() time.Time { return now }
	f := newForge(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "/acme/") {
			w.Header().Set("Retry-After", "60")
			w.WriteHeader(http.StatusTooManyRequests)
		}
		fmt.Fprint(w, `{"number":1,"state":"open"}`)
	})
	a := f.app(t, Options{Clock: clock})
	ctx := deadline(t)

	for range 3 {
		if _, err := a.ReadStatus(ctx, shop, 1); KindOf(err) != Limited {
			t.Fatalf("limited: %v", err)
		}
	}
	if n := f.calls.Load(); n != 1 {
		t.Errorf("%d calls went out while limited, want the first only", n)
	}
	if _, err := a.ReadStatus(ctx, queue.Place{Installation: 8, Owner: "other", Name: "shop"}, 1); err != nil {
		t.Errorf("another installation: %v", err)
	}
	now = now.Add(61 * time.Second)
	_, _ = a.ReadStatus(ctx, shop, 1)
	if n := f.calls.Load(); n != 3 {
		t.Errorf("%d calls, want the third once the limit is over", n)
	}
}

// No answer at all is an unknown outcome, and never takes longer than its deadline.
func TestNoConnectionIsUnavailable(t *testing.T) {
	f := newForge(t, nil)
	a := f.app(t, Options{})
	f.server.Close()
	if _, err := a.ReadStatus(deadline(t), shop, 1); KindOf(err) != Unavailable {
		t.Errorf("nobody listens: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := a.ReadStatus(ctx, shop, 1); !errors.Is(err, context.Canceled) || KindOf(err) != "" {
		t.Errorf("called off by us: %v", err)
	}
}

// Every request carries its own deadline, so that a GitHub that hangs cannot hang a queue.
func TestEveryRequestHasADeadlineAndAVersion(t *testing.T) {
	var seen atomic.Int64
	f := newForge(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-GitHub-Api-Version") != apiVersion {
			t.Errorf("%s: version %q", r.URL, r.Header.Get("X-GitHub-Api-Version"))
		}
		fmt.Fprint(w, `{"number":1,"state":"open"}`)
	})
	a := f.app(t, Options{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		if until, ok := r.Context().Deadline(); !ok || time.Until(until) > callLimit {
			t.Errorf("%s has no deadline", r.URL)
		}
		seen.Add(1)
		return http.DefaultTransport.RoundTrip(r)
	})})
	if _, err := a.ReadStatus(deadline(t), shop, 1); err != nil || seen.Load() != 2 {
		t.Errorf("%v, %d requests", err, seen.Load())
	}
}

// A token is shared by all who need one at once, renewed before it dies, and
// replaced once when GitHub refuses it.
func TestTokensAreShared(t *testing.T) {
	var (
		mu      sync.Mutex
		now     = time.Now()
		refused atomic.Value
	)
	refused.Store("")
	clock := func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	f := newForge(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "Bearer "+refused.Load().(string) {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		fmt.Fprint(w, `{"number":1,"state":"open"}`)
	})
	a := f.app(t, Options{Clock: clock})
	ctx := deadline(t)

	var wait sync.WaitGroup
	for range 20 {
		wait.Go(func() {
			if token, err := a.Token(ctx, 7); err != nil || token != "ghs_1" {
				t.Errorf("token %q, %v", token, err)
			}
		})
	}
	wait.Wait()

	mu.Lock()
	now = now.Add(49 * time.Minute)
	mu.Unlock()
	if token, _ := a.Token(ctx, 7); token != "ghs_1" {
		t.Errorf("after 49 min: %s", token)
	}
	mu.Lock()
	now = now.Add(2 * time.Minute)
	mu.Unlock()
	if token, _ := a.Token(ctx, 7); token != "ghs_2" {
		t.Errorf("after 51 min: %s", token)
	}

	refused.Store("ghs_2")
	if _, err := a.ReadStatus(ctx, shop, 1); err != nil {
		t.Errorf("a refused token was not replaced: %v", err)
	}
	if n := f.tokens.Load(); n != 3 {
		t.Errorf("%d tokens made, want 3", n)
	}
	refused.Store("ghs_3")
	f.tokens.Store(2) // GitHub gives the refused one again
	if _, err := a.ReadStatus(ctx, shop, 1); KindOf(err) != Forbidden {
		t.Errorf("refused twice: %v", err)
	}
}

// An App that was uninstalled must not look like a pull request that was deleted.
func TestAMissingInstallationIsForbidden(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	a := newApp(t, Options{APIURL: server.URL})
	if read, err := a.ReadPullRequest(deadline(t), shop, 1, "merge-queue", labels); KindOf(err) != Forbidden || read.Gone {
		t.Errorf("read %+v, %v", read, err)
	}
}

// GitHub bans who calls too much at once.
func TestAtMostEightCallsAtOnce(t *testing.T) {
	var running, most atomic.Int64
	full := make(chan struct{}, 100)
	open := make(chan struct{})
	f := newForge(t, func(w http.ResponseWriter, r *http.Request) {
		if n := running.Add(1); n > most.Load() {
			most.Store(n)
		}
		full <- struct{}{}
		<-open
		running.Add(-1)
		fmt.Fprint(w, `{"number":1,"state":"open"}`)
	})
	a := f.app(t, Options{})
	ctx := deadline(t)
	var wait sync.WaitGroup
	for range 30 {
		wait.Go(func() {
			if _, err := a.ReadStatus(ctx, shop, 1); err != nil {
				t.Error(err)
			}
		})
	}
	for range callsAtOnce {
		select {
		case <-full:
		case <-ctx.Done():
			t.Fatal("eight calls did not come")
		}
	}
	close(open)
	wait.Wait()
	if most.Load() > callsAtOnce {
		t.Errorf("%d at once", most.Load())
	}
}

// A renamed repository answers with a redirect; following it must not carry our
// token to another host.
func TestRedirectsStayOnTheHost(t *testing.T) {
	thief := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("%s reached another host, authorized by %q", r.URL, r.Header.Get("Authorization"))
	}))
	t.Cleanup(thief.Close)
	f := newForge(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, "/repos/acme/shop/"):
			http.Redirect(w, r, "/repositories/42/pulls/1", http.StatusMovedPermanently)
		case strings.HasPrefix(r.URL.Path, "/repos/acme/away/"):
			http.Redirect(w, r, thief.URL, http.StatusMovedPermanently)
		default:
			fmt.Fprint(w, `{"number":1,"state":"open"}`)
		}
	})
	a := f.app(t, Options{})
	if status, err := a.ReadStatus(deadline(t), shop, 1); err != nil || status != queue.Open {
		t.Errorf("renamed: %s, %v", status, err)
	}
	away := shop
	away.Name = "away"
	if _, err := a.ReadStatus(deadline(t), away, 1); KindOf(err) != Unavailable {
		t.Errorf("sent away: %v", err)
	}
}
