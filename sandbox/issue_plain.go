package sandbox

import (
	"fmt"
	"net/http"
	"time"
)

// issue is an issue that is no pull request. They are numbered apart from those,
// which the sandbox numbers without a gap.
type issue struct {
	repo           *Repository
	id, number     int64
	title          string
	by             account
	open           bool
	created, ended time.Time
}

const firstIssue = 100_001

// OpenIssue opens an issue and gives its number.
func (r *Repository) OpenIssue(by Actor, title string) int64 {
	r.forge.mu.Lock()
	defer r.forge.mu.Unlock()
	i := &issue{repo: r, id: r.forge.newID(), number: firstIssue + int64(len(r.issues)), title: title,
		by: credentialOf(by).account(), open: true, created: r.forge.now()}
	r.issues = append(r.issues, i)
	r.forge.touch()
	return i.number
}

// IssueOpen says whether an issue is there and open.
func (r *Repository) IssueOpen(number int64) bool {
	r.forge.mu.Lock()
	defer r.forge.mu.Unlock()
	i := r.issue(number)
	return i != nil && i.open
}

// DeleteMergedBranches is the repository's setting "automatically delete head
// branches". Nothing here acts on it: GitHub does so for its own button only.
func (r *Repository) DeleteMergedBranches(on bool) {
	r.forge.mu.Lock()
	defer r.forge.mu.Unlock()
	r.deletesMerged = on
}

func (r *Repository) issue(number int64) *issue {
	if at := number - firstIssue; at >= 0 && at < int64(len(r.issues)) {
		return r.issues[at]
	}
	return nil
}

func getIssue(q *call) reply {
	if i := q.repo.issue(q.number("number")); i != nil {
		return ok(i.json())
	}
	return withPull(func(_ *call, p *pull) reply { return ok(p.issueJSON()) })(q)
}

// editIssue closes an issue or opens it again; more is not known here.
func editIssue(q *call) reply {
	i := q.repo.issue(q.number("number"))
	if i == nil {
		return fail(http.StatusNotFound, "Not Found")
	}
	var asked struct{ State string }
	if bad, good := q.read(&asked); !good {
		return bad
	}
	switch asked.State {
	case "open", "closed":
		i.open, i.ended = asked.State == "open", q.f.now()
	default:
		return invalid("Issue", "state", "invalid", "")
	}
	q.f.touch()
	return ok(i.json())
}

func (i *issue) json() object {
	r := i.repo
	api, web := fmt.Sprintf("%s/issues/%d", r.api(), i.number), fmt.Sprintf("%s/issues/%d", r.web(), i.number)
	o := object{"id": i.id + 1<<40, "node_id": nodeID("Issue", i.id), "number": i.number, "title": i.title, "body": nil, "state": "open",
		"state_reason": nil, "locked": false, "user": r.forge.accountJSON(i.by), "labels": []object{},
		"assignee": nil, "assignees": []object{}, "milestone": nil, "comments": 0, "author_association": "NONE",
		"active_lock_reason": nil, "url": api, "repository_url": r.api(), "html_url": web, "labels_url": api + "/labels{/name}",
		"comments_url": api + "/comments", "events_url": api + "/events", "timeline_url": api + "/timeline", "performed_via_github_app": nil,
		"created_at": stamp(i.created), "updated_at": stamp(i.created), "closed_at": nil, "closed_by": nil, "reactions": reactions(api, nil)}
	if !i.open {
		o["state"], o["state_reason"], o["closed_at"], o["updated_at"] = "closed", "completed", stamp(i.ended), stamp(i.ended)
	}
	return o
}
