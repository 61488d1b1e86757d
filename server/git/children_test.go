package git

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// TestBuildFetchesWhatRenameDetectionWants: a base that renamed and changed a
// file needs blobs nobody can foresee; they are fetched, and the child that
// died for want of them is replaced.
func TestBuildFetchesWhatRenameDetectionWants(t *testing.T) {
	remote, work := bareRepo(t), newRepo(t)
	old := work.commit("start", "a", lines(40))
	work.git("mv", "a", "moved")
	base := work.commit("rename and change", "moved", "first\n"+lines(40))
	work.git("checkout", "-q", "--detach", old)
	head := work.commit("change", "a", lines(40)+"last\n")
	work.publish(remote, base, mainRef) // cloned without its blobs
	work.publish(remote, head, "refs/heads/pr")
	clone, log := openClone(t, remote)
	built, err := clone.Build(soon(t), Spec{Base: base, Committer: attempt, Members: []Member{{PR: 1, Head: head}}})
	if err != nil || len(built.Members) != 1 {
		t.Fatalf("%+v, %v", built, err)
	}
	if n := log.count("merge-tree"); n != 3 {
		t.Errorf("%d children merged; was a blob missing at all?", n)
	}
	if err := clone.PushTicket(soon(t), ticketRef, built.Tip); err != nil {
		t.Fatal(err)
	}
	if got := remote.git("show", built.Tip+":moved"); got != strings.TrimSpace("first\n"+lines(40)+"last\n") {
		t.Errorf("got %q", got)
	}
}

// threeBuilds is a base and three pull requests that all need real merges.
func threeBuilds(t *testing.T, remote, work repo) Spec {
	t.Helper()
	old := work.commit("start", "a", lines(30))
	spec := Spec{Committer: attempt}
	for i := range 3 {
		work.git("checkout", "-q", "--detach", old)
		head := work.commit("change", "a", strings.Replace(lines(30), fmt.Sprintf("line %d\n", 5+7*i), "changed\n", 1))
		work.publish(remote, head, fmt.Sprintf("refs/heads/x%d", i))
		spec.Members = append(spec.Members, Member{PR: i, Head: head})
	}
	work.git("checkout", "-q", "--detach", old)
	spec.Base = work.commit("base", "a", "first\n"+lines(30))
	work.publish(remote, spec.Base, mainRef)
	return spec
}

// TestBuildSurvivesDeadChildren: children killed between and during builds
// cost a restart and nothing else.
func TestBuildSurvivesDeadChildren(t *testing.T) {
	remote, work := bareRepo(t), newRepo(t)
	spec := threeBuilds(t, remote, work)
	clone, log := openClone(t, remote)
	want, err := clone.Build(soon(t), spec)
	if err != nil || len(want.Members) != 3 {
		t.Fatalf("%+v, %v", want, err)
	}
	kill := func() {
		clone.mu.Lock()
		w := clone.idle[0]
		clone.mu.Unlock()
		for _, k := range []*child{w.objects, w.raw, w.merges} {
			syscall.Kill(k.process.Process.Pid, syscall.SIGKILL)
		}
	}
	kill()
	merges := log.count("merge-tree")
	got, err := clone.Build(soon(t), spec)
	if err != nil || got.Tip != want.Tip {
		t.Errorf("after a kill: %s, %v", got.Tip, err)
	}
	if log.count("merge-tree") == merges {
		t.Error("the child was not replaced")
	}

	// A child that stops answering is cut off at its limit.
	clone.mu.Lock()
	w := clone.idle[0]
	clone.mu.Unlock()
	w.merges.limit = 50 * time.Millisecond
	syscall.Kill(w.merges.process.Process.Pid, syscall.SIGSTOP)
	got, err = clone.Build(soon(t), spec)
	if err != nil || got.Tip != want.Tip {
		t.Errorf("after a hang: %s, %v", got.Tip, err)
	}
	if !clone.oneByOne.Load() {
		t.Error("a silent child is still trusted")
	}

	// A caller that gives up ends it at once.
	gone, cancel := context.WithCancel(soon(t))
	cancel()
	if _, err := clone.Build(gone, spec); err == nil {
		t.Error("no error for a caller that is gone")
	}
}

// TestBuildOneProcessACommit: where the merging child cannot stay, the result
// is the same.
func TestBuildOneProcessACommit(t *testing.T) {
	remote := bareRepo(t)
	h := newHistorian(t, 3)
	h.writeAll()
	spec := Spec{Base: h.base, Committer: attempt}
	h.publish(remote, h.base, mainRef)
	for n, head := range h.heads {
		h.publish(remote, head, fmt.Sprintf("refs/heads/pr%d", n))
		spec.Members = append(spec.Members, Member{PR: n, Head: head})
	}
	resident, _ := openClone(t, remote)
	single, _ := openClone(t, remote)
	single.oneByOne.Store(true)
	want, err := resident.Build(soon(t), spec)
	if err != nil {
		t.Fatal(err)
	}
	got, err := single.Build(soon(t), spec)
	if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got  %+v, %v\nwant %+v", got, err, want)
	}
	if len(want.Skipped) == 0 || len(want.Members) == 0 {
		t.Error("the history is too tame")
	}
}

// TestBuildAtOnce: queues of several base branches share a clone.
func TestBuildAtOnce(t *testing.T) {
	remote, work := bareRepo(t), newRepo(t)
	spec := threeBuilds(t, remote, work)
	clone, _ := openClone(t, remote)
	want, err := clone.Build(soon(t), spec)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for i := range 6 {
		all.Go(func() {
			got, err := clone.Build(soon(t), spec)
			if err == nil && got.Tip != want.Tip {
				err = fmt.Errorf("tip %s, want %s", got.Tip, want.Tip)
			}
			if err == nil {
				err = clone.PushTicket(soon(t), fmt.Sprintf("refs/heads/mainstay/main/%d", i), got.Tip)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if len(clone.idle) > 2 {
		t.Errorf("%d workers stay", len(clone.idle))
	}
	clone.Close()
	if _, err := clone.Build(soon(t), spec); err == nil {
		t.Error("a closed clone builds")
	}
	if left, _ := filepath.Glob(filepath.Join(memory, clone.scratchName()+"*")); len(left) > 0 {
		t.Errorf("scratch folders stay: %v", left)
	}
}

// TestMoveRule: a nested .gitattributes says the same from the root.
func TestMoveRule(t *testing.T) {
	for _, row := range [][3]string{
		{"*.md merge=union", "", "*.md merge=union"},
		{"*.md merge=union", "docs", `"docs/**/*.md" merge=union`},
		{"/x merge=union", "docs", `"docs/x" merge=union`},
		{"a/b -merge", "docs/y", `"docs/y/a/b" -merge`},
		{`"a b" -merge`, "d", `"d/**/a b" -merge`},
		{"x merge", "o[d]d*", `"o\\[d]d\\*/**/x" merge`},
		{"[attr]mine merge=union", "docs", ""},
		{"!x merge", "docs", ""},
		{"# note", "docs", "# note"},
	} {
		if got := moveRule(row[0], row[1]); got != row[2] {
			t.Errorf("%q in %q: %q, want %q", row[0], row[1], got, row[2])
		}
	}
}
