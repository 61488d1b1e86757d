package sandbox

import (
	"fmt"
	"maps"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"
)

// This file words commits, checks, runs and the small things of a pull request.

func (p *pull) reviewJSON(v *review) object {
	api := fmt.Sprintf("%s/pulls/%d", p.repo.api(), p.number)
	web := fmt.Sprintf("%s/pull/%d", p.repo.web(), p.number)
	mark := fmt.Sprintf("%s#pullrequestreview-%d", web, v.id)
	return object{"id": v.id, "node_id": nodeID("Review", v.id), "user": p.repo.forge.accountJSON(v.by), "body": v.body, "state": v.state,
		"commit_id": v.commit, "submitted_at": stamp(v.at), "author_association": "COLLABORATOR", "html_url": mark, "pull_request_url": api,
		"_links": object{"html": object{"href": mark}, "pull_request": object{"href": api}}}
}

func (p *pull) eventJSON(e *issueEvent) object {
	o := object{"id": e.id, "node_id": nodeID("Event", e.id), "url": fmt.Sprintf("%s/issues/events/%d", p.repo.api(), e.id),
		"actor": p.repo.forge.accountJSON(e.by), "event": e.name, "commit_id": orNull(e.commit), "commit_url": nil,
		"created_at": stamp(e.at), "performed_via_github_app": nil}
	if e.commit != "" {
		o["commit_url"] = p.repo.api() + "/commits/" + e.commit
	}
	if e.app != nil {
		o["performed_via_github_app"] = p.repo.forge.appJSON(e.app)
	}
	if e.label != nil {
		o["label"] = object{"name": e.label.name, "color": e.label.color}
	}
	return o
}

func (r *Repository) commentJSON(c *comment) object {
	api := fmt.Sprintf("%s/issues/comments/%d", r.api(), c.id)
	o := object{"id": c.id, "node_id": nodeID("IssueComment", c.id), "url": api, "body": c.body, "user": r.forge.accountJSON(c.by),
		"html_url":  fmt.Sprintf("%s/pull/%d#issuecomment-%d", r.web(), c.pull.number, c.id),
		"issue_url": fmt.Sprintf("%s/issues/%d", r.api(), c.pull.number), "author_association": "COLLABORATOR",
		"created_at": stamp(c.created), "updated_at": stamp(c.updated), "performed_via_github_app": nil, "reactions": reactions(api, c.reactions)}
	if c.app != nil {
		o["performed_via_github_app"] = r.forge.appJSON(c.app)
	}
	return o
}

func (p person) json() object { return object{"name": p.name, "email": p.email, "date": stamp(p.when)} }

func (r *Repository) commitJSON(sha string) (object, error) {
	c, err := r.objects.commit(sha)
	if err != nil {
		return nil, err
	}
	parents := make([]object, 0, len(c.parents))
	for _, parent := range c.parents {
		parents = append(parents, object{"sha": parent, "url": r.api() + "/commits/" + parent, "html_url": r.web() + "/commit/" + parent})
	}
	unsigned := object{"verified": false, "reason": "unsigned", "signature": nil, "payload": nil, "verified_at": nil}
	return object{"sha": sha, "node_id": "C_" + sha, "url": r.api() + "/commits/" + sha, "html_url": r.web() + "/commit/" + sha,
		"comments_url": r.api() + "/commits/" + sha + "/comments", "author": nil, "committer": nil, "parents": parents,
		"commit": object{"message": strings.TrimRight(c.message, "\n"), "author": c.author.json(), "committer": c.committer.json(),
			"tree": object{"sha": c.tree, "url": r.api() + "/git/trees/" + c.tree}, "url": r.api() + "/git/commits/" + sha,
			"comment_count": 0, "verification": unsigned}}, nil
}

