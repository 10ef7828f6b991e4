package event

import (
	"encoding/json"
	"time"
)

// EntryKind is the kind of a journal entry.
type EntryKind string

// Journal entries: everything that a lane's state follows from. Replay of the
// entries in order makes the same state, findings and ids, and re-runs nothing.
const (
	EntryReading  EntryKind = "reading"
	EntryStart    EntryKind = "start"    // the daemon started; Loss says since when it was away
	EntryStop     EntryKind = "stop"     // orderly end
	EntryLink     EntryKind = "link"     // a device's link or state changed
	EntryTimer    EntryKind = "timer"    // a deadline of a passage expired
	EntryDispatch EntryKind = "dispatch" // an analysis is about to be tried
	EntryResult   EntryKind = "result"   // an analysis or a look-up came back
	EntryConfig   EntryKind = "config"   // another configuration of the lane is in force
	EntryCorrect  EntryKind = "correct"  // an agency corrected a passage
	EntryCommand  EntryKind = "command"  // a device is about to be given a command
	EntryControl  EntryKind = "control"  // what came of it, or of a control lease
)

// JournalEntry is one fact in a lane's journal.
type JournalEntry struct {
	ID   ID        `json:"id"`
	Lane string    `json:"lane"`
	At   time.Time `json:"at"` // UTC, the gate's receive time
	Kind EntryKind `json:"kind"`

	Reading  *Reading    `json:"reading,omitempty"`
	Start    *Start      `json:"start,omitempty"`
	Link     *LinkChange `json:"link,omitempty"`
	Timer    *Timer      `json:"timer,omitempty"`
	Analysis *Analysis   `json:"analysis,omitempty"`
	// Config is the digest of the configuration file that is in force from here
	// on.
	Config  string      `json:"config,omitempty"`
	Correct *Correction `json:"correct,omitempty"`
	// Recalled are the newest shared versions of the passages that a correction
	// names, so that it can be applied to one which the lane has forgotten.
	Recalled []Passage `json:"recalled,omitempty"`

	Command *Command       `json:"command,omitempty"`
	Control *ControlChange `json:"control,omitempty"`
}

// Start opens a run of the daemon in a lane's journal.
type Start struct {
	Config string `json:"config"` // digest of the configuration in force
	// LastSeen is the time of the newest entry or idle reading before this run;
	// zero on a new journal. Frames between it and a device's first reading may
	// be missing and become a Gap.
	LastSeen time.Time `json:"last_seen,omitzero"`
}

// LinkChange is a device's change of state as the lane runtime sees it.
type LinkChange struct {
	Device string      `json:"device"`
	Driver string      `json:"driver"`
	State  DeviceState `json:"state"`
	Since  time.Time   `json:"since"`
	Reason string      `json:"reason,omitempty"`
	// Heard is when the last frame arrived before the change; zero if never.
	Heard time.Time `json:"heard,omitzero"`
}

// Timer is a deadline that a passage had set.
type Timer struct {
	Passage ID     `json:"passage"`
	Name    string `json:"name"` // "join", "missing-end", "vision"
}

// Analysis is an attempt at or a result of vision on one piece of evidence.
type Analysis struct {
	Passage ID `json:"passage"`
	// Evidence is the digest of the picture; of a look-up in the list of
	// expected vehicles it is the text that was looked up.
	Evidence string `json:"evidence"`
	Op       string `json:"op"`      // "plate", "container", "xray", or "expected" for a look-up
	Attempt  int    `json:"attempt"` // from 1
	// Outcome of a result: "done", "unreadable" (the image is at fault) or
	// "unavailable" (vision is down; the image waits).
	Outcome string `json:"outcome,omitempty"`
	Error   string `json:"error,omitempty"`
	// Result is the worker's answer as it came, in the form of the vision
	// tool's command-line contract; of a look-up it is an Expected.
	Result json.RawMessage `json:"result,omitempty"`
}
