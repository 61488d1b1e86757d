package web

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/queue/shard"
)

const audience = "https://mainstay.example.com"

// issuer signs tokens as GitHub would, and counts how often its keys are fetched.
type issuer struct {
	*httptest.Server
	mu      sync.Mutex
	keys    map[string]*rsa.PrivateKey
	fetches atomic.Int64
}

var signingKeys = sync.OnceValue(func() []*rsa.PrivateKey {
	var keys []*rsa.PrivateKey
	for range 2 {
		k, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		keys = append(keys, k)
	}
	return keys
})

func newIssuer(t *testing.T) *issuer {
	is := &issuer{keys: map[string]*rsa.PrivateKey{"one": signingKeys()[0]}}
	is.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/.well-known/jwks" {
			http.NotFound(w, r)
			return
		}
		is.fetches.Add(1)
		is.mu.Lock()
		defer is.mu.Unlock()
		var set jose.JSONWebKeySet
		for kid, k := range is.keys {
			set.Keys = append(set.Keys, jose.JSONWebKey{Key: k.Public(), KeyID: kid, Algorithm: "RS256", Use: "sig"})
		}
		_ = json.NewEncoder(w).Encode(set)
	}))
	t.Cleanup(is.Close)
	return is
}

func sign(t *testing.T, kid string, key *rsa.PrivateKey, claims map[string]any) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: key, KeyID: kid}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign(body)
	if err != nil {
		t.Fatal(err)
	}
	token, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// keeper is a store and an engine that remember what they were told.
type keeper struct {
	mu         sync.Mutex
	deliveries map[string]queue.Delivery
	reports    map[string]string
	bodies     map[string][]byte
	facts      []queue.Fact
	down       error
	woken      int
}

func (k *keeper) Verify(signature string, body []byte) error {
	if signature != "sha256=right" {
		return errors.New("the signature does not fit")
	}
	return nil
}

func (k *keeper) KeepDelivery(_ context.Context, d queue.Delivery) (bool, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.down != nil {
		return false, k.down
	}
	_, had := k.deliveries[d.GUID]
	k.deliveries[d.GUID] = d
	return !had, nil
}

func (k *keeper) WakeInbox()   { k.woken++ }
func (k *keeper) Wake(_ int64) { k.woken++ }

func (k *keeper) QueuesOf(_ context.Context, repository int64) ([]queue.Place, error) {
	if repository != 7 {
		return nil, nil
	}
	return []queue.Place{{ID: 1, Repository: 7, Owner: "o", Name: "r", Branch: "main"}}, k.down
}

func (k *keeper) FindAttempt(_ context.Context, repository int64, commit string) (queue.Place, queue.Attempt, error) {
	if repository != 7 || commit != "tested" {
		return queue.Place{}, queue.Attempt{}, queue.ErrNotFound
	}
	return queue.Place{ID: 1, Repository: 7, Owner: "o", Name: "r", Branch: "main"},
		queue.Attempt{ID: 41, Batch: 3, New: "tested", Ticket: "mainstay/main/41", Phase: queue.AttemptTesting}, nil
}

func (k *keeper) KeepReport(_ context.Context, _ int64, key, digest string, body []byte, event queue.Event) (bool, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if had, ok := k.reports[key]; ok && had != digest {
		return false, queue.ErrDiffers
	} else if ok {
		return false, nil
	}
	k.reports[key], k.bodies[key] = digest, body
	k.facts = append(k.facts, event.Fact)
	return true, nil
}

func (k *keeper) ReportBodies(_ context.Context, _ int64, prefix string) ([][]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	var bodies [][]byte
	for key, body := range k.bodies {
		if strings.HasPrefix(key, prefix) {
			bodies = append(bodies, body)
		}
	}
	return bodies, nil
}

func (k *keeper) Tell(_ context.Context, _ int64, facts ...queue.Fact) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.facts = append(k.facts, facts...)
	return k.down
}

// front is the front door with a clock the test sets.
type front struct {
	t      *testing.T
	issuer *issuer
	keeper *keeper
	server *httptest.Server
	now    time.Time
}

