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

// Repositories lists every repository that the App is installed on and that can
// be written to, with its default branch. Where an installation cannot be read
// the others' are returned all the same, beside the error.
func (a *App) Repositories(ctx context.Context) ([]queue.Place, error) {
	ids, err := a.listInstallations(ctx)
	if err != nil {
		return nil, fmt.Errorf("list installations: %w", err)
	}
	var (
		places []queue.Place
		errs   []error
	)
	for _, id := range ids {
		found, err := a.listRepositories(ctx, id)
		places = append(places, found...)
		if err != nil {
			errs = append(errs, fmt.Errorf("list repositories of installation %d: %w", id, err))
		}
	}
	return places, errors.Join(errs...)
}

func (a *App) listInstallations(ctx context.Context) ([]int64, error) {
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
			if in.Suspended == nil {
				ids = append(ids, in.ID)
			}
		}
	})
	return ids, err
}

func (a *App) listRepositories(ctx context.Context, id int64) ([]queue.Place, error) {
	type list struct {
		Repositories []repository `json:"repositories"`
	}
	in := a.installation(id)
	var (
		places []queue.Place
		now    = a.clock()
	)
	err := eachPageOf(pageLimit, func(page int, out *list) (*github.Response, error) {
		return in.send(ctx, a, call{http.MethodGet, "installation/repositories?" + paged(nil, page).Encode(), nil, out})
	}, func(l list) {
		for _, r := range l.Repositories {
			a.defaults.Store(r.ID, traits{r.DefaultBranch, r.Deletes, r.methods(), now})
			if !r.Archived && !r.Disabled {
				places = append(places, queue.Place{Installation: id, Repository: r.ID, Owner: r.Owner.Login, Name: r.Name, Branch: r.DefaultBranch})
			}
		}
	})
	return places, err
}
