package shard

import (
	"slices"
	"strconv"
	"time"
)

// OwnLease names the lease of what a shard got with its plan: it needs no fence,
// for the attempt of the run tells who holds it.
const OwnLease = "own"

// LeaseName is the name of the lease with that fence.
func LeaseName(fence int64) string { return "ls_" + strconv.FormatInt(fence, 10) }

// Heartbeat keeps a lease, or says ErrLeaseLost. A lease whose time is up but
// which nobody missed yet is kept.
func (p *Pool) Heartbeat(at Seat, lease Done, now time.Time) error {
	p.advance(now)
	fence, err := p.find(at, lease)
	if err == nil {
		err = ErrLeaseLost
		for i := range p.batches {
			if b := &p.batches[i]; b.fence == fence && b.shard == at.Shard {
				b.until, err = max(b.until, p.clock+leaseLeast), nil
			}
		}
	}
	p.expire()
	return err
}

// Finish gives a lease back: its units ended, however they did. A late one
// counts for those units that nobody took since; where there are none it is
// ErrLeaseLost. Twice is once.
func (p *Pool) Finish(at Seat, lease Done, now time.Time) error {
	p.advance(now)
	fence, err := p.find(at, lease)
	if err == nil && !p.finish(at.Shard, fence) {
		err = ErrLeaseLost
	}
	p.expire()
	return err
}

// Expire takes away what nobody kept in time. Every other call does so first.
func (p *Pool) Expire(now time.Time) {
	p.advance(now)
	p.expire()
}

// find is the fence that a caller means. Hearing of a seat lets it arrive.
func (p *Pool) find(at Seat, lease Done) (int64, error) {
	if err := p.arrive(at); err != nil {
		return 0, err
	}
	if lease.Lease == OwnLease {
		return p.shards[at.Shard].Own, nil
	}
	if lease.Lease != LeaseName(lease.Fence) {
		return 0, ErrLeaseLost
	}
	return lease.Fence, nil
}

// finish ends what is still under a fence of the shard's, and tells whether
// anything is.
func (p *Pool) finish(shard int, fence int64) bool {
	found := false
	for rank := range p.cells {
		if c := &p.cells[rank]; c.fence == fence && c.shard == shard && c.state != cellLost {
			c.state, found = cellDone, true
		}
	}
	held := len(p.batches)
	p.batches = slices.DeleteFunc(p.batches, func(b batch) bool { return b.fence == fence && b.shard == shard })
	if len(p.batches) < held {
		p.shards[shard].Losses = 0
	}
	return found
}

// expire opens what was under a lease that ran out, or ends it as lost.
func (p *Pool) expire() {
	p.batches = slices.DeleteFunc(p.batches, func(b batch) bool {
		if p.clock < b.until {
			return false
		}
		p.shards[b.shard].Losses++
		for rank := range p.cells {
			c := &p.cells[rank]
			if c.fence != b.fence || c.state != cellHeld {
				continue
			}
			c.state = cellOpen
			if c.losses < lostAfter {
				c.losers[c.losses] = b.shard
				c.losses++
			}
			if c.losses == lostAfter {
				c.state = cellLost
			}
		}
		return true
	})
}

// advance sets the clock. One that was turned back takes every moment with it,
// so that leases keep the time they had left. After a silence in which every
// lease would have been kept several times it was the server that was away, or
// its clock that jumped: then the holders get two heartbeats to say so.
func (p *Pool) advance(now time.Time) {
	ms := now.UnixMilli()
	back, silent := p.clock-ms, ms-p.clock > leaseLeast
	if back > 0 {
		p.opened -= back
		for i := range p.shards {
			p.shards[i].Seen -= back
		}
	}
	for i := range p.batches {
		if b := &p.batches[i]; back > 0 {
			b.until -= back
		} else if silent {
			b.until = max(b.until, ms+2*HeartbeatEvery.Milliseconds())
		}
	}
	p.clock = ms
}
