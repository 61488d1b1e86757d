package main

import (
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
)

// enterprise puts the town's forge behind TLS with a certificate that nobody outside
// trusts, and gives the proxy that alone leads to https://example.com.
func (w *town) enterprise() (proxy, ca string, calls *atomic.Int64) {
	w.t.Helper()
	forge, err := url.Parse(w.forge.URL())
	w.must(err)
	front := httptest.NewTLSServer(&httputil.ReverseProxy{ErrorLog: quiet, Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(forge) }})
	w.t.Cleanup(front.Close)
	ca = filepath.Join(w.t.TempDir(), "ca.pem")
	w.must(os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: front.Certificate().Raw}), 0o600))
	calls = &atomic.Int64{}
	tunnel := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		there, err := net.Dial("tcp", front.Listener.Addr().String())
		if r.Method != http.MethodConnect || err != nil {
			http.Error(rw, "tunnels only", http.StatusBadGateway)
			return
		}
		calls.Add(1)
		here, _, err := rw.(http.Hijacker).Hijack()
		if err != nil {
			there.Close()
			return
		}
		_, _ = io.WriteString(here, "HTTP/1.1 200 OK\r\n\r\n")
		go func() { _, _ = io.Copy(there, here); there.Close() }()
		go func() { _, _ = io.Copy(here, there); here.Close() }()
	}))
	w.t.Cleanup(tunnel.Close)
	return tunnel.URL, ca, calls
}

// A GitHub Enterprise Server with a certificate of the house, reached through a
// proxy: its one address and two usual variables are all that is set.
func TestAnEnterpriseServerBehindAProxyIsReached(t *testing.T) {
	t.Parallel()
	w := foundWithoutServer(t, scene{unruled: true, files: map[string]string{".github/workflows/ci.yml": soundWorkflow}})
	proxy, ca, calls := w.enterprise()
	key := filepath.Join(t.TempDir(), "app.pem")
	w.must(os.WriteFile(key, w.app.PrivateKeyPEM, 0o600))
	run := func(env ...string) (string, int) {
		cmd := exec.Command(serverBinary(t), "doctor", "acme/widgets", "--data", filepath.Join(w.dir, "none"))
		cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "MAINSTAY_GITHUB_URL=https://example.com", "MAINSTAY_KEY_FILE=" + key,
			"MAINSTAY_APP_ID=" + strconv.FormatInt(w.app.ID, 10), "HTTPS_PROXY=" + proxy}, env...)
		out, _ := cmd.CombinedOutput()
		return string(out), cmd.ProcessState.ExitCode()
	}
	if said, code := run("SSL_CERT_FILE=" + ca); code != 0 || calls.Load() == 0 {
		t.Errorf("exit code %d after %d tunnels:\n%s", code, calls.Load(), said)
	}
	if said, code := run(); code != 1 {
		t.Errorf("with a certificate that nobody vouches for: exit code %d\n%s", code, said)
	}
}
