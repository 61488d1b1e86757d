package git

import (
	"fmt"
	"strings"
	"testing"
)

// What a head changes of what is watched is told ahead of a build and by it, by
// whichever method it goes in; what its base brought into it is not its own.
func TestWatchedPathsAreNamed(t *testing.T) {
	r := newRepo(t)
	fork := r.commit("start", "a.txt", "a\n")
	r.git("checkout", "-q", "-b", "topic", fork)
	r.commit("mine", "b.txt", "b\n", "w/2", "x\n")
	r.commit("and these", "w/1", "x\n", "w/3", "x\n", "w/4", "x\n")
	r.git("checkout", "-q", "main")
	base := r.commit("main's own", "w/main", "m\n")
	r.git("checkout", "-q", "topic")
	r.git("merge", "-q", "--no-edit", "main")
	head := r.git("rev-parse", "HEAD")
	r.git("checkout", "-q", "-b", "plain", fork)
	plain := r.commit("plain", "c.txt", "c\n")
	remote := bareRepo(t)
	r.publish(remote, base, "refs/heads/main")
	r.publish(remote, head, "refs/heads/topic")
	r.publish(remote, plain, "refs/heads/plain")
	clone, _ := openClone(t, remote)
	watch := func(path string) bool { return strings.HasPrefix(path, "w/") }
	const want = "[w/1 w/2 w/3]"

	ahead, err := clone.Watched(soon(t), base, head, watch)
	if err != nil || fmt.Sprint(ahead) != want {
		t.Errorf("ahead: %v (%v)", ahead, err)
	}
	if none, err := clone.Watched(soon(t), base, plain, watch); err != nil || len(none) > 0 {
		t.Errorf("of what changes none: %v (%v)", none, err)
	}
	for _, method := range []Method{Rebase, Squash, Merge} {
		built, err := clone.Build(soon(t), Spec{Base: base, Committer: attempt, Watch: watch,
			Members: []Member{{PR: 1, Head: head, Method: method}, {PR: 2, Head: plain, Method: method}}})
		if err != nil || len(built.Members) != 2 {
			t.Fatalf("%s: %+v: %v", method, built, err)
		}
		if got := fmt.Sprint(built.Members[0].Watched, built.Members[1].Watched); got != want+" []" {
			t.Errorf("%s: %s", method, got)
		}
	}
}
