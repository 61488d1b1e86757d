package github

import (
	"net/http"
	"strings"
	"sync"
	"testing"
)

// The version of the REST API is pinned on every call, also on those for tokens,
// which a library makes; another host is sent nothing of ours.
func TestEveryCallPinsTheVersion(t *testing.T) {
	s := newScene(t)
	var mu sync.Mutex
	seen := map[string]string{}
	watch := roundTrip(func(r *http.Request) (*http.Response, error) {
		mu.Lock()
		seen[r.Method+" "+strings.TrimPrefix(r.URL.Path, "/api/v3")] = r.Header.Get("X-GitHub-Api-Version")
		mu.Unlock()
		return http.DefaultTransport.RoundTrip(r)
	})
	app := newApp(t, Options{AppID: s.us.ID, Key: s.us.PrivateKeyPEM, APIURL: s.forge.APIURL(), GitURL: s.forge.URL(), Transport: watch})
	_, err := app.Repositories(s.ctx)
	s.must(err)
	_, err = app.Identity(s.ctx)
	s.must(err)
	_, err = app.ReadBase(s.ctx, s.place)
	s.must(err)
	s.must(app.EnsureLabels(s.ctx, s.place, []Label{{"solo", "626b68", "Alone"}}))
	_, _ = TakeCreated(s.ctx, Options{APIURL: s.forge.APIURL(), Transport: watch}, "no-code")
	if len(seen) < 8 {
		t.Errorf("only %d calls were seen", len(seen))
	}
	for call, version := range seen {
		if version != "2022-11-28" {
			t.Errorf("%s: version %q", call, version)
		}
	}
	elsewhere := versioned{roundTrip(func(r *http.Request) (*http.Response, error) {
		if got := r.Header.Get("X-GitHub-Api-Version"); got != "" {
			t.Errorf("another host is told %q", got)
		}
		return nil, http.ErrServerClosed
	}), "api.github.com"}
	req, err := http.NewRequest(http.MethodGet, "https://storage.example.com/x", nil)
	s.must(err)
	_, _ = elsewhere.RoundTrip(req)
}
