package sandbox_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mainstay-ci/mainstay/sandbox"
	"github.com/mainstay-ci/mainstay/sandbox/truth"
)

// town is a forge with one repository, the people around it and an App that listens.
type town struct {
	*sandbox.Forge
	t     *testing.T
	repo  *sandbox.Repository
	app   *sandbox.App
	alice *sandbox.User
	inbox *inbox
	base  string
}

// found builds the town; change may set options before it starts.
func found(t *testing.T, change ...func(*sandbox.Options)) *town {
	t.Helper()
	options := sandbox.Options{Dir: t.TempDir(), Seed: 7, Log: slog.New(slog.NewTextHandler(testLog{t}, &slog.HandlerOptions{Level: slog.LevelWarn}))}
	watch := truth.Watch(t)
	watch.Hostile = true
	options.Around, options.Told = watch.Around, watch.Told
	for _, one := range change {
		one(&options)
	}
	box := newInbox(t) // before the forge, so that it closes after it
	forge, err := sandbox.Start(options)
	must(t, err)
	t.Cleanup(func() { must(t, forge.Close()) })
	w := &town{Forge: forge, t: t, alice: forge.NewUser("alice"), inbox: box}
	w.repo, err = forge.NewRepository(sandbox.RepositoryOptions{Owner: "acme", Name: "widgets"})
	must(t, err)
	must(t, w.repo.SetPermission(w.alice, "write"))
	w.app, err = forge.NewApp(sandbox.AppOptions{Name: "Main Stay", WebhookSecret: "s3cret"})
	must(t, err)
	w.base = w.commit("", "README.md", "hello\n")
	w.move("main", w.base)
	w.repo.Install(w.app)
	w.app.SetWebhook(w.inbox.URL)
	return w
}

type testLog struct{ t *testing.T }

func (l testLog) Write(b []byte) (int, error) {
	l.t.Log(strings.TrimSpace(string(b)))
	return len(b), nil
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// soon is a deadline that only a hang reaches.
func soon(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func (w *town) commit(on, file, content string) string {
	w.t.Helper()
	sha, err := w.repo.Commit(on, map[string]string{file: content}, "Write "+file)
	must(w.t, err)
	return sha
}

func (w *town) move(branch, sha string) {
	w.t.Helper()
	must(w.t, w.repo.Push(w.alice, sandbox.RefUpdate{Ref: branch, New: sha}))
}

// open opens a pull request of one new file.
func (w *town) open(branch string) sandbox.PullRequest {
	w.t.Helper()
	w.move(branch, w.commit("main", branch+".txt", branch+"\n"))
	pr, err := w.repo.OpenPullRequest(sandbox.OpenPullRequest{By: w.alice, Head: branch, Title: "Add " + branch})
	must(w.t, err)
	return pr
}

func (w *town) pull(number int64) sandbox.PullRequest {
	w.t.Helper()
	pr, ok := w.repo.PullRequest(number)
	if !ok {
		w.t.Fatalf("no pull request %d", number)
	}
	return pr
}

func (w *town) token() string {
	w.t.Helper()
	token, err := w.repo.InstallationToken(w.app)
	must(w.t, err)
	return token
}

func (w *town) settle() {
	w.t.Helper()
	must(w.t, w.Settle(soon(w.t)))
}

// clone is a bare clone that a product under test would keep.
type clone struct {
	t     *testing.T
	dir   string
	token string
}

func (w *town) clone(token string) *clone {
	w.t.Helper()
	c := &clone{t: w.t, dir: filepath.Join(w.t.TempDir(), "clone.git"), token: token}
	out, err := c.run("clone", "--quiet", "--bare", w.repo.CloneURL(), c.dir)
	if err != nil {
		w.t.Fatalf("clone: %v\n%s", err, out)
	}
	return c
}

func (c *clone) run(args ...string) (string, error) {
	cmd := exec.Command("git", args...)
	if _, err := os.Stat(c.dir); err == nil {
		cmd.Dir = c.dir
	}
	cmd.Env = append(os.Environ(), "LC_ALL=C", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_TERMINAL_PROMPT=0",
		"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=http.extraHeader", "GIT_CONFIG_VALUE_0=Authorization: Basic "+basic(c.token))
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (c *clone) git(args ...string) string {
	c.t.Helper()
	out, err := c.run(args...)
	if err != nil {
		c.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(out)
}

// land pushes atomically with leases, as a landing does: "ref=old:new" each.
func (c *clone) land(moves ...string) (string, error) {
	args := []string{"push", "--porcelain", "--atomic"}
	var specs []string
	for _, m := range moves {
		ref, values, _ := strings.Cut(m, "=")
		old, now, _ := strings.Cut(values, ":")
		args = append(args, "--force-with-lease=refs/heads/"+ref+":"+old)
		specs = append(specs, now+":refs/heads/"+ref)
	}
	return c.run(append(append(args, "origin"), specs...)...)
}

// inbox keeps the webhooks it gets.
type inbox struct {
	*httptest.Server
	mu   sync.Mutex
	got  []hook
	code int
}

type hook struct {
	event, guid, signature string
	raw                    []byte
	body                   map[string]any
}

func newInbox(t *testing.T) *inbox {
	box := &inbox{code: http.StatusAccepted}
	box.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		h := hook{event: r.Header.Get("X-GitHub-Event"), guid: r.Header.Get("X-GitHub-Delivery"), signature: r.Header.Get("X-Hub-Signature-256"), raw: raw}
		_ = json.Unmarshal(raw, &h.body)
		box.mu.Lock()
		defer box.mu.Unlock()
		box.got = append(box.got, h)
		w.WriteHeader(box.code)
	}))
	t.Cleanup(box.Close)
	return box
}

// take returns what came, "event.action" each, and empties the box.
func (b *inbox) take() (names []string, hooks []hook) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, h := range b.got {
		name := h.event
		if action, ok := h.body["action"].(string); ok {
			name += "." + action
		}
		names = append(names, name)
	}
	hooks, b.got = b.got, nil
	return names, hooks
}
