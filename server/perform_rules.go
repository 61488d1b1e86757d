package main

import (
	"context"
	"fmt"
	"sync"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/server/config"
	"github.com/mainstay-ci/mainstay/server/github"
)

// readPull reads a pull request, and beside it what else the rules and the config ask.
func (p *performer) readPull(ctx context.Context, place queue.Place, task queue.ReadPullRequest) (queue.PullRequestRead, error) {
	var read queue.PullRequestRead
	var judged map[int]github.Judged
	err := together(
		func() (err error) {
			queues, err := p.book.branches(ctx, place.Repository)
			if err == nil {
				read, err = p.github.ReadInStack(ctx, place, task, queues)
			}
			return err
		},
		func() (err error) {
			if task.Asks.Review {
				judged, err = p.github.Judge(ctx, place, []int{task.Number})
			}
			return err
		},
	)
	if err == nil && (task.Asked || read.PR.Wish != nil) { // else nothing of it is decided on
		err = p.answer(&read.PR, task.Asks, judged)
	}
	if err == nil && read.Opens != "" {
		err = p.book.open(ctx, place, read.Opens, read.PR.Number)
	}
	read.PR.Traits = nil
	m := read.PR.Method
	if read.PR.Described = task.Text || m == queue.MethodSquash || m == queue.MethodMerge; !read.PR.Described {
		read.PR.Body = "" // nothing is worded by it
	}
	return read, err
}

// readCommands reads commands, and the pull requests that they are about.
func (p *performer) readCommands(ctx context.Context, place queue.Place, task queue.ReadCommands) (queue.CommandsRead, error) {
	read, err := p.github.ReadCommands(ctx, place, task)
	if err != nil {
		return read, err
	}
	for i := range read.Commands {
		c := &read.Commands[i]
		task.As.Number = c.PR
		pull, err := p.readPull(ctx, place, task.As)
		if err != nil {
			return queue.CommandsRead{}, err
		}
		c.Pull = pull.PR
	}
	return read, nil
}

// readPress reads what somebody who pressed a button may, and on what.
func (p *performer) readPress(ctx context.Context, place queue.Place, task queue.ReadPress) (queue.ButtonPressed, error) {
	may, err := p.github.MayWrite(ctx, place, task.By)
	if err != nil {
		return queue.ButtonPressed{}, err
	}
	pull, err := p.readPull(ctx, place, task.As)
	return queue.ButtonPressed{Command: queue.Command{PR: task.As.Number, Word: task.Word, By: task.By, MayWrite: may, Pull: pull.PR}}, err
}

// answer notes on a reading what was asked beyond the usual.
func (p *performer) answer(pr *queue.PullRequest, asks queue.Asks, judged map[int]github.Judged) error {
	if pr.Status != queue.Open {
		return nil // nothing of it is decided on
	}
	j, known := judged[pr.Number]
	if known && j.Head != pr.Head || !known && asks.Review {
		// Two readings side by side met a push, or one of them is of before: both are read again.
		return fmt.Errorf("read #%d: GitHub shows it at %q and at %q", pr.Number, pr.Head, j.Head)
	}
	if asks.Review {
		pr.Review = &j.Review
	}
	if known && pr.Traits != nil {
		pr.Traits.Files, pr.Traits.Additions, pr.Traits.Deletions = j.Files, j.Additions, j.Deletions
	}
	if asks.When != "" {
		pr.When = &queue.Condition{Source: asks.When}
		if term, err := p.terms.get(asks.When, config.CompileWhen); err != nil {
			pr.When.Unmet = "it can't be read: " + err.Error()
		} else {
			pr.When.Unmet = term.Unmet(*pr)
		}
	}
	if asks.Priority != "" {
		if term, err := p.terms.get(asks.Priority, config.CompilePriority); err == nil {
			pr.Priority = term.Worth(*pr)
		}
	}
	return nil
}

// terms keeps compiled terms: there are as many as queues have, or had lately.
type terms struct {
	mu    sync.Mutex
	known map[string]*config.Term
}

// maxTerms is when all are forgotten and compiled again.
const maxTerms = 500

func (k *terms) get(source string, compile func(string) (*config.Term, error)) (*config.Term, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if t := k.known[source]; t != nil {
		return t, nil
	}
	t, err := compile(source)
	if err != nil {
		return nil, err
	}
	if k.known == nil || len(k.known) >= maxTerms {
		k.known = map[string]*config.Term{}
	}
	k.known[source] = t
	return t, nil
}
