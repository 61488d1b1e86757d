package github

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/sandbox"
)

// One check follows a pull request from queued to its end: it is made once, edited
// in place, and found again after a crash that lost its id.
func TestTheCheckIsMadeOnceAndEdited(t *testing.T) {
	s := newScene(t)
	s.app = s.newApp(Options{PageURL: func(p queue.Place, pr int) string {
		return fmt.Sprintf("https://mainstay.example.com/%s/%s/%d", p.Owner, p.Name, pr)
	}})
	pr := s.open("feature")
	c := queue.PostCheck{PR: int(pr.Number), Head: pr.HeadSHA, Title: "1st in line", Summary: "Soon.", Status: "queued", ExternalID: "mainstay/1/5"}
	id, err := s.app.PostCheck(s.ctx, s.place, c)
	s.must(err)
	s.expect("made", "POST /check-runs")

	c.ID, c.Title, c.Status = id, "Testing", "in_progress"
	if same, err := s.app.PostCheck(s.ctx, s.place, c); err != nil || same != id {
		t.Errorf("edited: %d, %v", same, err)
	}
	s.expect("edited", "PATCH /check-runs/#")

	s.app = s.newApp(Options{}) // a crash: the id is lost
	c.ID, c.Again, c.Title, c.Status, c.Conclusion = 0, true, "Out: TestCheckout failed", "completed", "failure"
	c.Tests = []queue.FailedTest{{Name: "TestCheckout", File: "shop/checkout_test.go", Line: 12, Message: "want 3, got 4"}, {Name: "TestNowhere"}}
	if same, err := s.app.PostCheck(s.ctx, s.place, c); err != nil || same != id {
		t.Errorf("found: %d, want %d, %v", same, id, err)
	}
	s.expect("found", "GET /commits/#/check-runs", "PATCH /check-runs/#")
	runs := s.repo.CheckRuns(pr.HeadSHA)
	if len(runs) != 1 {
		t.Fatalf("%d check runs", len(runs))
	}
	if r := runs[0]; r.Name != "Mainstay" || r.AppID != s.us.ID || r.Title != c.Title || r.Summary != "Soon." || r.Status != "completed" ||
		r.Conclusion != "failure" || r.ExternalID != "mainstay/1/5" || r.Annotations != 1 || r.DetailsURL == "" {
		t.Errorf("check run %+v", r)
	}

	c.ExternalID = "mainstay/1/9" // a new wish on the same head
	if other, err := s.app.PostCheck(s.ctx, s.place, c); err != nil || other == id {
		t.Errorf("a new wish: %d, %v", other, err)
	}
}

// After a cut connection the check may be there already: looking first keeps it one.
func TestACheckWhoseAnswerWasLostIsNotMadeTwice(t *testing.T) {
	s := newScene(t)
	pr := s.open("feature")
	c := queue.PostCheck{PR: int(pr.Number), Head: pr.HeadSHA, Title: "1st in line", Status: "queued", ExternalID: "mainstay/1/5"}
	s.forge.Faults.Break(sandbox.HTTPFault{Method: "POST", Times: 1, When: sandbox.AfterEffect, Skip: 1}) // the token goes well
	if _, err := s.app.PostCheck(s.ctx, s.place, c); KindOf(err) != Unavailable {
		t.Fatalf("a broken answer: %v", err)
	}
	c.Again = true
	if _, err := s.app.PostCheck(s.ctx, s.place, c); err != nil {
		t.Fatal(err)
	}
	if runs := s.repo.CheckRuns(pr.HeadSHA); len(runs) != 1 {
		t.Errorf("%d check runs", len(runs))
	}
}

// A branch rule may ask for our check on the pushed commit.
func TestTheResultIsPutOnACommit(t *testing.T) {
	s := newScene(t)
	commit := s.push("feature", "main", map[string]string{"x": "1"})
	s.must(s.app.PostResult(s.ctx, s.place, commit, "Tested: landing", "It was green."))
	s.expect("posted", "POST /check-runs")
	runs := s.repo.CheckRuns(commit)
	if len(runs) != 1 || runs[0].Name != "Mainstay" || runs[0].Conclusion != "success" || runs[0].Title != "Tested: landing" {
		t.Errorf("check runs %+v", runs)
	}
}

// GitHub refuses a check that is too long, and a refused check would leave people
// with a stale one: so everything is cut to fit, whatever a test printed.
func TestOutputIsCutToGitHubsLimits(t *testing.T) {
	tests := []queue.FailedTest{
		{Name: "abs", File: "/etc/passwd", Line: 1}, {Name: "out", File: "../../x", Line: 1}, {Name: "no line", File: "x.go"},
		{Name: strings.Repeat("é", 300) + "\n", File: "./a/../x.go", Line: 3},
	}
	for range 100 {
		tests = append(tests, queue.FailedTest{Name: "T", File: "x.go", Line: 1, Message: strings.Repeat("m", 100_000)})
	}
	out := output(queue.PostCheck{Title: strings.Repeat("long\r\n", 100), Summary: strings.Repeat("日", 65_000), Tests: tests})
	if n := len(*out.Title); n > 255 || strings.ContainsAny(*out.Title, "\r\n") {
		t.Errorf("title of %d: %q", n, *out.Title)
	}
	if n := len(*out.Summary); n > 65_000 || n < 64_990 || !utf8.ValidString(*out.Summary) {
		t.Errorf("summary of %d bytes", n)
	}
	if n := len(out.Annotations); n != 50 {
		t.Errorf("%d annotations", n)
	}
	if first := out.Annotations[0]; *first.Path != "x.go" || *first.StartLine != 3 || *first.Message != "failed" || len(*first.Title) > 255 || !utf8.ValidString(*first.Title) {
		t.Errorf("first annotation %+v", first)
	}
	if out := output(queue.PostCheck{}); *out.Title == "" {
		t.Error("GitHub wants a title")
	}
}
