package git

import (
	"fmt"
	"testing"
)

// newChain is three attempts, each built on the one before, all tickets pushed:
// one landing is to move the base to the last.
func newChain(t *testing.T) *landing {
	t.Helper()
	l := &landing{remote: bareRepo(t), work: newRepo(t)}
	old := l.work.commit("start", "a", "1\n")
	l.work.publish(l.remote, old, mainRef)
	l.clone, l.log = openClone(t, l.remote)
	l.Landing = Landing{Base: mainRef, Old: old, New: old}
	for i := range 3 {
		l.work.git("checkout", "-q", "--detach", old)
		head := l.work.commit("change", fmt.Sprintf("file-%d", i), "1\n")
		l.work.publish(l.remote, head, fmt.Sprintf("refs/heads/pr-%d", i))
		built, err := l.clone.Build(soon(t), Spec{Base: l.New, Committer: attempt, Members: []Member{{PR: i, Head: head}}})
		if err != nil {
			t.Fatal(err)
		}
		ticket := Ticket{fmt.Sprintf("refs/heads/mainstay/main/%d", i), built.Tip}
		if err := l.clone.PushTicket(soon(t), ticket.Ref, ticket.Commit); err != nil {
			t.Fatal(err)
		}
		l.New, l.Tickets = built.Tip, append(l.Tickets, ticket)
	}
	return l
}

// TestAChainLandsAtOnceOrNotAtAll: the base and every ticket of the chain are
// one push. Each ticket is a fence: where one is gone, nothing moves.
func TestAChainLandsAtOnceOrNotAtAll(t *testing.T) {
	for _, row := range []struct {
		name string
		meet func(t *testing.T, l *landing)
		want OutcomeKind
		left int // tickets that must still stand; all of them gone when it landed
		lost []int
	}{
		{name: "nothing in the way", want: Landed},
		{name: "the same landing again", want: Landed, meet: func(t *testing.T, l *landing) { l.land(t) }},
		{name: "again, and the base has moved on from it", want: Landed,
			meet: func(t *testing.T, l *landing) { l.land(t); l.other(l.New, mainRef) }},
		{name: "the answer was lost", want: Landed,
			meet: func(t *testing.T, l *landing) { l.remote.hook("post-receive", "kill -9 $PPID"); l.land(t) }},
		{name: "the first ticket is gone", want: Elsewhere, left: 2, lost: []int{0},
			meet: func(t *testing.T, l *landing) { l.remote.git("update-ref", "-d", l.Tickets[0].Ref) }},
		{name: "the middle ticket is gone", want: Elsewhere, left: 2, lost: []int{1},
			meet: func(t *testing.T, l *landing) { l.remote.git("update-ref", "-d", l.Tickets[1].Ref) }},
		{name: "the last ticket was moved", want: Elsewhere, left: 3, lost: []int{2},
			meet: func(t *testing.T, l *landing) { l.other(l.Old, l.Tickets[2].Ref) }},
		{name: "the base moved on", want: Elsewhere, left: 3,
			meet: func(t *testing.T, l *landing) { l.other(l.Old, mainRef) }},
		{name: "only the first of the chain is in the base", want: Elsewhere, left: 3,
			meet: func(t *testing.T, l *landing) { l.remote.git("update-ref", mainRef, l.Tickets[0].Commit) }},
		{name: "a rule refuses to delete one ticket", want: Refused, left: 3,
			meet: func(t *testing.T, l *landing) {
				l.remote.hook("update", `[ "$1" != refs/heads/mainstay/main/1 ] || { echo no; exit 1; }`)
			}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			// Given a green chain of three attempts, and what it meets.
			l := newChain(t)
			if row.meet != nil {
				row.meet(t, l)
			}
			before, asked := l.remote.ref(mainRef), l.log.count("merge-base")

			// When it lands.
			o := l.land(t)

			// Then all of it happened or nothing did, and the lost tickets are named.
			if o.Kind != row.want || len(o.Tickets) != len(row.lost) {
				t.Fatalf("outcome %+v, want %s and %v lost", o, row.want, row.lost)
			}
			for i, lost := range row.lost {
				if o.Tickets[i] != l.Tickets[lost].Ref {
					t.Errorf("lost %v", o.Tickets)
				}
			}
			// A chain that was built here needs nobody to look up whether it is one.
			if row.meet == nil && l.log.count("merge-base") != asked {
				t.Error("the chain was looked up")
			}
			left := 0
			for _, ticket := range l.Tickets {
				if l.remote.ref(ticket.Ref) != "" {
					left++
				}
			}
			if left != row.left {
				t.Errorf("%d tickets stand, want %d", left, row.left)
			}
			tip := l.remote.ref(mainRef)
			if row.want == Landed && l.remote.git("merge-base", l.New, tip) != l.New || row.want != Landed && tip != before {
				t.Errorf("the base is at %s, and was at %s before", tip, before)
			}
		})
	}
}

// TestAChainNamesEachTicketOnce: a ticket twice would be a lease of which git keeps one.
func TestAChainNamesEachTicketOnce(t *testing.T) {
	l := newChain(t)
	pushes := l.log.count("push")
	l.Tickets = append(l.Tickets, l.Tickets[0])
	if _, err := l.clone.Land(soon(t), l.Landing); err == nil || l.log.count("push") != pushes {
		t.Errorf("error %v, %d pushes", err, l.log.count("push")-pushes)
	}
}
