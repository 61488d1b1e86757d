package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/mainstay-ci/mainstay/queue"
)

// statement is one write, encoded before the writer is asked for its time.
type statement struct {
	query string
	args  []any
}

// Commit writes one or more steps of a queue in one transaction and moves its
// version on by one. It changes nothing and returns queue.ErrStale when the
// version is another one by now, queue.ErrNotFound when there is no such queue.
func (s *Store) Commit(ctx context.Context, c queue.Commit) error {
	work, err := statements(c)
	if err != nil {
		return fmt.Errorf("commit queue %d: %w", c.Queue, err)
	}
	err = s.writer.write(ctx, func(t *tx) error {
		if err := t.advance(c.Queue, c.Version); err != nil {
			return err
		}
		for _, w := range work {
			if _, err := t.exec(w.query, w.args...); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("commit queue %d at version %d: %w", c.Queue, c.Version, err)
	}
	return nil
}

func (t *tx) advance(queueID, version int64) error {
	n, err := t.exec(sqlAdvance, queueID, version)
	if err != nil || n == 1 {
		return err
	}
	var now int64
	if err := t.row(sqlVersion, queueID).Scan(&now); err != nil {
		return known(err)
	}
	return queue.ErrStale
}

func statements(c queue.Commit) ([]statement, error) {
	w := work{queue: c.Queue}
	w.addChanges(c.Changes)
	w.addHistory(c.Changes)
	for _, id := range c.Consumed {
		w.add(sqlConsumeEvent, id, c.Queue)
	}
	for _, e := range c.Effects {
		w.addEffect(e)
	}
	return w.list, w.err
}

// work collects the statements of one commit, and the first error on the way.
type work struct {
	queue int64
	list  []statement
	err   error
}

func (w *work) add(query string, args ...any) {
	w.list = append(w.list, statement{query, args})
}

func (w *work) json(v any) []byte {
	body, err := json.Marshal(v)
	if err != nil && w.err == nil {
		w.err = fmt.Errorf("encode %T: %w", v, err)
	}
	return body
}

func (w *work) addChanges(c queue.Changes) {
	if c.Header != nil {
		w.add(sqlPutHeader, w.json(c.Header), w.queue)
	}
	for i := range c.Entries {
		e := &c.Entries[i]
		w.add(sqlPutEntry, w.queue, e.PR.Number, string(e.Phase), w.json(e))
	}
	for _, pr := range c.EntriesGone {
		w.add(sqlDropEntry, w.queue, pr)
	}
	for i := range c.Batches {
		b := &c.Batches[i]
		w.add(sqlPutBatch, w.queue, b.ID, w.json(b))
	}
	for _, id := range c.BatchesGone {
		w.add(sqlDropBatch, w.queue, id)
	}
	for i := range c.Attempts {
		a := &c.Attempts[i]
		w.add(sqlPutAttempt, w.queue, a.ID, string(a.Phase), a.Ticket, a.New, w.json(a))
	}
	for _, id := range c.AttemptsGone {
		w.add(sqlDropAttempt, w.queue, id)
	}
}

func (w *work) addHistory(c queue.Changes) {
	for i := range c.Ended {
		w.add(sqlAddEnded, w.queue, c.Ended[i].PR.Number, w.json(&c.Ended[i]))
	}
	for i := range c.Rulings {
		r := &c.Rulings[i]
		w.add(sqlAddRuling, w.queue, r.PR, r.Refused(), stamp(r.At), w.json(r))
	}
	for i := range c.Receipts {
		w.add(sqlAddReceipt, w.queue, c.Receipts[i].Commit, w.json(&c.Receipts[i]))
	}
}

func (w *work) addEffect(e queue.Effect) {
	if e.Task == nil {
		w.err = errors.Join(w.err, fmt.Errorf("effect %q has no task", e.Key))
		return
	}
	kind, body, err := queue.EncodeTask(e.Task)
	if err != nil {
		w.err = errors.Join(w.err, fmt.Errorf("encode effect %q: %w", e.Key, err))
		return
	}
	w.add(sqlPutEffect, w.queue, e.Key, stamp(e.Due), kind, body)
}
