package git

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// madeOf commits a tree written by hand, which `git add` would refuse.
func (r repo) madeOf(parent, entries string) string {
	r.t.Helper()
	tree, err := r.tryWith(entries, "mktree")
	if err != nil {
		r.t.Fatal(err)
	}
	return r.git("commit-tree", "-p", parent, "-m", "made by hand", tree)
}

// TestAPullRequestWithUnsoundObjectsIsNamed: git's own checks are on for what people
// bring, the one who brings it is named, and its neighbour is not touched.
func TestAPullRequestWithUnsoundObjectsIsNamed(t *testing.T) {
	remote, work := bareRepo(t), newRepo(t)
	base := work.commit("start", "a", "1\n")
	work.publish(remote, base, mainRef)
	blob := work.git("rev-parse", base+":a")
	inner, _ := work.tryWith("100644 blob "+blob+"\tconfig\n", "mktree")
	modules, _ := work.tryWith("[submodule \"a\"]\n\tpath = a\n\turl = -upload-pack=x\n", "hash-object", "-w", "--stdin")
	for name, entries := range map[string]string{
		"a folder called .git":             "040000 tree " + inner + "\t.git\n",
		"one called so in other letters":   "040000 tree " + inner + "\t.GiT\n",
		"a submodule whose URL is options": "100644 blob " + modules + "\t.gitmodules\n",
		"a .gitmodules that is a link":     "120000 blob " + blob + "\t.gitmodules\n",
	} {
		t.Run(name, func(t *testing.T) {
			// Given a sound pull request and one that brings such a tree
			clone, _ := openClone(t, remote)
			good := work.commit("good "+name, "b", name)
			bad := work.madeOf(base, entries)
			work.publish(remote, good, "refs/heads/good")
			work.publish(remote, bad, "refs/heads/bad")
			spec := Spec{Base: base, Members: []Member{{PR: 1, Head: good}, {PR: 2, Head: bad}}, Committer: Committer{"M", "m@example.com", time.Unix(1e9, 0)}}
			// When both are to be built
			_, err := clone.Build(soon(t), spec)
			// Then the second is named, and the first builds without it
			var unsound *BadCommitError
			if !errors.As(err, &unsound) || unsound.Commit != bad || unsound.Why == "" {
				t.Fatalf("got %v, want a BadCommitError of %s", err, bad)
			}
			spec.Members = spec.Members[:1]
			if _, err := clone.Build(soon(t), spec); err != nil {
				t.Errorf("the neighbour does not build: %v", err)
			}
		})
	}
}

// TestABaseWithUnsoundObjectsIsTakenAsItIs: what somebody brought into the base
// around us must not stop everybody.
func TestABaseWithUnsoundObjectsIsTakenAsItIs(t *testing.T) {
	remote, work := bareRepo(t), newRepo(t)
	start := work.commit("start", "a", "1\n")
	work.publish(remote, start, mainRef)
	clone, _ := openClone(t, remote)
	head := work.commit("mine", "b", "1\n")
	work.publish(remote, head, "refs/heads/mine")
	blob := work.git("rev-parse", start+":a")
	inner, _ := work.tryWith("100644 blob "+blob+"\tconfig\n", "mktree")
	base := work.madeOf(start, "100644 blob "+blob+"\ta\n040000 tree "+inner+"\t.git\n")
	work.publish(remote, base, mainRef)
	built, err := clone.Build(soon(t), Spec{Base: base, Members: []Member{{PR: 1, Head: head}}, Committer: Committer{"M", "m@example.com", time.Unix(1e9, 0)}})
	if err != nil || len(built.Members) != 1 {
		t.Fatalf("built %+v, %v", built, err)
	}
}

