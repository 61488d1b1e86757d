package web

import (
	"container/list"
	"context"
	"sync"

	"github.com/mainstay-ci/mainstay/queue/shard"
)

// shelf keeps frozen plans decoded, as many as there is room for: those asked for
// last. Plans on it are shared and never changed.
type shelf struct {
	mu      sync.Mutex
	room    int // units of all plans together
	byID    map[string]*list.Element
	recent  *list.List // of shelved, the last asked for first
	units   int
	holding map[string]chan struct{} // plans that somebody is making
}

type shelved struct {
	repository int64
	plan       *shard.Frozen
}

// shelfRoom is about 60 MB of plans; a small one counts for some units besides.
const (
	shelfRoom = 300_000
	planCost  = 50
)

func newShelf(room int) *shelf {
	return &shelf{room: room, byID: map[string]*list.Element{}, recent: list.New(), holding: map[string]chan struct{}{}}
}

// find gives a repository's plan; nil where it is not on the shelf.
func (s *shelf) find(repository int64, id string) *shard.Frozen {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.byID[id]
	if e == nil || e.Value.(shelved).repository != repository {
		return nil
	}
	s.recent.MoveToFront(e)
	return e.Value.(shelved).plan
}

// items gives the items of a digest, from a plan of the repository; nil where none on the shelf has them.
func (s *shelf) items(repository int64, inventory string) []shard.Item {
	s.mu.Lock()
	var found *shard.Frozen
	for e := s.recent.Front(); e != nil && found == nil; e = e.Next() {
		if on := e.Value.(shelved); on.repository == repository && on.plan.Inventory == inventory && !on.plan.Narrow {
			found = on.plan
		}
	}
	s.mu.Unlock()
	if found == nil {
		return nil
	}
	return found.Items()
}

// keep puts a plan there and takes off what there is no more room for.
func (s *shelf) keep(repository int64, f *shard.Frozen) {
	if f == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.byID[f.ID]; e != nil {
		s.drop(e)
	}
	s.byID[f.ID] = s.recent.PushFront(shelved{repository, f})
	s.units += len(f.Units) + planCost
	for s.units > s.room && s.recent.Len() > 1 {
		s.drop(s.recent.Back())
	}
}

func (s *shelf) drop(e *list.Element) {
	f := s.recent.Remove(e).(shelved).plan
	delete(s.byID, f.ID)
	s.units -= len(f.Units) + planCost
}

// hold waits until nobody else makes this plan, and keeps others from it until released.
func (s *shelf) hold(ctx context.Context, id string) (release func(), err error) {
	for {
		s.mu.Lock()
		busy := s.holding[id]
		if busy == nil {
			done := make(chan struct{})
			s.holding[id] = done
			s.mu.Unlock()
			return func() {
				s.mu.Lock()
				delete(s.holding, id)
				s.mu.Unlock()
				close(done)
			}, nil
		}
		s.mu.Unlock()
		select {
		case <-busy:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
