package github

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/sandbox"
)

// GitHub's own word on reviews and conversations, of many pull requests in one call.
func TestJudge(t *testing.T) {
	s := newScene(t)
	s.repo.SetCodeOwners(map[string]*sandbox.User{"app/": s.maintainer})
	s.repo.Protect("main", sandbox.Rules{CodeOwnerReviews: true})
	s.push("owned", "", map[string]string{"app/a": "1\n", "b": "2\n"})
	owned, err := s.repo.OpenPullRequest(sandbox.OpenPullRequest{Head: "owned", Title: "owned"})
	s.must(err)
	free := s.open("free")
	s.must(s.repo.Discuss(free.Number, s.writer))
	number := int(owned.Number)
	judge := func() map[int]Judged {
		t.Helper()
		before := s.forge.Calls()["POST /graphql"]
		got, err := s.app.Judge(s.ctx, s.place, []int{number, int(free.Number), 4711})
		s.must(err)
		if n := s.forge.Calls()["POST /graphql"] - before; n != 1 {
			t.Errorf("it took %d calls", n)
		}
		return got
	}
	got := judge()
	if len(got) != 2 || got[number].Review != (queue.Review{Decision: queue.DecidedRequired}) || got[number].Head != owned.HeadSHA || got[number].Files != 2 || got[number].Additions != 2 {
		t.Errorf("read %+v", got)
	}
	if got[int(free.Number)].Review != (queue.Review{Decision: queue.NoDecision, Unresolved: 1}) {
		t.Errorf("nobody owns what it touches: %+v", got[int(free.Number)])
	}
	s.review(owned.Number, s.writer, "approved") // no owner
	if got := judge(); got[number].Review.Decision != queue.DecidedRequired {
		t.Errorf("approved by no owner: %+v", got[number])
	}
	s.review(owned.Number, s.maintainer, "approved")
	s.must(s.repo.ResolveAll(free.Number, s.writer))
	got = judge()
	if got[number].Review.Decision != queue.DecidedApproved || got[int(free.Number)].Review.Unresolved != 0 {
		t.Errorf("approved and resolved: %+v", got)
	}
	s.review(owned.Number, s.writer, "changes_requested")
	if got := judge(); got[number].Review.Decision != queue.DecidedChanges {
		t.Errorf("changes requested: %+v", got[number])
	}
}

// A hundred resolved conversations must not hide the one behind them.
func TestJudgeReadsConversationsToTheEnd(t *testing.T) {
	s := newScene(t)
	pr := s.open("talked-about")
	for range 230 {
		s.must(s.repo.Discuss(pr.Number, s.writer))
	}
	s.must(s.repo.ResolveAll(pr.Number, s.writer))
	s.must(s.repo.Discuss(pr.Number, s.writer))
	got, err := s.app.Judge(s.ctx, s.place, []int{int(pr.Number)})
	s.must(err)
	if got[int(pr.Number)].Review.Unresolved != 1 {
		t.Errorf("read %+v", got)
	}
}

// GraphQL answers 200 whatever happens: what went wrong stands in the body.
func TestJudgeInTrouble(t *testing.T) {
	for name, c := range map[string]struct {
		body string
		kind Kind
	}{
		"limited":           {`{"errors":[{"type":"RATE_LIMITED","message":"API rate limit exceeded"}]}`, Limited},
		"forbidden":         {`{"data":{"repository":null},"errors":[{"type":"FORBIDDEN","path":["repository"],"message":"Resource not accessible by integration"}]}`, Forbidden},
		"no repository":     {`{"data":{"repository":null},"errors":[{"type":"NOT_FOUND","path":["repository"],"message":"Could not resolve"}]}`, Gone},
		"deep in a list":    {`{"data":{"repository":null},"errors":[{"type":"FORBIDDEN","path":["repository","p1","reviewThreads","nodes",0],"message":"no"}]}`, Forbidden},
		"something broke":   {`{"data":null,"errors":[{"message":"Something went wrong while executing your query."}]}`, Unavailable},
		"nothing at all":    {`{}`, Unavailable},
		"another shape":     {`{"data":{"repository":[1]}}`, Unavailable},
		"a word that's new": {`{"data":{"repository":{"p3":{"headRefOid":"a","reviewDecision":"PONDERED"}}}}`, ""},
	} {
		f := newForge(t, func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/graphql") {
				fmt.Fprint(w, c.body)
			}
		})
		got, err := f.app(t, Options{}).Judge(deadline(t), shop, []int{3})
		if KindOf(err) != c.kind || c.kind == "" && (err != nil || got[3].Review.Decision != queue.DecidedRequired) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

// A status is an App's when GitHub shows the App's picture beside it.
func TestReadStatusesSaysWhoseTheyAre(t *testing.T) {
	s := newScene(t)
	ci, err := s.forge.NewApp(sandbox.AppOptions{Name: "other ci"})
	s.must(err)
	tip := s.repo.Ref("main")
	s.repo.SetStatus(ci, tip, "jenkins", "success")
	s.repo.SetStatus(s.writer, tip, "by hand", "failure")
	lines, err := s.app.ReadStatuses(s.ctx, s.place, tip)
	s.must(err)
	apps := map[string]int64{}
	for _, line := range lines {
		apps[line.Context] = line.App
	}
	if len(apps) != 2 || apps["jenkins"] != ci.ID || apps["by hand"] != 0 {
		t.Errorf("read %+v", lines)
	}
	for picture, app := range map[string]int64{"https://avatars.githubusercontent.com/in/15368?v=4": 15368, "https://avatars.githubusercontent.com/u/7?v=4": 0,
		"": 0, "https://x/in/": 0, "https://x/in/-4": 0, "https://x/in/4/5": 0, ":": 0} {
		if got := appOf(picture); got != app {
			t.Errorf("%q is App %d, want %d", picture, got, app)
		}
	}
}
