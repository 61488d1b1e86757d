-- What is learnt of tests, from good code alone. A test that never failed there
-- has no row: the suite's count of runs is its passes.

-- +goose Up
CREATE TABLE test_suites (
	id         INTEGER PRIMARY KEY AUTOINCREMENT,
	repository INTEGER NOT NULL,
	suite      TEXT    NOT NULL,
	variant    TEXT    NOT NULL,
	version    INTEGER NOT NULL DEFAULT 0, -- of its quarantine
	body       BLOB    NOT NULL,
	UNIQUE (repository, suite, variant)
) STRICT;

CREATE TABLE tests (
	suite INTEGER NOT NULL REFERENCES test_suites (id),
	key   TEXT    NOT NULL,
	body  BLOB    NOT NULL,
	PRIMARY KEY (suite, key)
) STRICT;

CREATE TABLE quarantine (
	id    INTEGER PRIMARY KEY AUTOINCREMENT,
	suite INTEGER NOT NULL REFERENCES test_suites (id),
	key   TEXT    NOT NULL,
	since INTEGER NOT NULL,
	body  BLOB    NOT NULL,
	UNIQUE (suite, key, since)
) STRICT;

-- Which runs were learnt from, so that none is twice.
CREATE TABLE lessons (
	id   INTEGER PRIMARY KEY AUTOINCREMENT,
	name TEXT    NOT NULL UNIQUE,
	at   INTEGER NOT NULL
) STRICT;
CREATE INDEX lessons_at ON lessons (at);
