package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/mainstay-ci/mainstay/server/github"
)

// How often GitHub is asked which webhooks did not arrive: while anybody is in line,
// and else. They are hints, and the sweep of each queue finds what they would have told.
const (
	mailBusy = time.Minute
	mailIdle = 10 * time.Minute

	askedAtOnce = 20 // webhooks asked for again in one look
	askedTries  = 3  // of one webhook
)

// postman has GitHub send again what did not arrive, which GitHub never does by itself.
type postman struct {
	mail  mailbox
	notes marks
	clock func() time.Time
	log   *slog.Logger

	last  time.Time
	asked map[string]int // how often, by GUID
}

type mailbox interface {
	Look(ctx context.Context, since int64) (github.Deliveries, error)
	AskAgain(ctx context.Context, id int64) error
}

// marks remembers how far the mail was read, so that a restart does not begin anew.
type marks interface {
	Mark(ctx context.Context, name string) (int64, error)
	SetMark(ctx context.Context, name string, value int64) error
	Busy(ctx context.Context) (bool, error)
}

const mailMark = "deliveries"

// run looks again and again until the context ends.
func (p *postman) run(ctx context.Context) {
	tick := time.NewTicker(mailBusy)
	defer tick.Stop()
	for {
		if err := p.look(ctx); err != nil && ctx.Err() == nil {
			p.log.Warn("webhooks that did not arrive could not be asked for again", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// look asks again for what did not arrive since the last look. What it could not ask
// for stays for the next one.
func (p *postman) look(ctx context.Context) error {
	busy, err := p.notes.Busy(ctx)
	if err != nil {
		return err
	}
	now := p.clock()
	if !busy && now.Sub(p.last) < mailIdle {
		return nil
	}
	p.last = now
	since, err := p.notes.Mark(ctx, mailMark)
	if err != nil {
		return err
	}
	found, err := p.mail.Look(ctx, since)
	if err != nil {
		return err
	}
	if p.asked == nil || len(p.asked) > 10_000 {
		p.asked = map[string]int{}
	}
	tried := 0
	for _, d := range found.Failed {
		if p.asked[d.GUID] >= askedTries {
			continue
		}
		if tried == askedAtOnce {
			return p.notes.SetMark(ctx, mailMark, d.ID-1)
		}
		if err := p.mail.AskAgain(ctx, d.ID); err != nil {
			return err
		}
		tried++
		p.asked[d.GUID]++
		p.log.Info("a webhook that did not arrive is asked for again", "delivery", d.GUID, "sent", d.At)
	}
	return p.notes.SetMark(ctx, mailMark, found.Newest)
}
