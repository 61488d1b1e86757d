package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
)

// maxWhy bounds what is kept of an effect's last error.
const maxWhy = 2000

// Due gives up to limit effects whose time has come, the longest due first. An
// effect stays due until Finish or Defer: who performs it keeps count of that.
// One that does not decode comes with its Trouble.
func (s *Store) Due(ctx context.Context, now time.Time, limit int) ([]queue.DueEffect, error) {
	rows, err := s.read.QueryContext(ctx, sqlDue, stamp(now), limit)
	if err != nil {
		return nil, fmt.Errorf("read due effects: %w", err)
	}
	effects, err := list(rows, scanEffect)
	if err != nil {
		return nil, fmt.Errorf("read due effects: %w", err)
	}
	return effects, nil
}

// Pending gives every effect of a queue that is not done, the longest due first.
func (s *Store) Pending(ctx context.Context, queueID int64) ([]queue.DueEffect, error) {
	rows, err := s.read.QueryContext(ctx, sqlPending, queueID)
	if err != nil {
		return nil, fmt.Errorf("read effects of queue %d: %w", queueID, err)
	}
	effects, err := list(rows, scanEffect)
	if err != nil {
		return nil, fmt.Errorf("read effects of queue %d: %w", queueID, err)
	}
	slices.SortFunc(effects, func(a, b queue.DueEffect) int {
		return cmp.Or(a.Due.Compare(b.Due), cmp.Compare(a.ID, b.ID))
	})
	return effects, nil
}

func scanEffect(row scanner) (e queue.DueEffect, err error) {
	var due int64
	var kind string
	var body []byte
	if err = row.Scan(&e.ID, &e.Queue, &e.Generation, &e.Tries, &e.Key, &due, &kind, &body); err != nil {
		return e, err
	}
	e.Due = moment(due)
	if e.Task, err = queue.DecodeTask(kind, body); err != nil {
		e.Task, e.Trouble = nil, err.Error() // the others are due all the same
	}
	return e, nil
}

// NextDue is when the next effect falls due, past or future; false when there is none.
func (s *Store) NextDue(ctx context.Context) (time.Time, bool, error) {
	var due int64
	err := s.read.QueryRowContext(ctx, sqlNextDue).Scan(&due)
	if errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, false, nil
	}
	if err != nil {
		return time.Time{}, false, fmt.Errorf("read the next due effect: %w", err)
	}
	return moment(due), true, nil
}

// Finish records what came of an effect and drops it, in one transaction. When
// it was replaced meanwhile, the outcome is recorded all the same and the
// newer effect stays.
func (s *Store) Finish(ctx context.Context, e queue.DueEffect, events ...queue.Event) error {
	rows, err := eventRows(events)
	if err != nil {
		return fmt.Errorf("finish effect %q: %w", e.Key, err)
	}
	err = s.writer.write(ctx, func(t *tx) error {
		if err := t.addEvents(e.Queue, rows); err != nil {
			return err
		}
		_, err := t.exec(sqlFinishEffect, e.ID, e.Generation)
		return err
	})
	if err != nil {
		return fmt.Errorf("finish effect %q of queue %d: %w", e.Key, e.Queue, err)
	}
	return nil
}

// Defer puts an effect off until due, counts the try and keeps why. An effect
// that was replaced or is gone is left alone.
func (s *Store) Defer(ctx context.Context, e queue.DueEffect, due time.Time, why string) error {
	why = strings.ToValidUTF8(why[:min(len(why), maxWhy)], "")
	err := s.writer.write(ctx, func(t *tx) error {
		_, err := t.exec(sqlDeferEffect, stamp(due), why, e.ID, e.Generation)
		return err
	})
	if err != nil {
		return fmt.Errorf("defer effect %q of queue %d: %w", e.Key, e.Queue, err)
	}
	return nil
}

// Hasten makes what was tried and put off due now: what it waited for may be over.
func (s *Store) Hasten(ctx context.Context, queueID int64, now time.Time) error {
	err := s.writer.write(ctx, func(t *tx) error {
		_, err := t.exec(sqlHasten, stamp(now), queueID)
		return err
	})
	if err != nil {
		return fmt.Errorf("hasten the effects of queue %d: %w", queueID, err)
	}
	return nil
}
