package account

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"path/filepath"
	"time"

	"gatehouse/internal/console/store"
	"gatehouse/internal/event"

	_ "modernc.org/sqlite" // the SQLite driver, named "sqlite"
)

// Store is what an agency's database holds, as far as it is judged.
type Store struct {
	Agency   event.Agency
	Frames   []FrameRow
	Gaps     []event.Gap
	Passages []event.Passage // newest version of each
	Versions []Version
	Alerts   []event.Alert
	Verdicts []event.Verdict
	// Doubles are ids of events that are on the chains more than once.
	Doubles []event.ID
	// Suspects are events that were quarantined or do not follow their
	// predecessor, and messages that had no place on a chain.
	Suspects []string
	Heads    []Head
	// Evidence is the state of each piece that records name, by digest.
	Evidence map[string]string
	// Received is when this store received the first version of a passage.
	Received map[event.ID]Arrival
}

// FrameRow is a frame that the gate says it received.
type FrameRow struct {
	Lane   string
	Device string
	Digest string // first 16 hexadecimal digits
	At     string // end of the log's stretch of time, RFC 3339
}

// Version is one version of a passage on the chain.
type Version struct {
	ID      event.ID
	Version int
}

// Head is how far a chain is stored.
type Head struct {
	Chain    string
	Sequence uint64 // without a hole
	Highest  uint64
	Head     string
}

// Arrival is the first version of a passage and when it came.
type Arrival struct {
	At    time.Time
	First event.Passage
}

// Open opens a store's database for reading only.
func Open(dir string) (*sql.DB, error) {
	path := filepath.Join(dir, store.File)
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro&_pragma=busy_timeout(5000)&_pragma=query_only(1)")
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	return db, nil
}

// Load reads an agency's store. It may be in use.
func Load(ctx context.Context, agency event.Agency, db *sql.DB) (*Store, error) {
	s := &Store{Agency: agency, Evidence: map[string]string{}, Received: map[event.ID]Arrival{}}
	for _, part := range []struct {
		name string
		load func(context.Context, *sql.DB) error
	}{
		{"frames", s.loadFrames}, {"gaps", s.loadGaps}, {"passages", s.loadPassages}, {"alerts", s.loadAlerts},
		{"verdicts", s.loadVerdicts}, {"events", s.loadEvents}, {"suspects", s.loadSuspects}, {"heads", s.loadHeads},
		{"evidence", s.loadEvidence},
	} {
		if err := part.load(ctx, db); err != nil {
			return nil, fmt.Errorf("read %s of %s: %w", part.name, agency, err)
		}
	}
	return s, nil
}

