package github

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/mainstay-ci/mainstay/queue"
)

// asked is what the rules of a branch ask, before our own check is left out.
type asked struct {
	approvals int
	checks    []queue.NamedCheck
	reviews   []string
	threads   bool
	unknown   []string
	linear    bool
	methods   []queue.Method // allowed by all who name some; see limits
	limits    bool           // somebody names some
}

// allowed are the methods that may be used, none where all may.
func (r *asked) allowed() []queue.Method {
	var out []queue.Method
	for _, m := range []queue.Method{queue.MethodRebase, queue.MethodSquash, queue.MethodMerge} {
		if slices.Contains(r.methods, m) {
			out = append(out, m)
		}
	}
	if len(out) == 3 {
		return nil
	}
	return out
}

// allow keeps the methods that a rule or a setting allows, too.
func (r *asked) allow(methods []queue.Method) {
	if !r.limits {
		r.methods, r.limits = methods, true
		return
	}
	r.methods = slices.DeleteFunc(slices.Clone(r.methods), func(m queue.Method) bool { return !slices.Contains(methods, m) })
}

func (r *asked) add(other asked) {
	r.approvals = max(r.approvals, other.approvals)
	r.checks = append(r.checks, other.checks...)
	r.reviews = append(r.reviews, other.reviews...)
	r.threads = r.threads || other.threads
	r.unknown = append(r.unknown, other.unknown...)
	r.linear = r.linear || other.linear
	if other.limits {
		r.allow(other.methods)
	}
}

// rules leaves out our own check and what is said twice.
func (r *asked) rules(a *App) queue.Rules {
	out := queue.Rules{Approvals: r.approvals, Linear: r.linear, Methods: r.allowed(), Threads: r.threads, Reviews: sorted(r.reviews), Unknown: sorted(r.unknown)}
	seen := map[queue.NamedCheck]bool{}
	for _, c := range r.checks {
		ours := c.Name == a.checkName && (c.App == 0 || c.App == a.id)
		if c.Name == "" || ours || seen[c] {
			continue
		}
		seen[c] = true
		out.Checks = append(out.Checks, c)
	}
	sort.Slice(out.Checks, func(i, j int) bool {
		x, y := out.Checks[i], out.Checks[j]
		return x.Name < y.Name || x.Name == y.Name && x.App < y.App
	})
	return out
}

// sorted is each name once, in order; at most so many that a check can show them.
func sorted(names []string) []string {
	names = slices.Compact(slices.Sorted(slices.Values(names)))
	return slices.Clip(names[:min(len(names), 50)])
}

// rule is one rule of a ruleset; its parameters differ by type.
type rule struct {
	Type       string          `json:"type"`
	Parameters json.RawMessage `json:"parameters"`
}

// harmless are rules that cannot speak against a landing by fast-forward that the
// queue would have to wait for: the push itself shows whether they let us by.
var harmless = map[string]bool{
	"deletion": true, "non_fast_forward": true, "required_linear_history": true, "update": true, "creation": true,
}

// readRulesets reads what the rulesets ask of the branch.
func (s site) readRulesets(ctx context.Context) (asked, error) {
	var found asked
	err := eachPage(ctx, s, "rules/branches/"+segment(s.place.Branch), nil, func(rules []rule) {
		for _, r := range rules {
			found.take(r)
		}
	})
	var t *Trouble
	switch {
	case gone(err):
		return asked{}, nil // a GitHub without rulesets
	case errors.As(err, &t) && t.Kind == Forbidden && strings.HasPrefix(t.Message, "Upgrade to"):
		return asked{}, nil // a plan without rulesets has none
	case err != nil:
		return asked{}, fmt.Errorf("read rules: %w", err)
	}
	return found, nil
}

func (r *asked) take(one rule) {
	r.linear = r.linear || one.Type == "required_linear_history"
	switch {
	case harmless[one.Type]:
	case one.Type == "required_status_checks":
		var p struct {
			Checks []struct {
				Context       string `json:"context"`
				IntegrationID *int64 `json:"integration_id"`
			} `json:"required_status_checks"`
		}
		if json.Unmarshal(one.Parameters, &p) != nil {
			r.unknown = append(r.unknown, one.Type)
			return
		}
		for _, c := range p.Checks {
			r.checks = append(r.checks, namedCheck(c.Context, c.IntegrationID))
		}
	case one.Type == "pull_request":
		r.takeReviews(one.Parameters)
	default:
		r.unknown = append(r.unknown, cut(one.Type, 100))
	}
}

