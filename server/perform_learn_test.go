package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/queue/shard"
	"github.com/mainstay-ci/mainstay/server/store"
)

// school is a store of its own with one queue, and a performer that learns into it.
type school struct {
	*store.Store
	t     *testing.T
	place queue.Place
	now   time.Time
	// timeless is how often from now on a duration cannot be kept.
	timeless int
}

func openSchool(t *testing.T) *school {
	kept, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "mainstay.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { kept.Close() })
	s := &school{Store: kept, t: t, now: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)}
	if s.place, err = kept.OpenQueue(t.Context(), queue.Place{Repository: 42, Owner: "octo", Name: "shop", Branch: "main"}); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *school) KeepTimings(ctx context.Context, repository int64, suite, variant string, at time.Time, items []shard.Sample, tests map[string][]shard.Sample) error {
	if s.timeless--; s.timeless >= 0 {
		return errors.New("the disk is full")
	}
	return s.Store.KeepTimings(ctx, repository, suite, variant, at, items, tests)
}

// report keeps what a shard of an attempt says: TestCart fails first, or passes.
func (s *school) report(attempt int, fails bool) {
	s.t.Helper()
	cart := shard.Test{Key: "t_cart", Class: "shop", Name: "TestCart", File: "shop/cart_test.go", MS: 5}
	if fails {
		cart.Executions = []shard.Execution{{Status: shard.Failed, Kind: shard.KindAssertion, MS: 5}, {Status: shard.Passed, MS: 5}}
	}
	body, err := json.Marshal(shard.Report{Suite: "unit", Runner: "go", Items: []shard.ItemResult{{ID: "shop", Status: shard.Passed, MS: 700}},
		Tests: []shard.Test{cart, {Key: "t_mail", Class: "shop", Name: "TestMail", MS: 2}}})
	if err == nil {
		_, err = s.KeepReport(s.t.Context(), s.place.ID, fmt.Sprintf("%d/1/1/unit//0/000", attempt), "d", body, queue.Event{At: s.now, Fact: queue.TimePassed{}})
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// learn performs the task that the queue gives at a landing.
func (s *school) learn(task queue.LearnTests) error {
	p := &performer{lessons: s, reach: &reach{}, clock: func() time.Time { return s.now }}
	_, err := p.Perform(s.t.Context(), s.place, queue.DueEffect{Effect: queue.Effect{Task: task}})
	return err
}

func (s *school) excused(touched []string) []string {
	s.t.Helper()
	q, err := flakes{s.Store, func() time.Time { return s.now }}.Quarantined(s.t.Context(), 42, "unit", "", touched)
	if err != nil {
		s.t.Fatal(err)
	}
	return q.Tests
}

const fortnight = 14 * 24 * time.Hour

// Given forty landings, in every eighth of which TestCart fails before it passes,
// when all are learnt from, some of them twice, then it is in quarantine for a
// fortnight, but not for who changes its folder.
func TestWhatFlakesOnLandedCodeIsExcusedForAWhile(t *testing.T) {
	s := openSchool(t)
	s.report(400, true) // did not land, and its key begins as those of others
	for i := 1; i <= 40; i++ {
		s.now = s.now.Add(6 * time.Hour)
		s.report(i, i%8 == 0)
		for range 1 + i%2 {
			if err := s.learn(queue.LearnTests{Attempt: int64(i), Commit: fmt.Sprint(i), At: s.now, Term: fortnight}); err != nil {
				t.Fatal(err)
			}
		}
	}
	book, err := s.Tests(t.Context(), 42, "unit", "")
	if err != nil || book.Suite.Count != 40 || book.Suite.Tests != 2 || len(book.Tests) != 1 || book.Tests[0].Times != 5 {
		t.Fatalf("learnt %+v, %v", book, err)
	}
	for _, c := range []struct {
		touched []string
		later   time.Duration
		want    []string
	}{{[]string{"docs"}, 0, []string{"t_cart"}}, {[]string{"docs", "shop"}, 0, nil}, {nil, 0, nil}, {[]string{}, fortnight, nil}} {
		was := s.now
		s.now = s.now.Add(c.later)
		if got := s.excused(c.touched); !slices.Equal(got, c.want) {
			t.Errorf("touching %q, %s later: %q are excused", c.touched, c.later, got)
		}
		s.now = was
	}
}

// Given a queue that wants no quarantine, or an attempt that only was red, then
// flakes are counted all the same, and nobody is excused.
func TestCountingFlakesExcusesNobody(t *testing.T) {
	s := openSchool(t)
	for i := 1; i <= 40; i++ {
		s.now = s.now.Add(6 * time.Hour)
		s.report(i, i%8 == 0)
		if err := s.learn(queue.LearnTests{Attempt: int64(i), At: s.now, Red: i%8 == 0}); err != nil {
			t.Fatal(err)
		}
	}
	book, err := s.Tests(t.Context(), 42, "unit", "")
	if err != nil || book.Suite.Count != 35 || len(book.Tests) != 1 || book.Tests[0].Times != 5 || len(book.Tests[0].Commits) != 5 {
		t.Fatalf("learnt %+v, %v", book, err)
	}
	if got := s.excused([]string{}); len(got) != 0 {
		t.Fatalf("%q are excused", got)
	}
}

// Given a store that fails half-way, when the task is done again, later, then
// nothing of it counts twice.
func TestALandingIsLearntFromOnce(t *testing.T) {
	s := openSchool(t)
	s.report(7, true)
	task := queue.LearnTests{Attempt: 7, Commit: "c", At: s.now, Term: fortnight}
	s.timeless = 1
	if err := s.learn(task); err == nil {
		t.Fatal("durations could not be kept, and that was no error")
	}
	for range 3 {
		s.now = s.now.Add(time.Hour)
		if err := s.learn(task); err != nil {
			t.Fatal(err)
		}
	}
	book, err := s.Tests(t.Context(), 42, "unit", "")
	if err != nil || book.Suite.Count != 1 || book.Tests[0].Times != 1 {
		t.Fatalf("learnt %+v, %v", book, err)
	}
	times, err := s.Timings(t.Context(), 42, "unit", "")
	if err != nil || len(times) != 1 || times[0] != (shard.Timing{Item: "shop", MS: 700, N: 1}) {
		t.Fatalf("durations %+v, %v", times, err)
	}
}
