package sandbox

import (
	"cmp"
	"errors"
	"net/http"
	"strings"
)

var gitRoutes = []route{
	{"GET /repos/{owner}/{repo}/branches", "contents:read", listBranches},
	{"GET /repos/{owner}/{repo}/branches/{rest...}", "metadata:read", getBranch},
	{"GET /repos/{owner}/{repo}/rules/branches/{branch...}", "metadata:read", listRules},
	{"GET /repos/{owner}/{repo}/git/ref/{ref...}", "contents:read", getRef},
	{"GET /repos/{owner}/{repo}/git/matching-refs/{ref...}", "contents:read", matchRefs},
	{"POST /repos/{owner}/{repo}/git/commits", "contents:write", createCommit},
	{"POST /repos/{owner}/{repo}/git/refs", "contents:write", createRef},
	{"PATCH /repos/{owner}/{repo}/git/refs/{ref...}", "contents:write", updateRef},
	{"DELETE /repos/{owner}/{repo}/git/refs/{ref...}", "contents:write", deleteRef},
	{"GET /repos/{owner}/{repo}/commits/{rest...}", "contents:read", getCommit},
	{"GET /repos/{owner}/{repo}/compare/{range...}", "contents:read", compare},
	{"GET /repos/{owner}/{repo}/contents/{path...}", "contents:read", getContents},
}

// resolve turns a branch, a ref, "heads/x" or an id into a commit's id.
func (r *Repository) resolve(name string) string {
	if isSHA(name) {
		if _, err := r.objects.commit(name); err == nil {
			return name
		}
		return ""
	}
	for _, full := range []string{name, "refs/" + name, "refs/heads/" + name, "refs/tags/" + name} {
		if sha := r.refs[full]; sha != "" {
			if strings.HasPrefix(full, "refs/tags/") {
				return cmp.Or(r.peeled(sha), sha)
			}
			return sha
		}
	}
	if name == "HEAD" || name == "" {
		return r.refs["refs/heads/"+r.branch]
	}
	if len(name) >= 7 && len(name) < 40 && isSHA(name+zeroSHA[len(name):]) {
		if kind, id, _, err := r.objects.read(name); err == nil && kind == "commit" {
			return id
		}
	}
	return ""
}

func (r *Repository) branchJSON(branch string) object {
	sha := r.refs["refs/heads/"+branch]
	return object{"name": branch, "commit": object{"sha": sha, "url": r.api() + "/commits/" + sha}, "protected": len(r.rulesOf(branch)) > 0}
}

func listBranches(q *call) reply {
	var names []string
	for _, ref := range q.repo.sortedRefs() {
		if branch, is := strings.CutPrefix(ref, "refs/heads/"); is {
			names = append(names, branch)
		}
	}
	return ok(page(q, names, q.repo.branchJSON))
}

func getBranch(q *call) reply {
	branch := q.r.PathValue("rest")
	if name, is := strings.CutSuffix(branch, "/protection"); is && q.repo.refs["refs/heads/"+branch] == "" {
		return getProtection(q, name)
	}
	sha := q.repo.refs["refs/heads/"+branch]
	if sha == "" {
		return fail(http.StatusNotFound, "Branch not found")
	}
	o := q.repo.branchJSON(branch)
	api := q.repo.api() + "/branches/" + branch
	classic := q.repo.classicChecks(branch)
	level := "off"
	if len(classic) > 0 {
		level = "everyone"
	}
	o["commit"] = q.commitObject(sha)
	o["_links"] = object{"self": api, "html": q.repo.web() + "/tree/" + branch}
	o["protection_url"] = api + "/protection"
	o["protection"] = object{"enabled": q.repo.hasClassic(branch), "required_status_checks": object{"enforcement_level": level,
		"contexts": contexts(classic), "checks": checksJSON(classic, "app_id")}}
	return ok(o)
}

func contexts(checks []RequiredCheck) []string {
	names := []string{}
	for _, c := range checks {
		names = append(names, c.Context)
	}
	return names
}

