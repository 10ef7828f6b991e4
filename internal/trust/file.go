package trust

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// KeyFileError is a key file that cannot be used as it is.
type KeyFileError struct {
	Path string
	Err  error
	Hint string // what to do next
}

// Error says which file, what is wrong with it and what to do.
func (e *KeyFileError) Error() string {
	return fmt.Sprintf("key file %s: %v; %s", e.Path, e.Err, e.Hint)
}

// Unwrap gives the cause.
func (e *KeyFileError) Unwrap() error { return e.Err }

// ErrExposed says that others than the owner can read or write a secret.
var ErrExposed = errors.New("others than its owner have access to it")

// maxKeyFile bounds what is read of a key file, in bytes; real ones have less
// than 200.
const maxKeyFile = 16 << 10

// readSecret reads a file that only its owner may have access to.
func readSecret(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("open key file: %w", err)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, &KeyFileError{Path: path, Err: fmt.Errorf("mode %04o: %w", mode, ErrExposed),
			Hint: "run `chmod 600 " + path + "`, and make a new key if somebody may have read it"}
	}
	return readFile(path)
}

func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("open key file: %w", err)
	}
	if !info.Mode().IsRegular() || info.Size() > maxKeyFile {
		return nil, &KeyFileError{Path: path, Err: errors.New("not a key"),
			Hint: "give a regular file of at most 16 KiB"}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read key file: %w", err)
	}
	return b, nil
}

// writeNew writes a file that must not exist yet and makes it durable. Its
// folder is made with mode 0700 if it is missing.
func writeNew(path string, b []byte, mode fs.FileMode) error {
	return writeFile(path, b, mode, os.O_EXCL)
}

func writeOver(path string, b []byte, mode fs.FileMode) error {
	return writeFile(path, b, mode, 0)
}

// writeFile never leaves half a file under the final name: a key that was cut
// short by a power cut would lock its owner out of the record.
func writeFile(path string, b []byte, mode fs.FileMode, exclusive int) (err error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make folder for key: %w", err)
	}
	f, err := os.CreateTemp(dir, ".key-*")
	if err != nil {
		return fmt.Errorf("write key file %s: %w", path, err)
	}
	defer func() { _ = os.Remove(f.Name()) }()
	err = errors.Join(f.Chmod(mode), writeSync(f, b), f.Close())
	if err == nil && exclusive != 0 {
		err = os.Link(f.Name(), path) // fails if path exists, unlike rename
	} else if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write key file %s: %w", path, err)
	}
	return syncDir(dir)
}

func writeSync(f *os.File, b []byte) error {
	if _, err := f.Write(b); err != nil {
		return err
	}
	return f.Sync()
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("sync folder of key: %w", err)
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("sync folder of key: %w", err)
	}
	return nil
}
