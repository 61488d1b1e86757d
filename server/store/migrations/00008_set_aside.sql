-- Events that could not be taken in: kept as they came, so that a person can look,
-- out of the way of those behind them.

-- +goose Up
CREATE TABLE set_aside (
	id    INTEGER PRIMARY KEY,
	queue INTEGER NOT NULL REFERENCES queues (id),
	at    INTEGER NOT NULL,
	kind  TEXT    NOT NULL,
	body  BLOB    NOT NULL,
	why   TEXT    NOT NULL
) STRICT;
