package shard

import "slices"

// Suite is what is known of a suite before its reports are added up. Inventory
// is nil where no plan was made: then the reports' own digest proves coverage.
type Suite struct {
	Total      int
	Inventory  []string
	Quarantine map[string]bool // keys of tests; may be nil
}

// Coverage is how much of a suite was heard of.
type Coverage struct {
	Planned       int      // items of the inventory; of all reports where it isn't known
	Seen          int      // of those, the ones that ran
	MissingShards []int    // no complete report
	MissingItems  []string // of the inventory, in no report
	Mixed         bool     // the shards saw different inventories
}

// Complete tells whether nothing is missing.
func (c Coverage) Complete() bool {
	return len(c.MissingShards) == 0 && len(c.MissingItems) == 0 && !c.Mixed && c.Seen == c.Planned
}

// Sum is all shards of a suite together.
type Sum struct {
	Result   Result
	Shards   []ShardVerdict // by index; the zero verdict where none reported yet
	Coverage Coverage
}

// AddUp adds the reports of a suite up. For each shard it takes the chunks of
// the one attempt that counts, in order of arrival. A failing test makes the
// suite failed at once; anything missing makes it incomplete, never passed.
func (s Suite) AddUp(reports []Report) Sum {
	sum := Sum{Shards: make([]ShardVerdict, max(s.Total, 0))}
	byShard := make([][]Report, len(sum.Shards))
	for _, r := range reports {
		if r.Shard.Total == s.Total && r.Shard.Index >= 0 && r.Shard.Index < s.Total {
			byShard[r.Shard.Index] = append(byShard[r.Shard.Index], r)
		}
	}
	wholes := make([]Report, 0, len(byShard))
	for i, chunks := range byShard {
		whole, ok := join(chunks)
		if !ok {
			sum.Coverage.MissingShards = append(sum.Coverage.MissingShards, i)
			continue
		}
		wholes = append(wholes, whole)
		sum.Shards[i] = Judge(chunks, s.Quarantine)
	}
	s.cover(&sum.Coverage, wholes)
	sum.Result = sum.result()
	return sum
}

// result takes the worst: failed, error, incomplete, then the greens.
func (s Sum) result() Result {
	has := func(r Result) bool {
		return slices.ContainsFunc(s.Shards, func(v ShardVerdict) bool { return v.Result == r })
	}
	switch {
	case has(ResultFailed):
		return ResultFailed
	case has(ResultError):
		return ResultError
	case len(s.Shards) == 0 || has(ResultIncomplete) || !s.Coverage.Complete():
		return ResultIncomplete
	case has(ResultQuarantined):
		return ResultQuarantined
	case has(ResultFlaky):
		return ResultFlaky
	}
	return ResultPassed
}

// cover compares what ran with what should have. Shards may overlap (a re-run
// without a server runs everything); what counts is that the union is whole.
func (s Suite) cover(c *Coverage, wholes []Report) {
	var ran []string
	digest := ""
	if s.Inventory != nil {
		digest = Digest(s.Inventory)
	}
	for _, r := range wholes {
		for _, item := range r.Items {
			ran = append(ran, item.ID)
		}
		if digest == "" {
			digest = r.InventoryDigest
		}
		if r.InventoryDigest != "" && r.InventoryDigest != digest {
			c.Mixed = true
		}
	}
	ran = Normalise(ran)
	if s.Inventory == nil {
		c.Planned, c.Seen = len(ran), len(ran)
		// Nothing to compare with until all are here; then the union must be
		// the list that every shard saw, and somebody must have seen one.
		if len(c.MissingShards) == 0 && Digest(ran) != digest {
			c.Mixed = true
		}
		return
	}
	planned := Normalise(s.Inventory)
	c.Planned = len(planned)
	for _, id := range planned {
		if _, found := slices.BinarySearch(ran, id); found {
			c.Seen++
		} else {
			c.MissingItems = append(c.MissingItems, id)
		}
	}
}
