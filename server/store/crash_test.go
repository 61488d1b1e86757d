package store

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/mainstay-ci/mainstay/queue"
)

// childPath names the database to the process that is going to be killed.
const childPath = "MAINSTAY_STORE_CRASH_TEST"

func TestMain(m *testing.M) {
	if path := os.Getenv(childPath); path != "" {
		if err := writeUntilKilled(path, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(1) // it is meant to be killed, not to end
	}
	os.Exit(m.Run())
}

// A server may be killed at any moment: whatever it had acknowledged is there
// when it starts again, and nothing is there by half.
func TestKilledServerLosesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mainstay.db")
	acked := tally{deliveries: map[string]bool{}}
	for round := range 4 {
		acked.add(t, killAfter(t, path, 100+round*137))

		s, err := Open(t.Context(), path)
		check(t, err)
		verify(t, s, &acked)
		check(t, s.Close())
	}
	if acked.commits == 0 || acked.events == 0 || len(acked.deliveries) == 0 {
		t.Errorf("the children did not do everything: %+v", acked)
	}
}

// tally is what the children were told is safe.
type tally struct {
	deliveries map[string]bool
	events     int
	commits    int
}

func (y *tally) add(t *testing.T, lines []string) {
	t.Helper()
	for _, line := range lines {
		var kind, what string
		if _, err := fmt.Sscan(line, &kind, &what); err != nil {
			t.Fatalf("the child said %q: %v", line, err)
		}
		switch kind {
		case "delivery":
			y.deliveries[what] = true
		case "event":
			y.events++
		case "commit":
			y.commits++
		}
	}
}

// killAfter starts a child, kills it after so many acknowledged writes, and returns all it acknowledged.
func killAfter(t *testing.T, path string, writes int) []string {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), childPath+"="+path)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	check(t, err)
	check(t, child.Start())
	var lines []string
	for in := bufio.NewScanner(out); in.Scan(); {
		if lines = append(lines, in.Text()); len(lines) == writes {
			check(t, child.Process.Kill())
		}
	}
	_ = child.Wait() // "killed", as it was
	if len(lines) < writes {
		t.Fatalf("the child ended by itself after %d writes", len(lines))
	}
	return lines
}

func verify(t *testing.T, s *Store, acked *tally) {
	t.Helper()
	ctx := t.Context()
	var verdict string
	check(t, s.read.QueryRowContext(ctx, "PRAGMA integrity_check").Scan(&verdict))
	if verdict != "ok" {
		t.Fatalf("integrity: %s", verdict)
	}
	deliveries, err := s.UnreadDeliveries(ctx, 1_000_000)
	check(t, err)
	there := map[string]bool{}
	for _, d := range deliveries {
		there[d.GUID] = true
	}
	for guid := range acked.deliveries {
		if !there[guid] {
			t.Errorf("delivery %s was acknowledged and is lost", guid)
		}
	}
	place, err := s.OpenQueue(ctx, shop)
	check(t, err)
	unread, err := s.Unread(ctx, place.ID, 1_000_000)
	check(t, err)
	if len(unread) < acked.events {
		t.Errorf("%d events of %d acknowledged are there", len(unread), acked.events)
	}
	verifyCommits(t, s, place.ID, acked)
}

// verifyCommits knows that each commit added one of each kind of row.
func verifyCommits(t *testing.T, s *Store, id int64, acked *tally) {
	t.Helper()
	_, version, rows, err := s.Load(t.Context(), id)
	check(t, err)
	if int(version) < acked.commits {
		t.Errorf("version %d after %d acknowledged commits", version, acked.commits)
	}
	effects, err := s.Pending(t.Context(), id)
	check(t, err)
	ended, err := s.Ended(t.Context(), id, 1_000_000)
	check(t, err)
	n := int(version)
	if int(rows.Header.NextAttempt) != n+1 || len(rows.Entries) != n || len(effects) != n || len(ended) != n {
		t.Errorf("at version %d: order %d, %d entries, %d effects, %d ended", n, rows.Header.NextAttempt, len(rows.Entries), len(effects), len(ended))
	}
	acked.commits = n // one that was written and not acknowledged counts from now on
}

// writeUntilKilled is the child: three writers, each saying what it was told is safe.
func writeUntilKilled(path string, out io.Writer) error {
	ctx := context.Background()
	s, err := Open(ctx, path)
	if err != nil {
		return err
	}
	place, err := s.OpenQueue(ctx, shop)
	if err != nil {
		return err
	}
	var mu sync.Mutex
	say := func(kind string, what any) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintln(out, kind, what)
	}
	failed := make(chan error)
	go func() { failed <- keepForEver(ctx, s, say) }()
	go func() { failed <- appendForEver(ctx, s, place.ID, say) }()
	go func() { failed <- commitForEver(ctx, s, place.ID, say) }()
	return <-failed
}

func keepForEver(ctx context.Context, s *Store, say func(string, any)) error {
	for i := 0; ; i++ {
		guid := fmt.Sprintf("%d-%d", os.Getpid(), i)
		if _, err := s.KeepDelivery(ctx, queue.Delivery{GUID: guid, Body: make([]byte, 9600)}); err != nil {
			return err
		}
		say("delivery", guid)
	}
}

func appendForEver(ctx context.Context, s *Store, id int64, say func(string, any)) error {
	for i := 0; ; i++ {
		if err := s.Append(ctx, id, queue.Event{Fact: queue.PullRequestHinted{Number: i}}); err != nil {
			return err
		}
		say("event", i)
	}
}

func commitForEver(ctx context.Context, s *Store, id int64, say func(string, any)) error {
	_, version, rows, err := s.Load(ctx, id)
	if err != nil {
		return err
	}
	for ; ; version++ {
		rows.Header.NextAttempt++
		e := queue.Entry{PR: queue.PullRequest{Number: int(version)}}
		err := s.Commit(ctx, queue.Commit{
			Queue: id, Version: version,
			Changes: queue.Changes{Header: &rows.Header, Entries: []queue.Entry{e}, Ended: []queue.Entry{e}},
			Effects: []queue.Effect{{Key: fmt.Sprint("e/", version), Task: queue.Wake{}}},
		})
		if err != nil {
			return err
		}
		say("commit", version)
	}
}
