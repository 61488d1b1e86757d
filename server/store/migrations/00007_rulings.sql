-- The audit: who asked for what, and what refused it. Rows are only ever added.

-- +goose Up
CREATE TABLE rulings (
	id      INTEGER PRIMARY KEY AUTOINCREMENT,
	queue   INTEGER NOT NULL REFERENCES queues (id),
	pr      INTEGER NOT NULL,
	refused INTEGER NOT NULL,
	at      INTEGER NOT NULL,
	body    BLOB    NOT NULL
) STRICT;
CREATE INDEX rulings_queue ON rulings (queue);
CREATE INDEX rulings_pr ON rulings (queue, pr);
CREATE INDEX rulings_refused ON rulings (queue, refused);
