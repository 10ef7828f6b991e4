package private

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"

	"gatehouse/internal/console/store"
	"gatehouse/internal/event"
)

// HasUsers tells whether anybody can log in yet.
func (s *Store) HasUsers(ctx context.Context) (bool, error) {
	var yes bool
	if err := s.read.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM users)`).Scan(&yes); err != nil {
		return false, fmt.Errorf("look for users: %w", err)
	}
	return yes, nil
}

const selectUsers = `SELECT id, login, name, badge, role, disabled_at, password = '', epoch FROM users `

func (u *User) columns(disabled *string) []any {
	return []any{&u.ID, &u.Login, &u.Name, &u.Badge, &u.Role, disabled, &u.Invited, &u.Epoch}
}

// User gives a user by id; store.ErrNotFound when there is none.
func (s *Store) User(ctx context.Context, id int64) (User, error) {
	return s.oneUser(ctx, `WHERE id = ?`, id)
}

// UserByLogin gives a user by log-in name; store.ErrNotFound when there is
// none.
func (s *Store) UserByLogin(ctx context.Context, login string) (User, error) {
	return s.oneUser(ctx, `WHERE login = ?`, login)
}

func (s *Store) oneUser(ctx context.Context, where string, key any) (User, error) {
	var u User
	var disabled string
	err := s.read.QueryRowContext(ctx, selectUsers+where, key).Scan(u.columns(&disabled)...)
	if errors.Is(err, sql.ErrNoRows) {
		return u, fmt.Errorf("user %v: %w", key, store.ErrNotFound)
	}
	if err != nil {
		return u, fmt.Errorf("look up user: %w", err)
	}
	u.Disabled = unstamp(disabled)
	return u, nil
}

// Account is a user as the supervisor's list shows it.
type Account struct {
	User
	LastLogin time.Time // zero if never
	// LinkUntil is when the user's set-up link expires; zero when there is none.
	LinkUntil time.Time
}

// Accounts lists all accounts, those that may log in first.
func (s *Store) Accounts(ctx context.Context) ([]Account, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT id, login, name, badge, role, disabled_at, password = '', epoch,
		coalesce((SELECT at FROM audit a WHERE a.user = u.id AND a.action IN ('login', 'setup') ORDER BY a.id DESC LIMIT 1), ''),
		coalesce((SELECT max(expires_at) FROM setup_links l WHERE l.user = u.id AND l.expires_at > ?), '')
		FROM users u ORDER BY disabled_at <> '', login`, stamp(s.now()))
	if err != nil {
		return nil, fmt.Errorf("list accounts: %w", err)
	}
	defer rows.Close()
	var list []Account
	for rows.Next() {
		var a Account
		var disabled, last, until string
		if err := rows.Scan(append(a.columns(&disabled), &last, &until)...); err != nil {
			return nil, fmt.Errorf("list accounts: %w", err)
		}
		a.Disabled, a.LastLogin, a.LinkUntil = unstamp(disabled), unstamp(last), unstamp(until)
		list = append(list, a)
	}
	return list, rows.Err()
}

func checkLogin(login string) error {
	if utf8.RuneCountInString(login) < 2 || len(login) > 64 || strings.ContainsAny(login, " \t\r\n") {
		return ErrBadLogin
	}
	return nil
}

func checkPassword(password string) error {
	if utf8.RuneCountInString(password) < MinPassword || len(password) > maxPassword {
		return ErrShortPassword
	}
	return nil
}

// newBadge makes a pseudonym that no user has: HQ (hải quan) or BP (biên
// phòng) and a random number, which says nothing about the officer.
func (s *Store) newBadge(ctx context.Context, tx *sql.Tx) (string, error) {
	rows, err := tx.QueryContext(ctx, `SELECT badge FROM users`)
	if err != nil {
		return "", fmt.Errorf("make badge: %w", err)
	}
	defer rows.Close()
	var taken []string
	for rows.Next() {
		var b string
		if err := rows.Scan(&b); err != nil {
			return "", fmt.Errorf("make badge: %w", err)
		}
		taken = append(taken, b)
	}
	if err := rows.Err(); err != nil {
		return "", fmt.Errorf("make badge: %w", err)
	}
	prefix := "HQ"
	if s.agency == event.BorderGuard {
		prefix = "BP"
	}
	for range 1000 {
		n, err := rand.Int(rand.Reader, big.NewInt(9000))
		if err != nil {
			return "", fmt.Errorf("make badge: %w", err)
		}
		if b := fmt.Sprintf("%s-%04d", prefix, n.Int64()+1000); !slices.Contains(taken, b) {
			return b, nil
		}
	}
	return "", errors.New("make badge: no number is free")
}

// insertUser stores a new user; the password's hash may be empty.
func (s *Store) insertUser(ctx context.Context, tx *sql.Tx, login, name string, role Role, phc string) (User, error) {
	badge, err := s.newBadge(ctx, tx)
	if err != nil {
		return User{}, err
	}
	u := User{Login: login, Name: strings.TrimSpace(name), Badge: badge, Role: role, Invited: phc == ""}
	r, err := tx.ExecContext(ctx, `INSERT INTO users (login, name, badge, role, password, created_at) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (login) DO NOTHING`, u.Login, u.Name, u.Badge, string(u.Role), phc, stamp(s.now()))
	if err != nil {
		return User{}, fmt.Errorf("store user: %w", err)
	}
	if n, err := r.RowsAffected(); err != nil || n != 1 {
		return User{}, errors.Join(ErrLoginTaken, err)
	}
	if u.ID, err = r.LastInsertId(); err != nil {
		return User{}, fmt.Errorf("store user: %w", err)
	}
	return u, nil
}

