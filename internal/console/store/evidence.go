package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"gatehouse/internal/event"
	"gatehouse/internal/evidence"
)

// MaxEvidenceBytes bounds one piece of evidence, as gates do.
const MaxEvidenceBytes = 1 << 30

// ErrHole says that a chunk of evidence begins beyond what is there; the
// missing part must be asked for.
var ErrHole = errors.New("chunk begins beyond what has arrived")

// ErrSenseless says that a chunk cannot be part of any piece.
var ErrSenseless = errors.New("chunk makes no sense")

// isDigest tells whether s is a SHA-256 in lower-case hexadecimal.
func isDigest(s string) bool {
	if len(s) != 64 {
		return false
	}
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// names notes that a record names a piece of evidence, and asks for it from
// due on when the store lacks it.
func (t *batchTx) names(gate string, ev event.Evidence, due time.Time) error {
	// The smallest words win, so that the row is the same in every store.
	_, err := t.exec(`INSERT INTO evidence (sha256, gate, media, bytes, role, state) VALUES (?, ?, ?, ?, ?, 'wanted')
		ON CONFLICT (sha256) DO UPDATE SET gate = min(gate, excluded.gate), media = min(media, excluded.media),
			bytes = min(bytes, excluded.bytes), role = min(role, excluded.role)`,
		ev.SHA256, gate, ev.MediaType, ev.Bytes, ev.Role)
	if err != nil {
		return fmt.Errorf("evidence: %w", err)
	}
	if _, have := t.EvidencePath(ev.SHA256); have {
		// Pushed evidence may come before the record that names it.
		_, err := t.stored(ev.SHA256)
		return err
	}
	_, err = t.exec(`INSERT INTO wants (sha256, gate, due_at, tries)
		SELECT sha256, gate, ?, 0 FROM evidence WHERE sha256 = ? AND state = 'wanted'
		ON CONFLICT (sha256) DO UPDATE SET due_at = min(due_at, excluded.due_at) WHERE tries = 0`, stamp(due), ev.SHA256)
	if err != nil {
		return fmt.Errorf("wanted evidence: %w", err)
	}
	return nil
}

func (s *Store) partial(digest string) string {
	return filepath.Join(s.opt.Dir, "partial", digest)
}

// EvidencePath is where the stored piece with the given digest lies; false
// when the store does not have it.
func (s *Store) EvidencePath(digest string) (string, bool) {
	if !isDigest(digest) {
		return "", false
	}
	path := filepath.Join(s.opt.Dir, "evidence", digest[:2], digest)
	st, err := os.Stat(path)
	return path, err == nil && st.Mode().IsRegular()
}

// Chunk is a part of a piece of evidence as it came from the hub.
type Chunk struct {
	SHA256 string
	Offset int64
	Size   int64 // of the whole piece
	Data   []byte
}

// TakeChunk adds a chunk to its piece. When the last byte has come the piece is
// checked against its digest and stored durably; until then it stays wanted. Chunks that
// came before change nothing; ErrHole means that some before it are missing.
func (s *Store) TakeChunk(ctx context.Context, c Chunk) (Result, error) {
	if !isDigest(c.SHA256) || c.Offset < 0 || c.Size < 0 || c.Size > MaxEvidenceBytes || c.Offset+int64(len(c.Data)) > c.Size {
		return Result{}, fmt.Errorf("%w: %q at %d, %d of %d bytes", ErrSenseless, c.SHA256, c.Offset, len(c.Data), c.Size)
	}
	s.filesM.Lock()
	defer s.filesM.Unlock()
	if _, have := s.EvidencePath(c.SHA256); have {
		return s.settled(ctx, c.SHA256) // the row may lag behind the file after a crash
	}
	have, err := s.append(c)
	if err != nil {
		return Result{}, fmt.Errorf("evidence %s: %w", c.SHA256, err)
	}
	if have < c.Size {
		return Result{}, s.postpone(ctx, c.SHA256)
	}
	return s.settle(ctx, c)
}

// append writes what is new of a chunk and tells how much is there now.
func (s *Store) append(c Chunk) (int64, error) {
	f, err := os.OpenFile(s.partial(c.SHA256), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return 0, err
	}
	have, err := appendTo(f, c)
	return have, errors.Join(err, f.Close())
}

func appendTo(f *os.File, c Chunk) (int64, error) {
	have, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return 0, err
	}
	end := c.Offset + int64(len(c.Data))
	switch {
	case c.Offset > have:
		return have, fmt.Errorf("%w: at %d, have %d", ErrHole, c.Offset, have)
	case end <= have:
		return have, nil
	}
	if _, err := f.Write(c.Data[have-c.Offset:]); err != nil {
		return have, err
	}
	// No sync: until the whole piece is settled it stays wanted, and what a
	// power cut takes from here is found by the digest and asked for again.
	return end, nil
}

// settle checks a complete piece and gives it its place.
func (s *Store) settle(ctx context.Context, c Chunk) (Result, error) {
	f, err := os.Open(s.partial(c.SHA256))
	if err != nil {
		return Result{}, fmt.Errorf("evidence %s: %w", c.SHA256, err)
	}
	defer func() { _ = errors.Join(f.Close(), os.Remove(s.partial(c.SHA256))) }()
	sum, err := digestOf(f)
	if err != nil {
		return Result{}, fmt.Errorf("evidence %s: %w", c.SHA256, err)
	}
	if sum != c.SHA256 {
		s.opt.Log.Warn("evidence arrived damaged, asking again", "evidence", c.SHA256, "got", sum)
		return Result{}, s.postpone(ctx, c.SHA256)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return Result{}, fmt.Errorf("evidence %s: %w", c.SHA256, err)
	}
	if _, err := s.files.Put(ctx, f, MaxEvidenceBytes, "", "", c.SHA256); err != nil {
		return Result{}, err
	}
	return s.settled(ctx, c.SHA256)
}

