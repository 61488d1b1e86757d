package store

import (
	"context"
	"fmt"
	"time"
)

// Greetings gives what was made on a repository that the App came to, sorted.
func (s *Store) Greetings(ctx context.Context, repository int64) ([]string, error) {
	rows, err := s.read.QueryContext(ctx, sqlGreetings, repository)
	if err != nil {
		return nil, fmt.Errorf("read what was made on repository %d: %w", repository, err)
	}
	made, err := list(rows, func(row scanner) (what string, err error) { return what, row.Scan(&what) })
	if err != nil {
		return nil, fmt.Errorf("read what was made on repository %d: %w", repository, err)
	}
	return made, nil
}

// KeepGreeting remembers that it was made. A second time changes nothing.
func (s *Store) KeepGreeting(ctx context.Context, repository int64, what string, at time.Time) error {
	err := s.writer.write(ctx, func(t *tx) error {
		_, err := t.exec(sqlKeepGreeting, repository, what, stamp(at))
		return err
	})
	if err != nil {
		return fmt.Errorf("remember what was made on repository %d: %w", repository, err)
	}
	return nil
}