// Invite makes an account without a password, and the token of the link by
// which its user chooses one. ErrBadLogin, ErrLoginTaken.
func (s *Store) Invite(ctx context.Context, login, name string, role Role) (User, string, error) {
	if err := checkLogin(login); err != nil {
		return User{}, "", err
	}
	if !role.Known() {
		return User{}, "", fmt.Errorf("role %q is unknown", role)
	}
	var u User
	var token string
	err := s.inTx(ctx, func(tx *sql.Tx) error {
		var err error
		if u, err = s.insertUser(ctx, tx, login, name, role, ""); err != nil {
			return err
		}
		token, err = s.newLink(ctx, tx, u.ID)
		return err
	})
	if err != nil {
		return User{}, "", fmt.Errorf("invite %s: %w", login, err)
	}
	return u, token, nil
}

// Reset takes a user's password away, ends the user's sessions and makes the
// token of a link by which the user chooses another. The last supervisor can
// be reset too: the link is the way in.
func (s *Store) Reset(ctx context.Context, id int64) (string, error) {
	var token string
	err := s.inTx(ctx, func(tx *sql.Tx) error {
		if err := one(tx.ExecContext(ctx, `UPDATE users SET password = '', epoch = epoch + 1 WHERE id = ?`, id)); err != nil {
			return err
		}
		var err error
		token, err = s.newLink(ctx, tx, id)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("reset user %d: %w", id, err)
	}
	return token, nil
}

// SetRole gives a user another role and ends the user's sessions.
// ErrLastSupervisor when no supervisor would be left.
func (s *Store) SetRole(ctx context.Context, id int64, role Role) error {
	if !role.Known() {
		return fmt.Errorf("role %q is unknown", role)
	}
	err := s.inTx(ctx, func(tx *sql.Tx) error {
		if role != Supervisor {
			if err := s.keepSupervisor(ctx, tx, id); err != nil {
				return err
			}
		}
		return one(tx.ExecContext(ctx, `UPDATE users SET role = ?, epoch = epoch + 1 WHERE id = ?`, string(role), id))
	})
	if err != nil {
		return fmt.Errorf("change role of user %d: %w", id, err)
	}
	return nil
}

// Disable ends an account and its sessions; what its user has done stays.
// ErrLastSupervisor when no supervisor would be left.
func (s *Store) Disable(ctx context.Context, id int64) error {
	err := s.inTx(ctx, func(tx *sql.Tx) error {
		if err := s.keepSupervisor(ctx, tx, id); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM setup_links WHERE user = ?`, id); err != nil {
			return err
		}
		return one(tx.ExecContext(ctx, `UPDATE users SET disabled_at = ?, epoch = epoch + 1 WHERE id = ? AND disabled_at = ''`, stamp(s.now()), id))
	})
	if err != nil {
		return fmt.Errorf("disable user %d: %w", id, err)
	}
	return nil
}

// Enable lets a disabled user log in again.
func (s *Store) Enable(ctx context.Context, id int64) error {
	err := one(s.write.ExecContext(ctx, `UPDATE users SET disabled_at = '', epoch = epoch + 1 WHERE id = ? AND disabled_at <> ''`, id))
	if err != nil {
		return fmt.Errorf("enable user %d: %w", id, err)
	}
	return nil
}

// keepSupervisor refuses a change to the last supervisor who can log in.
func (s *Store) keepSupervisor(ctx context.Context, tx *sql.Tx, id int64) error {
	var is, others int
	err := tx.QueryRowContext(ctx, `SELECT count(*) FILTER (WHERE id = ?1), count(*) FILTER (WHERE id <> ?1) FROM users
		WHERE role = ?2 AND disabled_at = '' AND password <> ''`, id, string(Supervisor)).Scan(&is, &others)
	if err != nil {
		return err
	}
	if is > 0 && others == 0 {
		return ErrLastSupervisor
	}
	return nil
}

// one checks that a statement changed one row; store.ErrNotFound otherwise.
func one(r sql.Result, err error) error {
	if err != nil {
		return err
	}
	n, err := r.RowsAffected()
	if err == nil && n != 1 {
		return store.ErrNotFound
	}
	return err
}

// ChangePassword checks a user's password and sets another, which ends the
// user's other sessions: ErrWrong, ErrShortPassword. It gives the user in the
// new epoch.
func (s *Store) ChangePassword(ctx context.Context, u User, old, password string) (User, error) {
	if err := checkPassword(password); err != nil {
		return u, err
	}
	if _, err := s.LogIn(ctx, u.Login, old); err != nil {
		return u, err
	}
	phc, err := argon2id.CreateHash(password, argon2id.DefaultParams)
	if err != nil {
		return u, fmt.Errorf("hash password: %w", err)
	}
	if err := one(s.write.ExecContext(ctx, `UPDATE users SET password = ?, epoch = epoch + 1 WHERE id = ?`, phc, u.ID)); err != nil {
		return u, fmt.Errorf("store password of %s: %w", u.Login, err)
	}
	return s.User(ctx, u.ID)
}

// LogIn checks a password: ErrWrong when it or the name is wrong, ErrDisabled
// when both are right and the account is disabled. It takes as long for a name
// that does not exist. A hash made with older parameters is made anew.
func (s *Store) LogIn(ctx context.Context, login, password string) (User, error) {
	var u User
	var disabled, phc string
	err := s.read.QueryRowContext(ctx, `SELECT id, login, name, badge, role, disabled_at, password = '', epoch, password FROM users WHERE login = ?`, login).
		Scan(append(u.columns(&disabled), &phc)...)
	known := err == nil && phc != ""
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return User{}, fmt.Errorf("look up user: %w", err)
	}
	if !known {
		phc = s.dummy
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
	if disabled != "" {
		return User{}, ErrDisabled
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
