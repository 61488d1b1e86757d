package web

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/queue/shard"
)

// Pools keeps who holds what of leased plans.
type Pools interface {
	// PlanOfRun is a frozen plan's body; queue.ErrNotFound where it is not of this run.
	PlanOfRun(ctx context.Context, repository, run int64, id string) ([]byte, error)
	// UpdatePool changes a plan's pool while nobody else does. Change gets nil where there is none.
	UpdatePool(ctx context.Context, repository int64, plan string, at time.Time, change func(body []byte) ([]byte, error)) error
}

// takeClaim gives a shard of a leased plan its next batch.
func (d *door) takeClaim(w http.ResponseWriter, r *http.Request) {
	if body, refused := d.claim(w, r); refused != nil {
		refused.write(w)
	} else {
		answer(w, http.StatusOK, body)
	}
}

func (d *door) claim(w http.ResponseWriter, r *http.Request) (*shard.ClaimAnswer, *refusal) {
	c, refused := d.call(r)
	if refused != nil {
		return nil, refused
	}
	var ask shard.ClaimRequest
	if _, refused := readBody(w, r, &ask); refused != nil {
		return nil, refused
	}
	if err := ask.Validate(); err != nil {
		return nil, refuse(http.StatusUnprocessableEntity, shard.CodeInvalid, "%v", err)
	}
	plan, refused := d.leasedPlan(r.Context(), c, r.PathValue("plan"), ask.Shard)
	if refused != nil {
		return nil, refused
	}
	seat, now := shard.Seat{Shard: ask.Shard, Try: c.RunTry}, d.Clock()
	var grant shard.Grant
	err := d.changePool(r.Context(), c, plan, now, func(pool *shard.Pool) (err error) {
		for _, done := range ask.Done {
			// One that was lost meanwhile is no trouble: others have its units.
			if err := pool.Finish(seat, done, now); err != nil && !errors.Is(err, shard.ErrLeaseLost) {
				return err
			}
		}
		grant, err = pool.Claim(seat, ask.Claim, now)
		return err
	})
	if err != nil {
		return nil, d.refuseLease(err)
	}
	return answerClaim(plan.Frozen, grant), nil
}

func answerClaim(plan *shard.Frozen, grant shard.Grant) *shard.ClaimAnswer {
	a := &shard.ClaimAnswer{State: grant.State, PollS: int(grant.Poll / time.Second)}
	if grant.State == shard.ClaimWork {
		a.Lease, a.Fence, a.ExpiresS = shard.LeaseName(grant.Fence), grant.Fence, int(grant.Expires/time.Second)
		a.HeartbeatS = int(shard.HeartbeatEvery / time.Second)
	}
	for _, unit := range grant.Units {
		a.Items = append(a.Items, plan.Units[unit].PlannedItem)
	}
	return a
}

// takeHeartbeat keeps a lease.
func (d *door) takeHeartbeat(w http.ResponseWriter, r *http.Request) {
	if refused := d.heartbeat(w, r); refused != nil {
		refused.write(w)
	} else {
		answer(w, http.StatusOK, struct{}{})
	}
}

func (d *door) heartbeat(w http.ResponseWriter, r *http.Request) *refusal {
	c, refused := d.call(r)
	if refused != nil {
		return refused
	}
	var ask shard.HeartbeatRequest
	if _, refused := readBody(w, r, &ask); refused != nil {
		return refused
	}
	if err := ask.Validate(); err != nil {
		return refuse(http.StatusUnprocessableEntity, shard.CodeInvalid, "%v", err)
	}
	plan, refused := d.leasedPlan(r.Context(), c, r.PathValue("plan"), ask.Shard)
	if refused != nil {
		return refused
	}
	now, lost := d.Clock(), error(nil)
	err := d.changePool(r.Context(), c, plan, now, func(pool *shard.Pool) error {
		// What the pool notices meanwhile is written even where this lease is lost.
		lost = pool.Heartbeat(shard.Seat{Shard: ask.Shard, Try: c.RunTry}, shard.Done{Lease: ask.Lease, Fence: ask.Fence}, now)
		return nil
	})
	if err = errors.Join(err, lost); err != nil {
		return d.refuseLease(err)
	}
	return nil
}

func (d *door) refuseLease(err error) *refusal {
	if errors.Is(err, shard.ErrLeaseLost) {
		return refuse(http.StatusGone, shard.CodeConflict, "%v: finish what runs, report it, and do not give it back", shard.ErrLeaseLost)
	}
	return d.unavailable(err)
}

