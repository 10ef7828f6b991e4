package expect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"

	"gatehouse/internal/event"
)

const (
	// complete is how long nothing may have been written to a file before it is
	// taken.
	complete = time.Second
	// sweep is how often the folder is looked at without a notice: a share that
	// another machine writes to gives none.
	sweep = 5 * time.Second
	// patience is how long a look-up waits for files that are being written.
	patience = 5 * time.Second
	// largest file that is read, in bytes: some 200,000 rows.
	largest = 32 << 20
	// mistakesLogged bounds the log of one file.
	mistakesLogged = 20
)

// Lists are the lists of a folder. They may be used from several goroutines.
type Lists struct {
	dir string
	log *slog.Logger

	mu      sync.Mutex
	files   map[string]*file
	changed chan struct{} // closed and replaced with every change
	gone    bool          // the folder could not be read
}

// file is one file of the folder as it was seen last.
type file struct {
	size    int64
	written time.Time
	since   time.Time // when it was first seen so
	taken   bool      // its present content is in list, or was refused
	list    list
}

// Open reads the lists that the folder holds now, and makes the folder when it
// is missing. A folder that cannot be read is logged and tried again by Run: a
// share that is away must not keep a gate from starting.
func Open(dir string, log *slog.Logger) *Lists {
	l := &Lists{dir: dir, log: log, files: map[string]*file{}, changed: make(chan struct{})}
	_ = os.MkdirAll(dir, 0o755) // looking tells
	l.reachable(l.look(time.Now(), true))
	return l
}

// Run follows the folder until ctx ends.
func (l *Lists) Run(ctx context.Context) error {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watch folder of expected vehicles: %w", err)
	}
	defer func() { _ = watcher.Close() }()
	watched := watcher.Add(l.dir) == nil
	pause := time.NewTimer(0)
	defer pause.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-watcher.Events:
		case err := <-watcher.Errors: // such as too many notices: the sweep finds all
			l.log.Debug("notice of expected vehicles missed", "err", err)
		case <-pause.C:
		}
		err := l.look(time.Now(), false)
		l.reachable(err)
		if !watched && err == nil {
			watched = watcher.Add(l.dir) == nil
		}
		pause.Reset(l.pause())
	}
}

// reachable logs once when the folder is lost and once when it is back.
func (l *Lists) reachable(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case err != nil && !l.gone:
		l.log.Error("lists of expected vehicles cannot be read, nobody is looked up until they can; create the folder and let the service's user read it", "folder", l.dir, "err", err)
	case err == nil && l.gone:
		l.log.Info("lists of expected vehicles can be read again", "folder", l.dir)
	}
	l.gone = err != nil
}

// pause is how long to wait for the next look.
func (l *Lists) pause() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	next := sweep
	for _, f := range l.files {
		if !f.taken {
			next = min(next, max(time.Until(f.since.Add(complete)), time.Millisecond))
		}
	}
	return next
}

// look brings the lists up to date with the folder. At the start a file that
// was not written to for long enough is taken at once.
func (l *Lists) look(now time.Time, starting bool) error {
	root, err := os.OpenRoot(l.dir)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	seen := map[string]bool{}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() || !isList(e.Name()) {
			continue
		}
		seen[e.Name()] = true
		f := l.seen(e.Name(), info, now)
		quiet := now.Sub(f.since) >= complete || starting && now.Sub(info.ModTime()) >= complete
		if !f.taken && quiet {
			l.take(root, e.Name(), f)
		}
	}
	for name := range l.files {
		if !seen[name] {
			delete(l.files, name)
			l.log.Info("list of expected vehicles removed", "file", name)
			l.tell()
		}
	}
	return nil
}

// isList leaves out what others name while they write.
func isList(name string) bool {
	return strings.HasSuffix(strings.ToLower(name), ".csv") && !strings.HasPrefix(name, ".") && !strings.HasPrefix(name, "~")
}

// seen notes how the file looks now. A file keeps its last content until the
// new one is complete.
func (l *Lists) seen(name string, info fs.FileInfo, now time.Time) *file {
	f := l.files[name]
	if f == nil {
		f = &file{list: list{name: name}}
		l.files[name] = f
	}
	if f.since.IsZero() || f.size != info.Size() || !f.written.Equal(info.ModTime()) {
		f.size, f.written, f.since, f.taken = info.Size(), info.ModTime(), now, false
	}
	return f
}

// take reads a complete file.
func (l *Lists) take(root *os.Root, name string, f *file) {
	f.taken = true
	defer l.tell()
	data, err := read(root, name)
	if err != nil {
		l.log.Warn("list of expected vehicles not taken", "file", name, "err", err)
		return
	}
	sum := event.Digest(data)
	if sum == f.list.sha256 {
		return
	}
	rows, mistakes := Parse(name, data)
	f.list = list{name: name, sha256: sum, rows: rows}
	for _, m := range mistakes[:min(len(mistakes), mistakesLogged)] {
		l.log.Warn("row of expected vehicles refused", "err", m)
	}
	l.log.Info("list of expected vehicles taken", "file", name, "rows", len(rows), "refused", len(mistakes), "sha256", sum)
}

func read(root *os.Root, name string) ([]byte, error) {
	f, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, largest+1))
	if err == nil && len(data) > largest {
		err = fmt.Errorf("%w: larger than %d bytes", ErrList, largest)
	}
	return data, err
}

// tell lets those go on who wait for a file to be complete. The lock is held.
func (l *Lists) tell() {
	close(l.changed)
	l.changed = make(chan struct{})
}

// ErrGone says that the folder cannot be read, so that nobody can tell whether
// something is expected.
var ErrGone = errors.New("folder of expected vehicles cannot be read")

// Look looks something up. While a file is being written it waits for it, so
// that who was announced a moment ago is found. It fails when ctx ends or with
// ErrGone.
func (l *Lists) Look(ctx context.Context, q Query) (Answer, error) {
	l.reachable(l.look(time.Now(), false))
	enough := time.NewTimer(patience)
	defer enough.Stop()
	for patient := true; ; {
		l.mu.Lock()
		gone, changed := l.gone, l.changed
		waiting := false
		var lists []list
		for _, f := range l.files {
			waiting = waiting || !f.taken
			if f.list.sha256 != "" {
				lists = append(lists, f.list)
			}
		}
		l.mu.Unlock()
		if gone {
			return Answer{}, ErrGone
		}
		if !waiting || !patient {
			slices.SortFunc(lists, func(a, b list) int { return strings.Compare(a.name, b.name) })
			return look(lists, q), nil
		}
		select {
		case <-ctx.Done():
			return Answer{}, ctx.Err()
		case <-changed:
		case <-enough.C:
			patient = false
		}
	}
}
