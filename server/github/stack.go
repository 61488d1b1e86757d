package github

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/mainstay-ci/mainstay/queue"
)

// ReadInStack is ReadPullRequest for one that may stand on others: where its base is
// none of these branches, which have queues of their own, it is followed down to one.
// One that is asked for in another way is read as if it had the label. Errors: *Trouble, or the context's.
func (a *App) ReadInStack(ctx context.Context, place queue.Place, task queue.ReadPullRequest, queues []string) (queue.PullRequestRead, error) {
	s, began := a.at(place), a.clock()
	p, err := s.readPull(ctx, task.Number)
	if gone(err) {
		return queue.PullRequestRead{PR: queue.PullRequest{Number: task.Number, ReadAt: began}, Gone: true}, nil
	}
	if err != nil {
		return queue.PullRequestRead{}, fmt.Errorf("read #%d of %s: %w", task.Number, s.name(), err)
	}
	read := queue.PullRequestRead{PR: p.reading(began)}
	full := p.labelled(task.Label) || task.Asked
	opens := p.labelled(queue.Defaults().Label)
	if read.PR.Status != queue.Open || !full && !opens {
		return read, nil
	}
	if !slices.Contains(queues, p.Base.Ref) && p.Base.Ref != place.Branch {
		if read.PR.Stack, err = s.readStack(ctx, p, append(queues[:len(queues):len(queues)], place.Branch)); err != nil {
			return queue.PullRequestRead{}, fmt.Errorf("read what #%d of %s stands on: %w", task.Number, s.name(), err)
		}
		if read.PR.Stack == nil && opens {
			read.Opens = p.Base.Ref
		}
	}
	if !full || read.PR.Home() != place.Branch {
		return read, nil // another queue's
	}
	if read.PR.Needs, err = s.readNeeds(ctx, read.PR.Needs); err != nil {
		return queue.PullRequestRead{}, fmt.Errorf("read what #%d of %s depends on: %w", task.Number, s.name(), err)
	}
	if err := s.readStanding(ctx, p, &read.PR, task.Label, task.Labels); err != nil {
		return queue.PullRequestRead{}, fmt.Errorf("read #%d of %s: %w", task.Number, s.name(), err)
	}
	return read, nil
}

// readStack follows a pull request down: the open one whose branch its base is, the one
// below that, and so on, to a branch that has a queue, or is protected, or is nobody's head.
// Nil: its own base is such a branch.
func (s site) readStack(ctx context.Context, p *pull, queues []string) (*queue.Stack, error) {
	stack := &queue.Stack{Base: p.Base.Ref, Native: p.Stack != nil}
	for more := true; more && !slices.Contains(queues, stack.Base); {
		var list []*pull
		query := url.Values{"head": {s.place.Owner + ":" + stack.Base}, "state": {"all"}, "sort": {"created"}, "direction": {"desc"}}
		if _, err := s.get(ctx, "pulls", paged(query, 1), &list); err != nil {
			return nil, err
		}
		var heads []queue.PullRequest
		for _, x := range list {
			if x != nil {
				heads = append(heads, x.reading(s.app.clock()))
			}
		}
		if len(heads) > 0 {
			protected, err := s.isProtected(ctx, stack.Base)
			if err != nil {
				return nil, err
			}
			if protected {
				break
			}
		}
		more = stack.Descend(p.Number, heads)
	}
	switch {
	case stack.Flaw != "":
		stack.Base = s.place.Branch
		if r := p.Base.Repo; r != nil && r.DefaultBranch != "" {
			stack.Base = r.DefaultBranch
		}
	case len(stack.Below) == 0:
		return nil, nil
	}
	return stack, nil
}

// isProtected reports whether rules hold for a branch: those are meant to be landed on.
func (s site) isProtected(ctx context.Context, branch string) (bool, error) {
	var b struct {
		Protected bool `json:"protected"`
	}
	_, err := s.get(ctx, "branches/"+segment(branch), nil, &b)
	if gone(err) {
		return false, nil
	}
	return b.Protected, err
}

// readNeeds looks up where each dependency stands.
func (s site) readNeeds(ctx context.Context, needs []queue.Need) ([]queue.Need, error) {
	tasks := make([]func(context.Context) error, len(needs))
	for i := range needs {
		tasks[i] = func(ctx context.Context) error {
			p, err := s.readPull(ctx, needs[i].PR)
			if gone(err) {
				return nil
			}
			if err == nil {
				needs[i].Status, needs[i].Head = p.status(), p.Head.SHA
			}
			return err
		}
	}
	return needs, sideBySide(ctx, tasks...)
}

// Retarget sets a pull request's base. One that can't have it any more, because it is
// closed or of a stack that GitHub keeps, stays as it is. Errors: *Trouble, or the context's.
func (a *App) Retarget(ctx context.Context, place queue.Place, pr int, base string) (done bool, err error) {
	s := a.at(place)
	_, err = s.send(ctx, http.MethodPatch, fmt.Sprintf("pulls/%d", pr), map[string]string{"base": base}, nil)
	if KindOf(err) == Refused || KindOf(err) == Gone {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("set the base of #%d of %s: %w", pr, s.name(), err)
	}
	return true, nil
}
