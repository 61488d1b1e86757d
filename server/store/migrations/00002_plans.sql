-- Plans are kept as they were frozen, packed by gzip; timings are what is known
-- of how long items take, in milliseconds.

-- +goose Up
CREATE TABLE plans (
	id         TEXT    NOT NULL,
	repository INTEGER NOT NULL,
	run        INTEGER NOT NULL,
	suite      TEXT    NOT NULL,
	variant    TEXT    NOT NULL,
	total      INTEGER NOT NULL,
	inventory  TEXT    NOT NULL, -- the digest, where the body has all of the items
	at         INTEGER NOT NULL,
	body       BLOB    NOT NULL,
	UNIQUE (repository, run, suite, variant, total)
) STRICT;
CREATE UNIQUE INDEX plans_id ON plans (repository, id);
CREATE INDEX plans_inventory ON plans (repository, suite, variant, inventory) WHERE inventory <> '';
CREATE INDEX plans_at ON plans (at);

CREATE TABLE timings (
	repository INTEGER NOT NULL,
	suite      TEXT    NOT NULL,
	variant    TEXT    NOT NULL,
	item       TEXT    NOT NULL,
	ms         INTEGER NOT NULL, -- the weighted median of the samples
	n          INTEGER NOT NULL,
	at         INTEGER NOT NULL, -- of the newest
	samples    BLOB    NOT NULL,
	PRIMARY KEY (repository, suite, variant, item)
) STRICT, WITHOUT ROWID;
CREATE INDEX timings_at ON timings (at);

-- The tests inside an item, apart from it: only those of long items are read.
CREATE TABLE test_timings (
	repository INTEGER NOT NULL,
	suite      TEXT    NOT NULL,
	variant    TEXT    NOT NULL,
	item       TEXT    NOT NULL,
	at         INTEGER NOT NULL,
	body       BLOB    NOT NULL,
	PRIMARY KEY (repository, suite, variant, item)
) STRICT;
CREATE INDEX test_timings_at ON test_timings (at);
