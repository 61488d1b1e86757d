-- What was made once on a repository that the App came to: its labels, its first check.
-- A person who deletes one of them is not contradicted at the next start.

-- +goose Up
CREATE TABLE greetings (
	repository INTEGER NOT NULL,
	what       TEXT    NOT NULL,
	at         INTEGER NOT NULL,
	PRIMARY KEY (repository, what)
) STRICT;
