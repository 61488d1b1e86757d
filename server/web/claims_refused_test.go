package web

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/mainstay-ci/mainstay/queue/shard"
)

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
	err := l.pools.UpdatePool(t.Context(), 7, "pl_1", l.now(), func([]byte) ([]byte, error) { return []byte("{}"), nil })
	if err != nil {
		t.Fatal(err)
	}
	refused()
}
