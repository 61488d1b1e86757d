package sandbox_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/mainstay-ci/mainstay/sandbox"
)

// A fork's job has no identity and leaves an artifact; GitHub says whose run it is.
// The artifact lies behind a redirect to a host that takes no credential.
func TestAForksRunLeavesAnArtifact(t *testing.T) {
	// Given a fork's pull request, whose workflow asks for an identity and uploads
	w := found(t)
	w.repo.SetWorkflows(map[string]string{"outside/pr.yml": `on: pull_request
permissions: {contents: read, id-token: write}
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - run: test -z "$ACTIONS_ID_TOKEN_REQUEST_URL" && echo '{}' > report.json
      - uses: actions/upload-artifact@v7
        with: {name: mainstay-report-unit-0-1, path: report.json}
`})
	fork, err := w.repo.Fork(w.alice)
	must(t, err)
	head, err := fork.Commit("main", map[string]string{"feature.txt": "1"}, "Feature")
	must(t, err)
	must(t, fork.Push(w.alice, sandbox.RefUpdate{Ref: "refs/heads/feature", New: head}))
	_, err = w.repo.OpenPullRequest(sandbox.OpenPullRequest{By: w.alice, HeadRepository: fork, Head: "feature", Title: "t"})
	must(t, err)
	// When it ran
	w.settle()
	runs := w.repo.WorkflowRuns()
	if len(runs) != 1 || runs[0].Conclusion != "success" {
		t.Fatalf("runs: %+v", runs)
	}
	// Then the run is the fork's, and so is the artifact
	var listed struct {
		Artifacts []struct {
			ID   int64
			Name string
			Run  struct {
				ID   int64  `json:"id"`
				Head int64  `json:"head_repository_id"`
				Repo int64  `json:"repository_id"`
				SHA  string `json:"head_sha"`
			} `json:"workflow_run"`
		} `json:"artifacts"`
	}
	w.list(fmt.Sprintf("/actions/runs/%d/artifacts", runs[0].ID), &listed)
	if len(listed.Artifacts) != 1 {
		t.Fatalf("listed %+v", listed)
	}
	a := listed.Artifacts[0]
	if a.Run.ID != runs[0].ID || a.Run.Head != fork.ID || a.Run.Repo != w.repo.ID || a.Run.SHA != head || a.Name != "mainstay-report-unit-0-1" {
		t.Fatalf("listed %+v", a)
	}
	// And it lies at another host, for whoever has the address and brings nothing
	address := w.redirect(fmt.Sprintf("/actions/artifacts/%d/zip", a.ID))
	if to, err := url.Parse(address); err != nil || strings.HasPrefix(w.URL(), "http://"+to.Host) {
		t.Fatalf("it leads to %s", address)
	}
	for name, c := range map[string]struct {
		address, token string
		status         int
	}{
		"the address":            {address, "", 200},
		"the address, and more":  {address, w.token(), 400},
		"an address made up":     {address + "x", "", 403},
		"the address once more ": {address, "", 200},
	} {
		r, err := http.NewRequest("GET", c.address, nil)
		must(t, err)
		if c.token != "" {
			r.Header.Set("Authorization", "Bearer "+c.token)
		}
		resp, err := http.DefaultClient.Do(r)
		must(t, err)
		body, err := io.ReadAll(resp.Body)
		must(t, err)
		resp.Body.Close()
		if resp.StatusCode != c.status || c.status == 200 && !strings.HasPrefix(string(body), "PK") {
			t.Errorf("%s: answered %d %.40q", name, resp.StatusCode, body)
		}
	}
	// And a name is taken once
	if err := w.repo.PutArtifact(runs[0].ID, a.Name, []byte("other")); err == nil || !strings.Contains(err.Error(), "409") {
		t.Errorf("a second artifact of that name: %v", err)
	}
	if err := w.repo.PutArtifact(1, "x", nil); err == nil {
		t.Error("an artifact of no run was kept")
	}
}

func (w *town) call(path string) *http.Response {
	w.t.Helper()
	r, err := http.NewRequest("GET", w.APIURL()+"/repos/acme/widgets"+path, nil)
	must(w.t, err)
	r.Header.Set("Authorization", "Bearer "+w.token())
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(r)
	must(w.t, err)
	w.t.Cleanup(func() { resp.Body.Close() })
	return resp
}

func (w *town) list(path string, into any) {
	w.t.Helper()
	must(w.t, json.NewDecoder(w.call(path).Body).Decode(into))
}

func (w *town) redirect(path string) string {
	w.t.Helper()
	resp := w.call(path)
	if resp.StatusCode != http.StatusFound {
		w.t.Fatalf("%s answered %d", path, resp.StatusCode)
	}
	return resp.Header.Get("Location")
}
