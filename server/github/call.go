package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/go-github/v60/github"

	"github.com/mainstay-ci/mainstay/queue"
)

const (
	callsAtOnce = 8                // of one installation
	callLimit   = 10 * time.Second // of one request
	apiVersion  = "2022-11-28"
	pageLimit   = 50 // of one list; nothing we read is longer in earnest
)

// installation is the App on one account: one token, one rate limit.
type installation struct {
	tokens *tokens
	api    *github.Client
	slots  chan struct{}
	pace   *pace
	// limited is the Trouble that holds until its RetryAt: going on calling
	// while limited may get the App banned.
	limited atomic.Pointer[Trouble]
}

func (a *App) installation(id int64) *installation {
	a.mu.Lock()
	defer a.mu.Unlock()
	in := a.installations[id]
	if in == nil {
		in = &installation{api: a.api(a.client(newMemory(a.transport))), slots: make(chan struct{}, callsAtOnce), pace: newPace(a.writes),
			tokens: &tokens{app: a, id: id, turn: make(chan struct{}, 1)}}
		a.installations[id] = in
	}
	return in
}

// site is one repository to make calls on.
type site struct {
	app   *App
	in    *installation
	place queue.Place
}

func (a *App) at(place queue.Place) site {
	return site{a, a.installation(place.Installation), place}
}

// name is owner/name, for errors.
func (s site) name() string { return s.place.Owner + "/" + s.place.Name }

// get reads one thing of the repository into out. Its errors are a *Trouble, or
// the context's.
func (s site) get(ctx context.Context, path string, query url.Values, out any) (*github.Response, error) {
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return s.send(ctx, http.MethodGet, path, nil, out)
}

// send makes one call on the repository, by a path of escaped segments.
func (s site) send(ctx context.Context, method, path string, body, out any) (*github.Response, error) {
	full := "repos/" + segment(s.place.Owner) + "/" + segment(s.place.Name)
	if path != "" {
		full += "/" + path
	}
	return s.in.send(ctx, s.app, call{method, full, body, out})
}

type call struct {
	method, path string
	body, out    any
}

func (c call) String() string {
	path, _, _ := strings.Cut(c.path, "?")
	return c.method + " " + path
}

// send makes a call with the installation's token; a refused token is replaced
// once. Nothing else is repeated: the caller knows what a repeat would mean.
func (in *installation) send(ctx context.Context, a *App, c call) (*github.Response, error) {
	select {
	case in.slots <- struct{}{}:
		defer func() { <-in.slots }()
	case <-ctx.Done():
		return nil, fmt.Errorf("%s: %w", c, ctx.Err())
	}
	if t := in.limited.Load(); t != nil && a.clock().Before(t.RetryAt) {
		return nil, &Trouble{Kind: Limited, RetryAt: t.RetryAt, Call: c.String(), Message: "not sent: " + t.Message}
	}
	if at, why := in.pace.admit(classOf(ctx), c, a.clock()); !at.IsZero() {
		return nil, &Trouble{Kind: Limited, RetryAt: at, Call: c.String(), Message: "not sent: " + why}
	}
	token, err := in.tokens.get(ctx, "")
	if err != nil {
		return nil, err
	}
	resp, err := a.do(ctx, in.api, token, c)
	if resp != nil && resp.Response != nil && resp.StatusCode == http.StatusUnauthorized {
		if token, err = in.tokens.get(ctx, token); err != nil {
			return nil, err
		}
		resp, err = a.do(ctx, in.api, token, c)
	}
	if resp != nil && resp.Response != nil {
		in.pace.note(resp.Header)
	}
	var t *Trouble
	switch {
	case errors.As(err, &t) && t.Kind == Limited:
		t.RetryAt = in.pace.strike(t, a.clock())
		in.limited.Store(t)
	case err == nil:
		in.pace.forgive()
	}
	return resp, err
}

// do makes one request within its own deadline. An empty token leaves
// authorization to the client's transport.
func (a *App) do(ctx context.Context, api *github.Client, token Secret, c call) (*github.Response, error) {
	req, err := api.NewRequest(c.method, c.path, c.body, github.WithVersion(apiVersion))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c, err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+string(token))
	}
	short, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	began := time.Now()
	resp, err := api.Do(short, req, c.out)
	if err != nil && ctx.Err() != nil {
		return resp, fmt.Errorf("%s: %w", c, ctx.Err())
	}
	err = a.trouble(c.String(), err)
	status := 0
	if resp != nil && resp.Response != nil {
		status = resp.StatusCode
	}
	a.log.Debug("github call", "call", c.String(), "status", status, "took", time.Since(began))
	return resp, err
}

// segment escapes one part of a path, also where it would mean a folder.
func segment(text string) string {
	if text == "." || text == ".." {
		return strings.ReplaceAll(text, ".", "%2E")
	}
	return url.PathEscape(text)
}

// eachPage reads a list page by page, a hundred at a time. It fails when the
// list does not end.
func eachPage[Page any](ctx context.Context, s site, path string, query url.Values, take func(Page)) error {
	return eachPageOf(pageLimit, func(page int, out *Page) (*github.Response, error) {
		return s.get(ctx, path, paged(query, page), out)
	}, take)
}

func eachPageOf[Page any](limit int, read func(page int, out *Page) (*github.Response, error), take func(Page)) error {
	for page, n := 1, 0; page != 0; n++ {
		if n == limit {
			return fmt.Errorf("the list has more than %d pages", limit)
		}
		var out Page
		resp, err := read(page, &out)
		if err != nil {
			return err
		}
		take(out)
		page = resp.NextPage
	}
	return nil
}

func paged(query url.Values, page int) url.Values {
	q := url.Values{"per_page": {"100"}}
	for name, values := range query {
		q[name] = values
	}
	if page > 1 {
		q.Set("page", strconv.Itoa(page))
	}
	return q
}

// sideBySide runs tasks together and returns the first error; the others are
// called off then.
func sideBySide(ctx context.Context, tasks ...func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var (
		wait  sync.WaitGroup
		once  sync.Once
		first error
	)
	for _, task := range tasks {
		wait.Go(func() {
			if err := task(ctx); err != nil {
				once.Do(func() { first = err; cancel() })
			}
		})
	}
	wait.Wait()
	return first
}
