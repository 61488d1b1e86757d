package web

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
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
	asked   chan struct{} // a token for each fetch
	down    bool
	odd     bool          // its set has keys of other kinds, too, and certificates beside the keys
	hold    chan struct{} // where set, an answer waits for it to be closed
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
	is := &issuer{asked: make(chan struct{}, 100), keys: map[string]*rsa.PrivateKey{"one": signingKeys()[0]}}
	is.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/.well-known/jwks" {
			http.NotFound(w, r)
			return
		}
		is.fetches.Add(1)
		is.asked <- struct{}{}
		is.mu.Lock()
		hold := is.hold
		is.mu.Unlock()
		if hold != nil {
			<-hold
		}
		is.mu.Lock()
		defer is.mu.Unlock()
		if is.down {
			http.Error(w, "down", http.StatusBadGateway)
			return
		}
		var set jose.JSONWebKeySet
		for kid, k := range is.keys {
			set.Keys = append(set.Keys, jose.JSONWebKey{Key: k.Public(), KeyID: kid, Algorithm: "RS256", Use: "sig"})
		}
		if is.odd {
			_ = json.NewEncoder(w).Encode(oddSet(set))
			return
		}
		_ = json.NewEncoder(w).Encode(set)
	}))
	t.Cleanup(is.Close)
	return is
}

// awaitFetch waits until the keys were asked for once more.
func (is *issuer) awaitFetch(t *testing.T) {
	t.Helper()
	select {
	case <-is.asked:
	case <-time.After(10 * time.Second):
		t.Fatal("the keys were not fetched")
	}
}

// change changes the issuer as its requests don't see it half done.
func (is *issuer) change(how func()) {
	is.mu.Lock()
	defer is.mu.Unlock()
	how()
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
	pulls      []queue.PullReport
	attempts   map[string]queue.Attempt // by commit, beside those of FindAttempt
	down       error
	woken      int
	heard      []queue.Shard // what the attempt under test knows of its shards
	planKeeper
}

func newKeeper() *keeper {
	return &keeper{deliveries: map[string]queue.Delivery{}, reports: map[string]string{}, bodies: map[string][]byte{},
		planKeeper: planKeeper{plans: map[string][]byte{}, inventories: map[string][]byte{}}}
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

func (k *keeper) KeepPullReport(_ context.Context, _ int64, r queue.PullReport, _ time.Time) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.pulls = append(k.pulls, r)
	return k.down
}

func (k *keeper) WakeInbox() { k.Wake(0) }

func (k *keeper) Wake(_ int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.woken++
}

func (k *keeper) QueuesOf(_ context.Context, repository int64) ([]queue.Place, error) {
	if repository != 7 {
		return nil, nil
	}
	return []queue.Place{{ID: 1, Repository: 7, Owner: "o", Name: "r", Branch: "main"}}, k.down
}

func (k *keeper) FindAttempt(_ context.Context, repository int64, commit string) (queue.Place, queue.Attempt, error) {
	attempts := map[string]queue.Attempt{
		"tested": {ID: 41, Batch: 3, New: "tested", Ticket: "mainstay/main/41", Phase: queue.AttemptTesting, Shards: k.heard,
			Members: []queue.Member{{PR: 12}, {PR: 14}}},
		"searched": {ID: 42, Batch: 3, New: "searched", Ticket: "mainstay/main/42", Phase: queue.AttemptTesting, Narrow: []queue.FailedTest{
			{Suite: "unit", Package: "b", Name: "TestB/sub"}, {Suite: "unit", Package: "gone", Name: "TestGone"}}},
		"landed":  {ID: 39, Batch: 2, New: "landed", Tree: "tree", Ticket: "mainstay/main/39", Phase: queue.AttemptLanded},
		"dropped": {ID: 40, Batch: 3, New: "dropped", Ticket: "mainstay/main/40", Phase: queue.AttemptDead},
	}
	a, ok := attempts[commit]
	if more, has := k.attempts[commit]; has {
		a, ok = more, true
	}
	if repository != 7 || !ok {
		return queue.Place{}, queue.Attempt{}, queue.ErrNotFound
	}
	return queue.Place{ID: 1, Repository: 7, Owner: "o", Name: "r", Branch: "main"}, a, nil
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

var quiet = slog.New(slog.DiscardHandler)

func noonClock() time.Time { return time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC) }

// front is the front door with a clock the test sets.
type front struct {
	t       *testing.T
	issuer  *issuer
	keeper  *keeper
	server  *httptest.Server
	moment  atomic.Int64 // nanoseconds: a key fetch aside reads it while the test goes on
	options Options
	front   *Front
	door    *door
}

func openFront(t *testing.T, change ...func(*Options)) *front {
	t.Helper()
	f := &front{t: t, issuer: newIssuer(t), keeper: newKeeper()}
	f.setClock(noonClock())
	clock := f.now
	f.options = Options{URL: audience, Issuers: []string{f.issuer.URL}, Webhooks: f.keeper, Reports: f.keeper, Plans: f.keeper, Durations: f.keeper, Clock: clock,
		Log: quiet, Ready: func(context.Context) error { return f.keeper.down }, Pages: PageOptions{Log: quiet, Clock: clock}}
	for _, c := range change {
		c(&f.options)
	}
	f.restart()
	return f
}

func (f *front) now() time.Time            { return time.Unix(0, f.moment.Load()).UTC() }
func (f *front) setClock(moment time.Time) { f.moment.Store(moment.UnixNano()) }
func (f *front) advance(by time.Duration)  { f.moment.Add(int64(by)) }

// restart begins with an empty memory and the same store.
func (f *front) restart() {
	h := New(f.options)
	f.front, f.door, f.server = h, h.door, httptest.NewServer(h)
	f.t.Cleanup(f.server.Close)
}

func (f *front) claims() map[string]any {
	return map[string]any{"iss": f.issuer.URL, "aud": audience, "sub": "repo:o/r:ref:refs/heads/mainstay/main/41",
		"iat": f.now().Unix(), "nbf": f.now().Unix() - 600, "exp": f.now().Unix() + 300, "repository_id": "7", "run_id": "100", "run_attempt": "1",
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