// pushedCommit is a commit as push events list it; of its changed files only those
// of .github and its workflows are told.
func (r *Repository) pushedCommit(sha string) object {
	c, err := r.objects.commit(sha)
	if err != nil {
		return nil
	}
	added, removed, modified := r.changedWorkflows(sha, c.parents)
	return object{"id": sha, "tree_id": c.tree, "distinct": true, "message": strings.TrimRight(c.message, "\n"),
		"timestamp": c.committer.when.Format(time.RFC3339), "url": r.web() + "/commit/" + sha,
		"author":    object{"name": c.author.name, "email": c.author.email, "date": stamp(c.author.when)},
		"committer": object{"name": c.committer.name, "email": c.committer.email, "date": stamp(c.committer.when)},
		"added":     added, "removed": removed, "modified": modified}
}

// changedWorkflows compares .github and its workflows in a commit with its first parent's.
func (r *Repository) changedWorkflows(sha string, parents []string) (added, removed, modified []string) {
	added, removed, modified = []string{}, []string{}, []string{}
	before := map[string]string{}
	if len(parents) > 0 {
		before = r.workflowsOf(parents[0])
	}
	after := r.workflowsOf(sha)
	for _, path := range slices.Sorted(maps.Keys(after)) {
		if before[path] == "" {
			added = append(added, path)
		} else if before[path] != after[path] {
			modified = append(modified, path)
		}
	}
	for _, path := range slices.Sorted(maps.Keys(before)) {
		if after[path] == "" {
			removed = append(removed, path)
		}
	}
	return added, removed, modified
}

func (r *Repository) workflowsOf(sha string) map[string]string {
	ids := map[string]string{}
	for _, folder := range []string{".github", ".github/workflows"} {
		if _, _, entries, err := r.readPath(sha, folder); err == nil {
			for _, e := range entries {
				ids[folder+"/"+e.name] = e.id
			}
		}
	}
	delete(ids, ".github/workflows") // a folder
	return ids
}

func (f *Forge) appJSON(a *App) object {
	return object{"id": a.ID, "slug": a.Slug, "name": a.Name, "node_id": nodeID("App", a.ID), "client_id": fmt.Sprintf("Iv1.%016x", a.ID),
		"owner": f.accountJSON(a.account()), "description": "", "external_url": f.url, "html_url": f.url + "/apps/" + a.Slug,
		"created_at": stamp(a.created), "updated_at": stamp(a.created), "permissions": a.permissions, "events": a.subscribed()}
}

// unasked are the events that every App is sent: nobody subscribes to them.
var unasked = []string{"ping", "installation", "installation_repositories"}

func (a *App) subscribed() []string {
	if a.events == nil && a.key != nil {
		return knownEvents // whoever asked for nothing in particular gets all
	}
	events := []string{}
	for event := range a.events {
		if !slices.Contains(unasked, event) {
			events = append(events, event)
		}
	}
	slices.Sort(events)
	return events
}

func (f *Forge) installationJSON(i *installation) object {
	api := fmt.Sprintf("%s/app/installations/%d", f.APIURL(), i.id)
	var by, at any
	if i.suspended {
		by, at = f.accountJSON(i.owner), stamp(i.created)
	}
	return object{"id": i.id, "account": f.accountJSON(i.owner), "repository_selection": "selected", "access_tokens_url": api + "/access_tokens",
		"repositories_url": f.APIURL() + "/installation/repositories", "html_url": f.url + "/settings/installations/" + fmt.Sprint(i.id),
		"app_id": i.app.ID, "app_slug": i.app.Slug, "target_id": i.owner.id, "target_type": i.owner.kind, "permissions": i.app.permissions,
		"events": i.app.subscribed(), "created_at": stamp(i.created), "updated_at": stamp(i.created), "single_file_name": nil,
		"has_multiple_single_files": false, "single_file_paths": []string{}, "suspended_by": by, "suspended_at": at}
}

