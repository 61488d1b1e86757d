package main

import (
	"context"
	"errors"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/server/git"
)

// fetchHead brings a head ahead of need. Of a pull request's it says what of it is
// guarded; where that can't be told now, the build tells.
func (p *performer) fetchHead(ctx context.Context, clone *git.Clone, place queue.Place, task queue.FetchHead) ([]queue.Fact, error) {
	if err := p.clones.fetchAhead(ctx, place, task.Head); err != nil || task.PR == 0 || task.Base == "" {
		return nil, err
	}
	paths, err := clone.Watched(ctx, task.Base, task.Head, queue.Guards)
	var missing *git.MissingError
	var bad *git.BadCommitError
	if errors.As(err, &missing) || errors.As(err, &bad) || err == nil && len(paths) == 0 {
		return nil, nil
	}
	return one(queue.HeadSeen{PR: task.PR, Head: task.Head, Guarded: paths}, err)
}
