package storetest

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
)

// Two webhooks may want the same queue at once: there must be one.
func openedOnce(t *testing.T, s Store) {
	first := openMain(t, s)
	again := openMain(t, s)
	if first.ID == 0 || first != again {
		t.Fatalf("opened twice: %+v, then %+v", first, again)
	}
	other := mainBranch
	other.Branch = "release"
	release, err := s.OpenQueue(t.Context(), other)
	must(t, err)
	if release.ID == first.ID {
		t.Fatal("two branches share a queue")
	}

	place, version, rows, err := s.Load(t.Context(), first.ID)
	must(t, err)
	if place != first || version != 0 {
		t.Errorf("loaded %+v at version %d", place, version)
	}
	if want := queue.NewState("main").Rows(); !reflect.DeepEqual(rows, want) {
		t.Errorf("a new queue is\n%+v, want\n%+v", rows, want)
	}
	for _, bad := range []queue.Place{{Repository: 1}, {Branch: "main"}} {
		if _, err := s.OpenQueue(t.Context(), bad); err == nil {
			t.Errorf("opened a queue of %+v", bad)
		}
	}
}

// GitHub keeps the id of a renamed repository: so must we its line.
func renamed(t *testing.T, s Store) {
	first := openMain(t, s)
	must(t, s.Append(t.Context(), first.ID, queue.Event{At: noon, Fact: queue.TimePassed{}}))
	other := mainBranch
	other.Branch, other.Owner, other.Name, other.Installation = "release", "acme", "store", 8
	release, err := s.OpenQueue(t.Context(), other)
	must(t, err)

	all, err := s.Queues(t.Context())
	must(t, err)
	moved := first
	moved.Owner, moved.Name, moved.Installation = "acme", "store", 8
	if want := []queue.Place{moved, release}; !reflect.DeepEqual(all, want) {
		t.Errorf("queues are %+v, want %+v", all, want)
	}
	of, err := s.QueuesOf(t.Context(), 42)
	must(t, err)
	if !reflect.DeepEqual(of, all) {
		t.Errorf("queues of the repository are %+v", of)
	}
	none, err := s.QueuesOf(t.Context(), 43)
	must(t, err)
	if len(none) != 0 {
		t.Errorf("another repository has %+v", none)
	}
	unread, err := s.Unread(t.Context(), first.ID, 10)
	must(t, err)
	if len(unread) != 1 {
		t.Errorf("the rename cost %d events", 1-len(unread))
	}
}

// What a crash leaves is all that Step gets to see: nothing of a row may be lost or changed.
func roundTrip(t *testing.T, s Store) {
	id := openMain(t, s).ID
	header := queue.NewState("main").Rows().Header
	header.Tip, header.Pause = "aaa", &queue.Pause{By: "ann", Reason: "release", At: noon}
	first := queue.Rows{
		Header:  header,
		Entries: []queue.Entry{entry(1), entry(2), entry(3)},
		Batches: []queue.Batch{{ID: 1, Members: []int{1, 2}, Nodes: []queue.Node{{Parent: -1, Members: []int{1, 2}, State: queue.NodeTesting}}, Opened: noon}},
		Attempts: []queue.Attempt{
			{ID: 1, Batch: 1, Phase: queue.AttemptBuilding, Ticket: "mainstay/main/1", Old: "aaa", At: noon, Since: noon},
			{ID: 2, Batch: 1, Phase: queue.AttemptTesting, Ticket: "mainstay/main/2", Old: "aaa", New: "bbb", At: noon, Since: noon},
		},
	}
	must(t, s.Commit(t.Context(), queue.Commit{Queue: id, Changes: queue.Changes{
		Header: &first.Header, Entries: first.Entries, Batches: first.Batches, Attempts: first.Attempts,
	}}))
	loaded(t, s, id, 1, first)

	// Then: one of each is changed, one of each is gone, the header stays.
	first.Entries[0].Phase = queue.Testing
	first.Batches = append(first.Batches[:0:0], queue.Batch{ID: 2, Members: []int{3}, Opened: noon.Add(time.Minute)})
	first.Attempts[1].Phase = queue.AttemptMoving
	must(t, s.Commit(t.Context(), queue.Commit{Queue: id, Version: 1, Changes: queue.Changes{
		Entries: first.Entries[:1], EntriesGone: []int{2},
		Batches: first.Batches, BatchesGone: []int64{1},
		Attempts: first.Attempts[1:], AttemptsGone: []int64{1},
	}}))
	first.Entries = []queue.Entry{first.Entries[0], first.Entries[2]}
	first.Attempts = first.Attempts[1:]
	loaded(t, s, id, 2, first)
}

func loaded(t *testing.T, s Queues, id, version int64, want queue.Rows) {
	t.Helper()
	_, got, rows, err := s.Load(t.Context(), id)
	must(t, err)
	alone, err := s.Version(t.Context(), id)
	must(t, err)
	if got != version || alone != version {
		t.Errorf("version is %d, alone %d, want %d", got, alone, version)
	}
	if !reflect.DeepEqual(rows, want) {
		t.Errorf("loaded\n%+v\nwant\n%+v", rows, want)
	}
}

