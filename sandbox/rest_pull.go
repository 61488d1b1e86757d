package sandbox

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

var pullRoutes = []route{
	{"GET /repos/{owner}/{repo}/pulls", "pull_requests:read", listPulls},
	{"POST /repos/{owner}/{repo}/pulls", "pull_requests:write", createPull},
	{"GET /repos/{owner}/{repo}/pulls/{number}", "pull_requests:read", withPull(func(_ *call, p *pull) reply { return ok(p.json(true)) })},
	{"PATCH /repos/{owner}/{repo}/pulls/{number}", "pull_requests:write", withPull(editPull)},
	{"GET /repos/{owner}/{repo}/pulls/{number}/reviews", "pull_requests:read", withPull(listReviews)},
	{"POST /repos/{owner}/{repo}/pulls/{number}/reviews", "pull_requests:write", withPull(createReview)},
	{"GET /repos/{owner}/{repo}/pulls/{number}/commits", "pull_requests:read", withPull(listPullCommits)},
	{"GET /repos/{owner}/{repo}/pulls/{number}/files", "pull_requests:read", withPull(listPullFiles)},
}

// withPull finds the pull request of the path.
func withPull(do func(*call, *pull) reply) answer {
	return func(q *call) reply {
		if p := q.repo.pull(q.number("number")); p != nil {
			return do(q, p)
		}
		return notFound
	}
}

// chosenPulls lists the pull requests a query asks for, in its order.
func (q *call) chosenPulls(wanted func(*pull) bool) []*pull {
	state := q.query("state")
	var list []*pull
	for _, p := range q.repo.pulls {
		if (state == "all" || p.state == state || state == "" && p.state == "open") && wanted(p) {
			list = append(list, p)
		}
	}
	slices.SortStableFunc(list, func(a, b *pull) int {
		if q.query("sort") == "updated" {
			return a.updated.Compare(b.updated)
		}
		return int(a.number - b.number)
	})
	if q.query("direction") != "asc" {
		slices.Reverse(list)
	}
	return list
}

func listPulls(q *call) reply {
	head, base := q.query("head"), q.query("base")
	list := q.chosenPulls(func(p *pull) bool {
		return (base == "" || p.baseRef == base) && (head == "" || strings.EqualFold(head, p.headRepo.owner.login+":"+p.headRef))
	})
	return ok(page(q, list, func(p *pull) object { return p.json(false) }))
}

func createPull(q *call) reply {
	var asked struct {
		Title, Head, Base, Body string
		Draft                   bool
	}
	if bad, good := q.read(&asked); !good {
		return bad
	}
	from := q.repo
	if owner, branch, foreign := strings.Cut(asked.Head, ":"); foreign {
		asked.Head = branch
		for _, other := range q.f.repos {
			if strings.EqualFold(other.owner.login, owner) && (other == q.repo || other.parent == q.repo) {
				from = other
			}
		}
	}
	p, err := q.repo.openPull(q.who, OpenPullRequest{HeadRepository: from, Head: asked.Head, Base: asked.Base,
		Title: asked.Title, Body: asked.Body, Draft: asked.Draft})
	if err != nil {
		return invalid("PullRequest", "head", "invalid", err.Error())
	}
	return reply{http.StatusCreated, p.json(true)}
}

func editPull(q *call, p *pull) reply {
	var asked struct {
		Title, Body, State, Base *string
	}
	if bad, good := q.read(&asked); !good {
		return bad
	}
	title, body := p.title, p.body
	if asked.Title != nil {
		title = *asked.Title
	}
	if asked.Body != nil {
		body = *asked.Body
	}
	if asked.Base != nil && *asked.Base != p.baseRef {
		if err := p.retarget(q.who, *asked.Base); err != nil {
			return invalid("PullRequest", "base", "invalid", err.Error())
		}
	}
	p.edit(q.who, title, body)
	switch {
	case asked.State == nil || *asked.State == p.state:
	case *asked.State == "closed":
		p.close(q.who)
	case *asked.State == "open":
		if err := p.reopen(q.who); err != nil {
			return invalid("PullRequest", "state", "invalid", "state cannot be changed: "+err.Error())
		}
	default:
		return invalid("PullRequest", "state", "invalid", "")
	}
	q.f.touch()
	return ok(p.json(true))
}

