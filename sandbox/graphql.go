package sandbox

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

// Of GraphQL the forge knows one query: pull requests by number, each under an
// alias, with the fields of one fragment. Any other is answered with an error.

var graphRoute = &compiled{route: route{"POST /graphql", needInstallation, answerGraph}, method: "POST", template: "/graphql"}

var (
	graphShape = regexp.MustCompile(`^query\(\$owner: String!, \$name: String!, \$after: String\) \{ repository\(owner: \$owner, name: \$name, followRenames: true\) \{((?: p\d+: pullRequest\(number: \d+\) \{ \.\.\.facts \})+) \} \} fragment facts on PullRequest \{ ([^{}]+(?:\{[^$]*\})?[^$]*\$after\) \{ nodes \{ isResolved \} pageInfo \{ hasNextPage endCursor \} \}) \}$`)
	graphAlias = regexp.MustCompile(`(p\d+): pullRequest\(number: (\d+)\)`)
	graphFirst = regexp.MustCompile(`reviewThreads\(first: (\d+), after: \$after\)`)
)

const graphMost = 100 // of one connection

func graphFault(kind, message string, path ...string) reply {
	return ok(object{"data": nil, "errors": []object{{"type": kind, "path": path, "message": message}}})
}

func answerGraph(q *call) reply {
	var asked struct {
		Query     string `json:"query"`
		Variables struct {
			Owner string  `json:"owner"`
			Name  string  `json:"name"`
			After *string `json:"after"`
		} `json:"variables"`
	}
	if bad, good := q.read(&asked); !good {
		return bad
	}
	shape := graphShape.FindStringSubmatch(asked.Query)
	if shape == nil {
		return graphFault("undefinedField", "the forge in a box knows no such query")
	}
	for _, field := range strings.Fields(shape[2][:strings.Index(shape[2], "reviewThreads")]) {
		if !strings.Contains(" headRefOid reviewDecision changedFiles additions deletions ", " "+field+" ") {
			return graphFault("undefinedField", "Field '"+field+"' doesn't exist on type 'PullRequest'")
		}
	}
	first, _ := strconv.Atoi(graphFirst.FindStringSubmatch(shape[2])[1])
	if first < 1 || first > graphMost {
		return graphFault("EXCESSIVE_PAGINATION", "Requesting "+strconv.Itoa(first)+" records on the `reviewThreads` connection exceeds the `first` limit of 100 records.")
	}
	repo := q.f.repository(asked.Variables.Owner, asked.Variables.Name)
	if repo == nil || !q.who.sees(repo) {
		return graphFault("NOT_FOUND", "Could not resolve to a Repository with the name '"+asked.Variables.Owner+"/"+asked.Variables.Name+"'.", "repository")
	}
	if !q.who.may(repo, "pull_requests:read") {
		return graphFault("FORBIDDEN", "Resource not accessible by integration", "repository")
	}
	found, faults := object{}, []object{}
	for _, alias := range graphAlias.FindAllStringSubmatch(shape[1], -1) {
		number, _ := strconv.ParseInt(alias[2], 10, 64)
		p := repo.pull(number)
		if p == nil {
			found[alias[1]] = nil
			faults = append(faults, object{"type": "NOT_FOUND", "path": []string{"repository", alias[1]}, "message": "Could not resolve to a PullRequest with the number of " + alias[2] + "."})
			continue
		}
		facts, err := p.graph(first, asked.Variables.After)
		if err != nil {
			return fail(http.StatusInternalServerError, err.Error())
		}
		found[alias[1]] = facts
	}
	o := object{"data": object{"repository": found}}
	if len(faults) > 0 {
		o["errors"] = faults
	}
	return ok(o)
}

// graph words a pull request as the fragment asks.
func (p *pull) graph(first int, after *string) (object, error) {
	_, common, err := p.repo.objects.between(p.baseSHA, p.headSHA)
	if err != nil {
		return nil, err
	}
	files, err := p.repo.changedFiles(common, p.headSHA)
	if err != nil {
		return nil, err
	}
	added, removed := 0, 0
	for _, file := range files {
		a, _ := file["additions"].(int)
		d, _ := file["deletions"].(int)
		added, removed = added+a, removed+d
	}
	from := 0
	if after != nil {
		from, _ = strconv.Atoi(*after)
	}
	from = min(max(from, 0), len(p.threads))
	upTo := min(from+first, len(p.threads))
	nodes := []object{}
	for _, t := range p.threads[from:upTo] {
		nodes = append(nodes, object{"isResolved": t.resolved})
	}
	return object{"headRefOid": p.headSHA, "reviewDecision": orNull(p.decision()), "changedFiles": len(files), "additions": added, "deletions": removed,
		"reviewThreads": object{"nodes": nodes, "pageInfo": object{"hasNextPage": upTo < len(p.threads), "endCursor": orNull(strconv.Itoa(upTo))}}}, nil
}
