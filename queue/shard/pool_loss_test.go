package shard

import (
	"slices"
	"testing"
	"time"
)

// A unit that ends whoever runs it is run alone at last, then nowhere: the plan
// is in error, the rest still runs.
func TestAUnitThatKillsThreeShardsIsLost(t *testing.T) {
	l := lend(t, 4, -1, -1)
	l.units[0].EstMS, l.units[1].EstMS = 1000, 1000
	for k := range 4 {
		l.take(k, 1)
	}
	l.claim(0, ClaimWork, 0, 1)
	l.dies(0)
	l.claim(1, ClaimWork, 0, 1)
	l.dies(1)
	l.claim(2, ClaimWork, 0) // alone, for it may be what kills them
	other := l.claim(3, ClaimWork, 1)
	l.finish(3, other, nil)
	l.dies(2)
	l.claim(3, ClaimDrained)
	if got := l.Lost(); !slices.Equal(got, []int{0}) {
		t.Fatalf("lost are %v, want unit 0", got)
	}
	l.ended(-1, 3)
}

// A unit with two losses never shares a batch; those with one do.
func TestASuspectRunsAlone(t *testing.T) {
	l := lend(t, 3, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1)
	for rank := range l.cells {
		l.cells[rank] = cell{state: cellOpen, fence: 1, shard: 1, losses: 1, losers: [3]int{1, 2}}
	}
	l.cells[0].losses, l.cells[1].losses = 2, 2
	l.fence = 1
	l.take(0, 1)
	l.claim(0, ClaimWork, 0)
	l.claim(0, ClaimWork, 1)
	l.claim(0, ClaimWork, 2)
	// Nor does it join a batch that has room for it
	for _, rank := range []int{10, 11} {
		l.units[l.order[rank]].EstMS = 1000
	}
	for unit := 3; unit < 10; unit++ {
		l.claim(0, ClaimWork, unit)
	}
	l.cells[11].losses = 2
	l.claim(0, ClaimWork, 10)
	l.claim(0, ClaimWork, 11)
}

// A unit goes back to the shard that lost it only where no other is left.
func TestALostUnitGoesToAnotherShardFirst(t *testing.T) {
	l := lend(t, 2, 0, 1)
	l.take(0, 1, 0)
	l.take(1, 1, 1)
	for range 5 { // shard 1 is busy and alive, shard 0 silent
		l.after(HeartbeatEvery).beat(1, own, nil)
	}
	l.claim(0, ClaimWait) // its own late word: the unit ended after all
	l.ended(0, -1)

	l = lend(t, 2, -1, 1)
	l.take(0, 1)
	l.take(1, 1, 1)
	l.claim(0, ClaimWork, 0)
	for range 5 {
		l.after(HeartbeatEvery).beat(1, own, nil)
	}
	l.claim(0, ClaimWait) // not to the one that lost it while shard 1 may take it
	l.after(50*time.Second).beat(0, own, ErrLeaseLost)
	l.after(11*time.Second).claim(0, ClaimWork, 1) // shard 1 is gone too: first its unit
	l.claim(0, ClaimWork, 0)                       // then, for want of others, its own
}

// A machine that loses every batch gets no more of them.
func TestASickShardGetsNothing(t *testing.T) {
	l := lend(t, 2, -1, -1, -1, -1, -1)
	l.take(0, 1)
	l.take(1, 1)
	for i := range sickAfter {
		l.claim(0, ClaimWork, i)
		l.dies(0)
	}
	l.claim(0, ClaimDrained)
	for i := range 5 {
		l.finish(1, l.claim(1, ClaimWork, i), nil)
	}
	l.claim(1, ClaimDrained)
}
