// Package web is the server's front door: webhooks in, the Action's plans and
// reports in, and the dashboard out.
//
// It decides nothing about queues: what comes in is verified, kept and told to
// the engine; what goes out is read from the store. It may import queue,
// queue/shard and an OIDC library, and declares the interfaces it needs.
package web

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/queue/shard"
)

// Webhooks keeps what GitHub sends.
type Webhooks interface {
	// Verify holds a signature header against the raw body.
	Verify(signature string, body []byte) error
	// KeepDelivery is false for one that is there already.
	KeepDelivery(ctx context.Context, d queue.Delivery) (fresh bool, err error)
	// WakeInbox has kept deliveries looked into.
	WakeInbox()
}

// Reports keeps what the Action sends.
type Reports interface {
	QueuesOf(ctx context.Context, repository int64) ([]queue.Place, error)
	// FindAttempt answers queue.ErrNotFound for a commit that is no attempt's.
	FindAttempt(ctx context.Context, repository int64, commit string) (queue.Place, queue.Attempt, error)
	// KeepReport answers queue.ErrDiffers when another content is kept under the key.
	KeepReport(ctx context.Context, queueID int64, key, digest string, body []byte, event queue.Event) (fresh bool, err error)
	// ReportBodies are the kept bodies whose keys begin so, in the keys' order.
	ReportBodies(ctx context.Context, queueID int64, prefix string) ([][]byte, error)
	// Tell records facts and wakes the queue.
	Tell(ctx context.Context, queueID int64, facts ...queue.Fact) error
	Wake(queueID int64)
	// KeepPullReport keeps what a shard of a pull request's own run said, for its page.
	KeepPullReport(ctx context.Context, queueID int64, r queue.PullReport, at time.Time) error
}

// Options are what the front door needs. Clock is time.Now when nil.
type Options struct {
	URL     string   // the server's own public address: the audience of tokens
	Issuers []string // who may issue the Action's identity tokens
	// Secret is shared with hosts without OIDC; empty: there is none.
	Secret   string
	Webhooks Webhooks
	Reports  Reports
	// Flakes may be nil: then nothing is known, and nothing is run again.
	Flakes Flakes
	// Plans keeps frozen plans; nil: they last as long as this process.
	Plans Plans
	// Durations makes plans even; nil: every item is taken to be alike.
	Durations Durations
	// Quarantines may be nil: nothing is excused then.
	Quarantines Quarantines
	// Pools may be nil: every plan is static then.
	Pools  Pools
	Pages  PageOptions
	Next   *NextOptions // nil: there is no page "what is next"
	Schema []byte       // of the settings file, for editors
	// Ready says what keeps the server from working, or nil.
	Ready func(ctx context.Context) error
	Clock func() time.Time
	Log   *slog.Logger
}

type door struct {
	Options
	identity *identity
	shelf    *shelf
	room     atomic.Int64 // what webhooks in flight may still take
	leased   leasedPlans
}

// Front answers everything the server is asked, and takes in by itself what was
// not brought to it.
type Front struct {
	http.Handler
	door *door
}

// New makes the front door.
func New(o Options) *Front {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	d := &door{Options: o, identity: newIdentity(o.Issuers, o.URL, o.Clock), shelf: newShelf(shelfRoom)}
	d.room.Store(maxInFlight)
	return &Front{d.routes(), d}
}

func (d *door) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /webhook", d.takeWebhook)
	mux.HandleFunc("POST /v1/plans", d.takePlan)
	mux.HandleFunc("POST "+shard.ClaimsPattern, d.takeClaim)
	mux.HandleFunc("POST "+shard.HeartbeatsPattern, d.takeHeartbeat)
	mux.HandleFunc("PUT /v1/reports/{suite}/{shard}/{chunk}", d.takeReport)
	mux.HandleFunc("GET "+shard.VerdictPath, d.showVerdict)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { say(w, http.StatusOK, "ok") })
	mux.HandleFunc("GET /readyz", d.sayReady)
	mux.HandleFunc("GET /mainstay.schema.json", d.showSchema)
	pages := newPages(d.Pages)
	pages.routes(mux)
	if d.Next != nil {
		mux.Handle("GET /setup/next", pages.guardNext(d.Next, d.showNext(pages)))
	}
	return mux
}

// Server wraps a handler with the limits that keep slow and greedy clients off.
func Server(h http.Handler) *http.Server {
	return &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: time.Minute, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10}
}

func (d *door) showSchema(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/schema+json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Access-Control-Allow-Origin", "*") // editors in a browser fetch it
	_, _ = w.Write(d.Schema)
}

func (d *door) sayReady(w http.ResponseWriter, r *http.Request) {
	if err := d.Ready(r.Context()); err != nil {
		d.Log.Warn("not ready", "err", err)
		say(w, http.StatusServiceUnavailable, "not ready")
		return
	}
	say(w, http.StatusOK, "ready")
}

func say(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text + "\n"))
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client is gone, or has it
}
