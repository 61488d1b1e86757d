package main

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"strings"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/server/doctor"
	"github.com/mainstay-ci/mainstay/server/github"
)

// doctorCheck is the name of the check on pull requests that change a workflow.
const doctorCheck = "Mainstay doctor"

// rounds examines commits that change a workflow, one after the other, and leaves
// what it found on them. It hears of them from pushes' webhooks, which cost no call,
// and keeps nothing: where one is lost, a word of advice is.
type rounds struct {
	app   *github.App
	polls bool
	signs bool
	log   *slog.Logger
	calls chan houseCall
}

type houseCall struct {
	place  queue.Place
	commit string
	visit  func(ctx context.Context) error
}

// mostCalls is how many commits wait at most.
const mostCalls = 64

func newRounds(app *github.App, polls, signs bool, log *slog.Logger) *rounds {
	return &rounds{app: app, polls: polls, signs: signs, log: log, calls: make(chan houseCall, mostCalls)}
}

// Interpret is the adapter's, and listens.
func (r *rounds) Interpret(event string, body []byte) ([]queue.Hint, error) {
	if place, commit, ok := r.app.ChangedWorkflows(event, body); ok {
		r.call(houseCall{place, commit, func(ctx context.Context) error { return r.visit(ctx, place, commit) }})
	}
	if e, ok := r.app.EditedConfig(event, body); ok {
		r.call(houseCall{e.Place, e.Commit, func(ctx context.Context) error { return checkEdited(ctx, r.app, e) }})
	}
	return r.app.Interpret(event, body)
}

func (r *rounds) call(c houseCall) {
	select {
	case r.calls <- c:
	default:
		r.log.Warn("too many pushes change workflows or settings: one is not examined", "repository", c.place.Owner+"/"+c.place.Name, "commit", c.commit)
	}
}

// run makes the calls until the server stops.
func (r *rounds) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case c := <-r.calls:
			if err := c.visit(ctx); err != nil && ctx.Err() == nil {
				r.log.Warn("a changed workflow or settings file could not be examined", "repository", c.place.Owner+"/"+c.place.Name, "commit", c.commit, "err", err)
			}
		}
	}
}

func (r *rounds) visit(ctx context.Context, place queue.Place, commit string) error {
	ctx = github.WithClass(ctx, github.Decoration)
	found, _, err := examine(ctx, r.app, place, commit, r.polls, r.signs)
	if err != nil {
		return err
	}
	return r.app.PostAdvice(ctx, place, commit, advice(found, place.Branch))
}

// advice words findings as a check. It never fails: it is a word beside the queue.
func advice(found []doctor.Finding, branch string) github.Advice {
	v := github.Advice{Name: doctorCheck, Title: upper(sumUp(found)), Conclusion: "success"}
	var b strings.Builder
	fmt.Fprintf(&b, "The workflows as they are here, held against the settings of `%s`. This check blocks nothing.\n", branch)
	for _, f := range found {
		if f.Level != doctor.Note {
			v.Conclusion = "neutral"
		}
		fmt.Fprintf(&b, "\n- %s **%s**", levelSigns[f.Level], f.Code)
		if f.Where != "" {
			fmt.Fprintf(&b, " (%s)", quoted(f.Where))
		}
		fmt.Fprintf(&b, "\n  %s\n  → %s\n", escapeHTML(f.Text), escapeHTML(f.Mend))
		path, line, ok := strings.Cut(f.Where, ":")
		if n, err := strconv.Atoi(line); ok && err == nil && n > 0 {
			v.Lines = append(v.Lines, github.AdvisedLine{Path: path, Line: n, Title: f.Code, Text: f.Text + "\n" + f.Mend})
		}
	}
	v.Summary = b.String()
	return v
}

func upper(text string) string { return strings.ToUpper(text[:1]) + text[1:] }

// quoted shows a name as code, whatever it holds.
func quoted(name string) string { return "`" + strings.ReplaceAll(plain(name), "`", "'") + "`" }

// escapeHTML keeps what people wrote from becoming tags or links in Markdown.
func escapeHTML(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", "[", "\\[", "@", "@\u200b").Replace(plain(text))
}
