package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/queue/shard"
)

// planKeeper keeps plans and knows durations, and remembers what it was asked.
type planKeeper struct {
	planMu      sync.Mutex
	plans       map[string][]byte // by id
	inventories map[string][]byte
	history     shard.History
	tests       map[string][]shard.Sample
	folders     map[int][]string
	trouble     error
	frozen      int
}

func (k *planKeeper) FreezePlan(_ context.Context, _ shard.PlanKey, id, inventory string, _ time.Time, body []byte) ([]byte, error) {
	k.planMu.Lock()
	defer k.planMu.Unlock()
	if kept, ok := k.plans[id]; ok {
		return kept, k.trouble
	}
	k.frozen++
	k.plans[id] = bytes.Clone(body)
	if inventory != "" {
		k.inventories[inventory] = k.plans[id]
	}
	return body, k.trouble
}

func (k *planKeeper) PlanByID(_ context.Context, _ int64, id string) ([]byte, error) {
	k.planMu.Lock()
	defer k.planMu.Unlock()
	return found(k.plans[id], k.trouble)
}

func (k *planKeeper) PlanOfInventory(_ context.Context, _ int64, _, _, inventory string) ([]byte, error) {
	k.planMu.Lock()
	defer k.planMu.Unlock()
	return found(k.inventories[inventory], k.trouble)
}

func found(body []byte, trouble error) ([]byte, error) {
	if body == nil && trouble == nil {
		return nil, queue.ErrNotFound
	}
	return body, trouble
}

func (k *planKeeper) Entry(_ context.Context, _ int64, pr int) (queue.Entry, error) {
	if k.folders[pr] == nil {
		return queue.Entry{}, queue.ErrNotFound
	}
	return queue.Entry{Folders: k.folders[pr]}, nil
}

func (k *planKeeper) Timings(context.Context, int64, string, string) (shard.History, error) {
	return k.history, nil
}

func (k *planKeeper) TestTimings(_ context.Context, _ int64, _, _, item string) ([]shard.Sample, error) {
	return k.tests[item], nil
}

// ask asks for a plan and requires one that is fit for the wire.
func (f *front) ask(claims map[string]any, r shard.PlanRequest) shard.PlanAnswer {
	f.t.Helper()
	status, text := f.call(f.token(claims), "POST", "/v1/plans", r)
	var a shard.PlanAnswer
	if err := json.Unmarshal([]byte(text), &a); err != nil || status != 200 {
		f.t.Fatalf("answered %d %s", status, text)
	}
	if err := a.Validate(r); err != nil {
		f.t.Fatalf("not fit for the wire: %v: %s", err, text)
	}
	return a
}

func seconds(s int64) int64 { return 1000 * s }

// What the suite takes decides who runs what.
func TestAPlanIsMadeByDurations(t *testing.T) {
	f := openFront(t)
	f.keeper.history = shard.History{{Item: "a", MS: seconds(10), N: 3}, {Item: "b", MS: seconds(9), N: 3}, {Item: "c", MS: seconds(2), N: 10}, {Item: "e", MS: seconds(70), N: 1}}
	want := []string{"[e] 70000", "[a b c d] 31000"}
	for i := range 2 {
		a := f.ask(nil, planRequest(i, 2, "e", "d", "c", "b", "a"))
		if got := fmt.Sprint(a.Shard.IDs(), a.Shard.ExpectedMS); got != want[i] || a.Algorithm != shard.LPT || !a.Trusted || a.Mode != shard.ModeStatic {
			t.Errorf("shard %d: %s, want %s; %+v", i, got, want[i], a)
		}
		if !slices.Equal(a.ShardsExpectedMS, []int64{70000, 31000}) || a.UnknownItems != 1 || a.Bottleneck == nil || a.Bottleneck.ID != "e" {
			t.Errorf("shard %d is told %+v", i, a)
		}
		if !slices.Equal(a.Warnings, []string{"`e` alone takes 70 s; an even share is 51 s"}) {
			t.Errorf("warned %q", a.Warnings)
		}
	}
	if f.keeper.frozen != 1 {
		t.Errorf("%d plans were frozen", f.keeper.frozen)
	}
}