// TestNothingOfAPullRequestIsEverRun: attributes that name filters and merge drivers,
// hooks in the clone, links out of the tree, and files of every odd name are only data.
func TestNothingOfAPullRequestIsEverRun(t *testing.T) {
	remote, work := bareRepo(t), newRepo(t)
	base := work.commit("start", "a", "1\n2\n3\n", "c", "x\n")
	work.publish(remote, base, mainRef)
	marker := filepath.Join(t.TempDir(), "ran")
	touch := "touch " + marker
	// Given a clone in which somebody could lay hooks, and a pull request that names drivers and filters
	clone, _ := openClone(t, remote)
	hooks := filepath.Join(clone.dir, "hooks")
	os.MkdirAll(hooks, 0o755)
	for _, name := range []string{"reference-transaction", "post-checkout", "pre-push", "post-merge", "pre-commit", "post-rewrite"} {
		os.WriteFile(filepath.Join(hooks, name), []byte("#!/bin/sh\n"+touch+"\n"), 0o755)
	}
	work.git("checkout", "-q", "-b", "one", base)
	one := work.commit("one", ".gitattributes", "* merge=evil filter=evil diff=evil\n", "a", "1\n2\nthree\n")
	work.git("checkout", "-q", "-b", "two", base)
	os.Symlink("/etc/passwd", filepath.Join(work.dir, "link"))
	two := work.commit("two", "a", "one\n2\n3\n", "--upload-pack="+"x", "y\n", "$(touch ran)", "z\n")
	work.publish(remote, one, "refs/heads/one")
	work.publish(remote, two, "refs/heads/two")
	// When both are built, pushed and landed
	built, err := clone.Build(soon(t), Spec{Base: base, Members: []Member{{PR: 1, Head: one}, {PR: 2, Head: two}}, Committer: Committer{"M", "m@example.com", time.Unix(1e9, 0)}})
	if err != nil || len(built.Members) != 2 {
		t.Fatalf("built %+v, %v", built, err)
	}
	if err := clone.PushTicket(soon(t), "refs/heads/mainstay/main/1", built.Tip); err != nil {
		t.Fatal(err)
	}
	landed, err := clone.Land(soon(t), Landing{Base: mainRef, Old: base, New: built.Tip, Tickets: []Ticket{{"refs/heads/mainstay/main/1", built.Tip}}})
	if err != nil || landed.Kind != Landed {
		t.Fatalf("landed %+v, %v", landed, err)
	}
	// Then nothing ran, and nothing was checked out
	if _, err := os.Stat(marker); err == nil {
		t.Error("something of the pull request or of the clone's hooks was run")
	}
	found, _ := filepath.Glob(filepath.Join(clone.dir, "..", "*", "link"))
	if len(found) > 0 {
		t.Errorf("files were checked out: %v", found)
	}
	if text := remote.git("show", built.Tip+":a"); !strings.Contains(text, "one") || !strings.Contains(text, "three") {
		t.Errorf("the merge is not of both: %q", text)
	}
}

// TestAPullRequestOfTooManyCommitsOrPathsIsNamed: it may not fill memory, or hold up
// its neighbours for minutes.
func TestAPullRequestOfTooManyCommitsOrPathsIsNamed(t *testing.T) {
	remote, work := bareRepo(t), newRepo(t)
	base := work.commit("start", "a", "1\n")
	work.publish(remote, base, mainRef)
	good := work.commit("good", "b", "1\n")
	work.publish(remote, good, "refs/heads/good")
	for name, stream := range map[string]string{
		"commits": manyCommits(base, mostCommits+1),
		"paths":   manyPaths(base, mostPaths+1),
	} {
		t.Run(name, func(t *testing.T) {
			// Given a sound pull request and one that brings so much
			if _, err := work.tryWith(stream, "fast-import", "--quiet", "--force"); err != nil {
				t.Fatal(err)
			}
			large := work.git("rev-parse", "refs/heads/large")
			work.publish(remote, large, "refs/heads/large")
			clone, _ := openClone(t, remote)
			spec := Spec{Base: base, Members: []Member{{PR: 1, Head: good}, {PR: 2, Head: large}}, Committer: Committer{"M", "m@example.com", time.Unix(1e9, 0)}}
			// When both are to be built
			_, err := clone.Build(soon(t), spec)
			// Then the second is named with what is too much, and the first builds without it
			var tooLarge *TooLargeError
			if !errors.As(err, &tooLarge) || tooLarge.Commit != large || !strings.Contains(tooLarge.Why, name) {
				t.Fatalf("got %v, want a TooLargeError of %s for its %s", err, large, name)
			}
			spec.Members = spec.Members[:1]
			if _, err := clone.Build(soon(t), spec); err != nil {
				t.Errorf("the neighbour does not build: %v", err)
			}
		})
	}
}

func manyCommits(base string, n int) string {
	var s strings.Builder
	fmt.Fprintf(&s, "reset refs/heads/large\nfrom %s\n\n", base)
	for i := range n {
		fmt.Fprintf(&s, "commit refs/heads/large\ncommitter C <c@example.com> %d +0000\ndata 1\nx\nM 644 inline f\ndata <<E\n%d\nE\n\n", 1e9+i, i)
	}
	return s.String()
}

func manyPaths(base string, n int) string {
	var s strings.Builder
	fmt.Fprintf(&s, "blob\nmark :1\ndata 1\nx\nreset refs/heads/large\nfrom %s\n\ncommit refs/heads/large\ncommitter C <c@example.com> 1000000000 +0000\ndata 1\nx\n", base)
	for i := range n {
		fmt.Fprintf(&s, "M 644 :1 many/%d/%d\n", i/500, i)
	}
	return s.String()
}
