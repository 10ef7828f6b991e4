package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"gatehouse/internal/event"
	"gatehouse/internal/retention"
)

// Gate is what the socket gives access to.
type Gate interface {
	Status(ctx context.Context) (Status, error)
	// Reload reads the configuration again and puts it in force, or changes
	// nothing and tells why.
	Reload(ctx context.Context) (Reloaded, error)
	// Watch calls each for every reading of a device until ctx ends or each
	// fails. ErrNoDevice means that there is no such device.
	Watch(ctx context.Context, lane, device string, each func(event.Reading) error) error
	// Command gives a command in the name of event.AtGate and returns what came
	// of it. Lane, device, verb, force, reason and badge are of the caller.
	Command(ctx context.Context, c event.Command) (event.ControlChange, error)
	// Retention removes the evidence that the rules let go and returns what went;
	// dry tells what would go, and removes nothing.
	Retention(ctx context.Context, dry bool) (retention.Report, error)
	// RotateKey has the gate sign with a new key from now on.
	RotateKey(ctx context.Context, reason string) (Rotated, error)
	// Lease is who controls a device. ErrNoDevice means that there is none.
	Lease(lane, device string) (Lease, error)
}

// Errors of the socket.
var (
	// ErrNoDevice says that the gate has no device with this lane and id.
	ErrNoDevice = errors.New("there is no such device")
	// ErrTaken says that another daemon runs on the same state folder.
	ErrTaken = errors.New("another daemon runs on this state folder")
	// ErrAway says that no daemon runs on the state folder.
	ErrAway = errors.New("no daemon runs on this state folder")
)

// maxPath is the longest path of a unix socket on Linux.
const maxPath = 107

// headerTimeout bounds how long a client may take to say what it wants.
const headerTimeout = 5 * time.Second

// Path is the socket in a state folder.
func Path(state string) string { return filepath.Join(state, "control.sock") }

// Listen opens the socket in the state folder. It is made inside a closed folder
// and moved into place, so that there is no moment in which others could open
// it; what a killed daemon left is replaced.
func Listen(ctx context.Context, state string) (net.Listener, error) {
	path := Path(state)
	var d net.Dialer
	if c, err := d.DialContext(ctx, "unix", path); err == nil {
		_ = c.Close()
		return nil, fmt.Errorf("control socket %s: %w", path, ErrTaken)
	}
	if err := os.MkdirAll(state, 0o700); err != nil {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	closed, err := os.MkdirTemp(state, ".c")
	if err != nil {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	defer os.RemoveAll(closed)
	first := filepath.Join(closed, "s")
	if len(first) > maxPath {
		return nil, fmt.Errorf("control socket %s: the path is longer than %d bytes, use a shorter or a relative state folder", path, maxPath-len("/.c0123456789/s"))
	}
	var c net.ListenConfig
	l, err := c.Listen(ctx, "unix", first)
	if err != nil {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false) // Serve removes it where it is then
	if err := errors.Join(os.Chmod(first, 0o600), os.Rename(first, path)); err != nil {
		return nil, errors.Join(fmt.Errorf("control socket: %w", err), l.Close())
	}
	return l, nil
}

// Serve answers on the listener until ctx ends, then removes the socket of the
// state folder.
func Serve(ctx context.Context, l net.Listener, state string, g Gate, log *slog.Logger) error {
	h := &handler{gate: g, log: log}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", h.status)
	mux.HandleFunc("POST /reload", h.reload)
	mux.HandleFunc("GET /watch", h.watch)
	mux.HandleFunc("GET /retention", h.retention)
	mux.HandleFunc("POST /retention", h.retention)
	mux.HandleFunc("POST /keys/rotate", h.rotate)
	mux.HandleFunc("GET /control", h.lease)
	mux.HandleFunc("POST /control", h.command)
	life, end := context.WithCancel(ctx)
	defer end()
	server := &http.Server{
		Handler: mux, ReadHeaderTimeout: headerTimeout,
		BaseContext: func(net.Listener) context.Context { return life },
	}
	done := make(chan error, 1)
	go func() { done <- server.Serve(l) }()
	select {
	case err := <-done:
		return fmt.Errorf("control socket: %w", err)
	case <-ctx.Done():
	}
	// What was asked is answered; watching ends with life.
	bound, cancel := context.WithTimeout(context.WithoutCancel(ctx), headerTimeout)
	defer cancel()
	err := server.Shutdown(bound)
	if err != nil {
		err = server.Close()
	}
	if stopped := <-done; !errors.Is(stopped, http.ErrServerClosed) {
		err = errors.Join(err, stopped)
	}
	if gone := os.Remove(Path(state)); gone != nil && !errors.Is(gone, fs.ErrNotExist) {
		err = errors.Join(err, gone)
	}
	return err
}

type handler struct {
	gate Gate
	log  *slog.Logger
}

// failure is the answer when nothing could be done.
type failure struct {
	Error string `json:"error"`
}

func (h *handler) answer(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(value); err != nil {
		h.log.Debug("control client left before its answer", "err", err)
	}
}

func (h *handler) fail(w http.ResponseWriter, err error) {
	status := http.StatusInternalServerError
	if errors.Is(err, ErrNoDevice) {
		status = http.StatusNotFound
	}
	h.answer(w, status, failure{err.Error()})
}

func (h *handler) status(w http.ResponseWriter, r *http.Request) {
	s, err := h.gate.Status(r.Context())
	if err != nil {
		h.fail(w, err)
		return
	}
	h.answer(w, http.StatusOK, s)
}

func (h *handler) reload(w http.ResponseWriter, r *http.Request) {
	// A client that goes away does not stop a reload half-way.
	done, err := h.gate.Reload(context.WithoutCancel(r.Context()))
	if err != nil {
		h.fail(w, err)
		return
	}
	h.answer(w, http.StatusOK, done)
}

func (h *handler) retention(w http.ResponseWriter, r *http.Request) {
	report, err := h.gate.Retention(r.Context(), r.Method == http.MethodGet)
	if err != nil {
		h.fail(w, err)
		return
	}
	h.answer(w, http.StatusOK, report)
}

func (h *handler) rotate(w http.ResponseWriter, r *http.Request) {
	done, err := h.gate.RotateKey(context.WithoutCancel(r.Context()), r.URL.Query().Get("reason"))
	if err != nil {
		h.fail(w, err)
		return
	}
	h.answer(w, http.StatusOK, done)
}

// Rotated is a change of the gate's signing key.
type Rotated struct {
	Old       string `json:"old"` // key ids
	New       string `json:"new"`
	Chain     string `json:"chain"`
	Sequence  uint64 `json:"sequence"`
	Public    string `json:"public"`     // file of the new public key
	OldPublic string `json:"old_public"` // file of the old one
}

// watch sends a JSON line for every reading.
func (h *handler) watch(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	flush := http.NewResponseController(w)
	encoder := json.NewEncoder(w)
	err := h.gate.Watch(r.Context(), q.Get("lane"), q.Get("device"), func(reading event.Reading) error {
		return errors.Join(encoder.Encode(reading), flush.Flush())
	})
	if errors.Is(err, ErrNoDevice) {
		h.fail(w, err)
	}
}
