package shard

import (
	"cmp"
	"slices"
	"time"
)

// Grant is what a claim came to: with ClaimWork the units, by number.
type Grant struct {
	State   ClaimState
	Fence   int64
	Expires time.Duration // of the lease from now
	Poll    time.Duration // with ClaimWait: when to ask again
	Units   []int
}

// Claim gives a shard its next batch. A shard claims when it has run what it got
// with the plan, so its first claim gives that back. The same claim gets the
// same batch again, unless that was lost meanwhile. An answer that gave nothing
// is not remembered: asking again does no harm.
func (p *Pool) Claim(at Seat, id string, now time.Time) (Grant, error) {
	p.advance(now)
	p.expire()
	if err := p.arrive(at); err != nil {
		return Grant{}, err
	}
	m := &p.shards[at.Shard]
	if known := slices.IndexFunc(m.Claims, func(g granted) bool { return g.ID == id }); known >= 0 {
		if again := p.repeat(at.Shard, m.Claims[known].Fence); len(again.Units) > 0 {
			return again, nil
		}
		m.Claims = slices.Delete(m.Claims, known, known+1) // its batch went to others
	}
	p.finish(at.Shard, m.Own)
	if m.Losses >= sickAfter || p.Drained() {
		m.Left = true
		return Grant{State: ClaimDrained}, nil
	}
	m.Left = false
	ranks := p.next(at.Shard)
	if len(ranks) == 0 {
		return Grant{State: ClaimWait, Poll: p.poll()}, nil
	}
	p.fence++
	p.lend(at.Shard, p.fence, ranks)
	m.Claims = append(m.Claims, granted{id, p.fence})
	m.Claims = m.Claims[max(0, len(m.Claims)-keptClaims):]
	return p.repeat(at.Shard, p.fence), nil
}

// repeat is the answer that gave a lease.
func (p *Pool) repeat(shard int, fence int64) Grant {
	g := Grant{State: ClaimWork, Fence: fence}
	for rank, c := range p.cells {
		if c.fence == fence && c.shard == shard && (c.state == cellHeld || c.state == cellDone) {
			g.Units = append(g.Units, p.order[rank])
		}
	}
	slices.Sort(g.Units)
	for _, b := range p.batches {
		if b.fence == fence {
			g.Expires = time.Duration(b.until-p.clock) * time.Millisecond
		}
	}
	return g
}

// poll spreads the questions of those who wait: eight a second for all of them.
func (p *Pool) poll() time.Duration {
	return min(max(time.Duration(len(p.shards))*time.Second/8, 2*time.Second), HeartbeatEvery).Round(time.Second)
}

// next chooses a batch: of what is open, or else of what waits for a shard that
// has not come, or else of what this shard lost itself and nobody else is there
// for. What nobody knows and what is longest goes first, and the batches shrink
// with what is left: so long tests start early and all shards end together.
func (p *Pool) next(shard int) []int {
	var open, absent, again []int
	alive := p.alive()
	for rank, c := range p.cells {
		switch {
		case c.state != cellOpen:
		case p.reserved(rank):
			absent = append(absent, rank)
		case !slices.Contains(c.losers[:c.losses], shard):
			open = append(open, rank)
		case !p.others(shard, c, alive):
			again = append(again, rank)
		}
	}
	if len(open) == 0 && p.clock >= p.opened+absentGrace {
		open = absent
	}
	if len(open) == 0 {
		open = again
	}
	p.sort(open)
	least := p.sum(open) / int64(2*len(p.shards))
	return p.cut(open, max(least, 3*claimCost))
}

func (p *Pool) sum(ranks []int) int64 {
	sum := int64(0)
	for _, rank := range ranks {
		sum += p.units[p.order[rank]].EstMS
	}
	return sum
}

// sort puts ranks of several groups in one order; those of one group are in it.
func (p *Pool) sort(ranks []int) {
	order := func(a, b int) int {
		a, b = p.order[a], p.order[b]
		return cmp.Or(earlier(p.units[a], p.units[b]), cmp.Compare(a, b))
	}
	if !slices.IsSortedFunc(ranks, order) {
		slices.SortFunc(ranks, order)
	}
}

// cut takes units from the front as long as they fit, and at least one. One that
// two shards were lost with comes alone: it may be what kills them.
func (p *Pool) cut(ranks []int, size int64) []int {
	for i, rank := range ranks {
		size -= p.units[p.order[rank]].EstMS
		suspect := p.cells[rank].losses >= aloneAfter
		switch {
		case i == 0 && suspect:
			return ranks[:1]
		case i > 0 && (size < 0 || suspect):
			return ranks[:i]
		}
	}
	return ranks
}

// others tells whether a shard is there that did not lose a unit yet.
func (p *Pool) others(shard int, c cell, alive []bool) bool {
	for other := range p.shards {
		if other != shard && alive[other] && !slices.Contains(c.losers[:c.losses], other) {
			return true
		}
	}
	return false
}

// alive tells of each shard whether it will ask again: it holds something, or
// was heard of lately and not sent away.
func (p *Pool) alive() []bool {
	alive := make([]bool, len(p.shards))
	for i, m := range p.shards {
		alive[i] = m.Try > 0 && !m.Left && m.Losses < sickAfter && p.clock-m.Seen < aliveFor
	}
	for _, b := range p.batches {
		alive[b.shard] = p.shards[b.shard].Losses < sickAfter
	}
	return alive
}
