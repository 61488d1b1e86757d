package sandbox

import (
	"encoding/base64"
	"errors"
	"net/http"
	"path"
	"slices"
	"strings"
)

func getCommit(q *call) reply {
	rest := q.r.PathValue("rest")
	for suffix, do := range commitParts {
		if name, is := strings.CutSuffix(rest, suffix); is {
			if sha := q.repo.resolve(name); sha != "" {
				return do(q, sha)
			}
			return fail(http.StatusUnprocessableEntity, "No commit found for SHA: "+name)
		}
	}
	sha := q.repo.resolve(rest)
	if sha == "" {
		return fail(http.StatusUnprocessableEntity, "No commit found for SHA: "+rest)
	}
	return ok(q.commitObject(sha))
}

var commitParts = map[string]func(*call, string) reply{
	"/check-runs": listCommitChecks, "/check-suites": listCommitSuites, "/status": getCommitStatus, "/pulls": listCommitPulls,
}

func listCommitPulls(q *call, sha string) reply {
	var list []*pull
	for _, p := range q.repo.pulls {
		if p.headSHA == sha || p.mergeSHA == sha {
			list = append(list, p)
		}
	}
	return ok(page(q, list, func(p *pull) object { return p.json(false) }))
}

func compare(q *call) reply {
	from, to, found := strings.Cut(q.r.PathValue("range"), "...")
	base, head := q.repo.resolve(from), q.repo.resolve(to)
	if !found || base == "" || head == "" {
		return notFound
	}
	ahead, common, err := q.repo.objects.between(base, head)
	behind, _, err2 := q.repo.objects.between(head, base)
	if err := errors.Join(err, err2); err != nil || common == "" {
		return notFound
	}
	state := "diverged"
	switch {
	case base == head:
		state = "identical"
	case len(behind) == 0:
		state = "ahead"
	case len(ahead) == 0:
		state = "behind"
	}
	slices.Reverse(ahead)
	web, api := q.repo.web()+"/compare/"+base+"..."+head, q.repo.api()+"/compare/"+base+"..."+head
	return ok(object{"status": state, "ahead_by": len(ahead), "behind_by": len(behind), "total_commits": len(ahead), "url": api, "html_url": web,
		"permalink_url": web, "diff_url": web + ".diff", "patch_url": web + ".patch", "base_commit": q.commitObject(base),
		"merge_base_commit": q.commitObject(common), "commits": page(q, ahead, q.commitObject), "files": []object{}})
}

func getContents(q *call) reply {
	name := strings.Trim(q.r.PathValue("path"), "/")
	sha := q.repo.resolve(q.query("ref"))
	if sha == "" {
		return fail(http.StatusNotFound, "No commit found for the ref "+q.query("ref"))
	}
	data, id, entries, err := q.repo.readPath(sha, name)
	if err != nil {
		return notFound
	}
	shown := func(at, id, kind string) object {
		api := q.repo.api() + "/contents/" + at + "?ref=" + sha
		return object{"name": path.Base(at), "path": at, "sha": id, "type": kind, "size": 0, "url": api, "html_url": q.repo.web() + "/blob/" + sha + "/" + at,
			"git_url": q.repo.api() + "/git/blobs/" + id, "download_url": nil, "_links": object{"self": api, "git": nil, "html": nil}}
	}
	if entries == nil {
		o := shown(name, id, "file")
		o["size"], o["encoding"], o["content"] = len(data), "base64", base64.StdEncoding.EncodeToString(data)
		return ok(o)
	}
	list := []object{}
	for _, e := range entries {
		kind := "file"
		if e.mode == "40000" {
			kind = "dir"
		}
		list = append(list, shown(path.Join(name, e.name), e.id, kind))
	}
	return ok(list)
}

// createCommit writes a commit that no ref has yet.
func createCommit(q *call) reply {
	var asked struct {
		Message, Tree string
		Parents       []string
	}
	if bad, good := q.read(&asked); !good {
		return bad
	}
	if _, err := q.repo.objects.tree(asked.Tree); err != nil || !isSHA(asked.Tree) {
		return fail(http.StatusUnprocessableEntity, "Tree SHA does not exist")
	}
	for _, parent := range asked.Parents {
		if _, err := q.repo.objects.commit(parent); err != nil || !isSHA(parent) {
			return fail(http.StatusUnprocessableEntity, "Parent SHA does not exist or is not a commit object")
		}
	}
	sha, err := q.repo.writeCommit(asked.Tree, asked.Parents, asked.Message, q.f.now())
	if err != nil {
		return fail(http.StatusInternalServerError, err.Error())
	}
	q.repo.connected[sha] = true
	o := q.commitObject(sha)
	made, _ := o["commit"].(object)
	delete(made, "comment_count")
	made["sha"], made["node_id"], made["html_url"], made["parents"] = sha, o["node_id"], o["html_url"], o["parents"]
	made["url"] = q.repo.api() + "/git/commits/" + sha
	return reply{http.StatusCreated, made}
}
