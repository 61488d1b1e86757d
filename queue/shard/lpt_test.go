package shard

import (
	"fmt"
	"math/rand"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

var anyLoads = rapid.Custom(func(t *rapid.T) []Load {
	ms := rapid.SliceOfN(rapid.OneOf(rapid.Int64Range(1, 5), rapid.Int64Range(1, 10_000)), 0, 80).Draw(t, "ms")
	loads := make([]Load, len(ms))
	for i, m := range ms {
		loads[i] = Load{ID: fmt.Sprintf("item-%02d", i/2), Part: i % 2, MS: m}
	}
	return loads
})

// The promise behind "even": never a third over the bound that no cut can beat, and one item.
func TestDealIsEvenWithinItsBound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		loads := anyLoads.Draw(t, "loads")
		n := rapid.IntRange(1, 12).Draw(t, "shards")
		took, sum, longest := make([]int64, n), int64(0), int64(0)
		for i, at := range Deal(loads, n, nil) {
			took[at] += loads[i].MS
			sum, longest = sum+loads[i].MS, max(longest, loads[i].MS)
		}
		bound := max(float64(sum)/float64(n), float64(longest))
		if most := (4.0/3-1.0/(3*float64(n)))*bound + float64(longest); float64(slices.Max(took)) > most {
			t.Fatalf("the longest shard takes %d, at most %.1f: %v", slices.Max(took), most, took)
		}
	})
}

// Two servers, or one after a restart, must come to the same plan to the byte.
func TestDealDoesNotDependOnOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		loads := anyLoads.Draw(t, "loads")
		n := rapid.IntRange(1, 12).Draw(t, "shards")
		bias := rapid.SliceOfN(rapid.Int64Range(0, 5000), 0, n).Draw(t, "bias")
		shuffled := slices.Clone(loads)
		rand.New(rand.NewSource(rapid.Int64().Draw(t, "seed"))).Shuffle(len(shuffled), func(i, j int) {
			shuffled[i], shuffled[j] = shuffled[j], shuffled[i]
		})
		one, two := Deal(loads, n, bias), Deal(shuffled, n, bias)
		where := map[Load]int{}
		for i, l := range loads {
			where[l] = one[i]
		}
		for i, l := range shuffled {
			if where[l] != two[i] {
				t.Fatalf("%v is with shard %d and with shard %d", l, where[l], two[i])
			}
		}
	})
}

func TestDealBreaksTiesByIDThenPartThenShard(t *testing.T) {
	loads := []Load{{ID: "b", MS: 5}, {ID: "a", Part: 1, MS: 5}, {ID: "a", MS: 5}, {ID: "c", MS: 9}, {ID: "z"}, {ID: "y", MS: -3}}
	// c goes to 0, a to 1, its part 1 to 2; then b to the lowest of those with 5, y and z to the least loaded.
	if got, want := Deal(loads, 3, nil), []int{1, 2, 1, 0, 2, 2}; !slices.Equal(got, want) {
		t.Errorf("dealt %v, want %v", got, want)
	}
	// A shard that has other work starts later.
	if got, want := Deal(loads[:3], 2, []int64{7}), []int{0, 1, 1}; !slices.Equal(got, want) {
		t.Errorf("dealt %v, want %v", got, want)
	}
	if Deal(loads, 0, nil) != nil {
		t.Error("a cut for no shards must be nil")
	}
}

// Each fallback must run everything, and all but the whole one run it once.
func TestFallbackCutsLoseNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ids := anyItems.Draw(t, "items")
		total := rapid.IntRange(1, 12).Draw(t, "total")
		items := make([]Item, len(ids))
		for i, id := range ids {
			items[i] = Item{ID: id, Bytes: int64(len(id)) * 100}
		}
		shuffled := slices.Clone(items)
		slices.Reverse(shuffled)
		want := Normalise(ids)
		for name, cut := range map[string][][]string{RoundRobin: Split(ids, total), FileSize: SplitBySize(items, total)} {
			if len(cut) != total {
				t.Fatalf("%s: %d slices", name, len(cut))
			}
			for _, s := range cut {
				if !slices.IsSorted(s) {
					t.Fatalf("%s: a shard does not keep the inventory's order: %q", name, s)
				}
			}
			union := slices.Concat(cut...)
			slices.Sort(union)
			if !slices.Equal(union, want) {
				t.Fatalf("%s: union %q, inventory %q", name, union, want)
			}
		}
		one, two := SplitBySize(items, total), SplitBySize(shuffled, total)
		for i := range one {
			if !slices.Equal(one[i], two[i]) {
				t.Fatalf("by size the cut depends on the order: %q and %q", one[i], two[i])
			}
		}
		for _, s := range SplitWhole(ids, total) {
			if !slices.Equal(s, want) {
				t.Fatalf("a shard that is to run everything gets %q of %q", s, want)
			}
		}
	})
	if SplitBySize(nil, 0) != nil || SplitWhole(nil, 0) != nil {
		t.Error("a cut for no shards must be nil")
	}
}

func TestBySizeTheLargestGoFirst(t *testing.T) {
	cut := SplitBySize([]Item{{"a", 10}, {"b", 100}, {"c", 60}, {"d", 30}}, 2)
	if fmt.Sprint(cut) != "[[b] [a c d]]" {
		t.Errorf("cut %v", cut)
	}
}
