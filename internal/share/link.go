package share

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"

	"gatehouse/internal/event"
	"gatehouse/internal/trust"
)

// NATS headers of a shared event, in the gate's stream and on the hub.
const (
	// HeaderHeader is the base64 of the link's header JSON.
	HeaderHeader = "Gatehouse-Header"
	// HeaderSignature is the base64 of the gate's Ed25519 signature over the
	// header JSON.
	HeaderSignature = "Gatehouse-Signature"
	// HeaderOrigin is the base64 of the origin JSON of an event that an agency
	// said.
	HeaderOrigin = "Gatehouse-Origin"
	// HeaderLate is "true" on an event that was handed over late: consoles show
	// it without a siren.
	HeaderLate = "Gatehouse-Late"
)

// HeaderVersion is the version of the header's form.
const HeaderVersion = 1

// Header is the signed part of a link. Its JSON bytes are what is signed and
// hashed; the struct is only a reading of them.
type Header struct {
	V        int            `json:"v"`        // HeaderVersion
	Chain    string         `json:"chain"`    // gate id, a dash, a ULID
	Sequence uint64         `json:"sequence"` // from 1, without a hole
	Previous string         `json:"previous"` // Hash of the link before; "" for the first
	Start    *Start         `json:"start,omitempty"`
	Event    event.ID       `json:"event"`
	Type     event.Type     `json:"type"`
	Delivery event.Delivery `json:"delivery"`
	Digest   string         `json:"digest"`           // SHA-256 of the payload bytes, hexadecimal
	Origin   string         `json:"origin,omitempty"` // SHA-256 of the origin JSON bytes, hexadecimal
	Key      string         `json:"key"`              // id of the gate's key
	At       time.Time      `json:"at"`               // when it was chained, UTC
}

// Start is in the first header of a chain that follows a lost one.
type Start struct {
	After []Head `json:"after"`
}

// Head names the last link of a chain that somebody holds.
type Head struct {
	Agency   event.Agency `json:"agency,omitempty"` // who holds it, where that matters
	Chain    string       `json:"chain"`
	Sequence uint64       `json:"sequence"`
	Head     string       `json:"head"` // Link.Hash
}

// Link is one event of the chain as the bytes that were signed and hashed.
// Payload is nil where only the header may be seen.
type Link struct {
	Header Header

	HeaderBytes []byte
	Signature   []byte
	Origin      []byte // origin JSON; nil for the gate's own events
	Payload     []byte // CloudEvents JSON, event.ParseEnvelope reads it
}

// Errors of a link that is not what the gate signed.
var (
	ErrHeader    = errors.New("header cannot be read")
	ErrKey       = errors.New("signed by another key")
	ErrSignature = errors.New("signature does not fit the header")
	ErrDigest    = errors.New("payload is not the one that was signed")
	ErrOrigin    = errors.New("origin is not the agency's")
)

// ParseLink makes a link from its stored bytes. It checks nothing but that the
// header can be read: ErrHeader otherwise. Origin and payload may be nil.
func ParseLink(header, signature, origin, payload []byte) (Link, error) {
	l := Link{HeaderBytes: header, Signature: signature, Origin: origin, Payload: payload}
	if err := json.Unmarshal(header, &l.Header); err != nil {
		return Link{}, fmt.Errorf("%w: %w", ErrHeader, err)
	}
	if l.Header.V != HeaderVersion {
		return Link{}, fmt.Errorf("%w: version %d, this program reads %d", ErrHeader, l.Header.V, HeaderVersion)
	}
	if l.Header.Chain == "" || l.Header.Sequence == 0 {
		return Link{}, fmt.Errorf("%w: no chain or sequence", ErrHeader)
	}
	return l, nil
}

// Message is what a console receives: a link and how it came.
type Message struct {
	Link
	Late bool
}

// ParseMessage reads a shared event from a NATS message of the gate's stream
// or of an agency's stream. Like ParseLink it does not verify.
func ParseMessage(h nats.Header, data []byte) (Message, error) {
	header, err := decode(h, HeaderHeader)
	if err != nil {
		return Message{}, err
	}
	signature, err := decode(h, HeaderSignature)
	if err != nil {
		return Message{}, err
	}
	var origin []byte
	if h.Get(HeaderOrigin) != "" {
		if origin, err = decode(h, HeaderOrigin); err != nil {
			return Message{}, err
		}
	}
	l, err := ParseLink(header, signature, origin, data)
	if err != nil {
		return Message{}, err
	}
	return Message{Link: l, Late: h.Get(HeaderLate) == "true"}, nil
}

// NATSHeader is the link's headers for a NATS message; the data is Payload.
func (l Link) NATSHeader() nats.Header {
	h := nats.Header{
		HeaderHeader:    {base64.StdEncoding.EncodeToString(l.HeaderBytes)},
		HeaderSignature: {base64.StdEncoding.EncodeToString(l.Signature)},
	}
	if l.Origin != nil {
		h.Set(HeaderOrigin, base64.StdEncoding.EncodeToString(l.Origin))
	}
	return h
}

// Hash is the SHA-256 of the header bytes in hexadecimal: the next link's
// Previous, and the head of the chain while there is no next.
func (l Link) Hash() string { return event.Digest(l.HeaderBytes) }

// Head names this link.
func (l Link) Head() Head {
	return Head{Chain: l.Header.Chain, Sequence: l.Header.Sequence, Head: l.Hash()}
}

// MsgID is the identity of the link on the hub: chain, colon, sequence. It is
// the primary key by which consoles drop doubles.
func (l Link) MsgID() string { return fmt.Sprintf("%s:%d", l.Header.Chain, l.Header.Sequence) }

// Envelope reads the payload.
func (l Link) Envelope() (event.Envelope, error) { return event.ParseEnvelope(l.Payload) }

// Verify says whether the gate that owns the key signed this link with this
// payload and this origin. A link without payload passes on its header. The
// error is ErrKey, ErrSignature, ErrDigest or ErrOrigin.
func (l Link) Verify(gate trust.Public) error {
	if l.Header.Key != gate.ID() {
		return fmt.Errorf("%w: %s, expected %s", ErrKey, l.Header.Key, gate.ID())
	}
	if !gate.Verify(l.HeaderBytes, l.Signature) {
		return ErrSignature
	}
	if l.Payload != nil && event.Digest(l.Payload) != l.Header.Digest {
		return ErrDigest
	}
	if l.Header.Origin == "" && l.Origin != nil {
		return fmt.Errorf("%w: the header knows of no origin", ErrOrigin)
	}
	if l.Header.Origin != "" && event.Digest(l.Origin) != l.Header.Origin {
		return fmt.Errorf("%w: the header has another", ErrOrigin)
	}
	return nil
}

// VerifyOrigin says whether the agency that owns the key said this payload. It
// is for links that have an Origin; without the payload it can only compare
// digests, which Verify's signature covers.
func (l Link) VerifyOrigin(agency trust.Public) error {
	o, err := ParseOrigin(l.Origin)
	if err != nil {
		return err
	}
	if o.Digest != l.Header.Digest {
		return fmt.Errorf("%w: it is about another payload", ErrOrigin)
	}
	if l.Payload == nil {
		return nil
	}
	return o.Verify(l.Payload, agency)
}

func decode(h nats.Header, name string) ([]byte, error) {
	b, err := base64.StdEncoding.Strict().DecodeString(h.Get(name))
	if err != nil || len(b) == 0 {
		return nil, fmt.Errorf("%w: no usable %s", ErrHeader, name)
	}
	return b, nil
}
