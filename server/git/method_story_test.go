package git

import (
	"strings"
	"testing"
)

// A pull request that solved a conflict in a merge can't be laid out in a line;
// it goes in as one commit, and the build says so.
func TestAMergeThatSolvedAConflictGoesInAsOne(t *testing.T) {
	// Given a branch that met main's change of its line in a merge, and went on.
	r := newRepo(t)
	fork := r.commit("start", "a.txt", "one\ntwo\nthree\n", "other.txt", "x\n")
	main := r.commit("main's two", "a.txt", "one\nmain\nthree\n")
	r.git("checkout", "-q", "-b", "topic", fork)
	r.commit("topic's two\n\nFixes #3", "a.txt", "one\ntopic\nthree\n")
	if _, err := r.try("merge", "-q", main); err == nil {
		t.Fatal("the merge was to conflict")
	}
	r.write("a.txt", "one\nboth\nthree\n")
	r.git("add", "-A")
	r.git("commit", "-q", "-m", "Merge main, and solve it")
	head := r.commit("more", "b.txt", "b\n")
	r.git("checkout", "-q", "main")
	base := r.commit("main goes on", "other.txt", "y\n")
	remote := bareRepo(t)
	r.publish(remote, base, "refs/heads/main")
	r.publish(remote, head, "refs/heads/topic")
	clone, _ := openClone(t, remote)

	// When it is to be rebased.
	var told []Authored
	built, err := clone.Build(soon(t), Spec{Base: base, Committer: attempt, Members: []Member{{PR: 7, Head: head, Message: func(own []Authored) string {
		told = own
		return "As one (#7)"
	}}}})
	if err != nil {
		t.Fatal(err)
	}

	// Then it is one commit with what the merge solved, by who wrote it.
	if len(built.Members) != 1 || !built.Members[0].Squashed || built.Members[0].Method != Squash || len(built.Members[0].Commits) != 1 {
		t.Fatalf("built %+v", built)
	}
	local := repo{t, clone.dir}
	if got := local.git("show", built.Tip+":a.txt"); got != "one\nboth\nthree" {
		t.Errorf("a.txt is %q", got)
	}
	if got := local.git("log", "-1", "--format=%an %s %P", built.Tip); got != "Ann As one (#7) "+base {
		t.Errorf("the commit is %q", got)
	}
	if len(told) != 2 || !strings.HasPrefix(told[0].Message, "topic's two") || told[0].Author != "Ann <ann@example.com>" {
		t.Errorf("the message was made of %q", told)
	}
}

// What grew out of a squashed pull request meets it where they parted, in the same
// batch and in the next: it brings only what it has beyond it.
func TestWhatGrewOutOfASquashedPullRequestBringsTheRest(t *testing.T) {
	r := newRepo(t)
	base := r.commit("start", "a.txt", "one\ntwo\nthree\n")
	first := r.commit("first", "a.txt", "one\nfirst\nthree\n")
	second := r.commit("second", "a.txt", "one\nsecond\nthree\n")
	remote := bareRepo(t)
	r.publish(remote, base, "refs/heads/main")
	r.publish(remote, second, "refs/heads/second")
	clone, _ := openClone(t, remote)
	members := []Member{{PR: 1, Head: first, Method: Squash}, {PR: 2, Head: second, Method: Squash}}

	together, err := clone.Build(soon(t), Spec{Base: base, Committer: attempt, Members: members})
	if err != nil || len(together.Members) != 2 {
		t.Fatalf("built %+v: %v", together, err)
	}
	alone, err := clone.Build(soon(t), Spec{Base: base, Committer: attempt, Members: members[:1]})
	if err != nil {
		t.Fatal(err)
	}
	after, err := clone.Build(soon(t), Spec{Base: alone.Tip, Committer: attempt, Members: members[1:], Landed: []string{first}})
	if err != nil || len(after.Members) != 1 || after.Tree != together.Tree {
		t.Errorf("after the first had landed: %+v: %v", after, err)
	}
	if got := (repo{t, clone.dir}).git("show", after.Tip+":a.txt"); got != "one\nsecond\nthree" {
		t.Errorf("a.txt is %q", got)
	}
	contained, err := clone.Build(soon(t), Spec{Base: alone.Tip, Committer: attempt, Members: members[:1], Landed: []string{first}})
	if err != nil || len(contained.Contained) != 1 {
		t.Errorf("landed once more: %+v: %v", contained, err)
	}
}

// What stands on one that can't be built is left out with it: by itself it would bring
// what the lower one has, under its own name.
func TestAStackIsBuiltAsFarAsItGoes(t *testing.T) {
	for _, method := range []Method{Rebase, Squash, Merge} {
		r := newRepo(t)
		start := r.commit("start", "a.txt", "one\n")
		lower := r.commit("lower", "a.txt", "lower\n")
		upper := r.commit("upper", "b.txt", "upper\n")
		r.git("checkout", "-q", "--detach", start)
		base := r.commit("meanwhile", "a.txt", "meanwhile\n")
		remote := bareRepo(t)
		r.publish(remote, base, "refs/heads/main")
		r.publish(remote, upper, "refs/heads/upper")
		clone, _ := openClone(t, remote)
		members := []Member{{PR: 1, Head: lower, Method: method}, {PR: 2, Head: upper, Method: method, After: []int{1}}}

		built, err := clone.Build(soon(t), Spec{Base: base, Committer: attempt, Members: members})
		if err != nil || len(built.Members) != 0 || len(built.Skipped) != 2 || !built.Skipped[0].OnBaseAlone || built.Skipped[1].OnBaseAlone {
			t.Fatalf("%q on a base that the lower conflicts with: %+v: %v", method, built, err)
		}
		built, err = clone.Build(soon(t), Spec{Base: start, Committer: attempt, Members: members})
		if err != nil || len(built.Members) != 2 {
			t.Fatalf("%q: built %+v: %v", method, built, err)
		}
		if got := (repo{t, clone.dir}).git("diff", "--name-only", built.Members[0].Tip, built.Members[1].Tip); got != "b.txt" {
			t.Errorf("%q: the upper one changes %q beyond the lower", method, got)
		}
		if method != Merge && len(built.Members[1].Commits) != 1 {
			t.Errorf("%q: the upper one became %v", method, built.Members[1].Commits)
		}
	}
}
