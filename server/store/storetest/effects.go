package storetest

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
)

func commitEffects(t *testing.T, s Store, id int64, effects ...queue.Effect) {
	t.Helper()
	version, err := s.Version(t.Context(), id)
	must(t, err)
	must(t, s.Commit(t.Context(), queue.Commit{Queue: id, Version: version, Effects: effects}))
}

func pending(t *testing.T, s Effects, id int64) []queue.DueEffect {
	t.Helper()
	effects, err := s.Pending(t.Context(), id)
	must(t, err)
	return effects
}

func check(title string) queue.Effect {
	return queue.Effect{Key: "check/1", Due: noon, Task: queue.PostCheck{PR: 1, Title: title}}
}

// A check's older words must never be posted after its newer ones.
func replacedEffect(t *testing.T, s Store) {
	id := openMain(t, s).ID
	commitEffects(t, s, id, check("first"))
	before := pending(t, s, id)[0]
	must(t, s.Defer(t.Context(), before, noon.Add(time.Hour), "down"))

	commitEffects(t, s, id, queue.Effect{Key: "check/1", Due: noon.Add(time.Minute), Task: queue.PostCheck{PR: 1, Title: "second"}})
	after := pending(t, s, id)
	if len(after) != 1 {
		t.Fatalf("%d effects pend, want 1", len(after))
	}
	want := before
	want.Generation++
	want.Tries = 0
	want.Due = noon.Add(time.Minute)
	want.Task = queue.PostCheck{PR: 1, Title: "second"}
	if !reflect.DeepEqual(after[0], want) {
		t.Errorf("pending is %+v, want %+v", after[0], want)
	}

	// Two of one key in one commit: the later holds. Another queue's same key is another effect.
	commitEffects(t, s, id, check("third"), check("fourth"))
	other := mainBranch
	other.Branch = "release"
	release, err := s.OpenQueue(t.Context(), other)
	must(t, err)
	commitEffects(t, s, release.ID, check("theirs"))
	for queueID, title := range map[int64]string{id: "fourth", release.ID: "theirs"} {
		if got := pending(t, s, queueID); len(got) != 1 || got[0].Task.(queue.PostCheck).Title != title {
			t.Errorf("queue %d has %+v, want %q", queueID, got, title)
		}
	}
}

// The old words were on their way while new ones were written: the new ones still have to go.
func finishedWhileReplaced(t *testing.T, s Store) {
	id := openMain(t, s).ID
	commitEffects(t, s, id, check("first"))
	old := pending(t, s, id)[0]
	commitEffects(t, s, id, check("second"))

	must(t, s.Finish(t.Context(), old, hint(1)))
	must(t, s.Defer(t.Context(), old, noon.Add(time.Hour), "late"))

	left := pending(t, s, id)
	if len(left) != 1 || left[0].Task.(queue.PostCheck).Title != "second" {
		t.Fatalf("pending is %+v, want the second alone", left)
	}
	if left[0].Tries != 0 || !left[0].Due.Equal(noon) {
		t.Errorf("the old one's delay fell on the new one: %+v", left[0])
	}
	unread, err := s.Unread(t.Context(), id, 10)
	must(t, err)
	if got := numbers(unread); !reflect.DeepEqual(got, []int{1}) {
		t.Errorf("the outcome of the old one: %v, want [1]", got)
	}
}

// The same key may come again after it was done: a late finish of the first must not touch the second.
func finishedEffect(t *testing.T, s Store) {
	id := openMain(t, s).ID
	commitEffects(t, s, id, check("first"))
	first := pending(t, s, id)[0]
	must(t, s.Finish(t.Context(), first, hint(1), hint(2)))
	if left := pending(t, s, id); len(left) != 0 {
		t.Fatalf("a finished effect pends: %+v", left)
	}
	commitEffects(t, s, id, check("second"))
	must(t, s.Finish(t.Context(), first))
	must(t, s.Defer(t.Context(), first, noon.Add(time.Hour), "late"))
	if left := pending(t, s, id); len(left) != 1 || left[0].Tries != 0 {
		t.Fatalf("the second of that key is %+v", left)
	}

	// An outcome that can't be recorded leaves the effect to be done again.
	second := pending(t, s, id)[0]
	if err := s.Finish(t.Context(), second, queue.Event{At: noon}); err == nil {
		t.Fatal("an event without a fact was taken")
	}
	if left := pending(t, s, id); len(left) != 1 {
		t.Error("the effect is gone and its outcome lost")
	}
}

// GitHub is down: try later, and know how often it was tried.
func deferredEffect(t *testing.T, s Store) {
	id := openMain(t, s).ID
	commitEffects(t, s, id, check("first"))
	for try := 1; try <= 3; try++ {
		e := pending(t, s, id)[0]
		due := noon.Add(time.Duration(try) * time.Minute)
		must(t, s.Defer(t.Context(), e, due, strings.Repeat("é\x00\xff", 5000)))
		got := pending(t, s, id)[0]
		e.Tries, e.Due = try, due
		if !reflect.DeepEqual(got, e) {
			t.Errorf("after try %d it is %+v, want %+v", try, got, e)
		}
	}
}

// The dispatcher sleeps until NextDue and then takes Due: the two must agree.
func dueOrder(t *testing.T, s Store) {
	ctx := t.Context()
	if _, some, err := s.NextDue(ctx); err != nil || some {
		t.Fatalf("an empty store has something due (%v, %v)", some, err)
	}
	id := openMain(t, s).ID
	at := func(key string, due time.Time) queue.Effect {
		return queue.Effect{Key: key, Due: due, Task: queue.Wake{}}
	}
	commitEffects(t, s, id,
		at("later", noon.Add(time.Nanosecond)), at("now", noon), at("also now", noon),
		at("past", noon.Add(-time.Hour)), at("1970", time.Unix(0, 0)), at("at once", time.Time{}),
		at("far", time.Date(3000, 1, 1, 0, 0, 0, 0, time.UTC)), at("once upon a time", time.Date(1200, 1, 1, 0, 0, 0, 0, time.UTC)))

	due, err := s.Due(ctx, noon, 10)
	must(t, err)
	if got, want := keys(due), []string{"at once", "once upon a time", "1970", "past", "now", "also now"}; !reflect.DeepEqual(got, want) {
		t.Errorf("due are %v, want %v", got, want)
	}
	if !due[0].Due.IsZero() {
		t.Errorf("no time came back as %v", due[0].Due)
	}
	due, err = s.Due(ctx, noon, 2)
	must(t, err)
	if len(due) != 2 {
		t.Errorf("asked for 2, got %d", len(due))
	}
	for {
		next, some, err := s.NextDue(ctx)
		must(t, err)
		if !some {
			break
		}
		due, err := s.Due(ctx, next, 1)
		must(t, err)
		if len(due) != 1 || !due[0].Due.Equal(next) {
			t.Fatalf("next is due at %v, and then due is %+v", next, due)
		}
		must(t, s.Finish(ctx, due[0]))
	}
	if left := pending(t, s, id); len(left) != 0 {
		t.Errorf("nothing is due next, but pending is %v", keys(left))
	}
}

func keys(effects []queue.DueEffect) []string {
	var all []string
	for _, e := range effects {
		all = append(all, e.Key)
	}
	return all
}
