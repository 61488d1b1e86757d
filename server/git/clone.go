package git

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
)

// Options say which repository is cloned, and where to.
type Options struct {
	Dir       string // the bare repository's folder; made on first use
	RemoteURL string // https, or http; without a user in it
	// Token gives the token of the moment; it is asked before every command
	// that talks to the remote. Nil: none is sent.
	Token     func(ctx context.Context) (string, error)
	Signer    *Signer      // of the commits made here; nil: they are not signed
	Log       *slog.Logger // nil: nothing is logged
	AllowFile bool         // lets RemoteURL be a local path or file:// (tests, bench)
}

// Clone is one repository's bare clone. It may be used from several
// goroutines; one Clone at a time may have a folder.
type Clone struct {
	dir, home, url string
	protocols      string
	token          func(context.Context) (string, error)
	signer         *Signer
	log            *slog.Logger
	version        version
	stdbuf         string      // path of stdbuf, "" when there is none
	oneByOne       atomic.Bool // the resident merge-tree doesn't answer here
	onDisk         atomic.Bool // scratch in memory made trouble (too small, say)
	processes      atomic.Int64
	witness        func(argv []string) // tests see every command line

	lock     *os.File
	fetching chan struct{} // holds one: who fetches
	seen     int           // next of the refs that keep negotiation short
	since    int           // fetches since the last commit-graph

	mu      sync.Mutex
	idle    []*worker
	closed  bool
	changes map[string]*change // what known commits changed
	texts   map[string]string  // patch ids of known commits
	built   map[string]string  // tips made here, and what they were put on
}

// complete is the file that says the clone was made to its end.
const complete = "mainstay-clone"

// Open gives the clone in o.Dir, making it when there is none. What an earlier
// crash left half made is moved to Dir.broken and made again. Errors: git
// missing or too old, the folder in use by another Clone, the remote out of
// reach.
func Open(ctx context.Context, o Options) (*Clone, error) {
	c, err := newClone(ctx, o)
	if err != nil {
		return nil, err
	}
	if err := c.takeLock(); err != nil {
		return nil, err
	}
	if err := c.ready(ctx); err != nil {
		c.lock.Close()
		return nil, fmt.Errorf("open clone %s: %w", c.dir, err)
	}
	return c, nil
}

func newClone(ctx context.Context, o Options) (*Clone, error) {
	v, err := readVersion(ctx)
	if err != nil {
		return nil, err
	}
	if err := checkURL(o.RemoteURL, o.AllowFile); err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil || o.Dir == "" {
		return nil, fmt.Errorf("open clone: the folder %q cannot be used", o.Dir)
	}
	c := &Clone{
		dir: dir, home: filepath.Dir(dir), url: o.RemoteURL, protocols: "http:https",
		token: o.Token, signer: o.Signer, log: o.Log, version: v,
		fetching: make(chan struct{}, 1),
		changes:  map[string]*change{}, texts: map[string]string{},
	}
	if o.AllowFile {
		c.protocols += ":file"
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	if path, err := exec.LookPath("stdbuf"); err == nil {
		c.stdbuf = path
	}
	c.oneByOne.Store(v.before(flushes) && c.stdbuf == "")
	return c, nil
}

func checkURL(remote string, allowFile bool) error {
	if allowFile && (strings.HasPrefix(remote, "/") || strings.HasPrefix(remote, "file:///")) {
		return nil
	}
	u, err := url.Parse(remote)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return errors.New("open clone: the remote must be an http or https address")
	}
	if u.User != nil {
		return errors.New("open clone: the remote's address must hold no user or token")
	}
	return nil
}

// takeLock keeps a second Clone out of the folder; the kernel gives the lock
// back however this process ends.
func (c *Clone) takeLock() error {
	if err := os.MkdirAll(c.home, 0o755); err != nil {
		return fmt.Errorf("open clone: %w", err)
	}
	f, err := os.OpenFile(c.dir+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("open clone: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return fmt.Errorf("open clone: %s is in use", c.dir)
	}
	c.lock = f
	return nil
}

// ready leaves a whole clone in the folder: the one that is there, or a new one.
func (c *Clone) ready(ctx context.Context) error {
	c.sweepMemory()
	if _, err := os.Stat(filepath.Join(c.dir, complete)); err == nil {
		c.sweep()
		c.dropDamaged()
		return nil
	}
	if _, err := os.Lstat(c.dir); err == nil {
		c.log.Warn("moving a half-made clone away", "dir", c.dir)
		if err := os.RemoveAll(c.dir + ".broken"); err != nil {
			return err
		}
		if err := os.Rename(c.dir, c.dir+".broken"); err != nil {
			return err
		}
	}
	return c.make(ctx)
}

// make clones beside the folder and renames, so that the folder is whole or
// not there. It is init and fetch, since clone would keep the address on disk
// and want every branch.
func (c *Clone) make(ctx context.Context) error {
	final := c.dir
	c.dir = final + ".making"
	defer func() { c.dir = final }()
	if err := os.RemoveAll(c.dir); err != nil {
		return err
	}
	if _, err := c.succeed(ctx, command{args: []string{"init", "--quiet", "--bare", "--template=", "--initial-branch=none"}}); err != nil {
		return err
	}
	res, err := c.run(ctx, command{network: true, args: append(fetchArgs(withoutBlobs), "origin", "HEAD:refs/mainstay/seen/0")})
	if err != nil {
		return err
	}
	if res.code != 0 && !strings.Contains(res.stderr, "couldn't find remote ref HEAD") {
		return fmt.Errorf("clone: %s", brief(res.stderr))
	}
	if err := c.writeGraph(ctx); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(c.dir, complete), []byte(bootID()), 0o644); err != nil {
		return err
	}
	return os.Rename(c.dir, final)
}

// Processes says how many git processes were started so far.
func (c *Clone) Processes() int64 { return c.processes.Load() }

// Close ends the resident children and frees the folder. Builds still running
// end their own children when they are done.
func (c *Clone) Close() error {
	c.mu.Lock()
	idle := c.idle
	c.idle, c.closed = nil, true
	c.mu.Unlock()
	for _, w := range idle {
		w.end()
	}
	return c.lock.Close()
}