func checksJSON(checks []RequiredCheck, appField string) []object {
	list := []object{}
	for _, c := range checks {
		o := object{"context": c.Context}
		if c.AppID != 0 {
			o[appField] = c.AppID
		} else if appField == "app_id" {
			o[appField] = nil
		}
		list = append(list, o)
	}
	return list
}

func refJSON(r *Repository, name string) object {
	kind := "commit"
	if strings.HasPrefix(name, "refs/tags/") && r.peeled(r.refs[name]) != "" {
		kind = "tag"
	}
	sha := r.refs[name]
	return object{"ref": name, "node_id": "REF_" + name, "url": r.api() + "/git/" + name,
		"object": object{"type": kind, "sha": sha, "url": r.api() + "/git/" + kind + "s/" + sha}}
}

func getRef(q *call) reply {
	name := "refs/" + q.r.PathValue("ref")
	if q.repo.refs[name] == "" {
		return notFound
	}
	return ok(refJSON(q.repo, name))
}

func matchRefs(q *call) reply {
	prefix := "refs/" + q.r.PathValue("ref")
	var names []string
	for _, name := range q.repo.sortedRefs() {
		if strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
	}
	return ok(page(q, names, func(name string) object { return refJSON(q.repo, name) }))
}

func createRef(q *call) reply {
	var asked struct{ Ref, SHA string }
	if bad, good := q.read(&asked); !good {
		return bad
	}
	switch {
	case !validRef(asked.Ref) || strings.Count(asked.Ref, "/") < 2:
		return fail(http.StatusUnprocessableEntity, "Reference name is not valid")
	case q.repo.refs[asked.Ref] != "":
		return fail(http.StatusUnprocessableEntity, "Reference already exists")
	case q.repo.resolve(asked.SHA) == "" || !isSHA(asked.SHA):
		return fail(http.StatusUnprocessableEntity, "Object does not exist")
	}
	if bad, refused := q.moveRef(refMove{ref: asked.Ref, new: asked.SHA}); refused {
		return bad
	}
	return reply{http.StatusCreated, refJSON(q.repo, asked.Ref)}
}

func updateRef(q *call) reply {
	var asked struct {
		SHA   string
		Force bool
	}
	if bad, good := q.read(&asked); !good {
		return bad
	}
	name := "refs/" + q.r.PathValue("ref")
	old := q.repo.refs[name]
	switch {
	case old == "":
		return fail(http.StatusUnprocessableEntity, "Reference does not exist")
	case !isSHA(asked.SHA) || q.repo.resolve(asked.SHA) == "":
		return fail(http.StatusUnprocessableEntity, "Object does not exist")
	}
	if ahead, err := q.repo.objects.contains(asked.SHA, old); !asked.Force && (err != nil || !ahead) {
		return fail(http.StatusUnprocessableEntity, "Update is not a fast forward")
	}
	if bad, refused := q.moveRef(refMove{ref: name, old: old, new: asked.SHA}); refused {
		return bad
	}
	return ok(refJSON(q.repo, name))
}

func deleteRef(q *call) reply {
	name := "refs/" + q.r.PathValue("ref")
	old := q.repo.refs[name]
	if old == "" {
		return fail(http.StatusUnprocessableEntity, "Reference does not exist")
	}
	if bad, refused := q.moveRef(refMove{ref: name, old: old}); refused {
		return bad
	}
	return gone
}

// moveRef moves one ref under the same rules as a push.
func (q *call) moveRef(m refMove) (reply, bool) {
	if strings.HasPrefix(m.ref, "refs/pull/") {
		return fail(http.StatusUnprocessableEntity, "Reference cannot be updated"), true
	}
	if said := q.repo.objections(q.who.account(), m); len(said) > 0 {
		return fail(http.StatusUnprocessableEntity, "Repository rule violations found\n\n"+strings.Join(said, "\n")), true
	}
	if err := q.repo.move(q.who, []RefUpdate{{Ref: m.ref, Old: orZero(m.old), New: m.new}}); err != nil {
		if errors.Is(err, errStale) {
			return fail(http.StatusConflict, "Reference cannot be updated"), true
		}
		return fail(http.StatusUnprocessableEntity, "Reference update failed"), true
	}
	return reply{}, false
}
