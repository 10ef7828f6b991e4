package private_test

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"

	"gatehouse/internal/console/private"
)

func TestTheAuditKeepsEveryLineOfManyAtOnce(t *testing.T) {
	now := time.Now()
	s := open(t, t.TempDir(), &now)
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() {
			if err := s.Record(t.Context(), 0, private.ActView, fmt.Sprint(i), ""); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	state, err := s.VerifyAudit(t.Context(), private.AuditState{})
	require.NoError(t, err)
	require.EqualValues(t, 200, state.Lines)
	seen := map[string]bool{}
	var before int64
	for {
		lines, err := s.Lines(t.Context(), private.AuditFilter{Action: private.ActView, Before: before, Limit: 30})
		require.NoError(t, err)
		if len(lines) == 0 {
			break
		}
		for _, l := range lines {
			require.False(t, seen[l.About])
			seen[l.About] = true
			before = l.ID
		}
	}
	require.Len(t, seen, 200)
}

// TestTamperingWithTheAuditIsNoticed does to the file what somebody with a
// text editor for databases could.
func TestTamperingWithTheAuditIsNoticed(t *testing.T) {
	for name, c := range map[string]struct {
		do   string
		line int64
	}{
		"a line removed":           {`DELETE FROM audit WHERE id = 4`, 4},
		"the last line removed":    {`DELETE FROM audit WHERE id = 10`, 10},
		"the end removed, covered": {`DELETE FROM audit WHERE id > 8; UPDATE audit_head SET id = 8, hash = (SELECT hash FROM audit WHERE id = 8)`, 9},
		"a line altered":           {`UPDATE audit SET about = 'another' WHERE id = 5`, 5},
		"who did it altered":       {`UPDATE audit SET user = NULL, at = '2026-01-01T00:00:00.000000Z' WHERE id = 5`, 5},
		"two lines swapped":        {`UPDATE audit SET id = 100 WHERE id = 3; UPDATE audit SET id = 3 WHERE id = 4; UPDATE audit SET id = 4 WHERE id = 100`, 3},
		"a line put in":            {`INSERT INTO audit (id, at, action, about, detail, hash) VALUES (11, '2026-01-01T00:00:00.000000Z', 'view', 'x', '', 'x')`, 11},
		"numbers closed up":        {`DELETE FROM audit WHERE id = 4; UPDATE audit SET id = id - 1 WHERE id > 4`, 4},
	} {
		t.Run(name, func(t *testing.T) {
			now, dir := time.Now(), t.TempDir()
			s := open(t, dir, &now)
			for i := range 10 {
				require.NoError(t, s.Record(t.Context(), 0, private.ActView, fmt.Sprint(i), "detail"))
			}
			known, err := s.VerifyAudit(t.Context(), private.AuditState{})
			require.NoError(t, err)
			db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, private.File)+"?_pragma=busy_timeout(5000)")
			require.NoError(t, err)
			_, err = db.Exec(`DELETE FROM audit WHERE id = 4`)
			require.ErrorContains(t, err, "only grow", "the table itself refuses")
			_, err = db.Exec(`UPDATE audit SET about = 'x'`)
			require.ErrorContains(t, err, "only grow")
			_, err = db.Exec(`DROP TRIGGER audit_stays; DROP TRIGGER audit_stands; ` + c.do)
			require.NoError(t, err)
			require.NoError(t, db.Close())
			_, err = s.VerifyAudit(t.Context(), known)
			var broken *private.BrokenAuditError
			require.ErrorAs(t, err, &broken)
			require.Equal(t, c.line, broken.Line, broken.Why)
		})
	}
}

