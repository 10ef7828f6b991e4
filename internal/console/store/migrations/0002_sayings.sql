-- Shared part: acknowledgements, corrections, and what a whole gate's devices
-- and passages carry.

CREATE TABLE acks (
  id       TEXT    NOT NULL PRIMARY KEY,
  alert    TEXT    NOT NULL,
  passage  TEXT    NOT NULL,
  agency   TEXT    NOT NULL,
  gate     TEXT    NOT NULL,
  badge    TEXT    NOT NULL,
  at       TEXT    NOT NULL,
  json     BLOB    NOT NULL,
  chain    TEXT    NOT NULL,
  sequence INTEGER NOT NULL
) STRICT;
CREATE INDEX acks_by_alert ON acks (alert, chain, sequence);

CREATE TABLE corrections (
  id       TEXT    NOT NULL PRIMARY KEY,
  passage  TEXT    NOT NULL,
  other    TEXT    NOT NULL,               -- of a merge: the passage that ends, else ''
  agency   TEXT    NOT NULL,
  gate     TEXT    NOT NULL,
  lane     TEXT    NOT NULL,
  kind     TEXT    NOT NULL,
  reason   TEXT    NOT NULL,
  badge    TEXT    NOT NULL,
  at       TEXT    NOT NULL,
  json     BLOB    NOT NULL,
  chain    TEXT    NOT NULL,
  sequence INTEGER NOT NULL
) STRICT;
CREATE INDEX corrections_by_passage ON corrections (passage, chain, sequence);
CREATE INDEX corrections_by_other ON corrections (other) WHERE other <> '';
CREATE INDEX corrections_by_lane ON corrections (gate, lane, at DESC);

-- Which corrections some version of a passage contains: those are applied.
CREATE TABLE passage_corrections (
  correction TEXT NOT NULL,
  passage    TEXT NOT NULL,
  PRIMARY KEY (correction, passage)
) STRICT, WITHOUT ROWID;

ALTER TABLE devices ADD COLUMN code TEXT NOT NULL DEFAULT '';
ALTER TABLE devices ADD COLUMN required INTEGER NOT NULL DEFAULT 0;
ALTER TABLE devices ADD COLUMN barrier TEXT NOT NULL DEFAULT '';    -- event.Barrier as JSON, or ''

CREATE INDEX passages_by_lane ON passages (gate, lane, opened_at DESC);
CREATE INDEX passages_under_way ON passages (opened_at) WHERE state IN ('open', 'waiting');

-- Local part.
CREATE INDEX outbox_corrections ON outbox (id) WHERE type = 'vn.gatehouse.correction.v1';

-- What is stored already fills these tables by a rebuild.
INSERT INTO meta (key, value) SELECT 'rebuild', '{}' WHERE EXISTS (SELECT 1 FROM events) ON CONFLICT DO NOTHING;