func listReviews(q *call, p *pull) reply { return ok(page(q, p.reviews, p.reviewJSON)) }

func createReview(q *call, p *pull) reply {
	var asked struct{ Event, Body string }
	if bad, good := q.read(&asked); !good {
		return bad
	}
	state, known := map[string]string{"APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED", "COMMENT": "COMMENTED"}[asked.Event]
	switch {
	case !known:
		return invalid("PullRequestReview", "event", "invalid", "")
	case q.who.account().id == p.author.id && state != "COMMENTED":
		return fail(http.StatusUnprocessableEntity, "Unprocessable Entity: Can not approve your own pull request")
	}
	v := p.addReview(q.who.account(), state, asked.Body)
	q.f.touch()
	return ok(p.reviewJSON(v))
}

func listPullCommits(q *call, p *pull) reply {
	only, _, err := q.repo.objects.between(p.baseSHA, p.headSHA)
	if err != nil {
		return fail(http.StatusInternalServerError, err.Error())
	}
	slices.Reverse(only)
	return ok(page(q, only, q.commitObject))
}

func (q *call) commitObject(sha string) object {
	o, err := q.repo.commitJSON(sha)
	if err != nil {
		return object{"sha": sha}
	}
	return o
}

func listPullFiles(q *call, p *pull) reply {
	_, common, err := q.repo.objects.between(p.baseSHA, p.headSHA)
	if err != nil {
		return fail(http.StatusInternalServerError, err.Error())
	}
	files, err := q.repo.changedFiles(common, p.headSHA)
	if err != nil {
		return fail(http.StatusInternalServerError, err.Error())
	}
	return ok(page(q, files, func(o object) object { return o }))
}

// changedFiles asks git what two commits differ in.
func (r *Repository) changedFiles(from, to string) ([]object, error) {
	if from == "" {
		from = emptyTree
	}
	out, err := runGit(r.forge.ctx, r.dir, nil, "diff-tree", "-r", "-M", "-z", "--raw", "--numstat", "--end-of-options", from, to)
	if err != nil {
		return nil, err
	}
	words := map[byte]string{'A': "added", 'M': "modified", 'D': "removed", 'R': "renamed", 'C': "copied", 'T': "changed"}
	var files []object
	byName := map[string]object{}
	fields := bytes.Split(out, []byte{0})
	for i := 0; i+1 < len(fields); {
		line := string(fields[i])
		if !strings.HasPrefix(line, ":") {
			i += countLines(fields[i:], byName)
			continue
		}
		head := strings.Fields(line)
		o := object{"sha": head[3], "status": words[head[4][0]], "additions": 0, "deletions": 0, "changes": 0}
		name := string(fields[i+1])
		i += 2
		if head[4][0] == 'R' || head[4][0] == 'C' {
			o["previous_filename"], name = name, string(fields[i])
			i++
		}
		o["filename"] = name
		o["blob_url"], o["raw_url"] = r.web()+"/blob/"+to+"/"+name, r.web()+"/raw/"+to+"/"+name
		o["contents_url"] = r.api() + "/contents/" + name + "?ref=" + to
		files, byName[name] = append(files, o), o
	}
	return files, nil
}

// countLines reads one entry of the second half, lines added and taken away,
// and says how many fields it had.
func countLines(fields [][]byte, byName map[string]object) int {
	parts := strings.SplitN(string(fields[0]), "\t", 3)
	if len(parts) < 3 {
		return 1
	}
	used, name := 1, parts[2]
	if name == "" && len(fields) > 2 {
		used, name = 3, string(fields[2])
	}
	if o := byName[name]; o != nil {
		var added, removed int
		_, _ = fmt.Sscan(parts[0], &added)
		_, _ = fmt.Sscan(parts[1], &removed)
		o["additions"], o["deletions"], o["changes"] = added, removed, added+removed
	}
	return used
}
