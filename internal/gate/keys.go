package gate

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"gatehouse/internal/config"
	"gatehouse/internal/trust"
)

// Identity is what the gate proves itself with.
type Identity struct {
	Key  trust.Private // signs the SHARED chain
	Seed trust.Seed    // the gate's user on the hub
}

func keyFile(g config.Gate) string  { return filepath.Join(g.State, "keys", "gate.key") }
func seedFile(g config.Gate) string { return filepath.Join(g.State, "keys", "gate.nkey") }

// Init makes what a gate needs before its first run and does not have yet:
// its signing key, its hub identity, and a random password for each user of
// the field listener. It overwrites nothing.
func Init(g config.Gate) (Identity, error) {
	key, err := trust.LoadOrCreate(keyFile(g))
	if err != nil {
		return Identity{}, fmt.Errorf("signing key of the gate: %w", err)
	}
	seed, err := trust.LoadOrCreateSeed(seedFile(g))
	if err != nil {
		return Identity{}, fmt.Errorf("hub identity of the gate: %w", err)
	}
	if g.Field != nil {
		for _, u := range g.Field.Users {
			if err := makePassword(u.PasswordFile); err != nil {
				return Identity{}, fmt.Errorf("password of field user %s: %w", u.Name, err)
			}
		}
	}
	return Identity{Key: key, Seed: seed}, nil
}

// makePassword writes a random password where the file is missing.
func makePassword(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = f.WriteString(rand.Text() + "\n")
	return errors.Join(err, f.Sync(), f.Close())
}

// readPassword reads a password file, which only its owner may read.
func readPassword(path string) (string, error) {
	st, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if st.Mode().Perm()&0o077 != 0 {
		return "", &trust.KeyFileError{Path: path, Err: trust.ErrExposed, Hint: "chmod 600 " + path}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	return strings.TrimSpace(string(b)), nil
}
