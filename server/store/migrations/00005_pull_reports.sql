-- What the shards of pull requests' own runs said, for their pages: nothing is
-- decided by it and nothing learnt from it.

-- +goose Up
CREATE TABLE pull_reports (
	id    INTEGER PRIMARY KEY AUTOINCREMENT,
	queue INTEGER NOT NULL REFERENCES queues (id),
	pr    INTEGER NOT NULL,
	key   TEXT    NOT NULL,
	at    INTEGER NOT NULL,
	body  BLOB    NOT NULL,
	UNIQUE (queue, pr, key)
) STRICT;
CREATE INDEX pull_reports_pr ON pull_reports (queue, pr);
CREATE INDEX pull_reports_at ON pull_reports (at);
