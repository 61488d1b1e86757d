package queue

import (
	"strings"
	"testing"
	"time"
)

// What changes how code is built or reviewed waits for who may allow it, whether git
// says so when the head is fetched or not before it is built; its neighbours don't
// wait, and it is tested by itself.
func TestWhatIsGuardedWantsARulersApproval(t *testing.T) {
	for name, late := range map[string]bool{"seen when fetched": false, "seen when built": true} {
		t.Run(name, func(t *testing.T) {
			// Given three in one batch, of which the second changes a workflow.
			w := newWorld(t, false)
			w.settings.BatchSize = 3
			w.guarded, w.unseen = map[int]bool{2: true}, late
			w.queueTogether(1, 2, 3)
			w.run(time.Hour)

			// Then its neighbours land, and it waits and says for what.
			e := w.state.entries[2]
			if w.pulls[1].status != Merged || w.pulls[3].status != Merged || e.Phase != Asking || e.Wait != NotApproved {
				t.Fatalf("#2 is %s, %s", e.Phase, e.Wait)
			}
			if title := w.pulls[2].check[w.pulls[2].head].Title; !strings.Contains(title, "an admin or a maintainer has to approve") {
				t.Errorf("the check says %q", title)
			}

			// When somebody who may approves it, with others in line.
			w.approve(2, "root")
			w.change(2, func(*pull) {})
			w.queue(4, 5)
			w.run(2 * time.Hour)

			// Then it lands, alone.
			if w.pulls[2].status != Merged || w.pulls[4].status != Merged {
				t.Fatalf("#2 is %s: %+v", w.pulls[2].status, w.state.entries[2])
			}
			for _, r := range w.receipts {
				if len(r.Members) > 1 && prsOf(r.Members)[0] == 2 {
					t.Errorf("it landed in %+v", r.Members)
				}
			}
		})
	}
}

// An approval that is taken back takes it out, and a queue may do without the guard.
func TestTheGuardMayBeOffAndItsApprovalMayBeLost(t *testing.T) {
	w := newWorld(t, false)
	w.guarded, w.settings.Guard = map[int]bool{1: true}, false
	w.queue(1)
	w.run(time.Hour)
	if w.pulls[1].status != Merged {
		t.Fatalf("without the guard #1 is %s", w.pulls[1].status)
	}
	w.settings.Guard = true
	w.pushBase()
	w.guarded[2] = true
	w.open(2)
	w.approve(2, "root")
	w.approve(2, "bob")
	w.label(2, "ann")
	w.runUntil(time.Hour, func() bool {
		e := w.state.entries[2]
		return e != nil && e.Phase == Testing && len(e.Guarded.Paths) > 0
	})
	delete(w.pulls[2].approvals, "root")
	w.change(2, func(*pull) {})
	w.run(time.Hour)
	if end := w.lastEnd(2); end == nil || end.End.Reason != ApprovalLost || !strings.Contains(end.End.Detail, ".github") {
		t.Errorf("#2 ended with %+v", end)
	}
}
