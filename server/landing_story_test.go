package main

import (
	"testing"

	"github.com/mainstay-ci/mainstay/queue"
)

// The promise in one story: what is labelled lands as exactly the commit that
// was tested, through rules that GitHub enforces, and GitHub says "merged".
func TestALabelledPullRequestLandsAsTheTestedCommit(t *testing.T) {
	t.Parallel()
	// Given a base that asks for CI and for our own check on whatever is pushed.
	w := found(t, scene{})
	pr := w.opens("topic")
	head := w.pull(pr).HeadSHA

	// When somebody who may write labels it.
	w.label(pr)
	w.awaitEnds(ends{pr: landed})

	// Then the base is the commit that CI saw, and the branch moved to it.
	tip := w.repo.Ref("main")
	if w.ci.runs() != 1 || w.ci.tested[0] != tip {
		t.Errorf("main is %s, tested were %v", tip, w.ci.tested)
	}
	if got := w.repo.Ref("topic"); got != tip {
		t.Errorf("topic is %s, want it moved to %s", got, tip)
	}
	pull := w.pull(pr)
	if !pull.Merged || pull.HeadSHA != tip {
		t.Errorf("GitHub shows merged %v at %s, want it merged as %s", pull.Merged, pull.HeadSHA, tip)
	}
	// And our check says so on the head that was asked for, and on the commit that landed.
	if c := w.check(head); c.Conclusion != "success" || c.Title != "Landed as "+tip[:7] {
		t.Errorf("the check on the old head concluded %s: %q", c.Conclusion, c.Title)
	}
	if c := w.check(tip); c.Conclusion != "success" {
		t.Errorf("our check on the landed commit is %q", c.Conclusion)
	}
	if e := w.entry(pr); e.Phase != queue.Landed || e.Became != tip {
		t.Errorf("the entry is %s as %s", e.Phase, e.Became)
	}
}
