package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/queue/shard"
)

var planKey = shard.PlanKey{Repository: 42, Run: 100, Suite: "unit", Variant: "linux", Total: 4}

// Shards ask at the same moment; all must get the plan of one of them.
func firstPlanStays(t *testing.T, s Store) {
	var asking sync.WaitGroup
	kept := make([][]byte, 8)
	for i := range kept {
		asking.Go(func() {
			body, err := s.FreezePlan(t.Context(), planKey, planKey.ID(), "d", noon, fmt.Appendf(nil, "plan %d", i))
			if err != nil {
				t.Error(err)
			}
			kept[i] = body
		})
	}
	asking.Wait()
	for _, body := range kept {
		if !bytes.Equal(body, kept[0]) || len(body) == 0 {
			t.Fatalf("one got %q and one %q", kept[0], body)
		}
	}
	for name, read := range map[string]func() ([]byte, error){
		"key":       func() ([]byte, error) { return s.PlanByKey(t.Context(), planKey) },
		"id":        func() ([]byte, error) { return s.PlanByID(t.Context(), 42, planKey.ID()) },
		"inventory": func() ([]byte, error) { return s.PlanOfInventory(t.Context(), 42, "unit", "linux", "d") },
	} {
		if body, err := read(); err != nil || !bytes.Equal(body, kept[0]) {
			t.Errorf("by its %s it is %q (%v), want %q", name, body, err, kept[0])
		}
	}
}

// A plan is one key's, and no other repository reads it.
func plansApart(t *testing.T, s Store) {
	ctx := t.Context()
	others := []shard.PlanKey{planKey, planKey, planKey, planKey, planKey}
	others[0].Run, others[1].Suite, others[2].Variant, others[3].Total, others[4].Repository = 101, "lint", "", 5, 43
	huge := []byte(strings.Repeat("item ", 500_000))
	_, err := s.FreezePlan(ctx, planKey, planKey.ID(), "d", noon, huge)
	must(t, err)
	for _, k := range others {
		if _, err := s.PlanByKey(ctx, k); !errors.Is(err, queue.ErrNotFound) {
			t.Errorf("%+v: %v, want ErrNotFound", k, err)
		}
		_, err := s.FreezePlan(ctx, k, k.ID(), "", noon, []byte(k.ID()))
		must(t, err)
	}
	if body, err := s.PlanByKey(ctx, planKey); err != nil || !bytes.Equal(body, huge) {
		t.Errorf("a plan of %d bytes came back with %d (%v)", len(huge), len(body), err)
	}
	for what, read := range map[string]func() ([]byte, error){
		"another repository's id":        func() ([]byte, error) { return s.PlanByID(ctx, 43, planKey.ID()) },
		"another repository's inventory": func() ([]byte, error) { return s.PlanOfInventory(ctx, 43, "unit", "linux", "d") },
		"a plan without inventory":       func() ([]byte, error) { return s.PlanOfInventory(ctx, 42, "lint", "linux", "") },
	} {
		if _, err := read(); !errors.Is(err, queue.ErrNotFound) {
			t.Errorf("%s: %v, want ErrNotFound", what, err)
		}
	}
}

// A run can be run again for thirty days, and then no more.
func prunedPlans(t *testing.T, s Store) {
	ctx := t.Context()
	old, young := planKey, planKey
	young.Run++
	for _, k := range []shard.PlanKey{old, young} {
		_, err := s.FreezePlan(ctx, k, k.ID(), "", noon.Add(time.Duration(k.Run-100)*time.Hour), []byte("plan"))
		must(t, err)
	}
	must(t, s.Prune(ctx, noon.Add(time.Minute)))
	if _, err := s.PlanByKey(ctx, old); !errors.Is(err, queue.ErrNotFound) {
		t.Errorf("the old plan: %v", err)
	}
	if _, err := s.PlanByKey(ctx, young); err != nil {
		t.Errorf("the young plan: %v", err)
	}
}

func samples(ms int64, items ...string) []shard.Sample {
	var all []shard.Sample
	for _, item := range items {
		all = append(all, shard.Sample{Item: item, MS: ms})
	}
	return all
}

func timings(t *testing.T, s Store) string {
	t.Helper()
	history, err := s.Timings(t.Context(), 42, "unit", "linux")
	must(t, err)
	return fmt.Sprint(history)
}

