package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/server/git"
	"github.com/mainstay-ci/mainstay/server/github"
)

// clones keeps one bare clone a repository, whichever of its queues asks. A
// clone is a cache: deleting the folder costs a fetch and nothing else.
type clones struct {
	dir    string
	github *github.App
	log    *slog.Logger
	signer *git.Signer

	mu  sync.Mutex
	all map[int64]*slot
}

type slot struct {
	mu    sync.Mutex // held while the first one clones
	clone *git.Clone
	of    queue.Place // whose names and installation the clone goes by

	fetching sync.Mutex // one fetch ahead at a time
	heads    sync.Map   // wanted ahead and not yet fetched
}

// fetchAhead brings a head into the clone before it is needed. Those who ask
// while a fetch is under way share the next one.
func (c *clones) fetchAhead(ctx context.Context, place queue.Place, head string) error {
	clone, err := c.of(ctx, place)
	if err != nil {
		return err
	}
	c.mu.Lock()
	s := c.all[place.Repository]
	c.mu.Unlock()
	s.heads.Store(head, true)
	s.fetching.Lock()
	defer s.fetching.Unlock()
	if _, waits := s.heads.Load(head); !waits {
		return nil // the one before took it along
	}
	var heads []string
	s.heads.Range(func(h, _ any) bool {
		heads = append(heads, h.(string))
		s.heads.Delete(h)
		return true
	})
	err = clone.Fetch(ctx, heads)
	if commit, _ := unfetchable(err); commit != "" {
		return nil // the build will say so where it matters
	}
	return err
}

func (c *clones) of(ctx context.Context, place queue.Place) (*git.Clone, error) {
	c.mu.Lock()
	if c.all == nil {
		c.all = map[int64]*slot{}
	}
	s := c.all[place.Repository]
	if s == nil {
		s = &slot{}
		c.all[place.Repository] = s
	}
	c.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.clone != nil && s.goesBy(place) {
		return s.clone, nil
	}
	if s.clone != nil { // renamed or moved: what is under way breaks off and comes again
		if err := s.clone.Close(); err != nil {
			c.log.Warn("a clone did not close", "err", err)
		}
		s.clone = nil
	}
	clone, err := git.Open(ctx, git.Options{
		Dir:       filepath.Join(c.dir, fmt.Sprintf("%d.git", place.Repository)),
		RemoteURL: c.github.CloneURL(place),
		Token:     func(ctx context.Context) (string, error) { return c.github.Token(ctx, place.Installation) },
		Log:       c.log,
		Signer:    c.signer,
	})
	if err == nil {
		s.clone, s.of = clone, place
	}
	return clone, err
}

func (s *slot) goesBy(place queue.Place) bool {
	return s.of.Owner == place.Owner && s.of.Name == place.Name && s.of.Installation == place.Installation
}

// drop forgets a repository's clone and deletes its folder.
func (c *clones) drop(repository int64) error {
	c.mu.Lock()
	s := c.all[repository]
	delete(c.all, repository)
	c.mu.Unlock()
	if s != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.clone != nil {
			if err := s.clone.Close(); err != nil {
				c.log.Warn("a clone did not close", "err", err)
			}
			s.clone = nil
		}
	}
	if err := os.RemoveAll(filepath.Join(c.dir, fmt.Sprintf("%d.git", repository))); err != nil {
		return fmt.Errorf("delete the clone of repository %d: %w", repository, err)
	}
	return nil
}

func (c *clones) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.all {
		if s.clone != nil {
			if err := s.clone.Close(); err != nil {
				c.log.Warn("a clone did not close", "err", err)
			}
		}
	}
}
