package main

import (
	"strings"
	"testing"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/sandbox"
)

// awaitCheck waits until our check on a pull request's head says this.
func (w *town) awaitCheck(pr int, words string) {
	w.t.Helper()
	w.until("the check says "+words, func() bool { return strings.Contains(w.check(w.pull(pr).HeadSHA).Title, words) })
}

// What each rule asks for is waited for in words that say what to do, and the pull
// request lands once it is there.
func TestEachRuleIsWaitedForAndThenLands(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rules sandbox.Rules
		says  string
		meet  func(w *town, pr int)
	}{
		"an approval of the head": {sandbox.Rules{RequiredApprovals: 1}, "Waiting for approval: 0 of 1 approvals of", func(w *town, pr int) {
			w.must(w.repo.Review(int64(pr), w.owner, "approved"))
		}},
		"code owners": {sandbox.Rules{CodeOwnerReviews: true}, "GitHub still asks for a review (`code owners`)", func(w *town, pr int) {
			w.must(w.repo.Review(int64(pr), w.owner, "approved"))
		}},
		"the last push": {sandbox.Rules{LastPushApproval: true}, "GitHub still asks for a review (`an approval of the last push`)", func(w *town, pr int) {
			w.must(w.repo.Review(int64(pr), w.owner, "approved"))
		}},
		"reviewers by file": {sandbox.Rules{RequiredReviewers: map[string]*sandbox.User{"topic*": nil}}, "GitHub still asks for a review (`required reviewers of topic*`)", func(w *town, pr int) {
			w.must(w.repo.Review(int64(pr), w.owner, "approved"))
		}},
		"conversations": {sandbox.Rules{ResolveThreads: true}, "Waiting for the resolution of 2 conversations", func(w *town, pr int) {
			w.must(w.repo.ResolveAll(int64(pr), w.author))
		}},
		"classic: code owners": {sandbox.Rules{Classic: true, CodeOwnerReviews: true}, "GitHub still asks for a review (`branch protection`)", func(w *town, pr int) {
			w.must(w.repo.Review(int64(pr), w.owner, "approved"))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// Given a base with the rule, and a pull request that does not meet it.
			w := foundWithoutServer(t, scene{})
			w.repo.SetCodeOwners(map[string]*sandbox.User{"topic.txt": w.owner})
			if c.rules.RequiredReviewers != nil {
				c.rules.RequiredReviewers = map[string]*sandbox.User{"topic*": w.owner}
			}
			c.rules.Bypass = []sandbox.Actor{w.app}
			w.protectAlso(c.rules)
			w.serve()
			pr := w.opens("topic")
			if c.rules.ResolveThreads {
				w.must(w.repo.Discuss(int64(pr), w.owner))
				w.must(w.repo.Discuss(int64(pr), w.owner))
			}

			// When it is labelled, then the check says what it waits for.
			w.label(pr)
			w.awaitCheck(pr, c.says)
			if e := w.entry(pr); e.Phase != queue.Asking || e.Wait != queue.NotApproved {
				t.Errorf("it is %s and waits for %q", e.Phase, e.Wait)
			}

			// And when that is there, it lands.
			c.meet(w, pr)
			w.awaitEnds(ends{pr: landed})
		})
	}
}

// protectAlso puts a rule beside the town's usual ones.
func (w *town) protectAlso(rules sandbox.Rules) {
	usual := sandbox.Rules{LinearHistory: true, RequiredChecks: []sandbox.RequiredCheck{{Context: "ci"}, {Context: "Mainstay", AppID: w.app.ID}}}
	w.repo.Protect("main", usual, rules)
}

// An approval of an older head is named with both heads: the next step is clear from the check alone.
func TestAnApprovalOfAnOlderHeadNamesBoth(t *testing.T) {
	t.Parallel()
	w := found(t, scene{approvals: 1})
	pr := w.opens("topic")
	old := w.pull(pr).HeadSHA
	w.must(w.repo.Review(int64(pr), w.owner, "approved"))
	now := w.pushTo(pr)
	w.label(pr)
	w.awaitCheck(pr, "approved at `"+old[:7]+"`, needs `"+now[:7]+"`")
	w.must(w.repo.Review(int64(pr), w.owner, "approved"))
	w.awaitEnds(ends{pr: landed})
}

// Only the last look shows a conversation that was begun without a webhook: it does not land.
func TestAConversationIsSeenAtTheLastLook(t *testing.T) {
	t.Parallel()
	w := foundWithoutServer(t, scene{})
	w.protectAlso(sandbox.Rules{ResolveThreads: true, Bypass: []sandbox.Actor{w.app}})
	w.serve()
	w.ci.hold()
	pr := w.opens("topic")
	w.label(pr)
	w.awaitPhase(pr, queue.Testing)
	w.until("CI has a ticket", func() bool { return len(w.tickets()) == 1 })
	w.app.SetWebhook("") // what is done now is told to nobody
	w.must(w.repo.Discuss(int64(pr), w.owner))
	w.ci.release()
	w.lookAtResults()
	w.awaitEnds(ends{pr: queue.ApprovalLost})
	if w.repo.Ref("main") != w.base {
		t.Errorf("main moved to %s", w.repo.Ref("main"))
	}
}

