package git

import (
	"context"
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
)

// tunnel is a proxy that leads whatever host is asked for to one address.
func tunnel(t *testing.T, to string) (address string, calls *atomic.Int64) {
	calls = &atomic.Int64{}
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect {
			http.Error(w, "tunnels only", http.StatusMethodNotAllowed)
			return
		}
		calls.Add(1)
		there, err := net.Dial("tcp", to)
		if err != nil {
			http.Error(w, "nobody there", http.StatusBadGateway)
			return
		}
		here, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			there.Close()
			return
		}
		_, _ = io.WriteString(here, "HTTP/1.1 200 OK\r\n\r\n")
		go func() { _, _ = io.Copy(there, here); there.Close() }()
		go func() { _, _ = io.Copy(here, there); here.Close() }()
	}))
	t.Cleanup(proxy.Close)
	return proxy.URL, calls
}

// Git's children get the proxy and the private CA that the server was started with,
// though nothing else of its environment: also where only Go's names are set.
func TestGitGoesThroughTheProxyAndTrustsThePrivateCA(t *testing.T) {
	remote, work := bareRepo(t), newRepo(t)
	base := work.commit("start", "a", lines(3))
	work.publish(remote, base, mainRef)
	server := httptest.NewTLSServer(gitOverHTTP(t, remote, func() string { return "ghs_secret" }))
	t.Cleanup(server.Close)
	proxy, calls := tunnel(t, server.Listener.Addr().String())
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy", "GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "SSL_CERT_DIR"} {
		t.Setenv(name, "") // is put back at the end
		os.Unsetenv(name)
	}
	t.Setenv("HTTPS_PROXY", proxy)
	open := func() *Clone {
		clone, _ := openWith(t, Options{Dir: filepath.Join(t.TempDir(), "clone.git"), RemoteURL: "https://example.com/" + filepath.Base(remote.dir),
			Token: func(context.Context) (string, error) { return "ghs_secret", nil }})
		return clone
	}
	t.Setenv("SSL_CERT_FILE", ca)
	clone := open()
	if err := clone.Fetch(soon(t), []string{base}); err != nil {
		t.Fatal(err)
	}
	if calls.Load() == 0 {
		t.Error("the proxy was not used")
	}
	t.Setenv("SSL_CERT_FILE", "")
	if _, err := clone.ReadRefs(soon(t), mainRef); err == nil {
		t.Error("a certificate that nobody vouches for was taken")
	}
}
