package private

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/alexedwards/argon2id"
)

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
	var token string
	err = s.inTx(ctx, func(tx *sql.Tx) error {
		token, err = s.newLink(ctx, tx, 0)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("store set-up link: %w", err)
	}
	return token, nil
}

// newLink makes a token for a user, or for the first one when user is 0. A
// user's earlier links lose their force.
func (s *Store) newLink(ctx context.Context, tx *sql.Tx, user int64) (string, error) {
	raw := make([]byte, 32)
	if _, err := rand.Read(raw); err != nil {
		return "", fmt.Errorf("make set-up link: %w", err)
	}
	token := base64.RawURLEncoding.EncodeToString(raw)
	if _, err := tx.ExecContext(ctx, `DELETE FROM setup_links WHERE expires_at <= ? OR user = ?`, stamp(s.now()), user); err != nil {
		return "", err
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO setup_links (token_hash, expires_at, user) VALUES (?, ?, nullif(?, 0))`,
		hash(token), stamp(s.now().Add(SetupLife)), user)
	return token, err
}

// Invitation is what a set-up link is for.
type Invitation struct {
	// User is who chooses a password; nil when the link sets up the first user.
	User *User
}

// CheckSetupLink tells what a token is for: ErrSetupLink when it is not valid
// or no longer valid.
func (s *Store) CheckSetupLink(ctx context.Context, token string) (Invitation, error) {
	var user int64
	err := s.read.QueryRowContext(ctx, `SELECT coalesce(l.user, 0) FROM setup_links l WHERE l.token_hash = ? AND l.expires_at > ?
		AND (l.user IS NOT NULL OR NOT EXISTS (SELECT 1 FROM users))`, hash(token), stamp(s.now())).Scan(&user)
	if errors.Is(err, sql.ErrNoRows) {
		return Invitation{}, ErrSetupLink
	}
	if err != nil {
		return Invitation{}, fmt.Errorf("check set-up link: %w", err)
	}
	if user == 0 {
		return Invitation{}, nil
	}
	u, err := s.User(ctx, user)
	if err != nil {
		return Invitation{}, err
	}
	if !u.Disabled.IsZero() {
		return Invitation{}, ErrSetupLink
	}
	return Invitation{User: &u}, nil
}

// SetUp makes the first user, a supervisor, once: the link is used up.
func (s *Store) SetUp(ctx context.Context, token, login, name, password string) (User, error) {
	if err := errors.Join(checkLogin(login), checkPassword(password)); err != nil {
		return User{}, err
	}
	in, err := s.CheckSetupLink(ctx, token)
	if err != nil {
		return User{}, err
	}
	if in.User != nil {
		return User{}, ErrSetupLink
	}
	phc, err := argon2id.CreateHash(password, argon2id.DefaultParams)
	if err != nil {
		return User{}, fmt.Errorf("hash password: %w", err)
	}
	var u User
	err = s.inTx(ctx, func(tx *sql.Tx) error {
		var has bool
		if err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM users)`).Scan(&has); err != nil {
			return err
		}
		if has {
			return ErrUsersExist
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM setup_links`); err != nil {
			return err
		}
		u, err = s.insertUser(ctx, tx, login, strings.TrimSpace(name), Supervisor, phc)
		return err
	})
	if err != nil {
		return User{}, fmt.Errorf("set up first user: %w", err)
	}
	return u, nil
}

// Accept sets the password of the user whom a set-up link invites, once: the
// link is used up and the user's sessions end.
func (s *Store) Accept(ctx context.Context, token, password string) (User, error) {
	if err := checkPassword(password); err != nil {
		return User{}, err
	}
	in, err := s.CheckSetupLink(ctx, token)
	if err != nil {
		return User{}, err
	}
	if in.User == nil {
		return User{}, ErrSetupLink
	}
	phc, err := argon2id.CreateHash(password, argon2id.DefaultParams)
	if err != nil {
		return User{}, fmt.Errorf("hash password: %w", err)
	}
	err = s.inTx(ctx, func(tx *sql.Tx) error {
		// The link may have been used while the password was being hashed.
		r, err := tx.ExecContext(ctx, `DELETE FROM setup_links WHERE token_hash = ?`, hash(token))
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil || n != 1 {
			return errors.Join(ErrSetupLink, err)
		}
		return one(tx.ExecContext(ctx, `UPDATE users SET password = ?, epoch = epoch + 1 WHERE id = ? AND disabled_at = ''`, phc, in.User.ID))
	})
	if err != nil {
		return User{}, fmt.Errorf("set up %s: %w", in.User.Login, err)
	}
	return s.User(ctx, in.User.ID)
}
