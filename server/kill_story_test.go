package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/server/store"
)

// mortal is the real binary as a child of its own, which dies at moments of its story's choice.
type mortal struct {
	*town
	address string
	path    string           // looked through before PATH; "" is nothing more
	front   *httptest.Server // where webhooks go: on to the child, if it lives

	mu     sync.Mutex
	child  *exec.Cmd
	doomed moment
	dead   chan struct{} // closed when doom came
}

// moment says when the child is killed: at the n-th call to the forge, or at the
// n-th webhook, and at which point of it.
type moment struct {
	webhook bool
	n       int
	point   int // 0: lost on its way; 1: it arrives after the death; 2: only its answer is lost
}

func (m moment) String() string {
	what := "call"
	if m.webhook {
		what = "webhook"
	}
	return fmt.Sprintf("%s %d, %s", what, m.n, [...]string{"lost", "arriving after", "answer lost"}[m.point])
}

func newMortal(w *town) *mortal {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	w.must(err)
	m := &mortal{town: w, address: free.Addr().String()}
	w.must(free.Close())
	w.gate.around(func(call) { m.strike(false, true) }, func(call) { m.strike(false, false) })
	to, err := url.Parse("http://" + m.address)
	w.must(err)
	proxy := &httputil.ReverseProxy{ErrorLog: quiet, Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to); r.Out.Host = to.Host }}
	m.front = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		m.strike(true, true)
		proxy.ServeHTTP(rw, r)
		m.strike(true, false)
	}))
	w.t.Cleanup(m.front.Close)
	w.t.Cleanup(func() { m.kill(); w.log.showOnFailure(w.t) })
	w.app.SetWebhook(m.front.URL + "/webhook")
	return m
}

// strike kills the child when its moment has come. It runs before and after each call and webhook.
func (m *mortal) strike(webhook, before bool) {
	m.mu.Lock()
	d := &m.doomed
	if d.webhook != webhook || d.n == 0 || before != (d.point < 2) {
		m.mu.Unlock()
		return
	}
	if d.n--; d.n > 0 {
		m.mu.Unlock()
		return
	}
	point := d.point
	_ = m.child.Process.Kill()
	close(m.dead)
	m.mu.Unlock()
	if point == 0 {
		panic(http.ErrAbortHandler)
	}
}

// command is `mainstay serve` as an operator starts it.
func (w *town) command(address string, more ...string) *exec.Cmd {
	cmd := exec.Command(serverBinary(w.t), append([]string{"serve", "--listen", address, "--url", "http://" + address, "--verbose",
		"--data", filepath.Join(w.dir, "server"), "--app-id", fmt.Sprint(w.app.ID),
		"--github-url", w.gate.URL, "--api-url", w.gate.URL + "/api/v3", "--issuer", w.forge.IssuerURL()}, more...)...)
	cmd.Env = append(os.Environ(), "MAINSTAY_KEY="+string(w.app.PrivateKeyPEM), "MAINSTAY_WEBHOOK_SECRET="+w.app.WebhookSecret)
	return cmd
}

// live starts the child, to be killed at that moment, and waits until it serves or is dead.
func (m *mortal) live(doomed moment) {
	m.t.Helper()
	serving := &seeker{want: []byte(`"msg":"serving"`), next: m.log, found: make(chan struct{})}
	cmd := m.command(m.address)
	if m.path != "" {
		cmd.Env = append(cmd.Env, "PATH="+m.path+":"+os.Getenv("PATH"))
	}
	cmd.Stderr, cmd.WaitDelay = serving, 5*time.Second
	m.mu.Lock()
	m.doomed, m.dead, m.child = doomed, make(chan struct{}), cmd
	err := cmd.Start()
	dead := m.dead
	m.mu.Unlock()
	m.must(err)
	select {
	case <-serving.found:
	case <-dead:
	case <-time.After(patience):
		m.t.Fatal("the server does not serve")
	}
}

