package main

import (
	"context"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/server/github"
	"github.com/mainstay-ci/mainstay/server/web"
)

// findReports takes in what the runs of a ticket left at GitHub, as if it had been sent.
func (p *performer) findReports(ctx context.Context, place queue.Place, task queue.FindReports) (queue.ReportsFound, error) {
	done := queue.ReportsFound{Attempt: task.Attempt, At: task.At}
	for _, id := range task.Runs {
		run, err := p.github.FindReports(ctx, place, id)
		if github.KindOf(err) == github.Forbidden || github.KindOf(err) == github.Refused {
			p.log.Warn("reports at GitHub can't be read", "repository", place.Owner+"/"+place.Name, "run", id, "err", err)
			return done, nil
		}
		if err != nil {
			return done, err
		}
		for _, file := range run.Files {
			if run.HeadSHA != task.Commit || run.Branch != task.Ticket {
				break
			}
			if err := p.front.TakeFound(ctx, place, foundFile(run, file)); err != nil {
				return done, err
			}
		}
	}
	return done, nil
}

// findPullReports keeps what a pull request's own runs left, for its page.
func (p *performer) findPullReports(ctx context.Context, place queue.Place, task queue.FindPullReports) error {
	runs, err := []int64{task.Run}, error(nil)
	if task.Run == 0 {
		runs, err = p.github.PullRuns(ctx, place, task.Head)
	}
	if err != nil {
		return p.forPageOnly(place, err)
	}
	for _, id := range runs {
		run, err := p.github.FindReports(ctx, place, id)
		if err != nil {
			return p.forPageOnly(place, err)
		}
		for _, file := range run.Files {
			if run.HeadSHA != task.Head || run.Event != "pull_request" {
				break
			}
			if err := p.front.KeepFound(ctx, place, task.PR, foundFile(run, file)); err != nil {
				return err
			}
		}
	}
	return nil
}

// forPageOnly gives up on what we may not read: only a page lacks it.
func (p *performer) forPageOnly(place queue.Place, err error) error {
	if k := github.KindOf(err); k != github.Forbidden && k != github.Refused && k != github.Gone {
		return err
	}
	p.log.Warn("reports at GitHub can't be read", "repository", place.Owner+"/"+place.Name, "err", err)
	return nil
}

func foundFile(run github.FoundRun, file github.FoundFile) web.Found {
	return web.Found{Run: run.Run, Try: file.Try, HeadSHA: run.HeadSHA, Name: file.Name, Body: file.Body}
}
