package shard

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
)

// PlanKey is what a plan is frozen for. The run's attempt is not in it: a re-run
// gets the slice it had.
type PlanKey struct {
	Repository, Run int64
	Suite, Variant  string
	Total           int
}

// ID names the plan of a key.
func (k PlanKey) ID() string {
	hash := sha256.Sum256(fmt.Appendf(nil, "%d\x00%d\x00%d\x00%s\x00%s", k.Repository, k.Run, k.Total, k.Suite, k.Variant))
	return "pl_" + hex.EncodeToString(hash[:10])
}

// Unit is one thing that one shard runs: an item, or a part of one. In a leased
// plan Pre marks those that their Shard gets at once; the others lie in the pool.
type Unit struct {
	PlannedItem
	Bytes int64 `json:"bytes,omitempty"`
	Shard int   `json:"shard"`
	Pre   bool  `json:"pre,omitempty"`
}

// Frozen is a plan as it was made for the first shard that asked, and as it stays.
// Units are in the inventory's order, the parts of an item one after the other.
type Frozen struct {
	ID         string       `json:"id"`
	Algorithm  string       `json:"algorithm"`
	Mode       string       `json:"mode"`
	Inventory  string       `json:"inventory"` // its digest
	Total      int          `json:"total"`
	Narrow     bool         `json:"narrow,omitempty"`
	Units      []Unit       `json:"units"`
	Unknown    int          `json:"unknown,omitempty"` // items without a history
	Bottleneck *PlannedItem `json:"bottleneck,omitempty"`
	Quarantine *Quarantine  `json:"quarantine,omitempty"`
	Warnings   []string     `json:"warnings,omitempty"`
}

// Basis is what a plan is made of.
type Basis struct {
	Items   []Item // sorted, each once
	History History
	// Tests are the durations inside the items that Long names; nil: nothing is cut.
	Tests map[string][]Sample
}

// Long lists the items that are worth cutting into parts: whose Tests are asked for.
func (b Basis) Long(total int) []string { return longItems(Estimates(b.Items, b.History), total) }

// Freeze cuts a suite for total shards, by durations. Mode says whether half of
// each share is to lie in a pool.
func (b Basis) Freeze(id, digest string, total int, mode string) *Frozen {
	f := &Frozen{ID: id, Algorithm: LPT, Mode: mode, Inventory: digest, Total: total, Units: make([]Unit, 0, len(b.Items))}
	planned := Estimates(b.Items, b.History)
	limit := partLimit(planned, total)
	long := longItems(planned, total)
	for i, item := range planned {
		if item.N == 0 {
			f.Unknown++
		}
		pieces := []PlannedItem{item}
		if slices.Contains(long, item.ID) {
			pieces = divide(item, b.Tests[item.ID], limit, total)
		}
		for _, piece := range pieces {
			f.Units = append(f.Units, Unit{PlannedItem: piece, Bytes: b.Items[i].Bytes})
		}
	}
	loads := make([]Load, len(f.Units))
	for i, u := range f.Units {
		loads[i] = u.load()
	}
	for i, at := range Deal(loads, total, nil) {
		f.Units[i].Shard = at
	}
	if mode == ModeLeased {
		markPre(f.Units, total)
	}
	f.findBottleneck()
	return f
}

// FreezeNarrow is the plan of a few named tests: these items, dealt out in turn.
func FreezeNarrow(id, digest string, total int, items []PlannedItem) *Frozen {
	f := &Frozen{ID: id, Algorithm: RoundRobin, Mode: ModeStatic, Inventory: digest, Total: total, Narrow: true, Units: make([]Unit, len(items))}
	for i, item := range items {
		f.Units[i] = Unit{PlannedItem: item, Shard: i % total}
	}
	return f
}

func (u Unit) load() Load {
	l := Load{ID: u.ID, MS: u.EstMS}
	if u.Part != nil {
		l.Part = u.Part.Index
	}
	return l
}

// What a shard of a leased plan gets at once, in percent of its share.
const (
	preUsual   = 50
	preWary    = 30
	manyShards = 16
	fewUnits   = 50 // a shard
)

