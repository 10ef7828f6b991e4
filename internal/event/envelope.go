package event

import (
	"encoding/json"
	"fmt"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"
)

// Type is the CloudEvents type of a shared event.
type Type string

// Shared event types. The trailing version changes when a field changes its
// meaning, which readers of old records must survive.
const (
	TypePassage    Type = "vn.gatehouse.passage.v1"
	TypeAlert      Type = "vn.gatehouse.alert.v1"
	TypeVerdict    Type = "vn.gatehouse.verdict.v1"
	TypeAck        Type = "vn.gatehouse.ack.v1"
	TypeCorrection Type = "vn.gatehouse.correction.v1"
	TypeReceipt    Type = "vn.gatehouse.receipt.v1"
	TypeDevice     Type = "vn.gatehouse.device.v1"
	TypeGap        Type = "vn.gatehouse.gap.v1"
	TypeFrameLog   Type = "vn.gatehouse.framelog.v1"
	TypeWanted     Type = "vn.gatehouse.wanted.v1"
	TypeCommand    Type = "vn.gatehouse.command.v1"
	TypeControl    Type = "vn.gatehouse.control.v1"
	TypeRemoval    Type = "vn.gatehouse.removal.v1"
	TypeHold       Type = "vn.gatehouse.hold.v1"
	TypeKeyChange  Type = "vn.gatehouse.keychange.v1"
)

// Delivery is the class by which a shared event is handed over. Alerts pass
// the backlog of records, and records pass images.
type Delivery string

// Delivery classes; they are the second token of an agency's inbox subject.
const (
	DeliverAlert  Delivery = "alert"  // alerts, their acknowledgements and verdicts, holds, key changes, commands and their answers
	DeliverRecord Delivery = "record" // passages, corrections, devices, gaps, frame logs, receipts, removals
	DeliverImage  Delivery = "image"  // chunks of evidence; not on the chain
)

// Delivery is the class of the type.
func (t Type) Delivery() Delivery {
	switch t {
	case TypeAlert, TypeAck, TypeVerdict, TypeCommand, TypeControl, TypeHold, TypeKeyChange:
		return DeliverAlert
	default:
		return DeliverRecord
	}
}

// Envelope is a CloudEvents 1.0 event in the profile that Gatehouse shares.
type Envelope struct {
	ID      ID
	Source  string // /gate/15BB or /agency/CUSTOMS
	Type    Type
	Subject string // the passage, alert or device it is about
	Time    time.Time
	Data    json.RawMessage
}

// Wrap puts a shared value into an envelope. The id is the value's own.
func Wrap(source string, t Type, id ID, subject string, at time.Time, value any) (Envelope, error) {
	data, err := json.Marshal(value)
	if err != nil {
		return Envelope{}, fmt.Errorf("encode %s %s: %w", t, id, err)
	}
	return Envelope{ID: id, Source: source, Type: t, Subject: subject, Time: at.UTC(), Data: data}, nil
}

// Bytes is the structured JSON form of the event. These bytes are stored,
// hashed and signed; they are never made again from a parsed event.
func (e Envelope) Bytes() ([]byte, error) {
	c := cloudevents.New(cloudevents.CloudEventsVersionV1)
	c.SetID(string(e.ID))
	c.SetSource(e.Source)
	c.SetType(string(e.Type))
	c.SetSubject(e.Subject)
	c.SetTime(e.Time)
	if err := c.SetData(cloudevents.ApplicationJSON, e.Data); err != nil {
		return nil, fmt.Errorf("set data of %s %s: %w", e.Type, e.ID, err)
	}
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("event %s is not valid CloudEvents: %w", e.ID, err)
	}
	b, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("encode event %s: %w", e.ID, err)
	}
	return b, nil
}

// ParseEnvelope reads the structured JSON form.
func ParseEnvelope(b []byte) (Envelope, error) {
	var c cloudevents.Event
	if err := json.Unmarshal(b, &c); err != nil {
		return Envelope{}, fmt.Errorf("parse event: %w", err)
	}
	if err := c.Validate(); err != nil {
		return Envelope{}, fmt.Errorf("parse event: %w", err)
	}
	return Envelope{
		ID: ID(c.ID()), Source: c.Source(), Type: Type(c.Type()),
		Subject: c.Subject(), Time: c.Time().UTC(), Data: c.Data(),
	}, nil
}