func TestAnAuditOfAnOlderProgramIsTakenIntoTheChain(t *testing.T) {
	now, dir := time.Now(), t.TempDir()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, private.File))
	require.NoError(t, err)
	_, err = db.Exec(`CREATE TABLE users (id INTEGER PRIMARY KEY, login TEXT NOT NULL UNIQUE, name TEXT NOT NULL, badge TEXT NOT NULL UNIQUE, role TEXT NOT NULL, password TEXT NOT NULL, created_at TEXT NOT NULL) STRICT;
		CREATE TABLE setup_links (token_hash TEXT NOT NULL PRIMARY KEY, expires_at TEXT NOT NULL) STRICT;
		CREATE TABLE sessions (token_hash TEXT NOT NULL PRIMARY KEY, data BLOB NOT NULL, expires_at TEXT NOT NULL) STRICT;
		CREATE TABLE notes (id INTEGER PRIMARY KEY, passage TEXT NOT NULL, user INTEGER NOT NULL REFERENCES users (id), at TEXT NOT NULL, text TEXT NOT NULL) STRICT;
		CREATE TABLE audit (id INTEGER PRIMARY KEY, at TEXT NOT NULL, user INTEGER REFERENCES users (id), action TEXT NOT NULL, about TEXT NOT NULL, detail TEXT NOT NULL) STRICT;
		CREATE INDEX audit_by_about ON audit (about, id);
		INSERT INTO users VALUES (1, 'an', 'An', 'HQ-1000', 'supervisor', 'x', '2026-01-01T00:00:00.000000Z');
		INSERT INTO audit VALUES (1, '2026-01-01T00:00:00.000000Z', NULL, 'setup', 'an', ''), (2, '2026-01-01T00:00:01.000000Z', 1, 'view', 'P', '');
		PRAGMA user_version = 1`)
	require.NoError(t, err)
	require.NoError(t, db.Close())
	s := open(t, dir, &now)
	require.NoError(t, s.Record(t.Context(), 1, private.ActView, "Q", ""))
	state, err := s.VerifyAudit(t.Context(), private.AuditState{})
	require.NoError(t, err)
	require.EqualValues(t, 3, state.Lines)
}

func TestAccountsAreInvitedResetAndDisabled(t *testing.T) {
	now := time.Now()
	s := open(t, t.TempDir(), &now)
	first, err := s.NewSetupLink(t.Context())
	require.NoError(t, err)
	boss, err := s.SetUp(t.Context(), first, "an", "An", password)
	require.NoError(t, err)
	require.Equal(t, private.Supervisor, boss.Role)

	u, token, err := s.Invite(t.Context(), "binh", "Bình", private.Technician)
	require.NoError(t, err)
	require.True(t, u.Invited)
	_, err = s.LogIn(t.Context(), "binh", "")
	require.ErrorIs(t, err, private.ErrWrong, "an account without a password opens to nobody")
	_, _, err = s.Invite(t.Context(), "binh", "Bình", private.Officer)
	require.ErrorIs(t, err, private.ErrLoginTaken)
	_, err = s.SetUp(t.Context(), token, "other", "Other", password)
	require.ErrorIs(t, err, private.ErrSetupLink, "a user's link makes no other account")
	_, err = s.Accept(t.Context(), token, "ngắn")
	require.ErrorIs(t, err, private.ErrShortPassword)
	later, err := s.Reset(t.Context(), u.ID)
	require.NoError(t, err)
	_, err = s.Accept(t.Context(), token, password)
	require.ErrorIs(t, err, private.ErrSetupLink, "a newer link takes the older's force")
	got, err := s.Accept(t.Context(), later, password)
	require.NoError(t, err)
	require.False(t, got.Invited)
	require.Greater(t, got.Epoch, u.Epoch)

	require.ErrorIs(t, s.Disable(t.Context(), boss.ID), private.ErrLastSupervisor)
	require.ErrorIs(t, s.SetRole(t.Context(), boss.ID, private.Auditor), private.ErrLastSupervisor)
	other, link, err := s.Invite(t.Context(), "chi", "Chi", private.Supervisor)
	require.NoError(t, err)
	require.ErrorIs(t, s.Disable(t.Context(), boss.ID), private.ErrLastSupervisor, "one who cannot log in yet does not count")
	_, err = s.Accept(t.Context(), link, password)
	require.NoError(t, err)
	require.NoError(t, s.Disable(t.Context(), boss.ID))
	require.ErrorIs(t, s.SetRole(t.Context(), other.ID, private.Officer), private.ErrLastSupervisor)
	off, err := s.User(t.Context(), boss.ID)
	require.NoError(t, err)
	for _, r := range private.Rights() {
		require.False(t, off.May(r))
	}
	accounts, err := s.Accounts(t.Context())
	require.NoError(t, err)
	require.Len(t, accounts, 3)
	require.Equal(t, "an", accounts[2].Login, "the disabled come last")
}

func TestRolesHaveTheirRights(t *testing.T) {
	require.False(t, private.Role("").May(private.See))
	require.False(t, private.Role("nobody").May(private.Own))
	for _, r := range private.Roles() {
		require.True(t, r.May(private.Own) && r.May(private.See) && r.May(private.Devices), r)
		require.False(t, r.May(""), r)
	}
	require.False(t, private.Technician.May(private.Documents) || private.Technician.May(private.Decide))
	require.False(t, private.Auditor.May(private.Decide) || private.Auditor.May(private.Correct) || private.Auditor.May(private.Users))
	require.True(t, private.Auditor.May(private.Audit) && private.Auditor.May(private.Export))
	require.False(t, private.Officer.May(private.Audit) || private.Officer.May(private.Export) || private.Officer.May(private.Users))
}
