package sandbox

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// This file words people, repositories and pull requests as GitHub does.

func lower(s string) string { return strings.ToLower(s) }

func nodeID(kind string, id int64) string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%s:%d", kind, id))
}

// stamp is a time as GitHub writes it; no time is null.
func stamp(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format(time.RFC3339)
}

// orNull is a text, or null where there is none.
func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// accountJSON is somebody as every answer shows them, kept since nobody changes.
func (f *Forge) accountJSON(a account) json.RawMessage {
	if f.shapes[a.id] == nil {
		f.shapes[a.id], _ = json.Marshal(f.accountObject(a))
	}
	return f.shapes[a.id]
}

func (f *Forge) accountObject(a account) object {
	api := f.APIURL() + "/users/" + url.PathEscape(a.login)
	return object{"login": a.login, "id": a.id, "node_id": nodeID("User", a.id), "type": a.kind, "site_admin": false,
		"avatar_url": f.url + "/avatars/" + fmt.Sprint(a.id), "gravatar_id": "", "html_url": f.url + "/" + url.PathEscape(a.login),
		"url": api, "followers_url": api + "/followers", "following_url": api + "/following{/other_user}",
		"gists_url": api + "/gists{/gist_id}", "starred_url": api + "/starred{/owner}{/repo}",
		"subscriptions_url": api + "/subscriptions", "organizations_url": api + "/orgs", "repos_url": api + "/repos",
		"events_url": api + "/events{/privacy}", "received_events_url": api + "/received_events"}
}

// profileJSON is somebody read by name, with what their profile says.
func (f *Forge) profileJSON(a account) object {
	o := f.accountObject(a)
	for _, unsaid := range []string{"name", "company", "location", "email", "hireable", "bio"} {
		o[unsaid] = nil
	}
	o["user_view_type"], o["blog"] = "public", ""
	o["public_repos"], o["public_gists"], o["followers"], o["following"] = 0, 0, 0, 0
	o["created_at"], o["updated_at"] = stamp(f.began), stamp(f.began)
	return o
}

func (f *Forge) organizationJSON(a account) object {
	api := f.APIURL() + "/orgs/" + url.PathEscape(a.login)
	return object{"login": a.login, "id": a.id, "node_id": nodeID("Organization", a.id), "url": api, "description": "",
		"avatar_url": f.url + "/avatars/" + fmt.Sprint(a.id), "repos_url": api + "/repos", "events_url": api + "/events",
		"hooks_url": api + "/hooks", "issues_url": api + "/issues", "members_url": api + "/members{/member}",
		"public_members_url": api + "/public_members{/member}"}
}

// brief is a repository as installations list it.
func (r *Repository) brief() object {
	return object{"id": r.ID, "node_id": nodeID("Repository", r.ID), "name": r.Name, "full_name": r.FullName(), "private": !r.public}
}

func (r *Repository) api() string { return r.forge.APIURL() + "/repos/" + r.FullName() }
func (r *Repository) web() string { return r.forge.url + "/" + r.FullName() }

// shown is the repository inside other answers, kept until it changes.
func (r *Repository) shown() json.RawMessage {
	if key := fmt.Sprint(r.pushed.Unix(), r.openPulls(), r.archived, r.Name); r.shape == nil || r.shapeOf != key {
		r.shape, _ = json.Marshal(r.json())
		r.shapeOf = key
	}
	return r.shape
}

func (r *Repository) openPulls() int {
	open := 0
	for _, p := range r.pulls {
		if p.state == "open" {
			open++
		}
	}
	return open
}

