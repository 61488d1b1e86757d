-- How far something was read that is read bit by bit, by its name.

-- +goose Up
CREATE TABLE marks (
	name  TEXT    NOT NULL PRIMARY KEY,
	value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
