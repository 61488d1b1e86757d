package github

import (
	"context"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/sandbox"
	"github.com/mainstay-ci/mainstay/sandbox/truth"
)

const label = "merge-queue"

var labels = queue.Labels{Hotfix: "hotfix", Hold: "hold", Solo: "solo", Priority: map[string]int{"security": 10, "chore": -5}}

// scene is a repository in a GitHub in a box with our App on it.
type scene struct {
	t     *testing.T
	ctx   context.Context
	forge *sandbox.Forge
	repo  *sandbox.Repository
	us    *sandbox.App
	app   *App
	place queue.Place
	calls *callLog

	maintainer, writer, triager, stranger *sandbox.User
}

// newScene sets the scene; no workflow runs but with options that let it.
func newScene(t *testing.T, options ...sandbox.Options) *scene {
	t.Helper()
	o := sandbox.Options{WithoutActions: true}
	if len(options) > 0 {
		o = options[0]
	}
	watch := truth.Watch(t)
	o.Dir, o.Around, o.Told = t.TempDir(), watch.Around, watch.Told
	forge, err := sandbox.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = forge.Close() })
	s := &scene{t: t, ctx: deadline(t), forge: forge, calls: &callLog{}}
	s.us, err = forge.NewApp(sandbox.AppOptions{Name: "Mainstay", WebhookSecret: "webhook secret"})
	s.must(err)
	s.repo, err = forge.NewRepository(sandbox.RepositoryOptions{Owner: "acme", Name: "shop"})
	s.must(err)
	s.maintainer = forge.NewUser("olga")
	s.writer, s.triager, s.stranger = forge.NewUser("wren"), forge.NewUser("tess"), forge.NewUser("sid")
	s.must(s.repo.SetPermission(s.maintainer, "maintain"))
	s.must(s.repo.SetPermission(s.writer, "write"))
	s.must(s.repo.SetPermission(s.triager, "triage"))
	s.push("main", "", map[string]string{"README": "shop\n"})
	s.place = queue.Place{Installation: s.repo.Install(s.us), Repository: s.repo.ID, Owner: "acme", Name: "shop", Branch: "main"}
	s.app = s.newApp(Options{})
	return s
}

// newApp is our App as after a restart: it remembers nothing.
func (s *scene) newApp(o Options) *App {
	o.AppID, o.Key, o.APIURL, o.GitURL, o.Transport = s.us.ID, s.us.PrivateKeyPEM, s.forge.APIURL(), s.forge.URL(), s.calls
	return newApp(s.t, o)
}

func (s *scene) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// push puts a commit with some files on a branch and returns it; from is where a
// new branch starts.
func (s *scene) push(branch, from string, files map[string]string) string {
	s.t.Helper()
	if s.repo.Ref(branch) != "" {
		from = branch
	}
	commit, err := s.repo.Commit(from, files, "Change "+branch)
	s.must(err)
	s.must(s.repo.Push(s.maintainer, sandbox.RefUpdate{Ref: "refs/heads/" + branch, New: commit}))
	return commit
}

// open opens a pull request of one commit by the writer.
func (s *scene) open(branch string) sandbox.PullRequest {
	s.t.Helper()
	s.push(branch, "main", map[string]string{branch: "new\n"})
	pr, err := s.repo.OpenPullRequest(sandbox.OpenPullRequest{By: s.writer, Head: branch, Title: "Add " + branch})
	s.must(err)
	return pr
}

func (s *scene) read(number int64) queue.PullRequest {
	s.t.Helper()
	read, err := s.app.ReadPullRequest(s.ctx, s.place, int(number), label, labels)
	s.must(err)
	if read.Gone {
		s.t.Fatalf("#%d is gone", number)
	}
	return read.PR
}

// callLog is a transport that notes every call but those for tokens.
type callLog struct {
	mu   sync.Mutex
	seen []string
}

var anyNumber = regexp.MustCompile(`/([0-9a-f]{40}|\d+)\b`)

func (l *callLog) RoundTrip(r *http.Request) (*http.Response, error) {
	if !strings.HasSuffix(r.URL.Path, "/access_tokens") {
		l.mu.Lock()
		path := r.URL.Path
		if _, after, ok := strings.Cut(path, "/repos/acme/shop"); ok {
			path = after
		}
		l.seen = append(l.seen, r.Method+" "+anyNumber.ReplaceAllString(path, "/#"))
		l.mu.Unlock()
	}
	return http.DefaultTransport.RoundTrip(r)
}

// take returns the calls since the last take, sorted.
func (l *callLog) take() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	seen := l.seen
	l.seen = nil
	slices.Sort(seen)
	return seen
}

// expect compares the calls since the last take.
func (s *scene) expect(what string, want ...string) {
	s.t.Helper()
	slices.Sort(want)
	if got := s.calls.take(); !slices.Equal(got, want) {
		s.t.Errorf("%s:\n calls %q\n  want %q", what, got, want)
	}
}

// hands is a clock that a test sets.
type hands struct {
	mu  sync.Mutex
	now time.Time
}

func (h *hands) read() time.Time { h.mu.Lock(); defer h.mu.Unlock(); return h.now }

func (h *hands) advance(d time.Duration) { h.mu.Lock(); defer h.mu.Unlock(); h.now = h.now.Add(d) }
