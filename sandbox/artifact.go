package sandbox

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/mainstay-ci/mainstay/sandbox/runner"
)

// artifact is what a run's job uploaded, as a zip.
type artifact struct {
	id      int64
	run     *run
	name    string
	zip     []byte
	created time.Time
}

// ticket lets whoever has it fetch one artifact for a minute.
type ticket struct {
	of    *artifact
	until time.Time
}

const ticketLife = time.Minute

func listArtifacts(q *call, w *run) reply {
	var list []*artifact
	for _, a := range slices.Backward(w.artifacts) {
		if name := q.query("name"); name == "" || a.name == name {
			list = append(list, a)
		}
	}
	return ok(object{"total_count": len(list), "artifacts": page(q, list, q.repo.artifactJSON)})
}

func (r *Repository) artifactJSON(a *artifact) object {
	api := fmt.Sprintf("%s/actions/artifacts/%d", r.api(), a.id)
	sum := sha256.Sum256(a.zip)
	return object{"id": a.id, "node_id": nodeID("Artifact", a.id), "name": a.name, "size_in_bytes": len(a.zip), "url": api,
		"archive_download_url": api + "/zip", "expired": false, "created_at": stamp(a.created), "updated_at": stamp(a.created),
		"expires_at": stamp(a.created.Add(90 * 24 * time.Hour)), "digest": "sha256:" + hex.EncodeToString(sum[:]),
		"workflow_run": object{"id": a.run.id, "repository_id": r.ID, "head_repository_id": a.run.headRepo.ID,
			"head_branch": a.run.branch, "head_sha": a.run.sha}}
}

// getArtifact leads to another host, which takes no token of ours.
func getArtifact(q *call) reply {
	id := q.number("id")
	for _, w := range q.repo.runs {
		for _, a := range w.artifacts {
			if a.id == id {
				key := newToken("", 40)
				q.f.tickets[key] = ticket{a, q.f.now().Add(ticketLife)}
				q.goTo = strings.Replace(q.f.url, "127.0.0.1", "localhost", 1) + "/_services/artifacts/" + key
				return reply{http.StatusFound, nil}
			}
		}
	}
	return notFound
}

// serveArtifact is the store behind the redirect: the address is all it asks for,
// and one that brings a credential is refused, as storage services do.
func (f *Forge) serveArtifact(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	t, known := f.tickets[r.PathValue("key")]
	late := f.now().After(t.until)
	f.mu.Unlock()
	switch {
	case r.Header.Get("Authorization") != "":
		http.Error(w, "InvalidAuthenticationInfo", http.StatusBadRequest)
	case !known || late:
		http.Error(w, "AuthenticationFailed", http.StatusForbidden)
	default:
		w.Header().Set("Content-Type", "application/zip")
		_, _ = w.Write(t.of.zip)
	}
}

// PutArtifact leaves an artifact with a run as a job's step would, whatever is in
// it. It fails when there is no such run or the name is taken.
func (r *Repository) PutArtifact(id int64, name string, zip []byte) error {
	r.forge.mu.Lock()
	at := slices.IndexFunc(r.runs, func(w *run) bool { return w.id == id })
	var w *run
	if at >= 0 {
		w = r.runs[at]
	}
	r.forge.mu.Unlock()
	if w == nil {
		return fmt.Errorf("put artifact %s: there is no run %d", name, id)
	}
	_, err := host{w}.KeepArtifact(0, runner.Artifact{Name: name, Zip: zip})
	return err
}
