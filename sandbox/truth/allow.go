package truth

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
)

// fault is one difference between an exchange and GitHub's description.
type fault struct{ method, path, side, text string }

func (f fault) String() string {
	return f.method + " " + f.path + ": " + f.side + ": " + f.text
}

// pass is a line of the allow-list: a difference that is the description's and not
// ours. An empty field fits everything.
type pass struct{ method, path, side, text string }

// passes is the allow-list. Each line says why.
var passes = []pass{
	// ghinstallation sends the body `null` for a token with all of the
	// installation's rights, and GitHub takes it.
	{"POST", "/app/installations/{installation_id}/access_tokens", "request", "/: Value is not nullable"},
	// go-github sends a plain list of names; GitHub takes both shapes, and its
	// description of this operation names the object only.
	{"POST", "/repos/{owner}/{repo}/issues/{issue_number}/labels", "request", "doesn't match"},
	// The installation's account is a user or an enterprise; this one list says that
	// it is both at once. GET /app/installations/{id} says it rightly.
	{"GET", "/app/installations", "answer 200", `/account: doesn't match all schemas from "allOf"`},
	// A label without a description has null there (so say labels/{name} and the
	// recorded webhooks); inside a pull request the description has it a text.
	{"", "/repos/{owner}/{repo}/pulls", "answer 2", "/description: Value is not nullable"},
	{"", "/repos/{owner}/{repo}/commits/{commit_sha}/pulls", "answer 2", "/description: Value is not nullable"},
	// A repository's custom properties are named for one read by itself and required
	// in webhooks; inside other answers the description has an older repository.
	{"", "", "answer 20", "/custom_properties: GitHub's description has no such property"},
	// An error says its status; the description of some errors leaves that out.
	{"", "", "answer 4", "/status: GitHub's description has no such property"},
	// The description names few of the errors GitHub answers with. byHand looks at
	// their shape.
	{"", "", "answer 4", "status is not supported"},
	{"", "", "answer 5", "status is not supported"},
}

func allowed(f fault) bool {
	for _, p := range passes {
		if (p.method == "" || p.method == f.method) && (p.path == "" || p.path == f.path) &&
			strings.HasPrefix(f.side, p.side) && strings.Contains(f.text, p.text) {
			return true
		}
	}
	return false
}

// byHand checks what GitHub enforces and its description cannot or does not say.
func (x *exchange) byHand(path string) []string {
	var found []string
	if strings.HasPrefix(path, "/repos/{owner}/{repo}/check-runs") && (x.method == http.MethodPost || x.method == http.MethodPatch) {
		var check struct{ Status, Conclusion string }
		if json.Unmarshal(x.sent, &check) == nil && check.Status == "completed" && check.Conclusion == "" {
			found = append(found, "a check run that is completed needs a conclusion")
		}
	}
	if many, err := strconv.Atoi(x.query.Get("per_page")); err == nil && many > 100 {
		found = append(found, "GitHub's pages hold 100 at most, whatever per_page asks")
	}
	if x.status >= 400 {
		var refusal struct {
			Message *string `json:"message"`
		}
		if json.Unmarshal(x.answer, &refusal) != nil || refusal.Message == nil {
			found = append(found, "an error's answer has a message")
		}
	}
	return found
}
