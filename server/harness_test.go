package main

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/sandbox"
	"github.com/mainstay-ci/mainstay/sandbox/truth"
)

// patience is a deadline that only a hang reaches.
var patience = 60 * time.Second

const webhookSecret = "a-webhook-secret-that-nobody-may-see"

// town is a forge with one repository, its people, another CI, and a server
// that reaches the forge through a gate: the scene of every story here.
type town struct {
	t      *testing.T
	dir    string
	forge  *sandbox.Forge
	app    *sandbox.App
	repo   *sandbox.Repository
	owner  *sandbox.User // may write: reviews, labels
	author *sandbox.User // may write: opens pull requests
	gate   *gate
	ci     *otherCI
	server *server
	road   *road  // where it is, the one way to the server
	notes  string // where a project notes what ran
	place  queue.Place
	clock  *townClock
	waits  time.Duration // what only a hang reaches
	tune   func(*settings)
	log    *logBook
	base   string // where the base stood when the story began
}

// scene says in what a story's town differs from the others.
type scene struct {
	files     map[string]string // of the first commit
	actions   bool              // workflows run, with the real Action
	unruled   bool              // no rules on the base
	approvals int
	jobEnv    []string // of the workflows' steps, over the usual one
	road      *road
}

// found builds a town whose base asks for the check "ci" and for our own, and starts its server.
func found(t *testing.T, s scene) *town {
	t.Helper()
	w := foundWithoutServer(t, s)
	w.serve()
	return w
}

func foundWithoutServer(t *testing.T, s scene) *town {
	t.Helper()
	w := &town{t: t, dir: t.TempDir(), road: s.road, waits: patience, clock: &townClock{}, log: &logBook{}}
	watch := truth.Watch(t)
	options := sandbox.Options{Dir: filepath.Join(w.dir, "forge"), Seed: 1, WithoutActions: !s.actions, Around: watch.Around, Told: watch.Told}
	if s.actions {
		options.Actions, options.JobEnv = actionOfThisTree(t)
		options.JobEnv = append(options.JobEnv, s.jobEnv...)
	}
	var err error
	w.forge, err = sandbox.Start(options)
	w.must(err)
	t.Cleanup(func() { w.must(w.forge.Close()) })
	w.app, err = w.forge.NewApp(sandbox.AppOptions{Name: "mainstay", WebhookSecret: webhookSecret})
	w.must(err)
	w.repo, err = w.forge.NewRepository(sandbox.RepositoryOptions{Owner: "acme", Name: "widgets"})
	w.must(err)
	w.owner, w.author = w.forge.NewUser("octavia"), w.forge.NewUser("ada")
	w.must(w.repo.SetPermission(w.owner, "write"))
	w.must(w.repo.SetPermission(w.author, "write"))
	w.gate = openGate(w)
	w.ci = openCI(w)
	if s.files == nil {
		s.files = map[string]string{"README.md": "Widgets\n", "shared.txt": "one\n"}
	}
	w.base, err = w.repo.Commit("", s.files, "Begin")
	w.must(err)
	w.must(w.repo.Push(w.owner, sandbox.RefUpdate{Ref: "main", New: w.base}))
	if !s.unruled {
		w.protect(sandbox.Rules{RequiredApprovals: s.approvals})
	}
	w.repo.Install(w.app)
	return w
}

// protect puts the town's usual checks on the base, and what else the rules ask.
// Pull requests only is what approvals imply, so the App is let by that one.
func (w *town) protect(rules sandbox.Rules) {
	checks := sandbox.Rules{LinearHistory: true, RestrictPushesTo: rules.RestrictPushesTo,
		RequiredChecks: []sandbox.RequiredCheck{{Context: "ci"}, {Context: "Mainstay", AppID: w.app.ID}}}
	sets := []sandbox.Rules{checks}
	if rules.RequiredApprovals > 0 {
		sets = append(sets, sandbox.Rules{RequiredApprovals: rules.RequiredApprovals, Bypass: []sandbox.Actor{w.app}})
	}
	w.repo.Protect("main", sets...)
}

