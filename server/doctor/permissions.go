package doctor

// Permission is one thing the GitHub App is granted.
type Permission struct {
	Name   string // as manifests and the API have it
	Title  string // as GitHub's settings page has it
	Access string // read or write
	Org    bool   // of the organisation, not of the repository
	Why    string
	Lost   string // what does not work without it
}

// Permissions is everything the App asks for. The manifest, docs/setup.md, the
// set-up page and the doctor are all made from it.
var Permissions = []Permission{
	{"contents", "Contents", "write", false, "builds tickets and moves the base branch", "nothing can be tested or landed"},
	{"pull_requests", "Pull requests", "write", false, "reads pull requests, closes those GitHub can't show as merged", "no pull request is seen"},
	{"issues", "Issues", "write", false, "labels, and the one comment", "a label can't be taken off and nobody is told why"},
	{"checks", "Checks", "write", false, `posts the check "Mainstay", reads CI's`, "nothing is shown on a pull request, and CI's results are not seen"},
	{"actions", "Actions", "write", false, "reads workflow runs and the reports they left, cancels those no longer needed", "runs are never seen to end; old ones run on"},
	{"workflows", "Workflows", "write", false, "pushes commits that change a workflow file", "a pull request that changes a workflow is refused by GitHub"},
	{"deployments", "Deployments", "write", false, "for announcing landings to deploy tools, which is not built yet", "nothing so far"},
	{"statuses", "Commit statuses", "read", false, "reads the results of tools that post statuses", "a required status is never seen"},
	{"administration", "Administration", "read", false, "reads classic branch protection and the policies of Actions", "only rulesets are seen, and the doctor sees less"},
	{"members", "Members", "read", true, "sees who belongs to the organisation, where a role comes from a team", "whoever writes through a team only may be taken for a stranger"},
	{"metadata", "Metadata", "read", false, "reads who may write", "nobody can be let into the queue"},
}

// Events is what the App is told by webhook.
var Events = []string{
	"pull_request", "pull_request_review", "pull_request_review_thread", "issues", "issue_comment", "push", "check_run", "check_suite", "status",
	"workflow_job", "workflow_run", "branch_protection_rule", "repository_ruleset", "repository",
}

// Missing are those that are granted too little.
func Missing(granted map[string]string) []Permission {
	var missing []Permission
	for _, p := range Permissions {
		have := granted[p.Name]
		if have != "write" && have != "admin" && have != p.Access {
			missing = append(missing, p)
		}
	}
	return missing
}
