package sandbox_test

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-github/v60/github"

	"github.com/mainstay-ci/mainstay/sandbox"
)

// Whatever the sandbox can tell is told once here, and found's watch holds each
// payload against the schema of its event.
func TestEveryEventIsAsItsSchemaSays(t *testing.T) {
	// Given a repository of an organisation, with a workflow that runs.
	w := found(t)
	bob := w.NewUser("bob")
	w.move("main", w.commit("main", ".github/workflows/ci.yml", "name: CI\non: [push, pull_request]\njobs:\n  test:\n    runs-on: ubuntu-latest\n    steps:\n      - run: 'true'\n"))
	w.move("other", w.base)

	// When all happens that can happen.
	w.open("feature")
	must(t, w.repo.Label(1, w.alice, "merge-queue"))
	must(t, w.repo.Unlabel(1, w.alice, "merge-queue"))
	must(t, w.repo.Review(1, w.alice, "approved"))
	must(t, w.repo.Review(1, w.alice, "changes_requested"))
	must(t, w.repo.DismissReviews(1, w.alice, w.alice))
	must(t, w.repo.Discuss(1, w.alice))
	must(t, w.repo.ResolveAll(1, w.alice))
	must(t, w.repo.ConvertToDraft(1, w.alice))
	must(t, w.repo.ReadyForReview(1, w.alice))
	must(t, w.repo.EditPullRequest(1, w.alice, "Another title", "Another text"))
	must(t, w.repo.Retarget(1, w.alice, "other"))
	_, err := w.repo.Comment(1, w.alice, "hello")
	must(t, err)
	w.comments(1)
	w.move("feature", w.commit("feature", "more", "1"))
	must(t, w.repo.Close(1, w.alice))
	must(t, w.repo.Reopen(1, w.alice))
	w.move("other", w.pull(1).HeadSHA) // merged
	fork, err := w.repo.Fork(bob)
	must(t, err)
	theirs, err := fork.Commit("main", map[string]string{"b": "b\n"}, "From afar")
	must(t, err)
	must(t, fork.Push(bob, sandbox.RefUpdate{Ref: "topic", New: theirs}))
	_, err = w.repo.OpenPullRequest(sandbox.OpenPullRequest{By: bob, HeadRepository: fork, Head: "topic", Title: "From afar"})
	must(t, err)
	for _, state := range []string{"pending", "success", "failure", "error"} {
		w.repo.SetStatus(w.alice, w.base, "ci", state)
	}
	w.repo.SetCheck(w.app, w.base, "build", "")
	w.repo.SetCheck(w.app, w.base, "build", "success")
	must(t, w.repo.Push(w.alice, sandbox.RefUpdate{Ref: "refs/tags/v1", New: w.base}))
	must(t, w.repo.Push(w.alice, sandbox.RefUpdate{Ref: "refs/tags/v1"}))
	must(t, w.repo.Push(w.alice, sandbox.RefUpdate{Ref: "feature"}))
	second, err := w.NewRepository(sandbox.RepositoryOptions{Owner: "acme", Name: "gadgets"})
	must(t, err)
	second.Install(w.app)
	for _, on := range []bool{true, false} {
		second.Archive(on)
		second.Suspend(w.app, on)
	}
	second.Rename("things")
	second.Uninstall(w.app)
	elsewhere, err := w.NewRepository(sandbox.RepositoryOptions{Owner: "zeta", Name: "tools"})
	must(t, err)
	elsewhere.Install(w.app)
	w.settle()

	// Then every event came, none of them in a shape of its own.
	names, _ := w.inbox.take()
	told := map[string]bool{}
	for _, name := range names {
		told[name] = true
		event, _, _ := strings.Cut(name, ".")
		told[event] = true
	}
	for _, event := range worded(t) {
		if !told[event] {
			t.Errorf("the sandbox words the event %s: provoke it here", event)
		}
	}
}

// worded are the events the sandbox's source words.
func worded(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	must(t, err)
	names := map[string]bool{}
	for _, file := range files {
		source, err := os.ReadFile(file)
		must(t, err)
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		for _, found := range event.FindAllStringSubmatch(string(source), -1) {
			names[found[1]] = true
		}
	}
	if len(names) < 10 {
		t.Fatalf("only %v found in the source", names)
	}
	return slices.Sorted(maps.Keys(names))
}

var event = regexp.MustCompile(`(?:emit\([^,]+, |\bEvent: |listeners\([^,]+, |\bevent = )"(\w+)"`)

// comments has the App write a comment, edit it and take it away.
func (w *town) comments(number int64) {
	w.t.Helper()
	gh := w.client()
	c, _, err := gh.Issues.CreateComment(soon(w.t), "acme", "widgets", int(number), &github.IssueComment{Body: github.String("one")})
	must(w.t, err)
	_, _, err = gh.Issues.EditComment(soon(w.t), "acme", "widgets", c.GetID(), &github.IssueComment{Body: github.String("two")})
	must(w.t, err)
	_, err = gh.Issues.DeleteComment(soon(w.t), "acme", "widgets", c.GetID())
	must(w.t, err)
}
