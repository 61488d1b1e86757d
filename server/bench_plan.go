package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/queue/shard"
	"github.com/mainstay-ci/mainstay/sandbox"
	"github.com/mainstay-ci/mainstay/server/store"
	"github.com/mainstay-ci/mainstay/server/web"
)

// The load of the plan figures: a large suite, and as many runs as give a p99.
const (
	planItems  = 20_000
	planShards = 8
	planRuns   = 40
)

// benchPlan is what a shard waits for its plan, over HTTP and the store on disk,
// its body read to the end: the first to ask, who has the plan made, and the others.
func (c benchCommand) benchPlan(ctx context.Context) ([]figure, error) {
	d, err := openPlanDesk(ctx)
	if err != nil {
		return nil, err
	}
	defer d.close()
	var first, made, others, cold []float64
	for run := range planRuns {
		for i := range planShards {
			took, err := d.ask(ctx, run, i, false)
			if err != nil {
				return nil, err
			}
			if i == 0 {
				made = append(made, took)
			} else {
				others = append(others, took)
			}
		}
		for i := range planShards { // a re-run of all jobs
			took, err := d.ask(ctx, run, i, false)
			if err != nil {
				return nil, err
			}
			others = append(others, took)
		}
	}
	for run := range 10 {
		d.serve() // another process on the same store
		took, err := d.ask(ctx, run, 0, false)
		if err != nil {
			return nil, err
		}
		cold = append(cold, took)
		if took, err = d.ask(ctx, planRuns+run, 0, true); err != nil {
			return nil, err
		}
		first = append(first, took)
	}
	began := time.Now()
	if err := d.learn(ctx, time.Minute); err != nil {
		return nil, err
	}
	relearnt := time.Since(began).Seconds() * 1000
	return []figure{
		{"plan.p99", percentile(others, 99), "ms, 20,000 items, 8 shards", 50},
		{"plan.p50", percentile(others, 50), "ms", 0},
		{"plan.made", percentile(made, 99), "ms p99, the first shard of a run", 200},
		{"plan.upload", percentile(first, 99), "ms p99, the first shard of a new suite, with its items", 200},
		{"plan.cold", percentile(cold, 99), "ms p99, after a restart", 0},
		{"plan.relearn", relearnt, "ms, a landing that teaches nothing new", 0},
	}, nil
}

func percentile(took []float64, p int) float64 {
	slices.Sort(took)
	return took[min(len(took)*p/100, len(took)-1)]
}

// planDesk is the front door of a server with one attempt under test.
type planDesk struct {
	dir   string
	store *store.Store
	forge *sandbox.Forge
	place queue.Place
	door  *httptest.Server
	url   string
	items []shard.Item
	begun time.Time
}

// planReports tells the queue by storing what it would read.
type planReports struct{ *store.Store }

func (r planReports) Tell(ctx context.Context, id int64, facts ...queue.Fact) error {
	var events []queue.Event
	for _, f := range facts {
		events = append(events, queue.Event{At: time.Now(), Fact: f})
	}
	return r.Append(ctx, id, events...)
}

func (planReports) Wake(int64) {}

func openPlanDesk(ctx context.Context) (*planDesk, error) {
	d := &planDesk{begun: time.Now()}
	var err error
	if d.dir, err = os.MkdirTemp("", "mainstay-bench-"); err != nil {
		return nil, err
	}
	if err := d.open(ctx); err != nil {
		d.close()
		return nil, err
	}
	return d, nil
}

func (d *planDesk) open(ctx context.Context) (err error) {
	if d.store, err = store.Open(ctx, filepath.Join(d.dir, "mainstay.db")); err != nil {
		return err
	}
	if d.forge, err = sandbox.Start(sandbox.Options{Dir: filepath.Join(d.dir, "forge"), WithoutActions: true}); err != nil {
		return err
	}
	if d.place, err = d.store.OpenQueue(ctx, queue.Place{Repository: 7, Owner: "o", Name: "r", Branch: "main"}); err != nil {
		return err
	}
	tested := queue.Attempt{ID: 1, Batch: 1, Phase: queue.AttemptTesting, Ticket: "mainstay/main/1", New: "tested"}
	if err := d.store.Commit(ctx, queue.Commit{Queue: d.place.ID, Changes: queue.Changes{Attempts: []queue.Attempt{tested}}}); err != nil {
		return err
	}
	for i := range planItems {
		d.items = append(d.items, shard.Item{ID: fmt.Sprintf("src/area-%02d/feature-%03d/checkout_%05d.test.ts", i/1000, i/40, i), Bytes: int64(1000 + i%7000)})
	}
	d.serve()
	for i := range 10 {
		if err := d.learn(ctx, time.Duration(i-10)*time.Hour); err != nil {
			return err
		}
	}
	return nil
}

