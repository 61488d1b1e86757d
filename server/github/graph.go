package github

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
)

// graphPulls is how many pull requests one query asks about; graphThreads how many
// conversations of each a page has.
const (
	graphPulls   = 50
	graphThreads = 100
)

// Judged is what only GraphQL tells of a pull request, at the head it was read.
type Judged struct {
	Head      string
	Review    queue.Review
	Files     int
	Additions int
	Deletions int
}

type graphPull struct {
	Head      string `json:"headRefOid"`
	Decision  string `json:"reviewDecision"` // null: no rule asks for a review
	Files     int    `json:"changedFiles"`
	Additions int    `json:"additions"`
	Deletions int    `json:"deletions"`
	Threads   struct {
		Nodes []struct {
			Resolved bool `json:"isResolved"`
		} `json:"nodes"`
		Page struct {
			More bool   `json:"hasNextPage"`
			End  string `json:"endCursor"`
		} `json:"pageInfo"`
	} `json:"reviewThreads"`
}

// Judge asks GitHub's own word on the reviews of pull requests: one call for up to
// fifty. Those that GitHub does not know are missing. Errors: *Trouble, or the context's.
func (a *App) Judge(ctx context.Context, place queue.Place, numbers []int) (map[int]Judged, error) {
	s, found := a.at(place), map[int]Judged{}
	for from := 0; from < len(numbers); from += graphPulls {
		asked := numbers[from:min(len(numbers), from+graphPulls)]
		if err := s.judge(ctx, asked, "", found); err != nil {
			return nil, fmt.Errorf("read GitHub's decision on %d pull requests of %s: %w", len(asked), s.name(), err)
		}
	}
	return found, nil
}

// judge reads one page of conversations of each, then the others' pages.
func (s site) judge(ctx context.Context, numbers []int, after string, into map[int]Judged) error {
	pulls, err := s.askGraph(ctx, numbers, after)
	if err != nil {
		return err
	}
	for _, number := range numbers {
		p := pulls[fmt.Sprintf("p%d", number)]
		if p == nil {
			continue
		}
		j := into[number]
		j.Head, j.Files, j.Additions, j.Deletions = p.Head, p.Files, p.Additions, p.Deletions
		j.Review.Decision = decision(p.Decision)
		for _, thread := range p.Threads.Nodes {
			if !thread.Resolved {
				j.Review.Unresolved++
			}
		}
		into[number] = j
		if p.Threads.Page.More && p.Threads.Page.End != after && j.Review.Unresolved == 0 {
			if err := s.judge(ctx, []int{number}, p.Threads.Page.End, into); err != nil {
				return err
			}
		}
	}
	return nil
}

func decision(word string) queue.Decision {
	switch word {
	case "":
		return queue.NoDecision
	case "APPROVED":
		return queue.DecidedApproved
	case "CHANGES_REQUESTED":
		return queue.DecidedChanges
	}
	return queue.DecidedRequired // or a word that is new: not approved
}

// graphQuery is the one query, with an alias for each pull request.
func graphQuery(numbers []int) string {
	var b strings.Builder
	b.WriteString("query($owner: String!, $name: String!, $after: String) { repository(owner: $owner, name: $name, followRenames: true) {")
	for _, number := range numbers {
		fmt.Fprintf(&b, " p%d: pullRequest(number: %d) { ...facts }", number, number)
	}
	fmt.Fprintf(&b, " } } fragment facts on PullRequest { headRefOid reviewDecision changedFiles additions deletions"+
		" reviewThreads(first: %d, after: $after) { nodes { isResolved } pageInfo { hasNextPage endCursor } } }", graphThreads)
	return b.String()
}

// askGraph sends the query. GraphQL answers 200 whatever happens: what went wrong stands beside the data.
func (s site) askGraph(ctx context.Context, numbers []int, after string) (map[string]*graphPull, error) {
	type fault struct {
		Type    string `json:"type"`
		Message string `json:"message"`
		Path    []any  `json:"path"` // names, and places in lists
	}
	var answer struct {
		Data struct {
			Repository json.RawMessage `json:"repository"`
		} `json:"data"`
		Errors []fault `json:"errors"`
	}
	variables := map[string]any{"owner": s.place.Owner, "name": s.place.Name, "after": given(after)}
	c := call{method: http.MethodPost, path: s.app.graphPath(), body: map[string]any{"query": graphQuery(numbers), "variables": variables}, out: &answer}
	if _, err := s.in.send(ctx, s.app, c); err != nil {
		return nil, err
	}
	for _, f := range answer.Errors {
		t := &Trouble{Kind: Unavailable, Call: "GraphQL", Message: cut(oneLine(f.Message, 300), 300)}
		switch f.Type {
		case "NOT_FOUND":
			if len(f.Path) > 1 {
				continue // one of them is gone; the others stand
			}
			t.Kind = Gone
		case "FORBIDDEN", "INSUFFICIENT_SCOPES":
			t.Kind = Forbidden
		case "RATE_LIMITED":
			t.Kind, t.RetryAt = Limited, s.app.clock().Add(time.Minute)
		}
		return nil, t
	}
	pulls := map[string]*graphPull{}
	if err := json.Unmarshal(answer.Data.Repository, &pulls); err != nil {
		return nil, &Trouble{Kind: Unavailable, Call: "GraphQL", Message: "the answer names no pull requests"}
	}
	return pulls, nil
}

// graphPath is where GraphQL is, seen from the REST API: beside it on GitHub
// Enterprise Server, below it on github.com.
func (a *App) graphPath() string {
	if strings.HasSuffix(a.apiURL.Path, "/api/v3/") {
		return "../graphql"
	}
	return "graphql"
}
