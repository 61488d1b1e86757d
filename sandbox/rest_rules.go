package sandbox

import (
	"maps"
	"net/http"
	"slices"
)

// listRules words the rulesets of a branch, one entry a rule. Classic
// protection is not among them, as at GitHub.
func listRules(q *call) reply {
	rules := []object{}
	for _, set := range q.repo.rulesOf(q.r.PathValue("branch")) {
		if set.rules.Classic {
			continue
		}
		add := func(kind string, parameters object) {
			o := object{"type": kind, "ruleset_source_type": "Repository", "ruleset_source": q.repo.FullName(), "ruleset_id": set.id}
			if parameters != nil {
				o["parameters"] = parameters
			}
			rules = append(rules, o)
		}
		one := set.rules
		if !one.AllowDeletion {
			add("deletion", nil)
		}
		if !one.AllowForcePush {
			add("non_fast_forward", nil)
		}
		if one.LinearHistory {
			add("required_linear_history", nil)
		}
		if one.NativeQueue {
			add("merge_queue", object{"check_response_timeout_minutes": 60, "grouping_strategy": "ALLGREEN", "max_entries_to_build": 5,
				"max_entries_to_merge": 5, "merge_method": "MERGE", "min_entries_to_merge": 1, "min_entries_to_merge_wait_minutes": 5})
		}
		if one.RestrictPushesTo != nil {
			add("update", object{"update_allows_fetch_and_merge": false})
		}
		if one.asksPulls() {
			parameters := object{"required_approving_review_count": one.RequiredApprovals, "dismiss_stale_reviews_on_push": true,
				"require_code_owner_review": one.CodeOwnerReviews, "require_last_push_approval": one.LastPushApproval,
				"required_review_thread_resolution": one.ResolveThreads, "allowed_merge_methods": []string{"merge", "squash", "rebase"}}
			if len(one.RequiredReviewers) > 0 {
				parameters["required_reviewers"] = reviewersJSON(one.RequiredReviewers)
			}
			add("pull_request", parameters)
		}
		for _, kind := range one.Other {
			add(kind, nil)
		}
		if len(one.RequiredChecks) > 0 {
			add("required_status_checks", object{"strict_required_status_checks_policy": false, "do_not_enforce_on_create": true,
				"required_status_checks": checksJSON(one.RequiredChecks, "integration_id")})
		}
	}
	return ok(page(q, rules, func(o object) object { return o }))
}

// reviewersJSON words who must review which files; GitHub names teams there.
func reviewersJSON(asked map[string]*User) []object {
	list := []object{}
	for _, pattern := range slices.Sorted(maps.Keys(asked)) {
		list = append(list, object{"file_patterns": []string{pattern}, "minimum_approvals": 1,
			"reviewer": object{"id": asked[pattern].account().id, "type": "Team"}})
	}
	return list
}

func (r *Repository) hasClassic(branch string) bool {
	for _, set := range r.rulesOf(branch) {
		if set.rules.Classic {
			return true
		}
	}
	return false
}

func (r *Repository) classicChecks(branch string) []RequiredCheck {
	var all []RequiredCheck
	for _, set := range r.rulesOf(branch) {
		if set.rules.Classic {
			all = append(all, set.rules.RequiredChecks...)
		}
	}
	return all
}

func getProtection(q *call, branch string) reply {
	switch {
	case !q.who.may(q.repo, "administration:read"):
		return fail(http.StatusForbidden, "Resource not accessible by integration")
	case q.repo.refs["refs/heads/"+branch] == "":
		return fail(http.StatusNotFound, "Branch not found")
	case !q.repo.hasClassic(branch):
		return fail(http.StatusNotFound, "Branch not protected")
	}
	api := q.repo.api() + "/branches/" + branch + "/protection"
	o := object{"url": api, "enforce_admins": object{"url": api + "/enforce_admins", "enabled": true}}
	for _, set := range q.repo.rulesOf(branch) {
		if !set.rules.Classic {
			continue
		}
		one := set.rules
		o["required_linear_history"] = object{"enabled": one.LinearHistory}
		o["allow_force_pushes"], o["allow_deletions"] = object{"enabled": one.AllowForcePush}, object{"enabled": one.AllowDeletion}
		if len(one.RequiredChecks) > 0 {
			o["required_status_checks"] = object{"url": api + "/required_status_checks", "strict": false,
				"contexts": contexts(one.RequiredChecks), "contexts_url": api + "/required_status_checks/contexts",
				"checks": checksJSON(one.RequiredChecks, "app_id")}
		}
		o["required_conversation_resolution"] = object{"enabled": one.ResolveThreads}
		if one.RequiredApprovals > 0 || one.CodeOwnerReviews || one.LastPushApproval {
			o["required_pull_request_reviews"] = object{"url": api + "/required_pull_request_reviews",
				"required_approving_review_count": one.RequiredApprovals, "dismiss_stale_reviews": true,
				"require_code_owner_reviews": one.CodeOwnerReviews, "require_last_push_approval": one.LastPushApproval}
		}
		if one.RestrictPushesTo != nil {
			o["restrictions"] = q.f.restrictionsJSON(api, one.RestrictPushesTo)
		}
	}
	return ok(o)
}

func (f *Forge) restrictionsJSON(api string, allowed []Actor) object {
	users, apps := []object{}, []object{}
	for _, actor := range allowed {
		switch who := actor.(type) {
		case *User:
			users = append(users, f.accountObject(who.account()))
		case *App:
			apps = append(apps, f.appJSON(who))
		}
	}
	return object{"url": api + "/restrictions", "users_url": api + "/restrictions/users", "teams_url": api + "/restrictions/teams",
		"apps_url": api + "/restrictions/apps", "users": users, "teams": []object{}, "apps": apps}
}
