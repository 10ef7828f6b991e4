package event

import "time"

// CorrectionKind is what an officer does to the boundaries or the facts of a
// passage.
type CorrectionKind string

// Kinds of correction.
const (
	// CorrectEnter records a passage that no device saw.
	CorrectEnter CorrectionKind = "enter"
	// CorrectSplit cuts a passage in two at a moment: what was read from At on
	// belongs to the new one.
	CorrectSplit CorrectionKind = "split"
	// CorrectMerge joins Other into Passage; Other ends as merged.
	CorrectMerge CorrectionKind = "merge"
	// CorrectFacts changes what the fields of Facts name.
	CorrectFacts CorrectionKind = "facts"
	// CorrectCancel says that the passage was none.
	CorrectCancel CorrectionKind = "cancel"
)

// Correction is one agency's change to a passage, made by an officer with a
// reason. The gate applies it in the order of arrival and answers with new
// versions of the passages; nothing that a device said is overwritten.
type Correction struct {
	ID     ID     `json:"id"`
	Agency Agency `json:"agency"`
	Gate   string `json:"gate"`
	Lane   string `json:"lane"`
	// Kind decides which of the fields below are used.
	Kind CorrectionKind `json:"kind"`
	// Passage is what is changed. Of CorrectEnter it is the id of the new
	// passage, made by the console.
	Passage ID        `json:"passage"`
	Other   ID        `json:"other,omitempty"` // of a merge: the passage that ends
	At      time.Time `json:"at"`              // when the officer said so
	// Moment is when a passage entered by hand was there, or where a split
	// cuts; UTC.
	Moment *time.Time  `json:"moment,omitempty"`
	Facts  Facts       `json:"facts,omitzero"` // of CorrectEnter and CorrectFacts
	Reason string      `json:"reason"`         // not empty
	Badge  string      `json:"badge"`          // pseudonymous, as in a verdict
	Saw    SeenVersion `json:"saw,omitzero"`
}

// Facts are what an officer can state about a passage. An empty field states
// nothing.
type Facts struct {
	Kind        PassageKind `json:"kind,omitempty"`
	Direction   Direction   `json:"direction,omitempty"`
	Flow        Flow        `json:"flow,omitempty"`
	Plate       string      `json:"plate,omitempty"`       // canonical text, of the front
	RearPlate   string      `json:"rear_plate,omitempty"`  // canonical text, of the rear or the trailer
	Container   string      `json:"container,omitempty"`   // ISO 6346, without separators
	Document    string      `json:"document,omitempty"`    // number of a travel document
	Declaration string      `json:"declaration,omitempty"` // VN customs declaration number, 12 digits
}

// Correcting is a correction as the passage's record keeps it.
type Correcting struct {
	ID     ID             `json:"id"` // of the correction
	Agency Agency         `json:"agency"`
	Kind   CorrectionKind `json:"kind"`
	Other  ID             `json:"other,omitempty"` // the passage it came from or went to
	Facts  Facts          `json:"facts,omitzero"`
	Reason string         `json:"reason"`
	Badge  string         `json:"badge"`
	At     time.Time      `json:"at"`
}
