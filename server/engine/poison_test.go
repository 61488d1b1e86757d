package engine_test

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
)

// A durable event that brings the rules down would bring them down at each start
// again. It has three tries and stands aside then; what came with it goes on.
func TestAPoisonousEventIsSetAsideAndTheQueueGoesOn(t *testing.T) {
	tries := 0
	h := openHouseOf(t, filepath.Join(t.TempDir(), "m.db"), func(s *queue.State, e queue.Event) (*queue.State, []queue.Effect) {
		if asked, ok := e.Fact.(queue.PauseAsked); ok && asked.By == "nobody" {
			tries++
			panic("out of range")
		}
		return queue.Step(s, e)
	})
	place, err := h.engine.OpenQueue(t.Context(), queue.Place{Installation: 1, Repository: 7, Owner: "o", Name: "r", Branch: "main"})
	if err != nil {
		t.Fatal(err)
	}

	if err := h.engine.Tell(t.Context(), place.ID,
		queue.PullRequestHinted{Number: 11, Labelled: true}, queue.PauseAsked{By: "nobody"}, queue.PullRequestHinted{Number: 12, Labelled: true}); err != nil {
		t.Fatal(err)
	}

	for _, want := range []int{11, 12} {
		if _, read := expect[queue.ReadPullRequest](h); read.Number != want {
			t.Fatalf("read #%d, want #%d", read.Number, want)
		}
	}
	aside, err := h.store.Aside(t.Context(), 10)
	if err != nil || len(aside) != 1 || !strings.Contains(aside[0].Why, "out of range") {
		t.Fatalf("aside %+v, %v", aside, err)
	}
	if tries != 4 {
		t.Errorf("it had %d tries, want one in company and three alone", tries)
	}
}

// A version that was taken back leaves events and effects of kinds nobody knows:
// they stand aside, and all others are taken.
func TestWhatDoesNotDecodeHoldsNobodyUp(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.db")
	first := openHouse(t, path)
	place, err := first.engine.OpenQueue(t.Context(), queue.Place{Installation: 1, Repository: 7, Owner: "o", Name: "r", Branch: "main"})
	if err != nil {
		t.Fatal(err)
	}
	expect[queue.ReadBase](first)
	first.stop()
	db, err := sql.Open("sqlite3", path)
	if err != nil {
		t.Fatal(err)
	}
	for _, query := range []string{
		`INSERT INTO events (queue, at, kind, body) VALUES (?, 1, 'of_next_year', x'7b7d')`,
		`INSERT INTO effects (queue, key, due, kind, body) VALUES (?, 'new', 1, 'of_next_year', x'7b7d')`,
	} {
		if _, err := db.Exec(query, place.ID); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}

	second := openHouse(t, path)
	second.deliver("1", "pull_request", "labelled")

	expect[queue.ReadPullRequest](second)
	aside, err := second.store.Aside(t.Context(), 10)
	if err != nil || len(aside) != 1 || aside[0].Kind != "of_next_year" {
		t.Fatalf("aside %+v, %v", aside, err)
	}
	due, err := second.store.Due(t.Context(), time.Now().Add(24*time.Hour), 10)
	if err != nil {
		t.Fatal(err)
	}
	kept := false
	for _, e := range due {
		kept = kept || e.Key == "new"
	}
	if !kept {
		t.Errorf("the effect of a kind nobody knows is gone: %+v", due)
	}
}

// A webhook that brings its reading down means nothing, and those behind it are read.
func TestAWebhookThatBringsItsReadingDownIsDoneWith(t *testing.T) {
	h := openHouse(t, filepath.Join(t.TempDir(), "m.db"))

	h.deliver("1", "bomb", "?")
	h.deliver("2", "pull_request", "labelled")

	expect[queue.ReadPullRequest](h)
}
