package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/google/go-github/v60/github"

	"github.com/mainstay-ci/mainstay/queue"
)

type repository struct {
	ID    int64  `json:"id"`
	Name  string `json:"name"`
	Owner struct {
		Login string `json:"login"`
	} `json:"owner"`
	DefaultBranch string `json:"default_branch"`
	Archived      bool   `json:"archived"`
	Disabled      bool   `json:"disabled"`
	Deletes       bool   `json:"delete_branch_on_merge"`
	AllowRebase   *bool  `json:"allow_rebase_merge"`
	AllowSquash   *bool  `json:"allow_squash_merge"`
	AllowMerge    *bool  `json:"allow_merge_commit"`
}

// Census is where the App is installed, as GitHub says at one moment.
type Census struct {
	// Places are the repositories that can be written to, with their default branches.
	Places []queue.Place
	// Closed are those that can only be read, by id.
	Closed map[int64]bool
	// Suspended are installations that are ours no more until somebody lifts that;
	// Unread are those that could not be read just now: nothing is known of theirs.
	Suspended, Unread map[int64]bool
}

// Repositories lists every repository that the App is installed on and that can
// be written to, with its default branch. Where an installation cannot be read
// the others' are returned all the same, beside the error.
func (a *App) Repositories(ctx context.Context) ([]queue.Place, error) {
	c, err := a.TakeCensus(ctx)
	return c.Places, err
}

// TakeCensus lists every repository that the App is installed on. Where an
// installation cannot be read the others' are returned all the same, beside the error.
func (a *App) TakeCensus(ctx context.Context) (Census, error) {
	c := Census{Closed: map[int64]bool{}, Suspended: map[int64]bool{}, Unread: map[int64]bool{}}
	ids, err := a.listInstallations(ctx, c.Suspended)
	if err != nil {
		return Census{}, fmt.Errorf("list installations: %w", err)
	}
	var errs []error
	for _, id := range ids {
		if err := a.listRepositories(ctx, id, &c); err != nil {
			c.Unread[id] = true
			errs = append(errs, fmt.Errorf("list repositories of installation %d: %w", id, err))
		}
	}
	return c, errors.Join(errs...)
}

func (a *App) listInstallations(ctx context.Context, suspended map[int64]bool) ([]int64, error) {
	type entry struct {
		ID        int64   `json:"id"`
		Suspended *string `json:"suspended_at"`
	}
	api := a.api(a.client(a.appsTransport()))
	var ids []int64
	err := eachPageOf(pageLimit, func(page int, out *[]entry) (*github.Response, error) {
		return a.do(ctx, api, "", call{http.MethodGet, "app/installations?" + paged(nil, page).Encode(), nil, out})
	}, func(list []entry) {
		for _, in := range list {
			if in.Suspended != nil {
				suspended[in.ID] = true
				continue
			}
			ids = append(ids, in.ID)
		}
	})
	return ids, err
}

func (a *App) listRepositories(ctx context.Context, id int64, c *Census) error {
	type list struct {
		Repositories []repository `json:"repositories"`
	}
	in, now := a.installation(id), a.clock()
	return eachPageOf(pageLimit, func(page int, out *list) (*github.Response, error) {
		return in.send(ctx, a, call{http.MethodGet, "installation/repositories?" + paged(nil, page).Encode(), nil, out})
	}, func(l list) {
		for _, r := range l.Repositories {
			a.defaults.Store(r.ID, traits{r.DefaultBranch, r.Deletes, r.methods(), now})
			if r.Archived || r.Disabled {
				c.Closed[r.ID] = true
			} else {
				c.Places = append(c.Places, queue.Place{Installation: id, Repository: r.ID, Owner: r.Owner.Login, Name: r.Name, Branch: r.DefaultBranch})
			}
		}
	})
}
