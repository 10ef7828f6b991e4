// Package control is the socket through which a running simulator is told to
// play a fault and asked how it is: one JSON request and one JSON answer per
// connection, on a Unix socket that only its owner may use.
package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"gatehouse/internal/sim/fault"
)

// maxPath is the longest name of a Unix socket on Linux, less its final zero.
const maxPath = 107

// timeout of one exchange.
const timeout = 5 * time.Second

// Socket is the socket of a simulator's state folder.
func Socket(state string) string { return filepath.Join(state, "control.sock") }

// Request is what the client wants.
type Request struct {
	Op      string        `json:"op"`             // "fault", "clear" or "status"
	Lane    string        `json:"lane,omitempty"` // empty for the first that has the fault
	Fault   string        `json:"fault,omitempty"`
	Device  string        `json:"device,omitempty"`
	For     time.Duration `json:"for,omitempty"` // nanoseconds
	Vehicle int           `json:"vehicle,omitempty"`
	Count   int           `json:"count,omitempty"`
}

// Answer is the simulator's.
type Answer struct {
	Error  string        `json:"error,omitempty"`
	Active *fault.Active `json:"active,omitempty"`
	Status *Status       `json:"status,omitempty"`
}

// Status is how the simulator is.
type Status struct {
	Since    time.Time      `json:"since"`
	Speed    float64        `json:"speed"`
	Vehicles int            `json:"vehicles"` // begun in this run, persons too
	Finished int            `json:"finished"`
	Heard    map[string]int `json:"heard"`   // by lane and serial device, as 01-rpm: how many times the host has the port open
	Broker   string         `json:"broker"`  // "none", "online" or "away"
	Waiting  int            `json:"waiting"` // camera messages not sent yet
	Sent     map[string]int `json:"sent"`
	Unheard  map[string]int `json:"unheard"`
	Faults   []fault.Active `json:"faults"`
}

// Serve answers on the socket until ctx ends. Closing ready tells that it is
// there.
func Serve(ctx context.Context, path string, ready chan<- struct{}, answer func(Request) Answer) error {
	if len(path) > maxPath {
		return fmt.Errorf("control socket %s: its name is longer than %d bytes; name a shorter one with --control", path, maxPath)
	}
	// The state folder is locked by this process, so a socket here is a dead one's.
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("remove the old control socket: %w", err)
	}
	var conf net.ListenConfig
	l, err := conf.Listen(ctx, "unix", path)
	if err != nil {
		return fmt.Errorf("open the control socket: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return errors.Join(fmt.Errorf("protect the control socket: %w", err), l.Close())
	}
	close(ready)
	stop := context.AfterFunc(ctx, func() { _ = l.Close() })
	defer stop()
	var jobs sync.WaitGroup
	defer jobs.Wait()
	for {
		conn, err := l.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("accept on the control socket: %w", err)
		}
		jobs.Go(func() { exchange(conn, answer) })
	}
}

func exchange(conn net.Conn, answer func(Request) Answer) {
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(timeout))
	var r Request
	a := Answer{}
	if err := json.NewDecoder(conn).Decode(&r); err != nil {
		a.Error = "the request is no JSON: " + err.Error()
	} else {
		a = answer(r)
	}
	_ = json.NewEncoder(conn).Encode(a) // a client that left wants no answer
}

// Ask sends one request to the simulator that owns the socket.
func Ask(ctx context.Context, path string, r Request) (Answer, error) {
	var dial net.Dialer
	conn, err := dial.DialContext(ctx, "unix", path)
	if err != nil {
		return Answer{}, fmt.Errorf("reach the simulator: %w; is gatesim running with this --state folder?", err)
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(timeout))
	if err := json.NewEncoder(conn).Encode(r); err != nil {
		return Answer{}, fmt.Errorf("ask the simulator: %w", err)
	}
	var a Answer
	if err := json.NewDecoder(conn).Decode(&a); err != nil {
		return Answer{}, fmt.Errorf("read the simulator's answer: %w", err)
	}
	if a.Error != "" {
		return a, errors.New(a.Error)
	}
	return a, nil
}