// changePool has a plan's pool changed. A pool is opened by whoever comes first.
func (d *door) changePool(ctx context.Context, c caller, plan *leasedPlan, now time.Time, change func(*shard.Pool) error) error {
	var lost []int
	err := d.Pools.UpdatePool(ctx, c.Repository, plan.ID, now, func(body []byte) ([]byte, error) {
		pool := plan.stock.Open(now)
		if body != nil {
			var err error
			if pool, err = plan.stock.Read(body); err != nil {
				return nil, err
			}
		}
		before := pool.Lost()
		if err := change(pool); err != nil {
			return nil, err
		}
		if lost = pool.Lost(); len(lost) == len(before) {
			lost = nil
		}
		return pool.Body()
	})
	if err == nil && len(lost) > 0 {
		d.Log.Warn("a plan can't be run to its end: items were lost with every shard that ran them", "plan", plan.ID, "run", c.Run,
			"items", len(lost), "first", plan.Units[lost[0]].ID)
	}
	return err
}

// takeUnits is a shard taking its leased plan: the units it gets at once, by
// number. In a later attempt of the run that is all it ended or held before.
func (d *door) takeUnits(ctx context.Context, c caller, f *shard.Frozen, index int) (units []int, err error) {
	plan, now := d.leased.ready(leasedKey{c.Repository, c.Run, f.ID}, f), d.Clock()
	err = d.changePool(ctx, c, plan, now, func(pool *shard.Pool) (err error) {
		units, err = pool.Take(shard.Seat{Shard: index, Try: c.RunTry}, now)
		return err
	})
	return units, err
}

// leasedPlan is a plan of the caller's own run that has such a shard and a pool.
func (d *door) leasedPlan(ctx context.Context, c caller, id string, index int) (*leasedPlan, *refusal) {
	key := leasedKey{c.Repository, c.Run, id}
	plan := d.leased.find(key)
	if plan == nil {
		body, err := d.Pools.PlanOfRun(ctx, c.Repository, c.Run, id)
		if errors.Is(err, queue.ErrNotFound) {
			return nil, refuse(http.StatusConflict, shard.CodePlanMismatch, "run %d has no plan %q", c.Run, shard.Cut(id, shard.MaxLabel))
		}
		var f shard.Frozen
		if err == nil {
			err = json.Unmarshal(body, &f)
		}
		if err != nil {
			return nil, d.unavailable(err)
		}
		if f.Mode != shard.ModeLeased {
			return nil, refuse(http.StatusConflict, shard.CodePlanMismatch, "the plan is %s: nothing of it is claimed", f.Mode)
		}
		plan = d.leased.ready(key, &f)
	}
	if index >= plan.Total {
		return nil, refuse(http.StatusUnprocessableEntity, shard.CodeInvalid, "shard %d is not below the plan's total of %d", index, plan.Total)
	}
	return plan, nil
}

// leasedPlan is a frozen plan made ready for its pool.
type leasedPlan struct {
	key leasedKey
	*shard.Frozen
	stock *shard.Stock
}

type leasedKey struct {
	repository, run int64
	id              string
}

// leasedPlans remembers the plans that are claimed from, which never change: a
// large one takes longer to read than a claim does.
type leasedPlans struct {
	mu    sync.Mutex
	plans []*leasedPlan // the last used last
}

// What is remembered at most: the larger plans are, the fewer.
const (
	keptPlans = 32
	keptUnits = 200_000
)

func (l *leasedPlans) find(key leasedKey) *leasedPlan {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := slices.IndexFunc(l.plans, func(p *leasedPlan) bool { return p.key == key })
	if at < 0 {
		return nil
	}
	plan := l.plans[at]
	l.plans = append(slices.Delete(l.plans, at, at+1), plan)
	return plan
}

// ready makes a plan ready for its pool and remembers it.
func (l *leasedPlans) ready(key leasedKey, f *shard.Frozen) *leasedPlan {
	if plan := l.find(key); plan != nil {
		return plan
	}
	plan := &leasedPlan{key: key, Frozen: f, stock: f.Stock()}
	l.add(plan)
	return plan
}

func (l *leasedPlans) add(plan *leasedPlan) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.plans = append(slices.DeleteFunc(l.plans, func(p *leasedPlan) bool { return p.key == plan.key }), plan)
	units := 0
	for i := len(l.plans) - 1; i >= 0; i-- {
		units += len(l.plans[i].Units)
		if i < len(l.plans)-1 && (units > keptUnits || len(l.plans)-i > keptPlans) {
			l.plans = slices.Delete(l.plans, 0, i+1)
			return
		}
	}
}
