package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/mainstay-ci/mainstay/queue/shard"
)

// job is one step at work.
type job struct {
	set    settings
	flow   *workflow
	client *client // nil: no server, or none that can be asked
	began  time.Time
	// inventory is the whole suite, once it was listed.
	inventory shard.Inventory
}

func newJob(set settings, flow *workflow) *job {
	j := &job{set: set, flow: flow, began: time.Now()}
	if set.server == "" {
		return j
	}
	client, err := newClient(set, identity(set, flow))
	if err != nil {
		flow.warn(err.Error() + "; Mainstay does without the server")
		return j
	}
	j.client = client
	return j
}

// slice is this shard's share of the suite. It is kept in a file between the
// steps of a job.
type slice struct {
	PlanID   string              `json:"plan_id"`
	Source   shard.Source        `json:"source"`
	Scope    shard.Scope         `json:"scope"`
	Digest   string              `json:"inventory_digest"`
	Suite    int                 `json:"inventory_items"`
	Items    []string            `json:"items"` // each once, also where parts of it are run
	Units    []shard.PlannedItem `json:"units,omitempty"`
	Untested []string            `json:"untested"`
	Only     []string            `json:"only,omitempty"` // narrow: the tests asked for; nil: all of the items'
	Leased   bool                `json:"leased,omitempty"`
	Expected []int64             `json:"expected_ms,omitempty"` // of every shard; nil: nobody knows
	// Quarantine lists the keys of tests whose failures the plan excuses.
	Quarantine []string      `json:"quarantine,omitempty"`
	Proven     *shard.Proven `json:"proven,omitempty"`
	Shards     [][]string    `json:"-"` // of every shard, for a plan job
}

// plan is mode plan: it leaves the slice for a later step.
func (j *job) plan(ctx context.Context) (int, error) {
	s, err := j.cut(ctx, j.set.timeout)
	if err != nil {
		return exitUsage, err
	}
	if err := j.keep(s); err != nil {
		return exitUsage, err
	}
	j.tellSlice(s)
	if j.set.planJob {
		rows, whole := matrix(s.Shards)
		if j.flow.output("matrix", rows); !whole {
			j.flow.warn("the lists are too large for a matrix and are left out of it: each of its jobs has to plan for itself")
		}
	}
	return exitFine, nil
}

// run lists what is to be handed to the test runner.
func (s slice) run() []string {
	return append(append([]string{}, s.Items...), s.Untested...)
}

// expected is how long the shard at that index should take; 0: nobody knows.
func (s slice) expected(index int) time.Duration {
	if index >= len(s.Expected) {
		return 0
	}
	return time.Duration(s.Expected[index]) * time.Millisecond
}

// cut finds this shard's share: the server's plan, or our own cut where there
// is no server to ask. It fails only where the suite cannot be listed.
func (j *job) cut(ctx context.Context, limit time.Duration) (slice, error) {
	found, err := j.set.suite.Discover(ctx, j.flow.out)
	if err != nil {
		return slice{}, err
	}
	j.inventory = shard.NewInventory(found.Items)
	for i := range j.inventory.Items {
		j.inventory.Items[i].Bytes = found.Bytes[j.inventory.Items[i].ID]
	}
	s, ok := slice{}, false
	if j.client != nil {
		s, ok = j.ask(ctx, limit)
	}
	if !ok {
		s = j.cutLocally()
	}
	s.Digest, s.Suite = j.inventory.Digest, len(found.Items)
	s.Untested = shard.Slice(found.Untested, j.set.at.Index, j.set.at.Total)
	switch s.Scope {
	case shard.ScopeAll:
		s.Untested = found.Untested
	case shard.ScopeNarrow:
		s.Untested = nil
	}
	j.announce(s)
	return s, nil
}

