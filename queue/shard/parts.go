package shard

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
)

// What makes an item worth cutting, and how.
const (
	// CutShare is above how many percent of an even share an item is cut, and how long a part may be.
	CutShare = 70
	// MinCut is from how many milliseconds: starting a part costs time, too.
	MinCut = 2000
	// maxNames is how many bytes of names a part may name: they become words of a command.
	maxNames = 24 << 10
)

// Divisible tells whether tests inside an item can be named to a runner.
func Divisible(runner string) bool { return runner == "go" || runner == "pytest" }

// goTopLevel tells whether go test's -run can select the name as a whole.
func goTopLevel(name string) bool {
	for _, kind := range []string{"Test", "Example", "Fuzz"} {
		if rest, ok := strings.CutPrefix(name, kind); ok {
			return !strings.ContainsFunc(rest, func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) })
		}
	}
	return false
}

// Selector is the name by which a runner selects a test inside an item: a Go test's
// top level, the rest of a pytest node id. It is false for what stands in another
// item, for a Go subtest (its parent's time has it in) and for what is no test.
func Selector(runner, item string, t Test) (string, bool) {
	switch runner {
	case "go":
		return t.Name, t.Class == item && goTopLevel(t.Name)
	case "pytest":
		name := pytestName(item, t)
		return name, name != "" && len(name) <= MaxName && plain(name)
	}
	return "", false
}

// pytestName is what follows the file in a test's node id. A class may be told as a
// dotted path that begins with the file's.
func pytestName(item string, t Test) string {
	if rest, ok := strings.CutPrefix(t.Name, item+"::"); ok {
		return rest
	}
	module := strings.ReplaceAll(strings.TrimSuffix(item, ".py"), "/", ".")
	if t.File != item && t.Class != item && t.Class != module && !strings.HasPrefix(t.Class, module+".") {
		return ""
	}
	inside := ""
	switch rest, ok := strings.CutPrefix(t.Class, module+"."); {
	case ok:
		inside = strings.ReplaceAll(rest, ".", "::") + "::"
	case t.Class != "" && t.Class != item && t.Class != module:
		return "" // of this file, and nobody can say what it is called there
	}
	if t.Name == "" || strings.Contains(t.Name, "::") {
		return ""
	}
	return inside + t.Name
}

// longItems lists the items that are to be cut where the tests inside are known:
// those that alone take more than CutShare of an even share.
func longItems(planned []PlannedItem, total int) []string {
	limit := partLimit(planned, total)
	var ids []string
	for _, item := range planned {
		if total > 1 && item.N > 0 && item.EstMS > limit && item.EstMS >= MinCut {
			ids = append(ids, item.ID)
		}
	}
	return ids
}

// partLimit is CutShare of an even share.
func partLimit(planned []PlannedItem, total int) int64 {
	sum := int64(0)
	for _, item := range planned {
		sum += item.EstMS
	}
	return sum * CutShare / 100 / int64(max(total, 1))
}

// divide cuts an item into parts of at most limit where that can be done, at most
// most of them. Each part but the last names its tests; the last runs all others,
// so that a test nobody knew of runs as well. What is cut so costs its start again
// in each part; where that eats up what is won, the item stays whole.
func divide(item PlannedItem, tests []Sample, limit int64, most int) []PlannedItem {
	tests = namable(tests)
	var sum, longest int64
	for _, t := range tests {
		sum, longest = sum+t.MS, max(longest, t.MS)
	}
	most = min(most, len(tests))
	if most < 2 || sum <= 0 {
		return []PlannedItem{item}
	}
	start := max(item.EstMS-sum, 0)
	at := int64(2)
	if room := limit - start; room > 0 {
		at = max((min(sum, item.EstMS)+room-1)/room, at)
	}
	// More parts than this can't be much shorter: the longest test is in one of them.
	at = min(at, max((sum+longest-1)/longest, 2))
	var best []PlannedItem
	for k := int(min(at, int64(most))); k <= most && k <= int(at)+2; k++ {
		parts := divideInto(item, tests, k, start)
		if best == nil || longestOf(parts) < longestOf(best) {
			best = parts
		}
		if longestOf(best) <= limit {
			break
		}
	}
	if longestOf(best)*10 > item.EstMS*9 {
		return []PlannedItem{item}
	}
	return best
}

// namable are the tests sorted by name, each once.
func namable(tests []Sample) []Sample {
	tests = slices.Clone(tests)
	slices.SortFunc(tests, func(a, b Sample) int { return cmp.Or(cmp.Compare(a.Item, b.Item), cmp.Compare(b.MS, a.MS)) })
	tests = slices.CompactFunc(tests, func(a, b Sample) bool { return a.Item == b.Item })
	for i := range tests {
		tests[i].MS = max(tests[i].MS, 1)
	}
	return slices.DeleteFunc(tests, func(t Sample) bool { return t.Item == "" })
}

// divideInto cuts into k parts. Each takes the item's start and its tests' share of
// the item: tests that run side by side take longer together than the item does.
// Where the names would be too many for a command, only the longest are named.
func divideInto(item PlannedItem, tests []Sample, k int, start int64) []PlannedItem {
	var sum, rest int64
	loads, names := make([]Load, 0, len(tests)), 0
	for _, t := range tests {
		loads = append(loads, Load{ID: t.Item, MS: t.MS})
		sum += t.MS
	}
	slices.SortFunc(loads, longer)
	for i, l := range loads {
		if names += len(l.ID) + 1; names > maxNames && i >= k {
			for _, left := range loads[i:] {
				rest += left.MS
			}
			loads = loads[:i]
			break
		}
	}
	bias := make([]int64, k)
	bias[k-1] = rest
	parts, took := make([]PlannedItem, k), make([]int64, k)
	took[k-1] = rest
	var named []string
	for i := range parts {
		parts[i] = PlannedItem{ID: item.ID, N: item.N, Part: &Part{Index: i, Of: k}}
	}
	for i, at := range Deal(loads, k, bias) {
		took[at] += loads[i].MS
		if at < k-1 {
			parts[at].Part.Only = append(parts[at].Part.Only, loads[i].ID)
			named = append(named, loads[i].ID)
		}
	}
	for i := range parts {
		slices.Sort(parts[i].Part.Only)
		parts[i].EstMS = max(start+int64(float64(took[i])/float64(sum)*float64(min(sum, item.EstMS))), 1)
	}
	slices.Sort(named)
	parts[k-1].Part.Without = named
	return parts
}

func longestOf(items []PlannedItem) int64 {
	longest := int64(0)
	for _, item := range items {
		longest = max(longest, item.EstMS)
	}
	return longest
}

// Rejoin is how long an item takes as a whole, by what its parts took and the tests
// inside them together: each part but one started it once more. With that taken for
// the item's own time, every plan would find it longer than the plan before.
func Rejoin(parts []int64, inside int64) int64 {
	sum := int64(0)
	for _, ms := range parts {
		sum += ms
	}
	if n := int64(len(parts)); n > 1 && sum > inside {
		return inside + (sum-inside)/n
	}
	return sum
}
