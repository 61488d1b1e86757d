package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
)

// KeepPullReport keeps what a shard of a pull request's own run said, in the place
// of what it said before. queue.ErrNotFound if there is no such queue.
func (s *Store) KeepPullReport(ctx context.Context, queueID int64, r queue.PullReport, at time.Time) error {
	sh := r.Shard
	key := fmt.Sprintf("%d/%d/%x/%x/%d", sh.RunID, sh.RunTry, sh.Suite, sh.Variant, sh.Index)
	body, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("keep a report of #%d: %w", r.PR, err)
	}
	err = s.writer.write(ctx, func(t *tx) error {
		_, err := t.exec(sqlKeepPullReport, queueID, r.PR, key, stamp(at), body)
		return known(err)
	})
	if err != nil {
		return fmt.Errorf("keep a report of #%d in queue %d: %w", r.PR, queueID, err)
	}
	return nil
}

// PullReports gives the last reports of a pull request's own runs, newest first.
func (s *Store) PullReports(ctx context.Context, queueID int64, pr, limit int) ([]queue.PullReport, error) {
	reports, err := bodies[queue.PullReport](ctx, s.read, sqlPullReports, queueID, pr, limit)
	if err != nil {
		return nil, fmt.Errorf("read the reports of #%d in queue %d: %w", pr, queueID, err)
	}
	return reports, nil
}
