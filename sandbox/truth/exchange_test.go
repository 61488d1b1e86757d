package truth_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/mainstay-ci/mainstay/sandbox/truth"
)

// met says what a watcher noted of one exchange.
func met(t *testing.T, hostile bool, method, path, sent string, status int, answer string) []string {
	t.Helper()
	return metAs(t, "Bearer a JWT", hostile, method, path, sent, status, answer)
}

func metAs(t *testing.T, who string, hostile bool, method, path, sent string, status int, answer string) []string {
	t.Helper()
	quiet := &silent{TB: t}
	watch := truth.Watch(quiet)
	watch.Hostile = hostile
	server := httptest.NewServer(watch.Around(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if got, err := io.ReadAll(r.Body); err != nil || string(got) != sent {
			t.Errorf("the handler got %q, %v", got, err)
		}
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.WriteHeader(status)
		fmt.Fprint(w, answer)
	})))
	defer server.Close()
	req, err := http.NewRequest(method, server.URL+path, strings.NewReader(sent))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", who)
	if sent != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if got, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != status || string(got) != answer {
		t.Errorf("the client got %d %q, %v", resp.StatusCode, got, err)
	}
	faults := watch.Faults()
	if quiet.end(); len(faults) > 0 != quiet.failed {
		t.Errorf("%d differences, but the test failed: %v", len(faults), quiet.failed)
	}
	return faults
}

// silent is a test that may fail.
type silent struct {
	testing.TB
	last   []func()
	failed bool
}

func (s *silent) Cleanup(do func())     { s.last = append(s.last, do) }
func (s *silent) Errorf(string, ...any) { s.failed = true }

func (s *silent) end() {
	for _, do := range s.last {
		do()
	}
}

const (
	repo    = "/api/v3/repos/acme/shop"
	refused = `{"message":"Validation Failed"}`
	ref     = `{"ref":"refs/heads/a/b","node_id":"x","url":"https://x","object":{"type":"commit","sha":"0123456789012345678901234567890123456789","url":"https://x"}}`
)

