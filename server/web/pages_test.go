package web

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
)

// dashboard serves the pages of a desk; edit may change the options.
func dashboard(t *testing.T, d *desk, edit func(*PageOptions)) *httptest.Server {
	t.Helper()
	o := PageOptions{Reader: d, Operator: d, GitHubURL: "https://github.com/", Open: true, Clock: func() time.Time { return noon }}
	if edit != nil {
		edit(&o)
	}
	mux := http.NewServeMux()
	newPages(o).routes(mux)
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	return srv
}

func get(t *testing.T, address string) (int, string) {
	t.Helper()
	resp, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// plain is a page as it reads: without tags, spaces drawn together.
func plain(body string) string {
	var out strings.Builder
	for _, part := range strings.Split(body, "<") {
		_, text, found := strings.Cut(part, ">")
		if !found {
			text = part
		}
		out.WriteString(" " + text)
	}
	return strings.Join(strings.Fields(out.String()), " ")
}

// People come to a page with one question; each page must answer its own.
func TestEachPageSaysWhatPeopleComeFor(t *testing.T) {
	empty := newDesk()
	empty.places = []queue.Place{shopPlace()}
	empty.rows[1] = queue.Rows{Header: queue.Header{Settings: queue.Defaults()}}
	paused := busyShop()
	paused.change(1, func(r *queue.Rows) {
		r.Batches, r.Attempts, r.Entries = nil, nil, r.Entries[2:]
		r.Header.Pause = &queue.Pause{By: "GitHub", Reason: "GitHub refused to move `main`.", Rule: "GH013: a rule", At: before(8 * time.Minute)}
		r.Header.Problem = "line 3: unknown key `batsch`"
	})
	following := busyShop()
	following.change(1, func(r *queue.Rows) {
		r.Attempts[len(r.Attempts)-1].Parent = 38
		r.Attempts = append(r.Attempts, queue.Attempt{ID: 38, Batch: 4, Phase: queue.AttemptMoving, Since: before(time.Second)})
	})
	searching := busyShop()
	searching.change(1, func(r *queue.Rows) {
		wanted := []queue.FailedTest{{Name: "TestCheckout/two_items"}, {Name: "TestTotal"}, {Name: hostile}, {Name: "TestTax"}, {Name: "TestVat"}}
		r.Attempts[len(r.Attempts)-1].Narrow = wanted[:2]
		r.Attempts = append(r.Attempts,
			queue.Attempt{ID: 44, Batch: 5, Phase: queue.AttemptTesting, Since: before(time.Minute), Old: sha(80), New: sha(84), Narrow: wanted},
			queue.Attempt{ID: 45, Batch: 5, Phase: queue.AttemptTesting, Since: before(time.Minute), Parent: 43, Old: sha(82), New: sha(85), Members: []queue.Member{{PR: 16}}})
	})
	gone := busyShop()
	gone.change(1, func(r *queue.Rows) { r.Header.Missing = true })
	for name, c := range map[string]struct {
		desk *desk
		path string
		want []string
	}{
		"no queue at all":   {newDesk(), "/", []string{"No queue yet", "Install the App"}},
		"the queues":        {busyShop(), "/", []string{"acme/shop main", "Testing In line 4 Under test 2 Last landing 7 min ago", "release/2.4", "none yet"}},
		"an empty queue":    {empty, "/q/acme/shop/main", []string{"Put the label merge-queue on a pull request", "Nothing has landed yet", "Nobody was put out"}},
		"progress":          {busyShop(), "/q/acme/shop/main", []string{"Last progress 2 min ago"}},
		"the attempt":       {busyShop(), "/q/ACME/shop/main", []string{"Testing for 2 min", "mainstay/main/43", "#14 Drop the unused cart migration by mei"}},
		"behind a landing":  {following, "/q/acme/shop/main/batch/5", []string{"Built on attempt 38, which lands first"}},
		"a narrow attempt":  {searching, "/q/acme/shop/main/batch/5", []string{"Testing for 2 min Build Push Test Attempt 43", "Tests only TestCheckout/two_items , TestTotal api not heard"}},
		"the base alone":    {searching, "/q/acme/shop/main/batch/5", []string{"Tests the base by itself Of it only TestCheckout/two_items , TestTotal , &lt;script&gt;", "and 2 more"}},
		"a narrow story":    {searching, "/q/acme/shop/main/pr/15", []string{"Attempt 43 with #14, only to run TestCheckout/two_items and 1 more, built on", "Attempt 39 with #12, #13, #14 built on"}},
		"one on another":    {searching, "/q/acme/shop/main/batch/5", []string{"Testing for", "Build Push Test Check Land Attempt 45", "Built on attempt 43, which is not in main yet"}},
		"shards in words":   {busyShop(), "/q/acme/shop/main", []string{"unit 4 of 8 passed, 2 running · 486 tests", "Shard 3 of 8: flaky, 122 tests, 42 s", "Shard 7 of 8: waiting", "api not heard of yet"}},
		"checks":            {busyShop(), "/q/acme/shop/main", []string{"lint passed", "e2e running", "licences not heard of yet"}},
		"the line":          {busyShop(), "/q/acme/shop/main", []string{"1 #16 Show the delivery date in the basket by rosa Waits its turn 12 min ago about 12 min", "– #18 Bump the tax table to 2026 by renovate Waits for approval: 0 of 1"}},
		"the landed":        {busyShop(), "/q/acme/shop/main", []string{"6ef26b4 #13 Cache the price list per currency 7 min ago"}},
		"the out":           {busyShop(), "/q/acme/shop/main", []string{"Checks failed #12 Round totals half to even 4 min ago Shard 2 of 4 of unit failed. ✕ TestCheckout/two_items checkout/checkout_test.go:88 → Mend it"}},
		"a pause":           {paused, "/q/acme/shop/main", []string{"Paused by GitHub 8 min ago", "GitHub refused to move main .", "GH013: a rule", "Resume", "Nothing is tested while the queue is paused", "Waits for the queue to be resumed"}},
		"a wrong config":    {paused, "/q/acme/shop/main", []string{"not in force line 3: unknown key batsch"}},
		"a missing base":    {gone, "/q/acme/shop/main", []string{"The branch is gone", "Waits for the branch to come back"}},
		"a branch's slash":  {busyShop(), "/q/acme/shop/release/2.4", []string{"release/2.4", "Nobody waits"}},
		"a waiting request": {busyShop(), "/q/acme/shop/main/pr/16", []string{"1st in line, about 12 min Waits its turn."}},
		"an asking request": {busyShop(), "/q/acme/shop/main/pr/18", []string{"Waits for approval: 0 of 1 approvals of 2d3e73a It enters the line"}},
		"a tested request":  {busyShop(), "/q/acme/shop/main/pr/15", []string{"Testing", "unit 4 of 8 passed", "Attempt 39 with #12, #13, #14 built on"}},
		"a landed request":  {busyShop(), "/q/acme/shop/main/pr/13", []string{"Landed It is in main as 6ef26b4 .", "Test runs 2"}},
		"a request put out": {busyShop(), "/q/acme/shop/main/pr/12", []string{"Out: checks failed Shard 2 of 4 of unit failed. → Mend it", "total = 1999, want 2000", "it is red, and the search goes on", "Attempt 42, by itself, built on"}},
	} {
		t.Run(name, func(t *testing.T) {
			status, body := get(t, dashboard(t, c.desk, nil).URL+c.path)
			if status != http.StatusOK {
				t.Fatalf("status %d", status)
			}
			text := plain(body)
			for _, want := range c.want {
				if !strings.Contains(text, want) {
					t.Errorf("%s does not say %q:\n%s", c.path, want, text)
				}
			}
		})
	}
}

// The tree is the only place where a person sees why somebody was suspected.
func TestTheTreeAccountsForEverybody(t *testing.T) {
	_, body := get(t, dashboard(t, busyShop(), nil).URL+"/q/acme/shop/main")
	_, tree, _ := strings.Cut(plain(body), "who is where, and why")
	tree, _, _ = strings.Cut(tree, "In line")
	want := "✕ red, so tested on in parts #12 ✕ out #13 ✓ landed #14 #15 ✕ attempt 39: red TestCheckout/two_items on main at 6459856 · 3 min " +
		"✕ red, so tested on in parts #12 ✕ out #13 ✓ landed ✕ attempt 40: red TestCheckout/two_items on main at 6459856 · 3 min " +
		"✕ out #12 ✕ out ✕ attempt 42: red TestCheckout/two_items on main at 6459856 · 3 min " +
		"✓ landed #13 ✓ landed ✓ attempt 41: green, landed on main at 6459856 · 3 min " +
		"• being tested #14 #15 • attempt 43: testing, 5 of 11 shards passed on main at 6ef26b4"
	if got := strings.TrimSpace(tree); got != want {
		t.Errorf("tree\n%s\nwant\n%s", got, want)
	}
}

// A title is written by a stranger: on every page it is text.
func TestHostileTitlesAreText(t *testing.T) {
	d := busyShop()
	d.change(1, func(r *queue.Rows) {
		for i := range r.Entries {
			r.Entries[i].PR.Title, r.Entries[i].PR.Author.Login = hostile, hostile
		}
		r.Header.Problem, r.Header.Pause = hostile, &queue.Pause{By: hostile, Reason: hostile, Rule: hostile}
		for i := range r.Attempts {
			r.Attempts[i].Ticket, r.Attempts[i].Cause = hostile, hostile
			r.Attempts[i].Narrow = []queue.FailedTest{{Name: hostile}}
			for k := range r.Attempts[i].Shards {
				r.Attempts[i].Shards[k].Suite = hostile
			}
		}
		r.Attempts[4].Results.Checks[1].URL = "javascript:alert(1)"
	})
	for i := range d.ended[1] {
		d.ended[1][i].PR.Title = hostile
		d.ended[1][i].End.Detail, d.ended[1][i].End.Next = hostile, hostile
		d.ended[1][i].End.Tests = []queue.FailedTest{{Name: hostile, File: hostile, Message: hostile}}
	}
	srv := dashboard(t, d, nil)
	for _, path := range []string{"/", "/q/acme/shop/main", "/q/acme/shop/main/pr/12", "/q/acme/shop/main/pr/15", "/q/acme/shop/main/pr/17"} {
		status, body := get(t, srv.URL+path)
		if status != http.StatusOK {
			t.Errorf("%s: status %d", path, status)
		}
		for _, bad := range []string{"<script>alert", "<img src=x", `href="javascript:`} {
			if strings.Contains(body, bad) {
				t.Errorf("%s contains %s", path, bad)
			}
		}
		if path != "/" && !strings.Contains(body, "&lt;script&gt;alert(1)&lt;/script&gt;") {
			t.Errorf("%s does not show the title at all", path)
		}
	}
}

// Details carry `code`; nothing else of Markdown, and no HTML, gets through.
func TestCodeSpans(t *testing.T) {
	for text, want := range map[string]string{
		"Conflict in `a.go` and `b.go`.": "Conflict in <code>a.go</code> and <code>b.go</code>.",
		"one ` alone":                    "one ` alone",
		"`a` then ` alone":               "<code>a</code> then ` alone",
		"`<b>` & **x**":                  "<code>&lt;b&gt;</code> &amp; **x**",
		"":                               "",
	} {
		if got := string(codeSpans(text)); got != want {
			t.Errorf("codeSpans(%q) = %q, want %q", text, got, want)
		}
	}
}

// A reason or wait without words would show as a blank: each of them has some.
func TestEveryWordOfTheQueueHasPlainWords(t *testing.T) {
	reasons := []queue.Reason{queue.Conflict, queue.ChecksFailed, queue.TimedOut, queue.NeverStarted, queue.HeadMoved, queue.ApprovalLost,
		queue.LabelRemoved, queue.Closed, queue.Draft, queue.Retargeted, queue.NotPermitted, queue.RefusedByRule, queue.Withdrawn,
		queue.AlreadyContained, queue.LandedElsewhere, queue.ConflictingPair, queue.Infrastructure, queue.AppRemoved, queue.Integrity}
	for _, r := range reasons {
		if reasonWords[r] == "" {
			t.Errorf("reason %s has no words", r)
		}
	}
	for _, w := range []queue.Wait{queue.NotApproved, queue.ConditionUnmet, queue.InLine, queue.InTest, queue.InLanding, queue.OnHold, queue.NoRunner, queue.Paused, queue.BaseRed, queue.InvalidConfig, queue.GitHubUnavailable} {
		if waitWords[w] == "" {
			t.Errorf("wait %s has no words", w)
		}
	}
	for _, p := range []queue.AttemptPhase{queue.AttemptBuilding, queue.AttemptPushing, queue.AttemptTesting, queue.AttemptChecking, queue.AttemptMoving, queue.AttemptLanding, queue.AttemptLanded} {
		if text := phaseText(queue.Attempt{Phase: p}, "main"); text == phaseText(queue.Attempt{Phase: queue.AttemptDead}, "main") {
			t.Errorf("phase %s has no words of its own", p)
		}
	}
}

// A page that is not there says so kindly, and never what the store said.
func TestWhatIsNotThere(t *testing.T) {
	srv := dashboard(t, busyShop(), nil)
	for _, path := range []string{"/q/acme/shop/other", "/q/acme/shop/mainly", "/q/acme/shop/main/pr/99", "/q/acme/shop/main/pr/x", "/q/acme/shop/main/pr/-1",
		"/q/acme/shop/main/nonsense", "/q/other/shop/main", "/static/none.css", "/static/..%2fpages.go"} {
		if status, _ := get(t, srv.URL+path); status != http.StatusNotFound {
			t.Errorf("%s: status %d, want 404", path, status)
		}
	}
	d := busyShop()
	broken := dashboard(t, d, func(o *PageOptions) { o.Reader = brokenReader{d} })
	if status, body := get(t, broken.URL+"/q/acme/shop/main"); status != http.StatusInternalServerError || strings.Contains(body, "secret") {
		t.Errorf("a broken store: status %d\n%s", status, body)
	}
}

type brokenReader struct{ *desk }

func (brokenReader) Load(context.Context, int64) (queue.Place, int64, queue.Rows, error) {
	return queue.Place{}, 0, queue.Rows{}, errors.New("the secret path is not readable")
}

// Addresses are made of branch names, which may hold nearly anything.
func TestAddressesOfOddBranchesLeadBack(t *testing.T) {
	for _, branch := range []string{"main", "release/2.4", "a#b", "50%", "ünï/çode", "pr/7", "x/events"} {
		d := newDesk()
		place := queue.Place{ID: 1, Owner: "acme", Name: "shop", Branch: branch}
		d.places = []queue.Place{place}
		d.rows[1] = queue.Rows{Header: queue.Header{Settings: queue.Defaults()}}
		status, body := get(t, dashboard(t, d, nil).URL+queuePath(place))
		if status != http.StatusOK || !strings.Contains(body, "Nobody waits") {
			t.Errorf("%s at %s: status %d", branch, queuePath(place), status)
		}
	}
}