// PrePercent is how much of its share a shard of a leased plan gets at once. Half
// costs no evenness and saves claims. With little to go by less does better: what
// is fixed can't be put right later.
func PrePercent(units, unknown, total int) int {
	switch {
	case unknown >= units:
		return 0
	case 2*unknown > units, total > manyShards && units < fewUnits*total:
		return preWary
	}
	return preUsual
}

// markPre marks what each shard gets at once: first what nobody knows the duration
// of, for a long one must not come last; then the longest, as long as they fit.
func markPre(units []Unit, total int) {
	order, whole, unknown := make([]int, len(units)), make([]int64, total), 0
	for i, u := range units {
		order[i] = i
		whole[u.Shard] += u.EstMS
		if u.N == 0 {
			unknown++
		}
	}
	percent := int64(PrePercent(len(units), unknown, total))
	slices.SortFunc(order, func(a, b int) int {
		x, y := units[a], units[b]
		return cmp.Or(cmp.Compare(min(x.N, 1), min(y.N, 1)), longer(x.load(), y.load()))
	})
	given := make([]int64, total)
	for _, i := range order {
		u := &units[i]
		if u.Pre = given[u.Shard]+u.EstMS <= whole[u.Shard]*percent/100; u.Pre {
			given[u.Shard] += u.EstMS
		}
	}
}

// findBottleneck looks for the unit that alone takes longer than an even share, and
// says so in words: more shards would not help then.
func (f *Frozen) findBottleneck() {
	sum, longest := int64(0), -1
	for i, u := range f.Units {
		sum += u.EstMS
		if u.N > 0 && (longest < 0 || u.EstMS > f.Units[longest].EstMS) {
			longest = i
		}
	}
	even := sum / int64(f.Total)
	if longest < 0 || f.Total == 1 || f.Units[longest].EstMS <= even {
		return
	}
	item := f.Units[longest].PlannedItem
	name, part := "`"+strings.ReplaceAll(Cut(item.ID, MaxLabel), "`", "'")+"`", item.Part
	if part != nil {
		// The names of its tests are with the shard that runs it.
		name += fmt.Sprintf(", part %d of %d,", part.Index+1, part.Of)
		item.Part = &Part{Index: part.Index, Of: part.Of}
	}
	f.Bottleneck = &item
	f.Warnings = append(f.Warnings, fmt.Sprintf("%s alone takes %s; an even share is %s", name, inWords(item.EstMS), inWords(even)))
}

// inWords is a duration as people say it.
func inWords(ms int64) string {
	switch {
	case ms < 1000:
		return fmt.Sprintf("%d ms", ms)
	case ms < 10_000:
		return fmt.Sprintf("%.1f s", float64(ms)/1000)
	case ms < 90_000:
		return fmt.Sprintf("%d s", (ms+500)/1000)
	case ms < 90*60_000:
		return fmt.Sprintf("%d min", (ms+30_000)/60_000)
	}
	return fmt.Sprintf("%.1f h", float64(ms)/3_600_000)
}

// Share is what a shard is given when it asks: all that is planned for it, or, of a
// leased plan, what it gets at once.
func (f *Frozen) Share(index int) PlannedShard {
	return f.pick(index, func(i int) bool { return f.Units[i].Shard == index && (f.Mode != ModeLeased || f.Units[i].Pre) })
}

// WholeShare is all that is planned for a shard, whatever the mode.
func (f *Frozen) WholeShare(index int) PlannedShard {
	return f.pick(index, func(i int) bool { return f.Units[i].Shard == index })
}

// ShareOf is these units, by number, as a shard's share.
func (f *Frozen) ShareOf(index int, units []int) PlannedShard {
	in := NewUnits(len(f.Units))
	for _, i := range units {
		in.Add(i)
	}
	return f.pick(index, in.Has)
}

func (f *Frozen) pick(index int, in func(unit int) bool) PlannedShard {
	p := PlannedShard{Index: index, Total: f.Total, Items: []PlannedItem{}}
	for i, u := range f.Units {
		if in(i) {
			p.Items = append(p.Items, u.PlannedItem)
			p.ExpectedMS += u.EstMS
		}
	}
	return p
}

