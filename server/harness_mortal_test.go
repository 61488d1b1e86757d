package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
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
	"time"

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

// over reports whether GitHub shows an end of every pull request: closed, or told why not.
func (m *mortal) over() bool {
	for _, pull := range m.repo.PullRequests() {
		if pull.State == "open" && (len(pull.Labels) > 0 || len(m.repo.Comments(pull.Number)) == 0) {
			return false
		}
	}
	return true
}

// concluded reports whether the check on each head that asked has its conclusion.
func (m *mortal) concluded() bool {
	for head := range m.gate.remembered() {
		if m.check(head).Status != "completed" {
			return false
		}
	}
	return true
}

// readBooks ends the child in peace and opens what it wrote down.
func (m *mortal) readBooks() {
	m.t.Helper()
	m.must(m.child.Process.Signal(syscall.SIGTERM))
	m.must(m.child.Wait())
	m.child = nil
	kept, err := store.Open(context.Background(), filepath.Join(m.dir, "server", "mainstay.db"))
	m.must(err)
	m.t.Cleanup(func() { m.must(kept.Close()) })
	m.server = &server{store: kept}
	places, err := kept.QueuesOf(context.Background(), m.repo.ID)
	m.must(err)
	m.place = places[0]
}

// bury waits for the child's death at its moment. It is false when all is over before.
func (m *mortal) bury() bool {
	m.t.Helper()
	deadline := time.After(2 * patience)
	for {
		changed := m.forge.Changed()
		if m.over() {
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