func (r *Repository) checkJSON(c *check) object {
	api := fmt.Sprintf("%s/check-runs/%d", r.api(), c.id)
	web := fmt.Sprintf("%s/runs/%d", r.web(), c.id)
	details := c.detailsURL
	if c.job != nil {
		web = c.job.web()
		details = web
	}
	if details == "" {
		details = web
	}
	return object{"id": c.id, "node_id": nodeID("CheckRun", c.id), "name": c.name, "head_sha": c.sha, "external_id": c.externalID,
		"url": api, "html_url": web, "details_url": details, "status": c.status, "conclusion": orNull(c.conclusion),
		"started_at": stamp(c.started), "completed_at": stamp(c.completed), "app": r.forge.appJSON(c.app), "pull_requests": r.pullsAt(c.sha),
		"output": object{"title": orNull(c.title), "summary": orNull(c.summary), "text": orNull(c.text),
			"annotations_count": len(c.annotations), "annotations_url": api + "/annotations"},
		"check_suite": object{"id": c.suite.id}}
}

// toldCheckJSON is a check run as webhooks tell it: with more of its suite.
func (r *Repository) toldCheckJSON(c *check) object {
	o := r.checkJSON(c)
	status, conclusion := c.suite.state()
	o["check_suite"] = object{"id": c.suite.id, "node_id": nodeID("CheckSuite", c.suite.id), "head_sha": c.sha, "head_branch": orNull(c.suite.branch),
		"status": status, "conclusion": orNull(conclusion), "url": fmt.Sprintf("%s/check-suites/%d", r.api(), c.suite.id),
		"before": zeroSHA, "after": c.sha, "pull_requests": r.pullsAt(c.sha), "app": r.forge.appJSON(c.app),
		"created_at": stamp(c.suite.created), "updated_at": stamp(c.suite.updated)}
	return o
}

// pullsAt lists the pull requests whose head stands at the commit; GitHub
// leaves out those from forks.
func (r *Repository) pullsAt(sha string) []object {
	list := []object{}
	for _, p := range r.pulls {
		if p.headSHA != sha || p.headRepo != r || p.state != "open" {
			continue
		}
		place := object{"id": r.ID, "url": r.api(), "name": r.Name}
		list = append(list, object{"id": p.id, "number": p.number, "url": fmt.Sprintf("%s/pulls/%d", r.api(), p.number),
			"head": object{"ref": p.headRef, "sha": p.headSHA, "repo": place}, "base": object{"ref": p.baseRef, "sha": p.baseSHA, "repo": place}})
	}
	return list
}

func (r *Repository) suiteJSON(s *suite) object {
	status, conclusion := s.state()
	api := fmt.Sprintf("%s/check-suites/%d", r.api(), s.id)
	return object{"id": s.id, "node_id": nodeID("CheckSuite", s.id), "head_branch": orNull(s.branch), "head_sha": s.sha, "status": status,
		"conclusion": orNull(conclusion), "url": api, "check_runs_url": api + "/check-runs", "before": zeroSHA, "after": s.sha,
		"pull_requests": r.pullsAt(s.sha), "app": r.forge.appJSON(s.app), "created_at": stamp(s.created), "updated_at": stamp(s.updated),
		"latest_check_runs_count": len(s.runs), "head_commit": r.headCommit(s.sha), "rerequestable": true, "runs_rerequestable": true}
}

func (r *Repository) headCommit(sha string) object {
	c, err := r.objects.commit(sha)
	if err != nil {
		return nil
	}
	return object{"id": sha, "tree_id": c.tree, "message": strings.TrimRight(c.message, "\n"), "timestamp": c.committer.when.Format(time.RFC3339),
		"author":    object{"name": c.author.name, "email": c.author.email},
		"committer": object{"name": c.committer.name, "email": c.committer.email}}
}

// shortStatusJSON is a status among all of a commit.
func (r *Repository) shortStatusJSON(s *status) object {
	return object{"id": s.id, "node_id": nodeID("Status", s.id), "url": r.api() + "/statuses/" + s.sha, "context": s.context, "state": s.state,
		"description": orNull(s.description), "target_url": orNull(s.target), "avatar_url": r.forge.avatar(s),
		"created_at": stamp(s.at), "updated_at": stamp(s.at)}
}

