package web

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// foreign is an issuer that none of us wrote, and GitHub's own client to it.
type foreign struct {
	t   *testing.T
	dir string
	url string
}

// installForeign installs the packages in a folder of the test's own.
func installForeign(t *testing.T) *foreign {
	t.Helper()
	if os.Getenv("MAINSTAY_ISSUER") != "1" {
		t.Skip("SKIPPED: tokens of an issuer that is not ours are only checked with MAINSTAY_ISSUER=1, because that installs packages from npm: make issuer")
	}
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("SKIPPED: %s is missing, so tokens of an issuer that is not ours are not checked", tool)
		}
	}
	f := &foreign{t: t, dir: t.TempDir()}
	for _, name := range []string{"issuer.mjs", "client.mjs"} {
		text, err := os.ReadFile(filepath.Join("testdata", "issuer", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(f.dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	npm := exec.CommandContext(ctx, "npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", f.dir, "oauth2-mock-server@8.2.3", "@actions/core@3.0.1")
	npm.Dir = f.dir
	if out, err := npm.CombinedOutput(); err != nil {
		t.Fatalf("npm install: %v\n%s", err, out)
	}
	f.start()
	return f
}

// start runs the issuer until the test ends.
func (f *foreign) start() {
	f.t.Helper()
	node := exec.Command("node", "issuer.mjs")
	node.Dir, node.Stderr = f.dir, os.Stderr
	stdin, err := node.StdinPipe() // its end ends the issuer
	if err != nil {
		f.t.Fatal(err)
	}
	stdout, err := node.StdoutPipe()
	if err != nil {
		f.t.Fatal(err)
	}
	if err := node.Start(); err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() {
		stdin.Close()
		_ = node.Wait()
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		f.t.Fatalf("the issuer did not start: %v", err)
	}
	f.url = strings.TrimSpace(line)
}

func (f *foreign) change(what map[string]any) {
	f.t.Helper()
	body, err := json.Marshal(what)
	if err != nil {
		f.t.Fatal(err)
	}
	resp, err := http.Post(f.url+"/control", "application/json", bytes.NewReader(body))
	if err != nil {
		f.t.Fatal(err)
	}
	resp.Body.Close()
}

// token is taken by GitHub's own client, as in a job.
func (f *foreign) token(audience string) string {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), time.Minute)
	defer cancel()
	node := exec.CommandContext(ctx, "node", "client.mjs", audience)
	node.Dir = f.dir
	node.Env = append(os.Environ(), "ACTIONS_ID_TOKEN_REQUEST_URL="+f.url+"/token?api-version=2.0", "ACTIONS_ID_TOKEN_REQUEST_TOKEN=the-job", "no_proxy=127.0.0.1")
	out, err := node.CombinedOutput()
	if err != nil {
		f.t.Fatalf("take a token: %v\n%s", err, out)
	}
	_, token, ok := strings.Cut(string(out), "TOKEN ")
	if !ok {
		f.t.Fatalf("the client printed no token: %s", out)
	}
	return strings.TrimSpace(token)
}

// Tokens by an issuer and a client that none of us wrote: what we believe of them is
// not only what we believe of ourselves.
func TestTokensOfAnIssuerThatIsNotOurs(t *testing.T) {
	foreign := installForeign(t)
	f := openFront(t, func(o *Options) { o.Issuers = []string{foreign.url} })
	f.setClock(time.Now())
	expect := func(what, token string, status int) {
		t.Helper()
		if got, text := f.call(token, "POST", "/v1/plans", planRequest(0, 2, "a", "b")); got != status || status == 200 && !strings.Contains(text, `"trusted":true`) {
			t.Errorf("%s: answered %d %s, want %d", what, got, text, status)
		}
	}
	first := foreign.token(audience)
	expect("a job's token", first, 200)
	parts := strings.Split(first, ".")
	expect("a changed signature", parts[0]+"."+parts[1]+"."+strings.Repeat("A", len(parts[2])), 401)
	expect("changed claims", parts[0]+"."+strings.Replace(parts[1], parts[1][20:24], "AAAA", 1)+"."+parts[2], 401)
	expect("no signature", parts[0]+"."+parts[1]+".", 401)
	expect("another audience", foreign.token("https://elsewhere.example.com"), 401)

	foreign.change(map[string]any{"expiresIn": -120})
	expect("an expired token", foreign.token(audience), 401)
	foreign.change(map[string]any{"expiresIn": 300, "claims": map[string]any{"iss": foreign.url + "/"}})
	expect("an issuer with a slash", foreign.token(audience), 401)
	for claim, value := range map[string]string{"repository_id": "8", "sha": "other", "ref": "refs/heads/mainstay/main/40"} {
		foreign.change(map[string]any{"claims": map[string]any{claim: value}})
		expect(fmt.Sprintf("%s is %s", claim, value), foreign.token(audience), map[string]int{"repository_id": 404}[claim]+map[bool]int{true: 409}[claim != "repository_id"])
	}

	foreign.change(map[string]any{"claims": map[string]any{}, "kid": "two"})
	second := foreign.token(audience)
	expect("a new key, just after a fetch", second, 401)
	f.advance(fetchPace)
	expect("a new key", second, 200)
	expect("the key before it", first, 200)
}
