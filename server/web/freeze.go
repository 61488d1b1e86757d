package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/queue/shard"
)

// Plans keeps frozen plans, and says what pull requests touch.
type Plans interface {
	// FreezePlan keeps a plan under its key; the first one stays, and is given back.
	FreezePlan(ctx context.Context, key shard.PlanKey, id, inventory string, at time.Time, body []byte) (kept []byte, err error)
	// PlanByID answers queue.ErrNotFound where there is none.
	PlanByID(ctx context.Context, repository int64, id string) ([]byte, error)
	// PlanOfInventory is a plan made for just these items; queue.ErrNotFound where there is none.
	PlanOfInventory(ctx context.Context, repository int64, suite, variant, inventory string) ([]byte, error)
	// Entry answers queue.ErrNotFound where the queue has none for the pull request.
	Entry(ctx context.Context, queueID int64, pr int) (queue.Entry, error)
}

// Durations knows how long things take.
type Durations interface {
	Timings(ctx context.Context, repository int64, suite, variant string) (shard.History, error)
	TestTimings(ctx context.Context, repository int64, suite, variant, item string) ([]shard.Sample, error)
}

// Quarantines says which tests' failures do not count in a plan. Touched are the
// folders that the tested pull requests change: their own tests are not excused.
type Quarantines interface {
	Quarantined(ctx context.Context, repository int64, suite, variant string, touched []string) (shard.Quarantine, error)
}

// errNeedsItems says that a digest alone was sent, of items that nobody sent before.
var errNeedsItems = errors.New("the items are needed")

// planFor finds the plan of a run, or freezes it. Where the job lists other items
// than the plan has, those are found, too, and put into ask.
func (d *door) planFor(ctx context.Context, c caller, ask *shard.PlanRequest) (*shard.Frozen, error) {
	key := shard.PlanKey{Repository: c.Repository, Run: c.Run, Suite: ask.Suite, Variant: ask.Variant, Total: ask.Shard.Total}
	f, err := d.frozen(ctx, c.Repository, key.ID())
	if err != nil {
		return nil, err
	}
	if f == nil {
		if f, err = d.freeze(ctx, c, key, ask); err != nil {
			return nil, err
		}
	}
	if f.Inventory != ask.Inventory.Digest {
		err = d.findItems(ctx, key, ask)
	}
	return f, err
}

