package shard

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// anyBasis is a suite with some history, some tests inside and some of neither.
var anyBasis = rapid.Custom(func(t *rapid.T) Basis {
	b := Basis{Tests: map[string][]Sample{}}
	for i := range rapid.IntRange(0, 40).Draw(t, "items") {
		id := fmt.Sprintf("dir%d/item-%02d", i/10, i)
		b.Items = append(b.Items, Item{ID: id, Bytes: rapid.Int64Range(0, 5000).Draw(t, "bytes")})
		if rapid.IntRange(0, 3).Draw(t, "known") > 0 {
			b.History = append(b.History, Timing{id, rapid.Int64Range(0, 60_000).Draw(t, "ms"), rapid.IntRange(1, 10).Draw(t, "n")})
		}
		for j := range rapid.IntRange(0, 5).Draw(t, "tests") {
			b.Tests[id] = append(b.Tests[id], Sample{fmt.Sprintf("Test%d", j), rapid.Int64Range(0, 30_000).Draw(t, "test")})
		}
	}
	slices.SortFunc(b.Items, func(x, y Item) int { return strings.Compare(x.ID, y.ID) })
	return b
})

// Whatever is known, each item runs once: whole, or each of its tests in one part.
func TestAPlanRunsEverythingOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := anyBasis.Draw(t, "basis")
		n := rapid.IntRange(1, 9).Draw(t, "shards")
		if rapid.Bool().Draw(t, "whole items") {
			b.Tests = nil
		}
		f := b.Freeze("pl_1", "d", n, rapid.SampledFrom([]string{ModeStatic, ModeLeased}).Draw(t, "mode"))
		byItem := map[string][]PlannedItem{}
		for i := range n {
			for _, item := range f.WholeShare(i).Items {
				byItem[item.ID] = append(byItem[item.ID], item)
			}
			if !slices.IsSortedFunc(f.WholeShare(i).Items, func(x, y PlannedItem) int { return strings.Compare(x.ID, y.ID) }) {
				t.Fatalf("shard %d does not keep the inventory's order", i)
			}
		}
		if len(byItem) != len(b.Items) || len(f.Items()) != len(b.Items) {
			t.Fatalf("%d items planned, %d in the inventory", len(byItem), len(b.Items))
		}
		for _, item := range b.Items {
			pieces := byItem[item.ID]
			slices.SortFunc(pieces, func(x, y PlannedItem) int {
				if x.Part == nil || y.Part == nil {
					t.Fatalf("%s is planned twice", item.ID)
				}
				return x.Part.Index - y.Part.Index
			})
			requireParts(t, pieces, b.Tests[item.ID])
		}
		var sum, longest int64
		for _, u := range f.Units {
			sum, longest = sum+u.EstMS, max(longest, u.EstMS)
		}
		bound := max(float64(sum)/float64(n), float64(longest))
		if most := (4.0/3-1.0/(3*float64(n)))*bound + float64(longest); float64(slices.Max(f.ExpectedMS())) > most {
			t.Fatalf("the longest shard takes %d, at most %.1f", slices.Max(f.ExpectedMS()), most)
		}
	})
}

// A plan that was stored is the plan that was made, and the same basis makes it again.
func TestAPlanComesBackFromItsBody(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := anyBasis.Draw(t, "basis")
		n := rapid.IntRange(1, 9).Draw(t, "shards")
		f := b.Freeze("pl_1", "d", n, ModeLeased)
		body, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		var back Frozen
		if err := json.Unmarshal(body, &back); err != nil || !reflect.DeepEqual(&back, f) {
			t.Fatalf("%v: %+v is not %+v", err, back, f)
		}
		if !reflect.DeepEqual(b.Freeze("pl_1", "d", n, ModeLeased), f) {
			t.Fatal("frozen again it is another plan")
		}
		for i := range n {
			answer := PlanAnswer{PlanID: f.ID, Scope: ScopeSlice, Shard: f.Share(i)}
			if err := answer.Validate(PlanRequest{Shard: Position{i, n}}); err != nil {
				t.Fatalf("shard %d is not fit for the wire: %v", i, err)
			}
		}
	})
}

