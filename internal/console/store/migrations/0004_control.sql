-- Shared part: who controls devices, and every command with what came of it.
CREATE TABLE controls (
  id       TEXT    NOT NULL PRIMARY KEY,
  gate     TEXT    NOT NULL,
  lane     TEXT    NOT NULL,
  device   TEXT    NOT NULL,
  command  TEXT    NOT NULL,              -- that it answers, or ''
  at       TEXT    NOT NULL,
  json     BLOB    NOT NULL,
  chain    TEXT    NOT NULL,
  sequence INTEGER NOT NULL
) STRICT;
CREATE INDEX controls_by_device ON controls (gate, lane, device, chain DESC, sequence DESC);
CREATE INDEX controls_by_command ON controls (command) WHERE command <> '';

-- The newest line of each device's log: it says who has control.
CREATE TABLE control_now (
  gate     TEXT    NOT NULL,
  lane     TEXT    NOT NULL,
  device   TEXT    NOT NULL,
  json     BLOB    NOT NULL,
  chain    TEXT    NOT NULL,
  sequence INTEGER NOT NULL,
  PRIMARY KEY (gate, lane, device)
) STRICT;

-- Local part.
CREATE INDEX outbox_commands ON outbox (id) WHERE type = 'vn.gatehouse.command.v1';
