package github

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/mainstay-ci/mainstay/queue"
)

// What GitHub does for pull requests that are merged by its own button, and for no
// others: it is done here for those that landed by a push.

// CloseIssues closes the issues that a pull request's description says it closes,
// where it went into the default branch; closes picks them out of the text. Pull
// requests and what is closed stay as they are. Errors: *Trouble, or the context's.
func (a *App) CloseIssues(ctx context.Context, place queue.Place, pr int, closes func(body string) []int) error {
	s := a.at(place)
	t, err := s.traits(ctx)
	if err != nil || t.defaultBranch != place.Branch {
		return err
	}
	p, err := s.readPull(ctx, pr)
	if err != nil {
		return fmt.Errorf("read what #%d of %s closes: %w", pr, s.name(), err)
	}
	for _, number := range closes(p.Body) {
		if err := s.closeIssue(ctx, number); err != nil {
			return fmt.Errorf("close issue #%d of %s, which #%d closes: %w", number, s.name(), pr, err)
		}
	}
	return nil
}

func (s site) closeIssue(ctx context.Context, number int) error {
	path := fmt.Sprintf("issues/%d", number)
	var issue struct {
		State       string    `json:"state"`
		PullRequest *struct{} `json:"pull_request"`
	}
	_, err := s.get(ctx, path, nil, &issue)
	if gone(err) || err == nil && (issue.State != "open" || issue.PullRequest != nil) {
		return nil
	}
	if err == nil {
		_, err = s.send(ctx, http.MethodPatch, path, map[string]string{"state": "closed", "state_reason": "completed"}, nil)
	}
	return err
}

// MayDelete says whether the branch of a pull request that landed is to go: where
// the repository deletes branches once they are merged, the branch is not protected,
// and no open pull request comes from it or goes to it. Errors: *Trouble, or the
// context's.
func (a *App) MayDelete(ctx context.Context, place queue.Place, branch string) (bool, error) {
	s := a.at(place)
	t, err := s.traits(ctx)
	if err != nil || !t.deletes || branch == t.defaultBranch || branch == place.Branch {
		return false, err
	}
	var b struct {
		Protected bool `json:"protected"`
	}
	if _, err = s.get(ctx, "branches/"+segment(branch), nil, &b); err != nil || b.Protected {
		if gone(err) {
			err = nil
		}
		return false, err
	}
	for _, side := range []url.Values{{"base": {branch}}, {"head": {place.Owner + ":" + branch}}} {
		side.Set("state", "open")
		side.Set("per_page", "1")
		var open []pull
		if _, err := s.get(ctx, "pulls", side, &open); err != nil || len(open) > 0 {
			return false, err
		}
	}
	return true, nil
}
