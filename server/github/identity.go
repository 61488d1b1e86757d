package github

import (
	"context"
	"fmt"
	"net/http"
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
