package github

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/google/go-github/v60/github"
)

// GitHub never sends a webhook again by itself, but keeps for three days what it
// sent and how that was answered.
const (
	deliveriesKept = 3 * 24 * time.Hour
	deliveryPages  = 30 // of one look; what lies behind them the sweep of each queue finds
)

// Deliveries is a look at what GitHub sent us.
type Deliveries struct {
	// Failed are those that never arrived under any try that is in the list, oldest first.
	Failed []FailedDelivery
	Newest int64 // the id up to which was looked; what the next look begins behind
}

// FailedDelivery is the newest try of a webhook that did not arrive.
type FailedDelivery struct {
	ID   int64
	GUID string // of all its tries
	At   time.Time
}

// Mailbox asks as the App itself for the webhooks it was sent. It is for one caller
// at a time.
type Mailbox struct {
	app *App
	api *github.Client
}

// Mailbox gives one that remembers what it read.
func (a *App) Mailbox() *Mailbox {
	return &Mailbox{a, a.api(a.client(newMemory(a.appsTransport())))}
}

// Look reads what was sent since a delivery of that id, at most three days back.
// Errors: *Trouble, or the context's.
func (m *Mailbox) Look(ctx context.Context, since int64) (Deliveries, error) {
	type delivery struct {
		ID        int64  `json:"id"`
		GUID      string `json:"guid"`
		Status    int    `json:"status_code"`
		Delivered moment `json:"delivered_at"`
	}
	found := Deliveries{Newest: since}
	arrived := map[string]bool{}
	newest := map[string]FailedDelivery{}
	var order []string
	oldest := m.app.clock().Add(-deliveriesKept)
	query := url.Values{"per_page": {"100"}}
	for range deliveryPages {
		var list []delivery
		resp, err := m.app.do(ctx, m.api, "", call{http.MethodGet, "app/hook/deliveries?" + query.Encode(), nil, &list})
		if err != nil {
			return Deliveries{}, fmt.Errorf("read what webhooks were sent: %w", err)
		}
		end := resp.Cursor == ""
		for _, d := range list {
			if d.ID <= since || d.Delivered.Before(oldest) {
				end = true
				break
			}
			found.Newest = max(found.Newest, d.ID)
			if d.Status >= 200 && d.Status < 300 {
				arrived[d.GUID] = true
			} else if _, seen := newest[d.GUID]; !seen {
				newest[d.GUID] = FailedDelivery{d.ID, d.GUID, d.Delivered.Time}
				order = append(order, d.GUID)
			}
		}
		if end {
			break
		}
		query.Set("cursor", resp.Cursor)
	}
	for i := len(order) - 1; i >= 0; i-- {
		if !arrived[order[i]] {
			found.Failed = append(found.Failed, newest[order[i]])
		}
	}
	return found, nil
}

// AskAgain has GitHub send a delivery once more, under its old GUID. One that
// GitHub no longer has is fine. Errors: *Trouble, or the context's.
func (m *Mailbox) AskAgain(ctx context.Context, id int64) error {
	_, err := m.app.do(ctx, m.api, "", call{http.MethodPost, fmt.Sprintf("app/hook/deliveries/%d/attempts", id), nil, nil})
	if err != nil && !gone(err) {
		return fmt.Errorf("ask for webhook %d again: %w", id, err)
	}
	return nil
}
