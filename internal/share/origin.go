package share

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go"

	"gatehouse/internal/event"
	"gatehouse/internal/hub/client"
	"gatehouse/internal/trust"
)

// Origin is an agency's signature over what it said. Its JSON bytes travel
// with the event and are part of what the gate signs.
type Origin struct {
	Agency    event.Agency `json:"agency"`
	Key       string       `json:"key"`       // id of the agency's key
	Digest    string       `json:"digest"`    // SHA-256 of the payload bytes, hexadecimal
	Signature []byte       `json:"signature"` // Ed25519 over the payload bytes, base64 in JSON
}

// Seal is the origin JSON of a payload that the agency says.
func Seal(agency event.Agency, key trust.Private, payload []byte) ([]byte, error) {
	b, err := json.Marshal(Origin{
		Agency: agency, Key: key.Public().ID(),
		Digest: event.Digest(payload), Signature: key.Sign(payload),
	})
	if err != nil {
		return nil, fmt.Errorf("encode origin: %w", err)
	}
	return b, nil
}

// ParseOrigin reads origin JSON: ErrOrigin if it cannot.
func ParseOrigin(b []byte) (Origin, error) {
	var o Origin
	if err := json.Unmarshal(b, &o); err != nil {
		return Origin{}, fmt.Errorf("%w: %w", ErrOrigin, err)
	}
	return o, nil
}

// Verify says whether the owner of the agency's key said the payload. The
// error is ErrOrigin.
func (o Origin) Verify(payload []byte, agency trust.Public) error {
	switch {
	case o.Key != agency.ID():
		return fmt.Errorf("%w: key %s, expected %s", ErrOrigin, o.Key, agency.ID())
	case o.Digest != event.Digest(payload):
		return fmt.Errorf("%w: it is about another payload", ErrOrigin)
	case !agency.Verify(payload, o.Signature):
		return fmt.Errorf("%w: the signature does not fit", ErrOrigin)
	}
	return nil
}

// NewSaying is the message by which an agency's console says something to a
// gate: it is to be published on the console's own hub connection with a
// JetStream publish, whose acknowledgement means that the gate will get it.
// The envelope's type must be one of the kinds of client.Sayings. Saying the same
// event again is harmless.
func NewSaying(gate string, agency event.Agency, key trust.Private, e event.Envelope) (*nats.Msg, error) {
	kind := sayKind(e.Type)
	if kind == "" {
		return nil, fmt.Errorf("say %s: agencies say verdicts, acknowledgements, corrections, receipts, commands and requests for evidence only", e.Type)
	}
	payload, err := e.Bytes()
	if err != nil {
		return nil, err
	}
	origin, err := Seal(agency, key, payload)
	if err != nil {
		return nil, err
	}
	m := nats.NewMsg(strings.Join([]string{"say", gate, kind}, "."))
	m.Header.Set(HeaderOrigin, base64.StdEncoding.EncodeToString(origin))
	m.Header.Set(nats.MsgIdHdr, string(e.ID))
	m.Data = payload
	return m, nil
}

func sayKind(t event.Type) string {
	switch t {
	case event.TypeVerdict, event.TypeHold: // both are an officer's word on a passage
		return client.SayVerdict
	case event.TypeAck:
		return client.SayAck
	case event.TypeCorrection:
		return client.SayCorrection
	case event.TypeReceipt:
		return client.SayReceipt
	case event.TypeWanted:
		return client.SayWanted
	case event.TypeCommand:
		return client.SayCommand
	}
	return ""
}
