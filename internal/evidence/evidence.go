// Package evidence keeps images and captures, addressed by their SHA-256. A
// piece is durable before any event names it: written, synced, renamed, and
// its directory synced.
package evidence

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"gatehouse/internal/driver"
	"gatehouse/internal/event"
	"gatehouse/internal/fault"
)

// ErrDiskReserve says that the disk is so full that storing more would touch
// the reserve kept for the journal and for alerts.
var ErrDiskReserve = errors.New("disk reserve reached")

// Store is a folder of evidence. It is safe for concurrent use.
type Store struct {
	dir     string
	reserve int64
	points  *fault.Points
	names   sync.Mutex // held while a piece gets its name or loses it
}

var _ driver.Evidence = (*Store)(nil)

// Open makes the folder if it is missing and clears what a crash left half
// written. reserve is the free space in bytes that Put leaves untouched.
func Open(dir string, reserve int64, points *fault.Points) (*Store, error) {
	s := &Store{dir: dir, reserve: reserve, points: points}
	if err := os.RemoveAll(s.temp()); err != nil {
		return nil, fmt.Errorf("clear half-written evidence: %w", err)
	}
	if err := os.MkdirAll(s.temp(), 0o750); err != nil {
		return nil, fmt.Errorf("open evidence store: %w", err)
	}
	return s, nil
}

func (s *Store) temp() string { return filepath.Join(s.dir, "incoming") }

// Path is where the piece with the given digest lies, whether or not it is
// there.
func (s *Store) Path(digest string) string {
	return filepath.Join(s.dir, digest[:2], digest)
}

// Put implements driver.Evidence.
func (s *Store) Put(ctx context.Context, r io.Reader, limit int64, mediaType, role, name string) (event.Evidence, error) {
	if err := ctx.Err(); err != nil {
		return event.Evidence{}, err
	}
	if err := s.room(); err != nil {
		return event.Evidence{}, err
	}
	f, err := os.CreateTemp(s.temp(), "put-*")
	if err != nil {
		return event.Evidence{}, fmt.Errorf("store evidence: %w", err)
	}
	defer func() { _ = os.Remove(f.Name()) }() // already renamed when all went well
	digest, size, err := fill(f, r, limit)
	if err = errors.Join(err, f.Close()); err != nil {
		return event.Evidence{}, fmt.Errorf("store evidence %s: %w", name, err)
	}
	if err := s.settle(f.Name(), digest); err != nil {
		return event.Evidence{}, fmt.Errorf("store evidence %s: %w", name, err)
	}
	return event.Evidence{SHA256: digest, MediaType: mediaType, Bytes: size, Role: role, Name: name}, nil
}

// fill copies at most limit bytes to f and syncs it.
func fill(f *os.File, r io.Reader, limit int64) (digest string, size int64, err error) {
	h := sha256.New()
	size, err = io.Copy(io.MultiWriter(f, h), io.LimitReader(r, limit+1))
	if err != nil {
		return "", 0, err
	}
	if size > limit {
		return "", 0, fmt.Errorf("%w of %d bytes", driver.ErrTooLarge, limit)
	}
	return hex.EncodeToString(h.Sum(nil)), size, f.Sync()
}

// settle gives the synced file its final name. The same content stored twice
// is one file.
func (s *Store) settle(temp, digest string) error {
	final := s.Path(digest)
	folder := filepath.Dir(final)
	if err := makeFolder(folder); err != nil {
		return err
	}
	s.points.Hit(fault.EvidenceBeforeRename)
	if err := os.Chmod(temp, 0o440); err != nil {
		return err
	}
	if err := s.rename(temp, final); err != nil {
		return err
	}
	if err := syncFolder(folder); err != nil {
		return err
	}
	s.points.Hit(fault.EvidenceAfterRename)
	return nil
}

// rename makes a piece that comes again a new one, so that Remove leaves it.
func (s *Store) rename(temp, final string) error {
	s.names.Lock()
	defer s.names.Unlock()
	return os.Rename(temp, final)
}

// Folders are the parts of the store that List lists, in order.
func (s *Store) Folders() ([]string, error) {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return nil, fmt.Errorf("list evidence: %w", err)
	}
	var all []string
	for _, e := range entries {
		if e.IsDir() && len(e.Name()) == 2 {
			all = append(all, e.Name())
		}
	}
	return all, nil
}

// List lists the digests in one folder, in order.
func (s *Store) List(folder string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(s.dir, folder))
	if err != nil {
		return nil, fmt.Errorf("list evidence: %w", err)
	}
	all := make([]string, 0, len(entries))
	for _, e := range entries {
		if isDigest(e.Name()) {
			all = append(all, e.Name())
		}
	}
	return all, nil
}

// Stored is when a piece was stored last, and its size in bytes; fs.ErrNotExist
// when it is not there.
func (s *Store) Stored(digest string) (time.Time, int64, error) {
	st, err := os.Stat(s.Path(digest))
	if err != nil {
		return time.Time{}, 0, fmt.Errorf("look at evidence: %w", err)
	}
	return st.ModTime().UTC(), st.Size(), nil
}

// Touch makes a piece as new as one that is stored now. A missing one is no error.
func (s *Store) Touch(digest string) error {
	s.names.Lock()
	defer s.names.Unlock()
	now := time.Now()
	err := os.Chtimes(s.Path(digest), now, now)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("touch evidence: %w", err)
	}
	return nil
}

// Remove removes a piece that was stored before a moment; one that came again
// since stays. It tells whether there was something to remove.
func (s *Store) Remove(digest string, before time.Time) (bool, error) {
	if !isDigest(digest) {
		return false, fmt.Errorf("remove evidence: %q is not a SHA-256", digest)
	}
	s.names.Lock()
	defer s.names.Unlock()
	stored, _, err := s.Stored(digest)
	if errors.Is(err, os.ErrNotExist) || err == nil && stored.After(before) {
		return false, nil
	}
	if err == nil {
		err = os.Remove(s.Path(digest))
	}
	return err == nil, err
}

// room refuses to go below the reserve.
func (s *Store) room() error {
	free, err := Free(s.dir)
	if err != nil {
		return fmt.Errorf("ask for free space: %w", err)
	}
	if free < s.reserve {
		return fmt.Errorf("%w: %d bytes free, %d kept", ErrDiskReserve, free, s.reserve)
	}
	return nil
}

// Free is the space in bytes that an unprivileged process may still use on
// the file system of path.
func Free(path string) (int64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(path, &st); err != nil {
		return 0, err
	}
	return int64(st.Bavail) * st.Bsize, nil
}

// Open opens a stored piece for reading and tells its size in bytes.
func (s *Store) Open(digest string) (io.ReadSeekCloser, int64, error) {
	if !isDigest(digest) {
		return nil, 0, fmt.Errorf("open evidence: %q is not a SHA-256", digest)
	}
	f, err := os.Open(s.Path(digest))
	if err != nil {
		return nil, 0, fmt.Errorf("open evidence: %w", err)
	}
	st, err := f.Stat()
	if err != nil {
		return nil, 0, errors.Join(fmt.Errorf("open evidence: %w", err), f.Close())
	}
	return f, st.Size(), nil
}

// isDigest tells whether s is a SHA-256 in lower-case hexadecimal.
func isDigest(s string) bool {
	return len(s) == 64 && strings.Trim(s, "0123456789abcdef") == ""
}

// makeFolder makes one folder and syncs its parent, so that the new name
// survives a power cut too.
func makeFolder(path string) error {
	err := os.Mkdir(path, 0o750)
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
