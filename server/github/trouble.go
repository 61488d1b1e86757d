package github

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/go-github/v60/github"
)

// Kind says what an unanswered or refused call means for the caller.
type Kind string

// The kinds.
const (
	Gone        Kind = "gone"        // 404, 410: there is none, or we may not see it
	Forbidden   Kind = "forbidden"   // 401, 403: not repeated; somebody has to grant something
	Limited     Kind = "limited"     // a rate limit of this installation: again at RetryAt
	Unavailable Kind = "unavailable" // 5xx, a deadline, no connection: the outcome is unknown
	Refused     Kind = "refused"     // any other 4xx: the request itself is wrong, or comes at a wrong moment
)

// Trouble is a call that did not go well.
type Trouble struct {
	Kind    Kind
	Status  int       // 0 when there was no answer
	RetryAt time.Time // with Limited
	Call    string    // method and path
	Message string    // GitHub's words
	err     error
	told    bool // RetryAt is GitHub's word
}

// Error says which call failed, and how.
func (t *Trouble) Error() string {
	text := t.Call + ": "
	switch {
	case t.Status != 0:
		text += fmt.Sprintf("%d %s", t.Status, http.StatusText(t.Status))
	case t.err != nil:
		return text + t.err.Error()
	default:
		text += string(t.Kind)
	}
	if t.Message != "" {
		text += ": " + t.Message
	}
	if !t.RetryAt.IsZero() {
		text += ", again at " + t.RetryAt.UTC().Format(time.RFC3339)
	}
	return text
}

// Unwrap gives what the network or a decoder said, or nil.
func (t *Trouble) Unwrap() error { return t.err }

// KindOf is the kind of the Trouble in an error's chain, or "".
func KindOf(err error) Kind {
	var t *Trouble
	if errors.As(err, &t) {
		return t.Kind
	}
	return ""
}

func gone(err error) bool { return KindOf(err) == Gone }

// trouble words what went wrong with a call; nil when nothing did.
func (a *App) trouble(call string, err error) error {
	var (
		accepted  *github.AcceptedError
		limit     *github.RateLimitError
		abuse     *github.AbuseRateLimitError
		twoFactor *github.TwoFactorAuthError
		answer    *github.ErrorResponse
	)
	switch {
	case err == nil, errors.As(err, &accepted):
		return nil
	case errors.As(err, &limit):
		t := &Trouble{Kind: Limited, Status: limit.Response.StatusCode, Call: call, Message: cut(limit.Message, 300), RetryAt: limit.Rate.Reset.Time}
		return a.wait(t, limit.Response.Header)
	case errors.As(err, &abuse):
		t := &Trouble{Kind: Limited, Status: abuse.Response.StatusCode, Call: call, Message: cut(abuse.Message, 300)}
		if abuse.RetryAfter != nil {
			t.RetryAt = a.clock().Add(*abuse.RetryAfter)
		}
		return a.wait(t, abuse.Response.Header)
	case errors.As(err, &twoFactor):
		return &Trouble{Kind: Forbidden, Status: http.StatusUnauthorized, Call: call, Message: cut(twoFactor.Message, 300)}
	case errors.As(err, &answer):
		return a.refusal(call, answer.Response, answer.Message)
	}
	return &Trouble{Kind: Unavailable, Call: call, err: err}
}

func (a *App) refusal(call string, r *http.Response, message string) error {
	t := &Trouble{Status: r.StatusCode, Call: call, Message: cut(message, 300)}
	limited := r.StatusCode == http.StatusTooManyRequests || r.StatusCode == http.StatusForbidden &&
		(r.Header.Get("Retry-After") != "" || r.Header.Get("X-Ratelimit-Remaining") == "0" || strings.Contains(message, "rate limit"))
	switch {
	case limited:
		t.Kind = Limited
		return a.wait(t, r.Header)
	case r.StatusCode == http.StatusNotFound, r.StatusCode == http.StatusGone:
		t.Kind = Gone
	case r.StatusCode == http.StatusUnauthorized, r.StatusCode == http.StatusForbidden:
		t.Kind = Forbidden
	case r.StatusCode >= 500, r.StatusCode == http.StatusRequestTimeout, r.StatusCode < 400:
		t.Kind = Unavailable
	default:
		t.Kind = Refused
	}
	return t
}

// wait sets when a limited call may be repeated: as GitHub says, else in a minute.
func (a *App) wait(t *Trouble, h http.Header) error {
	now := a.clock()
	seconds, err := strconv.Atoi(h.Get("Retry-After"))
	reset, resetErr := strconv.ParseInt(h.Get("X-Ratelimit-Reset"), 10, 64)
	switch {
	case err == nil && seconds >= 0:
		t.RetryAt = now.Add(time.Duration(min(seconds, 24*60*60)) * time.Second)
	case h.Get("X-Ratelimit-Remaining") == "0" && resetErr == nil:
		t.RetryAt = time.Unix(reset, 0)
	}
	t.told = t.RetryAt.After(now)
	if !t.told {
		t.RetryAt = now.Add(time.Minute)
	}
	return t
}

// cut shortens a text to so many bytes, at a character's edge.
func cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	const sign = "…"
	return strings.ToValidUTF8(text[:limit-len(sign)], "") + sign
}
