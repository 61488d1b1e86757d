package sandbox

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"
)

var checkRoutes = []route{
	{"POST /repos/{owner}/{repo}/check-runs", "checks:write", createCheck},
	{"GET /repos/{owner}/{repo}/check-runs/{id}", "checks:read", withCheck(func(q *call, c *check) reply { return ok(q.repo.checkJSON(c)) })},
	{"PATCH /repos/{owner}/{repo}/check-runs/{id}", "checks:write", withCheck(editCheck)},
	{"GET /repos/{owner}/{repo}/check-runs/{id}/annotations", "checks:read", withCheck(listAnnotations)},
	{"GET /repos/{owner}/{repo}/check-suites/{id}", "checks:read", getSuite},
	{"POST /repos/{owner}/{repo}/statuses/{sha}", "statuses:write", createStatus},
}

func (r *Repository) checkRun(id int64) *check {
	for _, c := range slices.Backward(r.checks) {
		if c.id == id {
			return c
		}
	}
	return nil
}

func withCheck(do func(*call, *check) reply) answer {
	return func(q *call) reply {
		if c := q.repo.checkRun(q.number("id")); c != nil {
			return do(q, c)
		}
		return notFound
	}
}

// checkRequest is what creating and editing a check run take.
type checkRequest struct {
	Name        *string    `json:"name"`
	HeadSHA     string     `json:"head_sha"`
	ExternalID  *string    `json:"external_id"`
	DetailsURL  *string    `json:"details_url"`
	Status      *string    `json:"status"`
	Conclusion  *string    `json:"conclusion"`
	StartedAt   *time.Time `json:"started_at"`
	CompletedAt *time.Time `json:"completed_at"`
	Output      *struct {
		Title       *string  `json:"title"`
		Summary     *string  `json:"summary"`
		Text        *string  `json:"text"`
		Annotations []object `json:"annotations"`
	} `json:"output"`
	Actions []object `json:"actions"`
}

const (
	mostAnnotations = 50
	mostActions     = 3
)

var (
	checkStatuses    = []string{"queued", "in_progress", "completed", "waiting", "requested", "pending"}
	checkConclusions = []string{"action_required", "cancelled", "failure", "neutral", "success", "skipped", "timed_out"}
	actionFields     = map[string]int{"label": 20, "description": 40, "identifier": 20}
)

// fault names what GitHub would refuse.
func (a *checkRequest) fault() (reply, bool) {
	bad := func(field, message string) (reply, bool) { return invalid("CheckRun", field, "invalid", message), true }
	switch {
	case a.Status != nil && !slices.Contains(checkStatuses, *a.Status):
		return bad("status", "")
	case a.Conclusion != nil && !slices.Contains(checkConclusions, *a.Conclusion):
		return bad("conclusion", "")
	case a.Status != nil && *a.Status == "completed" && a.Conclusion == nil:
		return bad("conclusion", "For 'completed' check runs a conclusion is required.")
	case len(a.Actions) > mostActions:
		return bad("actions", "Only 3 actions are allowed.")
	}
	for _, action := range a.Actions {
		for field, most := range actionFields {
			if value, _ := action[field].(string); value == "" || len(value) > most {
				return bad("actions", fmt.Sprintf("%s must be 1 to %d characters long", field, most))
			}
		}
	}
	if a.Output == nil {
		return reply{}, false
	}
	switch {
	case a.Output.Summary != nil && len(*a.Output.Summary) > mostText:
		return bad("summary", "Only 65535 characters are allowed; the summary is longer.")
	case a.Output.Text != nil && len(*a.Output.Text) > mostText:
		return bad("text", "Only 65535 characters are allowed; the text is longer.")
	case len(a.Output.Annotations) > mostAnnotations:
		return bad("annotations", "Only 50 annotations are allowed in one request.")
	}
	for _, note := range a.Output.Annotations {
		level, _ := note["annotation_level"].(string)
		if note["path"] == nil || note["message"] == nil || note["start_line"] == nil || note["end_line"] == nil ||
			!slices.Contains([]string{"notice", "warning", "failure"}, level) {
			return bad("annotations", "path, start_line, end_line, annotation_level and message are needed")
		}
	}
	return reply{}, false
}

func createCheck(q *call) reply {
	var asked checkRequest
	if bad, good := q.read(&asked); !good {
		return bad
	}
	if q.who.app == nil {
		return fail(http.StatusForbidden, "You must authenticate via a GitHub App.")
	}
	if asked.Name == nil || *asked.Name == "" {
		return invalid("CheckRun", "name", "missing_field", "")
	}
	if _, err := q.repo.objects.commit(asked.HeadSHA); err != nil {
		return fail(http.StatusUnprocessableEntity, "No commit found for SHA: "+asked.HeadSHA)
	}
	if bad, is := asked.fault(); is {
		return bad
	}
	c := q.repo.addCheck(q.repo.suiteOf(q.who.app, asked.HeadSHA), *asked.Name)
	c.take(&asked)
	c.announce(q.who, true)
	q.f.touch()
	return reply{http.StatusCreated, q.repo.checkJSON(c)}
}

