package sandbox

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"
)

var issueRoutes = []route{
	{"GET /repos/{owner}/{repo}/issues", "issues:read", listIssues},
	{"GET /repos/{owner}/{repo}/issues/{number}", "issues:read", getIssue},
	{"PATCH /repos/{owner}/{repo}/issues/{number}", "issues:write", editIssue},
	{"GET /repos/{owner}/{repo}/issues/{number}/labels", "issues:read", withPull(listIssueLabels)},
	{"POST /repos/{owner}/{repo}/issues/{number}/labels", "issues:write", withPull(addIssueLabels)},
	{"DELETE /repos/{owner}/{repo}/issues/{number}/labels/{label}", "issues:write", withPull(removeIssueLabel)},
	{"GET /repos/{owner}/{repo}/labels", "issues:read", listLabels},
	{"GET /repos/{owner}/{repo}/labels/{label}", "issues:read", getLabel},
	{"POST /repos/{owner}/{repo}/labels", "issues:write", createLabel},
	{"GET /repos/{owner}/{repo}/issues/{number}/events", "issues:read", withPull(listIssueEvents)},
	{"GET /repos/{owner}/{repo}/issues/{number}/timeline", "issues:read", withPull(listIssueEvents)},
	{"GET /repos/{owner}/{repo}/issues/{number}/comments", "issues:read", withPull(listComments)},
	{"POST /repos/{owner}/{repo}/issues/{number}/comments", "issues:write", withPull(createComment)},
	{"GET /repos/{owner}/{repo}/issues/comments", "issues:read", listAllComments},
	{"POST /repos/{owner}/{repo}/issues/comments/{id}/reactions", "issues:write", withComment(createReaction)},
	{"GET /repos/{owner}/{repo}/issues/comments/{id}", "issues:read", withComment(func(q *call, c *comment) reply { return ok(q.repo.commentJSON(c)) })},
	{"PATCH /repos/{owner}/{repo}/issues/comments/{id}", "issues:write", withComment(editComment)},
	{"DELETE /repos/{owner}/{repo}/issues/comments/{id}", "issues:write", withComment(deleteComment)},
}

func listIssues(q *call) reply {
	var wanted []string
	for _, name := range strings.Split(q.query("labels"), ",") {
		if name = strings.TrimSpace(name); name != "" {
			wanted = append(wanted, name)
		}
	}
	list := q.chosenPulls(func(p *pull) bool {
		return !slices.ContainsFunc(wanted, func(name string) bool {
			return !slices.ContainsFunc(p.labels, func(l *label) bool { return strings.EqualFold(l.name, name) })
		})
	})
	return ok(page(q, list, (*pull).issueJSON))
}

func listIssueLabels(q *call, p *pull) reply {
	return ok(page(q, p.labels, func(l *label) object { return labelJSON(q.repo, l) }))
}

func addIssueLabels(q *call, p *pull) reply {
	var names []string
	if json.Unmarshal(q.body, &names) != nil {
		var asked struct{ Labels []string }
		if bad, good := q.read(&asked); !good {
			return bad
		}
		names = asked.Labels
	}
	for _, name := range names {
		if strings.TrimSpace(name) == "" || len(name) > 50*4 {
			return invalid("Label", "name", "invalid", "")
		}
		p.addLabel(q.who, name)
	}
	q.f.touch()
	return ok(p.labelsJSON())
}

func removeIssueLabel(q *call, p *pull) reply {
	if !p.removeLabel(q.who, q.r.PathValue("label")) {
		return fail(http.StatusNotFound, "Label does not exist")
	}
	q.f.touch()
	return ok(p.labelsJSON())
}

func listLabels(q *call) reply {
	return ok(page(q, q.repo.labels, func(l *label) object { return labelJSON(q.repo, l) }))
}

func getLabel(q *call) reply {
	if l := q.repo.labelNamed(q.r.PathValue("label")); l != nil {
		return ok(labelJSON(q.repo, l))
	}
	return notFound
}

func createLabel(q *call) reply {
	var asked struct{ Name, Color, Description string }
	if bad, good := q.read(&asked); !good {
		return bad
	}
	switch {
	case asked.Name == "":
		return invalid("Label", "name", "missing_field", "")
	case q.repo.labelNamed(asked.Name) != nil:
		return invalid("Label", "name", "already_exists", "")
	}
	l := q.repo.makeLabel(asked.Name, asked.Color, asked.Description)
	q.f.touch()
	return reply{http.StatusCreated, labelJSON(q.repo, l)}
}

func listIssueEvents(q *call, p *pull) reply { return ok(page(q, p.events, p.eventJSON)) }

func listComments(q *call, p *pull) reply {
	var list []*comment
	for _, c := range q.repo.comments {
		if c.pull == p {
			list = append(list, c)
		}
	}
	return ok(page(q, list, q.repo.commentJSON))
}

// listAllComments lists those of the whole repository that changed since a moment.
func listAllComments(q *call) reply {
	since, _ := time.Parse(time.RFC3339, q.query("since"))
	var list []*comment
	for _, c := range q.repo.comments {
		if !c.updated.Truncate(time.Second).Before(since) {
			list = append(list, c)
		}
	}
	return ok(page(q, list, q.repo.commentJSON))
}

func createReaction(q *call, c *comment) reply {
	var asked struct{ Content string }
	if bad, good := q.read(&asked); !good {
		return bad
	}
	if !slices.Contains(reactionContents, asked.Content) {
		return invalid("Reaction", "content", "invalid", "")
	}
	by := q.who.account()
	for _, r := range c.reactions {
		if r.by.id == by.id && r.content == asked.Content {
			return ok(reactionJSON(q.f, r))
		}
	}
	r := reaction{id: q.f.newID(), by: by, content: asked.Content, at: q.f.now()}
	c.reactions = append(c.reactions, r)
	q.f.touch()
	return reply{http.StatusCreated, reactionJSON(q.f, r)}
}

func reactionJSON(f *Forge, r reaction) object {
	return object{"id": r.id, "node_id": nodeID("Reaction", r.id), "user": f.accountJSON(r.by), "content": r.content, "created_at": stamp(r.at)}
}

// mostComment is how long a comment may be.
const mostComment = 65536

func (q *call) commentBody() (string, reply, bool) {
	var asked struct{ Body string }
	if bad, good := q.read(&asked); !good {
		return "", bad, false
	}
	if asked.Body == "" || len(asked.Body) > mostComment {
		return "", invalid("IssueComment", "body", "unprocessable", "Body cannot be blank and is at most 65536 characters"), false
	}
	return asked.Body, reply{}, true
}

func createComment(q *call, p *pull) reply {
	body, bad, good := q.commentBody()
	if !good {
		return bad
	}
	c := p.addComment(q.who, body)
	q.f.touch()
	return reply{http.StatusCreated, q.repo.commentJSON(c)}
}

func withComment(do func(*call, *comment) reply) answer {
	return func(q *call) reply {
		id := q.number("id")
		for _, c := range q.repo.comments {
			if c.id == id {
				return do(q, c)
			}
		}
		return notFound
	}
}

func editComment(q *call, c *comment) reply {
	body, bad, good := q.commentBody()
	if !good {
		return bad
	}
	c.edit(q.who, body)
	q.f.touch()
	return ok(q.repo.commentJSON(c))
}

func deleteComment(q *call, c *comment) reply {
	q.repo.comments = slices.DeleteFunc(q.repo.comments, func(other *comment) bool { return other == c })
	q.repo.sendComment(q.who, "deleted", c, nil)
	q.f.touch()
	return gone
}
