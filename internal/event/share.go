package event

import "time"

// Alert is a finding that crossed the lane's policy and is shared. Its fields
// follow a profile of OASIS CAP 1.2; scope is always Restricted.
type Alert struct {
	ID          ID        `json:"identifier"`
	Sender      string    `json:"sender"` // gate source, such as /gate/15BB
	Sent        time.Time `json:"sent"`
	Status      string    `json:"status"`               // Actual, Exercise or Test
	MsgType     string    `json:"msgType"`              // Alert, Update or Cancel
	Scope       string    `json:"scope"`                // Restricted
	References  []ID      `json:"references,omitempty"` // of an Update or Cancel
	Category    string    `json:"category"`             // Security, CBRNE, Transport
	EventCode   string    `json:"eventCode"`            // the finding's code
	Urgency     string    `json:"urgency"`
	Severity    Severity  `json:"severity"`
	Certainty   string    `json:"certainty"` // Observed, Likely, Possible
	Expires     time.Time `json:"expires"`
	Headline    Text      `json:"headline"`
	Instruction Text      `json:"instruction"`
	Where
	Passage  ID         `json:"passage,omitempty"`
	Lead     Agency     `json:"lead"`
	Finding  Finding    `json:"finding"`
	Evidence []Evidence `json:"evidence,omitempty"`
}

// VerdictCode is an agency's coded decision.
type VerdictCode string

// Verdict codes.
const (
	Release    VerdictCode = "RELEASE"     // nothing found, may go
	Inspect    VerdictCode = "INSPECT"     // send to secondary inspection
	Hold       VerdictCode = "HOLD"        // must not leave
	FalseAlarm VerdictCode = "FALSE-ALARM" // the alert was wrong
	Confirmed  VerdictCode = "CONFIRMED"   // a violation was found
)

// VerdictCodes lists all codes in the order consoles offer them.
func VerdictCodes() []VerdictCode {
	return []VerdictCode{Release, Inspect, Hold, FalseAlarm, Confirmed}
}

// Verdict is one agency's decision on an alert or a passage. It is appended,
// never overwritten: the last one of an agency counts.
type Verdict struct {
	ID      ID          `json:"id"`
	Agency  Agency      `json:"agency"`
	Gate    string      `json:"gate"`
	Alert   ID          `json:"alert,omitempty"`
	Passage ID          `json:"passage"`
	Code    VerdictCode `json:"code"`
	Reason  string      `json:"reason"`
	Badge   string      `json:"badge"` // pseudonymous; names stay with the agency
	At      time.Time   `json:"at"`
	// Saw is the version of the shared record that the officer decided on.
	Saw SeenVersion `json:"saw"`
}

// Ack says that an officer of an agency has seen an alert and takes it. It
// decides nothing, and stops the sound on both consoles. In CAP 1.2 it is a
// message of msgType Ack that references the alert.
type Ack struct {
	ID      ID        `json:"id"`
	Agency  Agency    `json:"agency"`
	Gate    string    `json:"gate"`
	Alert   ID        `json:"alert"`
	Passage ID        `json:"passage"`
	Badge   string    `json:"badge"` // pseudonymous, as in a verdict
	At      time.Time `json:"at"`
}

// SeenVersion names a version of a passage record on the chain.
type SeenVersion struct {
	Version  int    `json:"version"`
	Sequence uint64 `json:"sequence"` // of the SHARED chain
}

// Receipt is an agency's statement that it has committed events to its store.
type Receipt struct {
	ID     ID     `json:"id"`
	Agency Agency `json:"agency"`
	Gate   string `json:"gate"`
	Chain  string `json:"chain"`
	// Sequence and Head say: everything up to and including this sequence is
	// stored without a hole, and this is the hash of its last header.
	Sequence uint64 `json:"sequence"`
	Head     string `json:"head"`
	Alert    ID     `json:"alert,omitempty"` // set on the extra receipt of one alert
	// Quarantined are sequences that are stored but could not be read.
	Quarantined []uint64 `json:"quarantined,omitempty"`
	// Evidence are digests of pieces that the agency has stored, each checked. A
	// piece is in one receipt; what it says holds from then on.
	Evidence []string  `json:"evidence,omitempty"`
	At       time.Time `json:"at"`
}

// DeviceChange tells the agencies that a device's state changed.
type DeviceChange struct {
	ID ID `json:"id"`
	Where
	Driver string      `json:"driver"`
	State  DeviceState `json:"state"`
	Since  time.Time   `json:"since"`
	Reason string      `json:"reason,omitempty"`
	// Words say the same for people, where it can be said in both languages.
	Words Text `json:"words,omitzero"`
	// Code is the device's own word for its state, such as TT or INTERLOCK.
	Code string `json:"code,omitempty"`
	Try  Text   `json:"try,omitzero"` // what to do next, for the person at the device
	// Barrier is what a barrier and its lights show since At; only on changes of
	// barriers. Its device may be told of without a change of State.
	Barrier *Barrier `json:"barrier,omitempty"`
	// Required says that the lane counts on the device.
	Required bool `json:"required,omitempty"`
}

// Gap is a recorded time in which a device's frames may be missing.
type Gap struct {
	ID ID `json:"id"`
	Where
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`
	Frames int       `json:"frames,omitempty"` // 0 when the number cannot be known
	Reason string    `json:"reason"`           // as Loss.Reason
}

// FrameLog accounts for every frame of a device in a stretch of time, so that
// an auditor can tell years later whether a frame reached the gate.
type FrameLog struct {
	ID ID `json:"id"`
	Where
	From  time.Time `json:"from"`
	To    time.Time `json:"to"`
	Count int       `json:"count"`
	// Invalid is how many frames could not be understood. They are kept, and
	// nothing was concluded from them. Answers that a driver's library threw away
	// are counted here alone, since nobody has their bytes.
	Invalid int `json:"invalid,omitempty"`
	// Digests are the first 16 hexadecimal digits of each frame's SHA-256, in
	// the order of arrival.
	Digests []string `json:"digests"`
}

// Wanted is an agency's request for a piece of evidence it lacks.
type Wanted struct {
	ID     ID     `json:"id"`
	Agency Agency `json:"agency"`
	Gate   string `json:"gate"`
	SHA256 string `json:"sha256"`
	// From is the first byte wanted, so that a broken transfer goes on.
	From int64     `json:"from,omitempty"`
	At   time.Time `json:"at"`
}
