package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/mainstay-ci/mainstay/queue"
)

// FindAttempt finds the attempt of a repository that tests, tested or landed exactly
// this commit, and its queue; a dead one only where there is no other. One whose rows are gone since it landed is given
// as its receipt remembers it, without plan. queue.ErrNotFound if there is none.
func (s *Store) FindAttempt(ctx context.Context, repository int64, commit string) (queue.Place, queue.Attempt, error) {
	place, attempt, err := s.findAttempt(ctx, sqlFindAttempt, repository, commit)
	if errors.Is(err, sql.ErrNoRows) {
		place, attempt, err = s.findLanded(ctx, repository, commit)
	}
	if errors.Is(err, sql.ErrNoRows) {
		place, attempt, err = s.findAttempt(ctx, sqlFindDead, repository, commit)
	}
	if err != nil {
		return queue.Place{}, queue.Attempt{}, fmt.Errorf("find the attempt of commit %q: %w", commit, known(err))
	}
	return place, attempt, nil
}

func (s *Store) findAttempt(ctx context.Context, query string, repository int64, commit string) (queue.Place, queue.Attempt, error) {
	var attempt queue.Attempt
	var body []byte
	place, err := scanPlace(s.read.QueryRowContext(ctx, query, commit, repository), &body)
	if err == nil {
		err = json.Unmarshal(body, &attempt)
	}
	return place, attempt, err
}

func (s *Store) findLanded(ctx context.Context, repository int64, commit string) (queue.Place, queue.Attempt, error) {
	var r queue.Receipt
	var body []byte
	place, err := scanPlace(s.read.QueryRowContext(ctx, sqlFindLanded, commit, repository), &body)
	if err == nil {
		err = json.Unmarshal(body, &r)
	}
	return place, queue.Attempt{
		ID: r.Attempt, Batch: r.Batch, Phase: queue.AttemptLanded, Since: r.At, EndAt: r.At,
		Old: r.Old, New: r.Commit, Tree: r.Tree, Members: r.Members, Shards: r.Shards,
		Results: queue.Results{Runs: r.Runs},
	}, err
}

// KeepReport keeps a shard's report under its key and appends its event, in one
// transaction. The same key with the same digest is not fresh and appends
// nothing; with another digest it is queue.ErrDiffers. queue.ErrNotFound if
// there is no such queue.
func (s *Store) KeepReport(ctx context.Context, queueID int64, key string, digest string, body []byte, event queue.Event) (bool, error) {
	rows, err := eventRows([]queue.Event{event})
	if err != nil {
		return false, fmt.Errorf("keep report %q: %w", key, err)
	}
	fresh := false
	err = s.writer.write(ctx, func(t *tx) error {
		n, err := t.exec(sqlKeepReport, queueID, key, digest, rows[0].at, blob(body))
		if err != nil {
			return known(err)
		}
		if n == 1 {
			fresh = true
			return t.addEvents(queueID, rows)
		}
		var kept string
		if err := t.row(sqlReportDigest, queueID, key).Scan(&kept); err != nil {
			return err
		}
		if kept != digest {
			return queue.ErrDiffers
		}
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("keep report %q of queue %d: %w", key, queueID, err)
	}
	return fresh, nil
}

// ReportBodies gives the kept bodies whose keys begin with prefix, in the keys'
// order; none is not an error.
func (s *Store) ReportBodies(ctx context.Context, queueID int64, prefix string) ([][]byte, error) {
	rows, err := s.read.QueryContext(ctx, sqlReportBodies, queueID, prefix, prefix+"\xff")
	if err != nil {
		return nil, fmt.Errorf("read the reports %q of queue %d: %w", prefix, queueID, err)
	}
	defer rows.Close()
	var bodies [][]byte
	for rows.Next() {
		var body []byte
		if err := rows.Scan(&body); err != nil {
			return nil, fmt.Errorf("read the reports %q of queue %d: %w", prefix, queueID, err)
		}
		bodies = append(bodies, body)
	}
	return bodies, rows.Err()
}