func openFront(t *testing.T) *front {
	t.Helper()
	f := &front{t: t, issuer: newIssuer(t), now: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC),
		keeper: &keeper{deliveries: map[string]queue.Delivery{}, reports: map[string]string{}, bodies: map[string][]byte{}}}
	h := New(Options{URL: audience, Issuer: f.issuer.URL, Webhooks: f.keeper, Reports: f.keeper, Clock: func() time.Time { return f.now },
		Log: slog.New(slog.DiscardHandler), Ready: func(context.Context) error { return f.keeper.down },
		Pages: PageOptions{Log: slog.New(slog.DiscardHandler), Clock: func() time.Time { return f.now }}})
	f.server = httptest.NewServer(h)
	t.Cleanup(f.server.Close)
	return f
}

func (f *front) claims() map[string]any {
	return map[string]any{"iss": f.issuer.URL, "aud": audience, "sub": "repo:o/r:ref:refs/heads/mainstay/main/41",
		"iat": f.now.Unix(), "nbf": f.now.Unix() - 600, "exp": f.now.Unix() + 300, "repository_id": "7", "run_id": "100", "run_attempt": "1",
		"check_run_id": "900", "sha": "tested", "ref": "refs/heads/mainstay/main/41", "event_name": "push"}
}

func (f *front) token(change map[string]any) string {
	claims := f.claims()
	for name, value := range change {
		claims[name] = value
	}
	return sign(f.t, "one", signingKeys()[0], claims)
}

