package console

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"gatehouse/internal/console/store"
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
