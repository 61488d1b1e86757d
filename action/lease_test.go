package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mainstay-ci/mainstay/queue/shard"
)

// leasing is a step of shard 1 of 2 of a leased plan of a to e, whose command
// notes each item in a file.
func leasing(t *testing.T, f *forgery, command string) (*step, func() []string) {
	f.planned.Mode = shard.ModeLeased
	s := newStep(t, map[string]string{"mode": "run", "runner": "generic", "shard-index": "1", "shard-total": "2", "timeout": "2s",
		"tests": strings.Join(lawItems, "\n"), "server-url": f.url, "command": command})
	s.identity()
	return s, func() []string {
		text, err := os.ReadFile(filepath.Join(s.env["GITHUB_WORKSPACE"], "ran"))
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		return strings.Fields(string(text))
	}
}

const noting = `sh -c 'for x in "$@"; do echo $x >> ran; done' x {tests}`

// A shard runs its own half, then batch after batch until nothing is left, gives
// each back when it asks for the next, and reports all of it as one.
func TestALeasedPlanIsClaimedUntilNothingIsLeft(t *testing.T) {
	// Given a pool of two batches, between which others hold what is left
	f := newForgery(t)
	f.pool = [][]string{{"d"}, nil, {"e"}}
	s, ran := leasing(t, f, noting)
	// When the shard runs
	code := s.act()
	// Then it ran its own share, a and c, and both batches
	if want := []string{"a", "c", "d", "e"}; code != exitFine || !slices.Equal(ran(), want) || s.warnings() != 0 {
		t.Fatalf("exit code %d, ran %q, want %q\n%s", code, ran(), want, &s.log)
	}
	// And it asked once for each batch, by a name of its own, and gave them back
	if len(f.claims) != 4 || f.asked[0].Mode != shard.ModeLeased {
		t.Fatalf("claims %+v", f.claims)
	}
	names := map[string]bool{}
	for i, want := range []string{"", "ls_1", "", "ls_3"} {
		c, given := f.claims[i], ""
		if len(c.Done) > 0 {
			given = c.Done[0].Lease
		}
		if given != want || c.Shard != 1 || names[c.Claim] {
			t.Errorf("claim %d: %+v, want %q given back", i, c, want)
		}
		names[c.Claim] = true
	}
	r := f.received()
	if len(r) != 1 || len(r[0].Items) != 4 || r[0].Outcome != shard.OutcomeSuccess || r[0].PlanID != "pl_1" {
		t.Errorf("reports %+v", r)
	}
}

// A static answer to a leased request is a static plan.
func TestAServerMayAnswerStatic(t *testing.T) {
	f := newForgery(t)
	s, ran := leasing(t, f, noting)
	f.planned.Mode = shard.ModeStatic
	if code := s.act(); code != exitFine || !slices.Equal(ran(), []string{"a", "c", "e"}) || len(f.claims) != 0 {
		t.Errorf("exit code %d, ran %q, claims %d\n%s", code, ran(), len(f.claims), &s.log)
	}
}

// A server that is lost on the way gives out nothing any more. All shards
// together must still run everything, and none of it hides a failure.
func TestAServerLostOnTheWayLosesNoTest(t *testing.T) {
	for after := range 3 {
		var union []string
		for _, index := range []string{"0", "1"} {
			f := newForgery(t)
			f.pool = [][]string{{"d"}, {"e"}}
			s, ran := leasing(t, f, noting)
			s.with(map[string]string{"shard-index": index})
			if f.lostAfter = after; after == 0 {
				f.lostAfter, f.claims = 1, make([]shard.ClaimRequest, 1)
			}
			if code := s.act(); code != exitFine || s.warnings() != 1 {
				t.Errorf("lost after %d: exit code %d\n%s", after, code, &s.log)
			}
			// What it ran by itself stands in its report, and it ran nothing twice.
			reported := f.received()[0].Items
			if len(reported) != len(ran()) || len(once(ran())) != len(ran()) {
				t.Errorf("ran %q, reported %+v", ran(), reported)
			}
			union = append(union, ran()...)
		}
		if !slices.Equal(shard.Normalise(union), lawItems) {
			t.Errorf("lost after %d claims: all shards ran %q", after, union)
		}
	}
	f := newForgery(t)
	f.pool, f.lostAfter = [][]string{{"d"}, {"e"}}, 1
	s, _ := leasing(t, f, `sh -c 'case "$*" in *b*) exit 1;; esac' x {tests}`)
	if code := s.act(); code != exitRed {
		t.Errorf("b failed in what it ran by itself: exit code %d\n%s", code, &s.log)
	}
}

