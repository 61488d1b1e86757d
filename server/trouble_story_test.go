package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/sandbox"
)

// letTimePass lets minutes pass, each when nothing else is to be done, until something holds.
func (w *town) letTimePass(what string, holds func() bool) {
	w.t.Helper()
	for range 40 {
		w.awaitRest()
		if holds() {
			return
		}
		w.passTime(61 * time.Second)
	}
	w.t.Fatalf("forty minutes passed and not: %s\n%s", what, w.picture())
}

// GitHub may lose every webhook for hours. Nothing may depend on one: the sweep
// finds the wishes, the results and who left.
func TestEverythingLandsWithAllWebhooksLost(t *testing.T) {
	t.Parallel()
	// Given no webhook at all.
	w := found(t, scene{})
	w.forge.Faults.Plan(func(sandbox.Delivery) []sandbox.Delivery { return nil })

	// When three ask to land, one changes its mind, one is red.
	prs := w.opensSeveral(2)
	red := w.open("broken", map[string]string{"broken.txt": "broken\n"})
	leaves := w.opens("leaves")
	w.label(append(prs, red, leaves)...)
	w.ci.hold()
	w.letTimePass("all are under test", func() bool { return len(w.tickets()) == 1 })
	w.must(w.repo.Unlabel(int64(leaves), w.author, "merge-queue"))
	w.ci.release()

	// Then it all comes to the same end, a little later.
	want := ends{prs[0]: landed, prs[1]: landed, red: queue.ChecksFailed, leaves: queue.LabelRemoved}
	w.letTimePass("all have ended", func() bool {
		for pr := range want {
			if e := w.entry(pr); !e.Phase.Ended() || e.Phase == queue.Landed && !e.Settled {
				return false
			}
		}
		return true
	})
	w.awaitEnds(want)
}

// Webhooks come twice, late and in the wrong order: the same end, and nothing twice.
func TestWebhooksDoubledDelayedAndShuffledChangeNothing(t *testing.T) {
	t.Parallel()
	w := found(t, scene{})
	w.forge.Faults.Disturb(sandbox.Odds{Double: 0.5, Delay: 0.5, Shuffle: 0.5, MaxDelay: 150 * time.Millisecond})
	prs := w.opensSeveral(3)
	red := w.open("broken", map[string]string{"broken.txt": "broken\n"})
	want := allLanded(prs)
	want[red] = queue.ChecksFailed

	w.label(append(prs, red)...)
	w.awaitEnds(want)
	if n := len(w.repo.Comments(int64(red))); n != 1 {
		t.Errorf("the red one got %d comments", n)
	}
}

// GitHub answers 502 before or after it did what it was asked, or not at all.
// Whatever is repeated must come to the same: one check, one comment, one landing.
func TestFailingAnswersOfGitHubAreRepeated(t *testing.T) {
	t.Parallel()
	routes := []string{
		"POST /repos/{owner}/{repo}/check-runs",
		"PATCH /repos/{owner}/{repo}/check-runs/{id}",
		"DELETE /repos/{owner}/{repo}/issues/{number}/labels/{label}",
		"POST /repos/{owner}/{repo}/issues/{number}/comments",
		"GET /repos/{owner}/{repo}/pulls/{number}",
		"GET /repos/{owner}/{repo}/issues/{number}/events",
	}
	for name, when := range map[string]sandbox.Moment{
		"before the effect": sandbox.BeforeEffect, "after it": sandbox.AfterEffect, "cut after it": sandbox.CutAfterEffect} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// Given that each of these calls fails once.
			w := found(t, scene{})
			for _, route := range routes {
				method, path, _ := strings.Cut(route, " ")
				w.forge.Faults.Break(sandbox.HTTPFault{Method: method, Route: path, Times: 1, When: when})
			}
			w.forge.ResetCalls()
			pr := w.opens("topic")
			red := w.open("broken", map[string]string{"broken.txt": "broken\n"})
			heads := []string{w.pull(pr).HeadSHA, w.pull(red).HeadSHA}

			w.label(pr, red)
			w.awaitEnds(ends{pr: landed, red: queue.ChecksFailed})

			for _, head := range heads {
				if n := w.ourChecks(head); n != 1 {
					t.Errorf("%s carries %d checks of ours", head, n)
				}
			}
			if n := len(w.repo.Comments(int64(red))); n != 1 {
				t.Errorf("the red one got %d comments", n)
			}
			for _, route := range routes {
				if w.forge.Calls()[route] == 0 {
					t.Errorf("%s was never called: its fault hit nobody", route)
				}
			}
		})
	}
}

