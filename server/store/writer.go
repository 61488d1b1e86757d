package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
)

// maxGroup bounds how many writes share one commit, and so how long the first of them waits.
const maxGroup = 256

var errClosed = errors.New("the store is closed")

// writer is the one goroutine that writes. What waits for it is committed
// together: each write stands in a savepoint of its own, so one that is refused
// leaves the others whole.
type writer struct {
	conn *sql.Conn
	jobs chan *job
	gone chan struct{} // closed when the goroutine has ended

	mu     sync.RWMutex // held for reading while a job is handed over
	closed bool
}

type job struct {
	ctx  context.Context
	run  func(*tx) error
	err  error
	done chan struct{}
}

// tx is the write transaction as one job sees it.
type tx struct{ conn *sql.Conn }

func startWriter(conn *sql.Conn) *writer {
	w := &writer{conn: conn, jobs: make(chan *job, maxGroup), gone: make(chan struct{})}
	go w.loop()
	return w
}

// write runs one job in a transaction and returns once it is on disk or refused.
// A job that was begun is always waited for: its caller must know how it ended.
func (w *writer) write(ctx context.Context, run func(*tx) error) error {
	j := &job{ctx: ctx, run: run, done: make(chan struct{})}
	if err := w.submit(j); err != nil {
		return err
	}
	<-j.done
	return j.err
}

func (w *writer) submit(j *job) error {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.closed {
		return errClosed
	}
	select {
	case w.jobs <- j:
		return nil
	case <-j.ctx.Done():
		return j.ctx.Err()
	}
}

// stop lets what was handed over finish and ends the goroutine.
func (w *writer) stop() {
	w.mu.Lock()
	if !w.closed {
		w.closed = true
		close(w.jobs)
	}
	w.mu.Unlock()
	<-w.gone
}

func (w *writer) loop() {
	defer close(w.gone)
	group := make([]*job, 0, maxGroup)
	for first := range w.jobs {
		group = w.drain(append(group[:0], first))
		if err := w.commit(group); err != nil {
			for _, j := range group {
				if j.err == nil {
					j.err = err
				}
			}
		}
		for i, j := range group {
			close(j.done)
			group[i] = nil
		}
	}
}

func (w *writer) drain(group []*job) []*job {
	for len(group) < maxGroup {
		select {
		case j, ok := <-w.jobs:
			if !ok {
				return group
			}
			group = append(group, j)
		default:
			return group
		}
	}
	return group
}

// commit runs a group in one transaction. Its error concerns every job that has none of its own.
func (w *writer) commit(group []*job) error {
	if _, err := w.conn.ExecContext(context.Background(), "BEGIN IMMEDIATE"); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	for _, j := range group {
		if j.err = j.ctx.Err(); j.err != nil {
			continue
		}
		if err := w.step(j); err != nil {
			w.rollback()
			return err
		}
	}
	if _, err := w.conn.ExecContext(context.Background(), "COMMIT"); err != nil {
		w.rollback()
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// step runs one job; its own error is noted on it, an error of the transaction is returned.
func (w *writer) step(j *job) error {
	t := &tx{conn: w.conn}
	if _, err := t.exec("SAVEPOINT job"); err != nil {
		return err
	}
	if j.err = j.run(t); j.err != nil {
		// A full disk makes SQLite roll back everything: then this fails, and so does the group.
		if _, err := t.exec("ROLLBACK TO job"); err != nil {
			return fmt.Errorf("%w (after: %w)", err, j.err)
		}
	}
	_, err := t.exec("RELEASE job")
	return err
}

// rollback may find that SQLite did it already, which is as good.
func (w *writer) rollback() {
	_, _ = w.conn.ExecContext(context.Background(), "ROLLBACK")
}

// exec runs one statement and tells how many rows it changed. It takes no
// context: a transaction shared with others is not interrupted for one of them.
func (t *tx) exec(query string, args ...any) (int64, error) {
	res, err := t.conn.ExecContext(context.Background(), query, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// row reads one row within the transaction.
func (t *tx) row(query string, args ...any) *sql.Row {
	return t.conn.QueryRowContext(context.Background(), query, args...)
}
