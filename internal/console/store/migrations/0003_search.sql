-- Shared part: what people search passages by. A key is the time of a passage
-- and a part of its id, so that the order of keys is the order of time.
CREATE TABLE search (
  key       INTEGER PRIMARY KEY,
  passage   TEXT    NOT NULL UNIQUE,
  opened_at TEXT    NOT NULL,
  gate      TEXT    NOT NULL,
  lane      TEXT    NOT NULL,
  kind      TEXT    NOT NULL,
  direction TEXT    NOT NULL,
  state     TEXT    NOT NULL,
  decided   INTEGER NOT NULL,             -- how many agencies have decided
  plates    TEXT    NOT NULL,             -- ' 12C12345 15R00912 ': read and stated, for matching
  card      TEXT    NOT NULL              -- what a list of results shows, JSON
) STRICT;
CREATE INDEX search_by_lane ON search (gate, lane, key);
CREATE INDEX search_by_direction ON search (direction, key);
CREATE INDEX search_by_kind ON search (kind, key);
CREATE INDEX search_by_state ON search (state, key);
CREATE INDEX search_by_decided ON search (decided, key);

-- Rare things: finding:RPM-GAMMA, verdict:HOLD, verdict:CUSTOMS:HOLD, disagree,
-- blind:15BB/01/xray (a sensor did not look), invalid:15BB/01/rpm (frames not understood).
CREATE TABLE search_marks (
  mark TEXT    NOT NULL,
  key  INTEGER NOT NULL,
  PRIMARY KEY (mark, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX search_marks_back ON search_marks (key);

-- Parts of texts, by the same key. Every column is folded before it is stored.
CREATE VIRTUAL TABLE search_texts USING fts5 (
  plates, -- canonical, Đ as D
  grams,  -- pairs of neighbours in plates, for parts of two characters
  alike,  -- plates and their alternates with look-alikes made equal
  containers,
  documents,
  declarations,
  words,  -- goods, reasons and codes without accents
  tokenize = 'trigram'
);

-- Which passage a piece of evidence belongs to, for the audit of pictures.
CREATE TABLE passage_evidence (
  sha256  TEXT NOT NULL,
  passage TEXT NOT NULL,
  PRIMARY KEY (sha256, passage)
) STRICT, WITHOUT ROWID;

-- Every change of a device's state, for its history. What only a barrier's
-- picture changed is none.
CREATE TABLE device_changes (
  gate     TEXT    NOT NULL,
  lane     TEXT    NOT NULL,
  device   TEXT    NOT NULL,
  since    TEXT    NOT NULL,
  state    TEXT    NOT NULL,
  code     TEXT    NOT NULL,
  driver   TEXT    NOT NULL,
  reason   TEXT    NOT NULL,
  try_vi   TEXT    NOT NULL,
  try_en   TEXT    NOT NULL,
  chain    TEXT    NOT NULL,
  sequence INTEGER NOT NULL,
  PRIMARY KEY (gate, lane, device, since, state, code)
) STRICT, WITHOUT ROWID;
-- Which agencies have decided on an alert, without going through all verdicts.
CREATE INDEX verdicts_by_alert ON verdicts (alert);

CREATE INDEX gaps_by_device ON gaps (gate, lane, device, to_at DESC);

-- How many frames each device gave on each day of the gates' time (+07).
CREATE TABLE frame_days (
  gate   TEXT    NOT NULL,
  lane   TEXT    NOT NULL,
  device TEXT    NOT NULL,
  day    TEXT    NOT NULL,                -- 2006-01-02
  frames INTEGER NOT NULL,
  PRIMARY KEY (gate, lane, device, day)
) STRICT, WITHOUT ROWID;

-- Local part: when something was stored last that owes a receipt. owed is 2
-- where people wait for it.
ALTER TABLE receipting ADD COLUMN owed_at TEXT NOT NULL DEFAULT '';

-- What is stored already fills these tables by a rebuild.
INSERT INTO meta (key, value) SELECT 'rebuild', '{}' WHERE EXISTS (SELECT 1 FROM events) ON CONFLICT DO NOTHING;
