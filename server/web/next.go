package web

import (
	"context"
	"net/http"
	"slices"
	"strings"
)

// Installed is a repository that the App is installed on.
type Installed struct {
	Owner, Name, Branch string
	// Ready says that its labels were made and its check was posted once, Trouble what kept us from it.
	Ready   bool
	Trouble string
}

// Installation is the App and where it is.
type Installation struct {
	App          string // its name
	Install      string // where it is installed on more repositories; empty: not known
	Repositories []Installed
	More         int // so many are not listed
}

// NextOptions are what the page "what is next" needs.
type NextOptions struct {
	// Look gives what could be read beside an error.
	Look func(ctx context.Context) (Installation, error)
	// Newcomer may be nil. It tells the browser that set this server up: it sees
	// the page without the dashboard's password.
	Newcomer *Setup
	Grants   []Grant
	Polls    bool
}

// WorkflowText is what a workflow needs to run on tickets, with the Action's step.
func WorkflowText(server string) string {
	return strings.ReplaceAll(`on:
  pull_request:
  push: {branches: ["mainstay/**"]}
permissions: {contents: read, id-token: write}
jobs:
  test:
    runs-on: ubuntu-latest
    strategy: {fail-fast: false, matrix: {shard: [0, 1, 2, 3]}}
    steps:
      - uses: actions/checkout@v7
      - uses: mainstay-ci/mainstay@v1
        with:
          server-url: SERVER
          mode: run
          runner: go
          tests: ./...
`, "SERVER", server)
}

type nextBody struct {
	NextOptions
	Installation
	GitHubURL, URL, Workflow string
	Failed                   string
	Unseen                   bool // runners can't reach this server
}

// guardNext lets in who may see the dashboard, and who set the server up.
func (p *pages) guardNext(o *NextOptions, next http.HandlerFunc) http.Handler {
	guarded := p.guard(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if o.Newcomer == nil || !o.Newcomer.Knows(r) {
			guarded.ServeHTTP(w, r)
			return
		}
		for name, value := range pageHeaders {
			w.Header().Set(name, value)
		}
		next(w, r)
	})
}

// showNext lists what is installed and what a person still has to do.
func (d *door) showNext(p *pages) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body := nextBody{NextOptions: *d.Next, GitHubURL: p.GitHubURL, URL: d.URL, Workflow: WorkflowText(d.URL), Unseen: onThisMachine(d.URL)}
		var err error
		if body.Installation, err = d.Next.Look(r.Context()); err != nil {
			d.Log.Warn("the App's repositories could not be read", "err", err)
			body.Failed = "GitHub did not tell all of the App's repositories. Load the page again in a moment; the server's log says more."
		}
		waits := len(body.Repositories) == 0 ||
			slices.ContainsFunc(body.Repositories, func(i Installed) bool { return !i.Ready && i.Trouble == "" })
		if waits {
			w.Header().Set("Refresh", "5") // no script is needed for that
		}
		p.write(w, http.StatusOK, page{Name: "next", Title: "What is next", Crumbs: []link{{Text: "What is next"}}, Body: body})
	}
}
