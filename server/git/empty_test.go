package git

import (
	"fmt"
	"strings"
	"testing"
)

// TestBuildPutsAnEmptyCommitOnTop: the base, or a batch, under a name that never
// existed before, so that what is tested of it stands beside its own checks.
func TestBuildPutsAnEmptyCommitOnTop(t *testing.T) {
	remote, work := bareRepo(t), newRepo(t)
	base := work.commit("start", "a", "1\n")
	head := work.commit("change", "a", "2\n")
	work.publish(remote, base, mainRef)
	work.publish(remote, head, "refs/heads/pr")
	for _, row := range []struct {
		name    string
		members []Member
	}{{"on the base", nil}, {"on a batch", []Member{{PR: 1, Head: head}}}, {"with nothing left of the batch", []Member{{PR: 2, Head: base}}}} {
		t.Run(row.name, func(t *testing.T) {
			// Given an attempt, built with an empty commit and without.
			clone, _ := openClone(t, remote)
			spec := Spec{Base: base, Committer: attempt, Members: row.members}
			plain, err := clone.Build(soon(t), spec)
			if err != nil {
				t.Fatal(err)
			}
			spec.Empty = "Mainstay: the base as it is, for attempt 7"
			built, err := clone.Build(soon(t), spec)
			if err != nil {
				t.Fatal(err)
			}

			// When its ticket is pushed, then its tip is one commit of ours with the same tree.
			ref := fmt.Sprintf("refs/heads/mainstay/main/%d", len(row.name))
			if err := clone.PushTicket(soon(t), ref, built.Tip); err != nil {
				t.Fatal(err)
			}
			if built.Tree != plain.Tree || len(built.Members) != len(plain.Members) {
				t.Errorf("built %+v, want what stands in %+v", built, plain)
			}
			got := remote.git("log", "-1", "--format=%P %T %an %ae %at %ce %ct %B", ref)
			want := strings.Join([]string{plain.Tip, plain.Tree, "Mainstay attempt-7@mainstay.example 1700000000",
				"attempt-7@mainstay.example 1700000000", spec.Empty}, " ")
			if got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}

			// And a fresh clone makes the very same commit.
			fresh, _ := openClone(t, remote)
			if again, err := fresh.Build(soon(t), spec); err != nil || again.Tip != built.Tip {
				t.Errorf("a second build gave %s, %v; want %s", again.Tip, err, built.Tip)
			}
		})
	}
	if out, err := remote.try("fsck", "--strict"); err != nil {
		t.Error(out, err)
	}
}
