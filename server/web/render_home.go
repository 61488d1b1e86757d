package web

import (
	"context"
	"fmt"

	"github.com/mainstay-ci/mainstay/queue"
)

type homeBody struct{ Queues []homeQueue }

type homeQueue struct {
	Path, Repository, Branch string
	InLine, InTest           int
	Landed                   moment
	Pause                    *queue.Pause
	Missing                  bool
}

// home is the list of queues.
func (p *pages) home(ctx context.Context) (page, error) {
	places, err := p.Reader.Queues(ctx)
	if err != nil {
		return page{}, fmt.Errorf("read the queues: %w", err)
	}
	body := homeBody{}
	for _, place := range places {
		q, err := p.homeQueue(ctx, place)
		if err != nil {
			return page{}, err
		}
		body.Queues = append(body.Queues, q)
	}
	return page{Name: "home", Title: "Queues", Events: "/events", Body: body}, nil
}

func (p *pages) homeQueue(ctx context.Context, place queue.Place) (homeQueue, error) {
	_, _, rows, err := p.Reader.Load(ctx, place.ID)
	if err != nil {
		return homeQueue{}, fmt.Errorf("read queue %d: %w", place.ID, err)
	}
	receipts, err := p.Reader.Receipts(ctx, place.ID, 1)
	if err != nil {
		return homeQueue{}, fmt.Errorf("read the landings of queue %d: %w", place.ID, err)
	}
	q := homeQueue{Path: queuePath(place), Repository: place.Owner + "/" + place.Name, Branch: place.Branch,
		Pause: rows.Header.Pause, Missing: rows.Header.Missing}
	for _, e := range rows.Entries {
		switch e.Phase {
		case queue.Asking, queue.Waiting:
			q.InLine++
		case queue.Testing, queue.Landing:
			q.InTest++
		}
	}
	if len(receipts) > 0 {
		q.Landed = since(p.Clock(), receipts[0].At)
	}
	return q, nil
}
