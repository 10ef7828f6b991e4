-- Shared part: changes of gates' signing keys, each signed by both keys.
CREATE TABLE key_changes (
  chain    TEXT    NOT NULL,
  sequence INTEGER NOT NULL,
  gate     TEXT    NOT NULL,
  old      TEXT    NOT NULL,              -- key ids
  new      TEXT    NOT NULL,
  reason   TEXT    NOT NULL,
  at       TEXT    NOT NULL,
  PRIMARY KEY (chain, sequence)
) STRICT, WITHOUT ROWID;
CREATE INDEX key_changes_by_new ON key_changes (gate, new);
