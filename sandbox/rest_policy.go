package sandbox

import "net/http"

var policyRoutes = []route{
	{"GET /repos/{owner}/{repo}/rulesets/{id}", "metadata:read", getRuleset},
	{"GET /repos/{owner}/{repo}/actions/permissions", "administration:read", getActionsPolicy},
	{"GET /repos/{owner}/{repo}/actions/permissions/selected-actions", "administration:read", getSelectedActions},
}

// actionsPolicy says which actions may be used. It is only told: the runner uses what it has.
type actionsPolicy struct {
	off      bool
	patterns []string // nil: all
}

// SetActionsPolicy switches Actions off or on, for the actions of these patterns
// alone; none is all.
func (r *Repository) SetActionsPolicy(on bool, patterns ...string) {
	r.forge.mu.Lock()
	defer r.forge.mu.Unlock()
	r.policy = actionsPolicy{off: !on, patterns: patterns}
	r.forge.touch()
}

func getActionsPolicy(q *call) reply {
	o := object{"enabled": !q.repo.policy.off}
	if q.repo.policy.off {
		return ok(o)
	}
	o["allowed_actions"], o["sha_pinning_required"] = "all", false
	if q.repo.policy.patterns != nil {
		o["allowed_actions"] = "selected"
		o["selected_actions_url"] = q.repo.api() + "/actions/permissions/selected-actions"
	}
	return ok(o)
}

func getSelectedActions(q *call) reply {
	if q.repo.policy.patterns == nil {
		return fail(http.StatusConflict, "Conflict")
	}
	return ok(object{"github_owned_allowed": true, "verified_allowed": false, "patterns_allowed": q.repo.policy.patterns})
}

// getRuleset tells a ruleset without its rules, and whether it lets the caller by.
func getRuleset(q *call) reply {
	id := q.number("id")
	for _, set := range q.repo.rules {
		if set.id != id || set.rules.Classic {
			continue
		}
		bypass := "never"
		if q.who != nil && among(set.rules.Bypass, q.who.account()) {
			bypass = "always"
		}
		return ok(object{"id": set.id, "name": "Rules of " + set.pattern, "target": "branch", "source_type": "Repository", "source": q.repo.FullName(),
			"enforcement": "active", "current_user_can_bypass": bypass})
	}
	return notFound
}
