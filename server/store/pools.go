package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// PlanOfRun gives the body of a plan that was frozen for this very run;
// queue.ErrNotFound if there is none.
func (s *Store) PlanOfRun(ctx context.Context, repository, run int64, id string) ([]byte, error) {
	return s.planBody(ctx, sqlPlanOfRun, repository, id, run)
}

// UpdatePool reads the pool of a repository's leased plan, has it changed, and
// writes it back, in one transaction: nobody else changes it between. Change gets
// nil where there is none yet; it runs while every other write waits, so it must
// be quick. Its error is returned, wrapped, and then nothing is written.
func (s *Store) UpdatePool(ctx context.Context, repository int64, plan string, at time.Time, change func(body []byte) ([]byte, error)) error {
	err := s.writer.write(ctx, func(t *tx) error {
		var body []byte
		if err := t.row(sqlPool, repository, plan).Scan(&body); err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		body, err := change(body)
		if err != nil {
			return err
		}
		_, err = t.exec(sqlPutPool, repository, plan, stamp(at), blob(body))
		return err
	})
	if err != nil {
		return fmt.Errorf("change the pool of plan %q of repository %d: %w", plan, repository, err)
	}
	return nil
}
