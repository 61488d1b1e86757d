package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/mainstay-ci/mainstay/queue"
)

// SetAside takes an unread event out of its queue's way and keeps it with why it
// could not be taken in. One that is read already is left alone.
func (s *Store) SetAside(ctx context.Context, queueID, event int64, why string) error {
	why = strings.ToValidUTF8(why[:min(len(why), maxWhy)], "")
	err := s.writer.write(ctx, func(t *tx) error {
		if _, err := t.exec(sqlSetAside, why, event, queueID); err != nil {
			return err
		}
		_, err := t.exec(sqlConsumeEvent, event, queueID)
		return err
	})
	if err != nil {
		return fmt.Errorf("set event %d of queue %d aside: %w", event, queueID, err)
	}
	return nil
}

// Aside gives the events that were set aside last, newest first.
func (s *Store) Aside(ctx context.Context, limit int) ([]queue.AsideEvent, error) {
	rows, err := s.read.QueryContext(ctx, sqlAside, limit)
	if err != nil {
		return nil, fmt.Errorf("read what was set aside: %w", err)
	}
	events, err := list(rows, func(row scanner) (e queue.AsideEvent, err error) {
		var at int64
		err = row.Scan(&e.Queue, &at, &e.Kind, &e.Why)
		e.At = moment(at)
		return e, err
	})
	if err != nil {
		return nil, fmt.Errorf("read what was set aside: %w", err)
	}
	return events, nil
}
