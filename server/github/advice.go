package github

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/google/go-github/v60/github"

	"github.com/mainstay-ci/mainstay/queue"
)

const workflowFolder = ".github/workflows/"

// ours ends the address of an attempt's commits: heads we move are examined already.
const ours = ".mainstay.invalid"

// ChangedWorkflows tells a push that changes a workflow on a branch which is neither
// the default one nor a ticket: the default branch's place, and the commit. It reads
// the webhook alone: a push of more commits than GitHub lists may go by.
func (a *App) ChangedWorkflows(event string, body []byte) (place queue.Place, commit string, ok bool) {
	place, commit, files := pushedFiles(event, body)
	for _, path := range files {
		if strings.HasPrefix(path, workflowFolder) {
			return place, commit, true
		}
	}
	return queue.Place{}, "", false
}

// pushedFiles are the files that a push to a branch changes; none where it is the
// default branch or a ticket. The place is the default branch's.
func pushedFiles(event string, body []byte) (place queue.Place, commit string, files []string) {
	if event != "push" {
		return place, "", nil
	}
	type listed struct {
		Added, Modified, Removed []string
	}
	var p struct {
		Ref     string   `json:"ref"`
		After   string   `json:"after"`
		Deleted bool     `json:"deleted"`
		Commits []listed `json:"commits"`
		Head    struct {
			Committer struct {
				Email string `json:"email"`
			} `json:"committer"`
		} `json:"head_commit"`
	}
	var base struct {
		Repository struct {
			DefaultBranch string `json:"default_branch"`
		} `json:"repository"`
	}
	var h hook
	if json.Unmarshal(body, &p) != nil || json.Unmarshal(body, &base) != nil || json.Unmarshal(body, &h) != nil {
		return place, "", nil
	}
	branch, is := strings.CutPrefix(p.Ref, "refs/heads/")
	usual := base.Repository.DefaultBranch
	if !is || p.Deleted || !isCommit(p.After) || branch == usual || usual == "" || strings.HasPrefix(branch, ticketPrefix) || h.Repository.ID <= 0 ||
		strings.HasSuffix(p.Head.Committer.Email, ours) {
		return place, "", nil
	}
	for _, c := range p.Commits {
		files = append(append(append(files, c.Added...), c.Modified...), c.Removed...)
	}
	return h.place(usual), p.After, files
}

// Advice is a check beside the one that lands: it blocks nothing.
type Advice struct {
	Name, Title, Summary string
	Conclusion           string // success or neutral; failure for what is wrong in itself
	Lines                []AdvisedLine
}

// AdvisedLine is a word on a line of a file.
type AdvisedLine struct {
	Path        string
	Line        int
	Title, Text string
	Wrong       bool // an error, not a warning
}

// PostAdvice puts the check on a commit, in the place of the one that is there.
// Errors: *Trouble, or the context's.
func (a *App) PostAdvice(ctx context.Context, place queue.Place, commit string, v Advice) error {
	s := a.at(place)
	title, summary := oneLine(v.Title, titleLimit), cut(v.Summary, summaryLimit)
	out := &github.CheckRunOutput{Title: &title, Summary: &summary}
	for _, l := range v.Lines[:min(len(v.Lines), annotationLimit)] {
		level := "warning"
		if l.Wrong {
			level = "failure"
		}
		heading, text := oneLine(l.Title, titleLimit), cut(l.Text, messageLimit)
		out.Annotations = append(out.Annotations, &github.CheckRunAnnotation{Path: &l.Path, StartLine: &l.Line, EndLine: &l.Line,
			AnnotationLevel: &level, Title: &heading, Message: &text})
	}
	status := "completed"
	var there struct {
		Checks []checkRun `json:"check_runs"`
	}
	query := url.Values{"check_name": {v.Name}, "app_id": {fmt.Sprint(a.id)}}
	_, err := s.get(ctx, "commits/"+segment(commit)+"/check-runs", query, &there)
	switch {
	case err != nil:
	case len(there.Checks) > 0:
		_, err = s.send(ctx, http.MethodPatch, fmt.Sprintf("check-runs/%d", there.Checks[0].ID),
			github.UpdateCheckRunOptions{Name: v.Name, Status: &status, Conclusion: &v.Conclusion, Output: out}, nil)
	default:
		_, err = s.send(ctx, http.MethodPost, "check-runs",
			github.CreateCheckRunOptions{Name: v.Name, HeadSHA: commit, Status: &status, Conclusion: &v.Conclusion, Output: out}, nil)
	}
	if err != nil {
		return fmt.Errorf("post %q on %s in %s: %w", v.Name, commit, s.name(), err)
	}
	return nil
}
