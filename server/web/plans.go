package web

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/queue/shard"
)

// takePlan cuts a suite for one shard. The cut is a pure function of the
// inventory and of the attempt's narrow tests, which are fixed when it is made:
// so every shard, and a re-run, comes to the same one.
func (d *door) takePlan(w http.ResponseWriter, r *http.Request) {
	if body, refused := d.plan(w, r); refused != nil {
		refused.write(w)
	} else {
		answer(w, http.StatusOK, body)
	}
}

func (d *door) plan(w http.ResponseWriter, r *http.Request) (*shard.PlanAnswer, *refusal) {
	c, refused := d.call(r)
	if refused != nil {
		return nil, refused
	}
	var ask shard.PlanRequest
	if _, refused := readBody(w, r, &ask); refused != nil {
		return nil, refused
	}
	if err := ask.Validate(); err != nil {
		return nil, refuse(http.StatusUnprocessableEntity, shard.CodeInvalid, "%v", err)
	}
	if len(ask.Inventory.Items) == 0 && ask.Inventory.Digest != shard.Digest(nil) {
		return &shard.PlanAnswer{Need: shard.NeedItems}, nil
	}
	if c.attempt != nil && !ask.All {
		fact := queue.ShardStarted{Commit: c.SHA, Shard: c.shard(ask.Suite, ask.Variant, ask.Shard, ask.Inventory.Digest)}
		fact.Shard.StartedAt = d.Clock()
		if err := d.Reports.Tell(r.Context(), c.place.ID, fact); err != nil {
			return nil, d.unavailable(err)
		}
	}
	return cut(ask, c), nil
}

// cut deals the suite out. In a narrow attempt that is what its few tests need
// of it; a shard that gets none of them has nothing to run.
func cut(ask shard.PlanRequest, c caller) *shard.PlanAnswer {
	plan := &shard.PlanAnswer{Algorithm: shard.RoundRobin, Trusted: c.attempt != nil, Scope: shard.ScopeSlice,
		PlanID: fmt.Sprintf("%d-%d-%.12s", c.Repository, c.Run, strings.TrimPrefix(ask.Inventory.Digest, "sha256:"))}
	items, tests := ask.Inventory.IDs(), map[string][]string{}
	if c.narrow() {
		plan.Scope = shard.ScopeNarrow
		var whole bool
		if items, tests, whole = narrowed(ask, c.attempt.Narrow); whole {
			plan.Warnings = []string{"a test that is asked for stands in no item of this suite, so all of it runs"}
		}
	}
	var all []shard.PlannedShard
	for i, ids := range shard.Split(items, ask.Shard.Total) {
		p := shard.PlannedShard{Index: i, Total: ask.Shard.Total, Items: []shard.PlannedItem{}}
		for _, id := range ids {
			p.Items = append(p.Items, shard.PlannedItem{ID: id, Tests: tests[id]})
		}
		all = append(all, p)
	}
	plan.Shard = all[ask.Shard.Index]
	if ask.All {
		plan.Shards = all
	}
	return plan
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
