package main

import (
	"strings"
	"testing"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/sandbox"
)

// The server is down while people work on: they land one pull request by hand, take
// a label off and put another on. Back again, the queue takes all of it as it is,
// blames nobody, and builds on what is there (docs/outage.md).
func TestWhatPeopleDidWhileTheServerWasDownStands(t *testing.T) {
	t.Parallel()
	w := found(t, scene{})
	w.ci.hold()
	byHand, regretted := w.opens("by-hand"), w.opens("regretted")
	w.labelTogether(byHand, regretted)
	w.awaitPhase(byHand, queue.Testing)
	w.until("the ticket is there", func() bool { return len(w.tickets()) == 1 })

	w.server.stop()
	w.must(w.repo.Push(w.owner, sandbox.RefUpdate{Ref: "main", New: w.pull(byHand).HeadSHA})) // as its button would
	w.must(w.repo.Unlabel(int64(regretted), w.owner, "merge-queue"))
	late := w.opens("late")
	w.label(late)
	w.base = w.repo.Ref("main")
	if !w.pull(byHand).Merged {
		t.Fatal("the push by hand did not merge it")
	}

	w.serve()
	w.ci.release()
	w.awaitEnds(ends{byHand: queue.LandedElsewhere, regretted: queue.LabelRemoved, late: landed})
	if detail := w.entry(byHand).End.Detail; !strings.Contains(detail, "around the queue") {
		t.Errorf("who landed by hand is told %q", detail)
	}
	if w.git("merge-base", "--is-ancestor", w.base, "main") != "" {
		t.Error("what was landed by hand is gone")
	}
}
