package git

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// mostWatched is how many watched paths are named.
const mostWatched = 3

// Watched names the first paths that a head's own commits change over a base, of
// those that are watched. What its merges change besides only a build tells.
func (c *Clone) Watched(ctx context.Context, base, head string, watch func(path string) bool) ([]string, error) {
	if err := c.fetchNeeded(ctx, []string{base, head}); err != nil {
		return nil, fmt.Errorf("look at what %s changes: %w", head, err)
	}
	h, err := c.readHistory(ctx, base, []string{head})
	if err != nil {
		return nil, fmt.Errorf("look at what %s changes: %w", head, err)
	}
	own := h.own(1, head)
	if len(own) > mostCommits {
		return nil, nil // it won't be built either
	}
	found := map[string]bool{}
	err = c.with(func(w *worker) error {
		changes, err := w.changesOf(ctx, own, mostPaths)
		for _, ch := range changes {
			ch.watched(watch, found)
		}
		if errors.Is(err, errManyPaths) {
			return nil // nor will this
		}
		return err
	})
	return firstOf(found), err
}

// watched adds the paths of a change that are watched.
func (ch *change) watched(watch func(path string) bool, found map[string]bool) {
	if watch == nil {
		return
	}
	for _, e := range ch.entries {
		if watch(e.path) {
			found[e.path] = true
		}
	}
}

func firstOf(found map[string]bool) []string {
	paths := slices.Sorted(maps.Keys(found))
	return paths[:min(len(paths), mostWatched)]
}
