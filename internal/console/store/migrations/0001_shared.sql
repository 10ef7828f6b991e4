-- Shared part: equal in every store that holds the same events.

CREATE TABLE events (
  chain       TEXT    NOT NULL,
  sequence    INTEGER NOT NULL CHECK (sequence > 0),
  gate        TEXT    NOT NULL,
  type        TEXT    NOT NULL,
  event_id    TEXT    NOT NULL,
  at          TEXT    NOT NULL,            -- the gate's time of appending, UTC
  header      BLOB    NOT NULL,            -- the signed bytes
  signature   BLOB    NOT NULL,
  origin      BLOB,                        -- the agency's own signature, of agency events
  payload     BLOB,                        -- CloudEvents bytes; NULL when withheld
  previous    TEXT    NOT NULL,            -- hash of the previous header, as this header says
  head        TEXT    NOT NULL,            -- SHA-256 of header
  quarantined INTEGER NOT NULL DEFAULT 0,  -- 0 sound, 1 not to be believed, 2 not readable
  problem     TEXT    NOT NULL DEFAULT '', -- why, for technicians
  linked      INTEGER NOT NULL DEFAULT 0,  -- 0 beyond a hole, 1 follows its predecessor, 2 does not
  PRIMARY KEY (chain, sequence)
) STRICT;
CREATE INDEX events_by_id ON events (event_id);
CREATE INDEX events_suspect ON events (chain, sequence) WHERE quarantined <> 0 OR linked = 2;

CREATE TABLE heads (
  chain    TEXT    NOT NULL PRIMARY KEY,
  gate     TEXT    NOT NULL,
  sequence INTEGER NOT NULL,               -- everything up to here is stored without a hole
  head     TEXT    NOT NULL,               -- hash of that header
  highest  INTEGER NOT NULL                -- highest sequence stored; more than sequence means a hole
) STRICT;

CREATE TABLE passages (
  id        TEXT    NOT NULL PRIMARY KEY,
  version   INTEGER NOT NULL,
  gate      TEXT    NOT NULL,
  lane      TEXT    NOT NULL,
  kind      TEXT    NOT NULL,
  direction TEXT    NOT NULL,
  flow      TEXT    NOT NULL,
  state     TEXT    NOT NULL,
  opened_at TEXT    NOT NULL,
  plate     TEXT    NOT NULL,              -- canonical text of the best plate reading, or ''
  json      BLOB    NOT NULL,              -- event.Passage as it came
  chain     TEXT    NOT NULL,
  sequence  INTEGER NOT NULL
) STRICT;
CREATE INDEX passages_by_time ON passages (opened_at DESC);
CREATE INDEX passages_by_plate ON passages (plate, opened_at DESC) WHERE plate <> '';

CREATE TABLE passage_versions (
  id       TEXT    NOT NULL,
  version  INTEGER NOT NULL,
  state    TEXT    NOT NULL,
  at       TEXT    NOT NULL,
  chain    TEXT    NOT NULL,
  sequence INTEGER NOT NULL,
  PRIMARY KEY (id, version)
) STRICT;

CREATE TABLE alerts (
  id        TEXT    NOT NULL PRIMARY KEY,
  passage   TEXT    NOT NULL,
  gate      TEXT    NOT NULL,
  lane      TEXT    NOT NULL,
  code      TEXT    NOT NULL,
  severity  TEXT    NOT NULL,
  lead      TEXT    NOT NULL,
  status    TEXT    NOT NULL,
  msg_type  TEXT    NOT NULL,
  sent      TEXT    NOT NULL,
  json      BLOB    NOT NULL,
  chain     TEXT    NOT NULL,
  sequence  INTEGER NOT NULL
) STRICT;
CREATE INDEX alerts_by_passage ON alerts (passage);
CREATE INDEX alerts_by_time ON alerts (sent DESC);

CREATE TABLE alert_references (
  alert  TEXT NOT NULL,
  refers TEXT NOT NULL,                    -- the earlier alert that it updates or cancels
  PRIMARY KEY (alert, refers)
) STRICT;
CREATE INDEX alert_references_back ON alert_references (refers);

CREATE TABLE verdicts (
  id       TEXT    NOT NULL PRIMARY KEY,
  passage  TEXT    NOT NULL,
  alert    TEXT    NOT NULL,
  agency   TEXT    NOT NULL,
  gate     TEXT    NOT NULL,
  code     TEXT    NOT NULL,
  reason   TEXT    NOT NULL,
  badge    TEXT    NOT NULL,
  at       TEXT    NOT NULL,
  json     BLOB    NOT NULL,
  chain    TEXT    NOT NULL,
  sequence INTEGER NOT NULL
) STRICT;
CREATE INDEX verdicts_by_passage ON verdicts (passage, chain, sequence);

