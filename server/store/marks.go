package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// Mark gives how far something was read, 0 when it never was.
func (s *Store) Mark(ctx context.Context, name string) (value int64, err error) {
	err = s.read.QueryRowContext(ctx, sqlMark, name).Scan(&value)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, fmt.Errorf("read mark %s: %w", name, err)
	}
	return value, nil
}

// SetMark remembers how far something was read. It never goes back.
func (s *Store) SetMark(ctx context.Context, name string, value int64) error {
	err := s.writer.write(ctx, func(t *tx) error {
		_, err := t.exec(sqlSetMark, name, value)
		return err
	})
	if err != nil {
		return fmt.Errorf("set mark %s: %w", name, err)
	}
	return nil
}

// Busy reports whether anybody is in line anywhere.
func (s *Store) Busy(ctx context.Context) (busy bool, err error) {
	if err := s.read.QueryRowContext(ctx, sqlBusy).Scan(&busy); err != nil {
		return false, fmt.Errorf("look whether anybody is in line: %w", err)
	}
	return busy, nil
}
