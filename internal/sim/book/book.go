// Package book keeps what the simulator did: every frame that it has fully
// sent as it should be (ledger.jsonl), every frame that went out with nobody
// there to hear it, or to say so (unheard.jsonl), what damaged frames put on lines whose
// framing cannot be told from outside any more (spoilt.jsonl), what each vehicle
// and person really was (truth.jsonl) and which faults were played
// (faults.jsonl). Each line is written to the file at once. None
// of it ever goes on a wire; it is there to judge the gate by.
package book

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Kinds of frame.
const (
	Line   = "line"   // a serial line without its CR LF
	Packet = "packet" // a frame of a device with a framing of its own
	// Answer is an answer to a question that the host repeats as it likes. Only
	// an answer that differs from the one before is noted.
	Answer = "answer"
	MQTT   = "mqtt" // an MQTT payload
	File   = "file" // a file's whole content
)

// Frame is a line of the ledger or of the unheard frames.
type Frame struct {
	N       int       `json:"n"` // counts from 1 in each file, over restarts
	Lane    string    `json:"lane"`
	Device  string    `json:"device"`
	Kind    string    `json:"kind"`
	SHA256  string    `json:"sha256"`
	Bytes   int       `json:"bytes"`
	At      time.Time `json:"at"` // UTC, when the last byte had left
	Passage string    `json:"passage"`
	// Reason says why nobody could hear it: "not-open", "port-gone",
	// "overrun", "queue-full", or Unanswered. Only in unheard.jsonl; in
	// spoilt.jsonl it is the fault.
	Reason string `json:"reason,omitempty"`
}

// Unanswered is the reason of a message that left and was not acknowledged in
// time: it may have been heard, and is sent again.
const Unanswered = "unanswered"

// Totals counts the frames of this run.
type Totals struct {
	Sent    map[string]int `json:"sent"`    // by lane and device, as 01-rpm
	Unheard map[string]int `json:"unheard"` // the same
	Spoilt  map[string]int `json:"spoilt"`  // the same
}

// Book is open for appending. It is safe for concurrent use.
type Book struct {
	dir string

	lock *os.File

	mu       sync.Mutex
	ledger   *journal
	unheard  *journal
	spoilt   *journal
	truth    *journal
	faults   *journal
	numbers  numbers
	totals   Totals
	err      error
	failed   chan struct{}
	closedUp bool
}

