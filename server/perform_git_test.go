package main

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/server/git"
)

// What the base does by itself is tested on a commit of ours: results on the
// base's own commit are its own.
func TestTheBaseByItselfIsACommitOfOurs(t *testing.T) {
	t.Parallel()
	// Given a base, and an attempt without members on it.
	w := foundWithoutServer(t, scene{})
	clone, err := git.Open(t.Context(), git.Options{Dir: filepath.Join(w.dir, "clone.git"), RemoteURL: w.repo.GitDir(), AllowFile: true})
	w.must(err)
	t.Cleanup(func() { clone.Close() })
	task := queue.BuildAttempt{Attempt: 9, Old: w.base, At: time.Unix(1_700_000_000, 0)}
	build := func() queue.AttemptBuilt {
		facts, err := (&performer{}).build(t.Context(), clone, queue.Place{ID: 4}, task)
		w.must(err)
		return facts[0].(queue.AttemptBuilt)
	}

	// When it is built as it is, there is nothing to test.
	if plain := build(); plain.New != "" {
		t.Errorf("built %+v", plain)
	}

	// When an empty commit is asked for, then that stands on the base, and is the same each time.
	task.Empty = true
	built := build()
	if again := build(); again.New != built.New || built.New == w.base || len(built.Members) != 0 {
		t.Errorf("built %+v, then %+v", built, again)
	}
	w.must(clone.PushTicket(t.Context(), "refs/heads/mainstay/main/9", built.New))
	got := w.git("log", "-1", "--format=%P %T %ae %s", built.New)
	want := w.base + " " + built.Tree + " attempt-9@queue-4.mainstay.invalid Mainstay: the base as it is, for attempt 9"
	if got != want || w.git("rev-parse", w.base+"^{tree}") != built.Tree {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
