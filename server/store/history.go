package store

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/mainstay-ci/mainstay/queue"
)

// Ended gives the last entries of a queue that landed or went out, newest first.
func (s *Store) Ended(ctx context.Context, queueID int64, limit int) ([]queue.Entry, error) {
	entries, err := bodies[queue.Entry](ctx, s.read, sqlEnded, queueID, limit)
	if err != nil {
		return nil, fmt.Errorf("read the ended entries of queue %d: %w", queueID, err)
	}
	return entries, nil
}

// Receipts gives the last landings of a queue, newest first.
func (s *Store) Receipts(ctx context.Context, queueID int64, limit int) ([]queue.Receipt, error) {
	receipts, err := bodies[queue.Receipt](ctx, s.read, sqlReceipts, queueID, limit)
	if err != nil {
		return nil, fmt.Errorf("read the receipts of queue %d: %w", queueID, err)
	}
	return receipts, nil
}

// Rulings gives the last lines of a queue's audit, newest first; only the refusals,
// if so asked.
func (s *Store) Rulings(ctx context.Context, queueID int64, refusedOnly bool, limit int) ([]queue.Ruling, error) {
	query := sqlRulings
	if refusedOnly {
		query = sqlRefusals
	}
	rulings, err := bodies[queue.Ruling](ctx, s.read, query, queueID, limit)
	if err != nil {
		return nil, fmt.Errorf("read the audit of queue %d: %w", queueID, err)
	}
	return rulings, nil
}

// RulingsOfPull gives the last lines of the audit on one pull request, newest first.
func (s *Store) RulingsOfPull(ctx context.Context, queueID int64, pr, limit int) ([]queue.Ruling, error) {
	rulings, err := bodies[queue.Ruling](ctx, s.read, sqlRulingsOfPull, queueID, pr, limit)
	if err != nil {
		return nil, fmt.Errorf("read the audit of #%d in queue %d: %w", pr, queueID, err)
	}
	return rulings, nil
}

// Receipt gives the landing whose tested commit this is; queue.ErrNotFound if there is none.
func (s *Store) Receipt(ctx context.Context, commit string) (queue.Receipt, error) {
	var r queue.Receipt
	var body []byte
	err := s.read.QueryRowContext(ctx, sqlReceipt, commit).Scan(&body)
	if err == nil {
		err = json.Unmarshal(body, &r)
	}
	if err != nil {
		return queue.Receipt{}, fmt.Errorf("find the receipt of commit %q: %w", commit, known(err))
	}
	return r, nil
}
