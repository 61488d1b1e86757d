package web

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mainstay-ci/mainstay/queue/shard"
	"github.com/mainstay-ci/mainstay/server/store"
)

// pools is a real store that may be in trouble.
type pools struct {
	*store.Store
	down error
}

func (p *pools) UpdatePool(ctx context.Context, repository int64, plan string, at time.Time, change func([]byte) ([]byte, error)) error {
	if p.down != nil {
		return p.down
	}
	return p.Store.UpdatePool(ctx, repository, plan, at, change)
}

// lessor is a front door with leased plans behind it.
type lessor struct {
	*front
	pools  *pools
	log    bytes.Buffer
	claims int
}

func openLessor(t *testing.T, plans ...*shard.Frozen) *lessor {
	t.Helper()
	s, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "mainstay.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	l := &lessor{front: openFront(t), pools: &pools{Store: s}}
	for _, f := range plans {
		body, err := json.Marshal(f)
		if err == nil {
			key := shard.PlanKey{Repository: 7, Run: 100, Suite: f.ID, Total: f.Total}
			_, err = s.FreezePlan(t.Context(), key, f.ID, "", l.now(), body)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	l.options.Plans, l.options.Durations, l.options.Pools = s, s, l.pools
	l.options.Log = slog.New(slog.NewTextHandler(&l.log, nil))
	l.restart()
	return l
}

// aPlan is a leased plan of so many items, ten seconds each, none given at once but to shard 0.
func aPlan(items, total int) *shard.Frozen {
	f := &shard.Frozen{ID: "pl_1", Mode: shard.ModeLeased, Total: total}
	for i := range items {
		f.Units = append(f.Units, shard.Unit{PlannedItem: shard.PlannedItem{ID: fmt.Sprintf("item%02d", i), EstMS: 10_000, N: 3}, Pre: i == 0})
	}
	return f
}

// claim asks for a shard's next batch; done are the batches it gives back.
func (l *lessor) claim(k int, done ...shard.Done) shard.ClaimAnswer {
	l.t.Helper()
	l.claims++
	return l.send(k, fmt.Sprint("claim-", l.claims), done...)
}

func (l *lessor) send(k int, id string, done ...shard.Done) shard.ClaimAnswer {
	l.t.Helper()
	status, text := l.call(l.token(nil), "POST", "/v1/plans/pl_1/claims", shard.ClaimRequest{API: shard.API, Shard: k, Claim: id, Done: done})
	var a shard.ClaimAnswer
	if err := json.Unmarshal([]byte(text), &a); err != nil || status != http.StatusOK {
		l.t.Fatalf("shard %d was answered %d %s", k, status, text)
	}
	return a
}

func (l *lessor) beat(k int, lease shard.Done, want int) {
	l.t.Helper()
	status, text := l.call(l.token(nil), "POST", "/v1/plans/pl_1/heartbeats", shard.HeartbeatRequest{API: shard.API, Shard: k, Lease: lease.Lease, Fence: lease.Fence})
	if status != want {
		l.t.Fatalf("shard %d's heartbeat was answered %d %s, want %d", k, status, text, want)
	}
}

func back(a shard.ClaimAnswer) shard.Done { return shard.Done{Lease: a.Lease, Fence: a.Fence} }

func names(a shard.ClaimAnswer) string {
	var ids []string
	for _, item := range a.Items {
		ids = append(ids, item.ID)
	}
	return strings.Join(ids, " ")
}

// The plain course over the wire: work, wait, drained.
func TestShardsClaimUntilNothingIsLeft(t *testing.T) {
	l := openLessor(t, aPlan(3, 2))
	// Given shard 0, which had the first item with its plan, and shard 1, which comes
	first := l.claim(0)
	if first.State != shard.ClaimWork || names(first) != "item01" || first.Items[0].EstMS != 10_000 || first.ExpiresS != 60 || first.HeartbeatS != 15 {
		t.Fatalf("the first claim was answered %+v", first)
	}
	second := l.claim(1)
	// When both are done, then one waits while the other may still lose what it has
	if a := l.claim(0, back(first)); a.State != shard.ClaimWait || a.PollS < 1 || names(second) != "item02" {
		t.Fatalf("answered %+v while shard 1 had %s", a, names(second))
	}
	if a := l.claim(1, back(second)); a.State != shard.ClaimDrained {
		t.Fatalf("answered %+v", a)
	}
	if a := l.claim(0); a.State != shard.ClaimDrained {
		t.Fatalf("answered %+v", a)
	}
}

// A runner that is killed in the middle of a batch: the other takes it over, and the dead one's words come too late.
func TestAKilledShardsBatchGoesToAnother(t *testing.T) {
	l := openLessor(t, aPlan(3, 2))
	killed, other := l.claim(0), l.claim(1)
	for range 3 {
		l.advance(15 * time.Second)
		l.beat(1, back(other), http.StatusOK)
	}
	l.advance(15 * time.Second)
	taken := l.claim(1, back(other))
	if names(taken) != names(killed) || taken.Fence <= killed.Fence {
		t.Fatalf("shard 1 got %+v, want what shard 0 lost: %+v", taken, killed)
	}
	l.beat(0, back(killed), http.StatusGone)
	if a := l.claim(0, back(killed)); a.State != shard.ClaimWait {
		t.Fatalf("the late one was answered %+v", a)
	}
	l.beat(1, back(taken), http.StatusOK) // the late word gave nothing back
	if a := l.claim(1, back(taken)); a.State != shard.ClaimDrained {
		t.Fatalf("answered %+v", a)
	}
}

// What came with the plan is kept by heartbeats as well, without a fence.
func TestWhatCameWithThePlanIsKept(t *testing.T) {
	l := openLessor(t, aPlan(1, 2))
	own := shard.Done{Lease: shard.OwnLease}
	for range 20 {
		l.beat(0, own, http.StatusOK)
		if a := l.claim(1); a.State != shard.ClaimWait {
			t.Fatalf("shard 1 was answered %+v", a)
		}
		l.advance(15 * time.Second)
	}
	for range 3 {
		l.advance(15 * time.Second)
		l.claim(1)
	}
	l.beat(0, own, http.StatusGone)
}

// A claim whose answer got lost is sent again, even while the first is still under way.
func TestAClaimSentByManyIsOneClaim(t *testing.T) {
	l := openLessor(t, aPlan(9, 1))
	answers := make([]shard.ClaimAnswer, 8)
	var all sync.WaitGroup
	for i := range answers {
		all.Go(func() { answers[i] = l.send(0, "the-same") })
	}
	all.Wait()
	for _, a := range answers {
		if a.Fence != answers[0].Fence || names(a) != names(answers[0]) {
			t.Errorf("answered %s under fence %d and %s under %d", names(a), a.Fence, names(answers[0]), answers[0].Fence)
		}
	}
}

// However many claim at once, every item is run once.
func TestEveryItemIsGivenOutOnce(t *testing.T) {
	l := openLessor(t, aPlan(60, 8))
	var mu sync.Mutex
	given := map[string]int{"item00": 1} // with the plan
	var all sync.WaitGroup
	for k := range 8 {
		all.Go(func() {
			var last []shard.Done
			for i := 0; ; i++ {
				a := l.send(k, fmt.Sprint(k, "-", i), last...)
				if a.State != shard.ClaimWork {
					return
				}
				last = []shard.Done{back(a)}
				mu.Lock()
				for _, item := range a.Items {
					given[item.ID]++
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	for _, u := range aPlan(60, 8).Units[1:] {
		if given[u.ID] != 1 {
			t.Errorf("%s was given out %d times", u.ID, given[u.ID])
		}
	}
}

// A later attempt of the run takes over; what the earlier one says is gone.
func TestAnEarlierAttemptIsGone(t *testing.T) {
	l := openLessor(t, aPlan(3, 1))
	first := l.claim(0)
	ask := shard.ClaimRequest{API: shard.API, Claim: "second attempt"}
	if status, text := l.call(l.token(map[string]any{"run_attempt": "2"}), "POST", "/v1/plans/pl_1/claims", ask); status != http.StatusOK {
		t.Fatalf("answered %d %s", status, text)
	}
	l.beat(0, back(first), http.StatusGone)
	ask.Claim = "late"
	if status, text := l.call(l.token(nil), "POST", "/v1/plans/pl_1/claims", ask); status != http.StatusGone {
		t.Fatalf("answered %d %s", status, text)
	}
}

// An item that ends every machine is said once, by its name.
func TestAnItemThatKillsIsLogged(t *testing.T) {
	l := openLessor(t, aPlan(2, 4))
	for k := 1; k <= 3; k++ {
		l.claim(k)
		for range 4 {
			l.advance(15 * time.Second)
			l.beat(0, shard.Done{Lease: shard.OwnLease}, http.StatusOK)
		}
	}
	if a := l.claim(0); a.State != shard.ClaimDrained {
		t.Fatalf("answered %+v", a)
	}
	if said := strings.Count(l.log.String(), "item01"); said != 1 {
		t.Fatalf("it was said %d times: %s", said, l.log.String())
	}
}

// Plans that are claimed from are remembered, but not without end.
func TestFewPlansAreRemembered(t *testing.T) {
	var l leasedPlans
	add := func(id int64, units int) {
		f := &shard.Frozen{Units: make([]shard.Unit, units)}
		l.add(&leasedPlan{key: leasedKey{run: id}, Frozen: f})
	}
	for id := range int64(2 * keptPlans) {
		add(id, 10)
		if l.find(leasedKey{run: 0}) == nil {
			t.Fatalf("the plan that is always used is gone after %d others", id)
		}
	}
	if len(l.plans) != keptPlans || l.find(leasedKey{run: 1}) != nil {
		t.Errorf("%d plans are remembered, want %d", len(l.plans), keptPlans)
	}
	add(1000, keptUnits)
	if len(l.plans) != 1 || l.find(leasedKey{run: 1000}) == nil {
		t.Errorf("a plan as large as all has %d beside it", len(l.plans)-1)
	}
	add(1001, 2*keptUnits)
	if len(l.plans) != 1 || l.find(leasedKey{run: 1001}) == nil {
		t.Errorf("the largest plan is not remembered alone")
	}
}