CREATE TABLE receipts (
  id             TEXT    NOT NULL PRIMARY KEY,
  agency         TEXT    NOT NULL,
  gate           TEXT    NOT NULL,
  of_chain       TEXT    NOT NULL,
  of_sequence    INTEGER NOT NULL,
  head           TEXT    NOT NULL,
  alert          TEXT    NOT NULL,
  quarantined    TEXT    NOT NULL,         -- JSON array of sequences
  at             TEXT    NOT NULL,
  chain          TEXT    NOT NULL,
  sequence       INTEGER NOT NULL
) STRICT;
CREATE INDEX receipts_by_reach ON receipts (of_chain, agency, of_sequence) WHERE alert = '';
CREATE INDEX receipts_by_alert ON receipts (alert, agency) WHERE alert <> '';

CREATE TABLE devices (
  gate     TEXT    NOT NULL,
  lane     TEXT    NOT NULL,
  device   TEXT    NOT NULL,
  driver   TEXT    NOT NULL,
  state    TEXT    NOT NULL,               -- '' when only its frames were heard of
  since    TEXT    NOT NULL,
  reason   TEXT    NOT NULL,
  try_vi   TEXT    NOT NULL,
  try_en   TEXT    NOT NULL,
  chain    TEXT    NOT NULL,
  sequence INTEGER NOT NULL,
  heard_at TEXT    NOT NULL,               -- end of the newest frame log, or ''
  PRIMARY KEY (gate, lane, device)
) STRICT;

CREATE TABLE gaps (
  id       TEXT    NOT NULL PRIMARY KEY,
  gate     TEXT    NOT NULL,
  lane     TEXT    NOT NULL,
  device   TEXT    NOT NULL,
  from_at  TEXT    NOT NULL,
  to_at    TEXT    NOT NULL,
  frames   INTEGER NOT NULL,
  reason   TEXT    NOT NULL,
  chain    TEXT    NOT NULL,
  sequence INTEGER NOT NULL
) STRICT;
CREATE INDEX gaps_by_time ON gaps (to_at DESC);

CREATE TABLE frames (
  log_id TEXT    NOT NULL,
  n      INTEGER NOT NULL,                 -- place within the log
  gate   TEXT    NOT NULL,
  lane   TEXT    NOT NULL,
  device TEXT    NOT NULL,
  digest TEXT    NOT NULL,                 -- first 16 hexadecimal digits of the frame's SHA-256
  at     TEXT    NOT NULL,                 -- end of the log's stretch of time
  PRIMARY KEY (log_id, n)
) STRICT, WITHOUT ROWID;
CREATE INDEX frames_by_digest ON frames (digest, device);

CREATE TABLE evidence (
  sha256 TEXT    NOT NULL PRIMARY KEY,
  gate   TEXT    NOT NULL,
  media  TEXT    NOT NULL,
  bytes  INTEGER NOT NULL,
  role   TEXT    NOT NULL,
  state  TEXT    NOT NULL                  -- 'wanted' or 'stored'
) STRICT;

-- Local part: this store's own.

CREATE TABLE meta (
  key   TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
) STRICT;

CREATE TABLE arrivals (
  chain       TEXT    NOT NULL,
  sequence    INTEGER NOT NULL,
  received_at TEXT    NOT NULL,
  late        INTEGER NOT NULL,            -- 1: arrived from a backlog; shown, but without alarm
  PRIMARY KEY (chain, sequence)
) STRICT, WITHOUT ROWID;

CREATE TABLE strays (
  digest      TEXT NOT NULL PRIMARY KEY,   -- of subject, header and data
  subject     TEXT NOT NULL,
  header      TEXT NOT NULL,
  data        BLOB NOT NULL,
  problem     TEXT NOT NULL,
  received_at TEXT NOT NULL
) STRICT;

CREATE TABLE receipting (
  chain   TEXT    NOT NULL PRIMARY KEY,
  gate    TEXT    NOT NULL,
  owed    INTEGER NOT NULL,                -- 1: something other than receipts was stored since
  covered INTEGER NOT NULL,                -- sequence of the last cumulative receipt
  last_at TEXT    NOT NULL                 -- time of the last cumulative receipt, or ''
) STRICT;

CREATE TABLE outbox (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  event_id   TEXT    NOT NULL UNIQUE,
  gate       TEXT    NOT NULL,
  type       TEXT    NOT NULL,
  about      TEXT    NOT NULL,             -- passage of a verdict, digest of a wanted
  subject    TEXT    NOT NULL,
  data       BLOB    NOT NULL,
  origin     BLOB    NOT NULL,
  created_at TEXT    NOT NULL,
  sent_at    TEXT    NOT NULL              -- '' while queued
) STRICT;
CREATE INDEX outbox_queued ON outbox (id) WHERE sent_at = '';
CREATE INDEX outbox_about ON outbox (about, type);

CREATE TABLE wants (
  sha256 TEXT    NOT NULL PRIMARY KEY,
  gate   TEXT    NOT NULL,
  due_at TEXT    NOT NULL,
  tries  INTEGER NOT NULL,
  missing TEXT   NOT NULL DEFAULT '' -- why the gate cannot serve it, as it said
) STRICT;
CREATE INDEX wants_due ON wants (due_at);
