-- Shared part: what gates have removed by their rules, and legal holds.
CREATE TABLE removals (
  sha256   TEXT    NOT NULL,
  gate     TEXT    NOT NULL,
  rule     TEXT    NOT NULL,
  cause    TEXT    NOT NULL,
  days     INTEGER NOT NULL,              -- for which the rule kept it at least
  bytes    INTEGER NOT NULL,
  at       TEXT    NOT NULL,
  chain    TEXT    NOT NULL,
  sequence INTEGER NOT NULL,
  PRIMARY KEY (sha256, chain, sequence)
) STRICT, WITHOUT ROWID;

CREATE TABLE holds (
  id       TEXT    NOT NULL PRIMARY KEY,
  passage  TEXT    NOT NULL,
  agency   TEXT    NOT NULL,
  gate     TEXT    NOT NULL,
  held     INTEGER NOT NULL,              -- 0: lifted
  json     BLOB    NOT NULL,
  chain    TEXT    NOT NULL,
  sequence INTEGER NOT NULL
) STRICT;
CREATE INDEX holds_by_passage ON holds (passage, chain, sequence);

-- Local part: evidence that is stored and that no receipt has told of.
CREATE TABLE untold (
  sha256 TEXT NOT NULL PRIMARY KEY,
  gate   TEXT NOT NULL,
  since  TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX outbox_holds ON outbox (about, id) WHERE type = 'vn.gatehouse.hold.v1';