// What a shard of a leased plan gets at once is its own, at most half, and what is unknown comes first.
func TestHalfOfALeasedShareIsGivenAtOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := anyBasis.Draw(t, "basis")
		n := rapid.IntRange(1, 9).Draw(t, "shards")
		f := b.Freeze("pl_1", "d", n, ModeLeased)
		whole := f.ExpectedMS()
		for i := range n {
			if at := f.Share(i); at.ExpectedMS > whole[i]/2 {
				t.Fatalf("shard %d gets %d of %d ms at once", i, at.ExpectedMS, whole[i])
			}
		}
		for _, u := range b.Freeze("pl_1", "d", n, ModeStatic).Units {
			if u.Pre {
				t.Fatal("in a static plan nothing is marked")
			}
		}
	})
}

func TestPrePercent(t *testing.T) {
	for name, c := range map[string]struct{ units, unknown, total, want int }{
		"usual":                             {400, 20, 8, 50},
		"no history":                        {400, 400, 8, 0},
		"hardly any history":                {400, 300, 8, 30},
		"many shards on few items":          {400, 0, 32, 30},
		"many shards on many items":         {4000, 0, 32, 50},
		"few shards on few items":           {20, 0, 8, 50},
		"nothing to run":                    {0, 0, 8, 0},
		"half unknown is still half to see": {400, 200, 8, 50},
	} {
		if got := PrePercent(c.units, c.unknown, c.total); got != c.want {
			t.Errorf("%s: %d %%, want %d", name, got, c.want)
		}
	}
}

// The plan must say what no number of shards will mend.
func TestTheBottleneckIsNamed(t *testing.T) {
	minute := int64(60_000)
	b := Basis{Items: []Item{{"api", 0}, {"e2e/checkout", 0}, {"unit", 0}},
		History: History{{"api", 4 * minute, 3}, {"e2e/checkout", 7 * minute, 10}, {"unit", 4 * minute, 1}}}
	f := b.Freeze("pl_1", "d", 3, ModeStatic)
	if f.Bottleneck == nil || f.Bottleneck.ID != "e2e/checkout" || !slices.Equal(f.Warnings, []string{"`e2e/checkout` alone takes 7 min; an even share is 5 min"}) {
		t.Errorf("%+v, %q", f.Bottleneck, f.Warnings)
	}
	// Where the tests inside are known it is cut, and the plan is even.
	b.Tests = map[string][]Sample{"e2e/checkout": {{"TestA", 3 * minute}, {"TestB", 3 * minute}, {"TestC", minute}}}
	if f = b.Freeze("pl_1", "d", 3, ModeStatic); f.Bottleneck != nil || len(f.Units) != 5 || slices.Max(f.ExpectedMS()) > 6*minute {
		t.Errorf("%+v, %+v", f.Bottleneck, f.Units)
	}
	if long := b.Long(3); !slices.Equal(long, []string{"api", "e2e/checkout", "unit"}) {
		t.Errorf("long are %q", long) // 3.5 min is 70 % of an even share
	}
	// One shard has no even share, and an item that was never measured is no warning.
	if f = b.Freeze("pl_1", "d", 1, ModeStatic); f.Bottleneck != nil || len(f.Units) != 3 {
		t.Errorf("%+v", f)
	}
	if f = (Basis{Items: b.Items}).Freeze("pl_1", "d", 9, ModeStatic); f.Bottleneck != nil || f.Unknown != 3 {
		t.Errorf("%+v", f)
	}
	// A hostile id stays inside its quotes, and a part is named as one.
	b = Basis{Items: []Item{{"a`b", 0}, {"c", 0}}, History: History{{"a`b", 9000, 1}, {"c", 10, 1}},
		Tests: map[string][]Sample{"a`b": {{"TestA", 6000}, {"TestB", 3000}}}}
	if f = b.Freeze("pl_1", "d", 2, ModeStatic); !slices.Equal(f.Warnings, []string{"`a'b`, part 1 of 2, alone takes 6.0 s; an even share is 4.5 s"}) || f.Bottleneck.Part.Only != nil {
		t.Errorf("%q", f.Warnings)
	}
}

