package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/server/config"
	"github.com/mainstay-ci/mainstay/server/doctor"
	"github.com/mainstay-ci/mainstay/server/github"
)

// examine reads what the doctor judges: the settings as they are, and the workflows
// at ref, which is the base or what a pull request makes of it.
func examine(ctx context.Context, app *github.App, place queue.Place, ref string, polls, signs bool) ([]doctor.Finding, []doctor.Required, error) {
	survey, err := app.Survey(ctx, place, ref)
	if err != nil {
		return nil, nil, fmt.Errorf("examine %s/%s: %w", place.Owner, place.Name, err)
	}
	base, err := app.ReadBase(ctx, place)
	if err != nil {
		return nil, nil, fmt.Errorf("examine %s/%s: %w", place.Owner, place.Name, err)
	}
	facts := factsOf(survey, place.Branch, app.ID())
	facts.Polls, facts.Signs = polls, signs
	if base.Missing {
		facts.Unread = append(facts.Unread, "there is no branch "+place.Branch)
	}
	named, problem := namedChecks(base, place.Branch)
	if problem != "" {
		facts.Unread = append(facts.Unread, problem)
	}
	facts.Required = append(facts.Required, named...)
	return doctor.Examine(facts), facts.Required, nil
}

func factsOf(s github.Survey, branch string, app int64) doctor.Facts {
	f := doctor.Facts{Branch: branch, OurCheck: checkName, OurApp: app, Granted: s.Granted, Events: s.Events, Blocked: s.Blocked, Unread: s.Unread}
	for _, path := range slices.Sorted(maps.Keys(s.Workflows)) {
		f.Workflows = append(f.Workflows, doctor.Workflow{Path: path, Text: s.Workflows[path]})
	}
	for _, r := range s.Rulesets {
		f.Rulesets = append(f.Rulesets, doctor.Ruleset(r))
	}
	for _, r := range s.Tickets {
		f.Tickets = append(f.Tickets, doctor.Ruleset(r))
	}
	for _, r := range s.Required {
		f.Required = append(f.Required, doctor.Required{Name: r.Name, App: r.App, Source: r.Source})
	}
	if s.Classic != nil {
		classic := doctor.Classic(*s.Classic)
		f.Classic = &classic
	}
	if s.Actions != nil {
		policy := doctor.Policy(*s.Actions)
		f.Actions = &policy
	}
	return f
}

// checkName is our check's.
const checkName = "Mainstay"

// namedChecks are those the base's own file asks for.
func namedChecks(base github.Base, branch string) (checks []doctor.Required, problem string) {
	if base.Config == nil {
		return nil, ""
	}
	file, _, err := config.Parse(base.ConfigPath, base.Config)
	if err != nil {
		return nil, "the settings of the queue: " + strings.ReplaceAll(err.Error(), "\n", "; ")
	}
	usual := ""
	if base.DefaultBranch {
		usual = branch
	}
	for _, c := range file.For(branch, usual).Checks {
		checks = append(checks, doctor.Required{Name: c.Name, App: c.App, Source: base.ConfigPath, SkippedOK: c.SkippedOK})
	}
	return checks, ""
}
