package console

import (
	"context"
	"errors"
	"time"

	"gatehouse/internal/console/private"
)

// ResetLink takes an account's password away from outside the running console
// and makes a link for choosing another; store.ErrNotFound when there is no
// such account.
func ResetLink(ctx context.Context, c Config, login string) (string, error) {
	p, err := private.Open(ctx, c.Store, c.Agency, time.Now)
	if err != nil {
		return "", err
	}
	token, err := resetLink(ctx, p, login)
	if err = errors.Join(err, p.Close()); err != nil {
		return "", err
	}
	return c.URL() + "/setup?token=" + token, nil
}

func resetLink(ctx context.Context, p *private.Store, login string) (string, error) {
	u, err := p.UserByLogin(ctx, login)
	if err != nil {
		return "", err
	}
	token, err := p.Reset(ctx, u.ID)
	if err != nil {
		return "", err
	}
	return token, p.Record(ctx, 0, private.ActUserReset, login, "from the command line")
}

// VerifyAudit goes through the agency's audit beside a console that may be
// running. known is an earlier state that it must still contain, or zero.
func VerifyAudit(ctx context.Context, c Config, known private.AuditState) (private.AuditState, error) {
	p, err := private.Open(ctx, c.Store, c.Agency, time.Now)
	if err != nil {
		return private.AuditState{}, err
	}
	state, err := p.VerifyAudit(ctx, known)
	return state, errors.Join(err, p.Close())
}
