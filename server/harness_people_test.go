package main

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"sync"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/sandbox"
)

// open opens a pull request of the author's with these files, from a branch of its own on the base.
func (w *town) open(branch string, files map[string]string) int {
	w.t.Helper()
	return w.openFrom(w.repo, w.author, branch, files)
}

// opens is open with one new file, which conflicts with nothing.
func (w *town) opens(branch string) int {
	w.t.Helper()
	return w.open(branch, map[string]string{branch + ".txt": branch + "\n"})
}

// opensSeveral opens so many pull requests that conflict with nothing.
func (w *town) opensSeveral(n int) []int {
	w.t.Helper()
	var prs []int
	for i := range n {
		prs = append(prs, w.opens(fmt.Sprintf("topic-%d", i+1)))
	}
	return prs
}

func (w *town) openFrom(from *sandbox.Repository, by *sandbox.User, branch string, files map[string]string) int {
	w.t.Helper()
	head, err := from.Commit("main", files, "Change "+branch)
	w.must(err)
	w.must(from.Push(by, sandbox.RefUpdate{Ref: branch, New: head}))
	open := sandbox.OpenPullRequest{By: by, Head: branch, Title: "Change " + branch}
	if from != w.repo {
		open.HeadRepository = from
	}
	pr, err := w.repo.OpenPullRequest(open)
	w.must(err)
	w.gate.remember(head, int(pr.Number))
	return int(pr.Number)
}

// pushTo has the author push once more to a pull request's branch.
func (w *town) pushTo(pr int) string {
	w.t.Helper()
	head, err := w.repo.Commit(w.pull(pr).HeadSHA, map[string]string{"more.txt": "more\n"}, "One more thought")
	w.must(err)
	w.gate.remember(head, pr)
	w.must(w.repo.Push(w.author, sandbox.RefUpdate{Ref: w.pull(pr).HeadRef, New: head}))
	return head
}

// pushAround has the owner push a commit to the base around the queue.
func (w *town) pushAround(file string) string {
	w.t.Helper()
	commit, err := w.repo.Commit("main", map[string]string{file: "pushed around the queue\n"}, "Around the queue")
	w.must(err)
	w.must(w.repo.Push(w.owner, sandbox.RefUpdate{Ref: "main", Old: w.git("rev-parse", commit+"^"), New: commit}))
	return commit
}

// labelTogether labels while the queue is paused, so that all are in one batch.
func (w *town) labelTogether(prs ...int) {
	w.t.Helper()
	w.must(w.server.engine.Pause(context.Background(), w.place.ID, "octavia", "one batch, please"))
	w.until("the queue is paused", func() bool { return w.rows().Header.Pause != nil })
	w.label(prs...)
	for _, pr := range prs {
		w.awaitPhase(pr, queue.Waiting)
	}
	w.must(w.server.engine.Resume(context.Background(), w.place.ID, "octavia"))
}

func (w *town) label(prs ...int) {
	w.t.Helper()
	for _, pr := range prs {
		w.must(w.repo.Label(int64(pr), w.owner, "merge-queue"))
	}
}

// ruled approves a pull request as a maintainer, for those that change a workflow.
func (w *town) ruled(pr int) {
	w.t.Helper()
	ruler := w.forge.NewUser("ruler")
	w.must(w.repo.SetPermission(ruler, "maintain"))
	w.must(w.repo.Review(int64(pr), ruler, "APPROVED"))
}

func (w *town) pull(pr int) sandbox.PullRequest {
	w.t.Helper()
	pull, ok := w.repo.PullRequest(int64(pr))
	if !ok {
		w.t.Fatalf("there is no #%d", pr)
	}
	return pull
}

// check is the last word of our own check on a commit.
func (w *town) check(commit string) sandbox.CheckRun {
	var last sandbox.CheckRun
	for _, c := range w.repo.CheckRuns(commit) {
		if c.AppID == w.app.ID && c.Name == "Mainstay" {
			last = c
		}
	}
	return last
}

// ourChecks counts our own checks on a commit.
func (w *town) ourChecks(commit string) int {
	n := 0
	for _, c := range w.repo.CheckRuns(commit) {
		if c.AppID == w.app.ID {
			n++
		}
	}
	return n
}

// said reports whether a comment on the pull request has these words.
func (w *town) said(pr int, words string) bool {
	for _, body := range w.repo.Comments(int64(pr)) {
		if strings.Contains(body, words) {
			return true
		}
	}
	return false
}

// tickets are the branches of living attempts.
func (w *town) tickets() map[string]string {
	found := map[string]string{}
	for ref, commit := range w.repo.Refs() {
		if strings.HasPrefix(ref, "refs/heads/mainstay/") {
			found[ref] = commit
		}
	}
	return found
}

// awaitPhase waits until a pull request's entry stands there.
func (w *town) awaitPhase(pr int, phase queue.Phase) {
	w.t.Helper()
	w.until(fmt.Sprintf("#%d is %s", pr, phase), func() bool { return w.entry(pr).Phase == phase })
}

// git asks the forge's own repository.
func (w *town) git(args ...string) string {
	w.t.Helper()
	out, err := exec.Command("git", append([]string{"--git-dir", w.repo.GitDir()}, args...)...).Output()
	if err != nil {
		w.t.Fatalf("git %s: %v", strings.Join(args, " "), err)
	}
	return strings.TrimSpace(string(out))
}

// otherCI is a CI of its own App that tests whatever stands on a ticket: red
// where the tree holds a file whose name begins with "broken", green otherwise.
type otherCI struct {
	town *town
	app  *sandbox.App

	mu     sync.Mutex
	held   bool
	seen   map[string]bool
	tested []string // commits, in order
}

func openCI(w *town) *otherCI {
	app, err := w.forge.NewApp(sandbox.AppOptions{Name: "other ci"})
	w.must(err)
	ci := &otherCI{town: w, app: app, seen: map[string]bool{}}
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			changed := w.forge.Changed()
			ci.look()
			select {
			case <-changed:
			case <-done:
				return
			}
		}
	}()
	w.t.Cleanup(func() { close(done); <-ended })
	return ci
}

// hold keeps all conclusions back until release.
func (ci *otherCI) hold() {
	ci.mu.Lock()
	defer ci.mu.Unlock()
	ci.held = true
}

func (ci *otherCI) release() {
	ci.mu.Lock()
	ci.held = false
	ci.mu.Unlock()
	ci.look()
}

func (ci *otherCI) look() {
	ci.mu.Lock()
	defer ci.mu.Unlock()
	if ci.held {
		return
	}
	for _, commit := range ci.town.tickets() {
		if ci.seen[commit] {
			continue
		}
		ci.seen[commit] = true
		ci.tested = append(ci.tested, commit)
		conclusion := "success"
		files, err := exec.Command("git", "--git-dir", ci.town.repo.GitDir(), "ls-tree", "--name-only", commit).Output()
		if err != nil || strings.Contains("\n"+string(files), "\nbroken") {
			conclusion = "failure"
		}
		ci.town.repo.SetCheck(ci.app, commit, "ci", conclusion)
	}
}

// runs is how many commits were tested.
func (ci *otherCI) runs() int {
	ci.mu.Lock()
	defer ci.mu.Unlock()
	return len(ci.tested)
}
