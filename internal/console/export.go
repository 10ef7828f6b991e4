package console

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"gatehouse/internal/console/store"
	"gatehouse/internal/console/uplink"
	"gatehouse/internal/share"
)

// exported is one line of an export: the stored bytes, base64 in JSON.
type exported struct {
	Header    []byte `json:"header"`
	Signature []byte `json:"signature"`
	Origin    []byte `json:"origin,omitempty"`
	Payload   []byte `json:"payload,omitempty"`
}

// Export writes a gate's record as it is stored, one event a line, for
// `gatectl verify`. The file appears whole or not at all. It tells how many
// events it holds.
func Export(ctx context.Context, s *store.Store, gate, path string) (int, error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".export-*")
	if err != nil {
		return 0, fmt.Errorf("write export: %w", err)
	}
	defer func() { _ = os.Remove(f.Name()) }() // already renamed when all went well
	w := bufio.NewWriter(f)
	out := json.NewEncoder(w)
	n := 0
	err = s.Events(ctx, gate, func(e store.Event) error {
		n++
		return out.Encode(exported{e.Header, e.Signature, e.Origin, e.Payload})
	})
	for _, step := range []func() error{w.Flush, f.Sync, f.Close} {
		if err == nil {
			err = step()
		}
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return 0, fmt.Errorf("write export %s: %w", path, err)
	}
	return n, nil
}

// Import puts what another store has exported of a gate's record into this one,
// where the hub no longer keeps all of it. Every event is checked with the keys of
// the configuration. The console must not be running. It tells how many were new.
func Import(ctx context.Context, c Config, gate, path string, log *slog.Logger) (n int, err error) {
	keys, err := loadKeys(c)
	if err != nil {
		return 0, err
	}
	f, err := os.Open(path)
	if err != nil {
		return 0, fmt.Errorf("import: %w", err)
	}
	defer f.Close()
	s, err := openStore(ctx, c, store.Options{Log: log})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if n, err = uplink.Import(ctx, s, keys, gate, share.ReadExport(f)); err != nil {
		return n, fmt.Errorf("import %s: %w", path, err)
	}
	return n, nil
}
