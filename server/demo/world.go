package demo

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/sandbox"
)

// ServerSettings is what a Mainstay server needs to know of the forge in the box.
type ServerSettings struct {
	AppID                     int64
	Key, Secret               []byte
	GitHub, API, Issuer, Data string
}

// Server is a running Mainstay server, as package main hands it over.
type Server struct {
	URL  string
	Stop func()
	// Snapshot reads the queue of a repository's branch; Watch tells when it changed.
	Snapshot func(ctx context.Context, repository int64, branch string) (Snapshot, error)
	Watch    func(ctx context.Context, repository int64, branch string) (<-chan struct{}, func(), error)
	Pause    func(ctx context.Context, repository int64, branch, reason string) error
	Resume   func(ctx context.Context, repository int64, branch string) error
}

// Snapshot is one queue with its history, newest first.
type Snapshot struct {
	Rows     queue.Rows
	Busy     int // effects that are due
	Ended    []queue.Entry
	Receipts []queue.Receipt
}

// StartServer starts a Mainstay server for a forge; it listens on loopback.
type StartServer func(ctx context.Context, s ServerSettings) (*Server, error)

// world is a forge with one repository, its people, and a server.
type world struct {
	dir    string
	forge  *sandbox.Forge
	app    *sandbox.App
	repo   *sandbox.Repository
	owner  *sandbox.User // merges, labels
	author *sandbox.User // opens pull requests
	server *Server
	start  StartServer
}

// worldOptions say what world to make.
type worldOptions struct {
	dir      string
	owner    string
	name     string
	adopt    string // a bare repository to serve instead of an empty one
	branch   string
	jobEnv   []string
	maxJobs  int
	start    StartServer
	log      *slog.Logger
	binaries string // where the Action's binary may lie ready
	watch    func(*sandbox.Options)
}

func newWorld(ctx context.Context, o worldOptions) (*world, error) {
	action, err := layAction(ctx, o.dir, o.binaries)
	if err != nil {
		return nil, err
	}
	options := sandbox.Options{
		Dir: filepath.Join(o.dir, "forge"), Seed: 1, Log: o.log, MaxJobs: o.maxJobs,
		Actions: map[string]string{"mainstay-ci/mainstay": action.dir},
		JobEnv:  append(jobEnv(), append(o.jobEnv, "MAINSTAY_ACTION_BIN="+action.binary)...),
	}
	if o.watch != nil {
		o.watch(&options)
	}
	forge, err := sandbox.Start(options)
	if err != nil {
		return nil, fmt.Errorf("start the forge: %w", err)
	}
	w := &world{dir: o.dir, forge: forge, start: o.start}
	if err := w.settle(o); err != nil {
		_ = forge.Close()
		return nil, err
	}
	return w, nil
}

// settle gives the world its people, its repository and its App.
func (w *world) settle(o worldOptions) (err error) {
	if w.app, err = w.forge.NewApp(sandbox.AppOptions{Name: "mainstay", WebhookSecret: "a secret of the demo's own"}); err != nil {
		return fmt.Errorf("create the App: %w", err)
	}
	w.repo, err = w.forge.NewRepository(sandbox.RepositoryOptions{Owner: o.owner, Name: o.name, Dir: o.adopt, DefaultBranch: o.branch})
	if err != nil {
		return fmt.Errorf("create the repository: %w", err)
	}
	w.owner, w.author = w.forge.NewUser("octavia"), w.forge.NewUser("ada")
	for _, u := range []*sandbox.User{w.owner, w.author} {
		if err := w.repo.SetPermission(u, "write"); err != nil {
			return fmt.Errorf("let %s write: %w", u.Login, err)
		}
	}
	w.repo.Install(w.app)
	return nil
}

// serve starts the server once the repository is as it should be found.
func (w *world) serve(ctx context.Context) (err error) {
	w.server, err = w.start(ctx, ServerSettings{
		AppID: w.app.ID, Key: w.app.PrivateKeyPEM, Secret: []byte(w.app.WebhookSecret),
		GitHub: w.forge.URL(), API: w.forge.APIURL(), Issuer: w.forge.IssuerURL(), Data: filepath.Join(w.dir, "server"),
	})
	if err != nil {
		return fmt.Errorf("start the server: %w", err)
	}
	w.app.SetWebhook(w.server.URL + "/webhook")
	return nil
}

func (w *world) close() {
	if w.server != nil {
		w.server.Stop()
	}
	_ = w.forge.Close()
}

func (w *world) snapshot(ctx context.Context) (Snapshot, error) {
	return w.server.Snapshot(ctx, w.repo.ID, w.repo.DefaultBranch())
}

// awaitQueue waits until the server has read the base.
func (w *world) awaitQueue(ctx context.Context) error {
	changed, stop, err := w.server.Watch(ctx, w.repo.ID, w.repo.DefaultBranch())
	if err != nil {
		return err
	}
	defer stop()
	for {
		s, err := w.snapshot(ctx)
		if err != nil {
			return err
		}
		if s.Rows.Header.Tip != "" {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("wait for the queue: %w", ctx.Err())
		}
	}
}

// jobEnv is what jobs of the box start from: this process's path and Go settings, nothing else.
func jobEnv() []string {
	var env []string
	for _, name := range []string{"PATH", "HOME", "GOCACHE", "GOPATH", "GOROOT", "GOTOOLCHAIN", "TMPDIR"} {
		if v := os.Getenv(name); v != "" {
			env = append(env, name+"="+v)
		}
	}
	return append(env, "GOPROXY=off", "GOFLAGS=-mod=mod", "LC_ALL=C")
}

// seconds is a duration as results print it.
func seconds(d time.Duration) float64 {
	return float64(d.Round(time.Millisecond)) / float64(time.Second)
}
