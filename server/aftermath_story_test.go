package main

import (
	"testing"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/sandbox"
)

// A fork's rebased pull request can only be closed; then the issues it names are
// closed by us, its own repository's and no others.
func TestAForksLandingClosesTheIssuesItNames(t *testing.T) {
	t.Parallel()
	w := found(t, scene{})
	fabian := w.forge.NewUser("fabian")
	fork, err := w.repo.Fork(fabian)
	w.must(err)
	fixed, quoted, own := w.repo.OpenIssue(fabian, "A fault"), w.repo.OpenIssue(fabian, "Another"), w.opens("topic")
	foreign := w.openFrom(fork, fabian, "gift", map[string]string{"gift.txt": "a gift\n"})
	body := "Fixes #100001, fixes other/place#100002, closes #2 and\n> fixes #100002\n"
	if fixed != 100001 || quoted != 100002 {
		t.Fatalf("the issues are #%d and #%d", fixed, quoted)
	}
	w.must(w.repo.EditPullRequest(int64(foreign), fabian, "A gift", body))

	w.label(foreign)
	w.awaitPhase(foreign, queue.Landed)
	w.passTime(15 * time.Second)
	w.awaitEnds(ends{foreign: landed})

	if w.repo.IssueOpen(fixed) || !w.repo.IssueOpen(quoted) || w.pull(own).State != "open" {
		t.Errorf("open are %v, %v and #%d is %s", w.repo.IssueOpen(fixed), w.repo.IssueOpen(quoted), own, w.pull(own).State)
	}
}

// Where the repository deletes merged branches, ours go after the landing: not one
// that somebody builds on, that is protected, or that went on.
func TestLandedBranchesGoWhereTheRepositorySaysSo(t *testing.T) {
	t.Parallel()
	// Given four that land: one plain, one with another pull request on its branch, one
	// protected against nothing but its deletion, and one that goes on meanwhile.
	w := foundWithoutServer(t, scene{})
	w.repo.DeleteMergedBranches(true)
	w.serve()
	plain, base, kept, busy := w.opens("plain"), w.opens("base"), w.opens("kept"), w.opens("busy")
	stacked, err := w.repo.Commit("base", map[string]string{"on-top.txt": "x\n"}, "On top")
	w.must(err)
	w.must(w.repo.Push(w.author, sandbox.RefUpdate{Ref: "on-top", New: stacked}))
	_, err = w.repo.OpenPullRequest(sandbox.OpenPullRequest{By: w.author, Head: "on-top", Base: "base", Title: "On top"})
	w.must(err)
	w.repo.Protect("kept", sandbox.Rules{RequiredChecks: []sandbox.RequiredCheck{{Context: "nothing"}}, Bypass: []sandbox.Actor{w.app}})
	went := false
	w.gate.beforeEach(func(c call) {
		if c.moves("refs/heads/main") && !went {
			went = true
			more, err := w.repo.Commit("busy", map[string]string{"more.txt": "more\n"}, "More")
			w.must(err)
			w.must(w.repo.Push(w.author, sandbox.RefUpdate{Ref: "busy", New: more}))
		}
	})

	w.labelTogether(plain, base, kept, busy)
	for _, pr := range []int{plain, base, kept, busy} {
		w.awaitPhase(pr, queue.Landed)
	}
	w.passTime(15 * time.Second)
	w.awaitEnds(ends{plain: landed, base: landed, kept: landed, busy: landed})

	for branch, want := range map[string]bool{"plain": false, "base": true, "kept": true, "busy": true} {
		if got := w.repo.Ref(branch) != ""; got != want {
			t.Errorf("the branch %s is there: %v, want %v", branch, got, want)
		}
	}
}
