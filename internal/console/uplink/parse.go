package uplink

import (
	"fmt"
	"strings"

	"github.com/nats-io/nats.go"

	"gatehouse/internal/console/store"
	"gatehouse/internal/event"
	"gatehouse/internal/share"
	"gatehouse/internal/trust"
)

// Keys are the public keys that messages are verified with, given out of band.
type Keys struct {
	// Gates are each gate's keys, the present one and earlier ones.
	Gates map[string][]trust.Public
	// Agencies are the agencies' keys. What an agency of which no key is given
	// says is believed on the gate's word.
	Agencies map[event.Agency][]trust.Public
}

// Read turns a message of the agency's inbox into an event for the store. A
// message that does not name its place on a chain is a stray. One that does,
// and is not what the named gate signed, has its Problem set.
func (k Keys) Read(subject string, h nats.Header, data []byte) (store.Event, *store.Stray) {
	if len(data) == 0 {
		data = nil // who may not have a payload gets the header alone
	}
	m, err := share.ParseMessage(h, data)
	if err == nil {
		err = fitsSubject(subject, m.Header)
	}
	if err != nil {
		return store.Event{}, &store.Stray{Subject: subject, Header: h, Data: data, Problem: err.Error()}
	}
	e := store.Event{
		Chain: m.Header.Chain, Sequence: m.Header.Sequence, Gate: gateOf(subject),
		Type: m.Header.Type, ID: m.Header.Event, At: m.Header.At, Previous: m.Header.Previous,
		Header: m.HeaderBytes, Signature: m.Signature, Origin: m.Origin, Payload: m.Payload,
		Late: m.Late,
	}
	if err := k.verify(e.Gate, m.Link); err != nil {
		e.Problem = err.Error()
	}
	return e, nil
}

// gateOf is the gate in inbox.<delivery>.<gate>. The hub lets only the account
// of the gates publish there.
func gateOf(subject string) string {
	tokens := strings.Split(subject, ".")
	return tokens[len(tokens)-1]
}

func fitsSubject(subject string, h share.Header) error {
	gate := gateOf(subject)
	if !strings.HasPrefix(h.Chain, gate+"-") {
		return fmt.Errorf("chain %q is not one of gate %s", h.Chain, gate)
	}
	return nil
}

func (k Keys) verify(gate string, l share.Link) error {
	key, ok := choose(k.Gates[gate], l.Header.Key)
	if !ok {
		return fmt.Errorf("signed with key %s, which is not a known key of gate %s: add it to the configuration if it is genuine", l.Header.Key, gate)
	}
	if err := l.Verify(key); err != nil {
		return err
	}
	if l.Origin == nil {
		return nil
	}
	o, err := share.ParseOrigin(l.Origin)
	if err != nil {
		return err
	}
	known := k.Agencies[o.Agency]
	if len(known) == 0 {
		return nil
	}
	own, ok := choose(known, o.Key)
	if !ok {
		return fmt.Errorf("said with key %s, which is not a known key of %s", o.Key, o.Agency)
	}
	return l.VerifyOrigin(own)
}

func choose(keys []trust.Public, id string) (trust.Public, bool) {
	for _, k := range keys {
		if k.ID() == id {
			return k, true
		}
	}
	return trust.Public{}, false
}
