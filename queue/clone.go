package queue

import "slices"

// What walks through many states keeps each and goes on from a copy. Step never
// changes what was read, told or learnt in place: copies share that.

// Clone is a copy that Step may change while the state stays as it is; what
// changed since the last TakeChanges does not count in it.
func (s *State) Clone() *State {
	c := &State{header: s.header, entries: make(map[int]*Entry, len(s.entries)), line: slices.Clone(s.line)}
	h := &c.header
	h.Suites, h.Landed, h.Reds = slices.Clip(h.Suites), slices.Clip(h.Landed), slices.Clone(h.Reds)
	for i := range h.Reds {
		r := &h.Reds[i]
		r.PRs, r.Tests, r.Of = slices.Clip(r.PRs), slices.Clip(r.Tests), slices.Clip(r.Of)
	}
	for pr, e := range s.entries {
		c.entries[pr] = new(*e)
	}
	batches := make([]Batch, len(s.batches))
	c.batches = make([]*Batch, len(s.batches))
	for i, b := range s.batches {
		batches[i] = b.clone()
		c.batches[i] = &batches[i]
	}
	attempts := make([]Attempt, len(s.attempts))
	c.attempts = make([]*Attempt, len(s.attempts))
	for i, a := range s.attempts {
		attempts[i] = a.clone()
		c.attempts[i] = &attempts[i]
	}
	return c
}

func (b *Batch) clone() Batch {
	c := *b
	c.Members, c.Landed, c.Out = slices.Clip(b.Members), slices.Clip(b.Landed), slices.Clip(b.Out)
	c.Back, c.Flakes, c.Nodes = slices.Clip(b.Back), slices.Clip(b.Flakes), slices.Clone(b.Nodes)
	for i := range c.Nodes {
		n := &c.Nodes[i]
		n.PRs, n.Members, n.Attempts = slices.Clip(n.PRs), slices.Clip(n.Members), slices.Clip(n.Attempts)
	}
	return c
}

func (a *Attempt) clone() Attempt {
	c := *a
	c.Members, c.Shards = slices.Clip(a.Members), slices.Clone(a.Shards)
	c.Plan.Checks, c.Held = slices.Clip(a.Plan.Checks), slices.Clip(a.Held)
	return c
}

// Header, Entry, Batches and Attempts show the state's own rows, to be read only.
func (s *State) Header() *Header { return &s.header }

// Entry is the row of a pull request; nil when there is none.
func (s *State) Entry(pr int) *Entry { return s.entries[pr] }

// Batches are the rows of batches, oldest first.
func (s *State) Batches() []*Batch { return s.batches }

// Attempts are the rows of attempts, oldest first.
func (s *State) Attempts() []*Attempt { return s.attempts }
