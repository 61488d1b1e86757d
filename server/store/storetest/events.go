package storetest

import (
	"reflect"
	"testing"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
)

var facts = []queue.Fact{
	queue.PullRequestHinted{Number: 1, Labelled: true}, queue.PullRequestRead{PR: entry(1).PR}, queue.WishesFound{Numbers: []int{1, 2}},
	queue.CommandHinted{Comment: 7}, queue.CommandsRead{Commands: []queue.Command{{ID: 7, PR: 1, Word: queue.WordFirst, Text: "why", MayWrite: true, At: noon, Pull: entry(1).PR}}, Newest: noon}, queue.LabelSet{PR: 1}, queue.ButtonHinted{PR: 1, Word: queue.WordOut, By: queue.Actor{ID: 3, Login: "ann"}}, queue.ButtonPressed{Command: queue.Command{PR: 1, Word: queue.WordOut}},
	queue.BaseHinted{Tip: "a"}, queue.BaseRead{Tip: "a", Settings: queue.Defaults(), ReadAt: noon},
	queue.AttemptBuilt{Attempt: 1, New: "n", Tree: "t", Conflicts: []queue.Conflicting{{PR: 1, Files: []string{"a"}}}},
	queue.BuildFailed{Attempt: 1, Detail: "d"}, queue.TicketPushed{Attempt: 1}, queue.TicketFailed{Attempt: 1, Detail: "d"},
	queue.ResultsHinted{Commit: "c", Done: true}, queue.ResultsRead{Attempt: 1, Results: queue.Results{ReadAt: noon}},
	queue.ShardStarted{Commit: "c", Shard: queue.Shard{Suite: "unit", StartedAt: noon}},
	queue.ShardReported{Commit: "c", Shard: queue.Shard{Suite: "unit", StartedAt: noon, Failed: []queue.FailedTest{{Name: "TestA"}}}},
	queue.MembersRead{Attempt: 1}, queue.HeadsMoved{Attempt: 1, Moved: []queue.Move{{PR: 1, Ref: "r"}}},
	queue.LandingTried{Attempt: 1, Outcome: queue.OutcomeRefused, Rule: "no"}, queue.Abandoned{Attempt: 1, Contains: true},
	queue.CheckPosted{PR: 1, Head: "h", ID: 5}, queue.Settled{PR: 1, Status: queue.Merged}, queue.Audited{Attempt: 1, TreeOK: true},
	queue.HeadSeen{PR: 1, Head: "h", Guarded: []string{"p"}}, queue.PauseAsked{By: "ann", Reason: "r"}, queue.ResumeAsked{By: "ann"}, queue.LeaveAsked{PR: 1, By: "ann"}, queue.TimePassed{},
}

var tasks = []queue.Task{
	queue.ReadPullRequest{Number: 1, Label: "l"}, queue.ReadBase{}, queue.ReadCommands{Since: noon, Used: []int64{7}, Hinted: 8, As: queue.ReadPullRequest{Label: "l", Asked: true}}, queue.AddLabel{PR: 1, Label: "l"}, queue.ReadPress{Word: queue.WordOut, By: queue.Actor{ID: 3}, As: queue.ReadPullRequest{Number: 1}}, queue.React{Comment: 7, Mark: "+1"}, queue.FindWishes{Label: "l"},
	queue.BuildAttempt{Attempt: 1, Old: "o", Members: []queue.Member{{PR: 1, Head: "h"}}, At: noon,
		Texts: []queue.PullText{{PR: 1, Title: "t"}}, Merging: queue.Merging{Method: queue.MethodMerge}}, queue.FetchHead{Head: "h", PR: 1, Base: "b"},
	queue.PushTicket{Attempt: 1, Ticket: "t", Commit: "c"}, queue.ReadResults{Attempt: 1, Statuses: true},
	queue.ReadMembers{Attempt: 1, Numbers: []int{1}}, queue.MoveHeads{Attempt: 1, Moves: []queue.Move{{PR: 1}}},
	queue.MoveBase{Attempt: 1, Old: "o", New: "n", Tickets: []queue.Ticketed{{Ticket: "t", Commit: "n"}}}, queue.AbandonAttempt{Attempt: 1}, queue.CancelRuns{Commits: []string{"c"}},
	queue.PostCheck{PR: 1, Title: "t"}, queue.RemoveLabel{PR: 1, Label: "l"}, queue.PostComment{PR: 1, Text: "t"},
	queue.SettleLanded{PR: 1, Since: noon, Check: queue.PostCheck{PR: 1}}, queue.AuditLanding{Attempt: 1},
	queue.LearnTests{Attempt: 1, Commit: "c", Red: true, Term: 1}, queue.Wake{},
}

