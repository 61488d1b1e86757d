package shard

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"
)

// lent is a pool under test, with a clock that the story moves.
type lent struct {
	*Pool
	t      *testing.T
	now    time.Time
	claims int
}

// lend opens a pool in which shard k gets at once the units that give k; -1
// waits to be claimed. Each takes ten seconds.
func lend(t *testing.T, total int, pre ...int) *lent {
	units := make([]PoolUnit, len(pre))
	for i, k := range pre {
		units[i] = PoolUnit{EstMS: 10_000, Known: true, Shard: max(k, 0), Pre: k >= 0}
	}
	l := &lent{t: t, now: time.UnixMilli(1_764_000_000_000)}
	l.Pool = NewStock(units, total).Open(l.now)
	return l
}

func (l *lent) after(d time.Duration) *lent {
	l.now = l.now.Add(d)
	return l
}

func (l *lent) take(k, try int, want ...int) {
	l.t.Helper()
	units, err := l.Take(Seat{k, try}, l.now)
	if err != nil || !slices.Equal(units, want) {
		l.t.Fatalf("shard %d took %v (%v), want %v", k, units, err, want)
	}
}

func (l *lent) claim(k int, state ClaimState, want ...int) Done {
	l.t.Helper()
	l.claims++
	g, err := l.Claim(Seat{k, 1}, fmt.Sprint("claim", l.claims), l.now)
	if err != nil || g.State != state || !slices.Equal(g.Units, want) {
		l.t.Fatalf("shard %d claimed %s %v (%v), want %s %v", k, g.State, g.Units, err, state, want)
	}
	return Done{LeaseName(g.Fence), g.Fence}
}

func (l *lent) beat(k int, lease Done, want error) {
	l.t.Helper()
	if err := l.Heartbeat(Seat{k, 1}, lease, l.now); !errors.Is(err, want) {
		l.t.Fatalf("shard %d's heartbeat of %s: %v, want %v", k, lease.Lease, err, want)
	}
}

func (l *lent) finish(k int, lease Done, want error) {
	l.t.Helper()
	if err := l.Finish(Seat{k, 1}, lease, l.now); !errors.Is(err, want) {
		l.t.Fatalf("shard %d gave %s back: %v, want %v", k, lease.Lease, err, want)
	}
}

// dies lets a minute pass in which only the other shards are heard of.
func (l *lent) dies(k int) {
	l.t.Helper()
	for range 5 {
		l.after(HeartbeatEvery)
		for other := range l.shards {
			if other != k && l.shards[other].Losses == 0 {
				l.beat(other, own, ErrLeaseLost) // holds nothing, is alive
			}
		}
	}
}

// ended tells who ended which unit; -1 is nobody.
func (l *lent) ended(want ...int) {
	l.t.Helper()
	if got := l.Assigned(); !slices.Equal(got, want) {
		l.t.Fatalf("the units were ended by %v, want %v", got, want)
	}
}

var own = Done{Lease: OwnLease}

// The plain course: what is given at once is run, the rest claimed, all of it once.
func TestAPoolIsGivenOutAndEnds(t *testing.T) {
	l := lend(t, 2, 0, 0, 1, -1, -1)
	l.take(0, 1, 0, 1)
	l.take(1, 1, 2)
	l.after(10*time.Second).take(1, 1, 2) // asked twice, answered twice the same
	first := l.claim(1, ClaimWork, 3)
	second := l.after(10*time.Second).claim(0, ClaimWork, 4)
	l.ended(0, 0, 1, -1, -1)
	l.after(10*time.Second).finish(1, first, nil)
	l.claim(1, ClaimWait)
	l.finish(0, second, nil)
	l.finish(0, second, nil) // sent twice
	l.claim(0, ClaimDrained)
	l.claim(1, ClaimDrained)
	l.ended(0, 0, 1, 1, 0)
}

