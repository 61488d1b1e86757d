package sandbox

import "fmt"

// This file words the events. Each takes the lock as held.

func (f *Forge) sendPing(app *App) {
	if !app.listens("ping") || f.silent > 0 {
		return
	}
	hook := f.APIURL() + "/app/hook"
	f.dispatch(app, &Delivery{Event: "ping"}, object{"zen": "Design for failure.", "hook_id": app.ID,
		"hook": object{"type": "App", "id": app.ID, "name": "web", "active": true, "events": []string{"*"}, "app_id": app.ID,
			"url": hook, "ping_url": hook + "/pings", "deliveries_url": hook + "/deliveries", "created_at": stamp(app.created),
			"updated_at": stamp(app.created), "config": object{"url": app.webhookURL, "content_type": "json", "insecure_ssl": "0"}}})
}

func (f *Forge) sendInstallation(by *credential, i *installation, repo *Repository) {
	if f.silent == 0 && i.app.listens("installation") {
		f.dispatch(i.app, &Delivery{Event: "installation", Action: "created", InstallationID: i.id}, object{"action": "created",
			"installation": f.installationJSON(i), "repositories": []object{repo.brief()}, "sender": f.accountJSON(by.account())})
	}
}

func (f *Forge) sendInstalled(by *credential, i *installation, action string, repo *Repository) {
	if f.silent > 0 || !i.app.listens("installation_repositories") {
		return
	}
	body := object{"action": action, "installation": f.installationJSON(i), "repository_selection": "selected", "requester": nil,
		"repositories_added": []object{}, "repositories_removed": []object{}, "sender": f.accountJSON(by.account())}
	body["repositories_"+action] = []object{repo.brief()}
	f.dispatch(i.app, &Delivery{Event: "installation_repositories", Action: action, InstallationID: i.id}, body)
}

// sendPush tells of a moved branch or tag, and of its creation or deletion.
func (f *Forge) sendPush(r *Repository, by *credential, m refMove) {
	if len(f.listeners(r, "push")) > 0 {
		r.emit(by, "push", "", r.pushBody(by, m))
	}
	event := ""
	switch {
	case m.old == "":
		event = "create"
	case m.new == "":
		event = "delete"
	default:
		return
	}
	kind := "branch"
	name, ok := m.branch()
	if !ok {
		kind, name = "tag", m.ref[len("refs/tags/"):]
	}
	body := object{"ref": name, "ref_type": kind, "pusher_type": "user"}
	if event == "create" {
		body["master_branch"], body["description"] = r.branch, nil
	}
	r.emit(by, event, "", body)
}

// mostPushedCommits is how many commits a push event lists.
const mostPushedCommits = 20

func (r *Repository) pushBody(by *credential, m refMove) object {
	before, after := m.old, m.new
	body := object{"ref": m.ref, "base_ref": nil, "created": before == "", "deleted": after == "", "forced": false,
		"commits": []object{}, "head_commit": nil, "compare": fmt.Sprintf("%s/%s/compare/%.12s...%.12s", r.forge.url, r.FullName(), before, after),
		"pusher": object{"name": by.account().login, "email": by.account().login + "@users.noreply.example.invalid"}}
	if before == "" {
		before = zeroSHA
	}
	if after == "" {
		after = zeroSHA
	}
	body["before"], body["after"] = before, after
	repo := r.json()
	repo["pushed_at"], repo["created_at"], repo["master_branch"] = r.pushed.Unix(), r.created.Unix(), r.branch
	body["repository"] = repo
	if m.new == "" {
		return body
	}
	since := m.old
	if since == "" && m.ref != "refs/heads/"+r.branch {
		since = r.refs["refs/heads/"+r.branch]
	}
	only, _, err := r.objects.between(since, m.new)
	if err == nil && m.old != "" {
		ok, err := r.objects.contains(m.new, m.old)
		body["forced"] = err == nil && !ok
	}
	only = only[:min(len(only), mostPushedCommits)]
	commits := make([]object, 0, len(only))
	for i := len(only) - 1; i >= 0; i-- {
		commits = append(commits, r.pushedCommit(only[i]))
	}
	body["commits"], body["head_commit"] = commits, r.pushedCommit(m.new)
	return body
}

func (p *pull) sendAction(by *credential, action string, more object) {
	listening := len(p.repo.forge.listeners(p.repo, "pull_request")) > 0
	body := object{}
	if listening || p.repo.wantsPullRuns(by, p) {
		body = object{"number": p.number, "pull_request": p.json(true)}
		for key, value := range more {
			body[key] = value
		}
		p.repo.complete(by, action, body)
	}
	p.repo.emit(by, "pull_request", action, body)
	p.repo.startPullRuns(by, p, action, body)
}

func (p *pull) sendReview(by *credential, action string, v *review) {
	if len(p.repo.forge.listeners(p.repo, "pull_request_review")) > 0 {
		shown := p.reviewJSON(v)
		shown["state"] = lower(v.state)
		p.repo.emit(by, "pull_request_review", action, object{"review": shown, "pull_request": p.json(false)})
	}
}

// sendThread tells of a conversation, without what was said in it.
func (p *pull) sendThread(by *credential, action string, place int) {
	if len(p.repo.forge.listeners(p.repo, "pull_request_review_thread")) > 0 {
		thread := object{"node_id": nodeID("PullRequestReviewThread", p.id<<16+int64(place)), "comments": []object{}}
		p.repo.emit(by, "pull_request_review_thread", action, object{"thread": thread, "pull_request": p.json(false)})
	}
}

func (r *Repository) sendComment(by *credential, action string, c *comment, more object) {
	if len(r.forge.listeners(r, "issue_comment")) == 0 {
		return
	}
	body := object{"issue": c.pull.issueJSON(), "comment": r.commentJSON(c)}
	for key, value := range more {
		body[key] = value
	}
	r.emit(by, "issue_comment", action, body)
}

func (r *Repository) sendCheckRun(by *credential, action string, c *check) {
	if len(r.forge.listeners(r, "check_run")) > 0 {
		r.emit(by, "check_run", action, object{"check_run": r.toldCheckJSON(c)})
	}
}

func (r *Repository) sendCheckSuite(by *credential, action string, s *suite) {
	if len(r.forge.listeners(r, "check_suite")) > 0 {
		r.emit(by, "check_suite", action, object{"check_suite": r.suiteJSON(s)})
	}
}

func (r *Repository) sendStatus(by *credential, s *status) {
	if len(r.forge.listeners(r, "status")) == 0 {
		return
	}
	body := object{"id": s.id, "sha": s.sha, "name": r.FullName(), "context": s.context, "state": s.state, "description": orNull(s.description),
		"target_url": orNull(s.target), "avatar_url": r.forge.avatar(s), "created_at": stamp(s.at), "updated_at": stamp(s.at), "branches": []object{}}
	if c, err := r.commitJSON(s.sha); err == nil {
		body["commit"] = c
	}
	r.emit(by, "status", "", body)
}

func (r *Repository) sendRun(by *credential, action string, run *run) {
	if len(r.forge.listeners(r, "workflow_run")) > 0 {
		r.emit(by, "workflow_run", action, object{"workflow_run": r.runJSON(run), "workflow": r.workflowJSON(run)})
	}
}

func (r *Repository) sendJob(by *credential, action string, j *job) {
	if len(r.forge.listeners(r, "workflow_job")) > 0 {
		r.emit(by, "workflow_job", action, object{"workflow_job": r.jobJSON(j)})
	}
}
