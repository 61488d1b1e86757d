package main

import (
	"strings"
	"testing"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/sandbox"
)

// Two that edit the same line cannot both land: the first does, and the second
// is told where they meet.
func TestATextConflictTakesTheLaterOneOut(t *testing.T) {
	t.Parallel()
	w := found(t, scene{})
	first := w.open("first", map[string]string{"shared.txt": "two\n"})
	second := w.open("second", map[string]string{"shared.txt": "three\n"})
	third := w.opens("third")

	w.labelTogether(first, second, third)
	w.awaitEnds(ends{first: landed, second: queue.Conflict, third: landed})

	if e := w.entry(second); !strings.Contains(e.End.Detail, "shared.txt") || !w.said(second, "shared.txt") {
		t.Errorf("told %q, and %q", e.End.Detail, w.repo.Comments(int64(second)))
	}
	if labels := w.pull(second).Labels; len(labels) > 0 {
		t.Errorf("it still has the labels %v", labels)
	}
}

// People change their minds while a batch is tested: who leaves is out with a
// reason, the others are tested without it and land.
func TestWhoLeavesWhileTestedIsOutAndTheOthersLand(t *testing.T) {
	t.Parallel()
	leave := map[string]struct {
		do      func(w *town, pr int)
		reason  queue.Reason
		told    bool
		isState string
	}{
		"pushed to":      {func(w *town, pr int) { w.pushTo(pr) }, queue.HeadMoved, true, "open"},
		"label off":      {func(w *town, pr int) { w.must(w.repo.Unlabel(int64(pr), w.author, "merge-queue")) }, queue.LabelRemoved, false, "open"},
		"closed":         {func(w *town, pr int) { w.must(w.repo.Close(int64(pr), w.author)) }, queue.Closed, false, "closed"},
		"made a draft":   {func(w *town, pr int) { w.must(w.repo.ConvertToDraft(int64(pr), w.author)) }, queue.Draft, true, "open"},
		"objected to":    {func(w *town, pr int) { w.must(w.repo.Review(int64(pr), w.owner, "changes_requested")) }, queue.ApprovalLost, true, "open"},
		"other base now": {func(w *town, pr int) { w.must(w.repo.Retarget(int64(pr), w.author, "release")) }, queue.Retargeted, true, "open"},
	}
	for name, how := range leave {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// Given two under test.
			w := found(t, scene{})
			w.must(w.repo.Push(w.owner, sandbox.RefUpdate{Ref: "release", New: w.base}))
			w.ci.hold()
			stays, leaves := w.opens("stays"), w.opens("leaves")
			w.labelTogether(stays, leaves)
			w.until("both have one ticket", func() bool { return len(w.tickets()) == 1 })

			// When one leaves.
			how.do(w, leaves)
			w.awaitPhase(leaves, queue.Out)
			w.ci.release()

			// Then it is out, told where somebody has to act, and the other lands without it.
			w.awaitEnds(ends{stays: landed, leaves: how.reason})
			if got := len(w.repo.Comments(int64(leaves))) > 0; got != how.told {
				t.Errorf("commented %v: %q", got, w.repo.Comments(int64(leaves)))
			}
			if pull := w.pull(leaves); pull.State != how.isState || len(pull.Labels) > 0 {
				t.Errorf("it is %s with the labels %v", pull.State, pull.Labels)
			}
			if files := w.git("ls-tree", "--name-only", "main"); strings.Contains(files, "leaves.txt") {
				t.Error("main has the change that left")
			}
		})
	}
}

// Triage may set labels at GitHub, but not land commits.
func TestALabelByTriageDoesNotCount(t *testing.T) {
	t.Parallel()
	w := found(t, scene{})
	trudy := w.forge.NewUser("trudy")
	w.must(w.repo.SetPermission(trudy, "triage"))
	pr := w.opens("topic")

	w.must(w.repo.Label(int64(pr), trudy, "merge-queue"))
	w.awaitEnds(ends{pr: queue.NotPermitted})
	if !w.said(pr, "trudy") || len(w.pull(pr).Labels) > 0 || w.repo.Ref("main") != w.base {
		t.Errorf("comments %q, labels %v", w.repo.Comments(int64(pr)), w.pull(pr).Labels)
	}

	// When one who may write sets it, it counts.
	w.label(pr)
	w.awaitPhase(pr, queue.Landed)
	w.awaitEnds(ends{pr: landed})
}

// Without the approvals that the rules ask for, a pull request waits and says
// so; the review that completes them is all it needs.
func TestAPullRequestWaitsForItsApproval(t *testing.T) {
	t.Parallel()
	w := found(t, scene{approvals: 1})
	pr := w.opens("topic")
	w.label(pr)
	w.until("the check says what is missing", func() bool {
		return strings.Contains(w.check(w.pull(pr).HeadSHA).Title, "0 of 1 approvals")
	})
	if e := w.entry(pr); e.Phase != queue.Asking || e.Wait != queue.NotApproved {
		t.Errorf("the entry is %s, waits for %s", e.Phase, e.Wait)
	}

	w.must(w.repo.Review(int64(pr), w.owner, "approved"))
	w.awaitEnds(ends{pr: landed})
}

// Approval is of a head: one that was given to an older head does not count.
func TestAnApprovalOfAnOlderHeadDoesNotCount(t *testing.T) {
	t.Parallel()
	w := found(t, scene{approvals: 1})
	pr := w.opens("topic")
	w.must(w.repo.Review(int64(pr), w.owner, "approved"))
	w.pushTo(pr)
	w.label(pr)
	w.until("the check says that the approval is old", func() bool {
		return strings.Contains(w.check(w.pull(pr).HeadSHA).Title, "1 of an older head")
	})
	w.must(w.repo.Review(int64(pr), w.owner, "approved"))
	w.awaitEnds(ends{pr: landed})
}