// A shard whose machine is gone loses what it had to the others.
func TestACrashedShardsUnitsGoToTheOthers(t *testing.T) {
	l := lend(t, 2, 0, 0, 1, -1)
	l.take(0, 1, 0, 1)
	l.take(1, 1, 2)
	batch := l.after(20*time.Second).claim(1, ClaimWork, 3)
	l.after(30*time.Second).finish(1, batch, nil)
	l.claim(1, ClaimWait)
	// Shard 0 was never heard of again; after a minute its units are free, the first to the one that waits
	again := l.after(10*time.Second).claim(1, ClaimWork, 0)
	l.after(time.Second).finish(1, again, nil)
	l.claim(1, ClaimWork, 1)
}

// Heartbeats keep a lease for as long as they come, whatever was estimated.
func TestHeartbeatsKeepALease(t *testing.T) {
	l := lend(t, 2, 0, 1)
	l.take(0, 1, 0)
	l.take(1, 1, 1)
	for range 40 {
		l.after(HeartbeatEvery).beat(0, own, nil)
		l.claim(1, ClaimWait)
	}
	l.after(59*time.Second).claim(1, ClaimWait)
	l.after(2*time.Second).claim(1, ClaimWork, 0)
	l.beat(0, own, ErrLeaseLost)
}

// A shard that comes late finds what the others left of its units.
func TestAnAbsentShardsUnitsAreTakenOneBatchAtATime(t *testing.T) {
	l := lend(t, 2, 0, 1, 1, 1)
	l.take(0, 1, 0)
	l.after(10*time.Second).claim(0, ClaimWait)
	l.after(49*time.Second).claim(0, ClaimWait)
	batch := l.after(time.Second).claim(0, ClaimWork, 1)
	l.take(1, 1, 2, 3)
	l.finish(0, batch, nil)
	l.claim(0, ClaimWait)
	l.finish(1, own, nil)
	l.claim(0, ClaimDrained)
	l.ended(0, 0, 1, 1)
}

// Who was too late changes nothing that others took; what nobody took is saved.
func TestALateWordCountsOnlyForWhatNobodyTook(t *testing.T) {
	l := lend(t, 2, 0, 0, 1)
	l.take(0, 1, 0, 1)
	l.take(1, 1, 2)
	l.after(50*time.Second).finish(1, own, nil)
	taken := l.after(20*time.Second).claim(1, ClaimWork, 0)
	l.finish(0, own, nil) // for unit 1
	l.ended(-1, 0, 1)
	l.finish(1, taken, nil)
	l.finish(0, Done{LeaseName(taken.Fence), taken.Fence}, ErrLeaseLost)
	l.ended(1, 0, 1)
}

// Leases that are made up, or another shard's, are nobody's.
func TestForeignLeasesAreRefused(t *testing.T) {
	l := lend(t, 2, 0, -1)
	l.take(0, 1, 0)
	l.take(1, 1)
	lease := l.claim(1, ClaimWork, 1)
	for _, foreign := range []Done{lease, {lease.Lease, 0}, {"ls_01", 1}, {"ls_99", 99}, {"", 0}, {"ls_-1", -1}} {
		l.beat(0, foreign, ErrLeaseLost)
		l.finish(0, foreign, ErrLeaseLost)
	}
	l.ended(-1, -1)
}

// A re-run of a shard runs what it ended and what it held, and no other's.
func TestAReRunRunsWhatTheShardHad(t *testing.T) {
	l := lend(t, 3, 0, 0, 1, -1, -1, -1, 2)
	l.take(0, 1, 0, 1)
	l.take(1, 1, 2)
	l.finish(1, l.claim(1, ClaimWork, 3), nil)
	l.claim(1, ClaimWork, 4)
	l.claim(0, ClaimWork, 5)
	// Given shard 1 died and shard 2 never came, when they come again in a second attempt
	l.after(time.Hour).take(1, 2, 2, 3, 4)
	l.take(1, 2, 2, 3, 4)
	l.take(2, 2, 6)
	// Then the first attempt has no say any more
	if _, err := l.Take(Seat{1, 1}, l.now); !errors.Is(err, ErrLeaseLost) {
		t.Fatalf("the first attempt was answered %v", err)
	}
	l.beat(1, own, ErrLeaseLost)
	if err := l.Finish(Seat{1, 2}, own, l.now); err != nil {
		t.Fatal(err)
	}
	l.ended(0, 0, 1, 1, 1, -1, -1)
}