// takeReviews reads what a ruleset asks of reviews.
func (r *asked) takeReviews(parameters json.RawMessage) {
	var p struct {
		Approvals  int            `json:"required_approving_review_count"`
		CodeOwners bool           `json:"require_code_owner_review"`
		LastPush   bool           `json:"require_last_push_approval"`
		Threads    bool           `json:"required_review_thread_resolution"`
		Methods    []queue.Method `json:"allowed_merge_methods"`
		Reviewers  []struct {
			Least    int      `json:"minimum_approvals"`
			Patterns []string `json:"file_patterns"`
		} `json:"required_reviewers"`
	}
	if json.Unmarshal(parameters, &p) != nil {
		r.unknown = append(r.unknown, "pull_request")
		return
	}
	r.approvals = max(r.approvals, p.Approvals)
	if len(p.Methods) > 0 {
		r.allow(p.Methods)
	}
	r.threads = r.threads || p.Threads
	r.decide(p.CodeOwners, p.LastPush)
	for _, team := range p.Reviewers {
		if team.Least > 0 {
			r.reviews = append(r.reviews, "required reviewers of "+cut(oneLine(strings.Join(team.Patterns, " "), 100), 100))
		}
	}
}

// decide notes what only GitHub's own decision answers.
func (r *asked) decide(codeOwners, lastPush bool) {
	if codeOwners {
		r.reviews = append(r.reviews, "code owners")
	}
	if lastPush {
		r.reviews = append(r.reviews, "an approval of the last push")
	}
}

// namedCheck binds a check to its App; GitHub writes null, 0 or -1 for any.
func namedCheck(name string, app *int64) queue.NamedCheck {
	c := queue.NamedCheck{Name: name}
	if app != nil && *app > 0 {
		c.App = *app
	}
	return c
}

// classicCheck is the part of a classic protection about checks.
type classicCheck struct {
	Level    string   `json:"enforcement_level"` // in the branch only; off, non_admins or everyone
	Contexts []string `json:"contexts"`
	Checks   []struct {
		Context string `json:"context"`
		AppID   *int64 `json:"app_id"`
	} `json:"checks"`
}

func (c classicCheck) into(r *asked) {
	if c.Level == "off" {
		return
	}
	named := map[string]bool{}
	for _, one := range c.Checks {
		named[one.Context] = true
		r.checks = append(r.checks, namedCheck(one.Context, one.AppID))
	}
	for _, context := range c.Contexts {
		if !named[context] {
			r.checks = append(r.checks, queue.NamedCheck{Name: context})
		}
	}
}

// enabled is a switch of a classic protection.
type enabled struct {
	Enabled bool `json:"enabled"`
}

func (e *enabled) on() bool { return e != nil && e.Enabled }

// readProtection reads a classic protection in full, which wants a permission
// that most Apps are not granted; then what it asks of reviews is unknown.
func (s site) readProtection(ctx context.Context, path string, into *asked) error {
	var p struct {
		Checks  *classicCheck `json:"required_status_checks"`
		Reviews *struct {
			Approvals  int  `json:"required_approving_review_count"`
			CodeOwners bool `json:"require_code_owner_reviews"`
			LastPush   bool `json:"require_last_push_approval"`
		} `json:"required_pull_request_reviews"`
		Threads    *enabled `json:"required_conversation_resolution"`
		Signatures *enabled `json:"required_signatures"`
		Linear     *enabled `json:"required_linear_history"`
		Locked     *enabled `json:"lock_branch"`
	}
	_, err := s.get(ctx, path, nil, &p)
	switch KindOf(err) {
	case "":
	case Gone:
		return nil
	case Forbidden:
		into.unknown = append(into.unknown, "branch protection (reading it wants the permission administration: read)")
		into.reviews = append(into.reviews, "branch protection") // GitHub's decision knows it
		return nil
	default:
		return fmt.Errorf("read protection: %w", err)
	}
	if err != nil {
		return err
	}
	into.linear = p.Linear.on()
	if p.Checks != nil {
		into.checks = nil // the full reading names the Apps
		p.Checks.into(into)
	}
	if p.Reviews != nil {
		into.approvals = p.Reviews.Approvals
		into.decide(p.Reviews.CodeOwners, p.Reviews.LastPush)
	}
	into.threads = p.Threads.on()
	for name, on := range map[string]bool{"required_signatures": p.Signatures.on(), "lock_branch": p.Locked.on()} {
		if on {
			into.unknown = append(into.unknown, "branch protection: "+name)
		}
	}
	return nil
}
