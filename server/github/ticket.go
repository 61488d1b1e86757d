package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/mainstay-ci/mainstay/queue"
)

// PushEmpty makes a branch that must not exist yet, with a commit of its own on the
// base that changes nothing, and gives the commit. Errors: *Trouble, or the context's.
func (a *App) PushEmpty(ctx context.Context, place queue.Place, branch, message string) (commit string, err error) {
	s := a.at(place)
	var base struct {
		Commit struct {
			SHA    string `json:"sha"`
			Commit struct {
				Tree struct {
					SHA string `json:"sha"`
				} `json:"tree"`
			} `json:"commit"`
		} `json:"commit"`
	}
	if _, err := s.get(ctx, "branches/"+segment(place.Branch), nil, &base); err != nil {
		return "", fmt.Errorf("read branch %s of %s: %w", place.Branch, s.name(), err)
	}
	var made struct {
		SHA string `json:"sha"`
	}
	_, err = s.send(ctx, http.MethodPost, "git/commits", map[string]any{
		"message": message, "tree": base.Commit.Commit.Tree.SHA, "parents": []string{base.Commit.SHA}}, &made)
	if err == nil && !isCommit(made.SHA) {
		err = errors.New("the answer names no commit")
	}
	if err != nil {
		return "", fmt.Errorf("make a commit in %s: %w", s.name(), err)
	}
	// GitHub makes a ref only where there is none of that name.
	if _, err := s.send(ctx, http.MethodPost, "git/refs", map[string]string{"ref": "refs/heads/" + branch, "sha": made.SHA}, nil); err != nil {
		return "", fmt.Errorf("push %s in %s: %w", branch, s.name(), err)
	}
	return made.SHA, nil
}

// DeleteBranch deletes a branch; an absent one is fine. Errors: *Trouble, or the context's.
func (a *App) DeleteBranch(ctx context.Context, place queue.Place, branch string) error {
	s := a.at(place)
	_, err := s.send(ctx, http.MethodDelete, "git/refs/heads/"+escaped(branch), nil, nil)
	if k := KindOf(err); k == Gone || k == Refused { // 422: there is no such ref
		return nil
	}
	if err != nil {
		return fmt.Errorf("delete %s of %s: %w", branch, s.name(), err)
	}
	return nil
}
