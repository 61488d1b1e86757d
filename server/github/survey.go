package github

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"github.com/mainstay-ci/mainstay/queue"
)

// Survey is what the settings of a repository say of how a queue will fare there.
// What could not be read stands in Unread, and is nil or empty where it belongs.
type Survey struct {
	Workflows map[string][]byte // by path
	Granted   map[string]string
	Events    []string
	Rulesets  []Ruleset // in force on the branch
	Tickets   []Ruleset // in force on the branch of an attempt
	Required  []RequiredCheck
	Classic   *Protection
	Actions   *ActionsPolicy
	Blocked   bool // there is a branch whose name keeps tickets from being made
	Unread    []string
}

// Ruleset is a ruleset with its rules of one branch.
type Ruleset struct {
	Name   string
	Rules  []string // their types
	Bypass string   // as GitHub says of us: always, pull_requests_only, never, exempt; empty: not told
}

// RequiredCheck is a check a rule asks for, ours included.
type RequiredCheck struct {
	Name   string
	App    int64  // 0: anybody's
	Source string // the rule that asks
}

// Protection is what a classic protection has against our push.
type Protection struct{ Pulls, Restricted, Signatures bool }

// ActionsPolicy is what Actions may do in the repository.
type ActionsPolicy struct {
	Enabled  bool
	Allowed  string
	Patterns []string
}

// Survey reads the settings around a branch; ref is where its workflows are read, a
// branch or a commit. Errors: *Trouble, or the context's; a refusal is no error.
func (a *App) Survey(ctx context.Context, place queue.Place, ref string) (Survey, error) {
	s := a.at(place)
	v := Survey{}
	var in installed
	if err := a.readInstalled(ctx, place, &in); err != nil {
		return v, err
	}
	v.Granted, v.Events = in.Permissions, in.Events
	for _, step := range []struct {
		what string
		read func() error
	}{
		{"the workflows", func() (err error) { v.Workflows, err = s.readWorkflows(ctx, ref); return err }},
		{"the rulesets of " + place.Branch, func() (err error) {
			v.Rulesets, err = s.readSets(ctx, place.Branch, &v.Required)
			return err
		}},
		{"the rulesets of tickets", func() (err error) {
			v.Tickets, err = s.readSets(ctx, ticketPrefix+place.Branch+"/1", nil)
			return err
		}},
		{"the classic protection of " + place.Branch, func() error { return s.surveyProtection(ctx, &v) }},
		{"the policies of Actions", func() (err error) { v.Actions, err = s.readPolicy(ctx); return err }},
		{"the branch mainstay", func() (err error) {
			v.Blocked, err = s.hasBranch(ctx, strings.TrimSuffix(ticketPrefix, "/"))
			return err
		}},
	} {
		switch err := step.read(); {
		case err == nil:
		case KindOf(err) == Forbidden:
			v.Unread = append(v.Unread, fmt.Sprintf("GitHub did not let us read %s: %v", step.what, err))
		default:
			return v, fmt.Errorf("read %s of %s: %w", step.what, s.name(), err)
		}
	}
	return v, nil
}

// mostWorkflows bounds what is read; more has nobody.
const mostWorkflows = 100

func (s site) readWorkflows(ctx context.Context, ref string) (map[string][]byte, error) {
	var entries []struct {
		Path string `json:"path"`
		Type string `json:"type"`
	}
	at := url.Values{"ref": {ref}}
	if _, err := s.get(ctx, "contents/.github/workflows", at, &entries); gone(err) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for _, e := range entries {
		isWorkflow := strings.HasSuffix(e.Path, ".yml") || strings.HasSuffix(e.Path, ".yaml")
		if e.Type != "file" || !isWorkflow || len(files) == mostWorkflows {
			continue
		}
		var file struct {
			Content string `json:"content"`
		}
		if _, err := s.get(ctx, "contents/"+escaped(e.Path), at, &file); err != nil {
			return nil, err
		}
		text, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(file.Content, "\n", ""))
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", e.Path, err)
		}
		files[e.Path] = text
	}
	return files, nil
}

// escaped is a path with each of its parts escaped.
func escaped(path string) string {
	parts := strings.Split(path, "/")
	for i := range parts {
		parts[i] = segment(parts[i])
	}
	return strings.Join(parts, "/")
}