// settings are those of the town's server.
func (w *town) settings() settings {
	s := settings{listen: "127.0.0.1:0", data: filepath.Join(w.dir, "server"), github: w.gate.URL, api: w.gate.URL + "/api/v3",
		issuer: w.forge.IssuerURL(), appID: w.app.ID, key: w.app.PrivateKeyPEM, secrets: [][]byte{[]byte(w.app.WebhookSecret)},
		open: true, clock: w.clock.now}
	if w.road != nil {
		s.url = w.road.URL
	}
	if w.tune != nil {
		w.tune(&s)
	}
	return s
}

// serve starts the server, and waits until it has read the base.
func (w *town) serve() {
	w.t.Helper()
	log := slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	srv, err := start(context.Background(), w.settings(), log)
	w.must(err)
	w.server = srv
	if w.road != nil {
		w.road.leadTo("http://" + srv.listen.Addr().String())
	}
	w.t.Cleanup(func() {
		srv.stop()
		w.seekSecrets()
		w.log.showOnFailure(w.t)
	})
	w.app.SetWebhook(srv.url + "/webhook")
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	w.place, err = srv.awaitQueue(ctx, w.repo.ID, "main")
	w.must(err)
	w.until("the server has read the base", func() bool { return w.rows().Header.Tip == w.base })
}

func (w *town) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// until waits for something to hold at the forge or in the queue.
func (w *town) until(what string, holds func() bool) {
	w.t.Helper()
	queueChanged := make(<-chan struct{})
	if w.place.ID != 0 {
		watch, stop := w.server.engine.Watch(w.place.ID)
		defer stop()
		queueChanged = watch
	}
	deadline := time.NewTimer(w.waits)
	defer deadline.Stop()
	quiet := time.NewTicker(20 * time.Millisecond) // an effect that ends without a fact tells nobody
	defer quiet.Stop()
	for {
		changed := w.forge.Changed()
		if holds() {
			return
		}
		select {
		case <-changed:
		case <-queueChanged:
		case <-quiet.C:
		case <-deadline.C:
			w.t.Fatalf("waited in vain until %s\n%s", what, w.picture())
		}
	}
}

func (w *town) rows() queue.Rows {
	w.t.Helper()
	_, _, rows, err := w.server.store.Load(context.Background(), w.place.ID)
	w.must(err)
	return rows
}

// entry is a pull request's entry, empty when it has none.
func (w *town) entry(pr int) queue.Entry {
	for _, e := range w.rows().Entries {
		if e.PR.Number == pr {
			return e
		}
	}
	return queue.Entry{}
}

// picture is what a failed wait shows.
func (w *town) picture() string {
	if w.server == nil {
		return "" // a child has the queue
	}
	var b strings.Builder
	rows := w.rows()
	fmt.Fprintf(&b, "main %s, known %s, pause %+v\n", w.repo.Ref("main"), rows.Header.Tip, rows.Header.Pause)
	for _, e := range rows.Entries {
		fmt.Fprintf(&b, "#%d %s %s end %+v settled %v\n", e.PR.Number, e.Phase, e.Wait, e.End, e.Settled)
	}
	for _, a := range rows.Attempts {
		fmt.Fprintf(&b, "attempt %d %s %s on %s checks %+v\n", a.ID, a.Phase, a.New, a.Old, a.Results.Checks)
	}
	return b.String()
}

// passTime lets so much time pass for the server. Only its clock is moved: GitHub's stays.
func (w *town) passTime(d time.Duration) {
	w.t.Helper()
	w.clock.pass(d)
	w.must(w.server.engine.Tell(context.Background(), w.place.ID, queue.TimePassed{}))
}

// townClock is the real time and what was let pass.
type townClock struct {
	mu    sync.Mutex
	ahead time.Duration
}

func (c *townClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.ahead)
}

func (c *townClock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += d
}

// logBook keeps what a server says.
type logBook struct {
	mu   sync.Mutex
	text []byte
}

func (l *logBook) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, b...)
	return len(b), nil
}

func (l *logBook) bytes() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.text)
}

// showOnFailure prints the end of the log under a story that failed.
func (l *logBook) showOnFailure(t *testing.T) {
	if !t.Failed() {
		return
	}
	text := l.bytes()
	if most := 40_000; len(text) > most {
		text = text[len(text)-most:]
	}
	t.Logf("the server said:\n%s", text)
}
