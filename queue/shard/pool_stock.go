package shard

import (
	"cmp"
	"slices"
	"time"
)

// Stock is the units of a leased plan in the order in which a pool gives them
// out. It never changes and may be shared by many pools.
type Stock struct {
	units []PoolUnit
	order []int // unit by rank
	total int   // shards
}

// Stock is what a pool needs of the plan.
func (f *Frozen) Stock() *Stock {
	units := make([]PoolUnit, len(f.Units))
	for i, u := range f.Units {
		units[i] = PoolUnit{EstMS: u.EstMS, Known: u.N > 0, Shard: u.Shard, Pre: u.Pre}
	}
	return NewStock(units, f.Total)
}

// NewStock sorts the units of a plan of total shards.
func NewStock(units []PoolUnit, total int) *Stock {
	s := &Stock{units: slices.Clone(units), order: make([]int, len(units)), total: total}
	group := func(i int) int {
		if u := s.units[i]; u.Pre {
			return u.Shard
		}
		return -1
	}
	for i, u := range s.units {
		if u.Shard < 0 || u.Shard >= total {
			s.units[i].Pre = false
		}
		s.units[i].EstMS = min(max(u.EstMS, 1), maxMS)
		s.order[i] = i
	}
	slices.SortFunc(s.order, func(a, b int) int {
		return cmp.Or(cmp.Compare(group(a), group(b)), earlier(s.units[a], s.units[b]), cmp.Compare(a, b))
	})
	return s
}

// Open is the pool of a plan that was frozen now.
func (s *Stock) Open(now time.Time) *Pool {
	return &Pool{Stock: s, cells: make([]cell, len(s.units)), shards: make([]member, s.total), opened: now.UnixMilli(), clock: now.UnixMilli()}
}

// earlier is the order in which units are given out: first what nobody knows the
// duration of, for a long one must not come last.
func earlier(a, b PoolUnit) int {
	switch {
	case a.Known == b.Known:
		return cmp.Compare(b.EstMS, a.EstMS)
	case b.Known:
		return -1
	}
	return 1
}