// What a run took is known to the next plan, of the same suite and variant alone.
func keptTimings(t *testing.T, s Store) {
	ctx := t.Context()
	keep := func(at time.Duration, items []shard.Sample) {
		must(t, s.KeepTimings(ctx, 42, "unit", "linux", noon.Add(at), items, nil))
	}
	keep(0, samples(100, "b", "a", ""))
	keep(time.Hour, samples(300, "a"))
	keep(2*time.Hour, samples(200, "a", "é"))
	if got, want := timings(t, s), "[{a 200 3} {b 100 1} {é 200 1}]"; got != want {
		t.Errorf("known is %s, want %s", got, want)
	}
	// Told twice, it counts once; told late, it counts by its time.
	keep(2*time.Hour, samples(900, "a", "é"))
	keep(90*time.Minute, samples(210, "a"))
	if got, want := timings(t, s), "[{a 210 4} {b 100 1} {é 200 1}]"; got != want {
		t.Errorf("known is %s, want %s", got, want)
	}
	for _, other := range []struct {
		repository     int64
		suite, variant string
	}{{43, "unit", "linux"}, {42, "lint", "linux"}, {42, "unit", ""}} {
		if history, err := s.Timings(ctx, other.repository, other.suite, other.variant); err != nil || len(history) != 0 {
			t.Errorf("%+v knows %v (%v)", other, history, err)
		}
	}
	// What nobody heard of for long is forgotten.
	must(t, s.Prune(ctx, noon.Add(90*time.Minute+90*24*time.Hour)))
	if got, want := timings(t, s), "[{a 210 4} {é 200 1}]"; got != want {
		t.Errorf("known is %s, want %s", got, want)
	}
}

// A suite that is well known is written once a day: nothing new is nothing to write.
func rareTimings(t *testing.T, s Store) {
	ctx := t.Context()
	at := noon
	run := func(ms int64, pause time.Duration) {
		at = at.Add(pause)
		must(t, s.KeepTimings(ctx, 42, "unit", "linux", at, samples(ms, "a"), nil))
	}
	for i := range 10 {
		run(1000+int64(i), time.Minute)
	}
	// Given ten samples of about a second, when a busy day goes by, then they are the same ones.
	for range 20 {
		run(1400, 10*time.Minute)
	}
	if got, want := timings(t, s), "[{a 1005 10}]"; got != want {
		t.Errorf("after a day known is %s, want %s", got, want)
	}
	// A test that takes three times as long is noticed within a few landings.
	for range 6 {
		run(3500, time.Minute)
	}
	if got, want := timings(t, s), "[{a 3500 10}]"; got != want {
		t.Errorf("after a change known is %s, want %s", got, want)
	}
	// And a little change within days.
	for range 6 {
		run(4000, 25*time.Hour)
	}
	if got, want := timings(t, s), "[{a 4000 10}]"; got != want {
		t.Errorf("after days known is %s, want %s", got, want)
	}
}

// The tests inside an item are kept where it is long enough to be cut.
func keptTestTimings(t *testing.T, s Store) {
	ctx := t.Context()
	run := func(hour time.Duration, tests map[string][]shard.Sample) {
		must(t, s.KeepTimings(ctx, 42, "unit", "linux", noon.Add(hour*time.Hour), append(samples(90_000, "long", "silent"), samples(100, "short")...), tests))
	}
	run(0, map[string][]shard.Sample{"long": samples(30_000, "TestB", "TestA", "TestGone"), "short": samples(50, "TestX", "TestY"), "silent": nil})
	run(1, map[string][]shard.Sample{"long": samples(60_000, "TestA", "TestB", "TestNew", "TestNew")})
	for item, want := range map[string]string{"long": "[{TestA 40000} {TestB 40000} {TestNew 60000}]", "short": "[]", "silent": "[]", "unheard of": "[]"} {
		got, err := s.TestTimings(ctx, 42, "unit", "linux", item)
		if must(t, err); fmt.Sprint(got) != want {
			t.Errorf("inside %s: %v, want %s", item, got, want)
		}
	}
	if got, err := s.TestTimings(ctx, 43, "unit", "linux", "long"); err != nil || len(got) != 0 {
		t.Errorf("another repository reads %v (%v)", got, err)
	}
}

// Plans ask for an entry's folders: what a pull request touches.
func oneEntry(t *testing.T, s Store) {
	id := openMain(t, s).ID
	e := entry(1)
	e.Folders = []string{"api", "docs"}
	must(t, s.Commit(t.Context(), queue.Commit{Queue: id, Changes: queue.Changes{Entries: []queue.Entry{e}}}))
	got, err := s.Entry(t.Context(), id, 1)
	if must(t, err); len(got.Folders) != 2 || got.PR.Number != 1 {
		t.Errorf("the entry is %+v", got)
	}
	if _, err := s.Entry(t.Context(), id, 2); !errors.Is(err, queue.ErrNotFound) {
		t.Errorf("an entry that is not there: %v", err)
	}
}