func entry(pr int) queue.Entry {
	return queue.Entry{
		PR:     queue.PullRequest{Number: pr, Title: "a change", Head: "abc", Base: "main", Status: queue.Open, ReadAt: noon},
		Wish:   queue.Wish{ID: int64(pr), By: queue.Actor{ID: 9, Login: "ann"}, MayWrite: true, At: noon},
		Phase:  queue.Waiting,
		Wait:   queue.InLine,
		Order:  int64(pr),
		Since:  noon,
		Pinned: "abc", EnteredAt: noon,
	}
}

// Two engines that both loaded version 0 must not both win.
func staleCommit(t *testing.T, s Store) {
	id := openMain(t, s).ID
	must(t, s.Append(t.Context(), id, queue.Event{At: noon, Fact: queue.TimePassed{}}))
	unread, err := s.Unread(t.Context(), id, 1)
	must(t, err)
	must(t, s.Commit(t.Context(), queue.Commit{Queue: id, Changes: queue.Changes{Entries: []queue.Entry{entry(1)}}}))

	header := queue.Header{Branch: "stale"}
	for _, version := range []int64{0, 2, -1} {
		err = s.Commit(t.Context(), queue.Commit{
			Queue: id, Version: version, Consumed: []int64{unread[0].ID},
			Changes: queue.Changes{Header: &header, Entries: []queue.Entry{entry(2)}, EntriesGone: []int{1},
				Ended: []queue.Entry{entry(1)}, Receipts: []queue.Receipt{{Commit: "ccc"}}},
			Effects: []queue.Effect{{Key: "wake", Due: noon, Task: queue.Wake{}}},
		})
		if !errors.Is(err, queue.ErrStale) {
			t.Fatalf("a commit at version %d got %v, want ErrStale", version, err)
		}
	}
	want := queue.NewState("main").Rows()
	want.Entries = []queue.Entry{entry(1)}
	loaded(t, s, id, 1, want)
	nothingBeside(t, s, id, 1)
}

// A commit that fails half-way (an effect without a task) must not be half there.
func refusedCommit(t *testing.T, s Store) {
	id := openMain(t, s).ID
	err := s.Commit(t.Context(), queue.Commit{
		Queue:   id,
		Changes: queue.Changes{Entries: []queue.Entry{entry(1)}, Ended: []queue.Entry{entry(1)}},
		Effects: []queue.Effect{{Key: "good", Task: queue.Wake{}}, {Key: "bad"}},
	})
	if err == nil {
		t.Fatal("an effect without a task was taken")
	}
	loaded(t, s, id, 0, queue.NewState("main").Rows())
	nothingBeside(t, s, id, 0)

	// The next one, which is right, is not held up by it.
	must(t, s.Commit(t.Context(), queue.Commit{Queue: id}))
}

func nothingBeside(t *testing.T, s Store, id int64, events int) {
	t.Helper()
	unread, err := s.Unread(t.Context(), id, 10)
	must(t, err)
	effects, err := s.Pending(t.Context(), id)
	must(t, err)
	ended, err := s.Ended(t.Context(), id, 10)
	must(t, err)
	receipts, err := s.Receipts(t.Context(), id, 10)
	must(t, err)
	rulings, err := s.Rulings(t.Context(), id, false, 10)
	must(t, err)
	if len(unread) != events || len(effects)+len(ended)+len(receipts)+len(rulings) != 0 {
		t.Errorf("a refused commit left %d events (want %d), %d effects, %d ended, %d receipts, %d rulings",
			len(unread), events, len(effects), len(ended), len(receipts), len(rulings))
	}
}

// A wrong id must never look like an empty queue.
func unknownQueue(t *testing.T, s Store) {
	const nobody = 999
	ctx := t.Context()
	_, _, _, errLoad := s.Load(ctx, nobody)
	_, errVersion := s.Version(ctx, nobody)
	_, errReport := s.KeepReport(ctx, nobody, "k", "d", nil, queue.Event{At: noon, Fact: queue.TimePassed{}})
	_, _, errAttempt := s.FindAttempt(ctx, nobody, "abc")
	_, _, errEmpty := s.FindAttempt(ctx, nobody, "")
	_, errReceipt := s.Receipt(ctx, "abc")
	for what, err := range map[string]error{
		"load":             errLoad,
		"version":          errVersion,
		"commit":           s.Commit(ctx, queue.Commit{Queue: nobody}),
		"append":           s.Append(ctx, nobody, queue.Event{At: noon, Fact: queue.TimePassed{}}),
		"report":           errReport,
		"find attempt":     errAttempt,
		"find no commit":   errEmpty,
		"receipt":          errReceipt,
		"finish delivery":  s.FinishDelivery(ctx, "nobody", nil),
		"finish an effect": s.Finish(ctx, queue.DueEffect{Queue: nobody}, queue.Event{At: noon, Fact: queue.TimePassed{}}),
	} {
		if !errors.Is(err, queue.ErrNotFound) {
			t.Errorf("%s got %v, want ErrNotFound", what, err)
		}
	}
}
