package sandbox_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"slices"
	"testing"

	"github.com/google/go-github/v60/github"

	"github.com/mainstay-ci/mainstay/sandbox"
)

// A product trusts nothing but the signature, and parses what GitHub's library parses.
func TestWebhooks(t *testing.T) {
	w := found(t)
	w.settle()
	if names, _ := w.inbox.take(); !slices.Equal(names, []string{"ping"}) {
		t.Errorf("a new address got %v", names)
	}
	w.open("feature")
	must(t, w.repo.Label(1, w.alice, "merge-queue"))
	must(t, w.repo.Review(1, w.alice, "approved"))
	must(t, w.repo.ConvertToDraft(1, w.alice))
	must(t, w.repo.ReadyForReview(1, w.alice))
	_, err := w.repo.Comment(1, w.alice, "hello")
	must(t, err)
	w.move("feature", w.commit("feature", "more", "1"))
	w.repo.SetStatus(w.alice, w.base, "ci", "success")
	w.repo.SetCheck(w.app, w.base, "build", "success")
	must(t, w.repo.Close(1, w.alice))
	must(t, w.repo.Push(w.alice, sandbox.RefUpdate{Ref: "feature"}))
	w.settle()
	names, hooks := w.inbox.take()
	want := []string{"push", "create", "pull_request.opened", "pull_request.labeled", "pull_request_review.submitted",
		"pull_request.converted_to_draft", "pull_request.ready_for_review", "issue_comment.created", "push", "pull_request.synchronize",
		"status", "check_run.created", "check_run.completed", "check_suite.completed", "pull_request.closed", "push", "delete"}
	if !slices.Equal(names, want) {
		t.Errorf("came\n%v, want\n%v", names, want)
	}
	for _, h := range hooks {
		mac := hmac.New(sha256.New, []byte("s3cret"))
		mac.Write(h.raw)
		if h.signature != "sha256="+hex.EncodeToString(mac.Sum(nil)) {
			t.Errorf("%s is not signed", h.event)
		}
		if _, err := github.ParseWebHook(h.event, h.raw); err != nil {
			t.Errorf("%s does not parse: %v", h.event, err)
		}
		installation, _ := h.body["installation"].(map[string]any)
		repository, _ := h.body["repository"].(map[string]any)
		sender, _ := h.body["sender"].(map[string]any)
		if installation["id"] == nil || repository["full_name"] != "acme/widgets" || sender["login"] == nil {
			t.Errorf("%s lacks installation, repository or sender", h.event)
		}
	}
	for _, d := range w.Deliveries() {
		if d.StatusCode != http.StatusAccepted {
			t.Errorf("%s is recorded with status %d", d.Event, d.StatusCode)
		}
	}
}

// Deliveries get lost and are found again by the record.
func TestLostAndRedelivered(t *testing.T) {
	w := found(t)
	w.settle()
	w.inbox.take()
	w.Faults.Plan(func(sandbox.Delivery) []sandbox.Delivery { return nil })
	w.open("feature")
	w.settle()
	if names, _ := w.inbox.take(); len(names) != 0 {
		t.Fatalf("%v came through", names)
	}
	w.Faults.Clear()
	if w.pull(1).State != "open" {
		t.Error("the state waited for its webhook")
	}
	all := w.Deliveries()
	lost := all[len(all)-1]
	if lost.Event != "pull_request" || lost.StatusCode != 502 {
		t.Fatalf("the record says %s, %d", lost.Event, lost.StatusCode)
	}
	must(t, w.Redeliver(lost.GUID))
	w.settle()
	_, hooks := w.inbox.take()
	if len(hooks) != 1 || hooks[0].guid != lost.GUID {
		t.Errorf("redelivered: %v", hooks)
	}
	w.Silently(func() { must(t, w.repo.Label(1, w.alice, "quiet")) })
	w.settle()
	if names, _ := w.inbox.take(); len(names) != 0 || len(w.pull(1).Labels) != 1 {
		t.Errorf("a silent label sent %v", names)
	}
}

// By chance, webhooks are doubled and overtaken; held ones go in any order.
func TestDisturbedWebhooks(t *testing.T) {
	w := found(t)
	w.open("feature")
	w.settle()
	w.inbox.take()
	label := func() []string {
		for _, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
			must(t, w.repo.Label(1, w.alice, name))
		}
		for _, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
			must(t, w.repo.Unlabel(1, w.alice, name))
		}
		w.settle()
		_, hooks := w.inbox.take()
		var order []string
		for _, h := range hooks {
			name, _ := h.body["label"].(map[string]any)["name"].(string)
			order = append(order, h.body["action"].(string)+name)
		}
		return order
	}
	plain := label()
	if len(plain) != 16 {
		t.Fatalf("undisturbed: %v", plain)
	}
	w.Faults.Disturb(sandbox.Odds{Double: 1})
	if got := label(); len(got) != 32 {
		t.Errorf("doubled: %v", got)
	}
	w.Faults.Disturb(sandbox.Odds{Shuffle: 0.5})
	got := label()
	sorted, want := slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(plain))
	if slices.Equal(got, plain) || !slices.Equal(sorted, want) {
		t.Errorf("shuffled: %v", got)
	}
	w.Faults.Disturb(sandbox.Odds{Lose: 0.5})
	if got := label(); len(got) == 0 || len(got) == 16 {
		t.Errorf("of 16, half lost, %d came", len(got))
	}
	w.Faults.Clear()
	w.Faults.Hold()
	must(t, w.repo.Label(1, w.alice, "x"))
	must(t, w.repo.Label(1, w.alice, "y"))
	held := w.Faults.Held()
	w.Faults.Release(held[1].ID, held[0].ID)
	w.settle()
	_, hooks := w.inbox.take()
	if len(hooks) != 2 || hooks[0].body["label"].(map[string]any)["name"] != "y" {
		t.Errorf("released: %d", len(hooks))
	}
}

// An answer may break before or after its effect; a product can't tell which.
func TestBrokenAnswers(t *testing.T) {
	w := found(t)
	w.open("feature")
	gh, ctx := w.client(), soon(t)
	comment := func() error {
		_, _, err := gh.Issues.CreateComment(ctx, "acme", "widgets", 1, &github.IssueComment{Body: github.String("hello")})
		return err
	}
	must(t, comment())
	route := "/repos/{owner}/{repo}/issues/{number}/comments"
	cases := []struct {
		name   string
		when   sandbox.Moment
		effect int
	}{{"before", sandbox.BeforeEffect, 1}, {"after", sandbox.AfterEffect, 2}, {"cut after", sandbox.CutAfterEffect, 3}}
	for _, one := range cases {
		w.Faults.Break(sandbox.HTTPFault{Method: "POST", Route: route, Times: 1, When: one.when, Status: 503})
		err := comment()
		var answered *github.ErrorResponse
		if err == nil || errors.As(err, &answered) == (one.when == sandbox.CutAfterEffect) {
			t.Errorf("%s: %v", one.name, err)
		}
		if got := len(w.repo.Comments(1)); got != one.effect {
			t.Errorf("%s: %d comments, want %d", one.name, got, one.effect)
		}
	}
	must(t, comment())

	next := w.commit("main", "a", "1")
	w.move("ticket", next)
	c := w.clone(w.token())
	w.Faults.Break(sandbox.HTTPFault{Route: "git receive-pack", Times: 1, When: sandbox.CutAfterEffect})
	if out, err := c.land("main=" + w.base + ":" + next); err == nil {
		t.Errorf("the push did not notice:\n%s", out)
	}
	if w.repo.Ref("main") != next {
		t.Error("the push had no effect")
	}
}