// settled notes in the tables that a piece is there.
func (s *Store) settled(ctx context.Context, digest string) (Result, error) {
	result, err := s.batch(ctx, func(t *batchTx) error {
		fresh, err := t.stored(digest)
		if err != nil {
			return err
		}
		if fresh {
			t.changed("evidence", digest)
		}
		if _, err := t.exec(`DELETE FROM wants WHERE sha256 = ?`, digest); err != nil || !fresh {
			return err
		}
		return t.evidenceDue()
	})
	if err != nil {
		return Result{}, fmt.Errorf("note evidence %s: %w", digest, err)
	}
	return result, nil
}

// rewantPause is how long a transfer may stand still before it is asked for
// again; it doubles with each try up to maxRewantPause.
const (
	rewantPause    = 5 * time.Second
	maxRewantPause = 5 * time.Minute
)

// postpone puts off asking while chunks are coming.
func (s *Store) postpone(ctx context.Context, digest string) error {
	_, err := s.write.ExecContext(ctx, `UPDATE wants SET due_at = ?, tries = 0 WHERE sha256 = ? AND due_at < ?`,
		stamp(s.opt.Now().Add(rewantPause)), digest, stamp(s.opt.Now().Add(rewantPause/2)))
	if err != nil {
		return fmt.Errorf("postpone request for %s: %w", digest, err)
	}
	return nil
}

// want is a piece to be asked for now.
type want struct {
	digest, gate string
	tries        int
}

// AskForEvidence queues a request for at most limit pieces that are due, and
// tells when the next one is due (zero when nothing is lacking).
func (s *Store) AskForEvidence(ctx context.Context, limit int) (Result, time.Time, error) {
	var next sql.NullString
	result, err := s.batch(ctx, func(t *batchTx) error {
		list, err := t.dueWants(limit)
		if err != nil {
			return err
		}
		for _, w := range list {
			if err := t.ask(w); err != nil {
				return err
			}
		}
		return t.tx.QueryRowContext(ctx, `SELECT min(due_at) FROM wants`).Scan(&next)
	})
	if err != nil {
		return Result{}, time.Time{}, fmt.Errorf("ask for evidence: %w", err)
	}
	return result, unstamp(next.String), nil
}

func (t *batchTx) dueWants(limit int) ([]want, error) {
	rows, err := t.tx.QueryContext(t.ctx, `SELECT sha256, gate, tries FROM wants WHERE due_at <= ? ORDER BY due_at LIMIT ?`, stamp(t.now), limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []want
	for rows.Next() {
		var w want
		if err := rows.Scan(&w.digest, &w.gate, &w.tries); err != nil {
			return nil, err
		}
		list = append(list, w)
	}
	return list, rows.Err()
}

func (t *batchTx) ask(w want) error {
	var from int64
	if st, err := os.Stat(t.partial(w.digest)); err == nil {
		from = st.Size()
	}
	pause := min(rewantPause<<min(w.tries, 10), maxRewantPause)
	_, err := t.exec(`UPDATE wants SET due_at = ?, tries = tries + 1 WHERE sha256 = ?`, stamp(t.now.Add(pause)), w.digest)
	if err != nil {
		return err
	}
	id := event.NewID(t.now)
	return t.say(w.gate, event.TypeWanted, id, w.digest, event.Wanted{
		ID: id, Agency: t.opt.Agency, Gate: w.gate, SHA256: w.digest, From: from, At: t.now.UTC(),
	})
}

// digestOf reads r to its end.
func digestOf(r io.Reader) (string, error) {
	h := sha256.New()
	if _, err := io.Copy(h, r); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// openFiles opens the evidence folder and makes the one for unfinished pieces.
func openFiles(opt Options) (*evidence.Store, error) {
	if err := os.MkdirAll(filepath.Join(opt.Dir, "partial"), 0o700); err != nil {
		return nil, fmt.Errorf("create folder for unfinished evidence: %w", err)
	}
	return evidence.Open(filepath.Join(opt.Dir, "evidence"), 0, opt.Faults)
}

// missingPause is how long a piece that the gate says it does not have is left
// alone before it is asked for again: a gate may get its disk back.
const missingPause = time.Hour

// Missing notes that the gate cannot serve a piece, and why. One that it has
// removed by its rules is not asked for any more.
func (s *Store) Missing(ctx context.Context, digest, why string) (Result, error) {
	result, err := s.batch(ctx, func(t *batchTx) error {
		n, err := t.exec(`DELETE FROM wants WHERE sha256 = ?1 AND EXISTS (SELECT 1 FROM removals WHERE sha256 = ?1)`, digest)
		if err == nil && n == 0 {
			n, err = t.exec(`UPDATE wants SET due_at = ?, missing = ? WHERE sha256 = ?`, stamp(t.now.Add(missingPause)), why, digest)
		}
		if n > 0 {
			t.changed("evidence", digest)
		}
		return err
	})
	if err != nil {
		return Result{}, fmt.Errorf("note missing evidence %s: %w", digest, err)
	}
	return result, nil
}
