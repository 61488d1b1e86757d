package github

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"

	"github.com/mainstay-ci/mainstay/queue"
)

type run struct {
	ID         int64  `json:"id"`
	Name       string `json:"name"`
	Event      string `json:"event"`
	Branch     string `json:"head_branch"`
	HeadSHA    string `json:"head_sha"`
	Suite      int64  `json:"check_suite_id"`
	Status     string `json:"status"`
	Conclusion string `json:"conclusion"`
	Path       string `json:"path"`
	URL        string `json:"html_url"`
	CreatedAt  moment `json:"created_at"`
}

func (r run) fact() queue.Run {
	file, _, _ := strings.Cut(r.Path, "@") // some answers put the ref behind it
	return queue.Run{ID: r.ID, Name: r.Name, Event: r.Event, Branch: r.Branch, Suite: r.Suite,
		Status: r.Status, Conclusion: r.Conclusion, Path: file, URL: r.URL, CreatedAt: r.CreatedAt.Time}
}

type checkRun struct {
	ID         int64  `json:"id"`
	Name       string `json:"name"`
	Status     string `json:"status"`
	Conclusion string `json:"conclusion"`
	ExternalID string `json:"external_id"`
	URL        string `json:"html_url"`
	App        struct {
		ID int64 `json:"id"`
	} `json:"app"`
	Suite struct {
		ID int64 `json:"id"`
	} `json:"check_suite"`
}

// ReadResults reads what GitHub says of a ticket's commit: the workflow runs that
// its push started, the check runs of other Apps than ours, and, where asked for,
// the commit statuses. Errors: *Trouble, or the context's.
func (a *App) ReadResults(ctx context.Context, place queue.Place, ticket, commit string, statuses bool) (queue.Results, error) {
	s := a.at(place)
	results := queue.Results{ReadAt: a.clock()}
	tasks := []func(context.Context) error{
		func(ctx context.Context) error {
			runs, err := s.readRuns(ctx, commit, url.Values{"event": {"push"}, "branch": {ticket}})
			for _, r := range runs {
				results.Runs = append(results.Runs, r.fact())
			}
			return err
		},
		func(ctx context.Context) (err error) { results.Checks, err = s.readChecks(ctx, commit); return err },
	}
	if statuses {
		tasks = append(tasks, func(ctx context.Context) (err error) { results.Statuses, err = s.readStatuses(ctx, commit); return err })
	}
	if err := sideBySide(ctx, tasks...); err != nil {
		return queue.Results{}, fmt.Errorf("read results of %s in %s: %w", commit, s.name(), err)
	}
	return results, nil
}

// readRuns lists the workflow runs of a commit. What the list should have left
// out is left out here again.
func (s site) readRuns(ctx context.Context, commit string, query url.Values) ([]run, error) {
	type page struct {
		Runs []run `json:"workflow_runs"`
	}
	query.Set("head_sha", commit)
	event, branch := query.Get("event"), query.Get("branch")
	var all []run
	err := eachPage(ctx, s, "actions/runs", query, func(p page) {
		for _, r := range p.Runs {
			if r.HeadSHA == commit && (event == "" || r.Event == event) && (branch == "" || r.Branch == branch) {
				all = append(all, r)
			}
		}
	})
	if err != nil {
		return nil, fmt.Errorf("read runs: %w", err)
	}
	return all, nil
}

func (s site) readChecks(ctx context.Context, commit string) ([]queue.CheckResult, error) {
	type page struct {
		Checks []checkRun `json:"check_runs"`
	}
	var all []queue.CheckResult
	err := eachPage(ctx, s, "commits/"+segment(commit)+"/check-runs", url.Values{"filter": {"latest"}}, func(p page) {
		for _, c := range p.Checks {
			if c.App.ID == s.app.id {
				continue
			}
			all = append(all, queue.CheckResult{ID: c.ID, Name: c.Name, App: c.App.ID, Suite: c.Suite.ID,
				Status: c.Status, Conclusion: c.Conclusion, URL: c.URL})
		}
	})
	if err != nil {
		return nil, fmt.Errorf("read checks: %w", err)
	}
	return all, nil
}

// readStatuses reads the newest status of each context.
func (s site) readStatuses(ctx context.Context, commit string) ([]queue.StatusLine, error) {
	type page struct {
		Statuses []struct {
			Context string `json:"context"`
			State   string `json:"state"`
			URL     string `json:"target_url"`
			Avatar  string `json:"avatar_url"`
		} `json:"statuses"`
	}
	var all []queue.StatusLine
	err := eachPage(ctx, s, "commits/"+segment(commit)+"/status", nil, func(p page) {
		for _, line := range p.Statuses {
			all = append(all, queue.StatusLine{Context: line.Context, State: line.State, URL: line.URL, App: appOf(line.Avatar)})
		}
	})
	if err != nil {
		return nil, fmt.Errorf("read statuses: %w", err)
	}
	return all, nil
}

// appOf tells an App from the picture that GitHub shows beside its status, which is
// all that the list of statuses says of who posted one; 0 when it is nobody's.
func appOf(avatar string) int64 {
	u, err := url.Parse(avatar)
	if err != nil {
		return 0
	}
	folder, number := path.Split(u.Path)
	id, err := strconv.ParseInt(number, 10, 64)
	if !strings.HasSuffix(folder, "/in/") || err != nil || id < 0 {
		return 0
	}
	return id
}

// ReadStatuses reads the newest status of each context of a commit; never nil.
// Errors: *Trouble, or the context's.
func (a *App) ReadStatuses(ctx context.Context, place queue.Place, commit string) ([]queue.StatusLine, error) {
	lines, err := a.at(place).readStatuses(ctx, commit)
	if lines == nil {
		lines = []queue.StatusLine{}
	}
	return lines, err
}

// pushed are the events that a moved head starts runs by.
var pushed = map[string]bool{"push": true, "pull_request": true, "pull_request_target": true}

// CancelRuns stops the runs of commits that have not concluded. With a ticket
// only those its push started; without, those any push started except to the base
// itself, where the same commit may have landed. Errors: *Trouble, or the context's.
func (a *App) CancelRuns(ctx context.Context, place queue.Place, commits []string, ticket string) error {
	s := a.at(place)
	var tasks []func(context.Context) error
	for _, commit := range commits {
		tasks = append(tasks, func(ctx context.Context) error { return s.cancelRunsOf(ctx, commit, ticket) })
	}
	if err := sideBySide(ctx, tasks...); err != nil {
		return fmt.Errorf("cancel runs in %s: %w", s.name(), err)
	}
	return nil
}

func (s site) cancelRunsOf(ctx context.Context, commit, ticket string) error {
	query := url.Values{}
	if ticket != "" {
		query = url.Values{"event": {"push"}, "branch": {ticket}}
	}
	runs, err := s.readRuns(ctx, commit, query)
	if err != nil {
		return err
	}
	var tasks []func(context.Context) error
	for _, r := range runs {
		onBase := r.Event == "push" && r.Branch == s.place.Branch
		if r.Status == "completed" || !pushed[r.Event] || onBase {
			continue
		}
		tasks = append(tasks, func(ctx context.Context) error {
			_, err := s.send(ctx, http.MethodPost, fmt.Sprintf("actions/runs/%d/cancel", r.ID), nil, nil)
			if k := KindOf(err); k == Refused || k == Gone {
				return nil // 409: it concluded meanwhile
			}
			return err
		})
	}
	return sideBySide(ctx, tasks...)
}
