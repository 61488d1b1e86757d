package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/mainstay-ci/mainstay/server/web"
)

// installedAge is how long the page "what is next" believes what GitHub said: it
// loads itself again until all is done.
const installedAge = 4 * time.Second

// shownInstalled is how many repositories the page lists.
const shownInstalled = 50

// installs tells the page "what is next" of the App and where it is.
type installs struct {
	srv *server

	mu   sync.Mutex
	at   time.Time
	seen web.Installation
	err  error
}

// look opens the queue of each new repository by itself, so that nobody waits for a webhook.
func (i *installs) look(ctx context.Context) (web.Installation, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if time.Since(i.at) >= installedAge {
		i.read(ctx)
		i.at = time.Now()
	}
	return i.seen, i.err
}

func (i *installs) read(ctx context.Context) {
	seen := web.Installation{App: "the App"}
	who, whoErr := i.srv.app.Identity(ctx)
	if whoErr == nil {
		seen.App, seen.Install = who.Name, who.Page+"/installations/new"
	}
	places, err := i.srv.app.Repositories(ctx)
	seen.More = max(0, len(places)-shownInstalled)
	for _, p := range places[:len(places)-seen.More] {
		one := web.Installed{Owner: p.Owner, Name: p.Name, Branch: p.Branch}
		one.Ready, one.Trouble = i.srv.greeter.of(p.Repository).state.get()
		seen.Repositories = append(seen.Repositories, one)
	}
	i.seen, i.err = seen, errors.Join(whoErr, err, i.srv.lookAround(ctx))
}
