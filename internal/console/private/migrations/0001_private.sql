-- Private to the agency: never on a shared subject, with a backup of its own.
CREATE TABLE users (
  id         INTEGER PRIMARY KEY,
  login      TEXT NOT NULL UNIQUE,
  name       TEXT NOT NULL,               -- the officer's name; it never leaves the agency
  badge      TEXT NOT NULL UNIQUE,        -- the pseudonym that shared verdicts carry
  role       TEXT NOT NULL,
  password   TEXT NOT NULL,               -- argon2id in PHC form
  created_at TEXT NOT NULL
) STRICT;

CREATE TABLE setup_links (
  token_hash TEXT NOT NULL PRIMARY KEY,   -- SHA-256 of the token
  expires_at TEXT NOT NULL
) STRICT;

CREATE TABLE sessions (
  token_hash TEXT NOT NULL PRIMARY KEY,   -- SHA-256 of the cookie's token
  data       BLOB NOT NULL,
  expires_at TEXT NOT NULL
) STRICT;

CREATE TABLE notes (
  id      INTEGER PRIMARY KEY,
  passage TEXT    NOT NULL,
  user    INTEGER NOT NULL REFERENCES users (id),
  at      TEXT    NOT NULL,
  text    TEXT    NOT NULL
) STRICT;
CREATE INDEX notes_by_passage ON notes (passage, id);

CREATE TABLE audit (
  id     INTEGER PRIMARY KEY,
  at     TEXT    NOT NULL,
  user   INTEGER REFERENCES users (id),   -- NULL before log-in
  action TEXT    NOT NULL,
  about  TEXT    NOT NULL,
  detail TEXT    NOT NULL
) STRICT;
CREATE INDEX audit_by_about ON audit (about, id);