// learn keeps what a landing that long after the beginning took: all but every twentieth item is known.
func (d *planDesk) learn(ctx context.Context, after time.Duration) error {
	var took []shard.Sample
	for i, item := range d.items {
		if i%20 != 0 {
			took = append(took, shard.Sample{Item: item.ID, MS: int64(200 + i*7919%9000)})
		}
	}
	return d.store.KeepTimings(ctx, d.place.Repository, "unit", "", d.begun.Add(after), took, nil)
}

// serve opens the door anew, with nothing in its memory.
func (d *planDesk) serve() {
	if d.door != nil {
		d.door.Close()
	}
	d.door = httptest.NewUnstartedServer(nil)
	d.url = "http://" + d.door.Listener.Addr().String()
	d.door.Config.Handler = web.New(web.Options{URL: d.url, Issuers: []string{d.forge.IssuerURL()}, Reports: planReports{d.store}, Plans: d.store, Durations: d.store,
		Log: slog.New(slog.DiscardHandler), Pages: web.PageOptions{Log: slog.New(slog.DiscardHandler)}})
	d.door.Start()
}

func (d *planDesk) close() {
	if d.door != nil {
		d.door.Close()
	}
	if d.forge != nil {
		d.forge.Close()
	}
	if d.store != nil {
		d.store.Close()
	}
	os.RemoveAll(d.dir)
}

// ask asks for a shard's plan as the Action does and tells how many milliseconds
// the answer took. With upload the suite is one that nobody has seen, and its items
// are sent; else the digest is, and the items only where they are needed.
func (d *planDesk) ask(ctx context.Context, run, index int, upload bool) (float64, error) {
	items := d.items
	if upload {
		items = append(slices.Clone(items), shard.Item{ID: fmt.Sprintf("zz/new-%d", run)})
	}
	full := shard.Inventory{Digest: shard.Digest(shard.Inventory{Items: items}.IDs()), Items: items}
	r := shard.PlanRequest{API: shard.API, Suite: "unit", Runner: "jest", Mode: shard.ModeStatic,
		Shard: shard.Position{Index: index, Total: planShards}, Inventory: shard.Inventory{Digest: full.Digest}}
	if upload {
		r.Inventory = full
	}
	took, a, err := d.post(ctx, run, r)
	if err == nil && a.Need == shard.NeedItems {
		r.Inventory = full
		took, a, err = d.post(ctx, run, r)
	}
	if err == nil {
		err = a.Validate(r)
	}
	if err == nil && len(a.Shard.Items) == 0 {
		err = fmt.Errorf("shard %d has nothing to run", index)
	}
	return took, err
}

func (d *planDesk) post(ctx context.Context, run int, r shard.PlanRequest) (float64, shard.PlanAnswer, error) {
	var a shard.PlanAnswer
	token, err := d.forge.MintToken(0, d.url, map[string]any{"sub": "repo:o/r", "repository_id": "7", "run_id": fmt.Sprint(100 + run), "run_attempt": "1",
		"check_run_id": fmt.Sprint(r.Shard.Index + 1), "sha": "tested", "ref": "refs/heads/mainstay/main/1", "event_name": "push"})
	if err != nil {
		return 0, a, err
	}
	plain, err := json.Marshal(r)
	if err != nil {
		return 0, a, err
	}
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write(plain); err != nil {
		return 0, a, err
	}
	if err := w.Close(); err != nil {
		return 0, a, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, d.url+shard.PlansPath, &packed)
	if err != nil {
		return 0, a, err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Encoding", "gzip")
	began := time.Now()
	response, err := d.door.Client().Do(request)
	if err != nil {
		return 0, a, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	took := time.Since(began).Seconds() * 1000
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("the plan was answered %d %.200s", response.StatusCode, text)
	}
	if err == nil {
		err = json.Unmarshal(text, &a)
	}
	return took, a, err
}
