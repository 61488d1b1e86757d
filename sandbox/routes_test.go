package sandbox_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/bradleyfalzon/ghinstallation/v2"

	"github.com/mainstay-ci/mainstay/sandbox"
)

// Every route answers well at least once here, and found's watch holds each answer
// against GitHub's description. A route that is new to the sandbox is to be called here.
func TestEveryRouteAnswersAsDescribed(t *testing.T) {
	// Given a repository in which all there is to read has happened.
	w := found(t)
	w.move("main", w.commit("main", ".github/workflows/ci.yml", "name: CI\non: {push: {branches: [ticket]}}\njobs:\n  test:\n    runs-on: ubuntu-latest\n    steps:\n      - run: 'false'\n"))
	head := w.open("feature").HeadSHA
	must(t, w.repo.Label(1, w.alice, "merge-queue"))
	w.repo.OpenIssue(w.alice, "A fault")
	must(t, w.repo.Review(1, w.alice, "approved"))
	w.repo.SetStatus(w.alice, head, "ci", "success")
	w.repo.Protect("main", sandbox.Rules{RequiredApprovals: 1, LinearHistory: true, RequiredChecks: []sandbox.RequiredCheck{{Context: "ci"}, {Context: "ours", AppID: w.app.ID}}},
		sandbox.Rules{Classic: true, RequiredApprovals: 1, RequiredChecks: []sandbox.RequiredCheck{{Context: "ci"}, {Context: "ours", AppID: w.app.ID}}})
	w.move("ticket", w.commit("main", "x", "1"))
	w.settle()
	run := w.repo.WorkflowRuns()[0]
	must(t, w.repo.PutArtifact(run.ID, "report", []byte("PK")))

	// When each route is called, by whom GitHub lets.
	us, app, alice := w.caller("token "+w.token()), w.appCaller(), w.caller("token "+w.alice.Token)
	us.walkPulls(head)
	us.walkIssues()
	us.walkChecks(head)
	us.walkGit(head)
	us.walkActions(run)
	inner, _ := us.get("/repos/acme/widgets/commits/" + head)["commit"].(map[string]any)
	tree, _ := inner["tree"].(map[string]any)
	us.do(201, "POST", "/repos/acme/widgets/git/commits", fmt.Sprintf(`{"message":"Nothing","tree":%q,"parents":[%q]}`, tree["sha"], head))
	app.walkApp()
	w.caller("").do(201, "POST", "/app-manifests/"+w.codeOf(`{"name":"Second","url":"https://example.com","redirect_url":"https://example.com/created"}`)+"/conversions", "")
	us.get("/installation/repositories")
	us.get("/repos/acme/widgets")
	us.get("/repos/acme/widgets/collaborators/alice/permission")
	us.get("/users/alice")
	us.get("/rate_limit")
	alice.get("/user")
	must(t, w.repo.SetPermission(w.alice, "admin"))
	alice.get("/repos/acme/widgets/actions/permissions")
	w.repo.SetActionsPolicy(true, "acme/*")
	alice.get("/repos/acme/widgets/actions/permissions/selected-actions")
	for _, rule := range alice.list("/repos/acme/widgets/rules/branches/main") {
		us.get(fmt.Sprintf("/repos/acme/widgets/rulesets/%.0f?includes_parents=true", rule["ruleset_id"]))
	}
	alice.get("/repos/acme/widgets/branches/main/protection")

	// Then none is left.
	called := w.Calls()
	for _, route := range routesOf(t) {
		if called[strings.ReplaceAll(route, "...}", "}")] == 0 {
			t.Errorf("%s is not called here", route)
		}
	}
}

func (c *caller) walkPulls(head string) {
	c.get("/repos/acme/widgets/pulls?state=all&sort=updated&direction=desc&per_page=10")
	c.get("/repos/acme/widgets/pulls/1")
	c.get("/repos/acme/widgets/pulls/1/reviews")
	c.get("/repos/acme/widgets/pulls/1/commits")
	c.get("/repos/acme/widgets/pulls/1/files")
	c.do(200, "PATCH", "/repos/acme/widgets/pulls/1", `{"title":"Another","body":"text"}`)
	c.do(200, "POST", "/repos/acme/widgets/pulls/1/reviews", `{"event":"COMMENT","body":"well","commit_id":"`+head+`"}`)
	c.do(201, "POST", "/repos/acme/widgets/git/refs", `{"ref":"refs/heads/second","sha":"`+head+`"}`)
	c.do(201, "POST", "/repos/acme/widgets/pulls", `{"title":"Second","head":"second","base":"main","draft":true}`)
}