// each runs a query and calls row for every row.
func each(ctx context.Context, db *sql.DB, query string, row func(scan func(...any) error) error) error {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// decoded reads one column of JSON rows.
func decoded[T any](ctx context.Context, db *sql.DB, query string) ([]T, error) {
	var all []T
	err := each(ctx, db, query, func(scan func(...any) error) error {
		var raw []byte
		if err := scan(&raw); err != nil {
			return err
		}
		var v T
		if err := json.Unmarshal(raw, &v); err != nil {
			return err
		}
		all = append(all, v)
		return nil
	})
	return all, err
}

func (s *Store) loadFrames(ctx context.Context, db *sql.DB) error {
	return each(ctx, db, `SELECT lane, device, digest, at FROM frames`, func(scan func(...any) error) error {
		var f FrameRow
		err := scan(&f.Lane, &f.Device, &f.Digest, &f.At)
		s.Frames = append(s.Frames, f)
		return err
	})
}

func (s *Store) loadGaps(ctx context.Context, db *sql.DB) error {
	return each(ctx, db, `SELECT id, lane, device, from_at, to_at, reason FROM gaps ORDER BY from_at`, func(scan func(...any) error) error {
		var g event.Gap
		var from, to string
		if err := scan(&g.ID, &g.Lane, &g.Device, &from, &to, &g.Reason); err != nil {
			return err
		}
		var err error
		if g.From, err = time.Parse(time.RFC3339Nano, from); err != nil {
			return err
		}
		if g.To, err = time.Parse(time.RFC3339Nano, to); err != nil {
			return err
		}
		s.Gaps = append(s.Gaps, g)
		return nil
	})
}

func (s *Store) loadPassages(ctx context.Context, db *sql.DB) (err error) {
	if s.Passages, err = decoded[event.Passage](ctx, db, `SELECT json FROM passages ORDER BY opened_at`); err != nil {
		return err
	}
	return each(ctx, db, `SELECT id, version FROM passage_versions ORDER BY id, version`, func(scan func(...any) error) error {
		var v Version
		err := scan(&v.ID, &v.Version)
		s.Versions = append(s.Versions, v)
		return err
	})
}

func (s *Store) loadAlerts(ctx context.Context, db *sql.DB) (err error) {
	s.Alerts, err = decoded[event.Alert](ctx, db, `SELECT json FROM alerts ORDER BY sent`)
	return err
}

func (s *Store) loadVerdicts(ctx context.Context, db *sql.DB) (err error) {
	s.Verdicts, err = decoded[event.Verdict](ctx, db, `SELECT json FROM verdicts ORDER BY at`)
	return err
}

// loadEvents reads what only the stored bytes tell: doubles, which the
// projections would hide, and the first version of each passage.
func (s *Store) loadEvents(ctx context.Context, db *sql.DB) error {
	err := each(ctx, db, `SELECT event_id FROM events GROUP BY event_id HAVING count(*) > 1`, func(scan func(...any) error) error {
		var id event.ID
		err := scan(&id)
		s.Doubles = append(s.Doubles, id)
		return err
	})
	if err != nil {
		return err
	}
	query := `SELECT e.payload, a.received_at FROM passage_versions v JOIN events e USING (chain, sequence)
		JOIN arrivals a USING (chain, sequence) WHERE v.version = 1`
	return each(ctx, db, query, func(scan func(...any) error) error {
		var payload []byte
		var received string
		if err := scan(&payload, &received); err != nil {
			return err
		}
		env, err := event.ParseEnvelope(payload)
		if err != nil {
			return err
		}
		var a Arrival
		if err := json.Unmarshal(env.Data, &a.First); err != nil {
			return err
		}
		if a.At, err = time.Parse(time.RFC3339Nano, received); err != nil {
			return err
		}
		s.Received[a.First.ID] = a
		return nil
	})
}

func (s *Store) loadSuspects(ctx context.Context, db *sql.DB) error {
	query := `SELECT chain || ':' || sequence || ' ' || type || ' ' || CASE WHEN linked <> 1 THEN 'does not follow its predecessor ' ELSE '' END || problem
			FROM events WHERE quarantined <> 0 OR linked <> 1
		UNION ALL SELECT 'stray ' || subject || ' ' || problem FROM strays`
	return each(ctx, db, query, func(scan func(...any) error) error {
		var text string
		err := scan(&text)
		s.Suspects = append(s.Suspects, text)
		return err
	})
}

func (s *Store) loadHeads(ctx context.Context, db *sql.DB) (err error) {
	s.Heads, err = Heads(ctx, db)
	return err
}

// Heads is how far each chain is stored; quicker than Load.
func Heads(ctx context.Context, db *sql.DB) ([]Head, error) {
	var all []Head
	err := each(ctx, db, `SELECT chain, sequence, highest, head FROM heads ORDER BY chain`, func(scan func(...any) error) error {
		var h Head
		err := scan(&h.Chain, &h.Sequence, &h.Highest, &h.Head)
		all = append(all, h)
		return err
	})
	return all, err
}

func (s *Store) loadEvidence(ctx context.Context, db *sql.DB) error {
	return each(ctx, db, `SELECT sha256, state FROM evidence`, func(scan func(...any) error) error {
		var digest, state string
		err := scan(&digest, &state)
		s.Evidence[digest] = state
		return err
	})
}
