package passage

import (
	"fmt"
	"time"

	"gatehouse/internal/event"
)

// Effect is one thing that the lane runtime does because of an entry. Exactly
// one field is set. Effects follow from entries alone: when a replay makes one
// again it is the same, byte for byte, and doing it again must do nothing
// (appending to SHARED is idempotent by the event's id).
type Effect struct {
	// Share is an event for the SHARED chain.
	Share *event.Envelope `json:"share,omitempty"`
	// Analyse asks for vision on a piece of evidence.
	Analyse *Request `json:"analyse,omitempty"`
	// NotApplied is a correction that cannot be applied. It stays on the chain;
	// no version of a passage names it.
	NotApplied *NotApplied `json:"not_applied,omitempty"`
	// Shadow is a finding whose rule is in shadow mode. It is counted and
	// logged at the gate, and not shared.
	Shadow *event.Finding `json:"shadow,omitempty"`
	// Fault says that an event could not be encoded. It is a mistake in the
	// program; the lane logs it and goes on.
	Fault string `json:"fault,omitempty"`
}

// Request is an analysis that has no result yet. The runtime journals an
// EntryDispatch before it tries one, and an EntryResult after.
type Request struct {
	Passage  event.ID `json:"passage"`
	Evidence string   `json:"evidence"`          // digest
	Op       string   `json:"op"`                // one of those below
	Kind     string   `json:"kind,omitempty"`    // of xray: "cargo" or "baggage"; of a look-up: by what
	Scanner  string   `json:"scanner,omitempty"` // of xray: whose calibration
	// Low and Sidecar of xray are digests of the files that belong to the image.
	Low     string `json:"low,omitempty"`
	Sidecar string `json:"sidecar,omitempty"`
	// Due is until when a passage waits for the answer: pictures of all lanes are
	// analysed in this order.
	Due time.Time `json:"due,omitzero"`
	// Attempts is how many dispatches were journalled already.
	Attempts int `json:"attempts,omitempty"`
	// Direction and Day of a look-up: a list says for which it expects.
	Direction event.Direction `json:"direction,omitempty"`
	Day       string          `json:"day,omitempty"` // 2006-01-02, at the gate
}

// Operations of vision, and the look-up in the lists of expected vehicles,
// which is none.
const (
	OpPlate     = "plate"
	OpXray      = "xray"
	OpContainer = "container"
	OpExpected  = "expected"
)

// NotApplied says why a correction could not be applied.
type NotApplied struct {
	Correction event.ID `json:"correction"`
	Passage    event.ID `json:"passage"`
	Why        string   `json:"why"`
}

// Deadline is a moment at which the lane runtime journals an EntryTimer with
// this passage and name, unless an entry before it took the deadline away.
type Deadline struct {
	Passage event.ID  `json:"passage"`
	Name    string    `json:"name"`
	At      time.Time `json:"at"`
}

// Names of deadlines.
const (
	// TimerJoin ends the waiting for readings after presence ended.
	TimerJoin = "join"
	// TimerMissingEnd ends an occupancy whose end never came.
	TimerMissingEnd = "missing-end"
	// TimerVision ends the waiting for analyses of a passage that is complete
	// otherwise.
	TimerVision = "vision"
	// TimerTell tells what a barrier shows when it changed again too soon after
	// it was told. It has no passage.
	TimerTell = "tell"
	// TimerHold ends the waiting of a capture for the presence it announced. Its
	// Passage is the id that the passage would have.
	TimerHold = "hold"
)

// share adds an event to the effects. It is encoded at once, so that later
// changes of the value cannot reach it.
func (e *Engine) share(t event.Type, id event.ID, subject string, at time.Time, value any) {
	envelope, err := event.Wrap(e.lane.source(), t, id, subject, at, value)
	if err != nil {
		e.out = append(e.out, Effect{Fault: fmt.Sprintf("share %s: %v", subject, err)})
		return
	}
	e.out = append(e.out, Effect{Share: &envelope})
}
