package git

import (
	"context"
	"errors"
	"fmt"
)

// What is built of one pull request, at most. GitHub shows 250 commits and 3,000
// files of one; what is far beyond that is an accident, or meant to hold us up.
const (
	mostCommits = 1000
	mostPaths   = 100_000 // changed, over all its commits
)

// TooLargeError says that a head brings more than is built of one pull request.
type TooLargeError struct{ Commit, Why string }

func (e *TooLargeError) Error() string { return "commit " + e.Commit + ": " + e.Why }

var errManyPaths = errors.New("too many paths are changed")

// readOwn reads what the members' own commits change, and names the one that
// changes too much.
func (b *batch) readOwn(ctx context.Context, commits []string) error {
	changes, err := b.changesOf(ctx, commits, mostPaths*len(b.own))
	if err != nil && !errors.Is(err, errManyPaths) {
		return err
	}
	for i, m := range b.spec.Members {
		mine := changes
		if err != nil { // too much of all together: somebody's share is too much
			var one error
			if mine, one = b.changesOf(ctx, b.own[i], mostPaths); one != nil && !errors.Is(one, errManyPaths) {
				return one
			}
		}
		paths := 0
		for _, id := range b.own[i] {
			if mine == nil || mine[id] == nil {
				paths = mostPaths + 1
				break
			}
			paths += len(mine[id].entries)
		}
		if paths > mostPaths {
			return &TooLargeError{m.Head, fmt.Sprintf("its commits change more than %d paths", mostPaths)}
		}
	}
	b.changes = changes
	return err
}
