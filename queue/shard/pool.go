package shard

import (
	"errors"
	"slices"
	"time"
)

// HeartbeatEvery is how often a shard says that it still runs what it holds.
const HeartbeatEvery = 15 * time.Second

// The times and numbers of a pool, in milliseconds where they are times.
const (
	leaseLeast  = 60_000 // a lease, and how long a heartbeat keeps one
	aliveFor    = 60_000 // a shard that was heard of so long ago is taken for alive
	absentGrace = 60_000 // after the plan; then others may take from who never came
	claimCost   = 2_000  // what a claim costs a shard: the call and the runner's start
	aloneAfter  = 2      // losses of a unit, then it gets a batch of its own
	lostAfter   = 3      // losses of a unit, then it gets none
	sickAfter   = 3      // losses of a shard in a row, then it gets nothing
)

// ErrLeaseLost says that a lease is no more its caller's: it ran out and went to
// others, or a later attempt of the run took the shard over.
var ErrLeaseLost = errors.New("the lease is lost")

// PoolUnit is one unit of a frozen plan: its estimate, which is a guess where
// nothing is Known, the shard that a static cut gives it to, and whether it is
// among those that shard gets at once.
type PoolUnit struct {
	EstMS int64
	Known bool
	Shard int
	Pre   bool
}

// Seat is a shard in one attempt of its workflow run.
type Seat struct{ Shard, Try int }

// Pool is who holds and who ended each unit of a leased plan. Every shard gets
// its first units when it takes the plan; the rest is claimed in batches. What
// a shard holds is under a lease; one that runs out goes to the others. It is a
// value that is stepped: the time comes with each call, nothing happens between.
//
// A unit ends once: done by one shard, or lost when three held it and none
// ended it. What it came to stands in reports; a pool never makes a suite green.
type Pool struct {
	*Stock
	cells   []cell // by rank: what is claimed, then what each shard gets at once
	opened  int64
	clock   int64
	fence   int64 // the last one given; one counter for the plan
	shards  []member
	batches []batch // the leases that are held
}

// cell is one unit's state. It is comparable: equal neighbours are stored as one.
type cell struct {
	state  cellState
	fence  int64 // of the lease it was last in; 0: none yet
	shard  int   // whose lease that was
	losses int
	losers [lostAfter]int
}

type cellState int

const (
	cellOpen cellState = iota
	cellHeld
	cellDone
	cellLost
)

// member is what is known of a shard; Try is zero until it comes.
type member struct {
	Try    int       `json:"try,omitempty"`
	Own    int64     `json:"own,omitempty"` // the lease of what it got at once
	Seen   int64     `json:"seen,omitempty"`
	Losses int       `json:"losses,omitempty"` // in a row
	Left   bool      `json:"left,omitempty"`   // was told that nothing is left
	Claims []granted `json:"claims,omitempty"`
}

// granted is a claim that was given something.
type granted struct {
	ID    string `json:"id"`
	Fence int64  `json:"fence"`
}

// keptClaims is how many claims of a shard are remembered: it sends one after
// the other, so what is repeated is the last, and a stray one hardly older.
const keptClaims = 3

type batch struct {
	fence int64
	shard int
	until int64
}

// Take is a shard taking the plan: the units it gets at once, by number. The
// same seat gets the same again. In a later attempt that is all that the shard
// ended or held, so that a re-run runs what the first run did.
func (p *Pool) Take(at Seat, now time.Time) ([]int, error) {
	p.advance(now)
	p.expire()
	if err := p.arrive(at); err != nil {
		return nil, err
	}
	own := p.shards[at.Shard].Own
	units := []int{}
	for rank, c := range p.cells {
		if c.fence != 0 && c.shard == at.Shard && (c.fence == own || c.state == cellDone && c.fence < own) {
			units = append(units, p.order[rank])
		}
	}
	slices.Sort(units)
	return units, nil
}

// arrive notes that the seat was heard of. A new one gets what waits for it.
func (p *Pool) arrive(at Seat) error {
	m := &p.shards[at.Shard]
	if at.Try < m.Try {
		return ErrLeaseLost
	}
	if at.Try == m.Try {
		m.Seen = p.clock
		return nil
	}
	p.fence++
	mine := func(c cell) bool { return c.fence != 0 && c.shard == at.Shard && c.state != cellDone }
	var ranks []int
	for rank, c := range p.cells {
		if mine(c) || p.reserved(rank) && p.units[p.order[rank]].Shard == at.Shard {
			ranks = append(ranks, rank)
		}
	}
	*m = member{Try: at.Try, Own: p.fence, Seen: p.clock}
	p.batches = slices.DeleteFunc(p.batches, func(b batch) bool { return b.shard == at.Shard })
	p.lend(at.Shard, p.fence, ranks)
	return nil
}

// reserved tells whether a unit waits for its shard to come.
func (p *Pool) reserved(rank int) bool {
	u := p.units[p.order[rank]]
	return u.Pre && p.cells[rank].fence == 0 && p.shards[u.Shard].Try == 0
}

// lend puts units under a new lease.
func (p *Pool) lend(shard int, fence int64, ranks []int) {
	if len(ranks) == 0 {
		return
	}
	sum := int64(0)
	for _, rank := range ranks {
		c := &p.cells[rank]
		c.state, c.fence, c.shard = cellHeld, fence, shard
		sum += p.units[p.order[rank]].EstMS
	}
	p.batches = append(p.batches, batch{fence, shard, p.clock + max(leaseLeast, 3*HeartbeatEvery.Milliseconds(), 2*sum)})
}

// Drained tells whether every unit has ended.
func (p *Pool) Drained() bool {
	return !slices.ContainsFunc(p.cells, func(c cell) bool { return c.state == cellOpen || c.state == cellHeld })
}

// Lost lists the units that were lost too often: the plan is in error.
func (p *Pool) Lost() []int {
	var units []int
	for rank, c := range p.cells {
		if c.state == cellLost {
			units = append(units, p.order[rank])
		}
	}
	slices.Sort(units)
	return units
}

// Assigned is, by unit, the shard that ended it; -1 where none did.
func (p *Pool) Assigned() []int {
	shards := make([]int, len(p.units))
	for rank, c := range p.cells {
		shards[p.order[rank]] = -1
		if c.state == cellDone {
			shards[p.order[rank]] = c.shard
		}
	}
	return shards
}