// Heartbeats keep a lease while its tests run; a lease that is lost all the same
// is run to its end and not given back.
func TestHeartbeatsKeepALease(t *testing.T) {
	for _, lost := range []bool{false, true} {
		f := newForgery(t)
		f.pool, f.leaseIsLost = [][]string{{"d"}}, lost
		// d ends when a heartbeat has come
		s, _ := leasing(t, f, `sh -c 'case "$*" in *d*) until [ -e beaten ]; do sleep 0.05; done;; esac' x {tests}`)
		f.onBeat = func() {
			if err := os.WriteFile(filepath.Join(s.env["GITHUB_WORKSPACE"], "beaten"), nil, 0o644); err != nil {
				t.Error(err)
			}
		}
		if code := s.act(); code != exitFine || s.warnings() != 0 {
			t.Fatalf("exit code %d\n%s", code, &s.log)
		}
		if len(f.beats) == 0 || f.beats[0].Lease != "ls_1" || f.beats[0].Fence != 1 || f.beats[0].Shard != 1 {
			t.Errorf("heartbeats %+v", f.beats)
		}
		if given := len(f.claims[1].Done) == 1; given == lost {
			t.Errorf("lost %v: given back %+v", lost, f.claims[1].Done)
		}
	}
}

// Others may hold what is left for long; a shard does not wait for ever.
func TestAShardWaitsForOthersNoLongerThanItMay(t *testing.T) {
	f := newForgery(t)
	f.pool = make([][]string, 100)
	s, ran := leasing(t, f, noting)
	s.with(map[string]string{"timeout": "1"})
	if code := s.act(); code != exitFine || !slices.Equal(ran(), []string{"a", "c", "e"}) || len(f.claims) > 3 {
		t.Errorf("exit code %d, ran %q, %d claims\n%s", code, ran(), len(f.claims), &s.log)
	}
}

// A server that gives the same batch for ever, or one that is not of this suite,
// is as good as none.
func TestAServerGoneMadIsALostOne(t *testing.T) {
	for name, pool := range map[string][][]string{
		"the same again and again": slices.Repeat([][]string{{"d"}}, 50),
		"foreign items":            {{"zzz"}},
	} {
		f := newForgery(t)
		f.pool = pool
		s, ran := leasing(t, f, noting)
		if code := s.act(); code != exitFine || s.warnings() != 1 || !slices.Contains(ran(), "b") || !slices.Contains(ran(), "d") || slices.Contains(ran(), "zzz") {
			t.Errorf("%s: exit code %d, ran %q\n%s", name, code, ran(), &s.log)
		}
	}
}

// Parts are asked for where the job can run them, and run as such; a job that
// cannot runs the whole item.
func TestPartsOfAPlan(t *testing.T) {
	for _, command := range []string{"", "go test -json {tests}"} {
		f := newForgery(t)
		f.parts = map[string][]shard.Part{"example.com/m/a": {{Index: 1, Of: 2, Without: []string{"TestA"}}}}
		s := newStep(t, map[string]string{"mode": "run", "runner": "go", "shard-index": "0", "shard-total": "1", "server-url": f.url, "command": command})
		s.identity()
		writeModule(t, s.env["GITHUB_WORKSPACE"], "t.Fatal()")
		appendTo(t, filepath.Join(s.env["GITHUB_WORKSPACE"], "a", "a_test.go"), "\nfunc TestNew(t *testing.T) {}\n")
		code := s.act()
		item := shard.ItemResult{}
		for _, r := range f.received()[0].Items {
			if r.ID == "example.com/m/a" {
				item = r
			}
		}
		item.MS = 0
		want, wantCode := shard.ItemResult{ID: "example.com/m/a", Status: shard.Passed, Part: 1, Parts: 2}, exitFine
		if command != "" {
			want, wantCode = shard.ItemResult{ID: "example.com/m/a", Status: shard.Failed}, exitRed
		}
		if code != wantCode || item != want || f.asked[0].Parts != (command == "") {
			t.Errorf("%q: exit code %d, item %+v, want %+v\n%s", command, code, item, want, &s.log)
		}
	}
}
