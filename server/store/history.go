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
