package queue

import (
	"maps"
	"slices"
)

// What walks through many states keeps each and goes on from a copy. Step never
// changes what was read, told or learnt in place: copies share that.

// Clone is a copy that Step may change while the state stays as it is; what
// changed since the last TakeChanges does not count in it.
func (s *State) Clone() *State {
	c := &State{entries: make(map[int]*Entry, len(s.entries))}
	s.CloneInto(c)
	return c
}

// CloneInto makes a state that nobody needs any more a copy of this one.
func (s *State) CloneInto(c *State) {
	reds := append(c.header.Reds[:0], s.header.Reds...)
	for i := range reds {
		r := &reds[i]
		r.Members, r.Tests, r.Cleared = slices.Clip(r.Members), slices.Clip(r.Tests), slices.Clip(r.Cleared)
	}
	c.header = s.header
	h := &c.header
	h.Suites, h.Landed, h.Reds = slices.Clip(h.Suites), slices.Clip(h.Landed), reds
	c.line, c.dirty, c.sought = append(c.line[:0], s.line...), dirty{}, nil
	for pr, e := range s.entries {
		c.entries[pr] = copyTo(c.entries[pr], e)
	}
	maps.DeleteFunc(c.entries, func(pr int, _ *Entry) bool { return s.entries[pr] == nil })
	c.batches = sized(c.batches, len(s.batches))
	for i, b := range s.batches {
		c.batches[i] = b.cloneInto(c.batches[i])
	}
	c.attempts = sized(c.attempts, len(s.attempts))
	for i, a := range s.attempts {
		c.attempts[i] = a.cloneInto(c.attempts[i])
	}
}

func (b *Batch) cloneInto(c *Batch) *Batch {
	var nodes []Node
	if c != nil {
		nodes = c.Nodes[:0]
	}
	c = copyTo(c, b)
	c.Members, c.Landed, c.Out = slices.Clip(b.Members), slices.Clip(b.Landed), slices.Clip(b.Out)
	c.Back, c.Flakes, c.Nodes = slices.Clip(b.Back), slices.Clip(b.Flakes), append(nodes, b.Nodes...)
	for i := range c.Nodes {
		n := &c.Nodes[i]
		n.PRs, n.Members, n.Attempts = slices.Clip(n.PRs), slices.Clip(n.Members), slices.Clip(n.Attempts)
	}
	return c
}

func (a *Attempt) cloneInto(c *Attempt) *Attempt {
	c = copyTo(c, a)
	c.Members, c.Shards = slices.Clip(a.Members), slices.Clone(a.Shards)
	c.Plan.Checks, c.Held = slices.Clip(a.Plan.Checks), slices.Clip(a.Held)
	return c
}

func copyTo[T any](to, from *T) *T {
	if to == nil {
		to = new(T)
	}
	*to = *from
	return to
}

// sized is a list of so many, of what it had as far as that goes.
func sized[T any](list []*T, n int) []*T {
	if len(list) > n {
		clear(list[n:])
		return list[:n]
	}
	return append(list, make([]*T, n-len(list))...)
}

// TakeHistory is the part of TakeChanges that no row shows: ends and receipts.
func (s *State) TakeHistory() (ended []Entry, receipts []Receipt) {
	ended, receipts = s.dirty.ended, s.dirty.receipts
	s.dirty = dirty{}
	return ended, receipts
}

// Header, Entry, Batches and Attempts show the state's own rows, to be read only.
func (s *State) Header() *Header { return &s.header }

// Entry is the row of a pull request; nil when there is none.
func (s *State) Entry(pr int) *Entry { return s.entries[pr] }

// Batches are the rows of batches, oldest first.
func (s *State) Batches() []*Batch { return s.batches }

// Attempts are the rows of attempts, oldest first.
func (s *State) Attempts() []*Attempt { return s.attempts }
