package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"

	"github.com/mainstay-ci/mainstay/server/doctor"
	"github.com/mainstay-ci/mainstay/server/github"
	"github.com/mainstay-ci/mainstay/server/web"
)

// manifest is the App as GitHub is asked to create it.
func manifest(s settings, url string) (string, error) {
	permissions := map[string]string{}
	for _, p := range doctor.Permissions {
		permissions[p.Name] = p.Access
	}
	body, err := json.Marshal(map[string]any{
		"name": appName(url), "url": url, "description": "Keeps the base branch green: lands what was tested, as it was tested.",
		"hook_attributes": map[string]any{"url": url + "/webhook", "active": !s.polls},
		"redirect_url":    url + "/setup/created", "setup_url": url + "/setup/next",
		"public": false, "default_permissions": permissions, "default_events": doctor.Events,
	})
	if err != nil {
		return "", fmt.Errorf("write the App's manifest: %w", err)
	}
	return string(body), nil
}

// appName is a name that is probably free: names of Apps are one list over all of
// GitHub, of at most 34 characters. The person can change it there.
func appName(address string) string {
	name := "Mainstay"
	if u, err := url.Parse(address); err == nil {
		name += " at " + u.Hostname()
	}
	return strings.TrimRight(name[:min(len(name), 34)], " .-")
}

func grants() []web.Grant {
	var all []web.Grant
	for _, p := range doctor.Permissions {
		all = append(all, web.Grant{Title: p.Title, Access: p.Access, Why: p.Why, Lost: p.Lost})
	}
	return all
}

// openSetup has the listener show the page that creates the App.
func (srv *server) openSetup(ctx context.Context, s settings) error {
	text, err := manifest(s, srv.url)
	if err != nil {
		return err
	}
	var one sync.Mutex
	srv.setup = web.NewSetup(web.SetupOptions{
		URL: srv.url, GitHubURL: s.github, Manifest: text, Grants: grants(), Events: doctor.Events, Polls: s.polls, Log: srv.log,
		Create: func(_ context.Context, code string) (string, error) {
			one.Lock()
			defer one.Unlock()
			return srv.create(ctx, s, code)
		},
	})
	srv.door.lead(srv.setup.Handler())
	return nil
}

// create takes the App over, keeps it, and goes on to serve it. The code is used up
// by then: so not even a browser that hangs up may break this off.
func (srv *server) create(ctx context.Context, s settings, code string) (install string, err error) {
	if srv.app != nil {
		return "", errors.New("there is an App already: load the page again")
	}
	created, err := github.TakeCreated(ctx, github.Options{APIURL: s.api, Clock: s.clock, Log: srv.log}, code)
	if err != nil {
		return "", err
	}
	kept := keptApp{ID: created.ID, Slug: created.Slug, Name: created.Name, Page: created.Page, GitHub: s.github,
		Key: string(created.Key), WebhookSecret: string(created.WebhookSecret)}
	if err := kept.keep(s.data); err != nil {
		return "", err
	}
	kept.into(&s)
	if err := srv.wire(s); err != nil {
		return "", err
	}
	srv.log.Info("the App was created", "id", created.ID, "name", created.Name)
	srv.work.Go(func() { srv.begin(ctx) })
	return created.Page + "/installations/new", nil
}

// into makes the settings those of this App.
func (k keptApp) into(s *settings) {
	s.appID, s.key = k.ID, []byte(k.Key)
	if k.WebhookSecret != "" {
		s.secrets = [][]byte{[]byte(k.WebhookSecret)}
	}
}
