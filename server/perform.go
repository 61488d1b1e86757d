package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/server/config"
	"github.com/mainstay-ci/mainstay/server/engine"
	"github.com/mainstay-ci/mainstay/server/git"
	"github.com/mainstay-ci/mainstay/server/github"
	"github.com/mainstay-ci/mainstay/server/web"
)

// performer carries effects out with the two adapters it plugs together. It
// decides nothing: what it finds goes back as facts.
type performer struct {
	github  *github.App
	clones  *clones
	book    *book
	lessons schoolbook
	// committer is who makes our commits; empty: each attempt has one of its own.
	committer git.Committer
	greeter   *greeter
	front     *web.Front // takes in what is found of reports
	terms     terms
	reach     *reach
	news      *news
	clock     func() time.Time
	log       *slog.Logger
}

// Perform does one effect's task.
func (p *performer) Perform(ctx context.Context, place queue.Place, e queue.DueEffect) ([]queue.Fact, error) {
	if err := p.reach.check(place.ID); err != nil {
		return nil, err
	}
	facts, err := p.perform(github.WithClass(ctx, classOf(e.Task)), place, e)
	if kind := github.KindOf(err); kind == github.Forbidden || kind == github.Gone {
		p.news.doubt()
	}
	var trouble *github.Trouble
	if errors.As(err, &trouble) && !trouble.RetryAt.IsZero() {
		return nil, &engine.Later{At: trouble.RetryAt, Why: err.Error()}
	}
	return facts, err
}

// classOf says how much a task's calls matter where few are left.
func classOf(task queue.Task) github.Class {
	switch task.(type) {
	case queue.ReadBase, queue.ReadResults, queue.ReadMembers, queue.FindReports, queue.BuildAttempt, queue.PushTicket,
		queue.MoveHeads, queue.MoveBase, queue.AbandonAttempt, queue.AuditLanding:
		return github.Landing
	case queue.PostCheck, queue.PostComment, queue.RemoveLabel, queue.FindPullReports:
		return github.Decoration
	}
	return github.Usual
}

func (p *performer) perform(ctx context.Context, place queue.Place, e queue.DueEffect) ([]queue.Fact, error) {
	switch task := e.Task.(type) {
	case queue.ReadPullRequest:
		read, err := p.readPull(ctx, place, task)
		if read.Gone && e.Tries < goneTries {
			return nil, fmt.Errorf("read #%d of %s/%s: GitHub says there is none; asked again before that is believed", task.Number, place.Owner, place.Name)
		}
		return one(read, err)
	case queue.ReadBase:
		return one(p.readBase(ctx, place))
	case queue.FindWishes:
		return one(p.github.FindWishes(ctx, place, task.Label, task.Labels))
	case queue.ReadResults:
		results, err := p.github.ReadResults(ctx, place, task.Ticket, task.Commit, task.Statuses)
		return one(queue.ResultsRead{Attempt: task.Attempt, Results: results}, err)
	case queue.FindReports:
		return one(p.findReports(ctx, place, task))
	case queue.FindPullReports:
		return nil, p.findPullReports(ctx, place, task)
	case queue.ReadMembers:
		return one(p.readMembers(ctx, place, task))
	case queue.PostCheck:
		id, err := p.postCheck(ctx, place, task, e.Tries > 0)
		return one(queue.CheckPosted{PR: task.PR, Head: task.Head, ID: id}, err)
	case queue.ReadCommands:
		return one(p.readCommands(ctx, place, task))
	case queue.ReadPress:
		return one(p.readPress(ctx, place, task))
	case queue.React:
		return nil, p.github.React(ctx, place, task.Comment, task.Mark)
	case queue.AddLabel:
		return one(queue.LabelSet{PR: task.PR}, p.github.AddLabel(ctx, place, task.PR, task.Label))
	case queue.RemoveLabel:
		return nil, p.github.RemoveLabel(ctx, place, task.PR, task.Label)
	case queue.PostComment:
		return nil, p.github.PostComment(ctx, place, task.PR, task.Text)
	case queue.CancelRuns:
		return nil, p.github.CancelRuns(ctx, place, task.Commits, task.Ticket)
	case queue.LearnTests:
		return nil, p.learnTests(ctx, place, task)
	case queue.SettleLanded:
		return p.settle(ctx, place, task, e.Tries)
	}
	return p.performGit(ctx, place, e)
}

// goneTries is how often GitHub must say that it knows no such pull request, over
// some minutes: it has said so of things that were there.
const goneTries = 8

// postCheck looks for the check before it makes one whenever one may be there;
// one that GitHub no longer knows by its id is looked for as well.
func (p *performer) postCheck(ctx context.Context, place queue.Place, c queue.PostCheck, again bool) (int64, error) {
	c.Again = c.Again || again
	id, err := p.github.PostCheck(ctx, place, c)
	if c.ID != 0 && err != nil && github.KindOf(err) == github.Gone {
		c.ID, c.Again = 0, true
		return p.github.PostCheck(ctx, place, c)
	}
	return id, err
}

