package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/mainstay-ci/mainstay/queue/shard"
)

// leasedRequest asks for a leased plan of four items, of which each took ten seconds.
func (l *lessor) leasedRequest(index int, change func(*shard.PlanRequest)) shard.PlanRequest {
	l.t.Helper()
	var took []shard.Sample
	for _, item := range []string{"a", "b", "c", "d"} {
		took = append(took, shard.Sample{Item: item, MS: 10_000})
	}
	if err := l.pools.KeepTimings(l.t.Context(), 7, "unit", "", l.now(), took, nil); err != nil {
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
	l.advance(time.Hour)
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
