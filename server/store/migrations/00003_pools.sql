-- Who holds and who ended each unit of a leased plan. A body changes with every
-- claim, so it is not a part of the plan, which never does.

-- +goose Up
CREATE TABLE pools (
	repository INTEGER NOT NULL,
	plan       TEXT    NOT NULL,
	at         INTEGER NOT NULL,
	body       BLOB    NOT NULL,
	PRIMARY KEY (repository, plan)
) STRICT;
CREATE INDEX pools_at ON pools (at);
