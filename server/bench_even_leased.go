package main

import (
	"fmt"
	"math"
	"time"

	"github.com/mainstay-ci/mainstay/queue/shard"
)

// evenShard is one machine of a leased run: what it does next, and when.
type evenShard struct {
	at     float64 // ms
	came   bool
	end    float64 // of what it runs
	lease  shard.Done
	claims int
	gone   bool
}

// leased runs the suite from a pool, event by event, as the Action does: take
// the plan, run, claim, run, until nothing is left. It gives the moment at which
// the last file ended.
func (s evenSuite) leased() (float64, error) {
	began := time.UnixMilli(1_700_000_000_000)
	pool := s.plan(shard.ModeLeased).Stock().Open(began)
	shards := make([]evenShard, len(s.speed))
	for k := range shards {
		shards[k].at = s.start[k]
	}
	last := 0.0
	for {
		k := firstOf(shards)
		if k < 0 {
			break
		}
		sh := &shards[k]
		if err := s.step(pool, k, sh, began.Add(time.Duration(sh.at*float64(time.Millisecond)))); err != nil {
			return 0, err
		}
		last = max(last, sh.end)
	}
	if !pool.Drained() || len(pool.Lost()) > 0 {
		return 0, fmt.Errorf("a leased run ended with its pool not empty, %d units lost", len(pool.Lost()))
	}
	return last, nil
}

// firstOf is the shard whose turn it is.
func firstOf(shards []evenShard) int {
	first := -1
	for k, sh := range shards {
		if !sh.gone && (first < 0 || sh.at < shards[first].at) {
			first = k
		}
	}
	return first
}

func (s evenSuite) step(pool *shard.Pool, k int, sh *evenShard, now time.Time) error {
	seat := shard.Seat{Shard: k, Try: 1}
	switch {
	case !sh.came:
		sh.came = true
		units, err := pool.Take(seat, now)
		if err != nil {
			return err
		}
		sh.lease = shard.Done{Lease: shard.OwnLease}
		s.run(k, sh, units, 0)
		return nil
	case sh.at < sh.end:
		if err := pool.Heartbeat(seat, sh.lease, now); err != nil {
			return fmt.Errorf("heartbeat of shard %d: %w", k, err)
		}
		sh.at = min(sh.at+float64(shard.HeartbeatEvery.Milliseconds()), sh.end)
		return nil
	}
	if sh.lease.Lease != "" && sh.lease.Lease != shard.OwnLease {
		if err := pool.Finish(seat, sh.lease, now); err != nil {
			return fmt.Errorf("shard %d gives %s back: %w", k, sh.lease.Lease, err)
		}
	}
	sh.claims++
	grant, err := pool.Claim(seat, fmt.Sprintf("%d-%d", k, sh.claims), now)
	if err != nil {
		return fmt.Errorf("claim of shard %d: %w", k, err)
	}
	sh.lease = shard.Done{}
	switch grant.State {
	case shard.ClaimWork:
		sh.lease = shard.Done{Lease: shard.LeaseName(grant.Fence), Fence: grant.Fence}
		s.run(k, sh, grant.Units, s.claim)
	case shard.ClaimWait:
		sh.at += float64(grant.Poll.Milliseconds())
	default:
		sh.gone = true
	}
	return nil
}

// run has a shard run some files, with a heartbeat now and then.
func (s evenSuite) run(k int, sh *evenShard, units []int, cost float64) {
	took := cost
	for _, file := range units {
		took += s.took[file] / s.speed[k]
	}
	if len(units) > 0 {
		sh.end = sh.at + took
		sh.at = math.Min(sh.at+float64(shard.HeartbeatEvery.Milliseconds()), sh.end)
	}
}
