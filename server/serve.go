package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/server/engine"
	"github.com/mainstay-ci/mainstay/server/git"
	"github.com/mainstay-ci/mainstay/server/github"
	"github.com/mainstay-ci/mainstay/server/store"
	"github.com/mainstay-ci/mainstay/server/web"
)

// Run serves until the process is told to stop.
func (c serveCommand) Run(ctx context.Context) error {
	s, err := c.settings()
	if err != nil {
		return err
	}
	level := slog.LevelInfo
	if s.verbose {
		level = slog.LevelDebug
	}
	log := slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
	srv, err := start(ctx, s, log)
	if err != nil {
		return err
	}
	log.Info("serving", "listen", srv.listen.Addr().String(), "url", s.url)
	if srv.setup != nil {
		// On standard output and nowhere else: who reads it may claim the page.
		fmt.Printf("Mainstay listens on %s and has no GitHub App yet.\nOpen this page to create it, in one browser; the link works once:\n\n  %s\n\n", srv.listen.Addr(), srv.setup.Link())
	}
	return srv.last(ctx)
}

// last serves until it is told to stop, or cannot go on: then it fails, and the process with it.
func (srv *server) last(ctx context.Context) (err error) {
	select {
	case <-ctx.Done():
	case err = <-srv.died:
	}
	srv.stop()
	return err
}

// server is one running Mainstay.
type server struct {
	url     string
	polls   bool // GitHub sends no webhooks here
	listen  net.Listener
	store   *store.Store
	app     *github.App
	engine  *engine.Engine
	greeter *greeter
	rounds  *rounds
	postman *postman // nil where GitHub sends no webhooks
	clones  *clones
	reach   *reach
	news    *news
	http    *http.Server
	door    *doorway
	setup   *web.Setup // nil where there was an App at the start
	cancel  context.CancelFunc
	// endRequests ends what is still being answered: live pages stay open for ever.
	endRequests context.CancelFunc
	work        sync.WaitGroup
	// died tells that a part without which all is deaf has ended: the process must,
	// so that whoever watches over it starts another.
	died chan error
	log  *slog.Logger
}

// start opens the store, plugs the adapters in and begins to work. What it needs
// and does not find is said before anything listens.
func start(ctx context.Context, s settings, log *slog.Logger) (*server, error) {
	if err := git.CheckVersion(ctx); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(s.data, 0o700); err != nil {
		return nil, fmt.Errorf("make the data folder: %w", err)
	}
	listen, err := net.Listen("tcp", s.listen)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w; is another server there? Choose another address with --listen", s.listen, err)
	}
	srv := &server{url: s.url, polls: s.polls, listen: listen, log: log, died: make(chan error, 2)}
	if srv.url == "" {
		srv.url = "http://" + listen.Addr().String()
	}
	if srv.store, err = store.Open(ctx, filepath.Join(s.data, "mainstay.db")); err != nil {
		listen.Close()
		return nil, err
	}
	srv.door = &doorway{}
	srv.http = web.Server(srv.door)
	ctx, srv.cancel = context.WithCancel(ctx)
	wire := func() error { return srv.wire(s) }
	if s.appID == 0 {
		wire = func() error { return srv.openSetup(ctx, s) }
	}
	if err := wire(); err != nil {
		srv.cancel()
		listen.Close()
		srv.store.Close()
		return nil, err
	}
	srv.run(ctx)
	if s.appID != 0 {
		srv.work.Go(func() { srv.begin(ctx) })
	}
	return srv, nil
}

// doorway leads requests to what answers them at the moment: the set-up page, or
// all the rest. It leads somewhere before anything listens.
type doorway struct{ to atomic.Pointer[http.Handler] }

func (d *doorway) lead(to http.Handler) { d.to.Store(&to) }

// ServeHTTP implements http.Handler.
func (d *doorway) ServeHTTP(w http.ResponseWriter, r *http.Request) { (*d.to.Load()).ServeHTTP(w, r) }

func (srv *server) wire(s settings) error {
	if s.clock == nil {
		s.clock = time.Now
	}
	app, err := github.New(github.Options{
		AppID: s.appID, Key: s.key, Secrets: s.secrets, WithoutWebhooks: s.polls, APIURL: s.api, GitURL: s.github, Clock: s.clock, Log: srv.log, Writes: s.writes,
		PageURL: func(p queue.Place, pr int) string {
			return fmt.Sprintf("%s/q/%s/%s/%s/pr/%d", srv.url, p.Owner, p.Name, p.Branch, pr)
		},
	})
	if err != nil {
		return err
	}
	srv.app = app
	srv.clones = &clones{dir: filepath.Join(s.data, "clones"), github: app, log: srv.log, signer: s.signer}
	srv.greeter = &greeter{github: app, notes: srv.store, clock: s.clock, log: srv.log}
	srv.news = &news{soon: make(chan struct{}, 1)}
	srv.reach = &reach{store: srv.store, clones: srv.clones, clock: s.clock, log: srv.log}
	hands := &performer{reach: srv.reach, news: srv.news, greeter: srv.greeter, github: app, clones: srv.clones, lessons: srv.store, committer: s.committer, clock: s.clock, log: srv.log}
	srv.rounds = newRounds(app, s.polls, s.signer != nil, srv.log)
	srv.engine = engine.New(engine.Options{
		Ledger: srv.store, Outbox: srv.store, Inbox: srv.store, Interpreter: listener{srv.rounds, srv.news}, Clock: s.clock, Log: srv.log,
		Performer: hands,
	})
	srv.reach.engine = srv.engine
	if !s.polls {
		srv.postman = &postman{mail: app.Mailbox(), notes: srv.store, clock: s.clock, log: srv.log}
	}
	hands.book = &book{srv.store, srv.engine}
	hands.front = srv.wireWeb(s)
	return nil
}

// run starts the listener.
func (srv *server) run(ctx context.Context) {
	requests, end := context.WithCancel(context.WithoutCancel(ctx))
	srv.endRequests = end
	srv.http.BaseContext = func(net.Listener) context.Context { return requests }
	srv.work.Go(func() {
		if err := srv.http.Serve(srv.listen); err != nil && !errors.Is(err, http.ErrServerClosed) {
			srv.log.Error("the listener stopped", "err", err)
			srv.died <- fmt.Errorf("listen: %w", err)
		}
	})
}

// begin runs the engine and the look for repositories, until the server stops.
func (srv *server) begin(ctx context.Context) {
	srv.work.Go(func() { srv.discover(ctx) })
	srv.work.Go(func() { srv.rounds.run(ctx) })
	if srv.postman != nil {
		srv.work.Go(func() { srv.postman.run(ctx) })
	}
	if srv.polls {
		srv.work.Go(func() { srv.poll(ctx) })
	}
	if err := srv.engine.Run(ctx); err != nil && ctx.Err() == nil {
		srv.log.Error("the engine stopped", "err", err)
		srv.died <- err
	}
}

// stop ends everything in order: no new requests, then the engine, then the store.
func (srv *server) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	// A webhook that is being kept has a second for it; live pages end then.
	time.AfterFunc(time.Second, srv.endRequests)
	if err := srv.http.Shutdown(ctx); err != nil {
		srv.http.Close()
	}
	srv.cancel()
	srv.work.Wait()
	if srv.clones != nil {
		srv.clones.close()
	}
	if err := srv.store.Close(); err != nil {
		srv.log.Error("the store did not close", "err", err)
	}
}
