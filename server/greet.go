package main

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/server/github"
)

// greeter makes, once for each repository, what people need there to begin: the
// labels its settings name, and one check, so that it can be chosen as required.
// What was made is remembered: who deletes a label is not contradicted.
type greeter struct {
	github *github.App
	notes  greetings
	clock  func() time.Time
	log    *slog.Logger

	mu    sync.Mutex
	known map[int64]*greeting
}

// greetings remembers what was made.
type greetings interface {
	Greetings(ctx context.Context, repository int64) ([]string, error)
	KeepGreeting(ctx context.Context, repository int64, what string, at time.Time) error
}

// greeting is what is known of one repository.
type greeting struct {
	mu    sync.Mutex // held while it is greeted
	made  map[string]bool
	again time.Time // not before: it went wrong just now

	state atomicState
}

// greetAgain is how long a greeting waits that went wrong. Nothing depends on it.
const greetAgain = 15 * time.Minute

func (g *greeter) of(repository int64) *greeting {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.known == nil {
		g.known = map[int64]*greeting{}
	}
	one := g.known[repository]
	if one == nil {
		one = &greeting{}
		g.known[repository] = one
	}
	return one
}

// greet makes what is missing. It costs nothing where all was made before, and
// what goes wrong is logged and tried again later: the queue works without it.
func (g *greeter) greet(ctx context.Context, place queue.Place, base github.Base, s queue.Settings) {
	one := g.of(place.Repository)
	if base.Missing {
		one.state.set(false, "There is no branch "+place.Branch+" yet: push a first commit.")
		return
	}
	ctx = github.WithClass(ctx, github.Decoration)
	one.mu.Lock()
	defer one.mu.Unlock()
	if g.clock().Before(one.again) {
		return
	}
	if err := g.make(ctx, one, place, base, s); err != nil && ctx.Err() == nil {
		g.log.Warn("a repository could not be made ready", "repository", place.Owner+"/"+place.Name, "err", err)
		one.again = g.clock().Add(greetAgain)
		one.state.set(false, "Its labels or its check could not be made: "+err.Error())
		return
	}
	if one.made["check"] {
		one.state.set(true, "")
	}
}

func (g *greeter) make(ctx context.Context, one *greeting, place queue.Place, base github.Base, s queue.Settings) error {
	if one.made == nil {
		made, err := g.notes.Greetings(ctx, place.Repository)
		if err != nil {
			return err
		}
		one.made = map[string]bool{}
		for _, what := range made {
			one.made[what] = true
		}
	}
	var missing []github.Label
	for _, label := range labelsOf(s) {
		if !one.made[noteOf(label)] {
			missing = append(missing, label)
		}
	}
	if len(missing) > 0 {
		if err := g.github.EnsureLabels(ctx, place, missing); err != nil {
			return err
		}
		for _, label := range missing {
			if err := g.keep(ctx, one, place, noteOf(label)); err != nil {
				return err
			}
		}
	}
	if one.made["check"] || !base.DefaultBranch {
		return nil
	}
	err := g.github.PostResult(ctx, place, base.Tip, "Ready",
		"Mainstay is installed here. This check can be required now; on a pull request it says where that stands in the queue.")
	if err != nil {
		return err
	}
	return g.keep(ctx, one, place, "check")
}

func (g *greeter) keep(ctx context.Context, one *greeting, place queue.Place, what string) error {
	if err := g.notes.KeepGreeting(ctx, place.Repository, what, g.clock()); err != nil {
		return err
	}
	one.made[what] = true
	return nil
}

// noteOf is under which name a label is remembered; GitHub knows no case in labels.
func noteOf(l github.Label) string { return "label " + strings.ToLower(l.Name) }

// labelsOf are the labels that the settings name.
func labelsOf(s queue.Settings) []github.Label {
	return []github.Label{
		{Name: s.Label, Color: "0b6e69", Description: "Put this pull request in the merge queue"},
		{Name: s.Labels.Hotfix, Color: "b3261e", Description: "Front of the merge queue, tested by itself"},
		{Name: s.Labels.Hold, Color: "d9a400", Description: "Tested by itself, not landed while this label is on"},
		{Name: s.Labels.Solo, Color: "626b68", Description: "Tested by itself in the merge queue"},
	}
}

// atomicState is what a page may ask while a greeting is under way.
type atomicState struct {
	mu      sync.Mutex
	ready   bool
	trouble string
}

func (a *atomicState) set(ready bool, trouble string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ready, a.trouble = ready, trouble
}

func (a *atomicState) get() (ready bool, trouble string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.ready, a.trouble
}
