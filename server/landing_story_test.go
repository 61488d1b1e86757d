package main

import (
	"testing"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/sandbox"
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

// GitHub shows the end of a pull request in one of three ways, and the queue
// must end it well in each, whatever GitHub makes of a head and a base that move together.
func TestEveryWayGitHubShowsALandingIsAnEnd(t *testing.T) {
	t.Parallel()
	for name, outcome := range map[string]sandbox.Outcome{
		"merged": sandbox.Merged, "closed": sandbox.ClosedUnmerged, "still open": sandbox.StillOpen} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := found(t, scene{})
			w.forge.Faults.HeadWithBase(outcome)
			pr := w.opens("topic")
			head := w.pull(pr).HeadSHA
			switch outcome {
			case sandbox.ClosedUnmerged: // its author closes it while the base is being moved
				w.gate.beforeEach(func(c call) {
					if c.moves("refs/heads/main") {
						w.must(w.repo.Close(int64(pr), w.author))
					}
				})
			case sandbox.StillOpen: // its branch may not be moved
				w.repo.Protect("topic", sandbox.Rules{RestrictPushesTo: []sandbox.Actor{w.author}})
			}

			w.label(pr)
			w.awaitPhase(pr, queue.Landed)
			w.passTime(15 * time.Second)
			w.awaitEnds(ends{pr: landed})

			if got := w.pull(pr).Merged; got != (outcome == sandbox.Merged) {
				t.Errorf("merged is %v", got)
			}
			if got := w.said(pr, w.repo.Ref("main")[:7]); got != (outcome == sandbox.StillOpen) {
				t.Errorf("a comment names the commit: %v in %q", got, w.repo.Comments(int64(pr)))
			}
			if c := w.check(head); c.Conclusion != "success" {
				t.Errorf("the check on the old head concluded %s", c.Conclusion)
			}
		})
	}
}

// A fork's branch is not ours to move: its pull request is closed with the commit named.
func TestAForksPullRequestIsClosedWithTheCommitNamed(t *testing.T) {
	t.Parallel()
	// Given one pull request of a stranger's fork, and one of the house.
	w := found(t, scene{})
	fabian := w.forge.NewUser("fabian")
	fork, err := w.repo.Fork(fabian)
	w.must(err)
	foreign := w.openFrom(fork, fabian, "gift", map[string]string{"gift.txt": "a gift\n"})
	own := w.opens("topic")
	before := fork.Ref("gift")

	// When both land.
	w.label(foreign, own)
	w.awaitPhase(foreign, queue.Landed)
	w.awaitPhase(own, queue.Landed)
	w.passTime(15 * time.Second)
	w.awaitEnds(ends{foreign: landed, own: landed})

	// Then the house's is merged, and the fork's closed with a word; its branch is as it was.
	if pull := w.pull(own); !pull.Merged {
		t.Error("the house's own is not shown as merged")
	}
	if pull := w.pull(foreign); pull.Merged || !w.said(foreign, w.entry(foreign).Became[:7]) {
		t.Errorf("merged %v, comments %q", pull.Merged, w.repo.Comments(int64(foreign)))
	}
	if fork.Ref("gift") != before {
		t.Error("the fork's branch was moved")
	}
}
