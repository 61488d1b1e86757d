package git

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestBuildPutsPullRequestsOneBehindTheOther is the plain road: two pull
// requests from an older base become a line on the new one.
func TestBuildPutsPullRequestsOneBehindTheOther(t *testing.T) {
	// Given a base that moved on, and two pull requests from before.
	remote, work := bareRepo(t), newRepo(t)
	old := work.commit("start", "a", "1\n2\n3\n", "b", "1\n")
	work.git("checkout", "-q", "-b", "one")
	work.commit("one, first", "c", "c\n", "cart/tax/sum", "s\n")
	one := work.commit("one, second\n\nWith a body.", "c", "c\nd\n")
	work.git("checkout", "-q", "-b", "two", old)
	two := work.commit("two", "a", "1\n2\n3\n4\n")
	work.git("checkout", "-q", "main")
	base := work.commit("moved on", "b", "2\n")
	for i, id := range []string{base, one, two} {
		work.publish(remote, id, []string{"refs/heads/main", "refs/heads/one", "refs/heads/two"}[i])
	}
	clone, _ := openClone(t, remote)

	// When they are built.
	built, err := clone.Build(soon(t), Spec{Base: base, Members: []Member{{PR: 1, Head: one}, {PR: 2, Head: two}}, Committer: attempt, Trailers: []string{"Mainstay-Attempt: 7.abc"}})
	if err != nil {
		t.Fatal(err)
	}

	// Then three commits stand on the base, with their authors and our committer.
	if len(built.Members) != 2 || len(built.Members[0].Commits) != 2 || len(built.Members[1].Commits) != 1 || built.Tip != built.Members[1].Tip {
		t.Fatalf("built %+v", built)
	}
	if got := fmt.Sprint(built.Members[0].Folders, built.Members[1].Folders); got != "[. cart/tax] [.]" {
		t.Errorf("they change %s", got)
	}
	if err := clone.PushTicket(soon(t), "refs/heads/mainstay/main/7", built.Tip); err != nil {
		t.Fatal(err)
	}
	got := remote.git("log", "--reverse", "--format=%H %an %ce %ct %s", base+".."+built.Tip)
	want := fmt.Sprintf("%s Ann attempt-7@mainstay.example 1700000000 one, first\n%s Ann attempt-7@mainstay.example 1700000000 one, second\n%s Ann attempt-7@mainstay.example 1700000000 two",
		built.Members[0].Commits[0], built.Members[0].Commits[1], built.Members[1].Commits[0])
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if body := remote.git("log", "-1", "--format=%B", built.Members[0].Tip); body != "one, second\n\nWith a body.\n\nMainstay-Attempt: 7.abc" {
		t.Errorf("message %q", body)
	}
	if got := remote.git("show", built.Tip+":a") + "|" + remote.git("show", built.Tip+":b"); got != "1\n2\n3\n4|2" {
		t.Errorf("files %q", got)
	}
	if remote.git("rev-parse", built.Tip+"^{tree}") != built.Tree {
		t.Error("the tree is another")
	}
	if out, err := remote.try("fsck", "--strict"); err != nil {
		t.Error(out, err)
	}

	// And a fresh clone makes the very same commits.
	again, _ := openClone(t, remote)
	twice, err := again.Build(soon(t), Spec{Base: base, Members: []Member{{PR: 1, Head: one}, {PR: 2, Head: two}}, Committer: attempt, Trailers: []string{"Mainstay-Attempt: 7.abc"}})
	if err != nil || twice.Tip != built.Tip {
		t.Errorf("a second build gave %s, %v", twice.Tip, err)
	}
}

// TestBuildSkipsConflicts: a conflict takes out one pull request and names the
// files; the others go on. It is told apart whether the base is to blame.
func TestBuildSkipsConflicts(t *testing.T) {
	remote, work := bareRepo(t), newRepo(t)
	old := work.commit("start", "a", "1\n", "b", "1\n")
	heads := map[string]string{}
	for name, file := range map[string][2]string{"good": {"a", "2\n"}, "pair": {"a", "3\n"}, "stale": {"b", "9\n"}, "last": {"c", "c\n"}} {
		work.git("checkout", "-q", "-b", name, old)
		heads[name] = work.commit(name, file[0], file[1])
		work.publish(remote, heads[name], "refs/heads/"+name)
	}
	work.git("checkout", "-q", "main")
	base := work.commit("moved on", "b", "2\n")
	work.publish(remote, base, "refs/heads/main")
	clone, _ := openClone(t, remote)

	built, err := clone.Build(soon(t), Spec{Base: base, Committer: attempt, Members: []Member{{PR: 1, Head: heads["good"]}, {PR: 2, Head: heads["pair"]}, {PR: 3, Head: heads["stale"]}, {PR: 4, Head: heads["last"]}, {PR: 5, Head: old}}})
	if err != nil {
		t.Fatal(err)
	}
	var landed []int
	for _, m := range built.Members {
		landed = append(landed, m.PR)
	}
	if !slices.Equal(landed, []int{1, 4}) || !slices.Equal(built.Contained, []int{5}) {
		t.Errorf("members %v, contained %v", landed, built.Contained)
	}
	want := "[{PR:2 Files:[a] OnBaseAlone:false} {PR:3 Files:[b] OnBaseAlone:true}]"
	if got := fmt.Sprintf("%+v", built.Skipped); got != want {
		t.Errorf("skipped %s, want %s", got, want)
	}
}

