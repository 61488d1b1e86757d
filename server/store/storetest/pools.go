package storetest

import (
	"errors"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/queue/shard"
)

// count adds one to a pool that is a number.
func count(t *testing.T, s Pools, repository int64, plan string, at time.Time) {
	t.Helper()
	must(t, s.UpdatePool(t.Context(), repository, plan, at, func(body []byte) ([]byte, error) {
		n, _ := strconv.Atoi(string(body))
		return []byte(strconv.Itoa(n + 1)), nil
	}))
}

// peek looks at a pool without changing it: refused is how nothing is written.
func peek(t *testing.T, s Pools, repository int64, plan string) string {
	t.Helper()
	refused, kept := errors.New("refused"), ""
	err := s.UpdatePool(t.Context(), repository, plan, noon.Add(time.Hour), func(body []byte) ([]byte, error) {
		if kept = "none"; body != nil {
			kept = string(body)
		}
		return []byte("never to be seen"), refused
	})
	if !errors.Is(err, refused) {
		t.Fatalf("a refused change answered %v", err)
	}
	return kept
}

func planOfRun(t *testing.T, s Store) {
	key := shard.PlanKey{Repository: 42, Run: 100, Suite: "unit", Total: 2}
	_, err := s.FreezePlan(t.Context(), key, "pl_1", "", noon, []byte("the plan"))
	must(t, err)
	body, err := s.PlanOfRun(t.Context(), 42, 100, "pl_1")
	if err != nil || string(body) != "the plan" {
		t.Errorf("its run got %q (%v)", body, err)
	}
	for _, other := range [][2]int64{{42, 101}, {43, 100}} {
		if _, err := s.PlanOfRun(t.Context(), other[0], other[1], "pl_1"); !errors.Is(err, queue.ErrNotFound) {
			t.Errorf("run %d of repository %d was answered %v", other[1], other[0], err)
		}
	}
}

// Shards claim at the same moment: each must see what the one before it got.
func changedPool(t *testing.T, s Store) {
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 25 {
				count(t, s, 42, "plan", noon)
			}
		})
	}
	all.Wait()
	count(t, s, 42, "other", noon)
	count(t, s, 43, "plan", noon)
	for _, c := range []struct {
		repository int64
		plan, want string
	}{{42, "plan", "200"}, {42, "other", "1"}, {43, "plan", "1"}, {43, "other", "none"}, {42, "plan", "200"}} {
		if got := peek(t, s, c.repository, c.plan); got != c.want {
			t.Errorf("plan %s of repository %d has a pool %q, want %q", c.plan, c.repository, got, c.want)
		}
	}
}

func prunedPool(t *testing.T, s Store) {
	count(t, s, 42, "old", noon.Add(-time.Hour))
	count(t, s, 42, "asked again", noon.Add(-time.Hour))
	count(t, s, 42, "asked again", noon)
	must(t, s.Prune(t.Context(), noon))
	if old, asked := peek(t, s, 42, "old"), peek(t, s, 42, "asked again"); old != "none" || asked != "2" {
		t.Errorf("the old pool is %s, the one that was asked again %s", old, asked)
	}
}
