package web

import (
	"slices"
	"strings"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/queue/shard"
)

// narrowPlan is the plan of a narrow attempt: what its few tests need of the suite.
// A shard that gets none of them has nothing to run.
func narrowPlan(id string, ask shard.PlanRequest, wanted []queue.FailedTest) *shard.Frozen {
	items, tests, whole := narrowed(ask, wanted)
	planned := []shard.PlannedItem{}
	for _, item := range shard.Normalise(items) {
		planned = append(planned, shard.PlannedItem{ID: item, Tests: tests[item]})
	}
	f := shard.FreezeNarrow(id, ask.Inventory.Digest, ask.Shard.Total, planned)
	if whole {
		f.Warnings = []string{"a test that is asked for stands in no item of this suite, so all of it runs"}
	}
	return f
}

// narrow tells whether only a few tests are asked for.
func (c caller) narrow() bool { return c.attempt != nil && len(c.attempt.Narrow) > 0 }

// narrowed lists the items in which the tests stand and, for each, the tests;
// an item without any is wanted as it is. A Go package that is not here has no
// tests to run here: its pull request is in another part. Where the item of a
// test cannot be told, whole is true and everything is wanted: too much is
// slow, too little would clear a culprit.
func narrowed(ask shard.PlanRequest, wanted []queue.FailedTest) (items []string, tests map[string][]string, whole bool) {
	here := ask.Inventory.IDs() // sorted
	tests = map[string][]string{}
	asIs := map[string]bool{}
	for _, t := range wanted {
		if t.Suite != "" && t.Suite != ask.Suite {
			continue
		}
		item := itemOf(t, here)
		switch {
		case item == "" && ask.Runner == runnerGo && t.Package != "":
		case item == "":
			return here, nil, true
		default:
			items = append(items, item)
			if ask.Runner == runnerGo && strings.HasPrefix(t.Name, "[") || t.Name == item {
				asIs[item] = true // it stands for the package as a whole
			} else if !slices.Contains(tests[item], t.Name) {
				tests[item] = append(tests[item], t.Name)
			}
		}
	}
	for item := range asIs {
		delete(tests, item)
	}
	for item := range tests {
		slices.Sort(tests[item])
	}
	return items, tests, false
}

// runnerGo is the runner whose items are packages.
const runnerGo = "go"

// itemOf finds the item that a test stands in, among sorted ones: its package,
// its file or itself; "" where it is none of them.
func itemOf(t queue.FailedTest, here []string) string {
	for _, id := range []string{t.Package, t.File, t.Name} {
		if _, found := slices.BinarySearch(here, id); found && id != "" {
			return id
		}
	}
	return ""
}
