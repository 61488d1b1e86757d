package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/server/git"
)

// headPatience is how long GitHub may take to show moved heads before the base moves all the same.
const headPatience = 20 * time.Second

func (p *performer) performGit(ctx context.Context, place queue.Place, e queue.DueEffect) ([]queue.Fact, error) {
	clone, err := p.clones.of(ctx, place)
	if err != nil {
		return nil, err
	}
	base := "refs/heads/" + place.Branch
	switch task := e.Task.(type) {
	case queue.FetchHead:
		return p.fetchHead(ctx, clone, place, task)
	case queue.BuildAttempt:
		return p.build(ctx, clone, place, task)
	case queue.PushTicket:
		return pushTicket(ctx, clone, task, e.Tries > 0)
	case queue.MoveHeads:
		return p.moveHeads(ctx, clone, place, task)
	case queue.MoveBase:
		landing := git.Landing{Base: base, Old: task.Old, New: task.New}
		for _, t := range task.Tickets {
			landing.Tickets = append(landing.Tickets, git.Ticket{Ref: "refs/heads/" + t.Ticket, Commit: t.Commit})
		}
		landed, err := clone.Land(ctx, landing)
		return one(queue.LandingTried{Attempt: task.Attempt, Outcome: outcome(landed.Kind), Tip: landed.Tip, Rule: rule(landed)}, err)
	case queue.AbandonAttempt:
		return p.abandon(ctx, clone, place, task)
	case queue.AuditLanding:
		if err := clone.Tidy(ctx); err != nil {
			p.log.Warn("a clone could not be tidied", "repository", place.Repository, "err", err)
		}
		return audit(ctx, clone, base, task)
	}
	return nil, fmt.Errorf("perform %s: no adapter knows %T", e.Key, e.Task)
}

// build puts the members on the base, each by its method. The committer carries the attempt, so that the
// commits never existed before; its date is the attempt's, so that a rebuild gives the same ones.
func (p *performer) build(ctx context.Context, clone *git.Clone, place queue.Place, task queue.BuildAttempt) ([]queue.Fact, error) {
	spec := git.Spec{Base: task.Old, Landed: task.Landed, Watch: queue.Guards}
	spec.Committer, spec.Trailers = p.signature(place, task)
	if task.Empty {
		spec.Empty = fmt.Sprintf("Mainstay: the base as it is, for attempt %d", task.Attempt)
		if len(task.Members) > 0 {
			spec.Empty = fmt.Sprintf("Mainstay: the batch as it is, for attempt %d", task.Attempt)
		}
	}
	byPR := map[int]queue.Member{}
	for i, m := range task.Members {
		member := git.Member{PR: m.PR, Head: m.Head, After: m.After, Method: gitMethods[m.Method]}
		if i < len(task.Texts) {
			member.Message = wording(place, task.Merging, task.Texts[i], m.Method)
		}
		spec.Members = append(spec.Members, member)
		byPR[m.PR] = m
	}
	built, err := clone.Build(ctx, spec)
	if failed, is := blame(task, err); is {
		return []queue.Fact{failed}, nil
	}
	if err != nil {
		return nil, err
	}
	fact := queue.AttemptBuilt{Attempt: task.Attempt, Contained: built.Contained}
	for _, m := range built.Members {
		member := byPR[m.PR]
		member.Became, member.Commits = m.Tip, m.Commits
		if member.Squashed = m.Squashed; m.Squashed {
			member.Method = queue.MethodSquash
		}
		member.Guarded = m.Watched
		if len(m.Folders) <= queue.MostFolders {
			member.Folders = m.Folders
		}
		fact.Members = append(fact.Members, member)
		fact.New, fact.Tree = m.Tip, m.Tree
	}
	if task.Empty {
		fact.New, fact.Tree = built.Tip, built.Tree
	}
	for _, c := range built.Skipped {
		fact.Conflicts = append(fact.Conflicts, queue.Conflicting{PR: c.PR, Files: c.Files, WithBase: c.OnBaseAlone})
	}
	return []queue.Fact{fact}, nil
}

// blame says whose head a build failed for, if it was for one.
func blame(task queue.BuildAttempt, err error) (failed queue.BuildFailed, is bool) {
	byHead := map[string]int{}
	for _, m := range task.Members {
		byHead[m.Head] = m.PR
	}
	var large *git.TooLargeError
	if errors.As(err, &large) {
		return queue.BuildFailed{Attempt: task.Attempt, Detail: large.Why, LargePR: byHead[large.Commit]}, true
	}
	commit, why := unfetchable(err)
	return queue.BuildFailed{Attempt: task.Attempt, Detail: why, MissingPR: byHead[commit]}, commit != ""
}

// unfetchable says which commit no clone of ours can have, and why.
func unfetchable(err error) (commit, why string) {
	var missing *git.MissingError
	var bad *git.BadCommitError
	switch {
	case errors.As(err, &missing):
		return missing.Commit, missing.Error()
	case errors.As(err, &bad):
		return bad.Commit, bad.Error()
	}
	return "", ""
}