// A kind that cannot be read back would stop its queue for good.
func everyKind(t *testing.T, s Store) {
	id := openMain(t, s).ID
	var events []queue.Event
	for i, f := range facts {
		events = append(events, queue.Event{At: noon.Add(time.Duration(i)), Fact: f})
	}
	must(t, s.Append(t.Context(), id, events...))
	unread, err := s.Unread(t.Context(), id, len(facts)+1)
	must(t, err)
	if len(unread) != len(events) {
		t.Fatalf("%d of %d events came back", len(unread), len(events))
	}
	for i, got := range unread {
		if !reflect.DeepEqual(got.Event, events[i]) {
			t.Errorf("event %d is %+v, want %+v", i, got.Event, events[i])
		}
	}

	var effects []queue.Effect
	for i, task := range tasks {
		effects = append(effects, queue.Effect{Key: reflect.TypeOf(task).Name(), Due: noon.Add(time.Duration(i)), Task: task})
	}
	must(t, s.Commit(t.Context(), queue.Commit{Queue: id, Effects: effects}))
	pending, err := s.Pending(t.Context(), id)
	must(t, err)
	if len(pending) != len(effects) {
		t.Fatalf("%d of %d effects came back", len(pending), len(effects))
	}
	for i, got := range pending {
		if !reflect.DeepEqual(got.Effect, effects[i]) {
			t.Errorf("effect %d is %+v, want %+v", i, got.Effect, effects[i])
		}
	}
}

// An event may be read many times, and is gone only with the state it led to.
func eventsInOrder(t *testing.T, s Store) {
	ctx := t.Context()
	first := openMain(t, s).ID
	place := mainBranch
	place.Repository = 43
	other, err := s.OpenQueue(ctx, place)
	must(t, err)
	place.Repository = 44
	_, err = s.OpenQueue(ctx, place) // it never has events
	must(t, err)

	must(t, s.Append(ctx, first)) // nothing is fine
	for i := range 5 {
		must(t, s.Append(ctx, first, hint(2*i), hint(2*i+1)))
		must(t, s.Append(ctx, other.ID, hint(100+i)))
	}
	unread, err := s.Unread(ctx, first, 7)
	must(t, err)
	if got := numbers(unread); !reflect.DeepEqual(got, []int{0, 1, 2, 3, 4, 5, 6}) {
		t.Fatalf("read %v", got)
	}
	waiting(t, s, first, other.ID)

	// When a commit of the first queue consumes seven, and names one of the other's by mistake.
	theirs, err := s.Unread(ctx, other.ID, 1)
	must(t, err)
	consumed := []int64{theirs[0].ID}
	for _, e := range unread {
		consumed = append(consumed, e.ID)
	}
	must(t, s.Commit(ctx, queue.Commit{Queue: first, Consumed: consumed}))

	unread, err = s.Unread(ctx, first, 7)
	must(t, err)
	if got := numbers(unread); !reflect.DeepEqual(got, []int{7, 8, 9}) {
		t.Errorf("left are %v", got)
	}
	theirs, err = s.Unread(ctx, other.ID, 10)
	must(t, err)
	if len(theirs) != 5 {
		t.Errorf("the other queue has %d events, want 5", len(theirs))
	}
	must(t, s.Commit(ctx, queue.Commit{Queue: first, Version: 1, Consumed: []int64{unread[0].ID, unread[1].ID, unread[2].ID}}))
	waiting(t, s, other.ID)

	// An event without a fact is refused, and its neighbours with it.
	if err := s.Append(ctx, first, hint(1), queue.Event{At: noon}); err == nil {
		t.Error("an event without a fact was taken")
	}
	waiting(t, s, other.ID)
}

func waiting(t *testing.T, s Events, want ...int64) {
	t.Helper()
	got, err := s.QueuesWithUnread(t.Context())
	must(t, err)
	if !reflect.DeepEqual(got, want) {
		t.Errorf("queues with unread events: %v, want %v", got, want)
	}
}

func hint(pr int) queue.Event {
	return queue.Event{At: noon, Fact: queue.PullRequestHinted{Number: pr}}
}

func numbers(events []queue.RecordedEvent) []int {
	var all []int
	for _, e := range events {
		all = append(all, e.Fact.(queue.PullRequestHinted).Number)
	}
	return all
}

// What can't be taken in stands beside its queue, and those behind it come next.
func setAside(t *testing.T, s Store) {
	id := openMain(t, s).ID
	must(t, s.Append(t.Context(), id, queue.Event{At: noon, Fact: queue.TimePassed{}}, queue.Event{At: noon, Fact: queue.BaseHinted{Tip: "a"}}))
	unread, err := s.Unread(t.Context(), id, 10)
	must(t, err)

	for range 2 { // the second finds it gone
		must(t, s.SetAside(t.Context(), id, unread[0].ID, "panic: \xff"))
	}

	left, err := s.Unread(t.Context(), id, 10)
	must(t, err)
	if len(left) != 1 || left[0].ID != unread[1].ID {
		t.Errorf("left unread: %+v", left)
	}
	aside, err := s.Aside(t.Context(), 10)
	must(t, err)
	if len(aside) != 1 || aside[0].Queue != id || !aside[0].At.Equal(noon) || aside[0].Why != "panic: " {
		t.Errorf("aside: %+v", aside)
	}
}
