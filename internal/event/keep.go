package event

import "time"

// EvidenceKind is what a piece of evidence is to its passage.
type EvidenceKind string

// Kinds of evidence.
const (
	// EvidenceScan is a view of an X-ray scan.
	EvidenceScan EvidenceKind = "scan"
	// EvidencePhoto is a camera's picture that something was read on, or the only
	// one of its camera.
	EvidencePhoto EvidenceKind = "photo"
	// EvidenceBurst is a picture of a burst that nothing in the record points to.
	EvidenceBurst EvidenceKind = "burst"
	// EvidenceRaw is what consoles do not fetch: the low energy of a scan, the
	// scanner's own description, and what no record names.
	EvidenceRaw EvidenceKind = "raw"
)

// EvidenceKinds lists all kinds, the least valuable first.
func EvidenceKinds() []EvidenceKind {
	return []EvidenceKind{EvidenceRaw, EvidenceBurst, EvidencePhoto, EvidenceScan}
}

// RemovalCause is why evidence went.
type RemovalCause string

// Causes of a removal.
const (
	// RemovedForRoom says that room on the disk ran short.
	RemovedForRoom RemovalCause = "room"
	// RemovedForAge says that the time was over for which the rule keeps it.
	RemovedForAge RemovalCause = "age"
)

// Removal says that the gate has removed pieces of evidence from its own disk, by
// a rule of its configuration. It is chained before the first of them goes. The
// records that name them stay, and so do their digests.
type Removal struct {
	ID     ID             `json:"id"`
	Gate   string         `json:"gate"`
	Rule   string         `json:"rule"` // its name in the configuration
	Cause  RemovalCause   `json:"cause"`
	Days   int            `json:"days"` // for which the rule keeps at least
	Pieces []RemovedPiece `json:"pieces"`
	At     time.Time      `json:"at"`
}

// RemovedPiece is one piece of evidence that went.
type RemovedPiece struct {
	SHA256 string       `json:"sha256"`
	Bytes  int64        `json:"bytes"`
	Kind   EvidenceKind `json:"kind"`
	// Passage is one that names it; empty where no record does.
	Passage ID `json:"passage,omitempty"`
	// Stored is when the gate stored it.
	Stored time.Time `json:"stored"`
}

// LegalHold is one agency's legal hold on a passage: while it is set, nothing of the
// passage is removed anywhere. Each agency sets and lifts its own; the last word
// of an agency counts.
type LegalHold struct {
	ID      ID        `json:"id"`
	Agency  Agency    `json:"agency"`
	Gate    string    `json:"gate"`
	Passage ID        `json:"passage"`
	Set     bool      `json:"set"` // false lifts it
	Reason  string    `json:"reason"`
	Badge   string    `json:"badge"` // pseudonymous, as in a verdict
	At      time.Time `json:"at"`
}

// KeyChange says that the gate signs with another key from the next link on. The
// link is signed with the old key, and Proof with the new one, so that nobody who
// has only one of them can make it.
type KeyChange struct {
	ID     ID        `json:"id"`
	Gate   string    `json:"gate"`
	Old    string    `json:"old"`    // key id
	New    string    `json:"new"`    // key id
	Public string    `json:"public"` // the new key, PKIX PEM
	Proof  []byte    `json:"proof"`  // the new key's Ed25519 signature over Statement
	Reason string    `json:"reason,omitempty"`
	At     time.Time `json:"at"`
}

// Statement is what the new key signs.
func (k KeyChange) Statement() []byte {
	return []byte("gatehouse key change 1\n" + k.Gate + "\n" + string(k.ID) + "\n" + k.Old + "\n" + k.New + "\n")
}
