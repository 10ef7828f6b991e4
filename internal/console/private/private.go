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
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"

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

// Roles of users.
const (
	Officer    = "officer"
	Supervisor = "supervisor"
)

// Errors that a person can do something about.
var (
	ErrSetupLink     = errors.New("set-up link is not valid or no longer valid")
	ErrUsersExist    = errors.New("there are users already")
	ErrShortPassword = errors.New("password is too short")
	ErrBadLogin      = errors.New("log-in name must be 2 to 64 characters without spaces")
	ErrWrong         = errors.New("log-in name or password is wrong")
)

// User is an officer of the agency.
type User struct {
	ID    int64
	Login string
	Name  string
	Badge string
	Role  string
}

// Store is the agency's private part.
type Store struct {
	write, read *sql.DB
	agency      event.Agency
	now         func() time.Time
	dummy       string // hash that an unknown log-in is compared with, so that it takes as long
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
	if s.dummy, err = argon2id.CreateHash(rand.Text(), argon2id.DefaultParams); err != nil {
		return nil, errors.Join(fmt.Errorf("prepare password check: %w", err), s.Close())
	}
	return s, nil
}

// Close closes the database.
func (s *Store) Close() error { return errors.Join(s.read.Close(), s.write.Close()) }

// HasUsers tells whether anybody can log in yet.
func (s *Store) HasUsers(ctx context.Context) (bool, error) {
	var yes bool
	if err := s.read.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM users)`).Scan(&yes); err != nil {
		return false, fmt.Errorf("look for users: %w", err)
	}
	return yes, nil
}

// NewSetupLink makes a token by which the first user is set up. Earlier ones
// stay valid until they expire or one is used. ErrUsersExist when there is a
// user.
func (s *Store) NewSetupLink(ctx context.Context) (string, error) {
	has, err := s.HasUsers(ctx)
	if err != nil {
		return "", err
	}
	if has {
		return "", ErrUsersExist
	}
	raw := make([]byte, 32)
	if _, err := rand.Read(raw); err != nil {
		return "", fmt.Errorf("make set-up link: %w", err)
	}
	token := base64.RawURLEncoding.EncodeToString(raw)
	_, err = s.write.ExecContext(ctx, `DELETE FROM setup_links WHERE expires_at <= ?`, stamp(s.now()))
	if err == nil {
		_, err = s.write.ExecContext(ctx, `INSERT INTO setup_links (token_hash, expires_at) VALUES (?, ?)`, hash(token), stamp(s.now().Add(SetupLife)))
	}
	if err != nil {
		return "", fmt.Errorf("store set-up link: %w", err)
	}
	return token, nil
}

// CheckSetupLink tells whether a token can set up the first user: nil or
// ErrSetupLink.
func (s *Store) CheckSetupLink(ctx context.Context, token string) error {
	var one int
	err := s.read.QueryRowContext(ctx, `SELECT 1 FROM setup_links WHERE token_hash = ? AND expires_at > ? AND NOT EXISTS (SELECT 1 FROM users)`,
		hash(token), stamp(s.now())).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return ErrSetupLink
	}
	if err != nil {
		return fmt.Errorf("check set-up link: %w", err)
	}
	return nil
}

// SetUp makes the first user, once: the link is used up.
func (s *Store) SetUp(ctx context.Context, token, login, name, password string) (User, error) {
	if err := checkUser(login, password); err != nil {
		return User{}, err
	}
	if err := s.CheckSetupLink(ctx, token); err != nil {
		return User{}, err
	}
	phc, err := argon2id.CreateHash(password, argon2id.DefaultParams)
	if err != nil {
		return User{}, fmt.Errorf("hash password: %w", err)
	}
	badge, err := s.newBadge()
	if err != nil {
		return User{}, err
	}
	u := User{Login: login, Name: strings.TrimSpace(name), Badge: badge, Role: Supervisor}
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return User{}, fmt.Errorf("set up first user: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // no effect after the commit
	if _, err := tx.ExecContext(ctx, `DELETE FROM setup_links`); err != nil {
		return User{}, fmt.Errorf("use set-up link: %w", err)
	}
	r, err := tx.ExecContext(ctx, `INSERT INTO users (login, name, badge, role, password, created_at) SELECT ?, ?, ?, ?, ?, ?
		WHERE NOT EXISTS (SELECT 1 FROM users)`, u.Login, u.Name, u.Badge, u.Role, phc, stamp(s.now()))
	if err != nil {
		return User{}, fmt.Errorf("store first user: %w", err)
	}
	if n, err := r.RowsAffected(); err != nil || n != 1 {
		return User{}, errors.Join(ErrUsersExist, err)
	}
	if u.ID, err = r.LastInsertId(); err != nil {
		return User{}, fmt.Errorf("store first user: %w", err)
	}
	if err := tx.Commit(); err != nil {
		return User{}, fmt.Errorf("store first user: %w", err)
	}
	return u, nil
}

func checkUser(login, password string) error {
	if utf8.RuneCountInString(login) < 2 || len(login) > 64 || strings.ContainsAny(login, " \t\r\n") {
		return ErrBadLogin
	}
	if utf8.RuneCountInString(password) < MinPassword || len(password) > maxPassword {
		return ErrShortPassword
	}
	return nil
}

// newBadge makes a pseudonym: HQ (hải quan) or BP (biên phòng) and a random
// number, which says nothing about the officer.
func (s *Store) newBadge() (string, error) {
	n, err := rand.Int(rand.Reader, big.NewInt(9000))
	if err != nil {
		return "", fmt.Errorf("make badge: %w", err)
	}
	prefix := "HQ"
	if s.agency == event.BorderGuard {
		prefix = "BP"
	}
	return fmt.Sprintf("%s-%04d", prefix, n.Int64()+1000), nil
}

// LogIn checks a password: ErrWrong when it or the name is wrong. It takes as
// long for a name that does not exist. A hash made with older parameters is
// made anew.
func (s *Store) LogIn(ctx context.Context, login, password string) (User, error) {
	var u User
	var phc string
	err := s.read.QueryRowContext(ctx, `SELECT id, login, name, badge, role, password FROM users WHERE login = ?`, login).
		Scan(&u.ID, &u.Login, &u.Name, &u.Badge, &u.Role, &phc)
	known := err == nil
	if errors.Is(err, sql.ErrNoRows) {
		phc = s.dummy
	} else if err != nil {
		return User{}, fmt.Errorf("look up user: %w", err)
	}
	if len(password) > maxPassword {
		return User{}, ErrWrong
	}
	match, params, err := argon2id.CheckHash(password, phc)
	if err != nil {
		return User{}, fmt.Errorf("check password of %s: %w", login, err)
	}
	if !match || !known {
		return User{}, ErrWrong
	}
	if *params != *argon2id.DefaultParams {
		if err := s.rehash(ctx, u.ID, password); err != nil {
			return User{}, err
		}
	}
	return u, nil
}

func (s *Store) rehash(ctx context.Context, id int64, password string) error {
	phc, err := argon2id.CreateHash(password, argon2id.DefaultParams)
	if err == nil {
		_, err = s.write.ExecContext(ctx, `UPDATE users SET password = ? WHERE id = ?`, phc, id)
	}
	if err != nil {
		return fmt.Errorf("renew password hash: %w", err)
	}
	return nil
}

// User gives a user by id; store.ErrNotFound when there is none.
func (s *Store) User(ctx context.Context, id int64) (User, error) {
	var u User
	err := s.read.QueryRowContext(ctx, `SELECT id, login, name, badge, role FROM users WHERE id = ?`, id).
		Scan(&u.ID, &u.Login, &u.Name, &u.Badge, &u.Role)
	if errors.Is(err, sql.ErrNoRows) {
		return u, fmt.Errorf("user %d: %w", id, store.ErrNotFound)
	}
	if err != nil {
		return u, fmt.Errorf("look up user: %w", err)
	}
	return u, nil
}

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

// Record adds a line to the audit. user 0 means nobody is logged in.
func (s *Store) Record(ctx context.Context, user int64, action, about, detail string) error {
	var who any
	if user != 0 {
		who = user
	}
	_, err := s.write.ExecContext(ctx, `INSERT INTO audit (at, user, action, about, detail) VALUES (?, ?, ?, ?, ?)`, stamp(s.now()), who, action, about, detail)
	if err != nil {
		return fmt.Errorf("record %s in the audit: %w", action, err)
	}
	return nil
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