// frozen is a plan that was made before; nil where there is none.
func (d *door) frozen(ctx context.Context, repository int64, id string) (*shard.Frozen, error) {
	if f := d.shelf.find(repository, id); f != nil || d.Plans == nil {
		return f, nil
	}
	body, err := d.Plans.PlanByID(ctx, repository, id)
	if errors.Is(err, queue.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return d.unfold(repository, id, body)
}

func (d *door) unfold(repository int64, id string, body []byte) (*shard.Frozen, error) {
	f := &shard.Frozen{}
	if err := json.Unmarshal(body, f); err != nil {
		return nil, fmt.Errorf("read plan %s: %w", id, err)
	}
	d.shelf.keep(repository, f)
	return f, nil
}

// freeze makes the plan of a key, unless somebody else did at the same moment.
func (d *door) freeze(ctx context.Context, c caller, key shard.PlanKey, ask *shard.PlanRequest) (*shard.Frozen, error) {
	// Eight shards that ask at once need one plan, not eight computed alike.
	release, err := d.shelf.hold(ctx, key.ID())
	if err != nil {
		return nil, err
	}
	defer release()
	if f, err := d.frozen(ctx, key.Repository, key.ID()); f != nil || err != nil {
		return f, err
	}
	if err := d.findItems(ctx, key, ask); err != nil {
		return nil, err
	}
	f, err := d.compute(ctx, c, key, *ask)
	if err != nil || d.Plans == nil {
		d.shelf.keep(key.Repository, f)
		return f, err
	}
	body, err := json.Marshal(f)
	if err != nil {
		return nil, fmt.Errorf("write plan %s: %w", f.ID, err)
	}
	inventory := f.Inventory
	if f.Narrow {
		inventory = "" // it does not have all items
	}
	kept, err := d.Plans.FreezePlan(ctx, key, f.ID, inventory, d.Clock(), body)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(kept, body) {
		return d.unfold(key.Repository, f.ID, kept)
	}
	d.shelf.keep(key.Repository, f)
	return f, nil
}

// compute cuts the suite: a narrow attempt's by its tests, every other by durations.
func (d *door) compute(ctx context.Context, c caller, key shard.PlanKey, ask shard.PlanRequest) (*shard.Frozen, error) {
	quarantine := d.quarantine(ctx, c, ask)
	if c.narrow() {
		f := narrowPlan(key.ID(), ask, c.attempt.Narrow)
		f.Quarantine = quarantine
		return f, nil
	}
	b := shard.Basis{Items: ask.Inventory.Items}
	if d.Durations != nil {
		var err error
		if b.History, err = d.Durations.Timings(ctx, key.Repository, key.Suite, key.Variant); err != nil {
			return nil, err
		}
		if ask.Parts && shard.Divisible(ask.Runner) {
			b.Tests = map[string][]shard.Sample{}
			for _, item := range b.Long(key.Total) {
				if b.Tests[item], err = d.Durations.TestTimings(ctx, key.Repository, key.Suite, key.Variant, item); err != nil {
					return nil, err
				}
			}
		}
	}
	mode := shard.ModeStatic
	if d.mayLease(c, ask) && c.RunTry <= 1 {
		mode = shard.ModeLeased
	}
	f := b.Freeze(key.ID(), ask.Inventory.Digest, key.Total, mode)
	f.Quarantine = quarantine
	return f, nil
}

// findItems puts the items of a digest into a request that has the digest alone:
// an earlier run of the suite may have sent them.
func (d *door) findItems(ctx context.Context, key shard.PlanKey, ask *shard.PlanRequest) error {
	if len(ask.Inventory.Items) > 0 || ask.Inventory.Digest == shard.Digest(nil) {
		return nil
	}
	if ask.Inventory.Items = d.shelf.items(key.Repository, ask.Inventory.Digest); ask.Inventory.Items != nil {
		return nil
	}
	if d.Plans == nil {
		return errNeedsItems
	}
	body, err := d.Plans.PlanOfInventory(ctx, key.Repository, key.Suite, key.Variant, ask.Inventory.Digest)
	if errors.Is(err, queue.ErrNotFound) {
		return errNeedsItems
	}
	var f shard.Frozen
	if err == nil {
		err = json.Unmarshal(body, &f)
	}
	if err != nil {
		return err
	}
	found := shard.Inventory{Digest: ask.Inventory.Digest, Items: f.Items()}
	if found.Validate() != nil {
		return errNeedsItems
	}
	ask.Inventory = found
	return nil
}

// quarantine is the list that is frozen with a plan. Nothing is excused where it
// can't be had, or where nobody can say what the tested pull requests touch.
func (d *door) quarantine(ctx context.Context, c caller, ask shard.PlanRequest) *shard.Quarantine {
	if d.Quarantines == nil {
		return nil
	}
	touched, known, err := d.touched(ctx, c)
	if err == nil && !known {
		return nil
	}
	var q shard.Quarantine
	if err == nil {
		q, err = d.Quarantines.Quarantined(ctx, c.Repository, ask.Suite, ask.Variant, touched)
	}
	if err != nil {
		d.Log.Warn("a plan is frozen without its quarantine", "suite", ask.Suite, "run", c.Run, "err", err)
		return nil
	}
	return &q
}

// touched are the folders that a run's pull requests change. That is known of an
// attempt's members, as long as they are not too many, and of a base branch: none.
func (d *door) touched(ctx context.Context, c caller) (folders []string, known bool, err error) {
	folders = []string{}
	if c.attempt == nil {
		places, err := d.Reports.QueuesOf(ctx, c.Repository)
		onBase := slices.ContainsFunc(places, func(p queue.Place) bool { return c.Ref == "refs/heads/"+p.Branch })
		return folders, onBase && c.Event == "push", err
	}
	for _, m := range c.attempt.Members {
		if d.Plans == nil {
			return nil, false, nil
		}
		e, err := d.Plans.Entry(ctx, c.place.ID, m.PR)
		if errors.Is(err, queue.ErrNotFound) {
			return nil, false, nil
		}
		if err != nil || len(e.Folders) == 0 {
			return nil, false, err
		}
		folders = append(folders, e.Folders...)
	}
	slices.Sort(folders)
	return slices.Compact(folders), true, nil
}