// lookAtResults has the runs of the one attempt looked at, for want of webhooks.
func (w *town) lookAtResults() {
	w.t.Helper()
	for _, a := range w.rows().Attempts {
		w.must(w.server.engine.Tell(w.t.Context(), w.place.ID, queue.ResultsHinted{Commit: a.New, Done: true}))
	}
}

// A rule that Mainstay does not know is shown, and the push tells.
func TestAnUnknownRuleIsNamedOnTheCheck(t *testing.T) {
	t.Parallel()
	w := foundWithoutServer(t, scene{})
	w.protectAlso(sandbox.Rules{Other: []string{"license_compliance_scanning"}})
	w.serve()
	w.ci.hold()
	pr := w.opens("topic")
	w.must(w.server.engine.Pause(t.Context(), w.place.ID, "octavia", "one moment"))
	w.until("the queue is paused", func() bool { return w.rows().Header.Pause != nil })
	w.label(pr)
	w.until("the check names the rule", func() bool {
		return strings.Contains(w.check(w.pull(pr).HeadSHA).Summary, "`license_compliance_scanning`, which can't be judged beforehand: the push will tell")
	})
	w.ci.release()
	w.must(w.server.engine.Resume(t.Context(), w.place.ID, "octavia"))
	w.awaitEnds(ends{pr: landed})
}

// The config's condition is waited for, and never puts anybody out, also in a test.
func TestAConditionInTheConfig(t *testing.T) {
	t.Parallel()
	// Given a base whose config keeps work in progress back.
	w := found(t, scene{files: map[string]string{"README.md": "Widgets\n", ".github/mainstay.yml": `version: 1
queues:
  - branch: main
    when: pr.files < 3 && !("wip" in pr.labels)
    priority: '"security" in pr.labels ? 10 : 0'
`}})
	pr := w.opens("topic")
	w.must(w.repo.Label(int64(pr), w.author, "wip"))

	// When one of those is labelled, then it waits and says for what.
	w.label(pr)
	w.awaitCheck(pr, "`!(\"wip\" in pr.labels)` does not hold")
	if e := w.entry(pr); e.Phase != queue.Asking || e.Wait != queue.ConditionUnmet {
		t.Errorf("it is %s and waits for %q", e.Phase, e.Wait)
	}

	// When the label comes off it is tested; when it comes back, so does the pull request.
	w.ci.hold()
	w.must(w.repo.Unlabel(int64(pr), w.author, "wip"))
	w.awaitPhase(pr, queue.Testing)
	w.must(w.repo.Label(int64(pr), w.author, "wip"))
	w.awaitPhase(pr, queue.Asking)
	w.ci.release()
	w.must(w.repo.Unlabel(int64(pr), w.author, "wip"))
	w.awaitEnds(ends{pr: landed})
}

// A check that a rule binds to an App may be that App's commit status.
func TestAStatusOfTheBoundAppLands(t *testing.T) {
	t.Parallel()
	w := foundWithoutServer(t, scene{})
	w.repo.Protect("main", sandbox.Rules{LinearHistory: true, RequiredChecks: []sandbox.RequiredCheck{
		{Context: "jenkins", AppID: w.ci.app.ID}, {Context: "Mainstay", AppID: w.app.ID}}})
	w.serve()
	pr := w.opens("topic")
	w.label(pr)
	w.until("there is a ticket", func() bool { return len(w.tickets()) == 1 })
	for _, commit := range w.tickets() {
		w.repo.SetStatus(w.owner, commit, "jenkins", "success") // not the App's: says nothing
		w.repo.SetStatus(w.ci.app, commit, "jenkins", "success")
	}
	w.awaitEnds(ends{pr: landed})
}

// Of one name a check run and a status must both pass: GitHub asks for both.
func TestARedStatusBesideAGreenCheckOfOneName(t *testing.T) {
	t.Parallel()
	w := found(t, scene{})
	w.ci.hold()
	pr := w.opens("topic")
	w.label(pr)
	w.until("there is a ticket", func() bool { return len(w.tickets()) == 1 })
	red := ""
	for _, red = range w.tickets() {
		w.app.SetWebhook("") // nobody tells of it
		w.repo.SetStatus(w.owner, red, "ci", "failure")
	}
	w.ci.release()
	w.lookAtResults()
	w.until("the red commit is given up", func() bool { return w.tickets()["refs/heads/mainstay/main/1"] == "" })
	if tip := w.repo.Ref("main"); tip == red {
		t.Errorf("main is at %s, whose status is red", tip)
	}
}
