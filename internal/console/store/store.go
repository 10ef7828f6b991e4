package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"gatehouse/internal/event"
	"gatehouse/internal/evidence"
	"gatehouse/internal/fault"

	_ "modernc.org/sqlite" // the SQLite driver, named "sqlite"
)

//go:embed migrations/*.sql
var migrations embed.FS

// File is the name of the shared database within the store's folder.
const File = "shared.db"

// Saying is something that the agency says to a gate, sealed with its key.
type Saying struct {
	Gate    string
	Type    event.Type
	ID      event.ID
	About   string // passage of a verdict, digest of a wanted
	Subject string // NATS subject within the agency's account
	Data    []byte // CloudEvents bytes
	Origin  []byte // the origin statement that carries the agency's signature
}

// Seal makes a saying from a value: it wraps, encodes and signs.
type Seal func(gate string, t event.Type, id event.ID, about string, at time.Time, value any) (Saying, error)

// Options are what a store needs.
type Options struct {
	Dir    string // folder of the store; created when absent
	Agency event.Agency
	Seal   Seal
	Log    *slog.Logger
	Faults *fault.Points // may be nil
	Now    func() time.Time
	// Inspect opens a store that another process may be running: the evidence
	// folder is not cleared and takes nothing.
	Inspect bool
	// LateAfter is the time at the hub from which an alert counts as late and
	// raises no alarm. Zero means two minutes.
	LateAfter time.Duration
	// Progress, which may be nil, hears how far a rebuild is: events gone through,
	// and how many there are.
	Progress func(done, all int)
}

// Store is an agency's store.
type Store struct {
	opt    Options
	write  *sql.DB // one connection
	turns  turns   // at it, of what takes its time
	read   *sql.DB
	id     string
	files  *evidence.Store
	filesM sync.Mutex // one chunk at a time
	// replayStep is how many events a step of a rebuild takes.
	replayStep int
}

// Open opens the store in opt.Dir, creates it when there is none and brings
// its tables up to date.
func Open(ctx context.Context, opt Options) (*Store, error) {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Progress == nil {
		opt.Progress = func(int, int) {}
	}
	if opt.LateAfter == 0 {
		opt.LateAfter = 2 * time.Minute
	}
	if err := os.MkdirAll(opt.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("create store folder: %w", err)
	}
	var files *evidence.Store
	if !opt.Inspect {
		var err error
		if files, err = openFiles(opt); err != nil {
			return nil, err
		}
	}
	path := filepath.Join(opt.Dir, File)
	w, r, err := OpenDatabase(path)
	if err != nil {
		return nil, err
	}
	s := &Store{opt: opt, write: w, read: r, files: files, replayStep: replayStep}
	if err := s.prepare(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// OpenDatabase opens one SQLite file for writing by one connection and for
// reading by several: WAL, synchronous FULL, foreign keys, busy time-out.
func OpenDatabase(path string) (write, read *sql.DB, err error) {
	const pragmas = "?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)" +
		"&_pragma=foreign_keys(1)&_pragma=temp_store(memory)"
	write, err = sql.Open("sqlite", "file:"+path+pragmas+"&_txlock=immediate")
	if err != nil {
		return nil, nil, fmt.Errorf("open database %s: %w", path, err)
	}
	write.SetMaxOpenConns(1)
	if err := write.Ping(); err != nil {
		return nil, nil, fmt.Errorf("open database %s: %w", path, errors.Join(err, write.Close()))
	}
	read, err = sql.Open("sqlite", "file:"+path+pragmas+"&_pragma=query_only(1)")
	if err != nil {
		return nil, nil, fmt.Errorf("open database %s: %w", path, errors.Join(err, write.Close()))
	}
	read.SetMaxOpenConns(4)
	return write, read, nil
}

func (s *Store) prepare(ctx context.Context) error {
	if err := Migrate(ctx, s.write, migrations); err != nil {
		return fmt.Errorf("prepare %s: %w", File, err)
	}
	fresh := string(event.NewID(s.opt.Now()))
	if _, err := s.write.ExecContext(ctx, `INSERT INTO meta (key, value) VALUES ('store_id', ?) ON CONFLICT DO NOTHING`, fresh); err != nil {
		return fmt.Errorf("name the store: %w", err)
	}
	if err := s.write.QueryRowContext(ctx, `SELECT value FROM meta WHERE key = 'store_id'`).Scan(&s.id); err != nil {
		return fmt.Errorf("read the store's name: %w", err)
	}
	_, wanted, err := s.rebuilding(ctx)
	if err != nil {
		return fmt.Errorf("see whether the tables must be made anew: %w", err)
	}
	if wanted {
		_, err = s.Rebuild(ctx)
		return err
	}
	return s.reread(ctx)
}

func schemaVersion(ctx context.Context, db *sql.DB) (int, error) {
	var version int
	if err := db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return 0, fmt.Errorf("read schema version: %w", err)
	}
	return version, nil
}

// Migrate applies the numbered SQL files of the folder "migrations" that the
// database has not had yet, each in a transaction of its own. One of the store's
// that changes what known types leave in the tables asks for a rebuild by
// putting "rebuild" into meta; one for new types need not, since what could not
// be read is tried again at each start.
func Migrate(ctx context.Context, db *sql.DB, files fs.FS) error {
	names, err := fs.Glob(files, "migrations/*.sql")
	if err != nil {
		return fmt.Errorf("list migrations: %w", err)
	}
	version, err := schemaVersion(ctx, db)
	if err != nil {
		return err
	}
	if version > len(names) {
		return fmt.Errorf("database has schema version %d, this program knows %d: use a newer gatehouse-console", version, len(names))
	}
	for i, name := range names[version:] {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return fmt.Errorf("read migration: %w", err)
		}
		err = inTx(ctx, db, func(tx *sql.Tx) error {
			if _, err := tx.ExecContext(ctx, string(text)); err != nil {
				return err
			}
			_, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", version+i+1))
			return err
		})
		if err != nil {
			return fmt.Errorf("apply %s: %w", name, err)
		}
	}
	return nil
}

// ID names this store; a new or rebuilt store has another. Consumers at the
// hub are named after it, so that a new store is handed everything again.
func (s *Store) ID() string { return s.id }

// Dir is the store's folder.
func (s *Store) Dir() string { return s.opt.Dir }

// Agency is whose store it is.
func (s *Store) Agency() event.Agency { return s.opt.Agency }

// Close closes the database.
func (s *Store) Close() error {
	return errors.Join(s.read.Close(), s.write.Close())
}

// inTx runs do in one transaction, which is on disk when inTx returns nil.
func inTx(ctx context.Context, db *sql.DB, do func(*sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	if err := do(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// stampLayout is how times are stored: UTC, fixed width, so that text order is
// time order. The full precision stays in the stored bytes.
const stampLayout = "2006-01-02T15:04:05.000000Z"

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(stampLayout)
}

// unstamp reads a stored time; the zero time when there is none.
func unstamp(s string) time.Time {
	t, err := time.Parse(stampLayout, s)
	if err != nil {
		return time.Time{}
	}
	return t
}