// one is an outcome of one fact.
func one[F queue.Fact](fact F, err error) ([]queue.Fact, error) {
	if err != nil {
		return nil, err
	}
	return []queue.Fact{fact}, nil
}

func (p *performer) readBase(ctx context.Context, place queue.Place) (queue.BaseRead, error) {
	base, err := p.github.ReadBase(ctx, place)
	if err != nil {
		return queue.BaseRead{}, err
	}
	read := queue.BaseRead{Tip: base.Tip, Missing: base.Missing, Rules: base.Rules, Settings: queue.Defaults(), ReadAt: base.ReadAt}
	if base.Config == nil {
		p.greeter.greet(ctx, place, base, read.Settings)
		return read, nil
	}
	file, warnings, err := config.Parse(base.ConfigPath, base.Config)
	for _, w := range warnings {
		p.log.Warn("config", "repository", place.Owner+"/"+place.Name, "warning", w.String())
	}
	if err != nil {
		read.Problem = err.Error()
		return read, nil
	}
	defaultBranch := ""
	if base.DefaultBranch {
		defaultBranch = place.Branch
	}
	read.Settings = file.For(place.Branch, defaultBranch)
	p.greeter.greet(ctx, place, base, read.Settings)
	return read, nil
}

// readMembers reads the members and the base side by side. Git is asked for the
// heads that no lease will hold at the landing: those of branches we don't move.
func (p *performer) readMembers(ctx context.Context, place queue.Place, task queue.ReadMembers) (queue.MembersRead, error) {
	read := queue.MembersRead{Attempt: task.Attempt}
	heads, judged := map[int]string{}, map[int]github.Judged{}
	err := together(
		func() (err error) {
			read.PRs, err = p.github.ReadMembers(ctx, place, task.Numbers, task.Label, task.Labels)
			return err
		},
		func() error {
			base, err := p.github.ReadRules(ctx, place)
			read.Base = queue.BaseRead{Tip: base.Tip, Missing: base.Missing, Rules: base.Rules, ReadAt: base.ReadAt}
			return err
		},
		func() (err error) {
			clone, err := p.clones.of(ctx, place)
			if err == nil {
				heads, err = clone.ReadPullHeads(ctx, task.Unleased)
			}
			return err
		},
		func() (err error) {
			if task.Asks.Any() {
				judged, err = p.github.Judge(ctx, place, task.Numbers)
			}
			return err
		},
		func() (err error) {
			if task.Commit != "" {
				read.Statuses, err = p.github.ReadStatuses(ctx, place, task.Commit)
			}
			return err
		},
	)
	if err != nil {
		return queue.MembersRead{}, err
	}
	for i := range read.PRs {
		pr := &read.PRs[i]
		if pr.Wish != nil || slices.Contains(task.Below, pr.Number) {
			err = p.answer(pr, task.Asks, judged)
		}
		if pr.Traits = nil; err != nil {
			return queue.MembersRead{}, err
		}
		if head := heads[pr.Number]; head != "" {
			pr.Head = head // where the two differ, git has the newer one
		}
	}
	return read, nil
}

// together runs all side by side and gives the first error of the list.
func together(all ...func() error) error {
	errs := make([]error, len(all))
	done := make(chan struct{})
	for i, f := range all {
		go func() {
			errs[i] = f()
			done <- struct{}{}
		}()
	}
	for range all {
		<-done
	}
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// mergedPatience is how long GitHub may take to show a landed pull request as merged.
const mergedPatience = 10 * time.Second

// settle waits until GitHub shows the end, closes what it leaves open, then concludes the check.
func (p *performer) settle(ctx context.Context, place queue.Place, task queue.SettleLanded, tries int) ([]queue.Fact, error) {
	status, err := p.github.ReadStatus(ctx, place, task.PR)
	if err != nil {
		return nil, err
	}
	if status == queue.Open {
		if wait := task.Since.Add(mergedPatience); wait.After(p.clock()) {
			return nil, &engine.Later{At: p.clock().Add(2 * time.Second), Why: "GitHub does not show the landing yet"}
		}
		text := landedText(place, task)
		if err := p.github.PostComment(ctx, place, task.PR, text); err != nil {
			return nil, err
		}
		if err := p.github.ClosePull(ctx, place, task.PR); err != nil {
			return nil, err
		}
		status = queue.ClosedStatus
	}
	err = together(
		func() error {
			_, err := p.postCheck(ctx, place, task.Check, tries > 0)
			return err
		},
		func() error {
			if task.Tip {
				return nil // carries our check since before the landing
			}
			return p.github.PostResult(ctx, place, task.Became, task.Check.Title, task.Check.Summary)
		},
	)
	if err == nil {
		err = p.finish(ctx, place, task, status, tries)
	}
	return one(queue.Settled{PR: task.PR, Status: status}, err)
}