func pushTicket(ctx context.Context, clone *git.Clone, task queue.PushTicket, again bool) ([]queue.Fact, error) {
	err := clone.PushTicket(ctx, "refs/heads/"+task.Ticket, task.Commit)
	var refused *git.Refusal
	if errors.Is(err, git.ErrTicketTaken) || errors.As(err, &refused) {
		return []queue.Fact{queue.TicketFailed{Attempt: task.Attempt, Detail: err.Error()}}, nil
	}
	return one(queue.TicketPushed{Attempt: task.Attempt, Again: again}, err)
}

// moveHeads puts our check on the commit and moves the branches, then waits a
// while for GitHub to show it: in that order it shows the pull requests as merged.
func (p *performer) moveHeads(ctx context.Context, clone *git.Clone, place queue.Place, task queue.MoveHeads) ([]queue.Fact, error) {
	var heads headsMoved
	based, err := retarget(ctx, p.github, place, task.Retargets)
	if err != nil {
		return nil, err
	}
	err = together(
		func() error { return p.github.PostResult(ctx, place, task.Commit, task.Title, task.Summary) },
		func() (err error) {
			heads, err = moveBranches(ctx, clone, task.Moves)
			return err
		},
	)
	if err != nil {
		return nil, err
	}
	if len(heads.elsewhere) == 0 {
		p.awaitHeads(ctx, place, heads.moved)
	}
	return []queue.Fact{queue.HeadsMoved{Attempt: task.Attempt, Moved: heads.moved, Elsewhere: heads.elsewhere, Retargeted: based}}, nil
}

// headsMoved is what came of moving branches.
type headsMoved struct {
	moved     []queue.Move
	elsewhere []int // pull requests whose branch does not stand where the move begins
}

func moveBranches(ctx context.Context, clone *git.Clone, moves []queue.Move) (headsMoved, error) {
	var done headsMoved
	if len(moves) == 0 {
		return done, nil
	}
	var heads []git.HeadMove
	for _, m := range moves {
		heads = append(heads, git.HeadMove{Ref: "refs/heads/" + m.Ref, Old: m.Old, New: m.New})
	}
	results, err := clone.MoveHeads(ctx, heads)
	if err != nil {
		return done, err
	}
	for i, r := range results {
		switch r.State {
		case git.HeadMoved, git.HeadAlready:
			done.moved = append(done.moved, moves[i])
		case git.HeadElsewhere:
			done.elsewhere = append(done.elsewhere, moves[i].PR)
		}
	}
	return done, nil
}

func (p *performer) awaitHeads(ctx context.Context, place queue.Place, moved []queue.Move) {
	if len(moved) == 0 {
		return
	}
	deadline := p.clock().Add(headPatience)
	for pause := 100 * time.Millisecond; p.clock().Before(deadline); pause = min(2*pause, 4*time.Second) {
		if shown, err := p.github.ShowsHeads(ctx, place, moved); err == nil && shown {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// abandon deletes the ticket for certain, puts moved heads back, then looks at the base.
func (p *performer) abandon(ctx context.Context, clone *git.Clone, place queue.Place, task queue.AbandonAttempt) ([]queue.Fact, error) {
	base := "refs/heads/" + place.Branch
	if err := clone.DeleteTicket(ctx, "refs/heads/"+task.Ticket, task.Commit); err != nil {
		return nil, err
	}
	refs, err := clone.ReadRefs(ctx, base)
	if err != nil {
		return nil, err
	}
	tip := refs[base]
	contains := false
	if tip != "" {
		if contains, err = clone.Contains(ctx, tip, task.Commit); err != nil {
			return nil, err
		}
	}
	if !contains {
		back := make([]queue.Move, 0, len(task.Moved))
		for _, m := range task.Moved {
			back = append(back, queue.Move{PR: m.PR, Ref: m.Ref, Old: m.New, New: m.Old})
		}
		if _, err := moveBranches(ctx, clone, back); err != nil {
			return nil, err
		}
		var based []queue.Retarget
		for _, r := range task.Retargeted {
			based = append(based, queue.Retarget{PR: r.PR, From: r.To, To: r.From})
		}
		if _, err := retarget(ctx, p.github, place, based); err != nil {
			return nil, err
		}
	}
	return []queue.Fact{queue.Abandoned{Attempt: task.Attempt, Tip: tip, Contains: contains}}, nil
}

func audit(ctx context.Context, clone *git.Clone, base string, task queue.AuditLanding) ([]queue.Fact, error) {
	refs, err := clone.ReadRefs(ctx, base)
	if err != nil {
		return nil, err
	}
	fact := queue.Audited{Attempt: task.Attempt, Tip: refs[base]}
	if fact.Tip != "" {
		if fact.Contains, err = clone.Contains(ctx, fact.Tip, task.Commit); err != nil {
			return nil, err
		}
	}
	tree, err := clone.Tree(ctx, task.Commit)
	fact.TreeOK = tree == task.Tree
	return one(fact, err)
}

// rule is a refusal in GitHub's own words.
func rule(o git.Outcome) string {
	if o.Kind != git.Refused {
		return ""
	}
	return strings.Join(append([]string{o.Reason}, o.Remote...), "; ")
}

func outcome(kind git.OutcomeKind) queue.Outcome {
	switch kind {
	case git.Landed:
		return queue.OutcomeLanded
	case git.Elsewhere:
		return queue.OutcomeElsewhere
	case git.Refused:
		return queue.OutcomeRefused
	case git.Transient:
		return queue.OutcomeTransient
	}
	return queue.OutcomeUnknown
}
