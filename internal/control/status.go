package control

import (
	"time"

	"gatehouse/internal/config"
	"gatehouse/internal/event"
)

// Phase is what the daemon is at.
type Phase string

// Phases of a daemon's life.
const (
	Starting Phase = "starting" // it replays its journal; devices are not listened to yet
	Running  Phase = "running"
	Ending   Phase = "ending"
)

// Status is a running gate at one moment. Times are UTC.
type Status struct {
	Gate    string     `json:"gate"`
	Name    event.Text `json:"name"`
	Now     time.Time  `json:"now"`
	Started time.Time  `json:"started"`
	PID     int        `json:"pid"`
	Version string     `json:"version"`
	Phase   Phase      `json:"phase"`

	Config   Config      `json:"config"`
	Clock    event.Clock `json:"clock"`
	Lanes    []Lane      `json:"lanes"`
	Streams  []Stream    `json:"streams"`
	Disk     Disk        `json:"disk"`
	Agencies []Agency    `json:"agencies"`
	Vision   Vision      `json:"vision"`
}

// Config is the configuration in force.
type Config struct {
	File   string    `json:"file"`
	Digest string    `json:"digest"` // SHA-256 of the file
	Since  time.Time `json:"since"`
	// Problems are the mistakes that it runs with.
	Problems config.Problems `json:"problems,omitempty"`
	// Differs says that the file has changed since.
	Differs bool `json:"differs,omitempty"`
}

// Lane is one lane with its devices.
type Lane struct {
	ID      string            `json:"id"`
	Name    event.Text        `json:"name"`
	Kind    event.PassageKind `json:"kind"`
	Flow    event.Flow        `json:"flow"`
	Shadow  bool              `json:"shadow,omitempty"`
	Devices []Device          `json:"devices"`
}

// Device is one device of a lane.
type Device struct {
	ID       string            `json:"id"`
	Driver   string            `json:"driver"`
	Role     string            `json:"role"`
	Owner    event.Agency      `json:"owner"`
	Required bool              `json:"required"`
	State    event.DeviceState `json:"state"`
	Since    time.Time         `json:"since,omitzero"` // zero before it was heard first
	Reason   string            `json:"reason,omitempty"`
	Heard    time.Time         `json:"heard,omitzero"` // receive time of the newest stored frame
}

// Stream is one stream of the journal.
type Stream struct {
	Name     string    `json:"name"`
	Bytes    uint64    `json:"bytes"`
	MaxBytes int64     `json:"max_bytes,omitempty"`
	Records  uint64    `json:"records"`
	First    time.Time `json:"first,omitzero"`
	Last     time.Time `json:"last,omitzero"`
}

// Disk is the room where the state is kept, in bytes.
type Disk struct {
	Free    int64 `json:"free"`
	Reserve int64 `json:"reserve"`
}

// Agency is how far the hand-over to one agency is.
type Agency struct {
	Code     event.Agency `json:"code"`
	Name     event.Text   `json:"name"`
	Alerts   uint64       `json:"alerts"`   // not handed over yet
	Records  uint64       `json:"records"`  // not handed over yet
	Handed   uint64       `json:"handed"`   // position in the chain
	Received uint64       `json:"received"` // position that the agency has stored
	// ReceivedAt is when the agency's newest receipt came; zero before the first.
	ReceivedAt time.Time `json:"received_at,omitzero"`
	Error      string    `json:"error,omitempty"` // why nothing goes on
	ErrorSince time.Time `json:"error_since,omitzero"`
}

// Vision is whether pictures are analysed.
type Vision struct {
	On         bool        `json:"on"` // the configuration has it
	Operations []Operation `json:"operations,omitempty"`
}

// Operation is one kind of analysis.
type Operation struct {
	Name   string `json:"name"`
	Up     bool   `json:"up"`
	Reason string `json:"reason,omitempty"`
}

// Change is one thing that a reload did.
type Change struct {
	Lane   string `json:"lane"`
	Device string `json:"device,omitempty"` // empty: the lane's own settings
	What   Kind   `json:"what"`
}

// Kind is the kind of a change.
type Kind string

// Kinds of change.
const (
	Added     Kind = "added"
	Removed   Kind = "removed"
	Restarted Kind = "restarted" // ended, and begun with other settings
	Adjusted  Kind = "adjusted"  // changed without an end
)

// Reloaded is what came of a reload. With Problems or Restart nothing was
// changed.
type Reloaded struct {
	File    string   `json:"file"`
	Digest  string   `json:"digest,omitempty"` // of the configuration in force now
	Changes []Change `json:"changes"`
	// Problems are the mistakes of the file.
	Problems config.Problems `json:"problems,omitempty"`
	// Restart names the settings that were changed and that only a restart of
	// the daemon puts in force.
	Restart []string `json:"restart,omitempty"`
}

// OK tells whether the file is in force.
func (r Reloaded) OK() bool { return len(r.Problems) == 0 && len(r.Restart) == 0 }
