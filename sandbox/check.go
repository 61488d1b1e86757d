package sandbox

import (
	"time"
)

// suite is all check runs of one App on one commit (of one run, for Actions).
type suite struct {
	id      int64
	app     *App
	sha     string
	branch  string
	created time.Time
	updated time.Time
	runs    []*check
}

type check struct {
	id                     int64
	repo                   *Repository
	app                    *App
	suite                  *suite
	name, sha              string
	externalID, detailsURL string
	status, conclusion     string
	started, completed     time.Time
	title, summary, text   string
	annotations, actions   []object
	edits                  int
	job                    *job
	replaced               bool // by a re-run's
}

type status struct {
	id                  int64
	sha, context, state string
	description, target string
	by                  account
	appID               int64
	at                  time.Time
}

// CheckRun is a check run as it stood at one moment.
type CheckRun struct {
	ID                     int64
	Name, HeadSHA          string
	AppID                  int64
	AppSlug                string
	Status, Conclusion     string
	Title, Summary, Text   string
	ExternalID, DetailsURL string
	Annotations, Actions   int
	Edits                  int // how often it was edited since its creation
}

func (c *check) snapshot() CheckRun {
	return CheckRun{ID: c.id, Name: c.name, HeadSHA: c.sha, AppID: c.app.ID, AppSlug: c.app.Slug, Status: c.status,
		Conclusion: c.conclusion, Title: c.title, Summary: c.summary, Text: c.text, ExternalID: c.externalID,
		DetailsURL: c.detailsURL, Annotations: len(c.annotations), Actions: len(c.actions), Edits: c.edits}
}

// CheckRuns returns the check runs of a commit, oldest first; "" is all commits.
func (r *Repository) CheckRuns(sha string) []CheckRun {
	r.forge.mu.Lock()
	defer r.forge.mu.Unlock()
	var all []CheckRun
	for _, c := range r.checks {
		if sha == "" || c.sha == sha {
			all = append(all, c.snapshot())
		}
	}
	return all
}

// suiteOf finds the App's suite on a commit, or makes it.
func (r *Repository) suiteOf(app *App, sha string) *suite {
	for _, s := range r.suites {
		if s.app == app && s.sha == sha {
			return s
		}
	}
	return r.makeSuite(app, sha)
}

func (r *Repository) makeSuite(app *App, sha string) *suite {
	s := &suite{id: r.forge.newID(), app: app, sha: sha, branch: r.branchAt(sha), created: r.forge.now(), updated: r.forge.now()}
	r.suites = append(r.suites, s)
	return s
}

// branchAt names a branch that stands at the commit; the least name, so that
// two runs of a test say the same.
func (r *Repository) branchAt(sha string) string {
	found := ""
	for ref, at := range r.refs {
		if branch, ok := (refMove{ref: ref}).branch(); ok && at == sha && (found == "" || branch < found) {
			found = branch
		}
	}
	return found
}

// state adds the suite's runs up.
func (s *suite) state() (status, conclusion string) {
	if len(s.runs) == 0 {
		return "queued", ""
	}
	status, conclusion = "completed", "neutral"
	rank := map[string]int{"neutral": 0, "skipped": 0, "success": 1, "stale": 2, "cancelled": 3, "action_required": 4, "timed_out": 5, "failure": 6}
	for _, c := range s.runs {
		if c.replaced {
			continue
		}
		if c.status != "completed" {
			status = "in_progress"
			if c.status == "queued" && len(s.runs) == 1 {
				status = "queued"
			}
		}
		if rank[c.conclusion] > rank[conclusion] {
			conclusion = c.conclusion
		}
	}
	if status != "completed" {
		conclusion = ""
	}
	return status, conclusion
}

// addCheck makes a check run in its suite. The caller tells of it.
func (r *Repository) addCheck(s *suite, name string) *check {
	c := &check{id: r.forge.newID(), repo: r, app: s.app, suite: s, name: name, sha: s.sha, status: "queued", started: r.forge.now()}
	s.runs = append(s.runs, c)
	r.checks = append(r.checks, c)
	return c
}

// announce tells of a check run that was made or changed.
func (c *check) announce(by *credential, created bool) {
	c.suite.updated = c.repo.forge.now()
	if created {
		c.repo.sendCheckRun(by, "created", c)
	}
	if c.status != "completed" {
		return
	}
	c.repo.sendCheckRun(by, "completed", c)
	if state, _ := c.suite.state(); state == "completed" {
		c.repo.sendCheckSuite(by, "completed", c.suite)
	}
}

// SetStatus posts a commit status: pending, success, failure or error.
func (r *Repository) SetStatus(by Actor, sha, context, state string) {
	r.forge.mu.Lock()
	defer r.forge.mu.Unlock()
	r.addStatus(credentialOf(by), &status{sha: sha, context: context, state: state})
	r.forge.touch()
}

func (r *Repository) addStatus(by *credential, s *status) {
	s.id, s.by, s.at = r.forge.newID(), by.account(), r.forge.now()
	if by.app != nil {
		s.appID = by.app.ID
	}
	r.statuses = append(r.statuses, s)
	r.sendStatus(by, s)
}

// SetCheck makes a check run of an App and gives it a conclusion; an empty
// conclusion leaves it in progress. It is how a test plays another CI.
func (r *Repository) SetCheck(app *App, sha, name, conclusion string) int64 {
	r.forge.mu.Lock()
	defer r.forge.mu.Unlock()
	c := r.addCheck(r.suiteOf(app, sha), name)
	c.status, c.started = "in_progress", r.forge.now()
	if conclusion != "" {
		c.status, c.conclusion, c.completed = "completed", conclusion, r.forge.now()
	}
	c.announce(credentialOf(app), true)
	r.forge.touch()
	return c.id
}