// avatar is the picture beside a status, which names the App of one that an App posted.
func (f *Forge) avatar(s *status) string {
	if s.appID != 0 {
		return fmt.Sprintf("%s/in/%d?v=4", f.url, s.appID)
	}
	return fmt.Sprintf("%s/u/%d?v=4", f.url, s.by.id)
}

func (r *Repository) statusJSON(s *status) object {
	o := r.shortStatusJSON(s)
	o["creator"] = r.forge.accountJSON(s.by)
	return o
}

func (r *Repository) workflowJSON(w *run) object {
	return object{"id": w.workflowID, "node_id": nodeID("Workflow", w.workflowID), "name": w.name, "path": w.path, "state": "active",
		"created_at": stamp(r.created), "updated_at": stamp(r.created), "url": fmt.Sprintf("%s/actions/workflows/%d", r.api(), w.workflowID),
		"html_url":  r.web() + "/blob/" + url.PathEscape(r.branch) + "/" + w.path,
		"badge_url": r.web() + "/workflows/" + url.PathEscape(w.name) + "/badge.svg"}
}

func (r *Repository) runJSON(w *run) object {
	api := fmt.Sprintf("%s/actions/runs/%d", r.api(), w.id)
	title := path.Base(w.path)
	if c := r.headCommit(w.sha); c != nil {
		title, _, _ = strings.Cut(c["message"].(string), "\n")
	}
	return object{"id": w.id, "node_id": nodeID("WorkflowRun", w.id), "name": w.name, "display_title": title, "path": w.path, "event": w.event.Name,
		"head_branch": orNull(w.branch), "head_sha": w.sha, "run_number": w.number, "run_attempt": w.attempt, "status": w.status,
		"conclusion": orNull(w.conclusion), "workflow_id": w.workflowID, "check_suite_id": w.suite.id,
		"check_suite_node_id": nodeID("CheckSuite", w.suite.id), "url": api, "html_url": w.web(), "jobs_url": api + "/jobs",
		"logs_url": api + "/logs", "check_suite_url": fmt.Sprintf("%s/check-suites/%d", r.api(), w.suite.id), "artifacts_url": api + "/artifacts",
		"cancel_url": api + "/cancel", "rerun_url": api + "/rerun", "previous_attempt_url": nil,
		"workflow_url": fmt.Sprintf("%s/actions/workflows/%d", r.api(), w.workflowID), "pull_requests": r.pullsAt(w.sha),
		"created_at": stamp(w.created), "updated_at": stamp(w.updated), "run_started_at": stamp(w.created), "referenced_workflows": []object{},
		"actor": r.forge.accountJSON(w.actor), "triggering_actor": r.forge.accountJSON(w.actor), "head_commit": r.headCommit(w.sha),
		"repository": r.lite(), "head_repository": w.headRepo.lite()}
}

func (r *Repository) jobJSON(j *job) object {
	w := j.run
	return object{"id": j.check.id, "node_id": nodeID("Job", j.check.id), "run_id": w.id, "run_url": fmt.Sprintf("%s/actions/runs/%d", r.api(), w.id),
		"run_attempt": j.attempt, "name": j.check.name, "workflow_name": w.name, "head_branch": orNull(w.branch), "head_sha": w.sha,
		"status": j.check.status, "conclusion": orNull(j.check.conclusion), "created_at": stamp(j.created), "started_at": stamp(j.check.started),
		"completed_at": stamp(j.check.completed), "url": fmt.Sprintf("%s/actions/jobs/%d", r.api(), j.check.id), "html_url": j.web(),
		"check_run_url": fmt.Sprintf("%s/check-runs/%d", r.api(), j.check.id), "labels": []string{"ubuntu-latest"}, "steps": []object{},
		"runner_id": nil, "runner_name": nil, "runner_group_id": nil, "runner_group_name": nil}
}