// A push whose answer is lost may have landed or not; only a repeat and a look
// tell. Whichever of the three pushes it is, the landing happens exactly once.
func TestAPushWithoutAnAnswerLandsExactlyOnce(t *testing.T) {
	t.Parallel()
	pushes := map[string]int{"ticket": 0, "heads": 1, "base": 2}
	moments := map[string]sandbox.Moment{"refused with 502": sandbox.BeforeEffect, "cut after it was taken": sandbox.CutAfterEffect}
	for push, skip := range pushes {
		for moment, when := range moments {
			t.Run(fmt.Sprintf("%s %s", push, moment), func(t *testing.T) {
				t.Parallel()
				w := found(t, scene{})
				pr := w.opens("topic")
				w.forge.Faults.Break(sandbox.HTTPFault{Route: "git receive-pack", Skip: skip, Times: 1, When: when})

				w.label(pr)
				w.awaitEnds(ends{pr: landed})
				if history := strings.Fields(w.git("rev-list", "main")); len(history) != 2 {
					t.Errorf("the history is %v, want one commit on the base", history)
				}
			})
		}
	}
}

// A repository whose workflows do not run for tickets would wait for ever: after
// the start limit everybody is told, with the line that is missing.
func TestWhereNothingStartsThePullRequestIsTold(t *testing.T) {
	t.Parallel()
	w := found(t, scene{})
	prs := w.underTest(2)
	w.awaitRest()
	w.passTime(9 * time.Minute)
	w.awaitRest()
	if e := w.entry(prs[0]); e.Phase != queue.Testing {
		t.Fatalf("before the limit it is %s", e.Phase)
	}
	w.passTime(2 * time.Minute)
	w.awaitEnds(ends{prs[0]: queue.NeverStarted, prs[1]: queue.NeverStarted})
	for _, pr := range prs {
		if !w.said(pr, `branches: ["mainstay/**"]`) {
			t.Errorf("#%d was told %q", pr, w.repo.Comments(int64(pr)))
		}
	}
	if w.repo.Ref("main") != w.base {
		t.Error("main moved")
	}
}

// A token can be refused before its hour is over: it is made anew, and nobody notices.
func TestAnExpiredTokenIsMadeAnew(t *testing.T) {
	t.Parallel()
	w := found(t, scene{})
	prs := w.underTest(2)
	w.forge.ExpireTokens()
	w.ci.release()
	w.awaitEnds(allLanded(prs))
}

// GitHub says "not found" of what is there, for a while: of pull requests, of its
// own checks, of labels. That is delay, and throws nobody out.
func TestNotFoundForAWhileThrowsNobodyOut(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusNotFound, http.StatusUnprocessableEntity} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			t.Parallel()
			w := found(t, scene{})
			w.forge.ResetCalls()
			routes := []string{
				"GET /repos/{owner}/{repo}/pulls/{number}",
				"GET /repos/{owner}/{repo}/issues/{number}/events",
				"PATCH /repos/{owner}/{repo}/check-runs/{id}",
				"POST /repos/{owner}/{repo}/check-runs",
			}
			for _, route := range routes {
				method, path, _ := strings.Cut(route, " ")
				w.forge.Faults.Break(sandbox.HTTPFault{Method: method, Route: path, Times: 2, Status: status, Message: "Not Found"})
			}
			prs := w.opensSeveral(2)

			w.label(prs...)

			w.awaitEnds(allLanded(prs))
			for _, route := range routes {
				if w.forge.Calls()[route] == 0 {
					t.Errorf("%s was never called: its fault hit nobody", route)
				}
			}
		})
	}
}
