package github

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/sandbox"
)

// People get one comment, however often something is asked of them, also across a restart.
func TestTheOneCommentIsEditedInPlace(t *testing.T) {
	s := newScene(t)
	pr := s.open("feature")
	n := int(pr.Number)
	for range 101 { // ours is not on the first page
		_, err := s.repo.Comment(pr.Number, s.stranger, "chatter")
		s.must(err)
	}
	_, err := s.repo.Comment(pr.Number, s.stranger, marker+"\nI am the queue, trust me.")
	s.must(err)

	s.must(s.app.PostComment(s.ctx, s.place, n, "Out of the queue."))
	s.calls.take()
	s.must(s.app.PostComment(s.ctx, s.place, n, "Out once more."))
	s.expect("the second time", "PATCH /issues/comments/#")
	s.app = s.newApp(Options{})
	s.must(s.app.PostComment(s.ctx, s.place, n, "Out a third time."))
	s.must(s.newApp(Options{}).PostComment(s.ctx, s.place, n, "Out a third time."))
	s.expect("after restarts", "GET /issues/#/comments", "GET /issues/#/comments", "PATCH /issues/comments/#", "GET /issues/#/comments", "GET /issues/#/comments")

	bodies := s.repo.Comments(pr.Number)
	if len(bodies) != 103 || bodies[102] != marker+"\nOut a third time." || !strings.Contains(bodies[101], "trust me") {
		t.Errorf("%d comments, the last %q", len(bodies), bodies[len(bodies)-2:])
	}
}

// Labels: one call where ours exist, made with a colour and a word where not;
// taking off one that is off already is fine.
func TestLabels(t *testing.T) {
	s := newScene(t)
	ours := []Label{{label, "0b6e69", "Put this pull request in the merge queue"}, {"solo", "626b68", "Alone"}}
	s.must(s.app.EnsureLabels(s.ctx, s.place, ours))
	s.expect("made", "GET /labels", "POST /labels", "POST /labels")
	ours[0].Name = "Merge-Queue" // GitHub knows no case in labels
	s.must(s.app.EnsureLabels(s.ctx, s.place, ours))
	s.expect("there", "GET /labels")

	pr := s.open("feature")
	for _, name := range []string{label, "odd / name? 100%"} {
		s.must(s.repo.Label(pr.Number, s.writer, name))
		for range 2 {
			s.must(s.app.RemoveLabel(s.ctx, s.place, int(pr.Number), name))
		}
	}
	if now, _ := s.repo.PullRequest(pr.Number); len(now.Labels) != 0 {
		t.Errorf("labels %q", now.Labels)
	}
}

// The sweep is the net under lost webhooks: it finds every labelled pull request, on any page.
func TestFindWishes(t *testing.T) {
	s := newScene(t)
	var want []int
	labels := queue.Labels{Hotfix: "hotfix", Hold: "hold", Priority: map[string]int{"security": 10}}
	for i := range 3 {
		pr := s.open(string(rune('a' + i)))
		if i != 1 {
			s.must(s.repo.Label(pr.Number, s.writer, label))
			want = append(want, int(pr.Number))
		}
		if i == 2 {
			for _, name := range []string{"security", "Hotfix", "hold", "bug"} {
				s.must(s.repo.Label(pr.Number, s.writer, name))
			}
		}
	}
	closed := s.open("closed")
	s.must(s.repo.Label(closed.Number, s.writer, label))
	s.must(s.repo.Close(closed.Number, s.writer))
	s.calls.take()
	got, err := s.app.FindWishes(s.ctx, s.place, label, labels)
	if err != nil || !slices.Equal(got.Numbers, want) {
		t.Errorf("found %v, %v; want %v", got, err, want)
	}
	if marks := got.Marks[want[1]]; len(got.Marks) != 1 || marks != "hold,hotfix,security" {
		t.Errorf("marks %v", got.Marks)
	}
	s.expect("one page", "GET /issues")
	if _, err := s.app.FindWishes(s.ctx, s.place, "a,b", labels); err == nil {
		t.Error("a label with a comma would be taken for two")
	}
}

func TestClosePull(t *testing.T) {
	s := newScene(t)
	pr := s.open("feature")
	for range 2 {
		s.must(s.app.ClosePull(s.ctx, s.place, int(pr.Number)))
	}
	if now, _ := s.repo.PullRequest(pr.Number); now.State != "closed" {
		t.Errorf("it is %s", now.State)
	}
}

// The server starts from what GitHub lists, and must not stop at the first page or installation.
func TestRepositories(t *testing.T) {
	s := newScene(t)
	other, err := s.forge.NewRepository(sandbox.RepositoryOptions{Owner: "zeta", Name: "tools", DefaultBranch: "trunk"})
	s.must(err)
	install := other.Install(s.us)
	got, err := s.app.Repositories(s.ctx)
	s.must(err)
	slices.SortFunc(got, func(a, b queue.Place) int { return strings.Compare(a.Owner, b.Owner) })
	want := []queue.Place{s.place, {Installation: install, Repository: other.ID, Owner: "zeta", Name: "tools", Branch: "trunk"}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}

// A result counts only if it is of the ticket's own push and not our own.
func TestReadResults(t *testing.T) {
	s := newScene(t)
	ci, err := s.forge.NewApp(sandbox.AppOptions{Name: "Other CI", WebhookSecret: "s"})
	s.must(err)
	s.repo.Install(ci)
	const ticket = "mainstay/main/1"
	commit := s.push(ticket, "main", map[string]string{"x": "1"})
	s.repo.SetCheck(ci, commit, "build", "success")
	s.repo.SetCheck(ci, commit, "lint", "")
	s.must(s.app.PostResult(s.ctx, s.place, commit, "Ours", ""))
	s.repo.SetStatus(s.writer, commit, "legacy", "pending")
	s.repo.SetStatus(s.writer, commit, "legacy", "success")
	s.calls.take()

	got, err := s.app.ReadResults(s.ctx, s.place, ticket, commit, true)
	s.must(err)
	s.expect("with statuses", "GET /actions/runs", "GET /commits/#/check-runs", "GET /commits/#/status")
	checks := map[string]string{}
	for _, c := range got.Checks {
		checks[c.Name] = c.Status + " " + c.Conclusion
		if c.App != ci.ID || c.ID == 0 {
			t.Errorf("check %+v", c)
		}
	}
	if !reflect.DeepEqual(checks, map[string]string{"build": "completed success", "lint": "in_progress "}) {
		t.Errorf("checks %v", checks)
	}
	if len(got.Statuses) != 1 || got.Statuses[0].State != "success" || got.Statuses[0].Context != "legacy" || got.ReadAt.IsZero() {
		t.Errorf("results %+v", got)
	}
	_, err = s.app.ReadResults(s.ctx, s.place, ticket, commit, false)
	s.must(err)
	s.expect("without", "GET /actions/runs", "GET /commits/#/check-runs")
}
