package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"sync"
)

// gate stands between a server and the forge. It forwards everything, tells a
// story the moment before and after each call, and watches what must hold at
// each of them, whatever the story: no green check of ours on the old head of an
// open pull request, where GitHub's auto-merge would land it.
type gate struct {
	*httptest.Server
	town *town

	mu     sync.Mutex
	heads  map[string]int // heads before a landing, by commit
	before func(call)
	after  func(call)
}

// call is one request of the server's to the forge.
type call struct {
	method, path string
	body         []byte // of REST calls and pushes
}

// moves reports whether the call is a git push that moves this ref.
func (c call) moves(ref string) bool {
	if c.method != http.MethodPost || !strings.HasSuffix(c.path, "/git-receive-pack") {
		return false
	}
	for rest := c.body; len(rest) >= 4; {
		n, err := strconv.ParseUint(string(rest[:4]), 16, 16)
		if err != nil || n < 4 || int(n) > len(rest) {
			return false // the flush after the last command
		}
		command, _, _ := strings.Cut(string(rest[4:n]), "\x00")
		if fields := strings.Fields(command); len(fields) == 3 && fields[2] == ref {
			return true
		}
		rest = rest[n:]
	}
	return false
}

// quiet is where proxies complain of connections that stories cut.
var quiet = log.New(io.Discard, "", 0)

func openGate(w *town) *gate {
	forge, err := url.Parse(w.forge.URL())
	w.must(err)
	g := &gate{town: w, heads: map[string]int{}}
	proxy := &httputil.ReverseProxy{FlushInterval: -1, ErrorLog: quiet, Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(forge) }}
	g.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		c := call{method: r.Method, path: r.URL.Path}
		if strings.HasPrefix(c.path, "/api/") || strings.HasSuffix(c.path, "/git-receive-pack") {
			c.body, _ = io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(c.body))
		}
		g.watch(c)
		before, after := g.hooks()
		if before != nil {
			before(c)
		}
		// What was sent arrives, even when its sender is dead by now.
		proxy.ServeHTTP(rw, r.WithContext(context.WithoutCancel(r.Context())))
		if after != nil {
			after(c)
		}
	}))
	w.t.Cleanup(g.Close)
	return g
}

func (g *gate) hooks() (before, after func(call)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.before, g.after
}

// around has each call told before it reaches the forge, and before its answer
// is over; nil tells nobody. A panic with http.ErrAbortHandler loses the call.
func (g *gate) around(before, after func(call)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.before, g.after = before, after
}

// beforeEach has each call told before it reaches the forge; nil ends it.
func (g *gate) beforeEach(tell func(call)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.before = tell
}

func (g *gate) remember(head string, pr int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.heads[head] = pr
}

// remembered are the heads that were asked to land, with their pull requests.
func (g *gate) remembered() map[string]int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return maps.Clone(g.heads)
}

// watch looks at every check the server writes.
func (g *gate) watch(c call) {
	at := strings.Index(c.path, "/check-runs")
	if at < 0 || c.method != http.MethodPost && c.method != http.MethodPatch {
		return
	}
	var check struct {
		Name       string `json:"name"`
		HeadSHA    string `json:"head_sha"`
		Conclusion string `json:"conclusion"`
	}
	if json.Unmarshal(c.body, &check) != nil || check.Name == doctorCheck || check.Name == configCheckName {
		return // advice can't be required: the doctor calls that broken
	}
	if id, err := strconv.ParseInt(strings.TrimPrefix(c.path[at:], "/check-runs/"), 10, 64); err == nil {
		for _, run := range g.town.repo.CheckRuns("") {
			if run.ID == id {
				check.HeadSHA = run.HeadSHA
			}
		}
	}
	g.mu.Lock()
	pr := g.heads[check.HeadSHA]
	g.mu.Unlock()
	switch check.Conclusion {
	case "success", "neutral", "skipped":
		if pull, ok := g.town.repo.PullRequest(int64(pr)); ok && pull.State == "open" {
			g.town.t.Errorf("the check on the old head of #%d concluded %s while it was open", pr, check.Conclusion)
		}
	}
}
