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
	c, err := d.identity.verify(r.Context(), r.Header.Get("Authorization"))
	if errors.Is(err, errNoKeys) {
		return caller{}, d.unavailable(err)
	}
	if err != nil {
		return caller{}, refuse(http.StatusUnauthorized, shard.CodeUnauthenticated, "identity: %v; the audience must be %s", err, d.URL)
	}
	if c.CheckRun == 0 {
		// A hint for hosts whose tokens don't name the job; GitHub's own conclusion of that job is asked for all the same.
		c.CheckRun, _ = strconv.ParseInt(r.Header.Get(shard.HeaderCheckRun), 10, 64)
	}
	places, err := d.Reports.QueuesOf(r.Context(), c.Repository)
	if err != nil {
		return caller{}, d.unavailable(err)
	}
	if len(places) == 0 {
		return caller{}, refuse(http.StatusNotFound, shard.CodeUnknownRepository, "this server has no queue for repository %d: is the App installed on it?", c.Repository)
	}
	place, attempt, err := d.Reports.FindAttempt(r.Context(), c.Repository, c.SHA)
	switch {
	case err == nil && live(attempt) && c.Event == "push" && c.Ref == "refs/heads/"+attempt.Ticket:
		return caller{c, place, &attempt}, nil
	case err != nil && !errors.Is(err, queue.ErrNotFound):
		return caller{}, d.unavailable(err)
	case strings.HasPrefix(c.Ref, "refs/heads/mainstay/") && c.Event == "push":
		return caller{}, refuse(http.StatusConflict, shard.CodeNotABatch, "%.12s is not the commit of a live attempt on %s", c.SHA, c.Ref)
	}
	return caller{c, places[0], nil}, nil
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
