package web

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/queue/shard"
)

// refusal is an answer that is not what was asked for.
type refusal struct {
	status int
	shard.ErrorDetail
}

func refuse(status int, code shard.Code, format string, args ...any) *refusal {
	return &refusal{status, shard.ErrorDetail{Code: code, Message: fmt.Sprintf(format, args...)}}
}

func (r *refusal) write(w http.ResponseWriter) {
	if r.RetryAfterS > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(r.RetryAfterS))
	}
	answer(w, r.status, shard.ErrorBody{Error: r.ErrorDetail})
}

// caller is a verified job and where it belongs.
type caller struct {
	claims
	place   queue.Place
	attempt *queue.Attempt // nil: an ordinary run, which moves nothing
}

// call verifies who asks and finds the attempt that its commit belongs to.
// Repository, run, attempt and commit come from the token, never from the body.
func (d *door) call(r *http.Request) (caller, *refusal) {
	c, refused := d.identify(r)
	if refused != nil {
		return caller{}, refused
	}
	place, attempt, err := d.Reports.FindAttempt(r.Context(), c.Repository, c.SHA)
	switch {
	case err == nil && live(attempt) && c.onTicket(attempt):
		if attempt.Disowns(c.Run, c.Workflow) {
			return caller{}, refuse(http.StatusConflict, shard.CodeNotABatch, "run %d is not the one of %s that GitHub started on %s", c.Run, c.Workflow, attempt.Ticket)
		}
		c.place, c.attempt = place, &attempt
	case err != nil && !errors.Is(err, queue.ErrNotFound):
		return caller{}, d.unavailable(err)
	case c.onAnyTicket():
		return caller{}, refuse(http.StatusConflict, shard.CodeNotABatch, "%.12s is not the commit of a live attempt on %s", c.SHA, c.Ref)
	}
	return c, nil
}

// onTicket tells whether the run is the one that our push of the ticket started.
// No other event speaks for an attempt: least of all those that run with a
// branch's rights and may have foreign code checked out.
func (c claims) onTicket(a queue.Attempt) bool {
	return c.Event == pushEvent && c.Ref == "refs/heads/"+a.Ticket
}

func (c claims) onAnyTicket() bool {
	return c.Event == pushEvent && strings.HasPrefix(c.Ref, "refs/heads/mainstay/")
}

const pushEvent = "push"

// identify verifies who asks, for a repository that has a queue; which attempt
// it belongs to is not looked up.
func (d *door) identify(r *http.Request) (caller, *refusal) {
	c, refused := d.prove(r)
	if refused != nil {
		return caller{}, refused
	}
	places, err := d.Reports.QueuesOf(r.Context(), c.Repository)
	if err != nil {
		return caller{}, d.unavailable(err)
	}
	if len(places) == 0 {
		return caller{}, refuse(http.StatusNotFound, shard.CodeUnknownRepository, "this server has no queue for repository %d: is the App installed on it?", c.Repository)
	}
	return caller{c, places[0], nil}, nil
}

// prove takes a job's token, or the shared secret where one is set.
func (d *door) prove(r *http.Request) (claims, *refusal) {
	header := r.Header.Get("Authorization")
	if secret, ok := strings.CutPrefix(header, shard.SecretScheme+" "); ok {
		return d.proveBySecret(r, secret)
	}
	c, err := d.identity.verify(r.Context(), header, r.RemoteAddr)
	switch {
	case errors.Is(err, errNoKeys):
		return claims{}, d.unavailable(err)
	case errors.Is(err, errTooMany):
		return claims{}, tooMany()
	case err != nil:
		return claims{}, refuse(http.StatusUnauthorized, shard.CodeUnauthenticated, "identity: %v; the audience must be %s", err, d.URL)
	}
	if c.CheckRun == 0 {
		// A hint for hosts whose tokens don't name the job; GitHub's own conclusion of that job is asked for all the same.
		if hint, err := strconv.ParseInt(r.Header.Get(shard.HeaderCheckRun), 10, 64); err == nil && hint > 0 {
			c.CheckRun = hint
		}
	}
	d.Log.Debug("a job proved who it is", "token", c.ID, "repository", c.Repository, "run", c.Run, "attempt", c.RunTry, "job", c.CheckRun)
	return c, nil
}

func tooMany() *refusal {
	r := refuse(http.StatusTooManyRequests, shard.CodeRateLimited, "%v: try again later", errTooMany)
	r.RetryAfterS = int(failureWindow.Seconds())
	return r
}

func (d *door) unavailable(err error) *refusal {
	d.Log.Error("a job's request could not be answered", "err", err)
	r := refuse(http.StatusServiceUnavailable, shard.CodeUnavailable, "the server has trouble; try again")
	r.RetryAfterS = 2
	return r
}

// readBody reads a JSON body, gzipped or not, within the limits both sides keep.
func readBody(w http.ResponseWriter, r *http.Request, into any) ([]byte, *refusal) {
	var body io.Reader = http.MaxBytesReader(w, r.Body, shard.MaxBody)
	if r.Header.Get("Content-Encoding") == "gzip" {
		unpacked, err := gzip.NewReader(body)
		if err != nil {
			return nil, refuse(http.StatusBadRequest, shard.CodeInvalid, "the body is not gzip")
		}
		body = io.LimitReader(unpacked, shard.MaxPlainBody+1)
	}
	plain, err := io.ReadAll(body)
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) || len(plain) > shard.MaxPlainBody {
		return nil, refuse(http.StatusRequestEntityTooLarge, shard.CodeTooLarge, "the body is too large: %d bytes as sent, %d unpacked at most", shard.MaxBody, shard.MaxPlainBody)
	}
	if err != nil {
		return nil, refuse(http.StatusBadRequest, shard.CodeInvalid, "the body broke off")
	}
	if err := json.Unmarshal(plain, into); err != nil {
		return nil, refuse(http.StatusBadRequest, shard.CodeInvalid, "the body is not the JSON asked for: %v", err)
	}
	return plain, nil
}