// A re-run that got another slice might leave out the very test that failed.
func TestAReRunGetsTheSliceItHad(t *testing.T) {
	f := openFront(t)
	before := f.ask(nil, planRequest(1, 3, "a", "b", "c", "d"))
	// When the server restarts, knows more, and the job is run again
	f.restart()
	f.keeper.history = shard.History{{Item: "a", MS: seconds(90), N: 3}}
	after := f.ask(map[string]any{"run_attempt": "2"}, planRequest(1, 3, "a", "b", "c", "d"))
	if !reflect.DeepEqual(before, after) {
		t.Errorf("it had %+v, and gets %+v", before, after)
	}
	// Another run is planned anew.
	if other := f.ask(map[string]any{"run_id": "101"}, planRequest(1, 3, "a", "b", "c", "d")); other.PlanID == before.PlanID || other.Bottleneck == nil {
		t.Errorf("another run gets %+v", other)
	}
}

// Shards ask at the same moment, and with different memories: still one plan.
func TestShardsThatRaceGetOnePlan(t *testing.T) {
	f := openFront(t)
	var ids []string
	for i := range 200 {
		ids = append(ids, fmt.Sprintf("item-%03d", i))
	}
	answers := make([]shard.PlanAnswer, 8)
	tokens := f.token(nil)
	var asking sync.WaitGroup
	for i := range answers {
		asking.Go(func() {
			status, text := f.call(tokens, "POST", "/v1/plans", planRequest(i, 8, ids...))
			if err := json.Unmarshal([]byte(text), &answers[i]); err != nil || status != 200 {
				t.Errorf("answered %d %s", status, text)
			}
		})
	}
	asking.Wait()
	var union []string
	for _, a := range answers {
		union = append(union, a.Shard.IDs()...)
	}
	slices.Sort(union)
	if !slices.Equal(union, ids) || f.keeper.frozen != 1 {
		t.Errorf("%d items in all shards, %d plans", len(union), f.keeper.frozen)
	}
}

// Two servers on one store: whoever is second goes by what the first froze.
func TestTheFirstPlanCounts(t *testing.T) {
	f := openFront(t)
	one := f.ask(nil, planRequest(0, 2, "a", "b", "c"))
	id := one.PlanID
	first := bytes.Clone(f.keeper.plans[id])
	delete(f.keeper.plans, id)
	f.restart()
	f.keeper.history = shard.History{{Item: "a", MS: seconds(90), N: 3}}
	d := &door{Options: f.options, shelf: newShelf(shelfRoom)}
	d.Plans = late{f.keeper, func() { f.keeper.plans[id] = first }}
	ask := planRequest(0, 2, "a", "b", "c")
	plan, err := d.planFor(t.Context(), caller{claims: claims{Repository: 7, Run: 100}}, &ask)
	if err != nil || !slices.Equal(plan.WholeShare(0).IDs(), one.Shard.IDs()) {
		t.Errorf("%v: %v, want %v", err, plan.WholeShare(0).IDs(), one.Shard.IDs())
	}
}

// late lets another server be first just before a plan is kept.
type late struct {
	*keeper
	first func()
}

func (l late) FreezePlan(ctx context.Context, key shard.PlanKey, id, inventory string, at time.Time, body []byte) ([]byte, error) {
	l.first()
	return l.keeper.FreezePlan(ctx, key, id, inventory, at, body)
}

// Three of four shards upload nothing, and later runs nothing at all.
func TestADigestIsEnoughOnceTheItemsAreKnown(t *testing.T) {
	f := openFront(t)
	digestOnly := func(i int, items ...string) shard.PlanRequest {
		r := planRequest(i, 2, items...)
		r.Inventory.Items = nil
		return r
	}
	if a := f.ask(nil, digestOnly(0, "a", "b")); a.Need != shard.NeedItems || len(f.keeper.facts) != 0 {
		t.Fatalf("of an unknown suite: %+v, and the queue heard %v", a, f.keeper.facts)
	}
	f.ask(nil, planRequest(0, 2, "a", "b"))
	if a := f.ask(nil, digestOnly(1, "a", "b")); a.Need != "" || !slices.Equal(a.Shard.IDs(), []string{"b"}) {
		t.Errorf("the second shard: %+v", a)
	}
	if a := f.ask(map[string]any{"run_id": "101"}, digestOnly(0, "a", "b")); a.Need != "" || !slices.Equal(a.Shard.IDs(), []string{"a"}) {
		t.Errorf("the next run: %+v", a)
	}
	f.restart() // from memory and from the store alike
	if a := f.ask(map[string]any{"run_id": "103"}, digestOnly(0, "a", "b")); a.Need != "" || !slices.Equal(a.Shard.IDs(), []string{"a"}) {
		t.Errorf("the first run after a restart: %+v", a)
	}
	if a := f.ask(nil, digestOnly(1, "a", "b", "c")); a.Need != shard.NeedItems {
		t.Errorf("another list: %+v", a)
	}
	if a := f.ask(map[string]any{"run_id": "102"}, digestOnly(1)); a.Need != "" || len(a.Shard.Items) != 0 {
		t.Errorf("an empty suite: %+v", a)
	}
}

