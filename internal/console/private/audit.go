package private

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Action is what a line of the audit says was done.
type Action string

// Actions. What each line is about stands behind it.
const (
	ActLogin       Action = "login"        // log-in name
	ActLoginFailed Action = "login-failed" // log-in name as it was typed
	ActLogout      Action = "logout"       // log-in name
	ActSetup       Action = "setup"        // log-in name
	ActPassword    Action = "password"     // log-in name
	ActDenied      Action = "denied"       // method and path
	ActView        Action = "view"         // passage
	ActDocument    Action = "document"     // passage; a document was shown in full
	ActImage       Action = "image"        // passage; detail has the digest and the form; part of a page that shows several
	ActPicture     Action = "picture"      // passage; detail has the digest; one picture was opened in full
	ActDownload    Action = "download"     // passage; detail has the digest
	ActSearch      Action = "search"       // detail has the query
	ActExport      Action = "export"       // "search" or "audit", detail has the query; passage, detail has "tdr" and the digest of the scan
	ActVerdict     Action = "verdict"      // passage
	ActAck         Action = "ack"          // passage
	ActCorrection  Action = "correction"   // passage
	ActHold        Action = "hold"         // passage; detail has set or lifted
	ActNote        Action = "note"         // passage
	ActControl     Action = "control"      // gate/lane/device; detail has the verb and the command
	ActTrials      Action = "trials"       // gate/lane; detail has on with the share, or off
	ActTrialsRead  Action = "trials-read"  // the reviewers' figures
	ActAuditRead   Action = "audit-read"   // detail has the filter
	ActUserCreate  Action = "user-create"  // log-in name
	ActUserReset   Action = "user-reset"   // log-in name
	ActUserRole    Action = "user-role"    // log-in name
	ActUserDisable Action = "user-disable" // log-in name
	ActUserEnable  Action = "user-enable"  // log-in name
)

// Actions lists all actions in the order in which pages offer them.
func Actions() []Action {
	return []Action{
		ActView, ActDocument, ActPicture, ActImage, ActDownload, ActSearch, ActExport, ActVerdict, ActAck, ActCorrection, ActHold, ActNote, ActControl,
		ActTrials, ActTrialsRead,
		ActLogin, ActLoginFailed, ActLogout, ActSetup, ActPassword, ActDenied, ActAuditRead,
		ActUserCreate, ActUserReset, ActUserRole, ActUserDisable, ActUserEnable,
	}
}

// entry is a line on its way into the audit.
type entry struct {
	at            string
	user          int64
	action        Action
	about, detail string
	lead          chan struct{} // closed when it is this entry's turn to write
	done          chan error
}

// Record adds a line to the audit and returns once it is on disk. user 0 means
// nobody is logged in. Lines that come while one is being written share the
// next transaction.
func (s *Store) Record(ctx context.Context, user int64, action Action, about, detail string) error {
	e := &entry{stamp(s.now()), user, action, about, detail, make(chan struct{}), make(chan error, 1)}
	s.auditM.Lock()
	s.queue = append(s.queue, e)
	if len(s.queue) == 1 && !s.auditing {
		s.auditing = true
		close(e.lead)
	}
	s.auditM.Unlock()
	select {
	case err := <-e.done:
		return err
	case <-e.lead:
	}
	s.auditM.Lock()
	batch := s.queue
	s.queue = nil
	s.auditM.Unlock()
	// What others wait for is written even when this one's page was closed.
	err := s.appendAudit(context.WithoutCancel(ctx), batch)
	s.auditM.Lock()
	if len(s.queue) > 0 {
		close(s.queue[0].lead)
	} else {
		s.auditing = false
	}
	s.auditM.Unlock()
	if err != nil {
		err = fmt.Errorf("record %s in the audit: %w", action, err)
	}
	for _, other := range batch {
		other.done <- err
	}
	return err
}