func (f *front) send(method, path string, header map[string]string, body []byte) (int, string) {
	f.t.Helper()
	r, err := http.NewRequest(method, f.server.URL+path, bytes.NewReader(body))
	if err != nil {
		f.t.Fatal(err)
	}
	for name, value := range header {
		r.Header.Set(name, value)
	}
	response, err := f.server.Client().Do(r)
	if err != nil {
		f.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		f.t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func (f *front) call(token, method, path string, body any) (int, string) {
	f.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		f.t.Fatal(err)
	}
	return f.send(method, path, map[string]string{"Authorization": "Bearer " + token}, text)
}

// Whatever arrives at the webhook is refused with a sentence that helps, or kept.
func TestAWebhookIsKeptOrRefusedPlainly(t *testing.T) {
	good := map[string]string{"X-Hub-Signature-256": "sha256=right", "X-GitHub-Delivery": "guid-1", "X-GitHub-Event": "push"}
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
	status, _ := f.send("POST", "/webhook", map[string]string{"X-Hub-Signature-256": "sha256=right", "X-GitHub-Delivery": "g", "X-GitHub-Event": "push"}, []byte(`{}`))
	if status != 503 {
		t.Fatalf("answered %d, want 503", status)
	}
}

func planRequest(index, total int, items ...string) shard.PlanRequest {
	return shard.PlanRequest{API: shard.API, Suite: "unit", Runner: "go", Mode: shard.ModeStatic,
		Shard: shard.Position{Index: index, Total: total}, Inventory: shard.NewInventory(items)}
}

func aReport(index, total int, failing ...string) shard.Report {
	r := shard.Report{API: shard.API, Suite: "unit", Runner: "go", Shard: shard.Position{Index: index, Total: total}, Source: shard.SourceServer,
		Scope: shard.ScopeSlice, InventoryDigest: shard.Digest([]string{"a", "b"}), Outcome: shard.OutcomeSuccess, Final: true, Chunks: 1,
		Items: []shard.ItemResult{{ID: "a", Status: shard.Passed, MS: 10}}, Tests: []shard.Test{{Key: shard.TestKey("unit", "", "a", "TestGood"), Class: "a", Name: "TestGood", MS: 3}},
		Tool: shard.Tool{Name: "mainstay-action", Version: "test"}}
	for _, name := range failing {
		r.Outcome, r.ExitCode, r.Items[0].Status = shard.OutcomeFailure, 1, shard.Failed
		r.Tests = append(r.Tests, shard.Test{Key: shard.TestKey("unit", "", "a", name), Class: "a", Name: name,
			Executions: []shard.Execution{{Status: shard.Failed, MS: 4, Kind: shard.KindAssertion, Message: "want 1, got 2", File: "a/a_test.go", Line: 42}}})
	}
	return r
}

// A token that is not exactly a job's of a known repository opens nothing.
func TestOnlyAJobsOwnTokenIsTaken(t *testing.T) {
	f := openFront(t)
	other := signingKeys()[1]
	for name, c := range map[string]struct {
		token  string
		status int
	}{
		"right":                     {f.token(nil), 200},
		"no token":                  {"", 401},
		"another audience":          {f.token(map[string]any{"aud": "https://github.com/o"}), 401},
		"two audiences":             {f.token(map[string]any{"aud": []string{audience, "x"}}), 401},
		"expired":                   {f.token(map[string]any{"exp": f.now.Unix() - 60}), 401},
		"within the leeway":         {f.token(map[string]any{"exp": f.now.Unix() - 10}), 200},
		"not yet valid":             {f.token(map[string]any{"nbf": f.now.Unix() + 3600}), 401},
		"issued an hour ago":        {f.token(map[string]any{"iat": f.now.Unix() - 3600}), 401},
		"another issuer":            {f.token(map[string]any{"iss": "https://evil.example.com"}), 401},
		"another key":               {sign(t, "one", other, f.claims()), 401},
		"an unknown key id":         {sign(t, "nine", signingKeys()[0], f.claims()), 401},
		"an unknown repository":     {f.token(map[string]any{"repository_id": "8"}), 404},
		"no repository":             {f.token(map[string]any{"repository_id": ""}), 401},
		"alg none":                  {"eyJhbGciOiJub25lIn0." + strings.Split(f.token(nil), ".")[1] + ".", 401},
		"a megabyte":                {strings.Repeat("a", 1<<20), 401},
		"four parts":                {f.token(nil) + ".x", 401},
		"a commit of no attempt":    {f.token(map[string]any{"sha": "other"}), 409},
		"another ref of the queue":  {f.token(map[string]any{"ref": "refs/heads/mainstay/main/40"}), 409},
		"a subject of any new form": {f.token(map[string]any{"sub": "repo:o@1/r@7:whatever"}), 200},
	} {
		t.Run(name, func(t *testing.T) {
			if len(c.token) > 15<<10 {
				c.token = c.token[:15<<10] // what the server's header limit lets through
			}
			f.keeper.reports = map[string]string{}
			status, text := f.call(c.token, "PUT", "/v1/reports/unit/0/0", aReport(0, 2))
			if status != c.status {
				t.Fatalf("answered %d %s, want %d", status, text, c.status)
			}
		})
	}
	if n := f.issuer.fetches.Load(); n != 1 {
		t.Fatalf("the issuer's keys were fetched %d times within ten seconds", n)
	}
}

// A rotated key is learnt as soon as the pace allows.
func TestANewKeyOfTheIssuerIsLearnt(t *testing.T) {
	f := openFront(t)
	if status, text := f.call(f.token(nil), "POST", "/v1/plans", planRequest(0, 2, "a", "b")); status != 200 {
		t.Fatalf("answered %d %s", status, text)
	}
	f.issuer.mu.Lock()
	f.issuer.keys = map[string]*rsa.PrivateKey{"two": signingKeys()[1]}
	f.issuer.mu.Unlock()
	f.now = f.now.Add(11 * time.Second)

	status, text := f.call(sign(t, "two", signingKeys()[1], f.claims()), "POST", "/v1/plans", planRequest(0, 2, "a", "b"))

	if status != 200 {
		t.Fatalf("answered %d %s", status, text)
	}
}

// Shards that ask one after the other must come to one cut, and the queue hears that they began.
func TestAPlanIsTheSameCutForEveryShard(t *testing.T) {
	f := openFront(t)
	seen := map[string]int{}
	for i := range 2 {
		status, text := f.call(f.token(nil), "POST", "/v1/plans", planRequest(i, 2, "c", "a", "b", "d", "e"))
		var plan shard.PlanAnswer
		if err := json.Unmarshal([]byte(text), &plan); err != nil || status != 200 {
			t.Fatalf("answered %d %s", status, text)
		}
		for _, id := range plan.Shard.IDs() {
			seen[id]++
		}
	}
	for _, id := range []string{"a", "b", "c", "d", "e"} {
		if seen[id] != 1 {
			t.Errorf("item %s is in %d shards", id, seen[id])
		}
	}
	if len(f.keeper.facts) != 2 {
		t.Fatalf("the queue heard of %d shards", len(f.keeper.facts))
	}
	started := f.keeper.facts[0].(queue.ShardStarted)
	if started.Commit != "tested" || started.Shard.CheckRun != 900 || started.Shard.RunID != 100 {
		t.Fatalf("the queue heard %+v", started)
	}
}

// An ordinary run gets its plan, but moves nothing.
func TestARunOfAPullRequestMovesNothing(t *testing.T) {
	f := openFront(t)
	token := f.token(map[string]any{"event_name": "pull_request", "ref": "refs/pull/12/merge"})
	for path, body := range map[string]any{"POST /v1/plans": planRequest(0, 2, "a", "b"), "PUT /v1/reports/unit/0/0": aReport(0, 2)} {
		method, path, _ := strings.Cut(path, " ")
		if status, text := f.call(token, method, path, body); status != 200 || strings.Contains(text, `"batch"`) {
			t.Fatalf("%s answered %d %s", path, status, text)
		}
	}
	if len(f.keeper.facts) != 0 || len(f.keeper.reports) != 0 {
		t.Fatalf("the queue heard %v", f.keeper.facts)
	}
}

// A failing test reaches the queue with its name and place; twice the same is once.
func TestAReportTellsTheQueueWhatFailed(t *testing.T) {
	f := openFront(t)
	for range 2 {
		status, text := f.call(f.token(nil), "PUT", "/v1/reports/unit/1/0", aReport(1, 2, "TestCheckout"))
		if status != 200 || !strings.Contains(text, `"job":"fail"`) {
			t.Fatalf("answered %d %s", status, text)
		}
	}
	if len(f.keeper.facts) != 1 {
		t.Fatalf("the queue heard %d facts", len(f.keeper.facts))
	}
	sh := f.keeper.facts[0].(queue.ShardReported).Shard
	if sh.Result != shard.ResultFailed || len(sh.Failed) != 1 || sh.Failed[0].Name != "TestCheckout" || sh.Failed[0].Line != 42 {
		t.Fatalf("the queue heard %+v", sh)
	}

	status, _ := f.call(f.token(nil), "PUT", "/v1/reports/unit/1/0", aReport(1, 2))
	if status != 409 {
		t.Fatalf("a second, other report was answered %d, want 409", status)
	}
}

// A report in two chunks counts when both are there, in whatever order.
func TestAReportInChunksCountsWhenItIsWhole(t *testing.T) {
	f := openFront(t)
	for _, chunk := range []int{1, 0} {
		r := aReport(0, 2, fmt.Sprintf("Test%d", chunk))
		r.Chunks, r.Chunk, r.Final = 2, chunk, chunk == 1
		if status, text := f.call(f.token(nil), "PUT", fmt.Sprintf("/v1/reports/unit/0/%d", chunk), r); status != 200 {
			t.Fatalf("answered %d %s", status, text)
		}
	}
	if _, ok := f.keeper.facts[0].(queue.ShardStarted); !ok {
		t.Fatalf("after the first chunk the queue heard %T", f.keeper.facts[0])
	}
	sh := f.keeper.facts[1].(queue.ShardReported).Shard
	if len(sh.Failed) != 2 {
		t.Fatalf("the queue heard of %d failing tests, want those of both chunks", len(sh.Failed))
	}
}

// Bodies that are not what was asked for get a clear answer.
func TestABadBodyIsRefusedPlainly(t *testing.T) {
	f := openFront(t)
	for name, c := range map[string]struct {
		path   string
		body   any
		status int
	}{
		"another address":   {"/v1/reports/unit/1/0", aReport(0, 2), 422},
		"a shard too many":  {"/v1/reports/unit/5/0", aReport(5, 2), 422},
		"not a report":      {"/v1/reports/unit/0/0", []string{"x"}, 400},
		"a hostile suite":   {"/v1/reports/unit/0/0", func() shard.Report { r := aReport(0, 2); r.Suite = "a\nb"; return r }(), 422},
		"an unknown status": {"/v1/reports/unit/0/0", func() shard.Report { r := aReport(0, 2); r.Items[0].Status = "maybe"; return r }(), 422},
	} {
		t.Run(name, func(t *testing.T) {
			status, text := f.call(f.token(nil), "PUT", c.path, c.body)
			var body shard.ErrorBody
			if err := json.Unmarshal([]byte(text), &body); err != nil || status != c.status || body.Error.Message == "" {
				t.Fatalf("answered %d %s, want %d and a message", status, text, c.status)
			}
		})
	}
}
