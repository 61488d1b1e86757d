package shard

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// poolWorld is a pool among shards that crash, repeat themselves and come late,
// on clocks that jump. It keeps its own book of what the pool said.
type poolWorld struct {
	*rapid.T
	units []PoolUnit
	pool  *Pool
	now   time.Time
	runs  []modelShard
	ended []int // by unit, who ended it; -1
	asked int   // claims so far
}

// modelShard is a shard as its own job sees it.
type modelShard struct {
	try    int
	dead   bool
	lease  Done
	holds  []int
	claim  string
	answer Grant
	stale  []Done // leases it once had
}

func newPoolWorld(t *rapid.T) *poolWorld {
	total := rapid.IntRange(1, 5).Draw(t, "total")
	w := &poolWorld{T: t, now: time.UnixMilli(1_764_000_000_000), runs: make([]modelShard, total)}
	for range rapid.IntRange(0, 40).Draw(t, "units") {
		w.units = append(w.units, PoolUnit{EstMS: rapid.Int64Range(0, 40_000).Draw(t, "ms"), Known: rapid.Bool().Draw(t, "known"),
			Shard: rapid.IntRange(0, total-1).Draw(t, "shard"), Pre: rapid.Bool().Draw(t, "pre")})
		w.ended = append(w.ended, -1)
	}
	w.pool = NewStock(w.units, total).Open(w.now)
	return w
}

// shard is one of them that lives.
func (w *poolWorld) shard() (int, *modelShard) {
	k := rapid.IntRange(0, len(w.runs)-1).Draw(w.T, "k")
	if w.runs[k].dead {
		w.Skip("dead")
	}
	return k, &w.runs[k]
}

func (w *poolWorld) seat(k int) Seat { return Seat{k, w.runs[k].try} }

// take is a shard's start, or its re-run.
func (w *poolWorld) take(k int, try int) {
	sh := &w.runs[k]
	had := []int{}
	for unit, who := range w.ended {
		if who == k && try > 1 {
			had = append(had, unit)
		}
	}
	units, err := w.pool.Take(Seat{k, try}, w.now)
	if err != nil {
		w.Fatalf("shard %d could not take the plan: %v", k, err)
	}
	for _, unit := range had {
		if !slices.Contains(units, unit) {
			w.Fatalf("the re-run of shard %d lacks unit %d, which it ended", k, unit)
		}
	}
	*sh = modelShard{try: try, lease: Done{Lease: OwnLease}, holds: units, stale: sh.stale}
}

// tell is a claim and what the pool says to it.
func (w *poolWorld) tell(k int, id string) Grant {
	g, err := w.pool.Claim(w.seat(k), id, w.now)
	if err != nil {
		w.Fatalf("shard %d's claim: %v", k, err)
	}
	switch g.State {
	case ClaimWork:
		if len(g.Units) == 0 {
			w.Fatal("work without units")
		}
	case ClaimDrained:
		if !w.pool.Drained() && w.pool.shards[k].Losses < sickAfter {
			w.Fatal("sent away while units wait")
		}
	case ClaimWait:
		if g.Poll < time.Second || g.Poll > HeartbeatEvery {
			w.Fatalf("asked to wait %s", g.Poll)
		}
	}
	return g
}

func (w *poolWorld) actions() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"comes": func(*rapid.T) {
			if k, sh := w.shard(); sh.try == 0 {
				w.take(k, 1)
			}
		},
		"runs again": func(*rapid.T) {
			if k := rapid.IntRange(0, len(w.runs)-1).Draw(w.T, "k"); w.runs[k].dead {
				w.take(k, w.runs[k].try+1)
			}
		},
		"dies": func(*rapid.T) { _, sh := w.shard(); sh.dead = true },
		"claims": func(*rapid.T) {
			k, sh := w.shard()
			if sh.try == 0 {
				return
			}
			w.finish(k) // as the Action does: first give back, then ask
			w.asked++
			sh.claim = fmt.Sprint(w.asked)
			sh.answer = w.tell(k, sh.claim)
			if sh.answer.State == ClaimWork {
				sh.holds, sh.lease = sh.answer.Units, Done{LeaseName(sh.answer.Fence), sh.answer.Fence}
			}
		},
		"claims again": func(*rapid.T) {
			k, sh := w.shard()
			if sh.answer.State != ClaimWork {
				return
			}
			again := w.tell(k, sh.claim)
			if again.State == ClaimWork && again.Fence == sh.answer.Fence && !sub(again.Units, sh.answer.Units) {
				w.Fatalf("claim %s was answered %v, then %v", sh.claim, sh.answer.Units, again.Units)
			}
			if again.Fence != sh.answer.Fence && w.pool.holds(sh.answer.Fence) {
				w.Fatalf("claim %s got a second batch while the first is held", sh.claim)
			}
			if again.State == ClaimWork {
				sh.answer, sh.holds, sh.lease = again, again.Units, Done{LeaseName(again.Fence), again.Fence}
			}
		},
		"beats":      func(*rapid.T) { k, sh := w.shard(); _ = w.pool.Heartbeat(w.seat(k), sh.lease, w.now) },
		"gives back": func(*rapid.T) { k, _ := w.shard(); w.finish(k) },
		"says something stale": func(*rapid.T) {
			k, sh := w.shard()
			if len(sh.stale) > 0 {
				lease := rapid.SampledFrom(sh.stale).Draw(w.T, "stale")
				_ = w.pool.Heartbeat(w.seat(k), lease, w.now)
				_ = w.pool.Finish(w.seat(k), lease, w.now)
			}
		},
		"takes another's lease": func(*rapid.T) {
			k, _ := w.shard()
			lease := w.runs[rapid.IntRange(0, len(w.runs)-1).Draw(w.T, "whose")].lease
			if lease.Lease == OwnLease || w.seat(k).Try == 0 || lease == w.runs[k].lease {
				return
			}
			_ = w.pool.Heartbeat(w.seat(k), lease, w.now)
			_ = w.pool.Finish(w.seat(k), lease, w.now)
		},
		"an earlier attempt speaks": func(*rapid.T) {
			k := rapid.IntRange(0, len(w.runs)-1).Draw(w.T, "k")
			if old := (Seat{k, w.runs[k].try - 1}); old.Try > 0 {
				_, take := w.pool.Take(old, w.now)
				_, claim := w.pool.Claim(old, "old", w.now)
				for _, err := range []error{take, claim, w.pool.Heartbeat(old, w.runs[k].lease, w.now), w.pool.Finish(old, w.runs[k].lease, w.now)} {
					if !errors.Is(err, ErrLeaseLost) {
						w.Fatalf("attempt %d of shard %d was answered %v", old.Try, k, err)
					}
				}
			}
		},
		"time passes": func(*rapid.T) {
			w.now = w.now.Add(time.Duration(rapid.IntRange(0, 50_000).Draw(w.T, "ms")) * time.Millisecond)
		},
		"the clock jumps": func(*rapid.T) {
			w.now = w.now.Add(time.Duration(rapid.IntRange(-7200, 7200).Draw(w.T, "s")) * time.Second)
		},
		"is stored": func(*rapid.T) {
			body, err := w.pool.Body()
			if err != nil {
				w.Fatal(err)
			}
			read, err := w.pool.Stock.Read(body)
			if err != nil || !reflect.DeepEqual(read.cells, w.pool.cells) {
				w.Fatalf("stored, it came back otherwise (%v): %s", err, body)
			}
			w.pool = read
		},
		"": func(*rapid.T) { w.check() },
	}
}

