package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/mainstay-ci/mainstay/queue/flake"
)

// LearnTests keeps what one trusted run says of its suite's tests and brings the
// quarantine up to date, in one transaction. A lesson of a name that was learnt
// already changes nothing. Its cost goes with the tests that ever failed on good
// code, not with the suite.
func (s *Store) LearnTests(ctx context.Context, l flake.Lesson) error {
	err := s.writer.write(ctx, func(t *tx) error {
		fresh, err := t.exec(sqlAddLesson, l.Name, stamp(l.At))
		if err != nil || fresh == 0 {
			return err
		}
		k, err := t.testSuite(l.Repository, l.Suite, l.Variant)
		if err != nil {
			return err
		}
		return t.saveTests(k, k.body.Learn(l))
	})
	if err != nil {
		return fmt.Errorf("learn the tests of %q: %w", l.Name, err)
	}
	return nil
}

// ChangeQuarantine lets a person change a suite's quarantine; change gives the
// entries that are new or different. queue.ErrNotFound if nothing was ever
// learnt of the suite.
func (s *Store) ChangeQuarantine(ctx context.Context, repository int64, suite, variant string, change func(flake.Book) ([]flake.Entry, error)) error {
	err := s.writer.write(ctx, func(t *tx) error {
		k, err := t.findTestSuite(repository, suite, variant)
		if err != nil {
			return known(err)
		}
		entries, err := change(k.body)
		if err != nil {
			return err
		}
		return t.saveTests(k, flake.News{Suite: k.body.Suite, Entries: entries})
	})
	if err != nil {
		return fmt.Errorf("change the quarantine of suite %q: %w", suite, err)
	}
	return nil
}

// Tests gives what is known of a suite's tests, empty if nothing is.
func (s *Store) Tests(ctx context.Context, repository int64, suite, variant string) (flake.Book, error) {
	k, err := findTestSuite(ctx, s.read, repository, suite, variant)
	if errors.Is(err, sql.ErrNoRows) {
		return flake.Book{}, nil
	}
	if err != nil {
		return flake.Book{}, fmt.Errorf("read the tests of suite %q: %w", suite, err)
	}
	return k.body, nil
}

// TestSuites names a repository's suites of which anything is known.
func (s *Store) TestSuites(ctx context.Context, repository int64) ([]flake.Name, error) {
	rows, err := s.read.QueryContext(ctx, sqlTestSuites, repository)
	if err != nil {
		return nil, fmt.Errorf("list the suites of repository %d: %w", repository, err)
	}
	return list(rows, func(row scanner) (n flake.Name, err error) {
		err = row.Scan(&n.Suite, &n.Variant)
		return n, err
	})
}

// keptSuite is a suite's book with its row.
type keptSuite struct {
	id   int64
	body flake.Book
}

// testSuite finds a suite's book, or opens one.
func (t *tx) testSuite(repository int64, suite, variant string) (keptSuite, error) {
	k, err := t.findTestSuite(repository, suite, variant)
	if !errors.Is(err, sql.ErrNoRows) {
		return k, err
	}
	if _, err := t.exec(sqlAddTestSuite, repository, suite, variant, []byte("{}")); err != nil {
		return keptSuite{}, err
	}
	return t.findTestSuite(repository, suite, variant)
}

func (t *tx) findTestSuite(repository int64, suite, variant string) (keptSuite, error) {
	return findTestSuite(context.Background(), t.conn, repository, suite, variant)
}

// rowQuerier is the read pool, or the writer's connection within a transaction.
type rowQuerier interface {
	querier
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func findTestSuite(ctx context.Context, db rowQuerier, repository int64, suite, variant string) (keptSuite, error) {
	var k keptSuite
	var body []byte
	if err := db.QueryRowContext(ctx, sqlFindTestSuite, repository, suite, variant).Scan(&k.id, &k.body.Version, &body); err != nil {
		return keptSuite{}, err
	}
	err := json.Unmarshal(body, &k.body.Suite)
	if err == nil {
		k.body.Tests, err = bodies[flake.Test](ctx, db, sqlTests, k.id)
	}
	if err == nil {
		k.body.Entries, err = bodies[flake.Entry](ctx, db, sqlQuarantine, k.id)
	}
	return k, err
}

// saveTests writes what changed, and nothing else.
func (t *tx) saveTests(k keptSuite, news flake.News) error {
	version := k.body.Version
	for _, e := range news.Entries {
		body, err := json.Marshal(e)
		if err != nil {
			return err
		}
		if _, err := t.exec(sqlPutQuarantine, k.id, e.Key, stamp(e.Since), body); err != nil {
			return err
		}
		version++
	}
	for _, test := range news.Tests {
		body, err := json.Marshal(test)
		if err != nil {
			return err
		}
		if _, err := t.exec(sqlPutTest, k.id, test.Key, body); err != nil {
			return err
		}
	}
	body, err := json.Marshal(news.Suite)
	if err != nil {
		return err
	}
	_, err = t.exec(sqlPutTestSuite, version, body, k.id)
	return err
}
