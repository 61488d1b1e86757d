package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/mainstay-ci/mainstay/queue/shard"
)

// road is the way to a server. Calls on it can be cut off, as if the server were down.
type road struct {
	*httptest.Server
	mu   sync.Mutex
	to   *url.URL
	cuts func(*http.Request) bool
	cut  int // how many calls were
}

func openRoad(t *testing.T) *road {
	r := &road{}
	proxy := &httputil.ReverseProxy{FlushInterval: -1, ErrorLog: quiet, Rewrite: func(p *httputil.ProxyRequest) {
		r.mu.Lock()
		defer r.mu.Unlock()
		p.SetURL(r.to)
		p.Out.Host = p.In.Host
	}}
	r.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, req *http.Request) {
		if r.closed(req) {
			panic(http.ErrAbortHandler)
		}
		proxy.ServeHTTP(rw, req)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *road) closed(req *http.Request) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.to == nil || r.cuts != nil && r.cuts(req) {
		r.cut++
		return true
	}
	return false
}

func (r *road) leadTo(address string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.to, _ = url.Parse(address)
}

// cutOff cuts the calls of this kind off; nil lets all through again.
func (r *road) cutOff(kind func(*http.Request) bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cuts = kind
}

func (r *road) cutCalls() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.cut
}

// What jobs ask of the server.
func askPlan(r *http.Request) bool   { return r.Method == http.MethodPost && r.URL.Path == "/v1/plans" }
func askReport(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/v1/reports/") }
func askAny(r *http.Request) bool    { return strings.HasPrefix(r.URL.Path, "/v1/") }

// shardThatAsks reads from a request for a plan which shard sent it, -1 for none.
func shardThatAsks(r *http.Request) int {
	body, err := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	if err != nil {
		return -1
	}
	if r.Header.Get("Content-Encoding") == "gzip" {
		packed, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			return -1
		}
		if body, err = io.ReadAll(packed); err != nil {
			return -1
		}
	}
	var asked shard.PlanRequest
	if json.Unmarshal(body, &asked) != nil {
		return -1
	}
	return asked.Shard.Index
}
