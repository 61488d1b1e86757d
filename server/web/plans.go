package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/queue/shard"
)

// takePlan gives a shard its share. The plan is frozen for the first shard that
// asks, without the run's attempt: every other one, and a re-run, gets its share of
// the same.
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
	f, err := d.planFor(r.Context(), c, &ask)
	if errors.Is(err, errNeedsItems) {
		return &shard.PlanAnswer{Need: shard.NeedItems}, nil
	}
	if err != nil {
		return nil, d.unavailable(err)
	}
	if f.Narrow != c.narrow() {
		return nil, refuse(http.StatusConflict, shard.CodePlanMismatch, "plan %s was made for another attempt of the queue", f.ID)
	}
	if c.attempt != nil && !ask.All {
		fact := queue.ShardStarted{Commit: c.SHA, Shard: c.shard(ask.Suite, ask.Variant, ask.Shard, ask.Inventory.Digest)}
		fact.Shard.StartedAt = d.Clock()
		fact.Shard.Plan, fact.Shard.Units = coveredBy(f)
		if refused := c.clash(fact.Shard); refused != nil {
			return nil, refused
		}
		if err := d.Reports.Tell(r.Context(), c.place.ID, fact); err != nil {
			return nil, d.unavailable(err)
		}
	}
	return d.answerPlan(r.Context(), c, ask, f)
}

// coveredBy is the plan that a shard's coverage is counted by. A narrow one has
// nothing to cover: it only tells.
func coveredBy(f *shard.Frozen) (id string, units int) {
	if f == nil || f.Narrow {
		return "", 0
	}
	return f.ID, len(f.Units)
}

// answerPlan is a plan as one shard is told it.
func (d *door) answerPlan(ctx context.Context, c caller, ask shard.PlanRequest, f *shard.Frozen) (*shard.PlanAnswer, *refusal) {
	a := &shard.PlanAnswer{PlanID: f.ID, Algorithm: f.Algorithm, Trusted: c.attempt != nil, Scope: shard.ScopeSlice, Mode: shard.ModeStatic,
		ShardsExpectedMS: f.ExpectedMS(), Bottleneck: f.Bottleneck, UnknownItems: f.Unknown, Quarantine: f.Quarantine, Warnings: slices.Clone(f.Warnings)}
	if f.Narrow {
		a.Scope = shard.ScopeNarrow
	}
	a.Shard = f.WholeShare(ask.Shard.Index)
	if f.Mode == shard.ModeLeased && d.mayLease(c, ask) {
		if units, err := d.takeUnits(ctx, c, f, ask.Shard.Index); err != nil {
			// Its whole share is more than its own, and nothing less.
			d.Log.Warn("a leased plan is answered as a static one", "plan", f.ID, "shard", ask.Shard.Index, "err", err)
		} else {
			// A re-run claims as well: of a run that was cancelled much lies in the pool.
			a.Mode, a.Shard = shard.ModeLeased, f.ShareOf(ask.Shard.Index, units)
		}
	}
	if ask.All {
		for i := range f.Total {
			a.Shards = append(a.Shards, f.WholeShare(i))
		}
	}
	fit(a, ask, f)
	if c.attempt == nil {
		var err error
		if a.Proven, err = d.proven(ctx, c); err != nil {
			return nil, d.unavailable(err)
		}
	}
	return a, nil
}

// mayLease tells whether a shard may hold leases: of an attempt that tests in full,
// on several shards, and by its own word. A plan job asks for all of them at once.
func (d *door) mayLease(c caller, ask shard.PlanRequest) bool {
	return d.Pools != nil && d.Plans != nil && c.attempt != nil && !c.narrow() && ask.Mode == shard.ModeLeased && ask.Shard.Total > 1 && !ask.All
}

// fit makes the shares such as this job can run.
func fit(a *shard.PlanAnswer, ask shard.PlanRequest, f *shard.Frozen) {
	shares := []*shard.PlannedShard{&a.Shard}
	for i := range a.Shards {
		shares = append(shares, &a.Shards[i])
	}
	other, added, gone := ask.Inventory.Digest != f.Inventory, 0, 0
	for i, share := range shares {
		if !ask.Parts {
			*share = share.WholeItems()
		}
		if other {
			var more, less int
			*share, more, less = f.Fit(*share, ask.Inventory.Items)
			if i > 0 || !ask.All {
				added, gone = added+more, gone+less
			}
		}
	}
	if other {
		text := fmt.Sprintf("this job lists other items than the job for which plan %s was made: it runs %d that the plan does not know", f.ID, added)
		if gone > 0 {
			text += fmt.Sprintf(", and %d planned for it are not here", gone)
		}
		a.Warnings = append(a.Warnings, text)
	}
}

// proven is the receipt of a base branch's own run: the queue tested that very
// commit before it moved the branch there.
func (d *door) proven(ctx context.Context, c caller) (*shard.Proven, error) {
	if c.Event != "push" {
		return nil, nil
	}
	place, a, err := d.Reports.FindAttempt(ctx, c.Repository, c.SHA)
	if errors.Is(err, queue.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	// The run may be here before the queue has heard that its push arrived.
	in := a.Phase == queue.AttemptLanded || a.Phase == queue.AttemptLanding
	if !in || a.Narrow != nil || a.OnBase || a.New != c.SHA || a.Tree == "" || c.Ref != "refs/heads/"+place.Branch {
		return nil, nil
	}
	return &shard.Proven{Commit: a.New, Tree: a.Tree, Batch: fmt.Sprint(a.Batch), URL: d.URL + batchPath(place, a.Batch)}, nil
}