// readSets reads the rulesets in force on a branch, in the order GitHub tells them,
// and the checks they ask for.
func (s site) readSets(ctx context.Context, branch string, required *[]RequiredCheck) ([]Ruleset, error) {
	type inForce struct {
		Type       string          `json:"type"`
		Parameters json.RawMessage `json:"parameters"`
		Set        int64           `json:"ruleset_id"`
	}
	var (
		order []int64
		types = map[int64][]string{}
		asked = map[int64][]RequiredCheck{}
	)
	err := eachPage(ctx, s, "rules/branches/"+segment(branch), nil, func(rules []inForce) {
		for _, r := range rules {
			if types[r.Set] == nil {
				order = append(order, r.Set)
			}
			types[r.Set] = append(types[r.Set], r.Type)
			asked[r.Set] = append(asked[r.Set], checksOf(r.Type, r.Parameters)...)
		}
	})
	if gone(err) {
		return nil, nil // a GitHub without rulesets
	}
	if err != nil {
		return nil, err
	}
	var sets []Ruleset
	for _, id := range order {
		var told struct {
			Name   string `json:"name"`
			Bypass string `json:"current_user_can_bypass"`
		}
		_, err := s.get(ctx, fmt.Sprintf("rulesets/%d", id), url.Values{"includes_parents": {"true"}}, &told)
		if err != nil && !gone(err) && KindOf(err) != Forbidden {
			return nil, err
		}
		if told.Name == "" {
			told.Name = fmt.Sprintf("ruleset %d", id)
		}
		sets = append(sets, Ruleset{Name: told.Name, Rules: types[id], Bypass: told.Bypass})
		for _, c := range asked[id] {
			if required != nil {
				c.Source = "ruleset " + told.Name
				*required = append(*required, c)
			}
		}
	}
	return sets, nil
}

func checksOf(kind string, parameters json.RawMessage) []RequiredCheck {
	var p struct {
		Checks []struct {
			Context string `json:"context"`
			App     *int64 `json:"integration_id"`
		} `json:"required_status_checks"`
	}
	if kind != "required_status_checks" || json.Unmarshal(parameters, &p) != nil {
		return nil
	}
	var all []RequiredCheck
	for _, c := range p.Checks {
		all = append(all, RequiredCheck{Name: c.Context, App: namedCheck(c.Context, c.App).App})
	}
	return all
}

type actorLists struct {
	Apps []struct {
		ID int64 `json:"id"`
	} `json:"apps"`
}

func (l *actorLists) has(app int64) bool {
	if l == nil {
		return false
	}
	for _, a := range l.Apps {
		if a.ID == app {
			return true
		}
	}
	return false
}

// surveyProtection reads the classic protection, where there is one.
func (s site) surveyProtection(ctx context.Context, v *Survey) error {
	var branch struct {
		Protection struct {
			Enabled bool `json:"enabled"`
		} `json:"protection"`
	}
	path := "branches/" + segment(s.place.Branch)
	if _, err := s.get(ctx, path, nil, &branch); gone(err) {
		v.Unread = append(v.Unread, fmt.Sprintf("There is no branch %s in %s", s.place.Branch, s.name()))
		return nil
	} else if err != nil || !branch.Protection.Enabled {
		return err
	}
	var p struct {
		Checks     *classicCheck `json:"required_status_checks"`
		Restricted *actorLists   `json:"restrictions"`
		Reviews    *struct {
			Allowed *actorLists `json:"bypass_pull_request_allowances"`
		} `json:"required_pull_request_reviews"`
		Signatures struct {
			Enabled bool `json:"enabled"`
		} `json:"required_signatures"`
	}
	if _, err := s.get(ctx, path+"/protection", nil, &p); gone(err) {
		return nil
	} else if err != nil {
		return err
	}
	v.Classic = &Protection{Pulls: p.Reviews != nil && !p.Reviews.Allowed.has(s.app.id),
		Restricted: p.Restricted != nil && !p.Restricted.has(s.app.id), Signatures: p.Signatures.Enabled}
	if p.Checks != nil {
		var found asked
		p.Checks.into(&found)
		for _, c := range found.checks {
			v.Required = append(v.Required, RequiredCheck{Name: c.Name, App: c.App, Source: "branch protection of " + s.place.Branch})
		}
	}
	return nil
}

func (s site) readPolicy(ctx context.Context) (*ActionsPolicy, error) {
	var told struct {
		Enabled bool   `json:"enabled"`
		Allowed string `json:"allowed_actions"`
	}
	if _, err := s.get(ctx, "actions/permissions", nil, &told); gone(err) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	policy := &ActionsPolicy{Enabled: told.Enabled, Allowed: told.Allowed}
	if told.Allowed != "selected" {
		return policy, nil
	}
	var selected struct {
		Patterns []string `json:"patterns_allowed"`
	}
	if _, err := s.get(ctx, "actions/permissions/selected-actions", nil, &selected); err != nil {
		return nil, err
	}
	policy.Patterns = selected.Patterns
	return policy, nil
}

func (s site) hasBranch(ctx context.Context, name string) (bool, error) {
	_, err := s.get(ctx, "branches/"+segment(name), nil, nil)
	if gone(err) {
		return false, nil
	}
	return err == nil, err
}
