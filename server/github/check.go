package github

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strings"
	"unicode"

	"github.com/google/go-github/v60/github"

	"github.com/mainstay-ci/mainstay/queue"
)

// GitHub refuses what is longer instead of cutting it.
const (
	titleLimit      = 255
	summaryLimit    = 65_000
	annotationLimit = 50
	messageLimit    = 8_000
)

// PostCheck makes the check on a pull request's head look as told and gives its
// id: the one of that id is edited; with Again, one of ours with the same external
// id; else it is made. Errors: *Trouble, or the context's.
func (a *App) PostCheck(ctx context.Context, place queue.Place, c queue.PostCheck) (int64, error) {
	s, id := a.at(place), c.ID
	var err error
	if id == 0 && c.Again {
		id, err = s.findCheck(ctx, c.Head, c.ExternalID)
	}
	if err == nil && id != 0 {
		err = s.editCheck(ctx, id, c)
	} else if err == nil {
		id, err = s.createCheck(ctx, c)
	}
	if err != nil {
		return 0, fmt.Errorf("post check on #%d of %s: %w", c.PR, s.name(), err)
	}
	return id, nil
}

// PostResult puts a green check of ours on a commit. Doing it twice leaves two of
// the same, of which GitHub shows the newer. Errors: *Trouble, or the context's.
func (a *App) PostResult(ctx context.Context, place queue.Place, commit, title, summary string) error {
	s := a.at(place)
	_, err := s.createCheck(ctx, queue.PostCheck{Head: commit, Title: title, Summary: summary,
		Status: "completed", Conclusion: "success", ExternalID: "mainstay/result"})
	if err != nil {
		return fmt.Errorf("post result on %s in %s: %w", commit, s.name(), err)
	}
	return nil
}

func (s site) createCheck(ctx context.Context, c queue.PostCheck) (int64, error) {
	var made checkRun
	body := github.CreateCheckRunOptions{Name: s.app.checkName, HeadSHA: c.Head, ExternalID: &c.ExternalID, Status: &c.Status,
		Conclusion: given(c.Conclusion), DetailsURL: s.page(c.PR), Output: output(c), Actions: buttons(c)}
	_, err := s.send(ctx, http.MethodPost, "check-runs", body, &made)
	if err == nil && made.ID == 0 {
		err = &Trouble{Kind: Unavailable, Call: "POST check-runs", Message: "the answer names no check run"}
	}
	return made.ID, err
}

func (s site) editCheck(ctx context.Context, id int64, c queue.PostCheck) error {
	body := github.UpdateCheckRunOptions{Name: s.app.checkName, ExternalID: &c.ExternalID, Status: &c.Status,
		Conclusion: given(c.Conclusion), DetailsURL: s.page(c.PR), Output: output(c), Actions: buttons(c)}
	_, err := s.send(ctx, http.MethodPatch, fmt.Sprintf("check-runs/%d", id), body, nil)
	return err
}

// findCheck finds the newest check of ours on a commit with that external id; 0 is none.
func (s site) findCheck(ctx context.Context, head, externalID string) (id int64, err error) {
	type page struct {
		Checks []checkRun `json:"check_runs"`
	}
	query := url.Values{"check_name": {s.app.checkName}, "app_id": {fmt.Sprint(s.app.id)}, "filter": {"all"}}
	err = eachPage(ctx, s, "commits/"+segment(head)+"/check-runs", query, func(p page) {
		for _, c := range p.Checks {
			if c.App.ID == s.app.id && c.Name == s.app.checkName && c.ExternalID == externalID {
				id = max(id, c.ID)
			}
		}
	})
	return id, err
}

func (s site) page(pr int) *string {
	if s.app.pageURL == nil || pr == 0 {
		return nil
	}
	return given(s.app.pageURL(s.place, pr))
}

func given(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func output(c queue.PostCheck) *github.CheckRunOutput {
	title, summary := oneLine(c.Title, titleLimit), cut(c.Summary, summaryLimit)
	if title == "" {
		title = "Mainstay"
	}
	return &github.CheckRunOutput{Title: &title, Summary: &summary, Annotations: annotations(c.Tests)}
}

// faces is what a button says: a label of at most 20 characters, a description of 40.
var faces = map[queue.Word][2]string{
	queue.WordOut:   {"Take out", "Takes it out of the merge queue"},
	queue.WordFirst: {"Go first", "Goes to the front of the line"},
	queue.WordRetry: {"Try again", "Puts it in line again"},
}

func buttons(c queue.PostCheck) []*github.CheckRunAction {
	var all []*github.CheckRunAction
	for _, word := range c.Buttons {
		if face, ok := faces[word]; ok {
			all = append(all, &github.CheckRunAction{Label: face[0], Description: face[1], Identifier: string(word)})
		}
	}
	return all
}

// annotations are for failed tests whose place in the repository is known.
func annotations(tests []queue.FailedTest) []*github.CheckRunAnnotation {
	var all []*github.CheckRunAnnotation
	for _, t := range tests {
		file := path.Clean(t.File)
		if t.File == "" || t.Line <= 0 || path.IsAbs(file) || file == "." || file == ".." || strings.HasPrefix(file, "../") {
			continue
		}
		title, message := oneLine(t.Name, titleLimit), cut(t.Message, messageLimit)
		if message == "" {
			message = "failed"
		}
		all = append(all, &github.CheckRunAnnotation{Path: &file, StartLine: &t.Line, EndLine: &t.Line,
			AnnotationLevel: github.String("failure"), Title: &title, Message: &message})
		if len(all) == annotationLimit {
			break
		}
	}
	return all
}

// oneLine is a text without line breaks and other control characters.
func oneLine(text string, limit int) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text)
	return cut(strings.TrimSpace(text), limit)
}