func (c *caller) walkIssues() {
	c.get("/repos/acme/widgets/issues?labels=merge-queue&state=open")
	c.get("/repos/acme/widgets/issues/1")
	c.get("/repos/acme/widgets/issues/100001")
	c.do(200, "PATCH", "/repos/acme/widgets/issues/100001", `{"state":"closed","state_reason":"completed"}`)
	c.get("/repos/acme/widgets/issues/1/events")
	c.get("/repos/acme/widgets/issues/1/timeline")
	c.get("/repos/acme/widgets/labels")
	c.get("/repos/acme/widgets/labels/merge-queue")
	c.do(201, "POST", "/repos/acme/widgets/labels", `{"name":"hotfix","color":"ff0000","description":"goes first"}`)
	c.do(200, "POST", "/repos/acme/widgets/issues/1/labels", `{"labels":["hotfix"]}`)
	c.get("/repos/acme/widgets/issues/1/labels")
	c.do(200, "DELETE", "/repos/acme/widgets/issues/1/labels/hotfix", "")
	comment := c.do(201, "POST", "/repos/acme/widgets/issues/1/comments", `{"body":"hello"}`)
	at := fmt.Sprintf("/repos/acme/widgets/issues/comments/%.0f", comment["id"])
	c.get("/repos/acme/widgets/issues/1/comments")
	c.get(at)
	c.get("/repos/acme/widgets/issues/comments?since=2020-01-01T00:00:00Z&sort=created&direction=asc")
	c.do(201, "POST", at+"/reactions", `{"content":"+1"}`)
	c.do(200, "POST", at+"/reactions", `{"content":"+1"}`)
	c.do(200, "PATCH", at, `{"body":"hello again"}`)
	c.do(204, "DELETE", at, "")
}

func (c *caller) walkChecks(head string) {
	made := c.do(201, "POST", "/repos/acme/widgets/check-runs", `{"name":"Mainstay","head_sha":"`+head+`","status":"queued","external_id":"7",
		"output":{"title":"3rd in line","summary":"soon"},"actions":[{"label":"Take out","description":"of the queue","identifier":"out"}]}`)
	at := fmt.Sprintf("/repos/acme/widgets/check-runs/%.0f", made["id"])
	c.do(200, "PATCH", at, `{"status":"in_progress"}`)
	c.do(200, "PATCH", at, `{"status":"completed","conclusion":"failure","output":{"title":"Out","summary":"TestX failed",
		"annotations":[{"path":"x_test.go","start_line":3,"end_line":3,"annotation_level":"failure","message":"want 1","title":"TestX"}]}}`)
	c.get(at)
	c.get(at + "/annotations")
	suite, _ := made["check_suite"].(map[string]any)
	c.get(fmt.Sprintf("/repos/acme/widgets/check-suites/%.0f", suite["id"]))
	c.do(201, "POST", "/repos/acme/widgets/statuses/"+head, `{"state":"pending","context":"deploy","target_url":"https://example.com","description":"on its way"}`)
	for _, part := range []string{"/check-runs?filter=latest", "/check-suites", "/status"} {
		c.get("/repos/acme/widgets/commits/" + head + part)
	}
}

func (c *caller) walkGit(head string) {
	c.get("/repos/acme/widgets/branches")
	c.get("/repos/acme/widgets/branches/main")
	c.get("/repos/acme/widgets/rules/branches/main")
	c.do(201, "POST", "/repos/acme/widgets/git/refs", `{"ref":"refs/heads/a/b","sha":"`+c.w.base+`"}`)
	c.get("/repos/acme/widgets/branches/a/b")
	c.get("/repos/acme/widgets/git/ref/heads/a/b")
	c.get("/repos/acme/widgets/git/matching-refs/heads/a")
	c.do(200, "PATCH", "/repos/acme/widgets/git/refs/heads/a/b", `{"sha":"`+head+`","force":true}`)
	c.do(204, "DELETE", "/repos/acme/widgets/git/refs/heads/a/b", "")
	c.get("/repos/acme/widgets/commits/" + head)
	c.get("/repos/acme/widgets/commits/" + head + "/pulls")
	c.get("/repos/acme/widgets/compare/main...feature")
	c.get("/repos/acme/widgets/contents/README.md?ref=main")
	c.get("/repos/acme/widgets/contents/.github")
}

