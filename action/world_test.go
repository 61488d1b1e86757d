package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/mainstay-ci/mainstay/queue/shard"
)

// step is a workflow step's surroundings: environment, files, log.
type step struct {
	t   *testing.T
	env map[string]string
	log bytes.Buffer
}

// newStep is a step of run 1 of a job in a folder of its own.
func newStep(t *testing.T, inputs map[string]string) *step {
	t.Helper()
	dir := t.TempDir()
	s := &step{t: t, env: map[string]string{
		"GITHUB_OUTPUT": filepath.Join(dir, "output"), "GITHUB_STEP_SUMMARY": filepath.Join(dir, "summary"),
		"GITHUB_WORKSPACE": filepath.Join(dir, "work"), "RUNNER_TEMP": filepath.Join(dir, "temp"), "GITHUB_JOB": "unit",
		"GITHUB_RUN_ATTEMPT": "1", "MAINSTAY_CHECK_RUN_ID": "4711", "MAINSTAY_JOB_TOTAL": "2",
	}}
	for _, folder := range []string{"GITHUB_WORKSPACE", "RUNNER_TEMP"} {
		if err := os.MkdirAll(s.env[folder], 0o755); err != nil {
			t.Fatal(err)
		}
	}
	s.with(inputs)
	return s
}

func (s *step) with(inputs map[string]string) *step {
	for name, value := range inputs {
		s.env["INPUT_"+strings.ToUpper(strings.ReplaceAll(name, "-", "_"))] = value
	}
	return s
}

func (s *step) act() int {
	s.log.Reset()
	os.Remove(s.env["GITHUB_OUTPUT"])
	return act(context.Background(), func(name string) string { return s.env[name] }, &s.log)
}

// outputs reads the output file as the runner does, heredocs and all.
func (s *step) outputs() map[string]string {
	s.t.Helper()
	text, err := os.ReadFile(s.env["GITHUB_OUTPUT"])
	if err != nil && !os.IsNotExist(err) {
		s.t.Fatal(err)
	}
	found := map[string]string{}
	lines := strings.Split(string(text), "\n")
	for i := 0; i < len(lines); i++ {
		if name, end, ok := strings.Cut(lines[i], "<<"); ok {
			var value []string
			for i++; i < len(lines) && lines[i] != end; i++ {
				value = append(value, lines[i])
			}
			found[name] = strings.Join(value, "\n")
		} else if name, value, ok := strings.Cut(lines[i], "="); ok {
			found[name] = value
		}
	}
	return found
}

