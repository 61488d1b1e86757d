package shard

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

const day = int64(24 * time.Hour)

func TestMedian(t *testing.T) {
	for name, c := range map[string]struct {
		kept []Kept
		want int64
	}{
		"nothing":                           {nil, 0},
		"one":                               {[]Kept{{700, day}}, 700},
		"one slow run says little":          {[]Kept{{100, 1}, {9000, 2}, {110, 3}}, 110},
		"of two the longer":                 {[]Kept{{100, 1}, {200, 1}}, 200},
		"new ones outweigh old ones":        {[]Kept{{100, 0}, {100, 0}, {100, 0}, {500, 28 * day}}, 500},
		"but not while they are few":        {[]Kept{{100, 26 * day}, {100, 27 * day}, {100, 27 * day}, {500, 28 * day}}, 100},
		"half a life is half a vote":        {[]Kept{{100, 0}, {100, 0}, {500, 14*day + 1}}, 500},
		"one of a broken clock, far behind": {[]Kept{{100, 1 << 62}, {500, -1 << 62}}, 100},
	} {
		if got := Median(c.kept); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

// The median is kept with its samples: a later look at them must come to the same.
func TestMedianDependsOnNeitherOrderNorDay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kept := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Kept {
			return Kept{MS: rapid.Int64Range(1, 100).Draw(t, "ms"), At: rapid.Int64Range(0, 60).Draw(t, "day") * day}
		}), 1, 10).Draw(t, "kept")
		other := slices.Clone(kept)
		slices.Reverse(other)
		later := rapid.Int64Range(0, 1000).Draw(t, "later") * day
		for i := range other {
			other[i].At += later
		}
		if a, b := Median(kept), Median(other); a != b {
			t.Fatalf("%d and %d", a, b)
		}
		if m := Median(kept); !slices.ContainsFunc(kept, func(k Kept) bool { return k.MS == m }) {
			t.Fatalf("%d was never measured", m)
		}
	})
}

func TestRememberKeepsTheNewestAndCountsAMomentOnce(t *testing.T) {
	var kept []Kept
	for i := range int64(15) {
		kept = Remember(kept, Kept{MS: i, At: i})
	}
	if len(kept) != MaxKept || kept[0].At != 5 || kept[9].At != 14 {
		t.Errorf("kept %v", kept)
	}
	if again := Remember(kept, Kept{MS: 99, At: 14}); !slices.Equal(again, kept) {
		t.Errorf("told twice, kept %v", again)
	}
	if late := Remember(kept, Kept{MS: 99, At: 1}); !slices.Equal(late, kept) {
		t.Errorf("one older than all of them: kept %v", late)
	}
}

// What was never measured is guessed from what is nearest.
func TestUnknownItemsAreGuessed(t *testing.T) {
	history := History{{"api/a", 100, 3}, {"api/b", 300, 9}, {"api/c", 200, 1}, {"db/a", 9000, 2}, {"gone/a", 5, 1}}
	few := History{{"x/a", 400, 1}, {"x/b", 200, 1}}
	for name, c := range map[string]struct {
		items   []Item
		history History
		want    PlannedItem // of the last
	}{
		"known":                             {[]Item{{"api/b", 0}}, history, PlannedItem{ID: "api/b", EstMS: 300, N: 9}},
		"its folder's median":               {[]Item{{"api/a", 0}, {"api/b", 0}, {"api/c", 0}, {"db/a", 0}, {"api/new", 0}}, history, PlannedItem{ID: "api/new", EstMS: 200}},
		"a folder that knows too few":       {[]Item{{"api/a", 0}, {"api/b", 0}, {"db/a", 0}, {"db/new", 0}}, history, PlannedItem{ID: "db/new", EstMS: 300}},
		"what is gone does not count":       {[]Item{{"gone/new", 0}}, history, PlannedItem{ID: "gone/new", EstMS: 1000}},
		"by bytes, where the suite is new":  {[]Item{{"x/a", 1000}, {"x/b", 500}, {"y/new", 2000}}, few, PlannedItem{ID: "y/new", EstMS: 800}},
		"without bytes nothing can be told": {[]Item{{"x/a", 1000}, {"x/b", 500}, {"y/new", 0}}, few, PlannedItem{ID: "y/new", EstMS: 1000}},
		"a tiny file takes a moment":        {[]Item{{"x/a", 1 << 40}, {"y/new", 1}}, few, PlannedItem{ID: "y/new", EstMS: 1}},
		"a huge file is no year":            {[]Item{{"x/a", 1}, {"y/new", 1 << 60}}, few, PlannedItem{ID: "y/new", EstMS: maxMS}},
		"nothing known":                     {[]Item{{"new", 77}}, nil, PlannedItem{ID: "new", EstMS: 1000}},
	} {
		got := Estimates(c.items, c.history)
		if last := got[len(got)-1]; last.ID != c.want.ID || last.EstMS != c.want.EstMS || last.N != c.want.N {
			t.Errorf("%s: %+v, want %+v", name, last, c.want)
		}
	}
}
