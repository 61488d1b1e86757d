package truth

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// Watcher collects the differences of one test.
type Watcher struct {
	// Hostile is for a test that sends wrong requests on purpose: one that the
	// description refuses and the sandbox, too, is no difference.
	Hostile bool

	mu     sync.Mutex
	seen   map[string]bool
	faults []string
	told   []webhook // not yet looked at
}

type webhook struct {
	event, action string
	body          []byte
}

// most is how many differences of a test are told.
const most = 12

// Watch returns a watcher that fails the test at its end if there was a
// difference. Make it before what it watches, so that it is asked after that's closed.
func Watch(t testing.TB) *Watcher {
	w := &Watcher{seen: map[string]bool{}}
	t.Cleanup(func() {
		all := w.Faults()
		for i, text := range all {
			if i == most {
				t.Errorf("and %d more differences from GitHub's own word", len(all)-most)
				break
			}
			t.Errorf("differs from GitHub's own word: %s", text)
		}
	})
	return w
}

// Faults returns the differences so far, each once, in the order they were met.
func (w *Watcher) Faults() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, one := range w.told {
		for _, text := range CheckWebhook(one.event, one.action, one.body) {
			w.keep(text)
		}
	}
	w.told = nil
	return append([]string(nil), w.faults...)
}

// Told takes a webhook, to be looked at later: who words it must not wait.
func (w *Watcher) Told(event, action string, body []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.told = append(w.told, webhook{event, action, body})
}

func (w *Watcher) note(text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.keep(text)
}

func (w *Watcher) keep(text string) {
	if !w.seen[text] {
		w.seen[text] = true
		w.faults = append(w.faults, text)
	}
}

// root is where the sandbox has the REST API, as GitHub Enterprise Server has.
const root = "/api/v3/"

// Around looks at each exchange of the REST API that goes through the handler; git,
// GraphQL, OIDC and what else a forge serves goes by.
func (w *Watcher) Around(next http.Handler) http.Handler {
	return http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		path, isREST := strings.CutPrefix(r.URL.EscapedPath(), root)
		if !isREST {
			next.ServeHTTP(out, r)
			return
		}
		sent, err := io.ReadAll(r.Body)
		_ = r.Body.Close()
		r.Body = io.NopCloser(io.MultiReader(bytes.NewReader(sent), broken{err}))
		answer := &recorder{ResponseWriter: out, status: http.StatusOK}
		x := &exchange{method: r.Method, path: "/" + path, query: r.URL.Query(), head: r.Header.Clone(), sent: sent}
		next.ServeHTTP(answer, r) // one that is cut off panics, and nobody had an answer
		x.status, x.answerHead, x.answer = answer.status, answer.Header(), answer.body.Bytes()
		faults, err := x.check()
		if err != nil {
			w.note(err.Error())
		}
		for _, f := range faults {
			if !w.Hostile || f.side != "request" || x.status != http.StatusUnprocessableEntity {
				w.note(f.String())
			}
		}
	})
}

// broken ends a body as it ended.
type broken struct{ err error }

func (b broken) Read([]byte) (int, error) {
	if b.err != nil {
		return 0, fmt.Errorf("read the request: %w", b.err)
	}
	return 0, io.EOF
}

// recorder keeps what is answered.
type recorder struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(b []byte) (int, error) {
	r.body.Write(b)
	return r.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController through.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
