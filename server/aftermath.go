package main

import (
	"context"
	"strings"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/queue/message"
	"github.com/mainstay-ci/mainstay/server/github"
)

// aftermathTries is how often what GitHub leaves undone is tried, before it stays so.
const aftermathTries = 3

// finish does for a landed pull request what GitHub does for those merged by its own
// button only: it closes the issues named, where GitHub shows it as closed, and
// deletes the branch. It may be done twice.
func (p *performer) finish(ctx context.Context, place queue.Place, task queue.SettleLanded, status queue.Status, tries int) error {
	var closing, deleting error
	if status == queue.ClosedStatus {
		closing = p.github.CloseIssues(ctx, place, task.PR, func(body string) []int { return issuesOf(place, body) })
	}
	if task.Branch != "" {
		deleting = p.deleteBranch(ctx, place, task)
	}
	for _, err := range []error{closing, deleting} {
		switch {
		case err == nil:
		case tries < aftermathTries && github.KindOf(err) != github.Forbidden:
			return err
		default:
			p.log.Warn("what follows a landing could not be done", "repository", place.Owner+"/"+place.Name, "pull_request", task.PR, "err", err)
		}
	}
	return nil
}

// issuesOf are the repository's own issues that a text closes. Another's are left
// alone, whatever our rights there: its people did not ask for it.
func issuesOf(place queue.Place, body string) (numbers []int) {
	for _, r := range message.Closes(body) {
		if r.Owner == "" || strings.EqualFold(r.Owner, place.Owner) && strings.EqualFold(r.Name, place.Name) {
			numbers = append(numbers, r.Number)
		}
	}
	return numbers
}

func (p *performer) deleteBranch(ctx context.Context, place queue.Place, task queue.SettleLanded) error {
	may, err := p.github.MayDelete(ctx, place, task.Branch)
	if err != nil || !may {
		return err
	}
	clone, err := p.clones.of(ctx, place)
	if err != nil {
		return err
	}
	return clone.DeleteHead(ctx, "refs/heads/"+task.Branch, task.Stands)
}
