package web

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
)

// Reader is what the pages read. Ended and Receipts come newest first.
type Reader interface {
	Queues(ctx context.Context) ([]queue.Place, error)
	Load(ctx context.Context, id int64) (queue.Place, int64, queue.Rows, error)
	Ended(ctx context.Context, id int64, limit int) ([]queue.Entry, error)
	Receipts(ctx context.Context, id int64, limit int) ([]queue.Receipt, error)
	// PullReports are those of a pull request's own runs, newest first.
	PullReports(ctx context.Context, id int64, pr, limit int) ([]queue.PullReport, error)
	// RulingsOfPull are the audit's lines on a pull request, newest first.
	RulingsOfPull(ctx context.Context, id int64, pr, limit int) ([]queue.Ruling, error)
}

// Operator is what people can do from the pages, and how these learn of changes.
type Operator interface {
	Pause(ctx context.Context, id int64, by, reason string) error
	Resume(ctx context.Context, id int64, by string) error
	// Watch gives a token each time the queue changed, until the second value is called.
	Watch(id int64) (<-chan struct{}, func())
}

// PageOptions are what the dashboard needs. With neither Open nor a Password it
// is off: every page answers 404 and says which setting turns it on.
type PageOptions struct {
	Reader   Reader
	Operator Operator
	Tests    TestReader // nil: there is no page of tests
	// GitHubURL is where links lead, https://github.com say; empty: no links to GitHub.
	GitHubURL string
	// Open lets everybody look and operate: for a server on loopback.
	Open bool
	// Password is asked for by basic authentication, with any user name.
	Password string
	Clock    func() time.Time // time.Now when nil
	Log      *slog.Logger     // nothing is logged when nil
}

// pages is the dashboard.
type pages struct {
	PageOptions
	streams chan struct{} // one place for each listening page
}

// How much history the pages read and show.
const (
	shownEnded  = 20
	readEnded   = 200
	readLongAgo = 2000
)

func newPages(o PageOptions) *pages {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.GitHubURL = strings.TrimSuffix(o.GitHubURL, "/")
	return &pages{PageOptions: o, streams: make(chan struct{}, maxStreams)}
}

func (p *pages) routes(mux *http.ServeMux) {
	mux.Handle("GET /{$}", p.guard(p.showHome))
	mux.Handle("GET /events", p.guard(p.streamHome))
	mux.Handle("GET /q/{owner}/{repo}/{rest...}", p.guard(p.showPlace))
	mux.Handle("POST /q/{owner}/{repo}/{rest...}", p.guard(p.operate))
	mux.Handle("GET /static/{file}", p.guard(serveStatic))
}

// view makes what one page shows, from what the store says now.
type view func(ctx context.Context) (page, error)

func (p *pages) showHome(w http.ResponseWriter, r *http.Request) { p.show(w, r, p.home) }

// showPlace answers everything below /q/: a branch name may hold slashes, so
// what stands behind it is told apart by the queues there are.
func (p *pages) showPlace(w http.ResponseWriter, r *http.Request) {
	place, action, err := p.locate(r)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	v := p.queueAt(place.ID)
	if number, rest, ok := cutNumber(action, "pr/"); ok {
		v, action = p.pullAt(place.ID, number), rest
	} else if number, rest, ok := cutNumber(action, "batch/"); ok {
		v, action = p.batchAt(place.ID, number), rest
	} else if rest, ok := strings.CutPrefix(action, "tests"); ok && (rest == "" || rest[0] == '/') {
		v, action = p.testsAt(place.ID), strings.TrimPrefix(rest, "/")
	}
	switch action {
	case "":
		p.show(w, r, v)
	case "events":
		p.stream(w, r, v, place.ID)
	default:
		p.fail(w, r, queue.ErrNotFound)
	}
}

// locate finds the queue a path means, and what of it is asked for. Where one
// branch's name goes on where another's ends, the longer one is meant.
func (p *pages) locate(r *http.Request) (found queue.Place, action string, err error) {
	places, err := p.Reader.Queues(r.Context())
	if err != nil {
		return queue.Place{}, "", err
	}
	owner, repo, rest := r.PathValue("owner"), r.PathValue("repo"), r.PathValue("rest")
	for _, place := range places {
		after, ok := strings.CutPrefix(rest, place.Branch)
		if !ok || after != "" && after[0] != '/' || len(place.Branch) <= len(found.Branch) ||
			!strings.EqualFold(place.Owner, owner) || !strings.EqualFold(place.Name, repo) {
			continue
		}
		found, action = place, strings.TrimPrefix(after, "/")
	}
	if found.Branch == "" {
		return queue.Place{}, "", queue.ErrNotFound
	}
	return found, action, nil
}

// cutNumber reads "pr/12" or "pr/12/events" behind the prefix "pr/".
func cutNumber(action, prefix string) (number int, rest string, ok bool) {
	after, ok := strings.CutPrefix(action, prefix)
	if !ok {
		return 0, "", false
	}
	digits, rest, _ := strings.Cut(after, "/")
	number, err := strconv.Atoi(digits)
	return number, rest, err == nil && number > 0
}

// queuePath is the address of a queue's page, each part of the branch escaped.
func queuePath(place queue.Place) string {
	parts := strings.Split(place.Branch, "/")
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	return "/q/" + url.PathEscape(place.Owner) + "/" + url.PathEscape(place.Name) + "/" + strings.Join(parts, "/")
}

func pullPath(place queue.Place, number int) string {
	return queuePath(place) + "/pr/" + strconv.Itoa(number)
}

func (p *pages) show(w http.ResponseWriter, r *http.Request, v view) {
	content, err := v(r.Context())
	if err != nil {
		p.fail(w, r, err)
		return
	}
	p.write(w, http.StatusOK, content)
}

// fail shows what went wrong without telling what only the log may know.
func (p *pages) fail(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, queue.ErrNotFound) {
		p.write(w, http.StatusNotFound, page{Name: "trouble", Title: "Not found",
			Body: "There is no such page. The queue may have another branch, or never had that pull request or batch."})
		return
	}
	if r.Context().Err() == nil {
		p.Log.Error("a page could not be shown", "path", r.URL.Path, "err", err)
	}
	p.write(w, http.StatusInternalServerError, page{Name: "trouble", Title: "Something went wrong",
		Body: "The page could not be read. Try again in a moment; the server's log says more."})
}
