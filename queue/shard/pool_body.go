package shard

import (
	"encoding/json"
	"fmt"
)

// poolBody is a pool as it is stored. What the plan holds (estimates, the static
// cut) is not in it. Equal neighbours in the order of the pool are one run: a
// batch is mostly one, so that a body's size goes with the batches.
type poolBody struct {
	V       int        `json:"v"`
	Units   int        `json:"units"`
	Opened  int64      `json:"opened"`
	Clock   int64      `json:"clock"`
	Fence   int64      `json:"fence"`
	Shards  []member   `json:"shards"`
	Batches [][3]int64 `json:"batches"` // fence, shard, until
	// Runs: how many, state, fence, shard, then the losers.
	Runs [][]int64 `json:"runs"`
}

// poolVersion changes with the order of ranks or the meaning of a field.
const poolVersion = 1

// Body is the pool as JSON.
func (p *Pool) Body() ([]byte, error) {
	b := poolBody{V: poolVersion, Units: len(p.units), Opened: p.opened, Clock: p.clock, Fence: p.fence,
		Shards: p.shards, Batches: make([][3]int64, len(p.batches)), Runs: [][]int64{}}
	for i, held := range p.batches {
		b.Batches[i] = [3]int64{held.fence, int64(held.shard), held.until}
	}
	for rank := 0; rank < len(p.cells); {
		c, from := p.cells[rank], rank
		for rank < len(p.cells) && p.cells[rank] == c {
			rank++
		}
		run := []int64{int64(rank - from), int64(c.state), c.fence, int64(c.shard)}
		for _, loser := range c.losers[:c.losses] {
			run = append(run, int64(loser))
		}
		b.Runs = append(b.Runs, run)
	}
	return json.Marshal(b)
}

// Read is the pool of these units that Body wrote.
func (s *Stock) Read(body []byte) (*Pool, error) {
	var b poolBody
	if err := json.Unmarshal(body, &b); err != nil {
		return nil, fmt.Errorf("read pool: %w", err)
	}
	if b.V != poolVersion || b.Units != len(s.units) || len(b.Shards) != s.total {
		return nil, fmt.Errorf("read pool: version %d of %d units in %d shards, want version %d of %d in %d",
			b.V, b.Units, len(b.Shards), poolVersion, len(s.units), s.total)
	}
	p := &Pool{Stock: s, cells: make([]cell, len(s.units)), shards: b.Shards, opened: b.Opened, clock: b.Clock, fence: b.Fence}
	for _, held := range b.Batches {
		if held[1] < 0 || held[1] >= int64(len(p.shards)) {
			return nil, fmt.Errorf("read pool: a lease of shard %d", held[1])
		}
		p.batches = append(p.batches, batch{held[0], int(held[1]), held[2]})
	}
	rank := 0
	for _, run := range b.Runs {
		c, err := p.readRun(run, len(p.cells)-rank)
		if err != nil {
			return nil, err
		}
		for range run[0] {
			p.cells[rank] = c
			rank++
		}
	}
	if rank != len(p.cells) {
		return nil, fmt.Errorf("read pool: %d of %d units", rank, len(p.cells))
	}
	return p, nil
}

func (p *Pool) readRun(run []int64, room int) (cell, error) {
	if len(run) < 4 || len(run) > 4+lostAfter || run[0] < 1 || run[0] > int64(room) || run[1] < 0 || run[1] > int64(cellLost) {
		return cell{}, fmt.Errorf("read pool: a run %v", run)
	}
	c := cell{state: cellState(run[1]), fence: run[2], losses: len(run) - 4}
	for i, shard := range run[3:] {
		if shard < 0 || shard >= int64(len(p.shards)) {
			return cell{}, fmt.Errorf("read pool: a run %v of %d shards", run, len(p.shards))
		}
		if i == 0 {
			c.shard = int(shard)
		} else {
			c.losers[i-1] = int(shard)
		}
	}
	return c, nil
}