// holds tells whether a lease is held.
func (p *Pool) holds(fence int64) bool {
	return slices.ContainsFunc(p.batches, func(b batch) bool { return b.fence == fence })
}

func sub(some, all []int) bool {
	return !slices.ContainsFunc(some, func(unit int) bool { return !slices.Contains(all, unit) })
}

func (w *poolWorld) finish(k int) {
	sh := &w.runs[k]
	if sh.try == 0 || sh.lease.Lease == "" {
		return
	}
	_ = w.pool.Finish(w.seat(k), sh.lease, w.now)
	sh.stale = append(sh.stale, sh.lease)
	w.check()
	sh.lease, sh.holds = Done{}, nil
}

// check holds the pool to its laws.
func (w *poolWorld) check() {
	for unit, who := range w.pool.Assigned() {
		switch had := w.ended[unit]; {
		case had >= 0 && who != had:
			w.Fatalf("unit %d was ended by shard %d, now by %d", unit, had, who)
		case had < 0 && who >= 0:
			if !slices.Contains(w.runs[who].holds, unit) && !slices.ContainsFunc(w.runs[who].stale, func(d Done) bool { return d.Fence == w.pool.fenceOf(unit) || d.Lease == OwnLease }) {
				w.Fatalf("unit %d was ended by shard %d, which never had it", unit, who)
			}
			w.ended[unit] = who
		}
	}
	leases := map[int64]int{}
	for _, b := range w.pool.batches {
		if _, double := leases[b.fence]; double || b.fence > w.pool.fence {
			w.Fatalf("a lease of fence %d is there twice or from the future", b.fence)
		}
		leases[b.fence] = b.shard
	}
	for rank, c := range w.pool.cells {
		who, held := leases[c.fence]
		if (c.state == cellHeld) != held && c.state != cellDone || held && who != c.shard {
			w.Fatalf("unit %d is in state %d under lease %d of shard %d", w.pool.order[rank], c.state, c.fence, c.shard)
		}
		if c.losses > lostAfter || c.state == cellLost && c.losses < lostAfter {
			w.Fatalf("unit %d is lost after %d losses", w.pool.order[rank], c.losses)
		}
	}
}

func (p *Pool) fenceOf(unit int) int64 { return p.cells[slices.Index(p.order, unit)].fence }

// However shards die, stammer and come late, and clocks jump: no unit is lost
// sight of or ended twice, and with one shard left alive all of them end.
func TestNoUnitIsForgottenOrEndedTwice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newPoolWorld(t)
		t.Repeat(w.actions())
		w.drain()
	})
}

// drain lets all die but one shard, a fresh re-run, and waits for the end.
func (w *poolWorld) drain() {
	k := rapid.IntRange(0, len(w.runs)-1).Draw(w.T, "survivor")
	w.take(k, w.runs[k].try+1)
	for step := 0; ; step++ {
		w.finish(k)
		w.asked++
		g := w.tell(k, fmt.Sprint(w.asked))
		if g.State == ClaimDrained {
			break
		}
		if step > 10_000 {
			w.Fatalf("units still wait after %d questions", step)
		}
		w.runs[k].holds, w.runs[k].lease = g.Units, Done{LeaseName(g.Fence), g.Fence}
		if g.State == ClaimWait {
			w.runs[k].lease = Done{}
		}
		w.now = w.now.Add(max(g.Poll, time.Second))
	}
	w.check()
	lost := w.pool.Lost()
	for unit, who := range w.pool.Assigned() {
		if who < 0 && !slices.Contains(lost, unit) {
			w.Fatalf("unit %d was neither ended nor lost", unit)
		}
	}
}
