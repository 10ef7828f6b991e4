package console

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gatehouse/internal/console/private"
	"gatehouse/internal/console/tip"
)

// ErrNotEmpty says that a backup would overwrite something.
var ErrNotEmpty = errors.New("the store has a private part already")

// keysFolder holds what the agency proves itself with.
const keysFolder = "keys"

// maxBackupFile bounds one file of a backup, in bytes.
const maxBackupFile = 64 << 30

// Backup writes what belongs to the agency alone, accounts, notes, audit, the
// record of trials and keys, into one new file that only its owner may read. The
// console may be running. The shared record is not in it: a new store is filled
// from the hub.
func Backup(ctx context.Context, c Config, path string) (err error) {
	out, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("back up: %w", err)
	}
	defer func() {
		if err = errors.Join(err, out.Close()); err != nil {
			_ = os.Remove(path) // half a backup is none
		}
	}()
	temp, err := os.MkdirTemp(filepath.Dir(path), ".gatehouse-backup-*")
	if err != nil {
		return fmt.Errorf("back up: %w", err)
	}
	defer func() { _ = os.RemoveAll(temp) }()
	copied := filepath.Join(temp, private.File)
	if err := private.Copy(ctx, filepath.Join(c.Store, private.File), copied); err != nil {
		return fmt.Errorf("back up: %w", err)
	}
	w := tar.NewWriter(out)
	if err := addFile(w, copied, private.File); err != nil {
		return fmt.Errorf("back up: %w", err)
	}
	// Lines are only ever added, and a last one that is cut off is none.
	switch err := addFile(w, filepath.Join(c.Store, tip.File), tip.File); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return fmt.Errorf("back up the record of trials: %w", err)
	}
	keys, err := os.ReadDir(filepath.Join(c.Store, keysFolder))
	if err != nil {
		return fmt.Errorf("back up the keys: %w", err)
	}
	for _, e := range keys {
		if !e.Type().IsRegular() {
			continue
		}
		if err := addFile(w, filepath.Join(c.Store, keysFolder, e.Name()), keysFolder+"/"+e.Name()); err != nil {
			return fmt.Errorf("back up the keys: %w", err)
		}
	}
	if err := w.Close(); err != nil {
		return fmt.Errorf("back up: %w", err)
	}
	return out.Sync()
}

func addFile(w *tar.Writer, path, name string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return err
	}
	h := &tar.Header{Name: name, Mode: int64(st.Mode().Perm()), Size: st.Size(), ModTime: st.ModTime().UTC().Truncate(time.Second), Format: tar.FormatPAX}
	if err := w.WriteHeader(h); err != nil {
		return err
	}
	_, err = io.CopyN(w, f, h.Size)
	return err
}

// Restore puts a backup into a store's folder that has no private part, and
// returns the names of what it put there. Run fills the shared part from the hub.
func Restore(ctx context.Context, c Config, path string) ([]string, error) {
	if _, err := os.Stat(filepath.Join(c.Store, private.File)); !errors.Is(err, fs.ErrNotExist) {
		return nil, errors.Join(fmt.Errorf("restore: %w: %s", ErrNotEmpty, c.Store), err)
	}
	in, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("restore: %w", err)
	}
	defer in.Close()
	if err := os.MkdirAll(filepath.Join(c.Store, keysFolder), 0o700); err != nil {
		return nil, fmt.Errorf("restore: %w", err)
	}
	var names []string
	for r := tar.NewReader(in); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return names, fmt.Errorf("restore: read %s: %w", path, err)
		}
		if err := takeFile(c.Store, h, r); err != nil {
			return names, fmt.Errorf("restore %s: %w", h.Name, err)
		}
		names = append(names, h.Name)
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("restore: %s holds nothing", path)
	}
	return names, private.Check(ctx, filepath.Join(c.Store, private.File))
}

// takeFile writes one file of a backup. It trusts no name in it.
func takeFile(store string, h *tar.Header, r io.Reader) error {
	name, key := strings.CutPrefix(h.Name, keysFolder+"/")
	if h.Typeflag != tar.TypeReg || h.Size > maxBackupFile || name == "" || name != filepath.Base(name) || name == ".." || !key && name != private.File && name != tip.File {
		return errors.New("this is no file of a backup")
	}
	mode := fs.FileMode(0o600)
	if key && strings.HasSuffix(name, ".pub") {
		mode = 0o644
	}
	f, err := os.OpenFile(filepath.Join(store, filepath.FromSlash(h.Name)), os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	_, err = io.CopyN(f, r, h.Size)
	return errors.Join(err, f.Sync(), f.Close())
}