// A validator that finds nothing proves nothing: each line differs from GitHub's
// description in one thing, or in none.
func TestADifferenceIsFound(t *testing.T) {
	for name, c := range map[string]struct {
		method, path, sent string
		status             int
		answer             string
		want               string // of the only difference; "" is none
	}{
		"a good reading":                    {"GET", repo + "/git/ref/heads/a/b", "", 200, ref, ""},
		"a ref with an escaped slash":       {"GET", repo + "/git/ref/heads%2Fa", "", 200, ref, ""},
		"a field is missing":                {"GET", repo + "/git/ref/heads/a", "", 200, strings.Replace(ref, `"node_id":"x",`, "", 1), `/node_id: property "node_id" is missing`},
		"a field of another type":           {"GET", repo + "/git/ref/heads/a", "", 200, strings.Replace(ref, `"node_id":"x"`, `"node_id":7`, 1), `/node_id: value must be a string`},
		"not JSON":                          {"GET", repo + "/git/ref/heads/a", "", 200, `<html>`, `answer 200: `},
		"a path outside the slice":          {"GET", repo + "/traffic/views", "", 200, `{}`, "add it to sandbox/truth/paths.txt and run `make truth`"},
		"a method GitHub has not":           {"PUT", repo + "/git/ref/heads/a", "", 200, ref, "no such method"},
		"a parameter GitHub has not":        {"GET", repo + "/git/ref/heads/a?perpage=3", "", 200, ref, `parameter "perpage" in query is unknown`},
		"a page too large":                  {"GET", repo + "/pulls?per_page=101", "", 200, `[]`, "100 at most"},
		"a status GitHub has not":           {"GET", repo + "/git/ref/heads/a", "", 201, ref, "answer 201: status is not supported"},
		"an error GitHub does not name":     {"GET", repo + "/git/ref/heads/a", "", 403, `{"message":"no"}`, ""},
		"an error that says nothing":        {"GET", repo + "/git/ref/heads/a", "", 502, `oh`, "an error's answer has a message"},
		"a check without a commit":          {"POST", repo + "/check-runs", `{"name":"x"}`, 422, refused, `/head_sha: property "head_sha" is missing`},
		"a check of a made-up conclusion":   {"POST", repo + "/check-runs", `{"name":"x","head_sha":"a","conclusion":"bogus"}`, 422, refused, "/conclusion: value is not one of"},
		"a check completed without end":     {"POST", repo + "/check-runs", `{"name":"x","head_sha":"a","status":"completed"}`, 422, refused, "needs a conclusion"},
		"a label of a button too long":      {"POST", repo + "/check-runs", `{"name":"x","head_sha":"a","actions":[{"label":"` + strings.Repeat("x", 21) + `","description":"d","identifier":"i"}]}`, 422, refused, "/actions/0/label: maximum string length is 20"},
		"an answer with more than GitHub's": {"GET", repo + "/git/ref/heads/a", "", 200, strings.Replace(ref, `"type"`, `"colour":"red","type"`, 1), `answer 200: /object/colour: GitHub's description has no such property`},
		"a request with more than GitHub's": {"POST", repo + "/check-runs", `{"name":"x","head_sha":"a","output":{"titel":"x","title":"x","summary":"y"}}`, 404, refused, `request: /output/titel: GitHub's description has no such property`},
		"a body where GitHub takes none":    {"DELETE", repo + "/git/refs/heads/a", `{"force":true}`, 422, refused, "request: a body, where GitHub takes none"},
		"labels as a plain list":            {"POST", repo + "/issues/1/labels", `["a"]`, 404, refused, ""},
		"a token asked with null":           {"POST", "/api/v3/app/installations/1/access_tokens", `null`, 404, refused, ""},
		"pulls of a commit":                 {"GET", repo + "/commits/abc/pulls", "", 200, `[]`, ""},
		"git, which is none of REST":        {"GET", "/acme/shop.git/info/refs", "", 200, `001e`, ""},
		"GraphQL, which is none of REST":    {"POST", "/api/graphql", `{}`, 200, `{}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := met(t, false, c.method, c.path, c.sent, c.status, c.answer)
			if c.want == "" && len(got) > 0 || c.want != "" && (len(got) != 1 || !strings.Contains(got[0], c.want)) {
				t.Errorf("differences %q, want %q", got, c.want)
			}
		})
	}
}

// Where a test sends nonsense on purpose, the sandbox must refuse it as GitHub would.
func TestARefusedRequestIsNoDifferenceOnlyWhereMeant(t *testing.T) {
	const nonsense = `{"name":"x"}`
	if got := met(t, true, "POST", repo+"/check-runs", nonsense, 422, refused); len(got) > 0 {
		t.Errorf("refused by both: %q", got)
	}
	if got := met(t, true, "POST", repo+"/check-runs", nonsense, 404, refused); len(got) != 1 {
		t.Errorf("refused for another reason: %q", got)
	}
}

// An installation's token opens few doors of the App itself, whatever a sandbox says.
func TestWhatIsClosedToAnInstallation(t *testing.T) {
	const deliveries = "/api/v3/app/hook/deliveries"
	for name, c := range map[string]struct {
		who    string
		status int
		answer string
		many   int
	}{
		"the App itself":              {"Bearer eyJhbGciOiJSUzI1NiJ9.x.y", 200, `[]`, 0},
		"an installation, let in":     {"token ghs_0123", 200, `[]`, 1},
		"an installation, turned off": {"token ghs_0123", 401, `{"message":"no"}`, 0},
	} {
		if got := metAs(t, c.who, false, "GET", deliveries, "", c.status, c.answer); len(got) != c.many {
			t.Errorf("%s: %q", name, got)
		}
	}
}
