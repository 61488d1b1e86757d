package sandbox_test

import (
	"slices"
	"testing"

	"github.com/mainstay-ci/mainstay/sandbox"
)

// GitHub shows "merged" only when the head stood on the pull request before the
// base came to contain it. A product must cope with all three outcomes.
func TestMergedClosedOrOpen(t *testing.T) {
	cases := []struct {
		name     string
		together bool
		force    sandbox.Outcome
		state    string
		merged   bool
	}{
		{"head first, then base", false, sandbox.BySeed, "closed", true},
		{"together, closed", true, sandbox.ClosedUnmerged, "closed", false},
		{"together, still open", true, sandbox.StillOpen, "open", false},
		{"together, merged", true, sandbox.Merged, "closed", true},
	}
	for _, one := range cases {
		t.Run(one.name, func(t *testing.T) {
			w := found(t)
			pr := w.open("feature")
			w.move("main", w.commit("main", "elsewhere", "x"))
			rebased := w.commit("main", "feature.txt", "feature\n")
			tip := w.commit(rebased, "more", "y")
			w.move("ticket", tip)
			w.Faults.HeadWithBase(one.force)
			c := w.clone(w.token())
			main := w.repo.Ref("main")
			var out string
			var err error
			if one.together {
				out, err = c.land("feature="+pr.HeadSHA+":"+rebased, "main="+main+":"+tip, "ticket="+tip+":")
			} else {
				if out, err = c.land("feature=" + pr.HeadSHA + ":" + rebased); err == nil {
					if got := w.pull(1); got.HeadSHA != rebased || got.State != "open" {
						t.Fatalf("after the head's push: %+v", got)
					}
					out, err = c.land("main="+main+":"+tip, "ticket="+tip+":")
				}
			}
			if err != nil {
				t.Fatal(out)
			}
			got := w.pull(1)
			if got.State != one.state || got.Merged != one.merged || got.HeadSHA != rebased {
				t.Errorf("it is %s, merged %v at %s", got.State, got.Merged, got.HeadSHA)
			}
			if one.merged && got.MergeCommitSHA != rebased {
				t.Errorf("merged as %s, want %s", got.MergeCommitSHA, rebased)
			}
			if ref := w.repo.Ref("refs/pull/1/head"); ref != rebased {
				t.Errorf("refs/pull/1/head is %s", ref)
			}
		})
	}
}

// By seed, both closings happen, and the same seed gives the same ones.
func TestTogetherBySeed(t *testing.T) {
	play := func() (states []string) {
		w := found(t)
		for _, branch := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
			pr := w.open(branch)
			rebased := w.commit("main", branch+".txt", branch+" rebased\n")
			must(t, w.repo.Push(w.alice, sandbox.RefUpdate{Ref: branch, New: rebased}, sandbox.RefUpdate{Ref: "main", New: rebased}))
			states = append(states, w.pull(pr.Number).State)
		}
		return states
	}
	first := play()
	if !slices.Contains(first, "open") || !slices.Contains(first, "closed") {
		t.Errorf("the seed draws only %v", first)
	}
	if second := play(); !slices.Equal(first, second) {
		t.Errorf("the same seed gives %v and %v", first, second)
	}
}