func (r *Repository) json() object {
	visibility := "private"
	if r.public {
		visibility = "public"
	}
	open := r.openPulls()
	o := r.lite()
	for key, value := range (object{"default_branch": r.branch, "visibility": visibility,
		"git_url": "git:" + strings.TrimPrefix(r.CloneURL(), "http:"), "ssh_url": "git@localhost:" + r.FullName() + ".git",
		"clone_url": r.CloneURL(), "svn_url": r.web(), "mirror_url": nil, "homepage": nil, "language": nil, "license": nil,
		"archived": r.archived, "disabled": false, "is_template": false, "allow_forking": true, "web_commit_signoff_required": false,
		"topics": []string{}, "forks": 0, "forks_count": 0, "watchers": 0, "watchers_count": 0, "stargazers_count": 0, "size": 0,
		"open_issues": open, "open_issues_count": open, "custom_properties": object{},
		"has_issues": true, "has_projects": false, "has_wiki": false, "has_pages": false, "has_downloads": false, "has_discussions": false,
		"created_at": stamp(r.created), "updated_at": stamp(r.pushed), "pushed_at": stamp(r.pushed),
		"allow_merge_commit": true, "allow_squash_merge": true, "allow_rebase_merge": true, "allow_auto_merge": false, "delete_branch_on_merge": r.deletesMerged}) {
		o[key] = value
	}
	return o
}

// lite is a repository as runs, suites and statuses show it.
func (r *Repository) lite() object {
	o := r.brief()
	o["owner"], o["html_url"], o["url"] = r.forge.accountJSON(r.owner), r.web(), r.api()
	o["description"], o["fork"] = nil, r.parent != nil
	for name, path := range repositoryLinks {
		o[name+"_url"] = r.api() + path
	}
	return o
}

var repositoryLinks = map[string]string{
	"archive": "/{archive_format}{/ref}", "assignees": "/assignees{/user}", "blobs": "/git/blobs{/sha}", "branches": "/branches{/branch}",
	"collaborators": "/collaborators{/collaborator}", "comments": "/comments{/number}", "commits": "/commits{/sha}",
	"compare": "/compare/{base}...{head}", "contents": "/contents/{+path}", "contributors": "/contributors", "deployments": "/deployments",
	"downloads": "/downloads", "events": "/events", "forks": "/forks", "git_commits": "/git/commits{/sha}", "git_refs": "/git/refs{/sha}",
	"git_tags": "/git/tags{/sha}", "hooks": "/hooks", "issue_comment": "/issues/comments{/number}", "issue_events": "/issues/events{/number}",
	"issues": "/issues{/number}", "keys": "/keys{/key_id}", "labels": "/labels{/name}", "languages": "/languages", "merges": "/merges",
	"milestones": "/milestones{/number}", "notifications": "/notifications{?since,all,participating}", "pulls": "/pulls{/number}",
	"releases": "/releases{/id}", "stargazers": "/stargazers", "statuses": "/statuses/{sha}", "subscribers": "/subscribers",
	"subscription": "/subscription", "tags": "/tags", "teams": "/teams", "trees": "/git/trees{/sha}",
}

func labelJSON(r *Repository, l *label) object {
	return object{"id": l.id, "node_id": nodeID("Label", l.id), "url": r.api() + "/labels/" + url.PathEscape(l.name), "name": l.name,
		"color": l.color, "default": false, "description": orNull(l.description)}
}

func (p *pull) labelsJSON() []object {
	all := make([]object, 0, len(p.labels))
	for _, l := range p.labels {
		all = append(all, labelJSON(p.repo, l))
	}
	return all
}

