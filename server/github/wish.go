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
}

// moment is a time that is zero when it cannot be read.
type moment struct{ time.Time }

// UnmarshalJSON never fails.
func (m *moment) UnmarshalJSON(text []byte) error {
	m.Time, _ = time.Parse(time.RFC3339, strings.Trim(string(text), `"`))
	return nil
}

// readWish finds the event that set the label, and whether its actor may write.
// It is nil when there is none, or the label was taken off again.
func (s site) readWish(ctx context.Context, number int, label string, may writer) (*queue.Wish, error) {
	e, err := s.newestLabelEvent(ctx, number, label)
	if err != nil {
		return nil, fmt.Errorf("read label events: %w", err)
	}
	if e == nil || e.Event != "labeled" {
		return nil, nil
	}
	w := &queue.Wish{ID: e.ID, By: e.Actor.actor(), At: e.CreatedAt.Time}
	w.MayWrite, err = may(ctx, w.By)
	return w, err
}

// newestLabelEvent reads from the end, since GitHub lists the oldest first: one
// call up to a hundred events, mostly two beyond.
func (s site) newestLabelEvent(ctx context.Context, number int, label string) (*labelEvent, error) {
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
	for page, n := last, 1; page > 1 && n < wishPages; page, n = page-1, n+1 {
		events, _, err := read(page)
		if err != nil {
			return nil, err
		}
		if e := newestOf(events, label); e != nil {
			return e, nil
		}
	}
	if last > wishPages {
		return nil, nil
	}
	return newestOf(first, label), nil
}

func newestOf(events []labelEvent, label string) *labelEvent {
	for i := len(events) - 1; i >= 0; i-- {
		e := &events[i]
		if (e.Event == "labeled" || e.Event == "unlabeled") && strings.EqualFold(e.Label.Name, label) {
			return e
		}
	}
	return nil
}
