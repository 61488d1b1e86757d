package doctor

import (
	"cmp"
	"fmt"
	"slices"
)

// Level says how bad a finding is.
type Level string

// The levels.
const (
	Broken  Level = "broken"  // nothing lands, or something hangs
	Warning Level = "warning" // it works, and costs or surprises
	Note    Level = "note"    // it could not be seen, or is worth knowing
)

// Finding is one thing that is not as it should be, with the setting that mends it.
type Finding struct {
	Level Level  `json:"level"`
	Code  string `json:"code"`            // a word that stays, for scripts
	Where string `json:"where,omitempty"` // path:line, or a setting's name
	Text  string `json:"text"`
	Mend  string `json:"mend"`
}

// Facts are what was read of a repository and its base branch. What is nil could
// not be read, and is not judged.
type Facts struct {
	Branch    string
	Workflows []Workflow
	Required  []Required
	// OurCheck is our check's name, OurApp the App's id.
	OurCheck string
	OurApp   int64

	Granted  map[string]string // what the installation granted
	Events   []string          // what the App is told
	Actions  *Policy           // of Actions
	Rulesets []Ruleset         // that are in force on the base branch
	Tickets  []Ruleset         // that are in force on a ticket's branch
	Classic  *Classic          // the base's classic protection
	Blocked  bool              // there is a branch named mainstay
	Polls    bool              // webhooks are off
	Signs    bool              // our commits are signed
	Unread   []string          // what could not be read, and why
}

// Workflow is one file below .github/workflows.
type Workflow struct {
	Path string
	Text []byte
}

// Required is a check that a landing waits for.
type Required struct {
	Name      string
	App       int64  // 0: anybody's
	Source    string // where it is asked for
	SkippedOK bool
}

// Policy is what Actions may do in the repository.
type Policy struct {
	Enabled  bool
	Allowed  string   // all, local_only or selected; empty: all
	Patterns []string // with selected
}

// Ruleset is one ruleset with its rules of a branch.
type Ruleset struct {
	Name   string
	Rules  []string // types
	Bypass string   // always, pull_requests_only, never; empty: not told
}

// Classic is a classic branch protection, as far as it can stop our push.
type Classic struct {
	Pulls      bool // changes must come by pull request, and we are not let by
	Restricted bool // only some may push, and we are not among them
	Signatures bool // commits must be signed
}

// mainstayAction begins what uses our Action.
const mainstayAction = "mainstay-ci/mainstay"

// ActionsApp is the id of GitHub Actions.
const ActionsApp = 15368

// Examine says what would hang or be refused. The worst comes first.
func Examine(f Facts) []Finding {
	e := &examination{Facts: f}
	e.permissions()
	e.branches()
	e.rulesets()
	e.workflows()
	e.policy()
	for _, what := range f.Unread {
		e.add(Note, "not_read", "", what, "Look at it by hand, or grant what is missing and ask again.")
	}
	rank := map[Level]int{Broken: 0, Warning: 1, Note: 2}
	slices.SortStableFunc(e.found, func(a, b Finding) int { return cmp.Compare(rank[a.Level], rank[b.Level]) })
	return e.found
}

type examination struct {
	Facts
	found []Finding
}

func (e *examination) add(level Level, code, where, text, mend string) {
	e.found = append(e.found, Finding{Level: level, Code: code, Where: where, Text: text, Mend: mend})
}

// ticket is what the branch of an attempt looks like.
func (f Facts) ticket() string { return "mainstay/" + f.Branch + "/1" }

func (e *examination) permissions() {
	if e.Granted != nil {
		for _, p := range Missing(e.Granted) {
			level := Broken
			if p.Access == "read" || p.Name == "deployments" {
				level = Warning
			}
			e.add(level, "permission_missing", p.Name,
				fmt.Sprintf("The installation did not grant %s: %s. It %s; without it %s.", p.Title, p.Access, p.Why, p.Lost),
				"Give the App this permission in its settings, then accept the request in the installation's settings.")
		}
	}
	if e.Events == nil || e.Polls {
		return
	}
	for _, event := range Events {
		if !slices.Contains(e.Events, event) {
			e.add(Warning, "event_missing", event, fmt.Sprintf("The App is not told of `%s`: what it says is only found by the sweep, minutes later.", event),
				"Subscribe the App to it: its settings, Permissions & events.")
		}
	}
}

func (e *examination) branches() {
	if e.Blocked {
		e.add(Broken, "branch_named_mainstay", "mainstay", "There is a branch named `mainstay`: git can't have `mainstay/…` beside it, so no ticket can be pushed.",
			"Rename or delete that branch.")
	}
}

func (e *examination) policy() {
	if e.Actions == nil {
		return
	}
	switch {
	case !e.Actions.Enabled:
		e.add(Broken, "actions_off", "actions/permissions", "Actions is switched off in this repository: no workflow runs on a ticket.",
			"Settings, Actions, General: allow it; or let another CI build `mainstay/**`.")
	case !e.usesOurAction():
	case e.Actions.Allowed == "local_only":
		e.add(Broken, "action_not_allowed", "actions/permissions", "Only actions of this owner may run, and a workflow uses "+mainstayAction+": its job fails at once.",
			"Settings, Actions, General: allow "+mainstayAction+"@*, or keep a copy of the Action here.")
	case e.Actions.Allowed == "selected" && !slices.ContainsFunc(e.Actions.Patterns, allowsOurAction):
		e.add(Broken, "action_not_allowed", "actions/permissions", "Only selected actions may run, and "+mainstayAction+" is not among them: its job fails at once.",
			"Settings, Actions, General: add "+mainstayAction+"@* to the list.")
	}
}

func allowsOurAction(pattern string) bool {
	for _, name := range []string{mainstayAction, mainstayAction + "@v1"} {
		if ok, err := globMatch(pattern, name); err == nil && ok {
			return true
		}
	}
	return false
}
