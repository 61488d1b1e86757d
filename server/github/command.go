package github

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
)

// written is a comment as a command may stand in it.
type written struct {
	ID       int64   `json:"id"`
	Body     string  `json:"body"`
	User     account `json:"user"`
	IssueURL string  `json:"issue_url"`
	HTMLURL  string  `json:"html_url"`
	Created  moment  `json:"created_at"`
	Updated  moment  `json:"updated_at"`
	App      *struct {
		ID int64 `json:"id"`
	} `json:"performed_via_github_app"`
}

// pull is the number of the pull request a comment is on; 0: it is on an issue.
func (c *written) pull() int {
	_, number, _ := cutLast(c.IssueURL, "/issues/")
	n, err := strconv.Atoi(number)
	if err != nil || !strings.Contains(c.HTMLURL, "/pull/") {
		return 0
	}
	return n
}

func cutLast(text, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(text, sep); i >= 0 {
		return text[:i], text[i+len(sep):], true
	}
	return text, "", false
}

// command is what a comment asks of us. One that was edited asks nothing: others
// read it before as something else. Nor does one of ours.
func (c *written) command(app int64) (queue.Command, bool) {
	if c.pull() == 0 || c.Updated.After(c.Created.Time) || c.App != nil && c.App.ID == app {
		return queue.Command{}, false
	}
	word, text, found := queue.FindCommand(c.Body)
	return queue.Command{ID: c.ID, PR: c.pull(), Word: word, Text: text, By: c.User.actor(), At: c.Created.Time}, found
}

// ReadCommands reads the commands in the repository's comments since a moment, in
// the order of their ids, with what their authors may; without those used. Their
// pull requests are still to be read. Errors: *Trouble, or the context's.
func (a *App) ReadCommands(ctx context.Context, place queue.Place, task queue.ReadCommands) (queue.CommandsRead, error) {
	s := a.at(place)
	comments, err := s.readComments(ctx, task)
	if err != nil {
		return queue.CommandsRead{}, fmt.Errorf("read commands in %s: %w", s.name(), err)
	}
	var read queue.CommandsRead
	for i := range comments {
		c := &comments[i]
		if c.Created.After(read.Newest) {
			read.Newest = c.Created.Time
		}
		command, found := c.command(a.id)
		if !found || slices.Contains(task.Used, c.ID) {
			continue
		}
		command.MayWrite, err = a.permits.mayWrite(ctx, s, command.By, a.clock().Add(-permitAge))
		if err != nil {
			return queue.CommandsRead{}, fmt.Errorf("read the command in comment %d of %s: %w", c.ID, s.name(), err)
		}
		if login := command.Delegate(); login != "" && command.MayWrite {
			if command.To, err = s.readPerson(ctx, login); err != nil {
				return queue.CommandsRead{}, fmt.Errorf("read the account of %s: %w", login, err)
			}
		}
		read.Commands = append(read.Commands, command)
	}
	return read, nil
}

// readComments lists the comments since a moment, by id. One that a webhook told of
// and the list does not show yet is read by itself.
func (s site) readComments(ctx context.Context, task queue.ReadCommands) ([]written, error) {
	var all []written
	seen := map[int64]bool{}
	query := url.Values{"since": {task.Since.UTC().Format(time.RFC3339)}, "sort": {"created"}, "direction": {"asc"}}
	err := eachPage(ctx, s, "issues/comments", query, func(page []written) {
		for _, c := range page {
			if !seen[c.ID] { // pages move while they are read
				seen[c.ID] = true
				all = append(all, c)
			}
		}
	})
	if err != nil {
		return nil, err
	}
	if task.Hinted != 0 && !seen[task.Hinted] && !slices.Contains(task.Used, task.Hinted) {
		var one written
		_, err := s.get(ctx, fmt.Sprintf("issues/comments/%d", task.Hinted), nil, &one)
		if err != nil && !gone(err) {
			return nil, err
		}
		if err == nil {
			all = append(all, one)
		}
	}
	slices.SortFunc(all, func(x, y written) int { return int(min(1, max(-1, x.ID-y.ID))) })
	return all, nil
}

// readPerson finds an account by its login; nobody where there is none.
func (s site) readPerson(ctx context.Context, login string) (queue.Actor, error) {
	var found account
	_, err := s.in.send(ctx, s.app, call{http.MethodGet, "users/" + segment(login), nil, &found})
	if gone(err) {
		return queue.Actor{}, nil
	}
	return found.actor(), err
}

// MayWrite says whether somebody may write to the repository, now. Errors: *Trouble,
// or the context's.
func (a *App) MayWrite(ctx context.Context, place queue.Place, who queue.Actor) (bool, error) {
	return a.permits.mayWrite(ctx, a.at(place), who, a.clock().Add(-permitAge))
}

// AddLabel puts a label on a pull request; one that is there stays. Errors:
// *Trouble, or the context's.
func (a *App) AddLabel(ctx context.Context, place queue.Place, pr int, label string) error {
	s := a.at(place)
	_, err := s.send(ctx, http.MethodPost, fmt.Sprintf("issues/%d/labels", pr), map[string][]string{"labels": {label}}, nil)
	if err != nil {
		return fmt.Errorf("put label %q on #%d of %s: %w", label, pr, s.name(), err)
	}
	return nil
}

// React puts an emoji on a comment; a second one of ours changes nothing, and a
// comment that is gone needs none. Errors: *Trouble, or the context's.
func (a *App) React(ctx context.Context, place queue.Place, comment int64, mark string) error {
	s := a.at(place)
	_, err := s.send(ctx, http.MethodPost, fmt.Sprintf("issues/comments/%d/reactions", comment), map[string]string{"content": mark}, nil)
	if err != nil && !gone(err) {
		return fmt.Errorf("react to comment %d of %s: %w", comment, s.name(), err)
	}
	return nil
}