func (s *Store) appendAudit(ctx context.Context, batch []*entry) error {
	return s.inTx(ctx, func(tx *sql.Tx) error {
		var id int64
		var head string
		if err := tx.QueryRowContext(ctx, `SELECT id, hash FROM audit_head`).Scan(&id, &head); err != nil {
			return err
		}
		for _, e := range batch {
			id++
			l := Line{ID: id, at: e.at, User: e.user, Action: e.action, About: e.about, Detail: e.detail}
			head = l.hash(head)
			_, err := tx.ExecContext(ctx, `INSERT INTO audit (id, at, user, action, about, detail, hash) VALUES (?, ?, nullif(?, 0), ?, ?, ?, ?)`,
				id, e.at, e.user, string(e.action), e.about, e.detail, head)
			if err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, `UPDATE audit_head SET id = ?, hash = ?`, id, head)
		return err
	})
}

// chainAudit gives lines of an older version their hashes.
func (s *Store) chainAudit(ctx context.Context) error {
	return s.inTx(ctx, func(tx *sql.Tx) error {
		var at int64
		if err := tx.QueryRowContext(ctx, `SELECT id FROM audit_head`).Scan(&at); err != nil || at != 0 {
			return err
		}
		rows, err := tx.QueryContext(ctx, selectLines+`ORDER BY a.id`)
		if err != nil {
			return err
		}
		lines, err := scanLines(rows)
		if err != nil {
			return err
		}
		head, id := "", int64(0)
		for _, l := range lines {
			head, id = l.hash(head), l.ID
			if _, err := tx.ExecContext(ctx, `UPDATE audit SET hash = ? WHERE id = ?`, head, id); err != nil {
				return err
			}
		}
		_, err = tx.ExecContext(ctx, `UPDATE audit_head SET id = ?, hash = ?`, id, head)
		return err
	})
}

// Line is a line of the audit.
type Line struct {
	ID                 int64
	At                 time.Time
	User               int64  // 0 when nobody was logged in
	Login, Name, Badge string // of the user
	Action             Action
	About, Detail      string
	Hash               string // of the line and all before it

	at string // as stored
}

