package github

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/mainstay-ci/mainstay/queue"
)

// marker is how we know our comment again; readers don't see it.
const marker = "<!-- mainstay: the one comment, edited in place -->"

type commentKey struct {
	repository int64
	name       string
	pr         int
}

type comment struct {
	ID   int64  `json:"id"`
	Body string `json:"body"`
	App  *struct {
		ID int64 `json:"id"`
	} `json:"performed_via_github_app"`
}

// PostComment keeps the one comment of ours on a pull request at a text. Errors:
// *Trouble, or the context's.
func (a *App) PostComment(ctx context.Context, place queue.Place, pr int, text string) error {
	s := a.at(place)
	key := commentKey{place.Repository, s.name(), pr}
	body := map[string]string{"body": marker + "\n" + cut(text, summaryLimit)}
	err := s.keepComment(ctx, key, body)
	if err != nil {
		return fmt.Errorf("comment on #%d of %s: %w", pr, s.name(), err)
	}
	return nil
}

func (s site) keepComment(ctx context.Context, key commentKey, body map[string]string) error {
	var id int64
	if known, ok := s.app.comments.Load(key); ok {
		id = known.(int64)
		err := s.editComment(ctx, id, body)
		if !gone(err) {
			return err
		}
		s.app.comments.Delete(key) // somebody deleted it
	}
	have, err := s.findComment(ctx, key.pr)
	switch {
	case err != nil:
		return err
	case have == nil:
		have = &comment{}
		_, err = s.send(ctx, http.MethodPost, fmt.Sprintf("issues/%d/comments", key.pr), body, have)
	case have.Body != body["body"]:
		err = s.editComment(ctx, have.ID, body)
	}
	if err == nil && have.ID != 0 {
		s.app.comments.Store(key, have.ID)
	}
	return err
}

func (s site) editComment(ctx context.Context, id int64, body map[string]string) error {
	_, err := s.send(ctx, http.MethodPatch, fmt.Sprintf("issues/comments/%d", id), body, nil)
	return err
}

// findComment finds the oldest comment of our App with our marker; nil is none.
// A marker that somebody else copied doesn't count.
func (s site) findComment(ctx context.Context, pr int) (*comment, error) {
	var ours *comment
	err := eachPage(ctx, s, fmt.Sprintf("issues/%d/comments", pr), nil, func(page []comment) {
		for i := range page {
			c := &page[i]
			if ours == nil && c.App != nil && c.App.ID == s.app.id && strings.HasPrefix(c.Body, marker) {
				ours = c
			}
		}
	})
	return ours, err
}

// ClosePull closes a pull request; a closed one stays closed. Errors: *Trouble, or the context's.
func (a *App) ClosePull(ctx context.Context, place queue.Place, pr int) error {
	s := a.at(place)
	_, err := s.send(ctx, http.MethodPatch, fmt.Sprintf("pulls/%d", pr), map[string]string{"state": "closed"}, nil)
	if err != nil {
		return fmt.Errorf("close #%d of %s: %w", pr, s.name(), err)
	}
	return nil
}
