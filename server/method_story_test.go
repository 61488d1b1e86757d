package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/sandbox"
)

// landsBy puts a config on the base that says how pull requests land, and rules
// that let a merge by.
func (w *town) landsBy(merge string) {
	w.t.Helper()
	w.repo.Protect("main", sandbox.Rules{RequiredChecks: []sandbox.RequiredCheck{{Context: "ci"}, {Context: "Mainstay", AppID: w.app.ID}}, Bypass: []sandbox.Actor{w.owner}})
	commit, err := w.repo.Commit("main", map[string]string{".github/mainstay.yml": "version: 1\nqueues:\n  - branch: main\n    batch: {size: 4}\n    merge: " + merge + "\n"}, "Say how to land")
	w.must(err)
	w.must(w.repo.Push(w.owner, sandbox.RefUpdate{Ref: "main", New: commit}))
	w.until("the server has read the config", func() bool {
		h := w.rows().Header
		return h.Tip == commit && h.Settings.Merge.Method != "" && strings.Contains(merge, string(h.Settings.Merge.Method)) && h.Settings.BatchSize == 4
	})
}

// A squashed pull request is one commit with its title, its description and what
// its commits must not lose; its branch moves there, and GitHub says "merged".
func TestASquashedPullRequestLandsAsOneCommit(t *testing.T) {
	t.Parallel()
	// Given a queue that squashes, and a pull request of two commits.
	w := found(t, scene{})
	w.landsBy("squash")
	pr := w.opens("topic")
	more, err := w.repo.Commit(w.pull(pr).HeadSHA, map[string]string{"more.txt": "more\n"}, "More\n\nFixes #77\n\nCo-authored-by: Cy <cy@example.com>")
	w.must(err)
	w.must(w.repo.Push(w.author, sandbox.RefUpdate{Ref: "topic", New: more}))
	w.gate.remember(more, pr)
	w.must(w.repo.EditPullRequest(int64(pr), w.author, "A {body} of \"work\"", "What it is for.\r\n<!-- hidden -->"))
	base := w.repo.Ref("main")

	// When it lands.
	w.label(pr)
	w.awaitEnds(ends{pr: landed})

	// Then that is one commit on the base, tested as it is, in words of its own.
	tip := w.repo.Ref("main")
	want := fmt.Sprintf("A {body} of \"work\" (#%d)\n\nWhat it is for.\n\nCloses: #77\nCo-authored-by: Cy <cy@example.com>", pr)
	if got := w.git("log", "-1", "--format=%B", tip); got != want {
		t.Errorf("the message is\n%s\nwant\n%s", got, want)
	}
	if got := w.git("log", "-1", "--format=%P %an", tip); got != base+" Sandbox" || w.ci.tested[len(w.ci.tested)-1] != tip {
		t.Errorf("parent and author are %q", got)
	}
	if pull := w.pull(pr); !pull.Merged || pull.HeadSHA != tip {
		t.Errorf("GitHub shows merged %v at %s", pull.Merged, pull.HeadSHA)
	}
	if e := w.entry(pr); e.Method != queue.MethodSquash || e.Squashed {
		t.Errorf("landed by %s, %v", e.Method, e.Squashed)
	}
}

// A merge keeps the head as it is: nobody's branch is moved, and a fork's pull
// request is shown as merged like the house's own.
func TestMergedHeadsStayAsTheyAreAndForksAreMergedToo(t *testing.T) {
	t.Parallel()
	// Given a queue that merges, one pull request of a fork, one of the house, and
	// one whose label asks for a squash.
	w := found(t, scene{})
	w.landsBy(`{method: merge, title: "Land {branch} into {base}"}`)
	fabian := w.forge.NewUser("fabian")
	fork, err := w.repo.Fork(fabian)
	w.must(err)
	foreign := w.openFrom(fork, fabian, "gift", map[string]string{"gift.txt": "a gift\n"})
	own, squashed := w.opens("topic"), w.opens("small")
	w.must(w.repo.Label(int64(squashed), w.owner, "merge:squash"))
	heads := map[int]string{foreign: w.pull(foreign).HeadSHA, own: w.pull(own).HeadSHA}

	// When they land in one batch.
	w.labelTogether(foreign, own, squashed)
	w.awaitEnds(ends{foreign: landed, own: landed, squashed: landed})

	// Then all are merged, and merged heads are where they were.
	for pr, head := range heads {
		if pull := w.pull(pr); !pull.Merged || pull.HeadSHA != head {
			t.Errorf("#%d: merged %v at %s, want it at %s", pr, pull.Merged, pull.HeadSHA, head)
		}
		e := w.entry(pr)
		if got := w.git("log", "-1", "--format=%P", e.Became); !strings.HasSuffix(got, " "+head) {
			t.Errorf("#%d became a commit of the parents %s", pr, got)
		}
	}
	if got := w.git("log", "-1", "--format=%s", w.entry(foreign).Became); got != "Land fabian/gift into main" {
		t.Errorf("the merge says %q", got)
	}
	if len(w.repo.Comments(int64(foreign))) > 0 {
		t.Errorf("somebody was told something: %q", w.repo.Comments(int64(foreign)))
	}
	e := w.entry(squashed)
	if got := w.git("log", "-1", "--format=%P %s", e.Became); e.Method != queue.MethodSquash || strings.Count(got, " ") < 2 || !strings.HasSuffix(got, fmt.Sprintf("Change small (#%d)", squashed)) || !w.pull(squashed).Merged {
		t.Errorf("#%d landed by %s as %q", squashed, e.Method, got)
	}
}

// A label that asks for a method counts only where somebody set it who may write.
func TestAStrangersMethodLabelDoesNotCount(t *testing.T) {
	t.Parallel()
	w := found(t, scene{})
	w.landsBy("rebase")
	triager := w.forge.NewUser("tess")
	w.must(w.repo.SetPermission(triager, "triage"))
	pr := w.opens("topic")
	w.must(w.repo.Label(int64(pr), triager, "merge:merge"))
	w.label(pr)
	w.awaitEnds(ends{pr: landed})
	if e := w.entry(pr); e.Method != queue.MethodRebase {
		t.Errorf("landed by %s", e.Method)
	}
}
