-- Times are nanoseconds since 1970; the smallest integer is "no time".
-- Bodies are the JSON of the types in package queue. A column of its own has
-- only what is searched or what a person at a prompt looks for first.

-- +goose Up
PRAGMA application_id = 1299084148; -- "Mnst"

CREATE TABLE queues (
	id           INTEGER PRIMARY KEY AUTOINCREMENT,
	installation INTEGER NOT NULL,
	repository   INTEGER NOT NULL,
	owner        TEXT    NOT NULL,
	name         TEXT    NOT NULL,
	branch       TEXT    NOT NULL,
	version      INTEGER NOT NULL DEFAULT 0,
	header       BLOB    NOT NULL,
	UNIQUE (repository, branch)
) STRICT;

CREATE TABLE entries (
	queue INTEGER NOT NULL REFERENCES queues (id),
	pr    INTEGER NOT NULL,
	phase TEXT    NOT NULL,
	body  BLOB    NOT NULL,
	PRIMARY KEY (queue, pr)
) STRICT;

CREATE TABLE batches (
	queue INTEGER NOT NULL REFERENCES queues (id),
	id    INTEGER NOT NULL,
	body  BLOB    NOT NULL,
	PRIMARY KEY (queue, id)
) STRICT;

CREATE TABLE attempts (
	queue     INTEGER NOT NULL REFERENCES queues (id),
	id        INTEGER NOT NULL,
	phase     TEXT    NOT NULL,
	ticket    TEXT    NOT NULL,
	commit_id TEXT    NOT NULL,
	body      BLOB    NOT NULL,
	PRIMARY KEY (queue, id)
) STRICT;
CREATE INDEX attempts_commit ON attempts (commit_id) WHERE commit_id <> '';

CREATE TABLE events (
	id    INTEGER PRIMARY KEY AUTOINCREMENT,
	queue INTEGER NOT NULL REFERENCES queues (id),
	at    INTEGER NOT NULL,
	kind  TEXT    NOT NULL,
	body  BLOB    NOT NULL
) STRICT;
CREATE INDEX events_queue ON events (queue);

CREATE TABLE effects (
	id         INTEGER PRIMARY KEY AUTOINCREMENT,
	queue      INTEGER NOT NULL REFERENCES queues (id),
	key        TEXT    NOT NULL,
	generation INTEGER NOT NULL DEFAULT 1,
	due        INTEGER NOT NULL,
	tries      INTEGER NOT NULL DEFAULT 0,
	kind       TEXT    NOT NULL,
	body       BLOB    NOT NULL,
	last_error TEXT    NOT NULL DEFAULT '',
	UNIQUE (queue, key)
) STRICT;
CREATE INDEX effects_due ON effects (due);

CREATE TABLE ended (
	id    INTEGER PRIMARY KEY AUTOINCREMENT,
	queue INTEGER NOT NULL REFERENCES queues (id),
	pr    INTEGER NOT NULL,
	body  BLOB    NOT NULL
) STRICT;
CREATE INDEX ended_queue ON ended (queue);

CREATE TABLE receipts (
	id        INTEGER PRIMARY KEY AUTOINCREMENT,
	queue     INTEGER NOT NULL REFERENCES queues (id),
	commit_id TEXT    NOT NULL,
	body      BLOB    NOT NULL
) STRICT;
CREATE INDEX receipts_queue ON receipts (queue);
CREATE INDEX receipts_commit ON receipts (commit_id);

CREATE TABLE deliveries (
	id    INTEGER PRIMARY KEY AUTOINCREMENT,
	guid  TEXT    NOT NULL UNIQUE,
	at    INTEGER NOT NULL,
	done  INTEGER NOT NULL DEFAULT 0,
	event TEXT    NOT NULL,
	body  BLOB    NOT NULL
) STRICT;
CREATE INDEX deliveries_unread ON deliveries (id) WHERE done = 0;
CREATE INDEX deliveries_done ON deliveries (at) WHERE done = 1;

CREATE TABLE reports (
	id     INTEGER PRIMARY KEY AUTOINCREMENT,
	queue  INTEGER NOT NULL REFERENCES queues (id),
	key    TEXT    NOT NULL,
	digest TEXT    NOT NULL,
	at     INTEGER NOT NULL,
	body   BLOB    NOT NULL,
	UNIQUE (queue, key)
) STRICT;
CREATE INDEX reports_at ON reports (at);
