package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/bradleyfalzon/ghinstallation/v2"
)

// tokenUse is how long a token is used; it lives an hour. tokenLimit is how long
// it still serves while GitHub makes no new one.
const (
	tokenUse   = 50 * time.Minute
	tokenLimit = 59 * time.Minute
)

// tokens keeps the one token of an installation.
type tokens struct {
	app     *App
	id      int64
	turn    chan struct{} // of one: whoever holds it may renew
	current Secret
	made    time.Time
}

// Token is an installation's token, good for some minutes at least. Callers that
// come together share one call. Its errors are a *Trouble.
func (a *App) Token(ctx context.Context, installation int64) (string, error) {
	token, err := a.installation(installation).tokens.get(ctx, "")
	return string(token), err
}

// get gives the token, and a new one when it is old or is the one GitHub refused.
func (t *tokens) get(ctx context.Context, refused Secret) (Secret, error) {
	select {
	case t.turn <- struct{}{}:
		defer func() { <-t.turn }()
	case <-ctx.Done():
		return "", fmt.Errorf("wait for the token of installation %d: %w", t.id, ctx.Err())
	}
	now := t.app.clock()
	usable := t.current != "" && t.current != refused
	if usable && now.Sub(t.made) < tokenUse {
		return t.current, nil
	}
	fresh, err := t.make(ctx)
	switch {
	case err == nil:
		t.current, t.made = fresh, now
	case usable && now.Sub(t.made) < tokenLimit && KindOf(err) == Unavailable:
		return t.current, nil
	default:
		return "", err
	}
	return t.current, nil
}

func (t *tokens) make(ctx context.Context) (Secret, error) {
	call := fmt.Sprintf("make a token of installation %d", t.id)
	short, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	source := ghinstallation.NewFromAppsTransport(t.app.appsTransport(), t.id)
	token, err := source.Token(short)
	if err == nil {
		return Secret(token), nil
	}
	if ctx.Err() != nil {
		return "", fmt.Errorf("%s: %w", call, ctx.Err())
	}
	var refused *ghinstallation.HTTPError
	if !errors.As(err, &refused) || refused.Response == nil {
		return "", &Trouble{Kind: Unavailable, Call: call, err: err}
	}
	defer refused.Response.Body.Close()
	trouble := t.app.refusal(call, refused.Response, "")
	if gone(trouble) {
		// A missing installation must not look like a missing pull request.
		return "", &Trouble{Kind: Forbidden, Status: http.StatusNotFound, Call: call, Message: "the App is not installed there any more"}
	}
	return "", trouble
}
