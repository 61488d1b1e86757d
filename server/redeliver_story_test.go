package main

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/mainstay-ci/mainstay/sandbox"
	"github.com/mainstay-ci/mainstay/server/github"
)

// What GitHub could not deliver it never sends again by itself: it is asked to.
func TestAWebhookThatDidNotArriveIsAskedForAgain(t *testing.T) {
	t.Parallel()
	// Given a label of which the webhook was lost
	w := found(t, scene{})
	pr := w.opens("topic")
	w.awaitRest()
	w.forge.Faults.Plan(func(d sandbox.Delivery) []sandbox.Delivery { return nil })
	w.label(pr)
	w.until("the webhook is on record as failed", func() bool {
		all := w.forge.Deliveries()
		last := all[len(all)-1]
		return last.Event == "pull_request" && last.StatusCode == 502
	})
	w.forge.Faults.Clear()
	// When GitHub is asked what did not arrive
	p := &postman{mail: w.server.app.Mailbox(), notes: w.server.store, clock: w.clock.now, log: slog.New(slog.DiscardHandler)}
	w.must(p.look(t.Context()))
	// Then the label is heard of without any sweep, and it lands
	w.awaitEnds(ends{pr: landed})
	// And what arrived meanwhile is not asked for again
	before := len(w.forge.Deliveries())
	p.last = time.Time{}
	w.must(p.look(t.Context()))
	for _, d := range w.forge.Deliveries()[before:] {
		if d.Redelivery {
			t.Errorf("%s %s was asked for again", d.Event, d.GUID)
		}
	}
}

// mailWith is a mailbox with so many failed webhooks.
type mailWith struct {
	failed []github.FailedDelivery
	since  []int64
	asked  []int64
}

func (m *mailWith) Look(_ context.Context, since int64) (github.Deliveries, error) {
	m.since = append(m.since, since)
	found := github.Deliveries{Newest: since}
	for _, d := range m.failed {
		if d.ID > since {
			found.Failed = append(found.Failed, d)
			found.Newest = d.ID
		}
	}
	return found, nil
}

func (m *mailWith) AskAgain(_ context.Context, id int64) error {
	m.asked = append(m.asked, id)
	return nil
}

// After an outage hundreds are missing: each is asked for once, a few at a time, and
// none is passed over; a restart goes on where it was.
func TestAfterAnOutageAllMissingWebhooksAreAskedForInTurn(t *testing.T) {
	mail := &mailWith{}
	for id := range int64(50) {
		mail.failed = append(mail.failed, github.FailedDelivery{ID: 100 + id, GUID: time.Duration(id).String()})
	}
	notes := &notedMarks{busy: true}
	now := time.Unix(1e9, 0)
	look := func(p *postman) {
		t.Helper()
		if err := p.look(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	p := &postman{mail: mail, notes: notes, clock: func() time.Time { return now }, log: slog.New(slog.DiscardHandler)}
	look(p)
	if len(mail.asked) != askedAtOnce {
		t.Errorf("asked for %d at once", len(mail.asked))
	}
	look(p)
	p = &postman{mail: mail, notes: notes, clock: p.clock, log: p.log} // a restart
	look(p)
	look(p)
	if len(mail.asked) != 50 || mail.asked[0] != 100 || mail.asked[49] != 149 {
		t.Errorf("asked for %d: %v", len(mail.asked), mail.asked)
	}
	// With nobody in line it looks more seldom.
	notes.busy = false
	looks := len(mail.since)
	for range 10 {
		now = now.Add(time.Minute)
		look(p)
	}
	if n := len(mail.since) - looks; n != 1 {
		t.Errorf("looked %d times in ten idle minutes", n)
	}
}

type notedMarks struct {
	at   int64
	busy bool
}

func (m *notedMarks) Mark(context.Context, string) (int64, error) { return m.at, nil }
func (m *notedMarks) SetMark(_ context.Context, _ string, at int64) error {
	m.at = max(m.at, at)
	return nil
}
func (m *notedMarks) Busy(context.Context) (bool, error) { return m.busy, nil }
