package git

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// hasMerges says whether a head has merges that the base has not.
func (h *historian) hasMerges(head string) bool {
	return h.git("rev-list", "--merges", "--max-count=1", "^"+h.base, head) != ""
}

// merge does with git itself what a merge of a head into a commit must give: its
// tree, or a conflict.
func (h *historian) merge(into, head string) (tree string, conflict bool) {
	h.git("reset", "-q", "--hard")
	h.git("checkout", "-q", "--detach", into)
	h.git("clean", "-fdxq")
	if _, err := h.try("merge", "-q", "--no-ff", "--no-commit", "--allow-unrelated-histories", head); err != nil {
		if _, err := os.Stat(h.dir + "/.git/MERGE_HEAD"); err != nil {
			h.t.Fatal("a merge failed without a conflict")
		}
		h.git("reset", "-q", "--hard")
		return "", true
	}
	tree = h.git("write-tree")
	h.git("reset", "-q", "--hard")
	return tree, false
}

// squashOnto is a squash where members were put on the base before: git is shown
// a history in which those had been merged.
func (h *historian) squashOnto(tip, head string, placed []string) (next string, conflict bool) {
	args := []string{"commit-tree", "-m", "shadow", tip + "^{tree}", "-p", h.base}
	for _, id := range placed {
		if id != h.base {
			args = append(args, "-p", id)
		}
	}
	tree, conflict := h.merge(h.git(args...), head)
	if conflict {
		return tip, true
	}
	if tree == h.git("rev-parse", tip+"^{tree}") {
		return tip, false
	}
	return h.git("commit-tree", "-m", "squashed", tree, "-p", tip), false
}

// onlyEmpty says whether all that a head has beyond a commit are commits that
// were empty from the start, which are wanted for themselves.
func (h *historian) onlyEmpty(head, beyond string) bool {
	own := strings.Fields(h.git("rev-list", "--no-merges", head, "^"+beyond))
	for _, id := range own {
		if h.git("diff-tree", "--root", "-r", "--no-commit-id", id) != "" {
			return false
		}
	}
	return len(own) > 0
}

func seedsOf(most int) int {
	if text := os.Getenv("MAINSTAY_SEEDS"); text != "" {
		fmt.Sscan(text, &most)
	}
	return most
}

// TestMergesAndSquashesAgreeWithGitMerge builds random batches by both methods:
// merged one behind the other, each member's tree and verdict are those of git
// merge, and squashed they give the same trees.
func TestMergesAndSquashesAgreeWithGitMerge(t *testing.T) {
	landed, conflicts, contained := 0, 0, 0
	for seed := range seedsOf(8) {
		h := newHistorian(t, uint64(seed)+100)
		h.writeAll()
		remote := bareRepo(t)
		h.publish(remote, h.base, "refs/heads/main")
		for n, head := range h.heads {
			h.publish(remote, head, fmt.Sprintf("refs/heads/pr%d", n))
		}
		clone, _ := openClone(t, remote)
		byMethod := map[Method]map[int]string{}
		for _, method := range []Method{Merge, Squash} {
			spec := Spec{Base: h.base, Committer: attempt}
			for n, head := range h.heads {
				spec.Members = append(spec.Members, Member{PR: n, Head: head, Method: method})
			}
			built, err := clone.Build(soon(t), spec)
			if err != nil {
				t.Fatalf("seed %d, %s: %v", seed, method, err)
			}
			byMethod[method] = verdicts(built)
		}
		tip := h.base
		for n, head := range h.heads {
			want := "contained"
			tree, conflict := h.merge(tip, head)
			switch {
			case conflict:
				alone := tip == h.base
				if !alone {
					_, alone = h.merge(h.base, head)
				}
				want = fmt.Sprintf("conflict, alone %v", alone)
				conflicts++
			case tree == h.git("rev-parse", tip+"^{tree}") && !h.onlyEmpty(head, tip):
				contained++
			default:
				want = "tree " + tree
				tip = h.git("commit-tree", "-m", "m", tree, "-p", tip, "-p", head)
				landed++
			}
			for _, method := range []Method{Merge, Squash} {
				if got := byMethod[method][n]; got != want {
					t.Fatalf("seed %d, #%d (%s) by %s:\n got %s\nwant %s\n%s", seed, n, head, method, got, want,
						h.git("log", "--oneline", "--graph", "--stat", head, "^"+h.base))
				}
			}
		}
	}
	t.Logf("%d landed, %d in conflict, %d contained", landed, conflicts, contained)
	if landed == 0 || conflicts == 0 || contained == 0 {
		t.Error("the histories are too tame to prove anything")
	}
}

func verdicts(built Built) map[int]string {
	all := map[int]string{}
	for _, m := range built.Members {
		all[m.PR] = "tree " + m.Tree
	}
	for _, n := range built.Contained {
		all[n] = "contained"
	}
	for _, c := range built.Skipped {
		all[c.PR] = fmt.Sprintf("conflict, alone %v", c.OnBaseAlone)
	}
	return all
}

// TestMixedMethodsStayInLine builds random batches with a method for each member:
// the line of first parents is what the members became, in order and nothing else,
// a merge's second parent is the head, and a second build gives the same commits.
func TestMixedMethodsStayInLine(t *testing.T) {
	seen := map[Method]int{}
	for seed := range seedsOf(6) {
		h := newHistorian(t, uint64(seed)+200)
		h.writeAll()
		remote := bareRepo(t)
		h.publish(remote, h.base, "refs/heads/main")
		spec := Spec{Base: h.base, Committer: attempt}
		for n, head := range h.heads {
			h.publish(remote, head, fmt.Sprintf("refs/heads/pr%d", n))
			spec.Members = append(spec.Members, Member{PR: n, Head: head, Method: []Method{Rebase, Squash, Merge}[h.dice.IntN(3)]})
		}
		clone, _ := openClone(t, remote)
		built, err := clone.Build(soon(t), spec)
		if err != nil {
			t.Fatal(err)
		}
		again, _ := openClone(t, remote)
		if twice, err := again.Build(soon(t), spec); err != nil || fmt.Sprint(twice) != fmt.Sprint(built) {
			t.Fatalf("seed %d: a second build gave\n%v, not\n%v (%v)", seed, twice, built, err)
		}
		if len(built.Members) == 0 {
			continue
		}
		local := repo{t, clone.dir}
		var commits []string
		for _, m := range built.Members {
			commits = append(commits, m.Commits...)
			seen[m.Method]++
			if parents := strings.Fields(local.git("log", "-1", "--format=%P", m.Tip)); m.Method == Merge && (len(parents) != 2 || parents[1] != spec.Members[m.PR].Head) {
				t.Errorf("seed %d: the merge of #%d has the parents %v", seed, m.PR, parents)
			}
		}
		if line := strings.Fields(local.git("rev-list", "--reverse", "--first-parent", "^"+h.base, built.Tip)); fmt.Sprint(line) != fmt.Sprint(commits) {
			t.Errorf("seed %d: the line is %v, the members' commits %v", seed, line, commits)
		}
	}
	if seen[Rebase] == 0 || seen[Squash] == 0 || seen[Merge] == 0 {
		t.Errorf("landed by method: %v", seen)
	}
}