func (c *caller) walkActions(run sandbox.WorkflowRun) {
	at := fmt.Sprintf("/repos/acme/widgets/actions/runs/%d", run.ID)
	job := fmt.Sprintf("/repos/acme/widgets/actions/jobs/%d", run.Jobs[0].ID)
	c.get("/repos/acme/widgets/actions/runs?branch=ticket&event=push&head_sha=" + run.HeadSHA)
	c.get(at)
	c.get(at + "/jobs?filter=latest")
	c.get(job)
	artifacts := c.get(at + "/artifacts")
	list, _ := artifacts["artifacts"].([]any)
	first, _ := list[0].(map[string]any)
	c.do(302, "GET", fmt.Sprintf("/repos/acme/widgets/actions/artifacts/%.0f/zip", first["id"]), "")
	for _, again := range []string{job + "/rerun", at + "/rerun-failed-jobs", at + "/rerun"} {
		c.do(201, "POST", again, "")
		c.w.settle()
	}
	c.do(201, "POST", at+"/rerun", "")
	c.try("POST", at+"/cancel") // it may have ended by now
	c.w.settle()
}

func (c *caller) walkApp() {
	c.get("/app")
	all := c.list("/app/installations")
	id := fmt.Sprintf("/app/installations/%.0f", all[0]["id"])
	c.get(id)
	c.do(201, "POST", id+"/access_tokens", `{"repositories":["widgets"],"permissions":{"contents":"read"}}`)
	c.get("/repos/acme/widgets/installation")
	deliveries := c.list("/app/hook/deliveries?per_page=5")
	one := fmt.Sprintf("/app/hook/deliveries/%.0f", deliveries[0]["id"])
	c.get(one)
	c.do(202, "POST", one+"/attempts", "")
}

// caller calls routes as somebody.
type caller struct {
	w      *town
	client *http.Client
	who    string
}

func (w *town) caller(who string) *caller {
	return &caller{w, &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, who}
}

func (w *town) appCaller() *caller {
	w.t.Helper()
	transport, err := ghinstallation.NewAppsTransport(http.DefaultTransport, w.app.ID, w.app.PrivateKeyPEM)
	must(w.t, err)
	return &caller{w, &http.Client{Transport: transport}, ""}
}

func (c *caller) get(path string) map[string]any { return c.do(200, "GET", path, "") }

func (c *caller) do(status int, method, path, body string) map[string]any {
	c.w.t.Helper()
	got, raw := c.call(method, path, body)
	if got != status {
		c.w.t.Fatalf("%s %s: %d, want %d: %s", method, path, got, status, raw)
	}
	var o map[string]any
	_ = json.Unmarshal(raw, &o)
	return o
}

func (c *caller) list(path string) (all []map[string]any) {
	c.w.t.Helper()
	_, raw := c.call("GET", path, "")
	must(c.w.t, json.Unmarshal(raw, &all))
	return all
}

func (c *caller) try(method, path string) { c.call(method, path, "") }

func (c *caller) call(method, path, body string) (status int, answer []byte) {
	c.w.t.Helper()
	req, err := http.NewRequestWithContext(soon(c.w.t), method, c.w.APIURL()+path, strings.NewReader(body))
	must(c.w.t, err)
	if c.who != "" {
		req.Header.Set("Authorization", c.who)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.client.Do(req)
	must(c.w.t, err)
	defer resp.Body.Close()
	var raw bytes.Buffer
	_, err = raw.ReadFrom(resp.Body)
	must(c.w.t, err)
	return resp.StatusCode, raw.Bytes()
}

var routePattern = regexp.MustCompile(`\{"((?:GET|POST|PATCH|PUT|DELETE) /[^"]*)", `)

// routesOf are the routes of the sandbox's API, by its source.
func routesOf(t *testing.T) (all []string) {
	t.Helper()
	files, err := filepath.Glob("rest*.go")
	must(t, err)
	for _, file := range files {
		source, err := os.ReadFile(file)
		must(t, err)
		for _, found := range routePattern.FindAllStringSubmatch(string(source), -1) {
			all = append(all, found[1])
		}
	}
	if len(all) < 50 {
		t.Fatalf("only %d routes found in the source", len(all))
	}
	return all
}
