package main

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/sandbox"
)

// on opens a pull request on another one's branch, with one new file of its own.
func (w *town) on(below int, branch string) int {
	w.t.Helper()
	lower := w.pull(below)
	head, err := w.repo.Commit(lower.HeadSHA, map[string]string{branch + ".txt": branch + "\n"}, "Change "+branch)
	w.must(err)
	w.must(w.repo.Push(w.author, sandbox.RefUpdate{Ref: branch, New: head}))
	pr, err := w.repo.OpenPullRequest(sandbox.OpenPullRequest{By: w.author, Head: branch, Base: lower.HeadRef, Title: "Change " + branch})
	w.must(err)
	w.gate.remember(head, int(pr.Number))
	return int(pr.Number)
}

// stack opens pull requests one on the other.
func (w *town) stack(branches ...string) []int {
	prs := []int{w.opens(branches[0])}
	for i, branch := range branches[1:] {
		prs = append(prs, w.on(prs[i], branch))
	}
	return prs
}

// approve has the owner approve them as they are.
func (w *town) approve(prs ...int) {
	for _, pr := range prs {
		w.must(w.repo.Review(int64(pr), w.owner, "APPROVED"))
	}
}

// A label on the top lands three that stand on each other, in order, in one landing,
// and GitHub shows all of them as merged.
func TestAStackOfThreeLandsInOrder(t *testing.T) {
	t.Parallel()
	w := found(t, scene{approvals: 1})
	prs := w.stack("bottom", "middle", "top")
	w.pushAround("meanwhile.txt") // so that each of them becomes another commit
	w.approve(prs...)
	w.label(prs[2])
	w.awaitEnds(ends{prs[0]: landed, prs[1]: landed, prs[2]: landed})

	for _, pr := range prs {
		if p := w.pull(pr); !p.Merged || p.BaseRef != "main" {
			t.Errorf("#%d is %s, merged %v, on %s", pr, p.State, p.Merged, p.BaseRef)
		}
	}
	if got := w.git("log", "--format=%s", "-4", "main"); got != "Change top\nChange middle\nChange bottom\nAround the queue" {
		t.Errorf("main has %q", got)
	}
	if runs := w.ci.runs(); runs != 1 {
		t.Errorf("CI ran %d times", runs)
	}
	if e := w.entry(prs[0]); e.For != prs[2] {
		t.Errorf("#%d landed for #%d", prs[0], e.For)
	}
}

// Where the middle one conflicts with the base the bottom lands, and those above are told why not.
func TestAStackLandsUpToTheOneThatFails(t *testing.T) {
	t.Parallel()
	w := found(t, scene{})
	bottom := w.opens("bottom")
	head, err := w.repo.Commit(w.pull(bottom).HeadSHA, map[string]string{"shared.txt": "middle\n"}, "Change middle")
	w.must(err)
	w.must(w.repo.Push(w.author, sandbox.RefUpdate{Ref: "middle", New: head}))
	pr, err := w.repo.OpenPullRequest(sandbox.OpenPullRequest{By: w.author, Head: "middle", Base: "bottom", Title: "Change middle"})
	w.must(err)
	middle := int(pr.Number)
	w.gate.remember(head, middle)
	top := w.on(middle, "top")
	w.pushAround("shared.txt")

	w.label(top)
	w.awaitEnds(ends{bottom: landed, middle: queue.Conflict, top: queue.Withdrawn})
	if c := w.check(w.pull(top).HeadSHA); !strings.Contains(c.Title, fmt.Sprintf("#%d, on which it stands, went out", middle)) {
		t.Errorf("the check on the top says %q", c.Title)
	}
}

// Who pushes to the bottom while the stack is tested has approved nothing that stands on it.
func TestAPushToTheBottomTakesTheStackOut(t *testing.T) {
	t.Parallel()
	w := found(t, scene{})
	w.ci.hold()
	prs := w.stack("bottom", "top")
	w.label(prs[1])
	w.awaitPhase(prs[0], queue.Testing)
	w.awaitPhase(prs[1], queue.Testing)
	w.pushTo(prs[0])
	w.awaitEnds(ends{prs[0]: queue.HeadMoved, prs[1]: queue.Withdrawn})
	w.ci.release()
}

// Two that stand on each other are refused, and a fork's branch of the same name is nobody's ground.
func TestAStackInACircleIsRefused(t *testing.T) {
	t.Parallel()
	w := found(t, scene{})
	prs := w.stack("one", "two")
	w.must(w.repo.Retarget(int64(prs[0]), w.author, "two"))
	w.label(prs[1])
	w.awaitEnds(ends{prs[1]: queue.Conflict})
}

// One that depends on another waits until that is labelled, then both go in one batch, in order.
func TestADependencyIsWaitedForAndLandsFirst(t *testing.T) {
	t.Parallel()
	w := found(t, scene{})
	needed, needs := w.opens("needed"), w.opens("needs")
	w.must(w.repo.EditPullRequest(int64(needs), w.author, "Change needs", fmt.Sprintf("See there.\n\nDepends-On: #%d\n", needed)))
	w.label(needs)
	head := w.pull(needs).HeadSHA
	want := fmt.Sprintf("Waiting for #%d, which it depends on: that one has no label", needed)
	w.until("it says what it waits for", func() bool { return w.check(head).Title == want })

	w.must(w.server.engine.Pause(context.Background(), w.place.ID, "octavia", "one batch, please"))
	w.until("the queue is paused", func() bool { return w.rows().Header.Pause != nil })
	w.label(needed)
	w.awaitPhase(needed, queue.Waiting)
	w.until("it is in line behind it", func() bool { return strings.Contains(w.check(head).Title, "2nd in line") })
	w.must(w.server.engine.Resume(context.Background(), w.place.ID, "octavia"))
	w.awaitEnds(ends{needed: landed, needs: landed})
	if got := w.git("log", "--format=%s", "-2", "main"); got != "Change needs\nChange needed" {
		t.Errorf("main has %q", got)
	}
	if w.ci.runs() != 1 {
		t.Errorf("CI ran %d times", w.ci.runs())
	}
}

// A label on a pull request to a branch of its own opens that branch's queue, where the
// repository has queues already.
func TestABranchThatIsNobodysHeadGetsAQueueOfItsOwn(t *testing.T) {
	t.Parallel()
	w := found(t, scene{})
	w.must(w.repo.Push(w.owner, sandbox.RefUpdate{Ref: "release", New: w.base}))
	pr := w.opens("fix")
	w.must(w.repo.Retarget(int64(pr), w.author, "release"))
	w.label(pr)
	w.until("the branch has a queue with the pull request", func() bool {
		places, err := w.server.store.QueuesOf(context.Background(), w.place.Repository)
		w.must(err)
		for _, p := range places {
			_, _, rows, err := w.server.store.Load(context.Background(), p.ID)
			w.must(err)
			if p.Branch == "release" && len(rows.Entries) == 1 {
				return true
			}
		}
		return false
	})
}
