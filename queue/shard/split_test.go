package shard

import (
	"math/rand"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

var anyItems = rapid.SliceOfN(rapid.StringMatching(`[a-c/.]{0,4}`), 0, 60)

// A test that no shard runs is worse than one that fails: nobody sees it.
func TestSplitLosesNothingAndRunsNothingTwice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		items := anyItems.Draw(t, "items")
		total := rapid.IntRange(1, 12).Draw(t, "total")

		cut := Split(items, total)

		if len(cut) != total {
			t.Fatalf("%d slices, want %d", len(cut), total)
		}
		var union []string
		for index, slice := range cut {
			if !slices.Equal(slice, Slice(items, index, total)) {
				t.Fatalf("Slice(%d) = %q, Split says %q", index, Slice(items, index, total), slice)
			}
			union = append(union, slice...)
		}
		// Sorted but not compacted: an item in two slices would show.
		slices.Sort(union)
		if want := Normalise(items); !slices.Equal(union, want) {
			t.Fatalf("union %q, inventory %q", union, want)
		}
		longest, shortest := 0, len(union)
		for _, slice := range cut {
			longest, shortest = max(longest, len(slice)), min(shortest, len(slice))
		}
		if longest-shortest > 1 {
			t.Fatalf("slices of %d and %d items", longest, shortest)
		}
	})
}

// Shards list their files in whatever order the disk has; without a server
// they must come to the same cut all the same.
func TestSplitDoesNotDependOnOrderOrDoubles(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		items := anyItems.Draw(t, "items")
		total := rapid.IntRange(1, 12).Draw(t, "total")
		shuffled := append(slices.Clone(items), items...)
		rand.New(rand.NewSource(rapid.Int64().Draw(t, "seed"))).Shuffle(len(shuffled), func(i, j int) {
			shuffled[i], shuffled[j] = shuffled[j], shuffled[i]
		})
		before := slices.Clone(shuffled)

		a, b := Split(items, total), Split(shuffled, total)

		for i := range a {
			if !slices.Equal(a[i], b[i]) {
				t.Fatalf("slice %d: %q and %q", i, a[i], b[i])
			}
		}
		if Digest(items) != Digest(shuffled) {
			t.Fatal("the digest depends on the order")
		}
		if !slices.Equal(before, shuffled) {
			t.Fatal("the caller's list was changed")
		}
	})
}

func TestDigestTellsInventoriesApart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := anyItems.Draw(t, "a"), anyItems.Draw(t, "b")
		if same := slices.Equal(Normalise(a), Normalise(b)); same != (Digest(a) == Digest(b)) {
			t.Fatalf("same list: %v, but digests %s and %s", same, Digest(a), Digest(b))
		}
	})
}

// The shell fallback and every later version must come to this very cut.
func TestSplitGolden(t *testing.T) {
	cut := Split([]string{"b", "a/z", "a", "B", "é", "a", ""}, 3)
	want := [][]string{{"B", "b"}, {"a", "é"}, {"a/z"}}
	for i := range want {
		if !slices.Equal(cut[i], want[i]) {
			t.Errorf("slice %d = %q, want %q", i, cut[i], want[i])
		}
	}
	if got, want := Digest([]string{"b", "a"}), "sha256:7e18f737311b2dc3b2f269dd78396b0351f14fb66efa879f768cb23181883c78"; got != want {
		t.Errorf("digest %q, want %q", got, want)
	}
	if Split([]string{"a"}, 0) != nil || Slice([]string{"a"}, 1, 1) != nil || Slice([]string{"a"}, -1, 1) != nil {
		t.Error("a cut out of range must be nil")
	}
}
