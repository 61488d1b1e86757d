package sandbox

import (
	"fmt"
	"time"
)

// tokenLife is how long an installation token is good.
const tokenLife = time.Hour

// installation is one App on one owner's account, for some repositories.
type installation struct {
	id      int64
	app     *App
	owner   account
	repos   map[int64]bool
	created time.Time
	// suspended by its owner
	suspended bool
}

// Install puts the App on the repository and returns the installation's id: one
// for each owner, whichever repositories it holds.
func (r *Repository) Install(app *App) int64 {
	f := r.forge
	f.mu.Lock()
	defer f.mu.Unlock()
	i := f.installOf(app, r.owner)
	by := &credential{who: r.owner}
	switch {
	case i == nil:
		i = &installation{id: f.newID(), app: app, owner: r.owner, repos: map[int64]bool{r.ID: true}, created: f.now()}
		f.installs = append(f.installs, i)
		f.sendInstallation(by, i, r)
	case !i.repos[r.ID]:
		i.repos[r.ID] = true
		f.sendInstalled(by, i, "added", r)
	}
	f.touch()
	return i.id
}

// Uninstall takes the App off the repository; its tokens see it no more.
func (r *Repository) Uninstall(app *App) {
	f := r.forge
	f.mu.Lock()
	defer f.mu.Unlock()
	if i := f.installOf(app, r.owner); i != nil && i.repos[r.ID] {
		delete(i.repos, r.ID)
		f.sendInstalled(&credential{who: r.owner}, i, "removed", r)
		f.touch()
	}
}

func (f *Forge) installOf(app *App, owner account) *installation {
	for _, i := range f.installs {
		if i.app == app && i.owner.id == owner.id {
			return i
		}
	}
	return nil
}

func (f *Forge) installed(app *App, repo *Repository) *installation {
	if i := f.installOf(app, repo.owner); i != nil && i.repos[repo.ID] {
		return i
	}
	return nil
}

// mintInstallationToken makes a token for some repositories (nil: all) with
// some permissions (nil: the installation's). The lock is held.
func (f *Forge) mintInstallationToken(i *installation, repos map[int64]bool, permissions map[string]string) (string, *credential) {
	if permissions == nil {
		permissions = i.app.permissions
	}
	c := &credential{app: i.app, install: i, repos: repos, permissions: permissions, expires: f.now().Add(tokenLife)}
	token := newToken("ghs_", 516)
	f.credentials[token] = c
	return token, c
}

// InstallationToken makes a token of the App's installation on the repository,
// good for that repository alone. It fails when the App is not installed there.
func (r *Repository) InstallationToken(app *App) (string, error) {
	r.forge.mu.Lock()
	defer r.forge.mu.Unlock()
	i := r.forge.installed(app, r)
	if i == nil {
		return "", fmt.Errorf("make a token of %s for %s: not installed", app.Slug, r.FullName())
	}
	token, _ := r.forge.mintInstallationToken(i, map[int64]bool{r.ID: true}, nil)
	return token, nil
}

// ExpireTokens ends the life of every installation token made so far.
func (f *Forge) ExpireTokens() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.credentials {
		if c.install != nil {
			c.expires = f.options.Now()
		}
	}
}
