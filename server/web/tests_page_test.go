package web

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/queue/flake"
	"github.com/mainstay-ci/mainstay/queue/shard"
)

// library is the books of tests, in memory.
type library struct{ book flake.Book }

func (s *library) TestSuites(context.Context, int64) ([]flake.Name, error) {
	return []flake.Name{{Suite: "unit", Variant: "linux"}}, nil
}
func (s *library) Tests(context.Context, int64, string, string) (flake.Book, error) {
	return s.book, nil
}
func (s *library) Timings(context.Context, int64, string, string) (shard.History, error) {
	return shard.History{{Item: "m/fast", MS: 3, N: 3}, {Item: "m/slow", MS: 61_230, N: 3}}, nil
}
func (s *library) ChangeQuarantine(_ context.Context, _ int64, suite, variant string, change func(flake.Book) ([]flake.Entry, error)) error {
	if suite != "unit" || variant != "linux" {
		return queue.ErrNotFound
	}
	entries, err := change(s.book)
	if err == nil {
		s.book.Entries = entries
	}
	return err
}

// flakyLibrary has a test that fails in every tenth run and one that did once.
func flakyLibrary() *library {
	b := flake.Book{Suite: flake.Suite{Runs: 60, Count: 60, Tests: 500, At: noon}}
	often := flake.Test{Key: "t_often", Name: "TestCheckout<b>", File: "shop/cart_test.go"}
	for i := range 6 {
		often.Flaked(b.Suite, sha(i), before(time.Duration(6-i)*time.Hour))
	}
	once := flake.Test{Key: "t_once", Name: "TestMail", Class: "m/mail"}
	once.Flaked(b.Suite, sha(9), before(time.Hour))
	b.Tests = []flake.Test{once, often}
	b.Entries = []flake.Entry{{Key: "t_often", Name: often.Name, Owner: "team-shop", Reason: "flaky on good code", By: "mainstay", Since: before(48 * time.Hour), Until: noon.Add(12 * 24 * time.Hour)}}
	return &library{b}
}

// testsScene serves a queue's pages with such a library.
func testsScene(t *testing.T) (*library, http.Handler) {
	s, d := flakyLibrary(), newDesk()
	d.places = []queue.Place{{ID: 1, Repository: 42, Owner: "octo", Name: "shop", Branch: "main"}}
	d.rows[1] = queue.Rows{Header: queue.Header{Branch: "main", Settings: queue.Defaults()}}
	mux := http.NewServeMux()
	newPages(PageOptions{Reader: d, Operator: d, Tests: s, Open: true, Clock: func() time.Time { return noon }}).routes(mux)
	return s, mux
}

func ask(h http.Handler, method, path string, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://127.0.0.1"+path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestThePageOfTestsTellsWhoFlakesAndWhoMendsIt(t *testing.T) {
	_, h := testsScene(t)
	if w := ask(h, "GET", "/q/octo/shop/main", nil); !strings.Contains(w.Body.String(), `href="/q/octo/shop/main/tests"`) {
		t.Error("the queue's page does not lead there")
	}
	w := ask(h, "GET", "/q/octo/shop/main/tests", nil)
	text := w.Body.String()
	for _, want := range []string{
		"unit", "linux", "500 tests, 60 trusted runs", "TestCheckout&lt;b&gt;", "shop/cart_test.go", "flaky", "fails in 7.5\u00a0% of its runs, 6 times so far", "excused until 16 Mar 2026", "team-shop</strong> mends it",
		"TestMail", "suspect", "nobody knows in which file", "m/slow", "1m1.23s", "3ms", `action="/q/octo/shop/main/tests/release"`, `action="/q/octo/shop/main/tests/quarantine"`, "1.3\u00a0%",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if w.Code != 200 || strings.Index(text, "m/slow") > strings.Index(text, "m/fast") || !strings.Contains(text, "m/slow") {
		t.Errorf("status %d, or the slowest does not come first", w.Code)
	}
}

func TestAPersonReleasesATest(t *testing.T) {
	s, h := testsScene(t)
	form := url.Values{"suite": {"unit"}, "variant": {"linux"}, "key": {"t_often"}}
	if w := ask(h, "POST", "/q/octo/shop/main/tests/release", form); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/q/octo/shop/main/tests" {
		t.Fatalf("status %d to %s: %s", w.Code, w.Header().Get("Location"), w.Body)
	}
	if e := s.book.Entries; len(e) != 1 || e[0].Stands(noon) || !strings.HasPrefix(e[0].End, "released by") {
		t.Fatalf("entries: %+v", e)
	}
	if w := ask(h, "POST", "/q/octo/shop/main/tests/release", form); w.Code != http.StatusBadRequest {
		t.Errorf("the second time: status %d, %s", w.Code, w.Body)
	}
}

func TestAPersonExcusesATestForATime(t *testing.T) {
	good := url.Values{"suite": {"unit"}, "variant": {"linux"}, "key": {"t_once"}, "owner": {"team-mail"}, "reason": {"the mail server is slow"}, "days": {"7"}}
	s, h := testsScene(t)
	if w := ask(h, "POST", "/q/octo/shop/main/tests/quarantine", good); w.Code != http.StatusSeeOther {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	if e := s.book.Entries[0]; e.Owner != "team-mail" || e.Name != "TestMail" || e.Until != noon.Add(7*24*time.Hour) || !e.Stands(noon) {
		t.Fatalf("entry: %+v", e)
	}
	// What the rules put in may be put in anew, with an owner and a time of its own.
	s, h = testsScene(t)
	taken := url.Values{"suite": {"unit"}, "variant": {"linux"}, "key": {"t_often"}, "owner": {"ann"}, "reason": {"I am on it"}, "days": {"3"}}
	if w := ask(h, "POST", "/q/octo/shop/main/tests/quarantine", taken); w.Code != http.StatusSeeOther {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	if e := s.book.Entries; len(e) != 2 || e[0].Owner != "ann" || !e[0].Stands(noon) || e[1].Stands(noon) {
		t.Fatalf("entries: %+v", e)
	}
	_, h = testsScene(t)
	for field, c := range map[string]struct{ value, want string }{
		"days":   {"91", "from 1 to 90"},
		"owner":  {" ", "an owner and a reason"},
		"reason": {"", "an owner and a reason"},
		"key":    {"t_unknown", "never failed on good code"},
	} {
		bad := url.Values{}
		for k, v := range good {
			bad[k] = v
		}
		bad.Set(field, c.value)
		if w := ask(h, "POST", "/q/octo/shop/main/tests/quarantine", bad); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), c.want) {
			t.Errorf("%s %q: status %d, %s", field, c.value, w.Code, w.Body)
		}
	}
	// One in a hundred is the most.
	s, h = testsScene(t)
	s.book.Suite.Tests = 100
	if w := ask(h, "POST", "/q/octo/shop/main/tests/quarantine", good); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "one in a hundred") {
		t.Errorf("beyond the most: status %d, %s", w.Code, w.Body)
	}
}
