package main

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/mainstay-ci/mainstay/sandbox"
)

// underTest opens and labels so many pull requests, and holds CI until they have a ticket.
func (w *town) underTest(n int) []int {
	w.t.Helper()
	w.ci.hold()
	prs := w.opensSeveral(n)
	w.labelTogether(prs...)
	w.until("all have one ticket", func() bool { return len(w.tickets()) == 1 })
	return prs
}

func allLanded(prs []int) ends {
	want := ends{}
	for _, pr := range prs {
		want[pr] = landed
	}
	return want
}

// An admin who pushes to the base while a batch is tested makes it start again
// on the new tip; nobody is blamed.
func TestABaseThatMovedIsBuiltOnAgain(t *testing.T) {
	t.Parallel()
	w := found(t, scene{})
	prs := w.underTest(2)

	around := w.pushAround("hotfix.txt")
	w.until("there is a ticket on the new tip", func() bool {
		for _, commit := range w.tickets() {
			return strings.Contains(w.git("rev-list", commit), around)
		}
		return false
	})
	w.ci.release()

	w.awaitEnds(allLanded(prs))
	if history := strings.Fields(w.git("rev-list", "main")); len(history) != 4 || history[2] != around {
		t.Errorf("the history is %v, want both on top of %s", history, around)
	}
	if w.ci.runs() != 1 {
		t.Errorf("%d commits were tested, want only the one on the new tip", w.ci.runs())
	}
}

// The worst moment: everything is green, the branches have moved, and somebody
// pushes just before the base does. The lease holds, the branches go back, and all is built again.
func TestAPushJustBeforeTheLandingWins(t *testing.T) {
	t.Parallel()
	w := found(t, scene{})
	prs := w.opensSeveral(2)
	var once sync.Once
	var around string
	w.gate.beforeEach(func(c call) {
		if c.moves("refs/heads/main") {
			once.Do(func() { around = w.pushAround("hotfix.txt") })
		}
	})

	w.labelTogether(prs...)
	w.awaitEnds(allLanded(prs))

	if around == "" || !strings.Contains(w.git("rev-list", "main"), around) {
		t.Errorf("the push around the queue (%s) is not in main", around)
	}
	for _, pr := range prs {
		if !w.pull(pr).Merged {
			t.Errorf("#%d is not shown as merged", pr)
		}
	}
}

// What somebody removed from the base is never put back by the queue.
func TestABaseThatWasForcedBackStaysBack(t *testing.T) {
	t.Parallel()
	// Given a commit on the base that an admin regrets, and two under test on top of it.
	w := found(t, scene{})
	prs := w.opensSeveral(2)
	regretted := w.pushAround("regretted.txt")
	w.until("the server knows the new tip", func() bool { return w.rows().Header.Tip == regretted })
	w.ci.hold()
	w.labelTogether(prs...)
	w.until("there is a ticket on it", func() bool {
		for _, commit := range w.tickets() {
			return strings.Contains(w.git("rev-list", commit), regretted)
		}
		return false
	})

	// When the base is forced back.
	w.must(w.repo.Push(w.owner, sandbox.RefUpdate{Ref: "main", New: w.base}))
	w.until("the server knows it", func() bool { return w.rows().Header.Tip == w.base })
	w.ci.release()

	// Then both land without it.
	w.awaitEnds(allLanded(prs))
	if slices.Contains(strings.Fields(w.git("rev-list", "main")), regretted) {
		t.Error("the removed commit is back in main")
	}
}

// A rule that keeps the App out is nobody's fault but the settings': the queue
// stops, names the rule in GitHub's words, and keeps everybody's place.
func TestARuleThatRefusesTheAppPausesTheQueue(t *testing.T) {
	t.Parallel()
	w := found(t, scene{})
	w.protect(sandbox.Rules{RestrictPushesTo: []sandbox.Actor{w.owner}})
	prs := w.opensSeveral(2)
	heads := []string{w.pull(prs[0]).HeadSHA, w.pull(prs[1]).HeadSHA}

	w.labelTogether(prs...)
	w.until("the queue is paused", func() bool { p := w.rows().Header.Pause; return p != nil && p.Rule != "" })
	w.awaitRest()

	// Then nobody is out, the branches are as they were, and the rule is named.
	pause := w.rows().Header.Pause
	if !strings.Contains(pause.Rule, "GH013") {
		t.Errorf("the pause does not carry GitHub's words: %+v", pause)
	}
	for i, pr := range prs {
		if e := w.entry(pr); e.Phase.Ended() || w.pull(pr).HeadSHA != heads[i] || w.pull(pr).State != "open" {
			t.Errorf("#%d is %s, %s at %s, want it in line and open at %s", pr, e.Phase, w.pull(pr).State, w.pull(pr).HeadSHA, heads[i])
		}
	}
	if len(w.tickets()) > 0 || w.repo.Ref("main") != w.base {
		t.Errorf("main is %s, tickets %v", w.repo.Ref("main"), w.tickets())
	}

	// When the rule is mended and the queue resumed, both land.
	w.protect(sandbox.Rules{})
	w.must(w.server.engine.Resume(context.Background(), w.place.ID, "octavia"))
	w.awaitEnds(allLanded(prs))
}