// A merge commit keeps the head as it is: a fork's request shows merged as well.
func TestForkMergedByMergeCommit(t *testing.T) {
	w := found(t)
	bob := w.NewUser("bob")
	fork, err := w.repo.Fork(bob)
	must(t, err)
	head, err := fork.Commit("main", map[string]string{"fork.txt": "from afar\n"}, "Add from afar")
	must(t, err)
	must(t, fork.Push(bob, sandbox.RefUpdate{Ref: "topic", New: head}))
	pr, err := w.repo.OpenPullRequest(sandbox.OpenPullRequest{By: bob, HeadRepository: fork, Head: "topic", Title: "From afar"})
	must(t, err)
	c := w.clone(w.token())
	c.git("fetch", "--quiet", "origin", "refs/pull/1/head:refs/pull/1")
	again, err := fork.Commit("topic", map[string]string{"fork.txt": "from further\n"}, "Go further")
	must(t, err)
	must(t, fork.Push(bob, sandbox.RefUpdate{Ref: "topic", New: again}))
	c.git("fetch", "--quiet", "origin", "+refs/pull/1/head:refs/pull/1")
	if got := c.git("rev-parse", "refs/pull/1"); got != again {
		t.Fatalf("the fork's new head came as %s, want %s", got, again)
	}
	merge := c.git("-c", "user.name=q", "-c", "user.email=q@example.invalid", "commit-tree", again+"^{tree}", "-p", w.base, "-p", again, "-m", "Merge")
	later := c.git("-c", "user.name=q", "-c", "user.email=q@example.invalid", "commit-tree", again+"^{tree}", "-p", merge, "-m", "Later")
	c.git("push", "--quiet", "origin", later+":refs/heads/main")
	got := w.pull(pr.Number)
	if !got.Merged || got.MergeCommitSHA != merge {
		t.Errorf("merged %v as %s, want %s", got.Merged, got.MergeCommitSHA, merge)
	}
	if got := w.repo.Ref("topic"); got != "" {
		t.Errorf("the fork's branch appeared in the base: %s", got)
	}
}

// What happens to branches happens to pull requests.
func TestBranchesAndPullRequests(t *testing.T) {
	w := found(t)
	deleted, emptied, moved := w.open("deleted"), w.open("emptied"), w.open("moved")
	must(t, w.repo.Push(w.alice, sandbox.RefUpdate{Ref: "deleted"}))
	must(t, w.repo.Push(w.alice, sandbox.RefUpdate{Ref: "emptied", New: w.base}))
	further := w.commit("moved", "more", "1")
	must(t, w.repo.Push(w.alice, sandbox.RefUpdate{Ref: "moved", New: further}))
	for number, want := range map[int64]string{deleted.Number: "closed", emptied.Number: "closed", moved.Number: "open"} {
		if got := w.pull(number); got.State != want || got.Merged {
			t.Errorf("#%d is %s, merged %v; want %s", number, got.State, got.Merged, want)
		}
	}
	if got := w.pull(moved.Number); got.HeadSHA != further {
		t.Errorf("the head shown is %s, want %s", got.HeadSHA, further)
	}
	if err := w.repo.Reopen(deleted.Number, w.alice); err == nil {
		t.Error("a pull request without its branch was reopened")
	}
	must(t, w.repo.Push(w.alice, sandbox.RefUpdate{Ref: "release", New: w.base}))
	must(t, w.repo.Retarget(moved.Number, w.alice, "release"))
	must(t, w.repo.Push(w.alice, sandbox.RefUpdate{Ref: "release"}))
	if got := w.pull(moved.Number); got.State != "closed" {
		t.Errorf("its base is gone and it is %s", got.State)
	}
}

// A pull request on another one's branch goes to that one's base when the other was
// merged and its branch is deleted, and is closed when the branch goes without that.
func TestABaseThatIsDeleted(t *testing.T) {
	for _, merged := range []bool{true, false} {
		w := found(t)
		w.open("lower")
		tip := w.commit("lower", "upper.txt", "upper\n")
		w.move("upper", tip)
		upper, err := w.repo.OpenPullRequest(sandbox.OpenPullRequest{Head: "upper", Base: "lower", Title: "upper"})
		if err != nil {
			t.Fatal(err)
		}
		if merged {
			w.move("main", w.repo.Ref("lower"))
		}
		c := w.clone(w.token())
		if out, err := c.land("lower=" + w.repo.Ref("lower") + ":"); err != nil {
			t.Fatal(out)
		}
		got := w.pull(upper.Number)
		if merged && (got.State != "open" || got.BaseRef != "main") || !merged && got.State != "closed" {
			t.Errorf("the lower one merged: %v; the upper one is %s on %s", merged, got.State, got.BaseRef)
		}
	}
}