// TestBuildAlwaysWritesNewCommits: a result counts only for a commit that
// never existed before, even when a pull request sits on the tip already.
func TestBuildAlwaysWritesNewCommits(t *testing.T) {
	remote, work := bareRepo(t), newRepo(t)
	base := work.commit("start", "a", "1\n")
	head := work.commit("on the tip", "a", "2\n")
	work.publish(remote, base, "refs/heads/main")
	work.publish(remote, head, "refs/heads/x")
	clone, _ := openClone(t, remote)
	built, err := clone.Build(soon(t), Spec{Base: base, Committer: attempt, Members: []Member{{PR: 1, Head: head}}})
	if err != nil || built.Tip == head || built.Tip == base {
		t.Fatalf("tip %s, head %s, %v", built.Tip, head, err)
	}
}

// TestBuildKeepsWhatAnAuthorWrote: names, times, odd encodings and messages
// stay byte for byte; a signature, which would be false, goes.
func TestBuildKeepsWhatAnAuthorWrote(t *testing.T) {
	remote, work := bareRepo(t), newRepo(t)
	old := work.commit("start", "a", "1\n")
	tree := work.git("rev-parse", work.commit("x", "b", "1\n")+"^{tree}")
	raw := "tree " + tree + "\nparent " + old + "\nauthor J\xf6rg <j@x> 1600000000 +0530\ncommitter C <c@x> 1600000001 +0000\n" +
		"encoding ISO-8859-1\ngpgsig -----BEGIN PGP SIGNATURE-----\n \n abc\n -----END PGP SIGNATURE-----\n\nGr\xfc\xdfe  \n\n\nEnd\n"
	head, err := work.tryWith(raw, "hash-object", "-t", "commit", "-w", "--stdin")
	if err != nil {
		t.Fatal(err)
	}
	work.git("checkout", "-q", "--detach", old)
	base := work.commit("moved on", "c", "1\n")
	work.publish(remote, base, "refs/heads/main")
	work.publish(remote, head, "refs/heads/x")
	clone, _ := openClone(t, remote)
	built, err := clone.Build(soon(t), Spec{Base: base, Committer: attempt, Members: []Member{{PR: 1, Head: head}}})
	if err != nil {
		t.Fatal(err)
	}
	got, _ := repo{t, clone.dir}.tryWith("", "cat-file", "commit", built.Tip)
	want := "tree " + built.Tree + "\nparent " + base + "\nauthor J\xf6rg <j@x> 1600000000 +0530\ncommitter Mainstay <attempt-7@mainstay.example> 1700000000 +0000\n" +
		"encoding ISO-8859-1\n\nGr\xfc\xdfe  \n\n\nEnd"
	if got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// TestBuildRefusesBadInput: nothing hostile reaches a child.
func TestBuildRefusesBadInput(t *testing.T) {
	remote, work := bareRepo(t), newRepo(t)
	base := work.commit("start", "a", "1\n")
	work.publish(remote, base, "refs/heads/main")
	clone, log := openClone(t, remote)
	before := log.count("")
	for name, spec := range map[string]Spec{
		"base":      {Base: "--upload-pack=x", Committer: attempt},
		"head":      {Base: base, Members: []Member{{PR: 1, Head: "main\n" + base}}, Committer: attempt},
		"committer": {Base: base, Committer: Committer{Name: "a\nparent x", Email: "b"}},
		"address":   {Base: base, Committer: Committer{Name: "a", Email: "b> 1 +0000\nx"}},
		"trailer":   {Base: base, Committer: attempt, Trailers: []string{"a: b\n\nmore"}},
	} {
		if _, err := clone.Build(soon(t), spec); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if n := log.count(""); n != before {
		t.Errorf("%d processes were started", n-before)
	}
	_, err := clone.Build(soon(t), Spec{Base: base, Committer: attempt, Members: []Member{{PR: 1, Head: strings.Repeat("1", 40)}}})
	if err == nil || !strings.Contains(err.Error(), "does not have commit "+strings.Repeat("1", 40)) {
		t.Errorf("a commit nobody has: %v", err)
	}
}