// kill ends the child, if it still lives, and waits until it is gone.
func (m *mortal) kill() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.child != nil {
		_ = m.child.Process.Kill()
		_ = m.child.Wait()
		m.child = nil
	}
}

// bury waits for the child's death at its moment. It is false when all is over before.
func (m *mortal) bury(over func() bool) bool {
	m.t.Helper()
	deadline := time.After(2 * patience)
	for {
		changed := m.forge.Changed()
		if over() {
			return false
		}
		select {
		case <-m.dead:
			m.kill()
			return true
		case <-changed:
		case <-deadline:
			m.t.Fatalf("its moment never came: %s", m.doomed)
		}
	}
}

// seeker passes on what is written, and tells when it holds what is sought.
type seeker struct {
	want  []byte
	next  io.Writer
	seen  []byte
	found chan struct{}
}

func (s *seeker) Write(b []byte) (int, error) {
	if s.want != nil {
		if s.seen = append(s.seen, b...); bytes.Contains(s.seen, s.want) {
			close(s.found)
			s.want, s.seen = nil, nil
		}
	}
	return s.next.Write(b)
}

// Killed with kill -9 at any moment, between a call and its answer, with webhooks
// lost meanwhile, and started again each time: the queue goes on from what it
// wrote down, and in the end everything has landed once or is out with a reason.
func TestKilledAtAnyMomentTheQueueGoesOn(t *testing.T) {
	t.Parallel()
	// Given six pull requests, of which one is red and one conflicts with another.
	w := foundWithoutServer(t, scene{})
	m := newMortal(w)
	prs := w.opensSeveral(3)
	red := w.open("broken", map[string]string{"broken.txt": "broken\n"})
	first, second := w.open("first", map[string]string{"shared.txt": "two\n"}), w.open("second", map[string]string{"shared.txt": "three\n"})
	all := append([]int{red, first, second}, prs...)
	over := func() bool {
		for _, pr := range all {
			pull := w.pull(pr)
			if pull.State == "open" && (len(pull.Labels) > 0 || len(w.repo.Comments(int64(pr))) == 0) {
				return false
			}
		}
		return true
	}

	// When the server is killed over and over while they are in line, and others join.
	dice := rand.New(rand.NewPCG(7, 0))
	for kills := range 20 {
		m.live(moment{webhook: dice.IntN(4) == 0, n: 1 + dice.IntN(16), point: dice.IntN(3)})
		if kills == 0 {
			w.label(all...)
		}
		for !m.bury(over) {
			more := w.opens(fmt.Sprintf("joins-%d", len(all)))
			w.label(more)
			prs, all = append(prs, more), append(all, more)
		}
	}
	m.kill()
	m.live(moment{})
	w.until("every pull request has its end", func() bool {
		if !over() {
			return false
		}
		for head := range w.gate.remembered() {
			if w.check(head).Status != "completed" {
				return false
			}
		}
		return true
	})
	w.must(m.child.Process.Signal(syscall.SIGTERM))
	w.must(m.child.Wait())
	m.child = nil

	// Then all is as it would be without a single death.
	kept, err := store.Open(context.Background(), filepath.Join(w.dir, "server", "mainstay.db"))
	w.must(err)
	defer kept.Close()
	w.server = &server{store: kept}
	places, err := kept.QueuesOf(context.Background(), w.repo.ID)
	w.must(err)
	w.place = places[0]
	want := allLanded(append(prs, first))
	want[red], want[second] = queue.ChecksFailed, queue.Conflict
	if w.entry(second).Phase == queue.Landed { // whichever wish was read first
		want[first], want[second] = want[second], want[first]
	}
	w.holds(want)
	for head, pr := range w.gate.remembered() {
		if n := w.ourChecks(head); n != 1 {
			t.Errorf("#%d carries %d checks of ours", pr, n)
		}
	}
	if n := len(w.repo.Comments(int64(red))); n != 1 {
		t.Errorf("the red one got %d comments", n)
	}
	w.seekSecrets()
}