// json is the pull request; full adds what only reading a single one shows.
func (p *pull) json(full bool) object {
	f, r := p.repo.forge, p.repo
	api := fmt.Sprintf("%s/pulls/%d", r.api(), p.number)
	issue := fmt.Sprintf("%s/issues/%d", r.api(), p.number)
	web := fmt.Sprintf("%s/pull/%d", r.web(), p.number)
	o := object{"id": p.id, "node_id": nodeID("PullRequest", p.id), "number": p.number, "state": p.state, "locked": false,
		"title": p.title, "body": orNull(p.body), "draft": p.draft, "user": f.accountJSON(p.author), "labels": p.labelsJSON(),
		"url": api, "html_url": web, "diff_url": web + ".diff", "patch_url": web + ".patch", "issue_url": issue,
		"commits_url": api + "/commits", "comments_url": issue + "/comments", "review_comments_url": api + "/comments",
		"review_comment_url": r.api() + "/pulls/comments{/number}", "statuses_url": r.api() + "/statuses/" + p.headSHA,
		"assignee": nil, "assignees": []object{}, "requested_reviewers": []object{}, "requested_teams": []object{}, "milestone": nil,
		"auto_merge": nil, "active_lock_reason": nil, "author_association": p.association(),
		"created_at": stamp(p.created), "updated_at": stamp(p.updated), "closed_at": stamp(p.closed), "merged_at": nil,
		"merge_commit_sha": orNull(p.mergeSHA), "head": p.side(p.headRepo, p.headRef, p.headSHA), "base": p.side(r, p.baseRef, p.baseSHA),
		"_links": object{"self": object{"href": api}, "html": object{"href": web}, "issue": object{"href": issue},
			"comments": object{"href": issue + "/comments"}, "review_comments": object{"href": api + "/comments"},
			"review_comment": object{"href": r.api() + "/pulls/comments{/number}"}, "commits": object{"href": api + "/commits"},
			"statuses": object{"href": r.api() + "/statuses/" + p.headSHA}}}
	if p.merged {
		o["merged_at"] = stamp(p.closed)
	}
	if !full {
		return o
	}
	o["merged"], o["merged_by"], o["mergeable"], o["rebaseable"], o["mergeable_state"] = p.merged, nil, nil, nil, "unknown"
	o["comments"], o["review_comments"], o["maintainer_can_modify"] = p.commentCount(), 0, p.headRepo != r
	o["commits"], o["additions"], o["deletions"], o["changed_files"] = p.commitCount(), 0, 0, 0
	if p.merged {
		o["merged_by"] = f.accountJSON(p.mergedBy)
	}
	return o
}

func (p *pull) commentCount() int {
	n := 0
	for _, c := range p.repo.comments {
		if c.pull == p {
			n++
		}
	}
	return n
}

func (p *pull) commitCount() int {
	only, _, err := p.repo.objects.between(p.baseSHA, p.headSHA)
	if err != nil {
		return 0
	}
	return len(only)
}

func (p *pull) association() string {
	switch role := p.repo.role(p.author.id); {
	case p.author.id == p.repo.owner.id:
		return "OWNER"
	case roleRank[role] >= roleRank["triage"]:
		return "COLLABORATOR"
	}
	return "CONTRIBUTOR"
}

func (p *pull) side(repo *Repository, ref, sha string) object {
	return object{"label": repo.owner.login + ":" + ref, "ref": ref, "sha": sha, "user": p.repo.forge.accountJSON(repo.owner), "repo": repo.shown()}
}

func (p *pull) issueJSON() object {
	r := p.repo
	api, web := fmt.Sprintf("%s/issues/%d", r.api(), p.number), fmt.Sprintf("%s/pull/%d", r.web(), p.number)
	links := object{"url": fmt.Sprintf("%s/pulls/%d", r.api(), p.number), "html_url": web, "diff_url": web + ".diff", "patch_url": web + ".patch", "merged_at": nil}
	if p.merged {
		links["merged_at"] = stamp(p.closed)
	}
	return object{"id": p.id + 1<<40, "node_id": nodeID("Issue", p.id), "number": p.number, "title": p.title, "body": orNull(p.body), "state": p.state,
		"state_reason": nil, "locked": false, "draft": p.draft, "user": r.forge.accountJSON(p.author), "labels": p.labelsJSON(),
		"assignee": nil, "assignees": []object{}, "milestone": nil, "comments": p.commentCount(), "author_association": p.association(),
		"active_lock_reason": nil, "url": api, "repository_url": r.api(), "html_url": web, "labels_url": api + "/labels{/name}",
		"comments_url": api + "/comments", "events_url": api + "/events", "timeline_url": api + "/timeline", "performed_via_github_app": nil,
		"created_at": stamp(p.created), "updated_at": stamp(p.updated), "closed_at": stamp(p.closed), "pull_request": links,
		"reactions": reactions(api, nil)}
}

func reactions(of string, all []reaction) object {
	count := map[string]int{}
	for _, r := range all {
		count[r.content]++
	}
	o := object{"url": of + "/reactions", "total_count": len(all)}
	for _, content := range reactionContents {
		o[content] = count[content]
	}
	return o
}

var reactionContents = []string{"+1", "-1", "laugh", "hooray", "confused", "heart", "rocket", "eyes"}
