package git

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// repo is a real repository the tests write to with git itself.
type repo struct {
	t   testing.TB
	dir string
}

func newRepo(t testing.TB) repo {
	t.Helper()
	r := repo{t, t.TempDir()}
	r.git("init", "-q", "-b", "main", ".")
	return r
}

// bareRepo is a remote: it answers filters, and fetches by commit id.
func bareRepo(t testing.TB) repo {
	t.Helper()
	r := repo{t, t.TempDir()}
	r.git("init", "-q", "--bare", "-b", "main", ".")
	r.git("config", "uploadpack.allowFilter", "true")
	r.git("config", "uploadpack.allowAnySHA1InWant", "true")
	r.git("config", "http.receivepack", "true")
	r.git("config", "receive.denyDeleteCurrent", "ignore")
	return r
}

func hostEnviron() []string {
	return append(os.Environ(), "LC_ALL=C", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME=Ann", "GIT_AUTHOR_EMAIL=ann@example.com", "GIT_COMMITTER_NAME=Bob", "GIT_COMMITTER_EMAIL=bob@example.com")
}

// try runs git in the repository and says how it ended.
func (r repo) try(args ...string) (string, error) { return r.tryWith("", args...) }

func (r repo) tryWith(stdin string, args ...string) (string, error) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "git", append([]string{"-c", "protocol.file.allow=always", "-c", "advice.skippedCherryPicks=false"}, args...)...)
	cmd.Dir, cmd.Env, cmd.Stdin = r.dir, hostEnviron(), strings.NewReader(stdin)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("git %v: %w: %s%s", args, err, out, stderr.String())
	}
	return strings.TrimSpace(string(out)), err
}

func (r repo) git(args ...string) string {
	r.t.Helper()
	out, err := r.try(args...)
	if err != nil {
		r.t.Fatal(err)
	}
	return out
}

func (r repo) write(name, text string) {
	r.t.Helper()
	path := filepath.Join(r.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		r.t.Fatal(err)
	}
}

// commit writes files (name, text, name, text ...) and commits all.
func (r repo) commit(message string, files ...string) string {
	r.t.Helper()
	for i := 0; i < len(files); i += 2 {
		r.write(files[i], files[i+1])
	}
	r.git("add", "-A")
	r.git("commit", "-q", "--allow-empty", "-m", message)
	return r.git("rev-parse", "HEAD")
}

// publish pushes a commit to a branch of the remote.
func (r repo) publish(remote repo, commit, ref string) {
	r.t.Helper()
	r.git("push", "-q", "--force", remote.dir, commit+":"+ref)
}

func (r repo) ref(name string) string {
	out, _ := r.try("rev-parse", "--verify", "--quiet", name)
	return out
}

// hook installs a hook on a remote.
func (r repo) hook(name, script string) {
	r.t.Helper()
	path := filepath.Join(r.dir, "hooks", name)
	os.MkdirAll(filepath.Dir(path), 0o755)
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
		r.t.Fatal(err)
	}
}

func (r repo) unhook(name string) { os.Remove(filepath.Join(r.dir, "hooks", name)) }

// argvLog keeps every command line a clone starts.
type argvLog struct {
	mu    sync.Mutex
	lines [][]string
}

func (l *argvLog) add(argv []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, append([]string(nil), argv...))
}

func (l *argvLog) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var b strings.Builder
	for _, argv := range l.lines {
		b.WriteString(strings.Join(argv, " ") + "\n")
	}
	return b.String()
}

func (l *argvLog) count(verb string) (n int) {
	for _, line := range strings.Split(l.text(), "\n") {
		if verb == "" && line != "" || verb != "" && strings.Contains(line, "git "+verb) {
			n++
		}
	}
	return n
}

// openClone opens a clone of a local remote whose command lines are checked at
// the end: no plus and no force may ever stand in one.
func openClone(t testing.TB, remote repo) (*Clone, *argvLog) {
	t.Helper()
	return openWith(t, Options{Dir: filepath.Join(t.TempDir(), "clone.git"), RemoteURL: remote.dir, AllowFile: true})
}

func openWith(t testing.TB, o Options) (*Clone, *argvLog) {
	t.Helper()
	c, err := Open(soon(t), o)
	if err != nil {
		t.Fatal(err)
	}
	log := &argvLog{}
	c.witness = log.add
	t.Cleanup(func() {
		c.Close()
		log.mu.Lock()
		defer log.mu.Unlock()
		for _, argv := range log.lines {
			for _, arg := range argv {
				if strings.HasPrefix(arg, "+") || arg == "--force" || arg == "-f" || arg == "--mirror" {
					t.Errorf("a command line holds %q: %q", arg, argv)
				}
			}
		}
	})
	return c, log
}

// soon is a context that ends a stuck test.
func soon(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// serve gives the remote over smart HTTP, to those who show the token.
func serve(t testing.TB, remote repo, token func() string) string {
	t.Helper()
	server := httptest.NewServer(gitOverHTTP(t, remote, token))
	t.Cleanup(server.Close)
	return server.URL + "/" + filepath.Base(remote.dir)
}

// gitOverHTTP answers git's smart protocol for whoever has the token.
func gitOverHTTP(t testing.TB, remote repo, token func() string) http.Handler {
	t.Helper()
	path, err := exec.Command("git", "--exec-path").Output()
	if err != nil {
		t.Fatal(err)
	}
	backend := &cgi.Handler{
		Path:       filepath.Join(strings.TrimSpace(string(path)), "git-http-backend"),
		Env:        []string{"GIT_PROJECT_ROOT=" + filepath.Dir(remote.dir), "GIT_HTTP_EXPORT_ALL=1", "REMOTE_USER=app"},
		InheritEnv: []string{"PATH"},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		if user != "x-access-token" || password != token() {
			w.Header().Set("WWW-Authenticate", `Basic realm="git"`)
			http.Error(w, "no", http.StatusUnauthorized)
			return
		}
		if r.Header.Get("Git-Protocol") != "" {
			backend := *backend
			backend.Env = append(backend.Env, "GIT_PROTOCOL="+r.Header.Get("Git-Protocol"))
			backend.ServeHTTP(w, r)
			return
		}
		backend.ServeHTTP(w, r)
	})
}

var attempt = Committer{Name: "Mainstay", Email: "attempt-7@mainstay.example", When: time.Unix(1_700_000_000, 0)}
