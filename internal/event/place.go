package event

// Agency is one of the forces that share a gate.
type Agency string

// The agencies of a Vietnamese border gate.
const (
	Customs     Agency = "CUSTOMS"
	BorderGuard Agency = "BORDERGUARD"
)

// Agencies lists both agencies in their fixed order.
func Agencies() []Agency { return []Agency{Customs, BorderGuard} }

// Account is the agency's token in NATS account names and in the subject
// to.<account>.>.
func (a Agency) Account() string {
	switch a {
	case Customs:
		return "customs"
	case BorderGuard:
		return "borderguard"
	}
	return ""
}

// Text is a sentence shown to people, in both languages of the product.
type Text struct {
	VI string `json:"vi"`
	EN string `json:"en"`
}

// Where names the physical origin of something.
type Where struct {
	Gate   string `json:"gate"`             // customs office code, such as 15BB
	Lane   string `json:"lane,omitempty"`   // lane id within the gate, such as 01
	Device string `json:"device,omitempty"` // device id within the lane, such as rpm
}

// Direction is the way something passes the border.
type Direction string

// Directions of a passage; unknown until a device or an officer tells.
const (
	Entry            Direction = "entry"
	Exit             Direction = "exit"
	DirectionUnknown Direction = "unknown"
)

// Flow is the kind of traffic that a lane or a passage belongs to.
type Flow string

// Flows of a gate.
const (
	Goods     Flow = "goods"
	Traveller Flow = "traveller"
	Mixed     Flow = "mixed"
)