// ask asks the server. Whatever goes wrong there is a warning and nothing more.
func (j *job) ask(ctx context.Context, limit time.Duration) (s slice, ok bool) {
	defer j.guard("plan")
	request := shard.PlanRequest{
		API: shard.API, Suite: j.set.suite.Name, Variant: j.set.suite.Variant, Runner: string(j.set.suite.Runner),
		Shard: j.set.at, All: j.set.planJob, Mode: shard.ModeStatic, Inventory: j.inventory,
	}
	if j.set.mode == modeRun {
		request.Parts = j.set.suite.Parts()
		if j.set.at.Total > 1 {
			request.Mode = shard.ModeLeased
		}
	}
	answer, err := j.client.plan(ctx, request, limit)
	if err != nil {
		j.flow.warn(fmt.Sprintf("the server could not be asked (%v); this job cuts the suite by itself, and its tests alone decide", err))
		return slice{}, false
	}
	for _, advice := range answer.Warnings {
		j.flow.say("Mainstay: %s", shard.CleanName(advice))
	}
	s = slice{
		PlanID: answer.PlanID, Source: shard.SourceServer, Scope: answer.Scope, Items: once(answer.Shard.IDs()),
		Units: cuttable(answer.Shard.Items, request.Parts), Leased: answer.Mode == shard.ModeLeased && request.Mode == shard.ModeLeased,
		Expected: expectations(answer, j.set.at), Proven: answer.Proven,
	}
	if answer.Quarantine != nil {
		s.Quarantine = answer.Quarantine.Tests
	}
	if s.Scope == shard.ScopeNarrow {
		s.Only = only(answer.Shard)
	}
	for _, other := range answer.Shards {
		s.Shards = append(s.Shards, other.IDs())
	}
	j.advise(answer)
	return s, true
}

// advise says what the plan knows and people can do something about.
func (j *job) advise(answer shard.PlanAnswer) {
	if b := answer.Bottleneck; b != nil {
		j.flow.say("Mainstay: %s alone takes %s, longer than an even share: more shards do not help, cutting it up would",
			shard.CleanName(b.ID), (time.Duration(b.EstMS) * time.Millisecond).Round(time.Second))
	}
	if answer.UnknownItems > 0 {
		j.flow.say("Mainstay: %d items have no history yet", answer.UnknownItems)
	}
}

// cuttable are the units of a plan as this job can run them: one that cannot run
// a part runs the whole item, which is never wrong.
func cuttable(items []shard.PlannedItem, parts bool) []shard.PlannedItem {
	var units []shard.PlannedItem
	seen := map[string]bool{}
	for _, item := range items {
		if !parts {
			item.Part = nil
		}
		if item.Part == nil && seen[item.ID] {
			continue
		}
		seen[item.ID] = seen[item.ID] || item.Part == nil
		units = append(units, item)
	}
	return units
}

// once leaves out what stands in the list already.
func once(ids []string) []string {
	seen := make(map[string]bool, len(ids))
	return slices.DeleteFunc(ids, func(id string) bool {
		again := seen[id]
		seen[id] = true
		return again
	})
}

// expectations is how long each shard should take; nil where nobody knows.
func expectations(answer shard.PlanAnswer, at shard.Position) []int64 {
	if len(answer.ShardsExpectedMS) == at.Total && !slices.ContainsFunc(answer.ShardsExpectedMS, func(ms int64) bool { return ms < 0 }) {
		if slices.Max(answer.ShardsExpectedMS) > 0 {
			return answer.ShardsExpectedMS
		}
	}
	return nil
}

// only lists the tests that a narrow shard is asked for; nil where an item is
// wanted as it is.
func only(s shard.PlannedShard) []string {
	var tests []string
	for _, item := range s.Items {
		if len(item.Tests) == 0 {
			return nil
		}
		tests = append(tests, item.Tests...)
	}
	return shard.Normalise(tests)
}

// cutLocally comes to the same cut in every shard. But where a server made an
// earlier attempt's plan and cannot be asked now, our own slice might leave out
// the very tests that failed: then the whole suite runs.
func (j *job) cutLocally() slice {
	items := j.inventory.IDs()
	s := slice{Source: shard.SourceFallback, Scope: shard.ScopeSlice}
	switch j.set.fallback {
	case cutFileSize:
		s.Shards = shard.SplitBySize(j.inventory.Items, j.set.at.Total)
	case cutAll:
		s.Shards, s.Scope = shard.SplitWhole(items, j.set.at.Total), shard.ScopeAll
	default:
		s.Shards = shard.Split(items, j.set.at.Total)
	}
	s.Items = s.Shards[j.set.at.Index]
	if j.set.server != "" && j.set.attempt > 1 {
		s.Scope, s.Items = shard.ScopeAll, items
	}
	for _, id := range s.Items {
		s.Units = append(s.Units, shard.PlannedItem{ID: id})
	}
	return s
}

// guard keeps a fault of ours from changing the job's result.
func (j *job) guard(what string) {
	if fault := recover(); fault != nil {
		j.flow.warn(fmt.Sprintf("%s: a fault of Mainstay's own: %v", what, fault))
	}
}