// ExpectedMS is how long each shard will take by the estimates.
func (f *Frozen) ExpectedMS() []int64 {
	ms := make([]int64, f.Total)
	for _, u := range f.Units {
		ms[u.Shard] += u.EstMS
	}
	return ms
}

// unitsOf are the numbers of an item's units: from, up to and without to.
func (f *Frozen) unitsOf(item string) (from, to int) {
	from, _ = slices.BinarySearchFunc(f.Units, item, func(u Unit, id string) int { return cmp.Compare(u.ID, id) })
	for to = from; to < len(f.Units) && f.Units[to].ID == item; to++ {
	}
	return from, to
}

// UnitsOf are the plan's units that ended in a report, whoever cut its slice. An
// item that broke as a whole did not end; what the plan does not know is left out.
func (f *Frozen) UnitsOf(r Report) Units {
	ended := NewUnits(len(f.Units))
	for _, item := range r.Items {
		if item.Status == Errored {
			continue
		}
		from, to := f.unitsOf(item.ID)
		for i := from; i < to; i++ {
			part := f.Units[i].Part
			if item.Parts == 0 || part != nil && part.Of == item.Parts && part.Index == item.Part {
				ended.Add(i)
			}
		}
	}
	return ended
}

// Coverage is how many items the plan has, and how many of them ended as a whole.
func (f *Frozen) Coverage(ended Units) (planned, seen int) {
	for from := 0; from < len(f.Units); {
		_, to := f.unitsOf(f.Units[from].ID)
		planned++
		seen++
		for i := from; i < to; i++ {
			if !ended.Has(i) {
				seen--
				break
			}
		}
		from = to
	}
	return planned, seen
}

// Items is the inventory that the plan was made for. A narrow plan does not know it.
func (f *Frozen) Items() []Item {
	items := make([]Item, 0, len(f.Units))
	for _, u := range f.Units {
		if len(items) == 0 || items[len(items)-1].ID != u.ID {
			items = append(items, Item{ID: u.ID, Bytes: u.Bytes})
		}
	}
	return items
}

// Fit makes a share fit a shard that lists other items than the plan does. What it
// does not have is taken out: it can't run it. Of what the plan does not know it
// gets its own part by the hash of the id, so that of all who see an item one runs
// it. Both are counted. To a narrow plan nothing is added.
func (f *Frozen) Fit(share PlannedShard, seen []Item) (fit PlannedShard, added, gone int) {
	fit = PlannedShard{Index: share.Index, Total: share.Total, Items: []PlannedItem{}}
	for _, item := range share.Items {
		if _, found := slices.BinarySearchFunc(seen, item.ID, func(s Item, id string) int { return cmp.Compare(s.ID, id) }); !found {
			gone++
			continue
		}
		fit.Items = append(fit.Items, item)
		fit.ExpectedMS += item.EstMS
	}
	for _, item := range seen {
		if from, to := f.unitsOf(item.ID); !f.Narrow && from == to && hashed(item.ID, f.Total) == share.Index {
			fit.Items = append(fit.Items, PlannedItem{ID: item.ID})
			added++
		}
	}
	slices.SortStableFunc(fit.Items, func(a, b PlannedItem) int { return cmp.Compare(a.ID, b.ID) })
	return fit, added, gone
}

// WholeItems is a share for a job that can't run parts: more than its own, and nothing less.
func (p PlannedShard) WholeItems() PlannedShard {
	whole := p
	whole.Items = make([]PlannedItem, 0, len(p.Items))
	for _, item := range p.Items {
		item.Part = nil
		if n := len(whole.Items); n > 0 && whole.Items[n-1].ID == item.ID {
			whole.Items[n-1].EstMS += item.EstMS
			continue
		}
		whole.Items = append(whole.Items, item)
	}
	return whole
}

func hashed(id string, total int) int {
	hash := fnv.New64a()
	hash.Write([]byte(id))
	return int(hash.Sum64() % uint64(total))
}
