package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
)

// pruneStep bounds one transaction of Prune, so that no write waits long behind it.
const pruneStep = 500

// KeepDelivery keeps a webhook as it came. It is fresh unless one with its GUID
// was kept before, which then stays as it is.
func (s *Store) KeepDelivery(ctx context.Context, d queue.Delivery) (fresh bool, err error) {
	if d.GUID == "" {
		return false, errors.New("keep delivery: it has no guid")
	}
	err = s.writer.write(ctx, func(t *tx) error {
		n, err := t.exec(sqlKeepDelivery, d.GUID, stamp(d.At), d.Event, blob(d.Body))
		fresh = n == 1
		return err
	})
	if err != nil {
		return false, fmt.Errorf("keep delivery %s: %w", d.GUID, err)
	}
	return fresh, nil
}

// UnreadDeliveries gives up to limit deliveries that are not finished, in the order they came.
func (s *Store) UnreadDeliveries(ctx context.Context, limit int) ([]queue.Delivery, error) {
	rows, err := s.read.QueryContext(ctx, sqlUnreadDeliveries, limit)
	if err != nil {
		return nil, fmt.Errorf("read deliveries: %w", err)
	}
	deliveries, err := list(rows, func(row scanner) (d queue.Delivery, err error) {
		var at int64
		err = row.Scan(&d.GUID, &d.Event, &d.Body, &at)
		d.At = moment(at)
		return d, err
	})
	if err != nil {
		return nil, fmt.Errorf("read deliveries: %w", err)
	}
	return deliveries, nil
}

// FinishDelivery records what a delivery meant, by queue, and drops its body, in
// one transaction. One that is finished already is left alone; queue.ErrNotFound
// if there is none of this GUID, or no such queue.
func (s *Store) FinishDelivery(ctx context.Context, guid string, events map[int64][]queue.Event) error {
	rows := make(map[int64][]eventRow, len(events))
	for id, list := range events {
		encoded, err := eventRows(list)
		if err != nil {
			return fmt.Errorf("finish delivery %s: %w", guid, err)
		}
		rows[id] = encoded
	}
	err := s.writer.write(ctx, func(t *tx) error {
		n, err := t.exec(sqlFinishDelivery, guid)
		if err != nil {
			return err
		}
		if n == 0 {
			var done bool
			return known(t.row(sqlDeliveryDone, guid).Scan(&done))
		}
		for _, id := range slices.Sorted(maps.Keys(rows)) {
			if err := t.addEvents(id, rows[id]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("finish delivery %s: %w", guid, err)
	}
	return nil
}

// Prune forgets finished deliveries, shard reports and plans that came before the
// given moment, pools that nobody asked since, and how long items take that were not heard of for much longer. A
// delivery that nobody finished stays.
func (s *Store) Prune(ctx context.Context, before time.Time) error {
	longAgo := before.Add(-timingsKept)
	for _, old := range []struct {
		query  string
		before time.Time
	}{
		{sqlPruneDeliveries, before}, {sqlPruneReports, before}, {sqlPrunePlans, before}, {sqlPruneLessons, before}, {sqlPrunePools, before}, {sqlPrunePullReports, before},
		{sqlPruneTimings, longAgo}, {sqlPruneTestTimings, longAgo},
	} {
		for gone := int64(pruneStep); gone == pruneStep; {
			err := s.writer.write(ctx, func(t *tx) (err error) {
				gone, err = t.exec(old.query, stamp(old.before), pruneStep)
				return err
			})
			if err != nil {
				return fmt.Errorf("prune what came before %s: %w", old.before.Format(time.DateTime), err)
			}
		}
	}
	return nil
}
