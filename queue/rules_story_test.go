package queue

import (
	"strings"
	"testing"
	"time"
)

// What only GitHub can judge is waited for in GitHub's words, shown, and read once
// more before the landing.
func TestWaitsForWhatOnlyGitHubJudges(t *testing.T) {
	for name, c := range map[string]struct {
		rules func(r *Rules)
		open  Review
		met   Review
		says  string
	}{
		"code owners": {func(r *Rules) { r.Reviews = []string{"code owners"} },
			Review{Decision: DecidedRequired}, Review{Decision: DecidedApproved}, "approval: GitHub still asks for a review (`code owners`)"},
		"changes requested of GitHub": {func(r *Rules) { r.Reviews = []string{"code owners"} },
			Review{Decision: DecidedChanges}, Review{Decision: DecidedApproved}, "changes were requested"},
		"nothing of an owner's is touched": {func(r *Rules) { r.Reviews = []string{"code owners"} },
			Review{Decision: DecidedRequired}, Review{Decision: NoDecision}, "code owners"},
		"one conversation": {func(r *Rules) { r.Threads = true },
			Review{Decision: NoDecision, Unresolved: 1}, Review{Decision: NoDecision}, "the resolution of 1 conversation"},
		"conversations": {func(r *Rules) { r.Threads = true },
			Review{Decision: DecidedApproved, Unresolved: 3}, Review{Decision: DecidedApproved}, "the resolution of 3 conversations"},
	} {
		t.Run(name, func(t *testing.T) {
			story(t, func(w *world) {
				c.rules(&w.rules)
				w.open(1)
				w.approve(1, "bob")
				w.change(1, func(p *pull) { p.review = c.open })
				w.label(1, "ann")
				w.run(10 * time.Minute)
				w.requireWaits(1, NotApproved)
				if shown := w.pulls[1].check[w.pulls[1].head]; !strings.Contains(shown.Title, c.says) || !strings.Contains(shown.Summary, "asks for") {
					w.t.Fatalf("the check says %q\n%s", shown.Title, shown.Summary)
				}
				w.change(1, func(p *pull) { p.review = c.met })
				w.untilEnded(1)
				w.requireLanded(1)
			})
		})
	}
}

// A conversation begun while it is tested takes it out, as a lost approval does.
func TestAConversationBegunInTheTestTakesItOut(t *testing.T) {
	story(t, func(w *world) {
		w.rules.Threads = true
		w.queue(1)
		w.untilPhase(AttemptTesting)
		w.change(1, func(p *pull) { p.review.Unresolved = 1 })
		w.untilEnded(1)
		w.requireOut(1, ApprovalLost)
		w.run(time.Minute)
		if !strings.Contains(w.pulls[1].comment, "Resolve it") {
			w.t.Fatalf("the comment says %q", w.pulls[1].comment)
		}
	})
}

// Rules that ask for more while a test runs are asked about before it lands.
func TestRulesTightenedInTheTestCount(t *testing.T) {
	story(t, func(w *world) {
		w.queue(1)
		w.untilPhase(AttemptTesting)
		w.rules.Reviews = []string{"code owners"} // nobody tells us: the last look does
		w.untilEnded(1)
		w.requireOut(1, ApprovalLost)
	})
	story(t, func(w *world) {
		w.queue(1)
		w.untilPhase(AttemptTesting)
		w.rules.Reviews, w.pulls[1].review = []string{"code owners"}, Review{Decision: DecidedApproved}
		w.untilEnded(1)
		w.requireLanded(1)
	})
}

// Whom the config's condition does not let by waits for it, at every stage, and is never out.
func TestAConditionIsWaitedFor(t *testing.T) {
	story(t, func(w *world) {
		w.settings.When = `!("wip" in pr.labels)`
		w.queue(1, 2)
		w.change(1, func(p *pull) { p.unmet = "it is false here" })
		w.untilEnded(2)
		w.requireLanded(2)
		w.requireWaits(1, ConditionUnmet)
		if shown := w.pulls[1].check[w.pulls[1].head]; !strings.Contains(shown.Title, `Waiting for `+"`when: !(\"wip\" in pr.labels)`") {
			w.t.Fatalf("the check says %q", shown.Title)
		}
		// It holds, and no longer while it is tested: back, and again.
		w.change(1, func(p *pull) { p.unmet = "" })
		w.untilPhase(AttemptTesting)
		w.change(1, func(p *pull) { p.unmet = "it is false here" })
		w.run(10 * time.Minute)
		w.requireWaits(1, ConditionUnmet)
		if n := len(w.state.attempts); n > 0 {
			w.t.Fatalf("%d attempts are left for nobody", n)
		}
		w.change(1, func(p *pull) { p.unmet = "" })
		w.untilEnded(1)
		w.requireLanded(1)
	})
}

// A condition that is new in the config is asked of everybody in line.
func TestANewConditionIsAskedOfAll(t *testing.T) {
	story(t, func(w *world) {
		w.tell(PauseAsked{By: "ann", Reason: "lunch"})
		w.queue(1)
		w.run(time.Minute)
		w.settings.When = "pr.files < 5"
		w.change(1, func(p *pull) { p.unmet = "it has 9 files" })
		w.tell(BaseHinted{})
		w.run(time.Minute)
		w.requireWaits(1, ConditionUnmet)
	})
}

// A rule that nobody can judge keeps nothing back; it is named.
func TestAnUnknownRuleIsShown(t *testing.T) {
	story(t, func(w *world) {
		w.rules.Unknown = []string{"code_scanning", "workflows"}
		w.tell(PauseAsked{By: "ann", Reason: "lunch"})
		w.queue(1)
		w.run(time.Minute)
		if shown := w.pulls[1].check[w.pulls[1].head]; !strings.Contains(shown.Summary, "`code_scanning, workflows`, which can't be judged beforehand: the push will tell") {
			w.t.Fatalf("the check says\n%s", shown.Summary)
		}
		w.tell(ResumeAsked{By: "ann"})
		w.untilEnded(1)
		w.requireLanded(1)
	})
}

// A check that is bound to an App may be a commit status of that App, and of no other.
func TestAStatusOfTheBoundApp(t *testing.T) {
	for name, c := range map[string]struct {
		lines []StatusLine
		want  verdictState
	}{
		"its own":                    {[]StatusLine{{Context: "jenkins", State: "success", App: 7}}, passed},
		"its own, red":               {[]StatusLine{{Context: "jenkins", State: "failure", App: 7}}, failed},
		"another App's":              {[]StatusLine{{Context: "jenkins", State: "success", App: 8}}, pending},
		"a person's":                 {[]StatusLine{{Context: "jenkins", State: "success"}}, pending},
		"another's red says nothing": {[]StatusLine{{Context: "jenkins", State: "failure", App: 8}, {Context: "jenkins", State: "success", App: 7}}, passed},
	} {
		a := &Attempt{Results: Results{Statuses: c.lines}}
		if got, detail := a.judgeCheck(NamedCheck{Name: "jenkins", App: 7}); got != c.want {
			t.Errorf("%s: %v (%s), want %v", name, got, detail, c.want)
		}
	}
}