// hash is the SHA-256 of the line together with that of the line before it.
func (l Line) hash(previous string) string {
	// Strings and integers always have a JSON form.
	b, _ := json.Marshal([]any{previous, l.ID, l.at, l.User, l.Action, l.About, l.Detail})
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

const selectLines = `SELECT a.id, a.at, coalesce(a.user, 0), coalesce(u.login, ''), coalesce(u.name, ''), coalesce(u.badge, ''),
	a.action, a.about, a.detail, a.hash FROM audit a LEFT JOIN users u ON u.id = a.user `

func scanLines(rows *sql.Rows) ([]Line, error) {
	defer rows.Close()
	var list []Line
	for rows.Next() {
		var l Line
		if err := rows.Scan(&l.ID, &l.at, &l.User, &l.Login, &l.Name, &l.Badge, &l.Action, &l.About, &l.Detail, &l.Hash); err != nil {
			return nil, err
		}
		l.At = unstamp(l.at)
		list = append(list, l)
	}
	return list, rows.Err()
}

// AuditFilter picks lines of the audit; an empty field picks all.
type AuditFilter struct {
	User     int64
	Action   Action
	About    string // passage, log-in name: what the line is about, exactly
	From, To time.Time
	Before   int64 // lines with a lower number, for the next page; 0 for the newest
	Limit    int
}

// Lines lists lines of the audit, newest first.
func (s *Store) Lines(ctx context.Context, f AuditFilter) ([]Line, error) {
	var where []string
	var args []any
	add := func(yes bool, clause string, arg any) {
		if yes {
			where, args = append(where, clause), append(args, arg)
		}
	}
	add(f.User != 0, "a.user = ?", f.User)
	add(f.Action != "", "a.action = ?", string(f.Action))
	add(f.About != "", "a.about = ?", f.About)
	add(!f.From.IsZero(), "a.at >= ?", stamp(f.From))
	add(!f.To.IsZero(), "a.at < ?", stamp(f.To))
	add(f.Before != 0, "a.id < ?", f.Before)
	query := selectLines
	if len(where) > 0 {
		query += "WHERE " + strings.Join(where, " AND ") + " "
	}
	rows, err := s.read.QueryContext(ctx, query+"ORDER BY a.id DESC LIMIT ?", append(args, f.Limit)...)
	if err != nil {
		return nil, fmt.Errorf("read the audit: %w", err)
	}
	list, err := scanLines(rows)
	if err != nil {
		return nil, fmt.Errorf("read the audit: %w", err)
	}
	return list, nil
}

// AuditState is how far the audit reaches. Whoever keeps it elsewhere can
// tell later whether lines at the end were taken away.
type AuditState struct {
	Lines int64  `json:"lines"`
	Head  string `json:"head"`
}

// AuditHead is how far the audit reaches now.
func (s *Store) AuditHead(ctx context.Context) (AuditState, error) {
	var st AuditState
	if err := s.read.QueryRowContext(ctx, `SELECT id, hash FROM audit_head`).Scan(&st.Lines, &st.Head); err != nil {
		return st, fmt.Errorf("read the audit: %w", err)
	}
	return st, nil
}

// BrokenAuditError says where the audit is not what was written.
type BrokenAuditError struct {
	Line int64 // the first line that is missing, altered or moved
	Why  string
}

func (e *BrokenAuditError) Error() string {
	return fmt.Sprintf("audit is not whole at line %d: %s", e.Line, e.Why)
}

// VerifyAudit goes through the whole audit. A *BrokenAuditError says that a
// line is missing, altered or moved. known may be an earlier state, which the
// audit must still contain; the zero value asks for none.
func (s *Store) VerifyAudit(ctx context.Context, known AuditState) (AuditState, error) {
	tx, err := s.read.BeginTx(ctx, nil) // one view of both tables
	if err != nil {
		return AuditState{}, fmt.Errorf("read the audit: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // nothing was written
	var end AuditState
	if err := tx.QueryRowContext(ctx, `SELECT id, hash FROM audit_head`).Scan(&end.Lines, &end.Head); err != nil {
		return AuditState{}, fmt.Errorf("read the audit: %w", err)
	}
	got, err := walkAudit(ctx, tx, known)
	if err != nil {
		return got, err
	}
	switch {
	case known.Lines > got.Lines:
		return got, &BrokenAuditError{got.Lines + 1, fmt.Sprintf("there were %d lines before, now there are %d", known.Lines, got.Lines)}
	case end.Lines > got.Lines:
		return got, &BrokenAuditError{got.Lines + 1, fmt.Sprintf("lines up to %d were written and are not there", end.Lines)}
	case end != got:
		return got, &BrokenAuditError{got.Lines, "the last line is not the one that was written last"}
	}
	return got, nil
}

func walkAudit(ctx context.Context, tx *sql.Tx, known AuditState) (AuditState, error) {
	rows, err := tx.QueryContext(ctx, selectLines+`ORDER BY a.id`)
	if err != nil {
		return AuditState{}, fmt.Errorf("read the audit: %w", err)
	}
	defer rows.Close()
	var got AuditState
	for rows.Next() {
		var l Line
		if err := rows.Scan(&l.ID, &l.at, &l.User, &l.Login, &l.Name, &l.Badge, &l.Action, &l.About, &l.Detail, &l.Hash); err != nil {
			return got, fmt.Errorf("read the audit: %w", err)
		}
		switch {
		case l.ID != got.Lines+1:
			return got, &BrokenAuditError{got.Lines + 1, fmt.Sprintf("it is missing; the next one is line %d", l.ID)}
		case l.hash(got.Head) != l.Hash:
			return got, &BrokenAuditError{l.ID, "its content does not match its hash"}
		case l.ID == known.Lines && l.Hash != known.Head:
			return got, &BrokenAuditError{l.ID, "it had another hash before"}
		}
		got = AuditState{Lines: l.ID, Head: l.Hash}
	}
	if err := rows.Err(); err != nil {
		return got, fmt.Errorf("read the audit: %w", errors.Join(err))
	}
	return got, nil
}
