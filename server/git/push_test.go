package git

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// TestTickets: a ticket is pushed once, may be pushed again, and is gone only
// when the remote says so.
func TestTickets(t *testing.T) {
	l := newLanding(t)
	if err := l.clone.PushTicket(soon(t), ticketRef, l.New); err != nil {
		t.Errorf("the same again: %v", err)
	}
	if err := l.clone.PushTicket(soon(t), ticketRef, l.Old); !errors.Is(err, ErrTicketTaken) {
		t.Errorf("another commit: %v", err)
	}
	if err := l.clone.DeleteTicket(soon(t), ticketRef, l.Old); !errors.Is(err, ErrTicketTaken) {
		t.Errorf("deleting another's: %v", err)
	}
	l.remote.hook("pre-receive", "echo branches stay; exit 1")
	var refusal *Refusal
	if err := l.clone.DeleteTicket(soon(t), ticketRef, l.New); !errors.As(err, &refusal) || !slices.Contains(refusal.Remote, "branches stay") {
		t.Errorf("a rule keeps it: %v", err)
	}
	if err := l.clone.PushTicket(soon(t), ticketRef+"0", l.New); !errors.As(err, &refusal) || !strings.Contains(err.Error(), "branches stay") {
		t.Errorf("a rule refuses it: %v", err)
	}
	l.remote.unhook("pre-receive")
	for range 2 {
		if err := l.clone.DeleteTicket(soon(t), ticketRef, l.New); err != nil || l.remote.ref(ticketRef) != "" {
			t.Errorf("deleting: %v", err)
		}
	}
}

// TestMoveHeads: each head has its own lease, and one that cannot move holds
// up no other.
func TestMoveHeads(t *testing.T) {
	l := newLanding(t)
	heads := map[string]string{}
	for _, name := range []string{"moves", "moved-on", "there", "gone", "guarded"} {
		heads[name] = l.other(l.Old, "refs/heads/"+name)
	}
	l.other(heads["moved-on"], "refs/heads/moved-on")
	l.remote.git("update-ref", "refs/heads/there", l.New)
	l.remote.git("update-ref", "-d", "refs/heads/gone")
	l.remote.hook("update", `[ "$1" != refs/heads/guarded ] || { echo "guarded by a rule"; exit 1; }`)
	var moves []HeadMove
	for _, name := range []string{"moves", "moved-on", "there", "gone", "guarded"} {
		moves = append(moves, HeadMove{"refs/heads/" + name, heads[name], l.New})
	}
	pushes := l.log.count("push")
	results, err := l.clone.MoveHeads(soon(t), moves)
	if err != nil {
		t.Fatal(err)
	}
	if n := l.log.count("push") - pushes; n != 1 {
		t.Errorf("%d pushes", n)
	}
	want := []HeadState{HeadMoved, HeadElsewhere, HeadAlready, HeadElsewhere, HeadSkipped}
	for i, r := range results {
		if r.State != want[i] || (r.State == HeadSkipped || r.State == HeadElsewhere) != (r.Why != "") {
			t.Errorf("%s: %s (%s), want %s", r.Ref, r.State, r.Why, want[i])
		}
	}
	if !strings.Contains(results[4].Why, "guarded by a rule") {
		t.Errorf("guarded: %q", results[4].Why)
	}
	if l.remote.ref("refs/heads/moves") != l.New || l.remote.ref("refs/heads/moved-on") == l.New {
		t.Error("the branches are elsewhere")
	}
}
