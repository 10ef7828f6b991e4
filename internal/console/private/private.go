// Package private keeps what belongs to one agency alone: its users and their
// sessions, its notes and its audit. It is a database file of its own, apart
// from the shared record, so that it can be backed up and guarded apart.
package private

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/alexedwards/argon2id"

	"gatehouse/internal/console/store"
	"gatehouse/internal/event"
)

//go:embed migrations/*.sql
var migrations embed.FS

// File is the name of the private database within the store's folder.
const File = "private.db"

// MinPassword is the least length of a password in characters.
const MinPassword = 12

// maxPassword bounds the work of hashing, in bytes.
const maxPassword = 1024

// SetupLife is how long a set-up link can be used.
const SetupLife = 24 * time.Hour

// Errors that a person can do something about.
var (
	ErrSetupLink     = errors.New("set-up link is not valid or no longer valid")
	ErrUsersExist    = errors.New("there are users already")
	ErrShortPassword = errors.New("password is too short")
	ErrBadLogin      = errors.New("log-in name must be 2 to 64 characters without spaces")
	ErrWrong         = errors.New("log-in name or password is wrong")
	ErrDisabled      = errors.New("the account is disabled")
	ErrLoginTaken    = errors.New("there is an account of this log-in name already")
	// ErrLastSupervisor says that nobody would be left who can keep accounts.
	ErrLastSupervisor = errors.New("this is the last supervisor who can log in")
)

// User is an officer of the agency.
type User struct {
	ID    int64
	Login string
	Name  string
	Badge string
	Role  Role
	// Disabled is when the account was disabled; zero while it may log in.
	Disabled time.Time
	// Invited says that the user has not chosen a password yet, or must choose
	// another one, by a set-up link.
	Invited bool
	// Epoch counts what ends all of a user's sessions: another password or role,
	// a reset, the account's end. A session of an earlier epoch is over.
	Epoch int64
}

// May tells whether the user has a right.
func (u User) May(r Right) bool { return u.Disabled.IsZero() && u.Role.May(r) }

// Store is the agency's private part.
type Store struct {
	write, read *sql.DB
	agency      event.Agency
	now         func() time.Time
	dummy       string // hash that an unknown log-in is compared with, so that it takes as long

	auditM   sync.Mutex
	queue    []*entry // lines of the audit that wait to be written
	auditing bool     // somebody is writing lines
}

// Open opens the private database in dir and creates it when there is none.
func Open(ctx context.Context, dir string, agency event.Agency, now func() time.Time) (*Store, error) {
	w, r, err := store.OpenDatabase(filepath.Join(dir, File))
	if err != nil {
		return nil, err
	}
	s := &Store{write: w, read: r, agency: agency, now: now}
	if err := store.Migrate(ctx, w, migrations); err != nil {
		return nil, errors.Join(fmt.Errorf("prepare %s: %w", File, err), s.Close())
	}
	if err := s.chainAudit(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("prepare the audit: %w", err), s.Close())
	}
	if s.dummy, err = argon2id.CreateHash(rand.Text(), argon2id.DefaultParams); err != nil {
		return nil, errors.Join(fmt.Errorf("prepare password check: %w", err), s.Close())
	}
	return s, nil
}

// inTx runs do in one transaction, which is on disk when inTx returns nil.
func (s *Store) inTx(ctx context.Context, do func(*sql.Tx) error) error {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	if err := do(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// Close closes the database.
func (s *Store) Close() error { return errors.Join(s.read.Close(), s.write.Close()) }

// Note is an officer's private note on a passage.
type Note struct {
	At    time.Time
	Badge string
	Name  string
	Text  string
}

// AddNote stores a note.
func (s *Store) AddNote(ctx context.Context, user int64, passage event.ID, text string) error {
	_, err := s.write.ExecContext(ctx, `INSERT INTO notes (passage, user, at, text) VALUES (?, ?, ?, ?)`, string(passage), user, stamp(s.now()), text)
	if err != nil {
		return fmt.Errorf("store note: %w", err)
	}
	return nil
}

// Notes lists the notes on a passage, oldest first.
func (s *Store) Notes(ctx context.Context, passage event.ID) ([]Note, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT n.at, u.badge, u.name, n.text FROM notes n JOIN users u ON u.id = n.user
		WHERE n.passage = ? ORDER BY n.id`, string(passage))
	if err != nil {
		return nil, fmt.Errorf("list notes: %w", err)
	}
	defer rows.Close()
	var list []Note
	for rows.Next() {
		var n Note
		var at string
		if err := rows.Scan(&at, &n.Badge, &n.Name, &n.Text); err != nil {
			return nil, fmt.Errorf("read notes: %w", err)
		}
		n.At = unstamp(at)
		list = append(list, n)
	}
	return list, rows.Err()
}

func hash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

const stampLayout = "2006-01-02T15:04:05.000000Z"

func stamp(t time.Time) string { return t.UTC().Format(stampLayout) }

func unstamp(s string) time.Time {
	t, err := time.Parse(stampLayout, s)
	if err != nil {
		return time.Time{}
	}
	return t
}
