package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
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
			_, err = s.FreezePlan(t.Context(), key, f.ID, "", l.now, body)
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
		l.now = l.now.Add(15 * time.Second)
		l.beat(1, back(other), http.StatusOK)
	}
	l.now = l.now.Add(15 * time.Second)
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
		l.now = l.now.Add(15 * time.Second)
	}
	for range 3 {
		l.now = l.now.Add(15 * time.Second)
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

// What is not a claim, not of this run, or not of a leased plan gets a plain answer.
func TestClaimsAreRefusedPlainly(t *testing.T) {
	fixed := aPlan(3, 2)
	fixed.ID, fixed.Mode = "pl_static", shard.ModeStatic
	l := openLessor(t, aPlan(3, 2), fixed)
	claim := func(change func(*shard.ClaimRequest)) shard.ClaimRequest {
		ask := shard.ClaimRequest{API: shard.API, Shard: 1, Claim: "c"}
		change(&ask)
		return ask
	}
	good := claim(func(*shard.ClaimRequest) {})
	beat := shard.HeartbeatRequest{API: shard.API, Lease: "ls_99", Fence: 99}
	for name, c := range map[string]struct {
		path   string
		claims map[string]any
		body   any
		status int
		code   shard.Code
	}{
		"another run's plan":        {"/v1/plans/pl_1/claims", map[string]any{"run_id": "101"}, good, 409, shard.CodePlanMismatch},
		"another run's plan, alive": {"/v1/plans/pl_1/heartbeats", map[string]any{"run_id": "101"}, beat, 409, shard.CodePlanMismatch},
		"no plan":                   {"/v1/plans/pl_9/claims", nil, good, 409, shard.CodePlanMismatch},
		"a hostile plan":            {"/v1/plans/..%2F%27%3B--%00/claims", nil, good, 409, shard.CodePlanMismatch},
		"a static plan":             {"/v1/plans/pl_static/claims", nil, good, 409, shard.CodePlanMismatch},
		"another repository":        {"/v1/plans/pl_1/claims", map[string]any{"repository_id": "8"}, good, 404, shard.CodeUnknownRepository},
		"a shard too many":          {"/v1/plans/pl_1/claims", nil, claim(func(r *shard.ClaimRequest) { r.Shard = 2 }), 422, shard.CodeInvalid},
		"no shard at all":           {"/v1/plans/pl_1/claims", nil, claim(func(r *shard.ClaimRequest) { r.Shard = -1 }), 422, shard.CodeInvalid},
		"without a name":            {"/v1/plans/pl_1/claims", nil, claim(func(r *shard.ClaimRequest) { r.Claim = "" }), 422, shard.CodeInvalid},
		"with a hostile name":       {"/v1/plans/pl_1/claims", nil, claim(func(r *shard.ClaimRequest) { r.Claim = "a\nb" }), 422, shard.CodeInvalid},
		"with an endless name":      {"/v1/plans/pl_1/claims", nil, claim(func(r *shard.ClaimRequest) { r.Claim = strings.Repeat("x", 201) }), 422, shard.CodeInvalid},
		"of another version":        {"/v1/plans/pl_1/claims", nil, claim(func(r *shard.ClaimRequest) { r.API = 2 }), 422, shard.CodeInvalid},
		"with too much given back":  {"/v1/plans/pl_1/claims", nil, claim(func(r *shard.ClaimRequest) { r.Done = make([]shard.Done, 101) }), 422, shard.CodeInvalid},
		"not a claim":               {"/v1/plans/pl_1/claims", nil, []int{1}, 400, shard.CodeInvalid},
		"a heartbeat of nothing":    {"/v1/plans/pl_1/heartbeats", nil, shard.HeartbeatRequest{API: shard.API}, 422, shard.CodeInvalid},
		"a heartbeat made up":       {"/v1/plans/pl_1/heartbeats", nil, beat, 410, shard.CodeConflict},
	} {
		t.Run(name, func(t *testing.T) {
			status, text := l.call(l.token(c.claims), "POST", c.path, c.body)
			var body shard.ErrorBody
			if err := json.Unmarshal([]byte(text), &body); err != nil || status != c.status || body.Error.Code != c.code || body.Error.Message == "" {
				t.Errorf("answered %d %s, want %d %s", status, text, c.status, c.code)
			}
		})
	}
	if status, _ := l.front.send("POST", "/v1/plans/pl_1/claims", nil, []byte("{}")); status != http.StatusUnauthorized {
		t.Errorf("without a token it was answered %d", status)
	}
	if a := l.claim(0); names(a) != "item01" {
		t.Errorf("after all that, shard 0 got %+v", a)
	}
}

// A store in trouble is a reason to try again; a damaged pool is not papered over.
func TestAPoolInTroubleAsksToTryAgain(t *testing.T) {
	l := openLessor(t, aPlan(3, 2))
	l.pools.down = errors.New("disk full")
	ask := shard.ClaimRequest{API: shard.API, Claim: "c"}
	refused := func() {
		t.Helper()
		if status, text := l.call(l.token(nil), "POST", "/v1/plans/pl_1/claims", ask); status != http.StatusServiceUnavailable || strings.Contains(text, "disk") {
			t.Fatalf("answered %d %s", status, text)
		}
	}
	refused()
	l.pools.down = nil
	l.claim(0)
	l.pools.down = errors.New("disk full")
	refused() // also where the plan is remembered
	l.pools.down = nil
	err := l.pools.UpdatePool(t.Context(), 7, "pl_1", l.now, func([]byte) ([]byte, error) { return []byte("{}"), nil })
	if err != nil {
		t.Fatal(err)
	}
	refused()
}

// An item that ends every machine is said once, by its name.
func TestAnItemThatKillsIsLogged(t *testing.T) {
	l := openLessor(t, aPlan(2, 4))
	for k := 1; k <= 3; k++ {
		l.claim(k)
		for range 4 {
			l.now = l.now.Add(15 * time.Second)
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

// leasedRequest asks for a leased plan of four items, of which each took ten seconds.
func (l *lessor) leasedRequest(index int, change func(*shard.PlanRequest)) shard.PlanRequest {
	l.t.Helper()
	var took []shard.Sample
	for _, item := range []string{"a", "b", "c", "d"} {
		took = append(took, shard.Sample{Item: item, MS: 10_000})
	}
	if err := l.pools.KeepTimings(l.t.Context(), 7, "unit", "", l.now, took, nil); err != nil {
		l.t.Fatal(err)
	}
	r := planRequest(index, 2, "a", "b", "c", "d")
	r.Mode = shard.ModeLeased
	if change != nil {
		change(&r)
	}
	return r
}

// Only an attempt's shards hold leases; where that can't be, a shard gets its whole share.
func TestWhoGetsALeasedPlan(t *testing.T) {
	for name, c := range map[string]struct {
		claims map[string]any
		ask    func(*shard.PlanRequest)
		down   error
		none   bool // the server deals out no pools
		want   string
	}{
		"a shard of an attempt":         {want: "leased [a]"},
		"no pools":                      {none: true, want: "static [a c]"},
		"one that does not ask for it":  {ask: func(r *shard.PlanRequest) { r.Mode = shard.ModeStatic }, want: "static [a c]"},
		"a plan job":                    {ask: func(r *shard.PlanRequest) { r.All = true }, want: "static [a c]"},
		"the only shard":                {ask: func(r *shard.PlanRequest) { r.Shard.Total = 1 }, want: "static [a b c d]"},
		"a pull request's":              {claims: map[string]any{"sha": "x", "ref": "refs/heads/topic"}, want: "static [a c]"},
		"a narrow attempt's":            {claims: searched, want: "static [b]"},
		"a re-run without a first plan": {claims: map[string]any{"run_attempt": "2"}, want: "static [a c]"},
		"a pool in trouble":             {down: errors.New("down"), want: "static [a c]"},
	} {
		t.Run(name, func(t *testing.T) {
			l := openLessor(t)
			if l.pools.down = c.down; c.none {
				l.options.Pools = nil
				l.restart()
			}
			a := l.ask(c.claims, l.leasedRequest(0, c.ask))
			if got := fmt.Sprint(a.Mode, " ", a.Shard.IDs()); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

// From the plan to the last claim, and once more: a re-run gets what its shard had,
// and what nobody ended is still claimed.
func TestAReRunGetsWhatItsShardHad(t *testing.T) {
	l := openLessor(t)
	second := map[string]any{"run_attempt": "2"}
	claim := func(claims map[string]any, plan string, k int, id string) shard.ClaimAnswer {
		t.Helper()
		_, text := l.call(l.token(claims), "POST", "/v1/plans/"+plan+"/claims", shard.ClaimRequest{API: shard.API, Shard: k, Claim: id})
		var a shard.ClaimAnswer
		if err := json.Unmarshal([]byte(text), &a); err != nil {
			t.Fatalf("answered %s", text)
		}
		return a
	}
	// Given a run in which shard 0 ended its first item and claimed another, when the run was cancelled
	a := l.ask(nil, l.leasedRequest(0, nil))
	if got := names(claim(nil, a.PlanID, 0, "1")); got != "c" {
		t.Fatalf("shard 0 claimed %q", got)
	}
	l.ask(nil, l.leasedRequest(1, nil))
	l.restart() // and the server, too
	l.now = l.now.Add(time.Hour)
	// When both run again
	for k, want := range []string{"leased [a c]", "leased [b]"} {
		again := l.ask(second, l.leasedRequest(k, nil))
		if got := fmt.Sprint(again.Mode, " ", again.Shard.IDs()); got != want || again.PlanID != a.PlanID {
			t.Errorf("shard %d's re-run got %s, want %s", k, got, want)
		}
	}
	// Then what was never claimed is claimed now
	if got := names(claim(second, a.PlanID, 1, "2")); got != "d" {
		t.Errorf("shard 1's re-run claimed %q", got)
	}
	if got := claim(nil, a.PlanID, 0, "3"); got.State != "" {
		t.Errorf("the cancelled run's shard was answered %+v", got)
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
