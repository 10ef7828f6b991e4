package gate

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"gatehouse/internal/config"
	"gatehouse/internal/share"
)

// headsWait is how long a gate that has lost its disk waits for the agencies to
// say what they hold. Consoles that are connected answer within seconds.
const headsWait = 15 * time.Second

// chainFile names the gate's chain beside its keys: where the keys come back from
// a backup and the record does not, there was a chain before.
func chainFile(g config.Gate) string { return filepath.Join(g.State, "keys", "gate.chain") }

// remember notes the name of the chain that is in use.
func remember(g config.Gate, chain string) error {
	path := chainFile(g)
	if old, err := os.ReadFile(path); err == nil && strings.TrimSpace(string(old)) == chain {
		return nil
	}
	temp := path + ".new"
	f, err := os.OpenFile(temp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("note the chain's name: %w", err)
	}
	_, err = f.WriteString(chain + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("note the chain's name: %w", err)
	}
	return os.Rename(temp, path)
}

// lostHeads asks the agencies for the last heads that they hold, when this gate
// has had a chain and has it no more. Nobody has to answer: the new chain then
// names no other, and the consoles say so.
func lostHeads(ctx context.Context, js jetstream.JetStream, g config.Gate, ask share.AskConfig) ([]share.Head, error) {
	name, err := os.ReadFile(chainFile(g))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the chain's name: %w", err)
	}
	fresh, err := share.IsNew(ctx, js)
	if err != nil || !fresh {
		return nil, err
	}
	ask.Log.Warn("the shared record is lost; asking the agencies what they hold of it", "gate", g.ID, "chain", strings.TrimSpace(string(name)))
	heads, err := share.Heads(ctx, ask)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		ask.Log.Warn("not every agency has answered", "gate", g.ID, "err", err)
	}
	return heads, nil
}
