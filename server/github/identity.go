package github

import (
	"context"
	"fmt"
	"net/http"

	"github.com/mainstay-ci/mainstay/queue"
)

// Identity is our App as GitHub knows it.
type Identity struct {
	Slug        string            `json:"slug"`
	Name        string            `json:"name"`
	Page        string            `json:"html_url"`
	Permissions map[string]string `json:"permissions"` // asked for; what an installation granted may lag behind
	Events      []string          `json:"events"`
}

// Identity asks who we are. Errors: *Trouble, or the context's.
func (a *App) Identity(ctx context.Context) (Identity, error) {
	var who Identity
	_, err := a.do(ctx, a.api(a.client(a.appsTransport())), "", call{method: http.MethodGet, path: "app", out: &who})
	if err != nil {
		return Identity{}, fmt.Errorf("read our own App: %w", err)
	}
	return who, nil
}

// FindInstallation finds where the App is installed by a repository's name, and the
// repository's default branch. Errors: *Trouble, or the context's.
func (a *App) FindInstallation(ctx context.Context, owner, name string) (queue.Place, error) {
	place := queue.Place{Owner: owner, Name: name}
	var found installed
	if err := a.readInstalled(ctx, place, &found); err != nil {
		return place, err
	}
	place.Installation = found.ID
	var r repository
	if _, err := a.at(place).get(ctx, "", nil, &r); err != nil {
		return place, fmt.Errorf("read %s/%s: %w", owner, name, err)
	}
	place.Repository, place.Owner, place.Name, place.Branch = r.ID, r.Owner.Login, r.Name, r.DefaultBranch
	return place, nil
}

type installed struct {
	ID          int64             `json:"id"`
	Permissions map[string]string `json:"permissions"`
	Events      []string          `json:"events"`
}

func (a *App) readInstalled(ctx context.Context, place queue.Place, into *installed) error {
	path := "repos/" + segment(place.Owner) + "/" + segment(place.Name) + "/installation"
	_, err := a.do(ctx, a.api(a.client(a.appsTransport())), "", call{method: http.MethodGet, path: path, out: into})
	if gone(err) {
		return fmt.Errorf("the App is not installed on %s/%s, or there is no such repository: %w", place.Owner, place.Name, err)
	}
	if err != nil {
		return fmt.Errorf("find the installation on %s/%s: %w", place.Owner, place.Name, err)
	}
	return nil
}

// ID is the App's id.
func (a *App) ID() int64 { return a.id }
