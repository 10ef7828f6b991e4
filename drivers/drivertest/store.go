package drivertest

import (
	"context"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-playground/validator/v10"
	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/require"

	"gatehouse/internal/driver"
	"gatehouse/internal/event"
)

// patience is how long a test waits for something that must happen. It bounds
// a broken run; nothing is measured against it.
const patience = 20 * time.Second

// Store is a journal in memory that can be slow or broken.
type Store struct {
	mu       sync.Mutex
	readings []event.Reading
	fail     error
	hold     chan struct{} // closed when emit may go on
	waiting  int
	changed  chan struct{} // closed and replaced at every change
}

// NewStore makes an empty store.
func NewStore() *Store {
	open := make(chan struct{})
	close(open)
	return &Store{hold: open, changed: make(chan struct{})}
}

// Emit implements driver.Emit.
func (s *Store) Emit(ctx context.Context, readings ...event.Reading) error {
	s.mu.Lock()
	hold := s.hold
	s.waiting++
	s.notify()
	s.mu.Unlock()
	var err error
	select {
	case <-hold:
	case <-ctx.Done():
		err = ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting--
	if err == nil {
		err = s.fail
	}
	if err == nil {
		s.readings = append(s.readings, readings...)
	}
	s.notify()
	return err
}

func (s *Store) notify() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// Hold makes emit block until the returned function is called.
func (s *Store) Hold() (release func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	hold := make(chan struct{})
	s.hold = hold
	return sync.OnceFunc(func() { close(hold) })
}

// Fail makes emit fail from now on; nil makes it work again.
func (s *Store) Fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = err
}

// Readings is what was stored so far.
func (s *Store) Readings() []event.Reading {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.readings)
}

// Frames counts the frames' digests over all readings.
func (s *Store) Frames() map[string]int {
	out := map[string]int{}
	for _, r := range s.Readings() {
		for _, f := range r.Frames {
			out[f]++
		}
	}
	return out
}

// Wait returns once ok holds for what is stored, and fails the test when that
// takes for ever.
func (s *Store) Wait(t *testing.T, what string, ok func([]event.Reading) bool) {
	t.Helper()
	s.wait(t, what, func() bool { return ok(s.readings) })
}

// WaitBlocked returns once an emit is held.
func (s *Store) WaitBlocked(t *testing.T) {
	t.Helper()
	s.wait(t, "an emit that is held", func() bool { return s.waiting > 0 })
}

func (s *Store) wait(t *testing.T, what string, ok func() bool) {
	t.Helper()
	limit := time.After(patience)
	for {
		s.mu.Lock()
		done, changed, have := ok(), s.changed, s.readings
		s.mu.Unlock()
		if done {
			return
		}
		select {
		case <-changed:
		case <-limit:
			require.FailNow(t, "never came: "+what, "stored: %s", summary(have))
		}
	}
}

// WaitFrames returns once every digest was stored at least once.
func (s *Store) WaitFrames(t *testing.T, digests ...string) {
	t.Helper()
	s.Wait(t, "frames of the device", func(rs []event.Reading) bool {
		missing := map[string]bool{}
		for _, d := range digests {
			missing[d] = true
		}
		for _, r := range rs {
			for _, f := range r.Frames {
				delete(missing, f)
			}
		}
		return len(missing) == 0
	})
}

func summary(readings []event.Reading) string {
	var out strings.Builder
	for _, r := range readings {
		out.WriteString("\n" + string(r.Kind) + " " + r.Key + " " + string(r.Raw) + " " + r.Note)
	}
	return out.String()
}

// Evidence is an evidence store in memory.
type Evidence struct {
	mu   sync.Mutex
	blob map[string][]byte
	fail error
}

// Put implements driver.Evidence.
func (e *Evidence) Put(_ context.Context, r io.Reader, limit int64, mediaType, role, name string) (event.Evidence, error) {
	b, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return event.Evidence{}, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.fail != nil {
		return event.Evidence{}, e.fail
	}
	if int64(len(b)) > limit {
		return event.Evidence{}, driver.ErrTooLarge
	}
	if e.blob == nil {
		e.blob = map[string][]byte{}
	}
	digest := event.Digest(b)
	e.blob[digest] = b
	return event.Evidence{SHA256: digest, MediaType: mediaType, Bytes: int64(len(b)), Role: role, Name: name}, nil
}

// Get is a stored blob.
func (e *Evidence) Get(digest string) ([]byte, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	b, ok := e.blob[digest]
	return b, ok
}

// Fail makes Put fail from now on; nil makes it work again.
func (e *Evidence) Fail(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.fail = err
}

// Env is an environment with the given evidence, the real clock and no log.
func Env(e *Evidence) driver.Env {
	return driver.Env{Log: slog.New(slog.DiscardHandler), Evidence: e, Now: time.Now}
}

// Decode is the strict decoding of settings that the configuration does.
func Decode(text []byte) func(into any) error {
	return func(into any) error {
		return yaml.UnmarshalWithOptions(text, into, yaml.Strict(), yaml.Validator(validator.New()))
	}
}