// A job that lists other items gets the same plan, as far as it can run it, and is told.
func TestAShardThatListsOtherItemsGetsTheSamePlan(t *testing.T) {
	f := openFront(t)
	planned := []string{"a", "b", "c", "d"}
	first := f.ask(nil, planRequest(0, 2, planned...))
	if first.Warnings != nil {
		t.Errorf("the first is warned %q", first.Warnings)
	}
	ran := map[string]int{}
	for i := range 2 {
		a := f.ask(nil, planRequest(i, 2, "b", "c", "d", "x", "y", "z"))
		if a.PlanID != first.PlanID || len(a.Warnings) != 1 || !strings.Contains(a.Warnings[0], "lists other items") {
			t.Errorf("shard %d: %+v", i, a)
		}
		if gone := strings.Contains(a.Warnings[0], "1 planned for it are not here"); gone != (i == 0) {
			t.Errorf("shard %d is told %q", i, a.Warnings[0])
		}
		for _, id := range a.Shard.IDs() {
			ran[id]++
		}
	}
	if fmt.Sprint(ran) != "map[b:1 c:1 d:1 x:1 y:1 z:1]" {
		t.Errorf("ran %v", ran)
	}
}

// An item that is too long is cut where the job says that it can run parts, and only there.
func TestLongItemsAreCutForJobsThatRunParts(t *testing.T) {
	f := openFront(t)
	f.keeper.history = shard.History{{Item: "a", MS: seconds(90), N: 3}, {Item: "b", MS: seconds(10), N: 3}}
	f.keeper.tests = map[string][]shard.Sample{"a": {{Item: "TestA", MS: seconds(50)}, {Item: "TestB", MS: seconds(40)}}}
	r := planRequest(0, 2, "a", "b")
	if a := f.ask(nil, r); a.Shard.Items[0].Part != nil || a.Bottleneck == nil {
		t.Errorf("without parts: %+v", a)
	}
	r.Parts = true
	again := map[string]any{"run_id": "101"}
	a := f.ask(again, r)
	if len(a.Shard.Items) != 1 || a.Shard.Items[0].Part == nil || !slices.Equal(a.Shard.Items[0].Part.Only, []string{"TestA"}) || a.Shard.ExpectedMS != seconds(50) {
		t.Errorf("with parts: %+v", a.Shard)
	}
	r.Shard.Index = 1
	if a := f.ask(again, r); len(a.Shard.Items) != 2 || !slices.Equal(a.Shard.Items[0].Part.Without, []string{"TestA"}) {
		t.Errorf("the last part: %+v", a.Shard)
	}
	// A shard that says otherwise gets the whole item: more, and nothing less.
	r.Parts = false
	if a := f.ask(again, r); len(a.Shard.Items) != 2 || a.Shard.Items[0].Part != nil {
		t.Errorf("a shard without parts: %+v", a.Shard)
	}
	r.Parts, r.Runner = true, "generic"
	if a := f.ask(map[string]any{"run_id": "102"}, r); a.Shard.Items[0].Part != nil {
		t.Errorf("a runner that can't name tests: %+v", a.Shard)
	}
}

// quarantines is a list, and what it was asked.
type quarantines struct {
	asked []string
	err   error
}

func (q *quarantines) Quarantined(_ context.Context, repository int64, suite, variant string, touched []string) (shard.Quarantine, error) {
	q.asked = append(q.asked, fmt.Sprint(repository, " ", suite, variant, touched))
	return shard.Quarantine{Version: 17, Tests: []string{shard.TestKey("unit", "", "a", "TestFlaky")}}, q.err
}

