package github

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"sort"
	"strings"

	"github.com/mainstay-ci/mainstay/queue"
)

// Label is a label of a repository. Color is six hexadecimal digits.
type Label struct{ Name, Color, Description string }

// EnsureLabels makes those labels that the repository has none of that name of,
// whatever their case; one that is there stays as it is. One call where all are
// there. Errors: *Trouble, or the context's.
func (a *App) EnsureLabels(ctx context.Context, place queue.Place, labels []Label) error {
	s := a.at(place)
	have := map[string]bool{}
	err := eachPage(ctx, s, "labels", nil, func(page []named) {
		for _, l := range page {
			have[strings.ToLower(l.Name)] = true
		}
	})
	if err != nil {
		return fmt.Errorf("read the labels of %s: %w", s.name(), err)
	}
	for _, l := range labels {
		if have[strings.ToLower(l.Name)] {
			continue
		}
		_, err := s.send(ctx, http.MethodPost, "labels", map[string]string{"name": l.Name, "color": l.Color, "description": l.Description}, nil)
		if KindOf(err) == Refused {
			// Somebody made it meanwhile, or GitHub wants no such name: looking tells.
			if _, again := s.get(ctx, "labels/"+segment(l.Name), nil, nil); again == nil {
				err = nil
			}
		}
		if err != nil {
			return fmt.Errorf("make label %q in %s: %w", l.Name, s.name(), err)
		}
	}
	return nil
}

// RemoveLabel takes a label off a pull request; an absent one is fine. Errors:
// *Trouble, or the context's.
func (a *App) RemoveLabel(ctx context.Context, place queue.Place, pr int, label string) error {
	s := a.at(place)
	_, err := s.send(ctx, http.MethodDelete, fmt.Sprintf("issues/%d/labels/%s", pr, segment(label)), nil, nil)
	if err != nil && !gone(err) {
		return fmt.Errorf("take label %q off #%d of %s: %w", label, pr, s.name(), err)
	}
	return nil
}

// FindWishes lists the open pull requests with the label, of every base, in
// order, with the other labels of ours on them. A label with a comma in its name cannot be looked for. Errors:
// *Trouble, or the context's.
func (a *App) FindWishes(ctx context.Context, place queue.Place, label string, labels queue.Labels) (queue.WishesFound, error) {
	s := a.at(place)
	if strings.Contains(label, ",") {
		return queue.WishesFound{}, fmt.Errorf("find wishes in %s: GitHub cannot look for the label %q", s.name(), label)
	}
	type issue struct {
		Number      int       `json:"number"`
		PullRequest *struct{} `json:"pull_request"`
		Labels      []named   `json:"labels"`
	}
	found := queue.WishesFound{Marks: map[int]string{}}
	err := eachPage(ctx, s, "issues", url.Values{"labels": {label}, "state": {"open"}}, func(page []issue) {
		for _, i := range page {
			if i.PullRequest != nil {
				found.Numbers = append(found.Numbers, i.Number)
				if marks := marksOf(i.Labels, labels); marks != "" {
					found.Marks[i.Number] = marks
				}
			}
		}
	})
	if err != nil {
		return queue.WishesFound{}, fmt.Errorf("find wishes in %s: %w", s.name(), err)
	}
	sort.Ints(found.Numbers)
	return found, nil
}

// marksOf are the labels of ours beside the wish's, sorted.
func marksOf(all []named, labels queue.Labels) string {
	p := pull{Labels: all}
	names := p.marks(labels)
	if p.labelled(labels.Hold) {
		names = append(names, labels.Hold)
	}
	for i := range names {
		names[i] = strings.ToLower(names[i])
	}
	sort.Strings(names)
	return strings.Join(names, ",")
}