func editCheck(q *call, c *check) reply {
	var asked checkRequest
	if bad, good := q.read(&asked); !good {
		return bad
	}
	if q.who.app != c.app {
		return fail(http.StatusForbidden, "Invalid app_id `"+strconv.FormatInt(c.app.ID, 10)+"` - check run can only be modified by the GitHub App that created it.")
	}
	if bad, is := asked.fault(); is {
		return bad
	}
	before := c.status + c.conclusion
	c.take(&asked)
	c.edits++
	if c.status+c.conclusion != before {
		c.announce(q.who, false)
	}
	q.f.touch()
	return ok(q.repo.checkJSON(c))
}

// take puts what was asked into the check run; annotations add up.
func (c *check) take(a *checkRequest) {
	set := func(field *string, value *string) {
		if value != nil {
			*field = *value
		}
	}
	set(&c.name, a.Name)
	set(&c.externalID, a.ExternalID)
	set(&c.detailsURL, a.DetailsURL)
	set(&c.status, a.Status)
	if c.status != "completed" {
		c.conclusion, c.completed = "", time.Time{}
	}
	if a.Conclusion != nil {
		c.conclusion, c.status = *a.Conclusion, "completed"
	}
	now := c.repo.forge.now()
	if a.StartedAt != nil {
		c.started = *a.StartedAt
	}
	if a.CompletedAt != nil {
		c.completed = *a.CompletedAt
	} else if c.status == "completed" && c.completed.IsZero() {
		c.completed = now
	}
	if a.Actions != nil {
		c.actions = a.Actions
	}
	if a.Output != nil {
		set(&c.title, a.Output.Title)
		set(&c.summary, a.Output.Summary)
		set(&c.text, a.Output.Text)
		c.annotations = append(c.annotations, a.Output.Annotations...)
	}
}

func listAnnotations(q *call, c *check) reply {
	return ok(page(q, c.annotations, func(note object) object {
		shown := object{"title": nil, "raw_details": nil, "start_column": nil, "end_column": nil,
			"blob_href": fmt.Sprintf("%s/blob/%s/%v", q.repo.web(), c.sha, note["path"])}
		maps.Copy(shown, note)
		return shown
	}))
}

func listCommitChecks(q *call, sha string) reply {
	app, _ := strconv.ParseInt(q.query("app_id"), 10, 64)
	name, state := q.query("check_name"), q.query("status")
	var list []*check
	type key struct {
		suite int64
		name  string
	}
	latest := map[key]bool{}
	for _, c := range slices.Backward(q.repo.checks) {
		k := key{c.suite.id, c.name}
		if c.sha != sha || app != 0 && c.app.ID != app || name != "" && c.name != name || q.query("filter") != "all" && latest[k] {
			continue
		}
		latest[k] = true
		if state == "" || c.status == state {
			list = append(list, c)
		}
	}
	return ok(object{"total_count": len(list), "check_runs": page(q, list, q.repo.checkJSON)})
}

func listCommitSuites(q *call, sha string) reply {
	app, _ := strconv.ParseInt(q.query("app_id"), 10, 64)
	var list []*suite
	for _, s := range q.repo.suites {
		if s.sha == sha && (app == 0 || s.app.ID == app) {
			list = append(list, s)
		}
	}
	return ok(object{"total_count": len(list), "check_suites": page(q, list, q.suiteObject)})
}

func (q *call) suiteObject(s *suite) object {
	o := q.repo.suiteJSON(s)
	o["repository"] = q.repo.lite()
	return o
}

func getSuite(q *call) reply {
	id := q.number("id")
	for _, s := range q.repo.suites {
		if s.id == id {
			return ok(q.suiteObject(s))
		}
	}
	return notFound
}

func createStatus(q *call) reply {
	var asked struct {
		State, Context, Description string
		TargetURL                   string `json:"target_url"`
	}
	if bad, good := q.read(&asked); !good {
		return bad
	}
	sha := q.r.PathValue("sha")
	if _, err := q.repo.objects.commit(sha); err != nil {
		return fail(http.StatusUnprocessableEntity, "No commit found for SHA: "+sha)
	}
	if !slices.Contains([]string{"error", "failure", "pending", "success"}, asked.State) {
		return invalid("Status", "state", "custom", "state is not included in the list")
	}
	if asked.Context == "" {
		asked.Context = "default"
	}
	s := &status{sha: sha, context: asked.Context, state: asked.State, description: asked.Description, target: asked.TargetURL}
	q.repo.addStatus(q.who, s)
	q.f.touch()
	return reply{http.StatusCreated, q.repo.statusJSON(s)}
}

func getCommitStatus(q *call, sha string) reply {
	var newest []*status
	seen := map[string]bool{}
	for _, s := range slices.Backward(q.repo.statuses) {
		if s.sha == sha && !seen[s.context] {
			seen[s.context] = true
			newest = append(newest, s)
		}
	}
	state := "success"
	if len(newest) == 0 {
		state = "pending"
	}
	for _, s := range newest {
		switch {
		case s.state == "failure" || s.state == "error":
			state = "failure"
		case s.state == "pending" && state != "failure":
			state = "pending"
		}
	}
	return ok(object{"state": state, "sha": sha, "total_count": len(newest), "statuses": page(q, newest, q.repo.shortStatusJSON),
		"repository": q.repo.lite(), "commit_url": q.repo.api() + "/commits/" + sha, "url": q.repo.api() + "/commits/" + sha + "/status"})
}