func (s *step) items() []string {
	s.t.Helper()
	text, err := os.ReadFile(s.outputs()["tests-file"])
	if err != nil {
		s.t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
}

func (s *step) warnings() int { return strings.Count(s.log.String(), "::warning") }

// identity gives the step an id-token endpoint. No two tokens are alike.
func (s *step) identity() *issuer {
	i := &issuer{t: s.t}
	i.mu.Lock() // orders this with requests of another process
	i.server = httptest.NewServer(i)
	i.mu.Unlock()
	s.t.Cleanup(i.server.Close)
	s.env["ACTIONS_ID_TOKEN_REQUEST_URL"] = i.server.URL + "/?api-version=2"
	s.env["ACTIONS_ID_TOKEN_REQUEST_TOKEN"] = "runner-secret"
	return i
}

type issuer struct {
	t        *testing.T
	server   *httptest.Server
	mu       sync.Mutex
	minted   []string
	failures int // of the next tries
	audience string
}

func (i *issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.failures > 0 {
		i.failures--
		http.Error(w, "secret detail", http.StatusBadGateway)
		return
	}
	if r.Header.Get("Authorization") != "Bearer runner-secret" {
		i.t.Errorf("the token was asked for with %q", r.Header.Get("Authorization"))
	}
	i.audience = r.URL.Query().Get("audience")
	i.minted = append(i.minted, fmt.Sprintf("token-%d-%s", len(i.minted), strings.TrimPrefix(i.server.URL, "http://")))
	json.NewEncoder(w).Encode(map[string]string{"value": i.minted[len(i.minted)-1]})
}

// forgery is a server that checks every byte of the wire and keeps the reports.
// It plans back to front, so that its cut is not the local one.
type forgery struct {
	t        *testing.T
	url      string
	doors    http.Handler
	mu       sync.Mutex
	tokens   map[string]string          // with the request they came with
	known    map[string]shard.Inventory // by digest
	needed   int                        // how often the items were asked for
	packed   int                        // how many bodies were compressed
	reports  []shard.Report
	answer   shard.ReportAnswer
	checkRun string
	narrow   map[string][]string // where set, the items that are asked for, each with its tests
	secret   string              // where set, what callers must bring instead of a token
	headers  http.Header         // of the last request

	planned     shard.PlanAnswer // what plans say besides
	asked       []shard.PlanRequest
	parts       map[string][]shard.Part
	answers     []shard.ReportAnswer // of the reports one by one, then answer
	pool        [][]string           // batches of a leased plan that nobody has claimed yet
	claims      []shard.ClaimRequest
	lostAfter   int // claims, then the server is away; 0: never
	beats       []shard.HeartbeatRequest
	onBeat      func()
	leaseIsLost bool
	verdicts    []string // states, one a question; the last one stays
	questions   int
}

func newForgery(t *testing.T) *forgery {
	f := &forgery{t: t, tokens: map[string]string{}, known: map[string]shard.Inventory{}, answer: shard.ReportAnswer{Accepted: true}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+shard.PlansPath, f.plan)
	mux.HandleFunc("PUT "+shard.ReportsPattern, f.report)
	mux.HandleFunc("POST "+shard.ClaimsPattern, f.claim)
	mux.HandleFunc("POST "+shard.HeartbeatsPattern, f.beat)
	mux.HandleFunc("GET "+shard.VerdictPath, f.verdict)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	f.url, f.doors = server.URL, mux
	return f
}

// read checks a request and decodes its body.
func (f *forgery) read(r *http.Request, into any) {
	f.identify(r)
	if len(r.Header.Get("Idempotency-Key")) != 64 {
		f.t.Errorf("idempotency key %q", r.Header.Get("Idempotency-Key"))
	}
	f.checkRun = r.Header.Get(shard.HeaderCheckRun)
	body := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		f.packed++
		unpacked, err := gzip.NewReader(r.Body)
		if err != nil {
			f.t.Error(err)
			return
		}
		body = unpacked
	}
	decoder := json.NewDecoder(body)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		f.t.Errorf("%s: %v", r.URL, err)
	}
}

// identify wants a token that no other request came with, or the secret.
func (f *forgery) identify(r *http.Request) {
	f.headers = r.Header
	token := r.Header.Get("Authorization")
	if f.secret != "" {
		if token != shard.SecretScheme+" "+f.secret {
			f.t.Errorf("no secret: %q", token)
		}
		return
	}
	// Trying again is the same request, and may come with the same token.
	request := r.Method + r.URL.Path + r.Header.Get("Idempotency-Key")
	if had := f.tokens[token]; !strings.HasPrefix(token, "Bearer token-") || had != "" && had != request {
		f.t.Errorf("no fresh token: %q", token)
	}
	f.tokens[token] = request
}

