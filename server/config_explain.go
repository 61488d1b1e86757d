package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/server/config"
	"github.com/mainstay-ci/mainstay/server/github"
)

type configExplainCommand struct {
	Repository string `arg:"" help:"The repository, owner/name."`
	Branch     string `arg:"" optional:"" help:"The base branch; by default the repository's default branch."`
	JSON       bool   `name:"json" help:"Print JSON."`
	appAccess
}

// explained is what must be green and what each pull request must have, and why.
type explained struct {
	Repository string         `json:"repository"`
	Branch     string         `json:"branch"`
	Checks     []askedCheck   `json:"checks"`
	Asks       []askedThing   `json:"asks"`
	Unknown    []string       `json:"unknown"` // rules that only the push tells of
	Rulesets   []skippedSet   `json:"rulesets"`
	Settings   queue.Settings `json:"settings"`
	Unread     []string       `json:"unread"`
	Config     []configFound  `json:"config"` // what is wrong with the file on the base
}

type askedCheck struct {
	Name      string `json:"name"`
	App       int64  `json:"app,omitempty"`
	SkippedOK bool   `json:"skipped_ok,omitempty"`
	Why       string `json:"why"`
}

type askedThing struct {
	What string `json:"what"`
	Why  string `json:"why"`
}

// skippedSet says whether our App may skip a ruleset; empty: GitHub does not tell.
type skippedSet struct {
	Name     string   `json:"name"`
	Rules    []string `json:"rules"`
	Mainstay string   `json:"mainstay"`
}

// Run explains one branch.
func (c configExplainCommand) Run(ctx context.Context) error {
	app, _, err := c.open()
	if err != nil {
		return err
	}
	x, err := c.explain(ctx, app)
	if err != nil {
		return err
	}
	if c.JSON {
		out := json.NewEncoder(os.Stdout)
		out.SetIndent("", "  ")
		return out.Encode(x)
	}
	return x.print(os.Stdout)
}

func (c configExplainCommand) explain(ctx context.Context, app *github.App) (explained, error) {
	owner, name, ok := strings.Cut(c.Repository, "/")
	if !ok || owner == "" || name == "" || strings.Contains(name, "/") {
		return explained{}, fmt.Errorf("%q is no repository: write owner/name", c.Repository)
	}
	place, err := app.FindInstallation(ctx, owner, name)
	if err != nil {
		return explained{}, err
	}
	if c.Branch != "" {
		place.Branch = c.Branch
	}
	base, err := app.ReadBase(ctx, place)
	if err != nil {
		return explained{}, err
	}
	if base.Missing {
		return explained{}, fmt.Errorf("%s/%s has no branch %s", place.Owner, place.Name, place.Branch)
	}
	survey, err := app.Survey(ctx, place, "refs/heads/"+place.Branch)
	if err != nil {
		return explained{}, err
	}
	return explainBase(place, base, survey, app.ID()), nil
}

func explainBase(place queue.Place, base github.Base, survey github.Survey, us int64) explained {
	x := explained{Repository: place.Owner + "/" + place.Name, Branch: place.Branch, Checks: []askedCheck{}, Asks: []askedThing{}, Rulesets: []skippedSet{},
		Unknown: append([]string{}, base.Rules.Unknown...), Unread: append([]string{}, survey.Unread...), Config: []configFound{}, Settings: queue.Defaults()}
	if base.Config != nil {
		x.Config, _ = findings(base.ConfigPath, base.Config)
		if file, _, err := config.Parse(base.ConfigPath, base.Config); err == nil {
			x.Settings = file.For(place.Branch, map[bool]string{true: place.Branch}[base.DefaultBranch])
		}
	}
	for _, r := range survey.Required {
		if r.Name == checkName && (r.App == 0 || r.App == us) {
			r.Source += " (ours: green once the others are)"
		}
		x.Checks = append(x.Checks, askedCheck{Name: r.Name, App: r.App, Why: r.Source})
	}
	for _, n := range x.Settings.Checks {
		x.Checks = append(x.Checks, askedCheck{n.Name, n.App, n.SkippedOK, base.ConfigPath})
	}
	var pulls []string
	for _, set := range survey.Rulesets {
		x.Rulesets = append(x.Rulesets, skippedSet{set.Name, set.Rules, set.Bypass})
		if slices.Contains(set.Rules, "pull_request") {
			pulls = append(pulls, "ruleset "+set.Name)
		}
	}
	if survey.Classic != nil && survey.Classic.Pulls || len(pulls) == 0 {
		pulls = append(pulls, "branch protection")
	}
	x.askOfPulls(base.Rules, strings.Join(pulls, ", "))
	if x.Settings.When != "" {
		x.Asks = append(x.Asks, askedThing{"when: " + x.Settings.When, base.ConfigPath})
	}
	return x
}

func (x *explained) askOfPulls(rules queue.Rules, why string) {
	if rules.Approvals > 0 {
		x.Asks = append(x.Asks, askedThing{fmt.Sprintf("%d approvals of exactly its head", rules.Approvals), why})
	}
	for _, name := range rules.Reviews {
		x.Asks = append(x.Asks, askedThing{"GitHub's own decision: " + name, why})
	}
	if rules.Threads {
		x.Asks = append(x.Asks, askedThing{"every conversation resolved", why})
	}
}

func (x explained) print(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, base %s\n", x.Repository, x.Branch)
	table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	part := func(title string, n int) {
		table.Flush()
		if n > 0 {
			fmt.Fprintf(&b, "\n%s\n", title)
		}
	}
	part("must be green on the commit that lands", len(x.Checks))
	for _, c := range x.Checks {
		name := c.Name
		if c.App != 0 {
			name += fmt.Sprintf(" (App %d)", c.App)
		}
		if c.SkippedOK {
			name += ", skipped counts"
		}
		fmt.Fprintf(table, "  %s\t%s\n", name, c.Why)
	}
	part("each pull request must have", len(x.Asks))
	for _, a := range x.Asks {
		fmt.Fprintf(table, "  %s\t%s\n", a.What, a.Why)
	}
	part("can't be judged beforehand: the push will tell", len(x.Unknown))
	for _, name := range x.Unknown {
		fmt.Fprintf(table, "  %s\n", name)
	}
	part("may Mainstay skip it", len(x.Rulesets))
	for _, set := range x.Rulesets {
		skip := set.Mainstay
		if skip == "" {
			skip = "GitHub does not tell"
		}
		fmt.Fprintf(table, "  ruleset %s\t%s\t%s\n", set.Name, skip, strings.Join(set.Rules, ", "))
	}
	part("could not be read", len(x.Unread))
	for _, text := range x.Unread {
		fmt.Fprintf(table, "  %s\n", text)
	}
	part("the settings on the base", len(x.Config))
	for _, f := range x.Config {
		fmt.Fprintf(table, "  %s\n", f)
	}
	table.Flush()
	_, err := io.WriteString(w, plain(b.String()))
	return err
}
