package shard

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"
)

// Sample is how long an item, or a test inside one, took once.
type Sample struct {
	Item string `json:"item"`
	MS   int64  `json:"ms"`
}

// Kept is one remembered duration of an item.
type Kept struct {
	MS int64 `json:"ms"`
	At int64 `json:"at"` // nanoseconds since 1970
}

// What is remembered of an item's durations, and what is guessed without.
const (
	MaxKept  = 10
	HalfLife = 14 * 24 * time.Hour // of a duration's weight
	// fewKnown is from how many durations a median says something of others.
	fewKnown = 3
	guessMS  = 1000 // where nothing at all is known
)

// Median is the weighted median of remembered durations; 0 for none. A duration
// loses half of its weight in HalfLife. Only the differences in age count, so the
// median does not depend on the day it is taken. Of two in the middle it is the longer.
func Median(kept []Kept) int64 {
	if len(kept) == 0 {
		return 0
	}
	sorted := slices.Clone(kept)
	slices.SortFunc(sorted, func(a, b Kept) int { return cmp.Or(cmp.Compare(a.MS, b.MS), cmp.Compare(a.At, b.At)) })
	newest := slices.MaxFunc(sorted, func(a, b Kept) int { return cmp.Compare(a.At, b.At) }).At
	weight := func(k Kept) float64 { return math.Exp2(float64(k.At-newest) / float64(HalfLife)) }
	whole := 0.0
	for _, k := range sorted {
		whole += weight(k)
	}
	sum := 0.0
	for _, k := range sorted {
		if sum += weight(k); 2*sum > whole*(1+1e-9) {
			return k.MS
		}
	}
	return sorted[len(sorted)-1].MS
}

// Remember adds a duration to those of an item and returns at most the MaxKept
// newest, the oldest first. One of the same moment is there already and stays.
func Remember(kept []Kept, next Kept) []Kept {
	if slices.ContainsFunc(kept, func(k Kept) bool { return k.At == next.At }) {
		return kept
	}
	kept = append(slices.Clone(kept), next)
	slices.SortStableFunc(kept, func(a, b Kept) int { return cmp.Compare(a.At, b.At) })
	return kept[max(0, len(kept)-MaxKept):]
}

// Timing is what is known of one item's duration: the median of N samples.
type Timing struct {
	Item string
	MS   int64
	N    int
}

// History is what is known of a suite's durations, sorted by item.
type History []Timing

func (h History) find(item string) (Timing, bool) {
	i, found := slices.BinarySearchFunc(h, item, func(t Timing, item string) int { return cmp.Compare(t.Item, item) })
	if !found || h[i].N == 0 {
		return Timing{}, false
	}
	return h[i], true
}

// Estimates says how long each item takes. One that never ran is taken for the
// median of its folder where that knows three, else of the suite, else for its
// bytes at the suite's pace, else for a second. N is 0 for those.
func Estimates(items []Item, history History) []PlannedItem {
	planned := make([]PlannedItem, len(items))
	suite, folders := []int64{}, map[string][]int64{}
	var bytes, ms int64
	for i, item := range items {
		planned[i].ID = item.ID
		t, known := history.find(item.ID)
		if !known {
			continue
		}
		planned[i].EstMS, planned[i].N = max(t.MS, 1), t.N
		suite = append(suite, planned[i].EstMS)
		folders[folder(item.ID)] = append(folders[folder(item.ID)], planned[i].EstMS)
		if item.Bytes > 0 {
			bytes, ms = bytes+item.Bytes, ms+planned[i].EstMS
		}
	}
	middle := map[string]int64{}
	for name, known := range folders {
		if len(known) >= fewKnown {
			middle[name] = plainMedian(known)
		}
	}
	if len(suite) < fewKnown {
		suite = nil
	}
	all := plainMedian(suite)
	for i, item := range items {
		if planned[i].N == 0 {
			planned[i].EstMS = cmp.Or(middle[folder(item.ID)], all, pace(item.Bytes, ms, bytes), guessMS)
		}
	}
	return planned
}

// pace is how long so many bytes take where others took so long; 0 where that can't be told.
func pace(size, ms, bytes int64) int64 {
	if size <= 0 || bytes <= 0 {
		return 0
	}
	return int64(min(max(float64(size)*float64(ms)/float64(bytes), 1), maxMS))
}

func plainMedian(values []int64) int64 {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// folder is what an item's id has before its last slash.
func folder(id string) string { return id[:max(strings.LastIndexByte(id, '/'), 0)] }
