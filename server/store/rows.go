package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/mattn/go-sqlite3"

	"github.com/mainstay-ci/mainstay/queue"
)

// noTime is how the zero time is stored; it sorts before every other.
const noTime = math.MinInt64

var (
	firstTime = time.Unix(0, math.MinInt64+1)
	lastTime  = time.Unix(0, math.MaxInt64)
)

// stamp is a moment as a column holds it; one outside of 1678 to 2262 becomes the nearest.
func stamp(t time.Time) int64 {
	switch {
	case t.IsZero():
		return noTime
	case t.Before(firstTime):
		return firstTime.UnixNano()
	case t.After(lastTime):
		return lastTime.UnixNano()
	}
	return t.UnixNano()
}

func moment(stamp int64) time.Time {
	if stamp == noTime {
		return time.Time{}
	}
	return time.Unix(0, stamp).UTC()
}

// scanner is a *sql.Row or *sql.Rows.
type scanner interface{ Scan(...any) error }

func scanPlace(row scanner, more ...any) (queue.Place, error) {
	var p queue.Place
	err := row.Scan(append([]any{&p.ID, &p.Installation, &p.Repository, &p.Owner, &p.Name, &p.Branch}, more...)...)
	return p, err
}

// querier is the read pool or one snapshot of it.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// list reads every row of a query.
func list[T any](rows *sql.Rows, scan func(scanner) (T, error)) ([]T, error) {
	defer rows.Close()
	var all []T
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, rows.Err()
}

// bodies reads every row of a query that gives JSON bodies.
func bodies[T any](ctx context.Context, db querier, query string, args ...any) ([]T, error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	return list(rows, func(row scanner) (T, error) {
		var one T
		var body sql.RawBytes
		err := row.Scan(&body)
		if err == nil {
			err = json.Unmarshal(body, &one)
		}
		return one, err
	})
}

// known turns SQLite's and database/sql's words for "no such thing" into ours.
func known(err error) error {
	var fault sqlite3.Error
	if errors.Is(err, sql.ErrNoRows) ||
		errors.As(err, &fault) && fault.ExtendedCode == sqlite3.ErrConstraintForeignKey {
		return queue.ErrNotFound
	}
	return err
}

// blob keeps an empty body from turning into NULL.
func blob(body []byte) []byte {
	if body == nil {
		return []byte{}
	}
	return body
}

// eventRow is an event made ready for its row before the writer is asked.
type eventRow struct {
	at   int64
	kind string
	body []byte
}

func eventRows(events []queue.Event) ([]eventRow, error) {
	rows := make([]eventRow, len(events))
	for i, e := range events {
		if e.Fact == nil {
			return nil, errors.New("encode event: it has no fact")
		}
		kind, body, err := queue.EncodeFact(e.Fact)
		if err != nil {
			return nil, fmt.Errorf("encode event %s: %w", kind, err)
		}
		rows[i] = eventRow{at: stamp(e.At), kind: kind, body: body}
	}
	return rows, nil
}

func (t *tx) addEvents(queueID int64, rows []eventRow) error {
	for _, r := range rows {
		if _, err := t.exec(sqlAddEvent, queueID, r.at, r.kind, r.body); err != nil {
			return fmt.Errorf("append %s to queue %d: %w", r.kind, queueID, known(err))
		}
	}
	return nil
}
