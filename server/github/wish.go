package github

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
)

// wishPages is how far back a label's event is looked for. A label whose event
// lies behind a thousand others counts as nobody's wish.
const wishPages = 10

type labelEvent struct {
	ID        int64   `json:"id"`
	Event     string  `json:"event"`
	Actor     account `json:"actor"`
	CreatedAt moment  `json:"created_at"`
	Label     struct {
		Name string `json:"name"`
	} `json:"label"`
	App *struct {
		ID int64 `json:"id"`
	} `json:"performed_via_github_app"`
}

// moment is a time that is zero when it cannot be read.
type moment struct{ time.Time }

// UnmarshalJSON never fails.
func (m *moment) UnmarshalJSON(text []byte) error {
	m.Time, _ = time.Parse(time.RFC3339, strings.Trim(string(text), `"`))
	return nil
}

// readWish finds the event that set the label, and whether its actor may write.
// It is nil when there is none, or the label was taken off again. Of the marks
// those come back that somebody set who may write.
func (s site) readWish(ctx context.Context, number int, label string, marks []string, may writer) (w *queue.Wish, ours []string, err error) {
	newest, err := s.newestLabelEvents(ctx, number, append([]string{label}, marks...))
	if err != nil {
		return nil, nil, fmt.Errorf("read label events: %w", err)
	}
	e := newest[strings.ToLower(label)]
	if e == nil || e.Event != "labeled" {
		return nil, nil, nil
	}
	w = &queue.Wish{ID: e.ID, By: e.Actor.actor(), At: e.CreatedAt.Time}
	w.Ours = e.App != nil && e.App.ID == s.app.id
	if !w.Ours {
		if w.MayWrite, err = may(ctx, w.By); err != nil {
			return nil, nil, err
		}
	}
	for _, name := range marks {
		e := newest[strings.ToLower(name)]
		if e == nil || e.Event != "labeled" {
			continue
		}
		ok, err := may(ctx, e.Actor.actor())
		if err != nil {
			return nil, nil, err
		}
		if ok {
			ours = append(ours, name)
		}
	}
	return w, ours, nil
}

// newestLabelEvents reads from the end, since GitHub lists the oldest first, until
// each label's newest is found: one call up to a hundred events, mostly two
// beyond. Keys are in lower case.
func (s site) newestLabelEvents(ctx context.Context, number int, labels []string) (map[string]*labelEvent, error) {
	newest := map[string]*labelEvent{}
	for _, label := range labels {
		newest[strings.ToLower(label)] = nil
	}
	missing := len(newest)
	take := func(events []labelEvent) {
		for i := len(events) - 1; i >= 0; i-- {
			e := &events[i]
			name := strings.ToLower(e.Label.Name)
			have, wanted := newest[name]
			if wanted && have == nil && (e.Event == "labeled" || e.Event == "unlabeled") {
				newest[name] = e
				missing--
			}
		}
	}
	read := func(page int) (events []labelEvent, last int, err error) {
		resp, err := s.get(ctx, fmt.Sprintf("issues/%d/events", number), paged(url.Values{}, page), &events)
		if err != nil {
			return nil, 0, err
		}
		return events, resp.LastPage, nil
	}
	first, last, err := read(1)
	if err != nil {
		return nil, err
	}
	for page, n := last, 1; page > 1 && n < wishPages && missing > 0; page, n = page-1, n+1 {
		events, _, err := read(page)
		if err != nil {
			return nil, err
		}
		take(events)
	}
	if last <= wishPages {
		take(first)
	}
	return newest, nil
}
