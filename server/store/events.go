package store

import (
	"context"
	"fmt"

	"github.com/mainstay-ci/mainstay/queue"
)

// Append records events for a queue, in this order and all or none;
// queue.ErrNotFound if there is no such queue.
func (s *Store) Append(ctx context.Context, queueID int64, events ...queue.Event) error {
	rows, err := eventRows(events)
	if err != nil || len(rows) == 0 {
		return err
	}
	return s.writer.write(ctx, func(t *tx) error { return t.addEvents(queueID, rows) })
}

// Unread gives up to limit events that no commit has consumed yet, oldest first;
// one that does not decode comes with its Trouble.
func (s *Store) Unread(ctx context.Context, queueID int64, limit int) ([]queue.RecordedEvent, error) {
	rows, err := s.read.QueryContext(ctx, sqlUnread, queueID, limit)
	if err != nil {
		return nil, fmt.Errorf("read events of queue %d: %w", queueID, err)
	}
	events, err := list(rows, scanEvent)
	if err != nil {
		return nil, fmt.Errorf("read events of queue %d: %w", queueID, err)
	}
	return events, nil
}

func scanEvent(row scanner) (e queue.RecordedEvent, err error) {
	var at int64
	var kind string
	var body []byte
	if err = row.Scan(&e.ID, &at, &kind, &body); err != nil {
		return e, err
	}
	e.At = moment(at)
	if e.Fact, err = queue.DecodeFact(kind, body); err != nil {
		e.Fact, e.Trouble = nil, err.Error() // those behind it are read all the same
	}
	return e, nil
}

// QueuesWithUnread lists the queues that have events to read, by id.
func (s *Store) QueuesWithUnread(ctx context.Context) ([]int64, error) {
	rows, err := s.read.QueryContext(ctx, sqlQueuesWithUnread)
	if err != nil {
		return nil, fmt.Errorf("list queues with unread events: %w", err)
	}
	ids, err := list(rows, func(row scanner) (id int64, err error) {
		err = row.Scan(&id)
		return id, err
	})
	if err != nil {
		return nil, fmt.Errorf("list queues with unread events: %w", err)
	}
	return ids, nil
}
