package storetest

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
)

// A report names a repository and a commit, and nothing else decides whose it is.
func foundAttempt(t *testing.T, s Store) {
	ctx := t.Context()
	place := openMain(t, s)
	live := queue.Attempt{ID: 1, Batch: 1, Phase: queue.AttemptTesting, Ticket: "mainstay/main/1", New: "live", At: noon, Since: noon,
		Plan: queue.Plan{Suites: map[string]int{"unit": 4}}}
	dead := queue.Attempt{ID: 2, Phase: queue.AttemptDead, New: "dead", At: noon, Since: noon}
	building := queue.Attempt{ID: 3, Phase: queue.AttemptBuilding, At: noon, Since: noon}
	must(t, s.Commit(ctx, queue.Commit{Queue: place.ID, Changes: queue.Changes{Attempts: []queue.Attempt{live, dead, building}}}))

	gotPlace, got, err := s.FindAttempt(ctx, place.Repository, "live")
	must(t, err)
	if gotPlace != place || !reflect.DeepEqual(got, live) {
		t.Errorf("found %+v in %+v", got, gotPlace)
	}
	if _, got, err := s.FindAttempt(ctx, place.Repository, "dead"); err != nil || got.ID != 2 {
		t.Errorf("a dead attempt, which somebody may wait for, is found as %+v, %v", got, err)
	}
	for _, miss := range []struct {
		repository int64
		commit     string
	}{{place.Repository, ""}, {place.Repository, "liv"}, {place.Repository, "LIVE"}, {place.Repository + 1, "live"}} {
		if _, _, err := s.FindAttempt(ctx, miss.repository, miss.commit); !errors.Is(err, queue.ErrNotFound) {
			t.Errorf("commit %q in repository %d: %v, want ErrNotFound", miss.commit, miss.repository, err)
		}
	}

	// When it landed and its row is gone, the receipt still knows it.
	receipt := queue.Receipt{Attempt: 1, Batch: 1, Branch: "main", Old: "o", Commit: "live", Tree: "t", Members: []queue.Member{{PR: 1, Head: "h"}}, At: noon}
	must(t, s.Commit(ctx, queue.Commit{Queue: place.ID, Version: 1, Changes: queue.Changes{AttemptsGone: []int64{1}, Receipts: []queue.Receipt{receipt}}}))
	gotPlace, got, err = s.FindAttempt(ctx, place.Repository, "live")
	must(t, err)
	if gotPlace != place || got.ID != 1 || got.Phase != queue.AttemptLanded || got.New != "live" || got.Old != "o" || len(got.Members) != 1 {
		t.Errorf("landed, it is found as %+v in %+v", got, gotPlace)
	}
	if _, _, err := s.FindAttempt(ctx, place.Repository+1, "live"); !errors.Is(err, queue.ErrNotFound) {
		t.Errorf("a landed attempt is readable from another repository: %v", err)
	}
}

// Pages show the last few of a history that never ends.
func historyOrder(t *testing.T, s Store) {
	ctx := t.Context()
	id := openMain(t, s).ID
	other := mainBranch
	other.Branch = "release"
	release, err := s.OpenQueue(ctx, other)
	must(t, err)
	for i := range 3 {
		e := entry(i + 1)
		e.Phase = queue.Out
		e.End = &queue.End{Reason: queue.ChecksFailed, Detail: "TestA failed", At: noon}
		r := queue.Receipt{Attempt: int64(i + 1), Branch: "main", Commit: string(rune('a' + i)), At: noon.Add(time.Duration(i))}
		must(t, s.Commit(ctx, queue.Commit{Queue: id, Version: int64(i), Changes: queue.Changes{Ended: []queue.Entry{e}, Receipts: []queue.Receipt{r}}}))
	}
	must(t, s.Commit(ctx, queue.Commit{Queue: release.ID, Changes: queue.Changes{
		Ended: []queue.Entry{entry(9)}, Receipts: []queue.Receipt{{Attempt: 9, Commit: "z"}}}}))

	ended, err := s.Ended(ctx, id, 2)
	must(t, err)
	if len(ended) != 2 || ended[0].PR.Number != 3 || ended[1].PR.Number != 2 || ended[0].End.Reason != queue.ChecksFailed {
		t.Errorf("ended are %+v", ended)
	}
	receipts, err := s.Receipts(ctx, id, 10)
	must(t, err)
	if len(receipts) != 3 || receipts[0].Commit != "c" || receipts[2].Commit != "a" {
		t.Errorf("receipts are %+v", receipts)
	}
	one, err := s.Receipt(ctx, "b")
	must(t, err)
	if !reflect.DeepEqual(one, receipts[1]) {
		t.Errorf("the receipt of b is %+v, want %+v", one, receipts[1])
	}
}

// The audit is only ever added to, and each queue and pull request has its own.
func rulings(t *testing.T, s Store) {
	ctx := t.Context()
	id := openMain(t, s).ID
	place := mainBranch
	place.Branch = "release"
	release, err := s.OpenQueue(ctx, place)
	must(t, err)
	all := []queue.Ruling{
		{At: noon, PR: 1, Head: "a", Fork: true, By: queue.Actor{ID: 3, Login: "ann"}, What: "enter", Source: "label", SourceID: 9},
		{At: noon, PR: 2, By: queue.Actor{ID: 4, Login: "eve"}, What: "queue", Rule: queue.Rule(queue.NotPermitted), Detail: "no", Source: "comment", SourceID: 10},
		{At: noon, PR: 1, By: queue.Actor{ID: 4, Login: "eve"}, What: "out", Rule: queue.RuleNotInLine, Detail: "no", Source: "comment", SourceID: 11},
	}
	must(t, s.Commit(ctx, queue.Commit{Queue: id, Changes: queue.Changes{Rulings: all[:2]}}))
	must(t, s.Commit(ctx, queue.Commit{Queue: id, Version: 1, Changes: queue.Changes{Rulings: all[2:]}}))
	must(t, s.Commit(ctx, queue.Commit{Queue: release.ID, Changes: queue.Changes{Rulings: []queue.Ruling{{PR: 1, What: "enter"}}}}))

	got, err := s.Rulings(ctx, id, false, 10)
	must(t, err)
	if want := []queue.Ruling{all[2], all[1], all[0]}; !reflect.DeepEqual(got, want) {
		t.Errorf("the audit is %+v, want %+v", got, want)
	}
	got, err = s.Rulings(ctx, id, true, 1)
	must(t, err)
	if !reflect.DeepEqual(got, all[2:]) {
		t.Errorf("the last refusal is %+v", got)
	}
	got, err = s.RulingsOfPull(ctx, id, 1, 10)
	must(t, err)
	if want := []queue.Ruling{all[2], all[0]}; !reflect.DeepEqual(got, want) {
		t.Errorf("the audit of #1 is %+v", got)
	}
}
