package event

import "time"

// ControlVerb is what is asked of a device that takes commands.
type ControlVerb string

// Verbs. The first two are about the device's control lease, the others are
// for who holds it.
const (
	// ControlTake takes the lease, or renews it for its holder.
	ControlTake    ControlVerb = "take"
	ControlRelease ControlVerb = "release"
	ControlOpen    ControlVerb = "open"
	ControlClose   ControlVerb = "close"
	ControlStop    ControlVerb = "stop"
	ControlRed     ControlVerb = "red"
	ControlAmber   ControlVerb = "amber"
	ControlGreen   ControlVerb = "green"
)

// ControlVerbs lists all verbs in the order consoles offer them.
func ControlVerbs() []ControlVerb {
	return []ControlVerb{ControlTake, ControlRelease, ControlOpen, ControlClose, ControlStop, ControlRed, ControlAmber, ControlGreen}
}

// Leases tells whether the verb is about the lease itself and moves nothing.
func (v ControlVerb) Leases() bool { return v == ControlTake || v == ControlRelease }

// AtGate stands for a technician at the gate itself where an agency may hold a
// device's control. It is no agency and has no account.
const AtGate Agency = "GATE"

const (
	// ControlLease is how long a control lease lasts after its holder took it or
	// gave a command: time for a word with the driver, and short enough that a
	// console that fell asleep keeps nobody waiting.
	ControlLease = time.Minute
	// CommandValidity is how old a command may be when it is carried out, by the
	// clocks of who said it and of the gate. A network that was down must not
	// move an arm minutes later.
	CommandValidity = 10 * time.Second
)

// Command is what an agency, or a technician at the gate, asks of a device. It
// is carried out once or never.
type Command struct {
	ID     ID     `json:"id"`
	Agency Agency `json:"agency"` // or AtGate
	Where
	Verb ControlVerb `json:"verb"`
	// Force takes the lease from another holder; a supervisor may, with a Reason.
	Force  bool      `json:"force,omitempty"`
	Reason string    `json:"reason,omitempty"`
	Badge  string    `json:"badge,omitempty"` // pseudonymous, as in a verdict
	At     time.Time `json:"at"`              // when it was given; it is void CommandValidity later
}

// CommandID makes the id of a command from what made it unique at its console,
// so that a form sent twice is one command.
func CommandID(form ID, v ControlVerb) ID {
	return DeriveID(form.Time(), "command."+string(v), "1", form)
}

// AnswerID is the id of the ControlChange that answers a command: each has one.
func AnswerID(command ID) ID { return DeriveID(command.Time(), "control.answer", "1", command) }

// ControlOutcome is what became of a command.
type ControlOutcome string

// Outcomes.
const (
	ControlDone    ControlOutcome = "done"
	ControlRefused ControlOutcome = "refused" // nothing was moved
	// ControlLost says that nobody knows whether the command was carried out. It
	// will not be from now on.
	ControlLost ControlOutcome = "lost"
)

// Codes of a ControlChange. A driver adds its interlock's own.
const (
	ControlHeld     = "HELD"     // somebody else has the lease
	ControlNoLease  = "NO-LEASE" // who asked has no lease
	ControlStale    = "STALE"    // the command came too late, or the clocks differ
	ControlNoReason = "NO-REASON"
	ControlNoDevice = "NO-DEVICE"
	ControlNoVerb   = "NO-VERB" // the device does not know the command
	ControlOffline  = "OFFLINE" // the device cannot be reached
	ControlFull     = "FULL"    // too many commands wait
	ControlBoard    = "BOARD"   // the device did not confirm
	ControlRestart  = "RESTART" // the gate's software was started anew
	ControlExpired  = "EXPIRED" // the lease was over
	ControlStopped  = "STOP"    // the gate's software is ending
)

// ControlChange is one line of a device's hand-over log: what was asked and
// what came of it, or how a lease ended by itself, and who holds control now.
// Both agencies get every one.
type ControlChange struct {
	ID ID `json:"id"`
	Where
	At time.Time `json:"at"`
	// Command is what it answers; empty when the gate did something by itself.
	Command ID          `json:"command,omitempty"`
	Asked   time.Time   `json:"asked,omitzero"` // when the command was given
	Agency  Agency      `json:"agency"`         // who asked, or whose lease ended; AtGate for a technician there
	Badge   string      `json:"badge,omitempty"`
	Verb    ControlVerb `json:"verb"`
	Force   bool        `json:"force,omitempty"`
	Reason  string      `json:"reason,omitempty"` // of a forced take
	// Outcome is of Verb; Code and Why tell more, where there is more to tell.
	Outcome ControlOutcome `json:"outcome"`
	Code    string         `json:"code,omitempty"`
	Why     Text           `json:"why,omitzero"`
	// Holder has the lease after it; empty for nobody.
	Holder Agency    `json:"holder,omitempty"`
	Since  time.Time `json:"since,omitzero"`
	Until  time.Time `json:"until,omitzero"`
}
