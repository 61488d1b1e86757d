package main

import (
	"context"

	"github.com/mainstay-ci/mainstay/server/config"
	"github.com/mainstay-ci/mainstay/server/engine"
	"github.com/mainstay-ci/mainstay/server/github"
	"github.com/mainstay-ci/mainstay/server/store"
	"github.com/mainstay-ci/mainstay/server/web"
)

// webhooks and reports are what the front door needs of store, engine and adapter.
type webhooks struct {
	*store.Store
	app    *github.App
	engine *engine.Engine
}

func (w webhooks) Verify(signature string, body []byte) error { return w.app.Verify(signature, body) }
func (w webhooks) WakeInbox()                                 { w.engine.WakeInbox() }

type reports struct {
	*store.Store
	*engine.Engine
}

// wireWeb makes the front door and the listener behind which it stands.
func (srv *server) wireWeb(s settings) *web.Front {
	links := s.github
	if s.unlinked {
		links = ""
	}
	front := web.New(web.Options{
		URL: srv.url, Issuers: s.issuers(), Secret: s.actionToken, Clock: s.clock, Log: srv.log,
		Webhooks: webhooks{srv.store, srv.app, srv.engine},
		Reports:  reports{srv.store, srv.engine},
		Plans:    srv.store, Durations: srv.store, Pools: srv.store, Quarantines: flakes{srv.store, s.clock}, Flakes: flakes{srv.store, s.clock},
		Pages: web.PageOptions{Reader: srv.store, Operator: srv.engine, Tests: srv.store, GitHubURL: links,
			Open: s.open, Password: s.password, Clock: s.clock, Log: srv.log},
		Next:   &web.NextOptions{Look: (&installs{srv: srv}).look, Newcomer: srv.setup, Grants: grants(), Polls: s.polls},
		Schema: config.Schema(),
		Ready: func(ctx context.Context) error {
			_, err := srv.store.Queues(ctx)
			return err
		},
	})
	srv.door.lead(front)
	return front
}