// Open opens or creates the files in dir and mends what a kill left: a torn
// last line is cut off, and vehicles that were under way get their truth line,
// marked as cut short.
func Open(dir string) (*Book, error) {
	b := &Book{dir: dir, failed: make(chan struct{}), totals: newTotals()}
	lock, err := lockFolder(dir)
	if err != nil {
		return nil, err
	}
	b.lock = lock
	for _, f := range []struct {
		name string
		at   **journal
	}{{"ledger.jsonl", &b.ledger}, {"unheard.jsonl", &b.unheard}, {"spoilt.jsonl", &b.spoilt}, {"truth.jsonl", &b.truth}, {"faults.jsonl", &b.faults}} {
		j, err := openJournal(filepath.Join(dir, f.name))
		if err != nil {
			return nil, errors.Join(err, b.Close())
		}
		*f.at = j
	}
	if err := b.loadNumbers(); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

func newTotals() Totals {
	return Totals{Sent: map[string]int{}, Unheard: map[string]int{}, Spoilt: map[string]int{}}
}

// Page is the book as one lane's devices write into it.
type Page struct {
	book *Book
	lane string
}

// Lane is that lane's page.
func (b *Book) Lane(id string) Page { return Page{b, id} }

// Sent notes a frame that has fully left.
func (p Page) Sent(device, kind string, frame []byte, passage string) {
	p.book.frame(p.book.ledger, p.book.totals.Sent, p.lane, device, kind, frame, passage, "")
}

// Unheard notes a frame that left, or would have left, with nobody to hear it.
// One that was not acknowledged in time is not counted: it counts as sent when it
// is acknowledged later.
func (p Page) Unheard(device, kind string, frame []byte, passage, reason string) {
	count := p.book.totals.Unheard
	if reason == Unanswered {
		count = map[string]int{}
	}
	p.book.frame(p.book.unheard, count, p.lane, device, kind, frame, passage, reason)
}

// Spoilt notes bytes that a fault made of a frame.
func (p Page) Spoilt(device, kind string, frame []byte, passage, reason string) {
	p.book.frame(p.book.spoilt, p.book.totals.Spoilt, p.lane, device, kind, frame, passage, reason)
}

func (b *Book) frame(j *journal, count map[string]int, lane, device, kind string, frame []byte, passage, reason string) {
	sum := sha256.Sum256(frame)
	f := Frame{
		Lane: lane, Device: device, Kind: kind, SHA256: hex.EncodeToString(sum[:]), Bytes: len(frame),
		At: time.Now().UTC(), Passage: passage, Reason: reason,
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	f.N = j.lines + 1
	count[Key(lane, device)]++
	b.append(j, f)
}

// Key names a device of a lane: 01-rpm.
func Key(lane, device string) string { return lane + "-" + device }

// Fault notes a change on the fault board.
func (b *Book) Fault(change any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.append(b.faults, change)
}

// append writes a line; the caller holds mu. The first failure is kept: a
// simulator that cannot keep its books proves nothing and has to stop.
func (b *Book) append(j *journal, v any) {
	if b.closedUp {
		return
	}
	if err := j.append(v); err != nil && b.err == nil {
		b.err = err
		close(b.failed)
	}
}

// Failed is closed when a line could not be written; Err says why.
func (b *Book) Failed() <-chan struct{} { return b.failed }

// Err is the first failure to write, if any.
func (b *Book) Err() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.err
}

// Totals counts the frames of this run so far.
func (b *Book) Totals() Totals {
	b.mu.Lock()
	defer b.mu.Unlock()
	t := newTotals()
	maps.Copy(t.Sent, b.totals.Sent)
	maps.Copy(t.Unheard, b.totals.Unheard)
	maps.Copy(t.Spoilt, b.totals.Spoilt)
	return t
}

// Close closes the files. Later lines are dropped.
func (b *Book) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closedUp = true
	var errs []error
	for _, j := range []*journal{b.ledger, b.unheard, b.spoilt, b.truth, b.faults} {
		if j != nil {
			errs = append(errs, j.file.Close())
		}
	}
	b.ledger, b.unheard, b.spoilt, b.truth, b.faults = &journal{}, &journal{}, &journal{}, &journal{}, &journal{}
	return errors.Join(append(errs, b.lock.Close())...)
}

// lockFolder keeps a second simulator out of the folder; the kernel drops the
// lock when the process ends, however it ends.
func lockFolder(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the state folder: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("another gatesim works in %s; give this one another --state folder: %w", dir, err), f.Close())
	}
	return f, nil
}

// journal is a file of JSON lines that is only appended to.
type journal struct {
	file  *os.File
	lines int
}

func openJournal(path string) (*journal, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open the simulator's book: %w", err)
	}
	whole, lines, err := measure(f)
	if err == nil {
		err = f.Truncate(whole)
	}
	if err == nil {
		_, err = f.Seek(whole, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("mend %s: %w", path, err), f.Close())
	}
	return &journal{file: f, lines: lines}, nil
}

// measure finds how many bytes of the file are whole lines, and counts them.
func measure(f *os.File) (whole int64, lines int, err error) {
	buf := make([]byte, 1<<16)
	var at int64
	for {
		n, err := f.Read(buf)
		lines += bytes.Count(buf[:n], []byte{'\n'})
		if i := bytes.LastIndexByte(buf[:n], '\n'); i >= 0 {
			whole = at + int64(i) + 1
		}
		at += int64(n)
		if errors.Is(err, io.EOF) {
			return whole, lines, nil
		}
		if err != nil {
			return 0, 0, err
		}
	}
}

func (j *journal) append(v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode a line of the book: %w", err)
	}
	if _, err := j.file.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("write the simulator's book: %w", err)
	}
	j.lines++
	return nil
}
