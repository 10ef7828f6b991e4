package play

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"gatehouse/internal/event"
	"gatehouse/internal/smoke/account"
)

// Case fills in what the play knows: books, stores and their differences,
// windows, and the evidence folders.
func (p *Play) Case(ctx context.Context, c account.Case) (account.Case, error) {
	var err error
	if c.Books, err = p.Books(); err != nil {
		return c, err
	}
	for _, a := range event.Agencies() {
		store, err := account.Load(ctx, a, p.Stores[a])
		if err != nil {
			return c, err
		}
		c.Stores = append(c.Stores, store)
	}
	if c.Differences, err = account.Compare(ctx, p.Stores[event.Customs], p.Stores[event.BorderGuard]); err != nil {
		return c, err
	}
	if c.Left, err = p.left(); err != nil {
		return c, err
	}
	c.Unsure, c.From, c.Faults, c.Evidence = p.Summary.Unsent, p.Watched, perDevice(c.Books, p.Windows(), c.Stores), p.checkEvidence
	return c, nil
}

// cutOff is how close to the simulator's end a frame is one that was cut off.
const cutOff = time.Second

// perDevice adds what the harness knows of each device by itself: after a fault
// it can be heard again with the first frame that it sends to a daemon that is
// ready, and when the simulator was ended it fell silent after its last. One that
// never sent anything to a daemon was never heard, and lacks nothing.
func perDevice(b account.Books, windows []account.Window, stores []*account.Store) []account.Window {
	sent := map[account.Device][]time.Time{}
	for _, f := range b.Ledger {
		d := account.Device{Lane: f.Lane, Name: f.Device}
		sent[d] = append(sent[d], f.At)
	}
	all := slices.Clone(windows)
	for _, w := range windows {
		for device, times := range sent {
			i := slices.IndexFunc(times, func(t time.Time) bool { return !t.Before(w.To) })
			if i >= 0 {
				all = append(all, account.Window{From: w.From, To: times[i], Device: device, What: w.What})
			}
		}
	}
	end := time.Time{}
	for _, times := range sent {
		if last := times[len(times)-1]; last.After(end) {
			end = last
		}
	}
	for device, times := range sent {
		// Of a device that was cut off while it sent, the last frame may come after
		// the word that it has gone.
		i := len(times) - 1
		for i > 0 && end.Sub(times[i]) < cutOff {
			i--
		}
		all = append(all, account.Window{From: times[i], To: time.Now(), Device: device, What: "the simulator's end"})
	}
	for _, s := range stores {
		for _, g := range s.Gaps {
			if d := (account.Device{Lane: g.Lane, Name: g.Device}); sent[d] == nil {
				all = append(all, account.Window{From: g.From, To: g.To, Device: d, What: "never sent anything"})
			}
		}
	}
	return all
}

// begins is how long after the first frame that was sent everything is taken as
// connected, in a run of which nothing else is known.
const begins = 5 * time.Second

// Kept fills in a case from the folder of a run that is over, as Case does from
// one that plays; of what the harness did in it nothing is known. The stores are
// open and belong to the caller.
func Kept(ctx context.Context, folder string, c account.Case) (account.Case, map[event.Agency]*sql.DB, error) {
	var err error
	if c.Books, err = account.ReadBooks(filepath.Join(folder, "sim")); err != nil {
		return c, nil, err
	}
	stores := map[event.Agency]*sql.DB{}
	for _, a := range event.Agencies() {
		if stores[a], err = account.Open(filepath.Join(folder, a.Account())); err != nil {
			return c, stores, err
		}
		store, err := account.Load(ctx, a, stores[a])
		if err != nil {
			return c, stores, err
		}
		c.Stores = append(c.Stores, store)
	}
	if c.Differences, err = account.Compare(ctx, stores[event.Customs], stores[event.BorderGuard]); err != nil {
		return c, stores, err
	}
	if len(c.Books.Ledger) > 0 {
		c.From = c.Books.Ledger[0].At.Add(begins)
	}
	c.Faults = perDevice(c.Books, []account.Window{{To: c.From, What: "the first start"}}, c.Stores)
	return c, stores, nil
}

// checkEvidence reads a piece from an agency's folder and hashes it.
func (p *Play) checkEvidence(a event.Agency, digest string) error {
	f, err := os.Open(p.Stage.Path(a.Account(), "evidence", digest[:2], digest))
	if err != nil {
		return err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return err
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != digest {
		return fmt.Errorf("the file's digest is %s", got)
	}
	return nil
}

// Links copies a folder of programs by links into another, which can then be
// changed.
func Links(from, to string) error {
	if err := os.MkdirAll(to, 0o755); err != nil {
		return fmt.Errorf("link programs: %w", err)
	}
	list, err := os.ReadDir(from)
	if err != nil {
		return fmt.Errorf("link programs: %w", err)
	}
	for _, e := range list {
		if err := os.Symlink(filepath.Join(from, e.Name()), filepath.Join(to, e.Name())); err != nil {
			return fmt.Errorf("link programs: %w", err)
		}
	}
	return nil
}
