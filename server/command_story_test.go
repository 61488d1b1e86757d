package main

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/sandbox"
)

// writes has somebody comment on a pull request.
func (w *town) writes(pr int, by sandbox.Actor, text string) int64 {
	w.t.Helper()
	id, err := w.repo.Comment(int64(pr), by, text)
	w.must(err)
	return id
}

// awaitMark waits until a comment has our emoji.
func (w *town) awaitMark(comment int64, mark string) {
	w.t.Helper()
	w.until("the comment has the mark "+mark, func() bool {
		return slices.Contains(w.repo.Reactions(comment), w.app.BotLogin+" "+mark)
	})
}

// One comment is all it takes: the label follows, and nothing else is written on
// the pull request but the emoji.
func TestACommentQueuesAndThePullRequestLands(t *testing.T) {
	t.Parallel()
	w := found(t, scene{approvals: 1})
	w.ci.hold()
	pr := w.opens("topic")
	w.must(w.repo.Review(int64(pr), w.owner, "approved"))

	id := w.writes(pr, w.owner, "Thank you!\n\n/mainstay queue\n")
	w.awaitMark(id, "+1")
	w.until("the label is on", func() bool { return slices.Contains(w.pull(pr).Labels, "merge-queue") })
	w.awaitPhase(pr, queue.Testing)
	w.ci.release()
	w.awaitEnds(ends{pr: landed})
	if comments := w.repo.Comments(int64(pr)); len(comments) != 1 {
		t.Errorf("the comments are %q", comments)
	}
	if by := w.entry(pr).Wish.By; by.ID != w.owner.ID {
		t.Errorf("the wish is %+v's", by)
	}

	// The audit says who had it enter, and by which comment.
	rulings, err := w.server.store.RulingsOfPull(context.Background(), w.place.ID, pr, 10)
	w.must(err)
	if !slices.ContainsFunc(rulings, func(r queue.Ruling) bool {
		return r.What == "enter" && r.By.ID == w.owner.ID && r.Head == w.entry(pr).Pinned && r.SourceID == id
	}) {
		t.Errorf("the audit has %+v", rulings)
	}
}

// Out, and again: the comment that said "out" tells of the landing in the end.
func TestOutAndRetryByComment(t *testing.T) {
	t.Parallel()
	w := found(t, scene{})
	pr := w.open("topic", map[string]string{"broken.txt": "x\n"})
	w.writes(pr, w.author, "/mainstay queue")
	w.awaitEnds(ends{pr: queue.ChecksFailed})
	if !w.said(pr, "Out of the queue") {
		t.Fatalf("it was not told: %q", w.repo.Comments(int64(pr)))
	}

	w.ci.hold()
	w.writes(pr, w.author, "/mainstay retry")
	w.awaitPhase(pr, queue.Testing)
	w.until("the comment says that it is back", func() bool { return w.said(pr, "Back in line") })
	w.awaitMark(w.writes(pr, w.author, "/mainstay out"), "+1")
	w.awaitPhase(pr, queue.Out)
	w.ci.release()
	w.awaitEnds(ends{pr: queue.Withdrawn})
	if w.said(pr, "**Out of the queue.**") || len(w.pull(pr).Labels) > 0 {
		t.Errorf("comments %q, labels %v", w.repo.Comments(int64(pr)), w.pull(pr).Labels)
	}
}

// Who may not write is told so in a line that names the rule, whoever else
// comments; what is edited, deleted, quoted or ours is no command.
func TestWhatIsNoCommand(t *testing.T) {
	t.Parallel()
	w := found(t, scene{})
	trudy, robot := w.forge.NewUser("trudy"), w.ci.app
	w.must(w.repo.SetPermission(trudy, "triage"))
	pr := w.opens("topic")

	id := w.writes(pr, trudy, "/mainstay queue")
	w.awaitMark(id, "-1")
	w.until("the refusal is told", func() bool { return w.said(pr, "not_permitted") })
	w.awaitMark(w.writes(pr, robot, "/mainstay queue"), "-1")

	w.app.SetWebhook("") // all of these are seen at once by a sweep, when they are what they are
	edited := w.writes(pr, w.owner, "Well done")
	w.must(w.repo.EditComment(edited, w.owner, "/mainstay queue"))
	deleted := w.writes(pr, w.owner, "/mainstay queue")
	w.must(w.repo.DeleteComment(deleted, w.owner))
	quoted := w.writes(pr, w.owner, "> /mainstay queue\n\nno, wait")
	ours := w.writes(pr, w.app, "/mainstay queue")
	last := w.writes(pr, w.owner, "/mainstay out")
	w.must(w.server.engine.Tell(context.Background(), w.place.ID, queue.CommandHinted{}))
	w.awaitMark(last, "-1")
	w.awaitRest()
	for _, id := range []int64{edited, quoted, ours} {
		if marks := w.repo.Reactions(id); len(marks) > 0 {
			t.Errorf("comment %d got %v", id, marks)
		}
	}
	if e := w.entry(pr); e.Phase != "" || w.repo.Ref("main") != w.base {
		t.Errorf("it is %s", e.Phase)
	}
	refusals, err := w.server.store.Rulings(context.Background(), w.place.ID, true, 10)
	w.must(err)
	var rules []string
	for _, r := range refusals {
		rules = append(rules, r.By.Login+" "+string(r.Rule))
	}
	if got := strings.Join(rules, ", "); got != "octavia not_in_line, "+robot.BotLogin+" not_permitted, trudy not_permitted" {
		t.Errorf("the audit has %s", got)
	}
}

// A writer leaves one pull request to somebody with triage, by login; the number behind it counts.
func TestADelegateQueuesOnePullRequest(t *testing.T) {
	t.Parallel()
	w := found(t, scene{})
	trudy := w.forge.NewUser("trudy")
	w.must(w.repo.SetPermission(trudy, "triage"))
	pr, other := w.opens("topic"), w.opens("other")
	w.awaitMark(w.writes(pr, w.owner, "/mainstay delegate @nobody-of-that-name"), "-1")
	w.awaitMark(w.writes(pr, w.owner, "/mainstay delegate @trudy"), "+1")
	w.awaitMark(w.writes(other, trudy, "/mainstay queue"), "-1")
	w.awaitMark(w.writes(pr, trudy, "/mainstay queue"), "+1")
	w.awaitPhase(pr, queue.Landed)
	w.awaitEnds(ends{pr: landed})
	if e := w.entry(other); e.Phase != "" {
		t.Errorf("the other one is %s", e.Phase)
	}
}
