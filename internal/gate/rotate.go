package gate

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/nats-io/nats.go/jetstream"

	"gatehouse/internal/config"
	"gatehouse/internal/control"
	"gatehouse/internal/event"
	"gatehouse/internal/share"
	"gatehouse/internal/trust"
)

// nextFile is a signing key that is not announced yet.
func nextFile(g config.Gate) string { return filepath.Join(g.State, "keys", "next.key") }

// RotateKey implements control.Gate: the gate signs with a new key from here on.
func (g *gate) RotateKey(ctx context.Context, reason string) (control.Rotated, error) {
	g.reloading.Lock() // one such thing at a time
	defer g.reloading.Unlock()
	if g.phase.Load() != control.Running {
		return control.Rotated{}, errBusy
	}
	cfg := g.file.Gate
	next, err := trust.Create(nextFile(cfg))
	if errors.Is(err, fs.ErrExist) {
		return control.Rotated{}, errors.New("an earlier change of the key is in doubt; restart the daemon, which settles it")
	}
	if err != nil {
		return control.Rotated{}, fmt.Errorf("make the next key: %w", err)
	}
	l, err := g.sharing.chain.Rotate(ctx, next, reason, func() error { return promote(cfg) })
	if errors.Is(err, share.ErrChainFull) { // and nothing is in doubt
		err = errors.Join(err, dropNext(cfg))
	}
	if err != nil {
		return control.Rotated{}, fmt.Errorf("rotate the gate's key: %w", err)
	}
	r := control.Rotated{
		Old: l.Header.Key, New: next.Public().ID(), Chain: l.Header.Chain, Sequence: l.Header.Sequence,
		Public: trust.PublicPath(keyFile(cfg)), OldPublic: oldPublic(cfg, l.Header.Key),
	}
	g.log.Info("the gate has a new key", "old", r.Old, "new", r.New, "chain", r.Chain, "sequence", r.Sequence)
	return r, nil
}

// oldPublic is where the public half of a former key stays, for auditors.
func oldPublic(g config.Gate, id string) string {
	return filepath.Join(g.State, "keys", "gate-"+id+".pub")
}

// promote puts the announced key in the place of the one before, whose private half
// is gone then.
func promote(g config.Gate) error {
	old, err := trust.LoadPublic(trust.PublicPath(keyFile(g)))
	if err == nil {
		err = os.WriteFile(oldPublic(g, old.ID()), old.PEM(), 0o644)
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if err == nil {
		err = os.Rename(nextFile(g), keyFile(g))
	}
	if err == nil {
		err = os.Rename(trust.PublicPath(nextFile(g)), trust.PublicPath(keyFile(g)))
	}
	if err == nil {
		err = syncFolder(filepath.Dir(keyFile(g)))
	}
	if err != nil {
		return fmt.Errorf("put the new key in its place: %w", err)
	}
	return nil
}

func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// dropNext removes a key that was never announced.
func dropNext(g config.Gate) error {
	for _, path := range []string{nextFile(g), trust.PublicPath(nextFile(g))} {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove a key that was never announced: %w", err)
		}
	}
	return nil
}

// settleKey is the key to sign with, after a rotation that may have been cut off:
// what the record says is done.
func settleKey(ctx context.Context, js jetstream.JetStream, g config.Gate, key trust.Private, log *slog.Logger) (trust.Private, error) {
	next, err := trust.Load(nextFile(g))
	if errors.Is(err, fs.ErrNotExist) {
		return key, finishPublic(g, key)
	}
	if err != nil {
		log.Warn("a key that was never announced cannot be read and is removed", "err", err)
		return key, dropNext(g)
	}
	last, ok, err := share.LastLink(ctx, js)
	if err != nil {
		return key, err
	}
	announced := ok && last.Header.Key == next.Public().ID()
	if ok && last.Header.Type == event.TypeKeyChange {
		to, err := last.KeyChange()
		announced = announced || err == nil && to.ID() == next.Public().ID()
	}
	if !announced {
		return key, dropNext(g)
	}
	log.Info("the announced key is put in its place", "key", next.Public().ID())
	return next, promote(g)
}

// finishPublic puts the public half in its place, where only the private one was
// before the end.
func finishPublic(g config.Gate, key trust.Private) error {
	path := trust.PublicPath(nextFile(g))
	next, err := trust.LoadPublic(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil || next.ID() != key.Public().ID() {
		return dropNext(g)
	}
	if err := os.Rename(path, trust.PublicPath(keyFile(g))); err != nil {
		return fmt.Errorf("put the new key in its place: %w", err)
	}
	return nil
}
