package main

import (
	"context"
	"fmt"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/server/engine"
	"github.com/mainstay-ci/mainstay/server/github"
	"github.com/mainstay-ci/mainstay/server/store"
)

// book knows which branches of a repository have queues, and opens more.
type book struct {
	store  *store.Store
	engine *engine.Engine
}

func (b *book) branches(ctx context.Context, repository int64) ([]string, error) {
	places, err := b.store.QueuesOf(ctx, repository)
	if err != nil {
		return nil, fmt.Errorf("find the queues of repository %d: %w", repository, err)
	}
	var branches []string
	for _, p := range places {
		branches = append(branches, p.Branch)
	}
	return branches, nil
}

// open makes sure of a queue for a branch that a pull request asks to land on, and has
// it looked at there.
func (b *book) open(ctx context.Context, place queue.Place, branch string, pr int) error {
	place.ID, place.Branch = 0, branch
	opened, err := b.engine.OpenQueue(ctx, place)
	if err == nil {
		err = b.engine.Tell(ctx, opened.ID, queue.PullRequestHinted{Number: pr, Labelled: true})
	}
	if err != nil {
		return fmt.Errorf("open a queue for #%d on %s: %w", pr, branch, err)
	}
	return nil
}

// retarget sets bases, and says which were set.
func retarget(ctx context.Context, app *github.App, place queue.Place, all []queue.Retarget) ([]queue.Retarget, error) {
	var done []queue.Retarget
	for _, r := range all {
		ok, err := app.Retarget(ctx, place, r.PR, r.To)
		if err != nil {
			return done, err
		}
		if ok {
			done = append(done, r)
		}
	}
	return done, nil
}