// The list is frozen with the plan: what is excused later excuses nothing here.
func TestTheQuarantineIsFrozenWithThePlan(t *testing.T) {
	folders := map[int][]string{12: {"api", "docs"}, 14: {"api"}}
	for name, c := range map[string]struct {
		claims  map[string]any
		folders map[int][]string
		err     error
		asked   string
		listed  bool
	}{
		"an attempt":                     {folders: folders, asked: "[7 unit[api docs]]", listed: true},
		"one that touches too much":      {folders: map[int][]string{12: {"api"}, 14: {}}, asked: "[]"},
		"one whose members nobody knows": {asked: "[]"},
		"the base":                       {claims: map[string]any{"sha": "landed", "ref": "refs/heads/main"}, asked: "[7 unit[]]", listed: true},
		"a pull request":                 {claims: map[string]any{"sha": "x", "ref": "refs/pull/12/merge", "event_name": "pull_request"}, asked: "[]"},
		"somebody's branch":              {claims: map[string]any{"sha": "x", "ref": "refs/heads/topic"}, asked: "[]"},
		"a list that can't be had":       {folders: folders, err: errors.New("down"), asked: "[7 unit[api docs]]"},
	} {
		t.Run(name, func(t *testing.T) {
			f := openFront(t)
			list := &quarantines{err: c.err}
			f.options.Quarantines, f.keeper.folders = list, c.folders
			f.restart()
			for i := range 2 {
				a := f.ask(c.claims, planRequest(i, 2, "a", "b"))
				if (a.Quarantine != nil && a.Quarantine.Version == 17) != c.listed {
					t.Errorf("shard %d gets %+v", i, a.Quarantine)
				}
			}
			if got := fmt.Sprint(list.asked); got != c.asked {
				t.Errorf("asked %s, want %s", got, c.asked)
			}
		})
	}
}

// A push run on the base may know that the queue tested this very commit.
func TestTheBasesOwnRunIsToldThatItsCommitIsProven(t *testing.T) {
	base := map[string]any{"sha": "landed", "ref": "refs/heads/main"}
	f := openFront(t)
	want := shard.Proven{Commit: "landed", Tree: "tree", Batch: "2", URL: audience + "/q/o/r/main/batch/2"}
	if a := f.ask(base, planRequest(0, 2, "a", "b")); a.Proven == nil || *a.Proven != want {
		t.Errorf("told %+v", a.Proven)
	}
	for name, claims := range map[string]map[string]any{
		"under another event":   {"sha": "landed", "ref": "refs/heads/main", "event_name": "schedule"},
		"of another branch":     {"sha": "landed", "ref": "refs/heads/topic"},
		"of another commit":     {"sha": "other", "ref": "refs/heads/main"},
		"of what is tested yet": {"sha": "tested", "ref": "refs/heads/main"},
		"of the ticket":         nil,
	} {
		if a := f.ask(claims, planRequest(0, 2, "a", "b")); a.Proven != nil {
			t.Errorf("a run %s is told %+v", name, a.Proven)
		}
	}
}

// A store in trouble, and a body nobody can read, are our outage: the job falls back.
func TestAPlanThatCantBeReadIsUnavailable(t *testing.T) {
	f := openFront(t)
	f.keeper.trouble = errors.New("disk full")
	if status, text := f.call(f.token(nil), "POST", "/v1/plans", planRequest(0, 2, "a")); status != 503 || strings.Contains(text, "disk full") {
		t.Errorf("answered %d %s", status, text)
	}
	f.keeper.trouble = nil
	a := f.ask(nil, planRequest(0, 2, "a"))
	f.keeper.plans[a.PlanID] = []byte("{")
	f.restart()
	for _, path := range []string{"POST /v1/plans", "PUT /v1/reports/unit/0/0"} {
		method, path, _ := strings.Cut(path, " ")
		var body any = planRequest(0, 2, "a")
		if method == "PUT" {
			body = aReport(0, 2)
		}
		if status, text := f.call(f.token(nil), method, path, body); status != 503 {
			t.Errorf("%s answered %d %s", path, status, text)
		}
	}
}

// The shelf is bounded: what is asked for stays, what is not goes.
func TestTheShelfKeepsWhatIsAskedFor(t *testing.T) {
	s := newShelf(3 * (100 + planCost))
	plan := func(i int) *shard.Frozen { return &shard.Frozen{ID: fmt.Sprint(i), Units: make([]shard.Unit, 100)} }
	for i := range 3 {
		s.keep(7, plan(i))
		s.keep(7, plan(i)) // twice is once
	}
	s.find(7, "0")
	s.keep(7, plan(3))
	for i, want := range []bool{true, false, true, true} {
		if got := s.find(7, fmt.Sprint(i)) != nil; got != want {
			t.Errorf("plan %d is there: %v, want %v", i, got, want)
		}
	}
	if s.find(8, "3") != nil {
		t.Error("another repository finds it")
	}
	huge := &shard.Frozen{ID: "huge", Units: make([]shard.Unit, 1000)}
	if s.keep(7, huge); s.find(7, "huge") == nil || s.find(7, "3") != nil {
		t.Error("one that is larger than the shelf stands there alone")
	}
}
