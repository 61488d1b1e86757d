package sandbox

import (
	"crypto/subtle"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const identityLife = 5 * time.Minute

// identityClaims is what an identity token says of a job; the lock is held.
func (j *job) identityClaims(audience string) map[string]any {
	w, r := j.run, j.run.repo
	f := r.forge
	now, visibility, kind := f.options.Now(), "private", "branch"
	if r.public {
		visibility = "public"
	}
	if strings.HasPrefix(w.event.Ref, "refs/tags/") {
		kind = "tag"
	}
	if audience == "" {
		audience = f.url + "/" + r.owner.login
	}
	subject := "repo:" + r.FullName() + ":ref:" + w.event.Ref
	if w.event.Name == "pull_request" {
		subject = "repo:" + r.FullName() + ":pull_request"
	}
	at := r.FullName() + "/" + w.path + "@" + w.event.Ref
	return map[string]any{"iss": f.IssuerURL(), "aud": audience, "sub": subject, "jti": newGUID(),
		"iat": now.Unix(), "nbf": now.Add(-10 * time.Minute).Unix(), "exp": now.Add(identityLife).Unix(),
		"actor": w.actor.login, "actor_id": text(w.actor.id), "ref": w.event.Ref, "ref_type": kind, "ref_protected": "false",
		"sha": w.tested, "base_ref": w.event.BaseRef, "head_ref": w.event.HeadRef, "event_name": w.event.Name,
		"repository": r.FullName(), "repository_id": text(r.ID), "repository_owner": r.owner.login, "repository_owner_id": text(r.owner.id),
		"repository_visibility": visibility, "workflow": w.name, "workflow_ref": at, "workflow_sha": w.tested,
		"job_workflow_ref": at, "job_workflow_sha": w.tested, "run_id": text(w.id), "run_number": text(w.number), "run_attempt": text(j.attempt),
		"runner_environment": "github-hosted", "check_run_id": text(j.check.id)}
}

func text(id int64) string { return strconv.FormatInt(id, 10) }

// serveDiscovery says where the keys are.
func (f *Forge) serveDiscovery(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, object{"issuer": f.IssuerURL(), "jwks_uri": f.IssuerURL() + "/.well-known/jwks",
		"subject_types_supported": []string{"public", "pairwise"}, "response_types_supported": []string{"id_token"},
		"id_token_signing_alg_values_supported": []string{"RS256"}, "scopes_supported": []string{"openid"},
		"claims_supported": []string{"sub", "aud", "exp", "iat", "iss", "jti", "nbf", "ref", "sha", "repository", "repository_id", "run_id", "check_run_id"}})
}

func (f *Forge) serveKeys(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, object{"keys": []object{f.issuer().public()}})
}

// serveIdentity gives a running job a token for an audience.
func (f *Forge) serveIdentity(w http.ResponseWriter, r *http.Request) {
	id, _ := strconv.ParseInt(r.PathValue("job"), 10, 64)
	bearer := strings.TrimPrefix(strings.TrimPrefix(r.Header.Get("Authorization"), "bearer "), "Bearer ")
	f.mu.Lock()
	var claims map[string]any
	if c := f.checkRun(id); c != nil && c.job != nil && c.job.bearer != "" && subtle.ConstantTimeCompare([]byte(c.job.bearer), []byte(bearer)) == 1 {
		claims = c.job.identityClaims(r.URL.Query().Get("audience"))
	}
	f.mu.Unlock()
	if claims == nil {
		writeJSON(w, http.StatusUnauthorized, object{"message": "this job may not ask for an identity token"})
		return
	}
	token, err := f.issuer().sign(claims)
	if err != nil {
		writeJSON(w, http.StatusInternalServerError, object{"message": err.Error()})
		return
	}
	writeJSON(w, http.StatusOK, object{"count": len(token), "value": token})
}

func (f *Forge) checkRun(id int64) *check {
	for _, repo := range f.repos {
		if c := repo.checkRun(id); c != nil {
			return c
		}
	}
	return nil
}

// MintToken signs an identity token of the forge's issuer with whatever claims
// a test wants: those given go over those of the job (0: none but the times),
// and a nil value takes a claim away. It fails when there is no such job.
func (f *Forge) MintToken(jobID int64, audience string, claims map[string]any) (string, error) {
	now := f.options.Now()
	all := map[string]any{"iss": f.IssuerURL(), "aud": audience, "iat": now.Unix(), "nbf": now.Add(-10 * time.Minute).Unix(),
		"exp": now.Add(identityLife).Unix(), "jti": newGUID()}
	if jobID != 0 {
		f.mu.Lock()
		c := f.checkRun(jobID)
		if c != nil && c.job != nil {
			all = c.job.identityClaims(audience)
		}
		f.mu.Unlock()
		if c == nil || c.job == nil {
			return "", fmt.Errorf("mint a token for job %d: no such job", jobID)
		}
	}
	maps.Copy(all, claims)
	maps.DeleteFunc(all, func(_ string, value any) bool { return value == nil })
	return f.issuer().sign(all)
}