// What ran is told in units, whoever cut the slice.
func TestUnitsOfAReport(t *testing.T) {
	f := &Frozen{ID: "pl_1", Total: 2, Units: []Unit{
		{PlannedItem: PlannedItem{ID: "a"}},
		{PlannedItem: PlannedItem{ID: "b", Part: &Part{Index: 0, Of: 2, Only: []string{"TestX"}}}},
		{PlannedItem: PlannedItem{ID: "b", Part: &Part{Index: 1, Of: 2, Without: []string{"TestX"}}}, Shard: 1},
		{PlannedItem: PlannedItem{ID: "c"}, Shard: 1}}}
	for name, c := range map[string]struct {
		items []ItemResult
		want  string
	}{
		"nothing":                         {nil, "[]"},
		"an item and a part":              {[]ItemResult{{ID: "a", Status: Failed}, {ID: "b", Status: Passed, Part: 1, Parts: 2}}, "[0 2]"},
		"an item as a whole is its parts": {[]ItemResult{{ID: "b", Status: Skipped}}, "[1 2]"},
		"a part of another cut":           {[]ItemResult{{ID: "b", Status: Passed, Part: 1, Parts: 3}}, "[]"},
		"a part of what is whole":         {[]ItemResult{{ID: "c", Status: Passed, Part: 0, Parts: 2}}, "[]"},
		"what broke did not end":          {[]ItemResult{{ID: "a", Status: Errored}, {ID: "c", Status: Passed}}, "[3]"},
		"what the plan does not know":     {[]ItemResult{{ID: "zz", Status: Passed}, {ID: "", Status: Passed}}, "[]"},
	} {
		ran, got := f.UnitsOf(Report{Items: c.items}), []int{}
		for i := range f.Units {
			if ran.Has(i) {
				got = append(got, i)
			}
		}
		if fmt.Sprint(got) != c.want {
			t.Errorf("%s: %v, want %s", name, got, c.want)
		}
	}
	if ids := f.ShareOf(1, []int{2, 1, 99}).IDs(); !slices.Equal(ids, []string{"b", "b"}) {
		t.Errorf("a recorded share is %q", ids)
	}
	if ids := f.ShareOf(1, []int{0, 1, 2}).WholeItems().IDs(); !slices.Equal(ids, []string{"a", "b"}) {
		t.Errorf("without parts a share is %q", ids)
	}
	// An item has been seen when all of its parts were.
	ended := f.UnitsOf(Report{Items: []ItemResult{{ID: "a", Status: Passed}, {ID: "b", Status: Passed, Part: 1, Parts: 2}}})
	if planned, seen := f.Coverage(ended); planned != 3 || seen != 1 {
		t.Errorf("%d planned, %d seen", planned, seen)
	}
}

// Of all shards that see an item the plan doesn't know, exactly one runs it.
func TestUnknownItemsAreRunByOneOfThoseWhoSeeThem(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 8).Draw(t, "shards")
		planned := Normalise(anyItems.Draw(t, "planned"))
		seen := NewInventory(anyItems.Draw(t, "seen")).Items
		f := Basis{Items: NewInventory(planned).Items}.Freeze("pl_1", "d", n, ModeStatic)
		var ran []string
		gone := 0
		for i := range n {
			fit, _, lost := f.Fit(f.Share(i), seen)
			ran, gone = append(ran, fit.IDs()...), gone+lost
			if !slices.IsSorted(fit.IDs()) {
				t.Fatalf("not in order: %q", fit.IDs())
			}
		}
		slices.Sort(ran)
		want := []string{}
		for _, item := range seen {
			want = append(want, item.ID)
		}
		if !slices.Equal(ran, want) {
			t.Fatalf("ran %q of %q, planned %q", ran, want, planned)
		}
		if gone != len(planned)-len(slices.DeleteFunc(planned, func(id string) bool { return !slices.Contains(want, id) })) {
			t.Fatalf("%d are gone", gone)
		}
	})
}

func TestAPlansKeyLeavesTheAttemptOut(t *testing.T) {
	key := PlanKey{Repository: 7, Run: 100, Suite: "unit", Variant: "linux", Total: 4}
	others := []PlanKey{key, key, key, key, key}
	others[0].Repository, others[1].Run, others[2].Suite, others[3].Variant, others[4].Total = 8, 101, "lint", "", 5
	ids := map[string]bool{key.ID(): true}
	for _, k := range others {
		ids[k.ID()] = true
	}
	if len(ids) != 6 || len(key.ID()) > MaxLabel {
		t.Errorf("%d ids", len(ids))
	}
}
