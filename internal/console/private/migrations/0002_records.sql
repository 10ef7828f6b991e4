-- Accounts that a supervisor keeps, and an audit that can only grow.
ALTER TABLE users ADD COLUMN disabled_at TEXT NOT NULL DEFAULT '';   -- '' while the account may log in
ALTER TABLE users ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0;       -- a session of an earlier epoch is over

-- NULL: the link sets up the first account; otherwise it lets this user choose
-- a password. A user's earlier links lose their force with a newer one.
ALTER TABLE setup_links ADD COLUMN user INTEGER REFERENCES users (id);

-- Each line carries the hash of itself and of the line before it. Lines from
-- before this version get theirs when the database is opened.
ALTER TABLE audit ADD COLUMN hash TEXT NOT NULL DEFAULT '';
CREATE INDEX audit_by_user ON audit (user, id);
CREATE INDEX audit_by_action ON audit (action, id);
CREATE TRIGGER audit_stays BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit can only grow'); END;
CREATE TRIGGER audit_stands BEFORE UPDATE ON audit WHEN old.hash <> ''
BEGIN SELECT RAISE(ABORT, 'the audit can only grow'); END;

CREATE TABLE audit_head (
  one  INTEGER PRIMARY KEY CHECK (one = 1),
  id   INTEGER NOT NULL,                  -- of the last line
  hash TEXT    NOT NULL                   -- of the last line
) STRICT;
INSERT INTO audit_head (one, id, hash) VALUES (1, 0, '');