// claim gives out the pool batch by batch.
func (f *forgery) claim(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var request shard.ClaimRequest
	f.read(r, &request)
	if err := request.Validate(); err != nil || r.PathValue("plan") != "pl_1" {
		f.t.Errorf("claim of plan %q: %v", r.PathValue("plan"), err)
	}
	f.claims = append(f.claims, request)
	if f.lostAfter > 0 && len(f.claims) > f.lostAfter {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	if len(f.pool) == 0 {
		json.NewEncoder(w).Encode(shard.ClaimAnswer{State: shard.ClaimDrained})
		return
	}
	batch := f.pool[0]
	f.pool = f.pool[1:]
	if batch == nil {
		json.NewEncoder(w).Encode(shard.ClaimAnswer{State: shard.ClaimWait, PollS: 1})
		return
	}
	fence := int64(len(f.claims))
	answer := shard.ClaimAnswer{State: shard.ClaimWork, Lease: shard.LeaseName(fence), Fence: fence, ExpiresS: 60, HeartbeatS: 1}
	for _, id := range batch {
		answer.Items = append(answer.Items, shard.PlannedItem{ID: id})
	}
	json.NewEncoder(w).Encode(answer)
}

func (f *forgery) beat(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var request shard.HeartbeatRequest
	f.read(r, &request)
	if err := request.Validate(); err != nil {
		f.t.Errorf("heartbeat: %v", err)
	}
	f.beats = append(f.beats, request)
	if f.onBeat != nil {
		f.onBeat()
	}
	if f.leaseIsLost {
		w.WriteHeader(http.StatusGone)
		return
	}
	fmt.Fprint(w, "{}")
}

func (f *forgery) verdict(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.identify(r)
	state := f.verdicts[min(f.questions, len(f.verdicts)-1)]
	f.questions++
	json.NewEncoder(w).Encode(shard.VerdictAnswer{State: state, Reason: "checks_failed", Detail: "TestCheckout failed", URL: "https://mainstay.example.com/b/1"})
}

func (f *forgery) plan(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var request shard.PlanRequest
	f.read(r, &request)
	if err := request.Validate(); err != nil {
		f.t.Errorf("plan request: %v", err)
	}
	f.asked = append(f.asked, request)
	if request.Inventory.Items != nil {
		f.known[request.Inventory.Digest] = request.Inventory
	}
	inventory, ok := f.known[request.Inventory.Digest]
	if !ok {
		f.needed++
		json.NewEncoder(w).Encode(shard.PlanAnswer{Need: shard.NeedItems})
		return
	}
	answer, items := f.planned, inventory.IDs()
	answer.PlanID, answer.Algorithm, answer.Scope = "pl_1", "test", shard.ScopeSlice
	for _, batch := range f.pool {
		items = slices.DeleteFunc(items, func(id string) bool { return slices.Contains(batch, id) })
	}
	if f.narrow != nil {
		answer.Scope, items = shard.ScopeNarrow, slices.Collect(maps.Keys(f.narrow))
	}
	for i, slice := range f.cut(items, request.Shard.Total) {
		planned := shard.PlannedShard{Index: i, Total: request.Shard.Total}
		for _, id := range slice {
			planned.Items = append(planned.Items, shard.PlannedItem{ID: id, Tests: f.narrow[id]})
			for n, part := range f.parts[id] {
				if n == 0 {
					planned.Items = planned.Items[:len(planned.Items)-1]
				}
				planned.Items = append(planned.Items, shard.PlannedItem{ID: id, Part: &part})
			}
		}
		if i == request.Shard.Index {
			answer.Shard = planned
		}
		if request.All {
			answer.Shards = append(answer.Shards, planned)
		}
	}
	json.NewEncoder(w).Encode(answer)
}

// received is what was reported so far. Another process's requests are ordered
// with the test by the lock only.
func (f *forgery) received() []shard.Report {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.reports)
}

func (f *forgery) cut(items []string, total int) [][]string {
	cut := shard.Split(items, total)
	for i, j := 0, len(cut)-1; i < j; i, j = i+1, j-1 {
		cut[i], cut[j] = cut[j], cut[i]
	}
	return cut
}

func (f *forgery) report(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var report shard.Report
	f.read(r, &report)
	if err := report.Validate(); err != nil {
		f.t.Errorf("report: %v", err)
	}
	if !report.Matches(r.PathValue("suite"), r.PathValue("shard"), r.PathValue("chunk")) {
		f.t.Errorf("report of %s %d %d at %s", report.Suite, report.Shard.Index, report.Chunk, r.URL.Path)
	}
	f.reports = append(f.reports, report)
	answer := f.answer
	if len(f.answers) > 0 {
		answer, f.answers = f.answers[0], f.answers[1:]
	}
	json.NewEncoder(w).Encode(answer)
}
