package shard

import (
	"cmp"
	"slices"
)

// The fallback cuts besides RoundRobin, which is Split. Each is a pure function of
// the inventory, so that shards that ask nobody come to the same cut.
const (
	FileSize = "filesize/1" // LPT over the items' bytes
	Whole    = "all/1"      // every shard runs everything
)

// Load is one thing to be dealt out: an item, or a part of one, and how long it takes.
type Load struct {
	ID   string
	Part int
	MS   int64
}

// Deal deals loads out by longest processing time first: each to the shard that
// has the least so far. It returns the shard of each load, in the loads' order; nil
// when total is below one. Bias is what shards have to do besides; it may be nil.
//
// Everything takes a millisecond at least, so that what weighs nothing is spread
// as well. The order is strict: the longer, then the id's bytes, then the part;
// the lower load, then the lower shard. So it depends on no order of the loads.
func Deal(loads []Load, total int, bias []int64) []int {
	if total < 1 {
		return nil
	}
	order := make([]int, len(loads))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return longer(loads[a], loads[b]) })
	line := newShortest(total, bias)
	shards := make([]int, len(loads))
	for _, i := range order {
		shards[i] = line[0].shard
		line.add(max(loads[i].MS, 1))
	}
	return shards
}

// longer is the strict order in which loads are dealt out.
func longer(a, b Load) int {
	return cmp.Or(cmp.Compare(max(b.MS, 1), max(a.MS, 1)), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Part, b.Part))
}

// shortest is a heap of shards, the least loaded first.
type shortest []laden

type laden struct {
	ms    int64
	shard int
}

func newShortest(total int, bias []int64) shortest {
	h := make(shortest, total)
	for i := range h {
		h[i].shard = i
		if i < len(bias) {
			h[i].ms = max(bias[i], 0)
		}
	}
	// A sorted list is a heap.
	slices.SortStableFunc(h, func(a, b laden) int { return cmp.Compare(a.ms, b.ms) })
	return h
}

// add puts a load on the first shard and finds its new place.
func (h shortest) add(ms int64) {
	h[0].ms += ms
	for at := 0; ; {
		least := at
		for _, below := range []int{2*at + 1, 2*at + 2} {
			if below < len(h) && h.before(below, least) {
				least = below
			}
		}
		if least == at {
			return
		}
		h[at], h[least] = h[least], h[at]
		at = least
	}
}

func (h shortest) before(a, b int) bool {
	return h[a].ms < h[b].ms || h[a].ms == h[b].ms && h[a].shard < h[b].shard
}

// SplitBySize deals the items out by their bytes, the largest first; within a shard
// they keep their order. All shards see the same checkout and so the same sizes. It
// returns nil when total is below one.
func SplitBySize(items []Item, total int) [][]string {
	if total < 1 {
		return nil
	}
	items = slices.Clone(items)
	slices.SortFunc(items, func(a, b Item) int { return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(b.Bytes, a.Bytes)) })
	items = slices.CompactFunc(items, func(a, b Item) bool { return a.ID == b.ID })
	loads := make([]Load, 0, len(items))
	for _, item := range items {
		if item.ID != "" {
			loads = append(loads, Load{ID: item.ID, MS: item.Bytes})
		}
	}
	cut := make([][]string, total)
	for i, at := range Deal(loads, total, nil) {
		cut[at] = append(cut[at], loads[i].ID)
	}
	return cut
}

// SplitWhole gives every shard all of the normalised items: slow, and never too
// little. It returns nil when total is below one.
func SplitWhole(items []string, total int) [][]string {
	if total < 1 {
		return nil
	}
	cut := make([][]string, total)
	for i := range cut {
		cut[i] = Normalise(items)
	}
	return cut
}
