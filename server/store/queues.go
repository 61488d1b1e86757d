package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/mainstay-ci/mainstay/queue"
)

// OpenQueue finds the queue of place's repository and branch, or makes an empty
// one, and returns it with its ID. The installation, owner and name are taken
// over from place, for every queue of that repository.
func (s *Store) OpenQueue(ctx context.Context, place queue.Place) (queue.Place, error) {
	if place.Repository == 0 || place.Branch == "" {
		return queue.Place{}, fmt.Errorf("open queue of %s/%s: its repository id or branch is missing", place.Owner, place.Name)
	}
	kept, err := scanPlace(s.read.QueryRowContext(ctx, sqlFindQueue, place.Repository, place.Branch))
	if err == nil && sameRepository(kept, place) {
		return kept, nil
	}
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return queue.Place{}, fmt.Errorf("open queue of %s/%s: %w", place.Owner, place.Name, err)
	}
	header, err := json.Marshal(queue.NewState(place.Branch).Rows().Header)
	if err != nil {
		return queue.Place{}, fmt.Errorf("encode the header of %s: %w", place.Branch, err)
	}
	err = s.writer.write(ctx, func(t *tx) error {
		if _, err := t.exec(sqlAddQueue, place.Installation, place.Repository, place.Owner, place.Name, place.Branch, header); err != nil {
			return err
		}
		if _, err := t.exec(sqlRenameQueues, place.Installation, place.Owner, place.Name, place.Repository); err != nil {
			return err
		}
		kept, err = scanPlace(t.row(sqlFindQueue, place.Repository, place.Branch))
		return err
	})
	if err != nil {
		return queue.Place{}, fmt.Errorf("open queue of %s/%s: %w", place.Owner, place.Name, err)
	}
	return kept, nil
}

func sameRepository(a, b queue.Place) bool {
	return a.Installation == b.Installation && a.Owner == b.Owner && a.Name == b.Name
}

// Queues lists every queue, oldest first.
func (s *Store) Queues(ctx context.Context) ([]queue.Place, error) {
	return s.places(ctx, sqlAllQueues)
}

// QueuesOf lists the queues of one repository by branch; none is no error.
func (s *Store) QueuesOf(ctx context.Context, repository int64) ([]queue.Place, error) {
	return s.places(ctx, sqlQueuesOf, repository)
}

func (s *Store) places(ctx context.Context, query string, args ...any) ([]queue.Place, error) {
	rows, err := s.read.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("list queues: %w", err)
	}
	places, err := list(rows, func(row scanner) (queue.Place, error) { return scanPlace(row) })
	if err != nil {
		return nil, fmt.Errorf("list queues: %w", err)
	}
	return places, nil
}

// Version is the queue's version without its rows; queue.ErrNotFound if there is no such queue.
func (s *Store) Version(ctx context.Context, id int64) (int64, error) {
	var version int64
	if err := s.read.QueryRowContext(ctx, sqlVersion, id).Scan(&version); err != nil {
		return 0, fmt.Errorf("read version of queue %d: %w", id, known(err))
	}
	return version, nil
}

// Load reads a whole queue as it stood at one version; queue.ErrNotFound if
// there is no such queue.
func (s *Store) Load(ctx context.Context, id int64) (place queue.Place, version int64, rows queue.Rows, err error) {
	snapshot, err := s.read.BeginTx(ctx, nil)
	if err != nil {
		return place, 0, rows, fmt.Errorf("load queue %d: %w", id, err)
	}
	defer snapshot.Rollback() // it only read
	var header []byte
	place, err = scanPlace(snapshot.QueryRowContext(ctx, sqlLoadQueue, id), &version, &header)
	if err == nil {
		rows, err = loadRows(ctx, snapshot, id, header)
	}
	if err != nil {
		return queue.Place{}, 0, queue.Rows{}, fmt.Errorf("load queue %d: %w", id, known(err))
	}
	return place, version, rows, nil
}

func loadRows(ctx context.Context, db querier, id int64, header []byte) (rows queue.Rows, err error) {
	if err = json.Unmarshal(header, &rows.Header); err != nil {
		return rows, fmt.Errorf("its header: %w", err)
	}
	if rows.Entries, err = bodies[queue.Entry](ctx, db, sqlLoadEntries, id); err != nil {
		return rows, fmt.Errorf("its entries: %w", err)
	}
	if rows.Batches, err = bodies[queue.Batch](ctx, db, sqlLoadBatches, id); err != nil {
		return rows, fmt.Errorf("its batches: %w", err)
	}
	if rows.Attempts, err = bodies[queue.Attempt](ctx, db, sqlLoadAttempts, id); err != nil {
		return rows, fmt.Errorf("its attempts: %w", err)
	}
	return rows, nil
}

// Entry gives one entry of a queue; queue.ErrNotFound if there is none.
func (s *Store) Entry(ctx context.Context, queueID int64, pr int) (queue.Entry, error) {
	var e queue.Entry
	var body []byte
	err := s.read.QueryRowContext(ctx, sqlEntry, queueID, pr).Scan(&body)
	if err == nil {
		err = json.Unmarshal(body, &e)
	}
	if err != nil {
		return queue.Entry{}, fmt.Errorf("read the entry of #%d of queue %d: %w", pr, queueID, known(err))
	}
	return e, nil
}
