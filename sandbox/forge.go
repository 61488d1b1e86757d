package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// object is a JSON object in the making.
type object = map[string]any

// Options says how a Forge starts. Only Dir is needed.
type Options struct {
	// Dir holds the bare repositories and the folders of running jobs.
	Dir string
	// Seed decides everything that is left to chance.
	Seed int64
	// Log gets a line for a failed delivery or run; nil is silence.
	Log *slog.Logger
	// Actions maps "owner/name" of a workflow's `uses:` to a local folder.
	Actions map[string]string
	// JobEnv is the environment jobs start from; nil takes PATH, HOME and the
	// Go settings of this process.
	JobEnv []string
	// MaxJobs bounds jobs running at once over all runs; 0 is no bound.
	MaxJobs int
	// WithoutActions starts no workflow at all, whatever a repository holds.
	WithoutActions bool
	// RateLimit is how many REST calls an hour a credential may make; 0 is 5000.
	RateLimit int
	// Now is the clock of tokens and timestamps; nil is time.Now.
	Now func() time.Time
	// Around wraps all that the forge answers, and Told hears of each webhook as it
	// is worded: a test holds both against GitHub's own word there. nil is neither.
	Around func(http.Handler) http.Handler
	Told   func(event, action string, body []byte)
}

// Forge is one running GitHub in a box. Its methods are safe for concurrent use.
type Forge struct {
	// Faults is how a test disturbs webhooks, answers and merges.
	Faults *Faults

	options Options
	began   time.Time
	url     string
	api     router
	server  *http.Server
	log     *slog.Logger
	ctx     context.Context
	stop    context.CancelFunc
	work    sync.WaitGroup
	slots   chan struct{}
	sender  *http.Client
	issuer  func() signingKey

	mu          sync.Mutex
	change      chan struct{}
	chance      *rand.Rand
	ids         int64
	silent      int
	closed      bool
	accounts    map[string]account
	users       map[string]*User
	apps        []*App
	actionsApp  *App
	repos       []*Repository
	installs    []*installation
	credentials map[string]*credential
	tickets     map[string]ticket // that artifacts are fetched with
	deliveries  []*Delivery
	calls       map[string]int
	unchanged   int // readings answered 304
	shapes      map[int64]json.RawMessage
	manifests   map[string]manifest // seen and not yet made an App
	codes       map[string]*App     // made, and not yet taken
}

// Start opens a forge on a free loopback port. It fails when the folder can't
// be made, the port can't be opened or git is missing.
func Start(options Options) (*Forge, error) {
	if options.Dir == "" {
		return nil, errors.New("start the sandbox: no folder given")
	}
	dir, err := filepath.Abs(options.Dir)
	if err != nil {
		return nil, fmt.Errorf("start the sandbox: %w", err)
	}
	options.Dir = dir
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("start the sandbox: %w", err)
	}
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.RateLimit == 0 {
		options.RateLimit = 5000
	}
	if options.JobEnv == nil {
		options.JobEnv = inheritedEnv()
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start the sandbox: %w", err)
	}
	f := &Forge{
		options: options, url: "http://" + listener.Addr().String(),
		log:    options.Log,
		change: make(chan struct{}), chance: rand.New(rand.NewPCG(uint64(options.Seed), 0x6d61696e)),
		ids: 1000, accounts: map[string]account{}, users: map[string]*User{},
		credentials: map[string]*credential{}, tickets: map[string]ticket{}, calls: map[string]int{}, shapes: map[int64]json.RawMessage{},
		manifests: map[string]manifest{}, codes: map[string]*App{},
		sender: newSender(), issuer: sync.OnceValue(newSigningKey),
	}
	if f.log == nil {
		f.log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	f.began = f.now()
	f.ctx, f.stop = context.WithCancel(context.Background())
	f.Faults = newFaults(f)
	if options.MaxJobs > 0 {
		f.slots = make(chan struct{}, options.MaxJobs)
	}
	f.actionsApp = f.newActionsApp()
	handler := f.routes()
	if options.Around != nil {
		handler = options.Around(handler)
	}
	f.server = &http.Server{
		Handler: handler, ReadHeaderTimeout: 10 * time.Second,
		ErrorLog: slog.NewLogLogger(f.log.Handler(), slog.LevelDebug),
	}
	go func() { _ = f.server.Serve(listener) }()
	return f, nil
}

func inheritedEnv() []string {
	var env []string
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "LANG", "GOCACHE", "GOMODCACHE", "GOPATH", "GOROOT", "GOPROXY", "GOSUMDB", "GOFLAGS", "GOTOOLCHAIN"} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// URL is the address of the forge: git at URL/owner/name.git.
func (f *Forge) URL() string { return f.url }

// APIURL is the root of the REST API, without a slash at its end. go-github's
// WithEnterpriseURLs and ghinstallation's BaseURL take it as it is.
func (f *Forge) APIURL() string { return f.url + "/api/v3" }

// IssuerURL is the `iss` of the OIDC tokens jobs get.
func (f *Forge) IssuerURL() string { return f.url + "/_services/token" }

// Close cancels what runs, waits for it and ends the children. A second call
// does nothing.
func (f *Forge) Close() error {
	f.mu.Lock()
	if f.closed {
		f.mu.Unlock()
		return nil
	}
	f.closed = true
	for _, app := range f.apps {
		app.outbox.close()
	}
	f.mu.Unlock()
	f.stop()
	err := f.server.Close()
	f.work.Wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, repo := range f.repos {
		repo.objects.close()
		repo.refWriter.close()
	}
	f.sender.CloseIdleConnections()
	f.touch()
	if err != nil {
		return fmt.Errorf("close the sandbox: %w", err)
	}
	return nil
}

// Changed returns a channel that is closed at the next change of any state.
func (f *Forge) Changed() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.change
}

// WaitFor returns nil as soon as the condition holds, looking again after each
// change, or the context's error. The condition may call any method of the forge.
func (f *Forge) WaitFor(ctx context.Context, holds func() bool) error {
	for {
		changed := f.Changed()
		if holds() {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("wait for the sandbox: %w", ctx.Err())
		}
	}
}

// Settle waits until no webhook is on its way and no workflow runs. Webhooks
// held by Faults do not count.
func (f *Forge) Settle(ctx context.Context) error {
	return f.WaitFor(ctx, func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		for _, app := range f.apps {
			if app.outbox.pending() > 0 {
				return false
			}
		}
		for _, repo := range f.repos {
			if repo.merging > 0 || repo.running() > 0 {
				return false
			}
		}
		return true
	})
}

// Silently runs the mutations in do without sending their webhooks, as if every
// one of them had been lost. Mutations of other goroutines meanwhile are silent too.
func (f *Forge) Silently(do func()) {
	f.mu.Lock()
	f.silent++
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		f.silent--
		f.mu.Unlock()
	}()
	do()
}

// touch tells everyone who waits that something changed; the lock is held.
func (f *Forge) touch() {
	close(f.change)
	f.change = make(chan struct{})
}

func (f *Forge) newID() int64 {
	f.ids++
	return f.ids
}

func (f *Forge) now() time.Time { return f.options.Now().UTC().Truncate(time.Second) }
