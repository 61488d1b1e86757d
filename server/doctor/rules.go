package doctor

import (
	"fmt"
	"slices"
	"strings"
)

// stopsPush are the rules that refuse a push of ours to the base, however green it is.
var stopsPush = map[string]string{
	"pull_request":         "changes only by pull request",
	"update":               "nobody may update the branch",
	"required_signatures":  "commits must be signed",
	"merge_queue":          "GitHub's own merge queue",
	"required_deployments": "a deployment before the merge",
	"workflows":            "workflows of another repository",
	"code_scanning":        "results of code scanning",
	"code_quality":         "results of code quality",
}

// stopsTicket are those that refuse a ticket: a branch that is made, never checked before, and deleted.
var stopsTicket = map[string]string{
	"creation":               "nobody may create it",
	"update":                 "nobody may update it",
	"deletion":               "nobody may delete it",
	"pull_request":           "changes only by pull request",
	"required_signatures":    "commits must be signed",
	"required_status_checks": "checks before the push",
	"merge_queue":            "GitHub's own merge queue",
}

func (e *examination) rulesets() {
	for _, set := range e.Rulesets {
		if slices.Contains(set.Rules, "merge_queue") {
			e.add(Broken, "native_queue", set.Name, fmt.Sprintf("The ruleset %q has GitHub's own merge queue on `%s`: two queues push to one branch.", set.Name, e.Branch),
				"Take the rule “Require merge queue” out of that ruleset.")
		}
		e.stopped(set, stopsPush, "no_bypass", fmt.Sprintf("the push that lands to `%s`", e.Branch))
	}
	for _, set := range e.Tickets {
		e.stopped(set, stopsTicket, "ticket_refused", fmt.Sprintf("tickets (`mainstay/%s/…`)", e.Branch))
	}
	if e.Classic == nil {
		return
	}
	where := "branch protection of " + e.Branch
	if e.Classic.Pulls {
		e.add(Broken, "no_bypass", where, "The classic protection lets changes in by pull request only, and the App is not let by.",
			"In that protection: “Allow specified actors to bypass required pull requests”, add the App; or move to a ruleset with the App as bypass actor.")
	}
	if e.Classic.Restricted {
		e.add(Broken, "no_bypass", where, "The classic protection lets only some push, and the App is not among them.",
			"In that protection: “Restrict who can push”, add the App.")
	}
	if e.Classic.Signatures && !e.Signs {
		e.add(Broken, "no_bypass", where, "The classic protection asks for signed commits; those Mainstay makes are not, and classic protection lets no App by.",
			"Give the server a machine user's key (`MAINSTAY_SIGNING_KEY_FILE`), or move that rule to a ruleset with the App as bypass actor.")
	}
}

// stopped finds the rules of a set that would stop us, where it does not let us by.
func (e *examination) stopped(set Ruleset, stops map[string]string, code, what string) {
	if set.Bypass == "always" || set.Bypass == "exempt" {
		return
	}
	var why []string
	for _, rule := range set.Rules {
		if rule == "required_signatures" && e.Signs {
			continue
		}
		if text := stops[rule]; text != "" && !slices.Contains(why, text) {
			why = append(why, text)
		}
	}
	if len(why) == 0 {
		return
	}
	mend := "Add the App to that ruleset's bypass list, with “Always allow”"
	if code == "ticket_refused" {
		mend += ", or exclude `mainstay/**` from its target branches"
	}
	switch set.Bypass {
	case "":
		e.add(Note, code+"_unknown", set.Name, fmt.Sprintf("The ruleset %q would refuse %s (%s); GitHub did not tell whether the App is let by.", set.Name, what, strings.Join(why, ", ")), mend+".")
	case "pull_requests_only":
		e.add(Broken, code, set.Name, fmt.Sprintf("The ruleset %q lets the App by for pull requests only, and refuses %s (%s).", set.Name, what, strings.Join(why, ", ")), mend+" instead.")
	default:
		e.add(Broken, code, set.Name, fmt.Sprintf("The ruleset %q refuses %s (%s), and the App is no bypass actor of it.", set.Name, what, strings.Join(why, ", ")), mend+".")
	}
}