// The same claim gets the same batch; a lost one gets a new one.
func TestAClaimSentTwiceIsOneClaim(t *testing.T) {
	l := lend(t, 2, -1, -1, -1)
	l.take(0, 1)
	ask := func(id string) Grant {
		g, err := l.Claim(Seat{0, 1}, id, l.now)
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	first, again := ask("a"), ask("a")
	if !reflect.DeepEqual(first, again) || first.Expires != time.Minute {
		t.Fatalf("answered %+v, then %+v", first, again)
	}
	l.finish(0, Done{LeaseName(first.Fence), first.Fence}, nil)
	if again := ask("a"); !slices.Equal(again.Units, first.Units) || again.Fence != first.Fence {
		t.Fatalf("when it had ended it was answered %+v", again)
	}
	second := ask("b")
	l.dies(0)
	third := ask("b")
	if third.Fence == second.Fence || third.State != ClaimWork {
		t.Fatalf("when it was lost it was answered %+v", third)
	}
	if again := ask("b"); again.Fence != third.Fence {
		t.Fatalf("the batch in its place was answered once, then %+v", again)
	}
}

// A clock turned back or forward, or a server that was away, takes nothing from who is alive.
func TestClocksThatJump(t *testing.T) {
	for _, jump := range []time.Duration{-24 * time.Hour, 24 * time.Hour} {
		l := lend(t, 2, 0, 1)
		l.take(0, 1, 0)
		l.take(1, 1, 1)
		l.after(jump).finish(1, own, nil)
		l.claim(1, ClaimWait)
		l.after(HeartbeatEvery).beat(0, own, nil)
		l.claim(1, ClaimWait)
		l.after(61*time.Second-HeartbeatEvery).claim(1, ClaimWait)
		l.after(HeartbeatEvery).claim(1, ClaimWork, 0) // silent since a minute by any clock
	}
}

// The worked example of docs/leases.md, as it stands there.
func TestTheWorkedExample(t *testing.T) {
	var b Basis
	for _, item := range []Timing{{"a", 40_000, 3}, {"b", 40_000, 3}, {"c", 20_000, 3}, {"d", 20_000, 3}, {"e", 20_000, 3}, {"f", 20_000, 3}, {Item: "new"}} {
		b.Items = append(b.Items, Item{ID: item.Item})
		b.History = append(b.History, item)
	}
	l := &lent{t: t, now: time.UnixMilli(1_764_000_000_000)}
	began := l.now
	l.Pool = b.Freeze("pl", "", 2, ModeLeased).Stock().Open(began)
	at := func(s int) *lent {
		l.now = began.Add(time.Duration(s) * time.Second)
		return l
	}
	at(0).take(0, 1, 2, 6)
	at(10).take(1, 1, 1)
	third := at(50).claim(1, ClaimWork, 0)
	if third != (Done{"ls_3", 3}) {
		t.Fatalf("the first claim's lease is %v", third)
	}
	fourth := at(80).claim(0, ClaimWork, 3)
	at(90).finish(1, third, nil)
	fifth := l.claim(1, ClaimWork, 4)
	at(100).finish(0, fourth, nil)
	sixth := l.claim(0, ClaimWork, 5)
	at(110).finish(1, fifth, nil)
	l.claim(1, ClaimWait)
	at(120).finish(0, sixth, nil)
	l.claim(0, ClaimDrained)
	l.claim(1, ClaimDrained)
	l.ended(1, 1, 0, 0, 1, 0, 0)
}
