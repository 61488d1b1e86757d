package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/mainstay-ci/mainstay/action/suite"
	"github.com/mainstay-ci/mainstay/queue/shard"
)

// maxRepeats is how many batches of nothing new are taken before we think that
// the server goes round in circles. A batch whose lease was lost may come again.
const maxRepeats = 10

// longestPoll is how long we wait at most before we ask again.
const longestPoll = 15 * time.Second

// runLeased runs a leased plan: what came with it, then batch after batch until
// nothing is left. When the server is lost on the way nobody gives out the rest
// any more: then each shard runs what the cut without a server gives it and it has
// not run, so that all of them together leave nothing out. One that was told that
// nothing is left, or that others hold it all, is not needed for that.
func (j *job) runLeased(ctx context.Context, session *suite.Session, s slice) (suite.Results, error) {
	l := lessee{job: j, session: session, plan: s.PlanID, ran: map[string]map[int]bool{}}
	err := l.work(ctx, shard.Done{Lease: shard.OwnLease}, 0, s.Units, s.Untested)
	for waited, repeats := time.Duration(0), 0; err == nil && ctx.Err() == nil; {
		answer, fault := l.claim(ctx)
		if fault != nil {
			return l.sum, l.runRest(ctx, fault)
		}
		switch answer.State {
		case shard.ClaimDrained:
			return l.sum, nil
		case shard.ClaimWait:
			poll := min(max(time.Duration(answer.PollS)*time.Second, time.Second), longestPoll)
			if waited += poll; waited > j.set.timeout || !pause(ctx, poll) {
				j.flow.say("Mainstay: others hold what is left, and this shard has waited for it long enough")
				return l.sum, nil
			}
		default:
			units := cuttable(answer.Items, j.set.suite.Parts())
			if !l.isNew(units) {
				if repeats++; repeats > maxRepeats {
					return l.sum, l.runRest(ctx, errors.New("the server gives the same batch again and again"))
				}
			}
			session.Expect(once(shard.PlannedShard{Items: units}.IDs()), 0)
			err = l.work(ctx, shard.Done{Lease: answer.Lease, Fence: answer.Fence}, answer.HeartbeatS, units, nil)
		}
	}
	return l.sum, err
}

// lessee is a shard that claims batches.
type lessee struct {
	*job
	session *suite.Session
	plan    string
	sum     suite.Results
	ran     map[string]map[int]bool // by item, the parts; -1 is all of it
	done    []shard.Done
}

// claim asks for the next batch and gives the last one back.
func (l *lessee) claim(ctx context.Context) (answer shard.ClaimAnswer, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("a fault of Mainstay's own: %v", fault)
		}
	}()
	request := shard.ClaimRequest{API: shard.API, Shard: l.set.at.Index, Claim: rand.Text(), Done: l.done}
	if answer, err = l.client.claim(ctx, l.plan, request); err != nil {
		return answer, err
	}
	l.done = nil
	return answer, known(shard.PlanAnswer{Shard: shard.PlannedShard{Items: answer.Items}}, l.inventory)
}

// work runs a batch while heartbeats keep its lease. One that was lost on the way
// is run to its end and reported, but not given back.
func (l *lessee) work(ctx context.Context, lease shard.Done, every int, units []shard.PlannedItem, untested []string) error {
	if len(units)+len(untested) == 0 {
		return nil
	}
	lost := l.keep(ctx, lease, every)
	results, err := l.session.Run(ctx, units, untested)
	if gone := lost(); !gone && lease.Lease != shard.OwnLease {
		l.done = append(l.done, lease)
	}
	if err != nil {
		return err
	}
	l.sum = l.sum.Join(results)
	l.note(results)
	return nil
}

// keep sends heartbeats until the function that it returns is called, which tells
// whether the lease was lost.
func (l *lessee) keep(ctx context.Context, lease shard.Done, every int) func() bool {
	interval := shard.HeartbeatEvery
	if every > 0 {
		interval = time.Duration(min(every, maxHeartbeat)) * time.Second
	}
	ctx, stop := context.WithCancel(ctx)
	gone := make(chan bool, 1)
	request := shard.HeartbeatRequest{API: shard.API, Shard: l.set.at.Index, Lease: lease.Lease, Fence: lease.Fence}
	go func() {
		defer l.guard("heartbeat")
		lost := false
		defer func() { gone <- lost }()
		// A heartbeat that fails is followed by the next one; the lease outlives a few.
		for !lost && pause(ctx, interval) {
			lost = errors.Is(l.client.heartbeat(ctx, l.plan, request), errGone)
		}
	}()
	return func() bool {
		stop()
		return <-gone
	}
}

// note keeps in mind what was run to its end.
func (l *lessee) note(r suite.Results) {
	for _, item := range r.Items {
		if l.ran[item.ID] == nil {
			l.ran[item.ID] = map[int]bool{}
		}
		part := -1
		if item.Parts > 0 {
			part = item.Part
			if len(l.ran[item.ID])+1 == item.Parts && !l.ran[item.ID][part] {
				part = -1 // the last one that was missing
			}
		}
		l.ran[item.ID][part] = true
	}
}

// isNew tells whether something of the units has not run here yet.
func (l *lessee) isNew(units []shard.PlannedItem) bool {
	for _, u := range units {
		part := -1
		if u.Part != nil {
			part = u.Part.Index
		}
		if ran := l.ran[u.ID]; !ran[-1] && !ran[part] {
			return true
		}
	}
	return false
}

// runRest runs what the cut without a server gives this shard and it has not run.
func (l *lessee) runRest(ctx context.Context, why error) error {
	if ctx.Err() != nil {
		return nil
	}
	l.flow.warn(fmt.Sprintf("the server was lost on the way (%v); this job runs its own cut of what it has not run, and its tests alone decide", why))
	var units []shard.PlannedItem
	for _, u := range l.cutLocally().Units {
		if !l.ran[u.ID][-1] {
			units = append(units, u)
		}
	}
	if len(units) == 0 {
		return nil
	}
	l.session.Expect(shard.PlannedShard{Items: units}.IDs(), 0)
	results, err := l.session.Run(ctx, units, nil)
	l.sum = l.sum.Join(results)
	return err
}
