package uplink

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync"

	"github.com/nats-io/nats.go"

	"gatehouse/internal/console/store"
	"gatehouse/internal/event"
	"gatehouse/internal/share"
	"gatehouse/internal/trust"
)

// keyring is the keys by which events are believed: those that were given out of
// band, and those that gates have announced since, each signed by the key before.
type keyring struct {
	mu         sync.Mutex
	keys       Keys
	ended      map[string]uint64 // chain and key id to the sequence of its last link
	generation int               // grows with every key that is learnt
}

func newKeyring(given Keys) *keyring {
	if given.Gates = maps.Clone(given.Gates); given.Gates == nil {
		given.Gates = map[string][]trust.Public{}
	}
	return &keyring{keys: given, ended: map[string]uint64{}}
}

func (k *keyring) now() (Keys, int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	keys := k.keys
	keys.Gates = maps.Clone(keys.Gates)
	return keys, k.generation
}

// read is Keys.Read with what was learnt. A change of a gate's key is learnt at
// once, so that what comes after it is believed.
func (k *keyring) read(subject string, h nats.Header, data []byte) (store.Event, *store.Stray) {
	keys, _ := k.now()
	e, stray := keys.Read(subject, h, data)
	if stray == nil && e.Problem == "" {
		e.Problem = k.check(e)
	}
	return e, stray
}

// check refuses what a key signed that was given up, and learns a new one. It
// returns what is wrong.
func (k *keyring) check(e store.Event) string {
	l, err := share.ParseLink(e.Header, e.Signature, e.Origin, e.Payload)
	if err != nil {
		return err.Error()
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if last, ended := k.ended[e.Chain+" "+l.Header.Key]; ended && e.Sequence > last {
		return fmt.Sprintf("signed with key %s, which gate %s gave up at event %d", l.Header.Key, e.Gate, last)
	}
	if e.Type != event.TypeKeyChange || e.Payload == nil {
		return ""
	}
	next, err := l.KeyChange()
	if err != nil {
		return err.Error()
	}
	k.ended[e.Chain+" "+l.Header.Key] = e.Sequence
	if _, known := choose(k.keys.Gates[e.Gate], next.ID()); !known {
		k.keys.Gates[e.Gate] = append(slices.Clip(k.keys.Gates[e.Gate]), next)
		k.generation++
	}
	return ""
}

// Import stores the links of a gate's export, each checked as if it came from the hub.
// It stops at the first that is not to be believed, and tells how many were new.
func Import(ctx context.Context, s *store.Store, keys Keys, gate string, links iter.Seq2[share.Link, error]) (int, error) {
	ring := newKeyring(keys)
	if err := ring.remember(ctx, s); err != nil {
		return 0, err
	}
	fresh := 0
	var b store.Batch
	commit := func() error {
		r, err := s.Commit(ctx, b)
		fresh, b.Events = fresh+r.Stored, nil
		return err
	}
	for l, err := range links {
		if err != nil {
			return fresh, err
		}
		subject := "inbox." + string(l.Header.Delivery) + "." + gate
		e, stray := ring.read(subject, l.NATSHeader(), l.Payload)
		switch {
		case stray != nil:
			return fresh, fmt.Errorf("event %s: %s", l.MsgID(), stray.Problem)
		case e.Problem != "":
			return fresh, fmt.Errorf("event %s: %s", l.MsgID(), e.Problem)
		}
		e.Late = true // an alarm out of an export is an old one
		if b.Events = append(b.Events, e); len(b.Events) == batchSize {
			if err := commit(); err != nil {
				return fresh, err
			}
		}
	}
	return fresh, commit()
}

// remember learns the keys that stored events have announced.
func (k *keyring) remember(ctx context.Context, s *store.Store) error {
	changes, err := s.KeyChanges(ctx)
	if err != nil {
		return err
	}
	for _, e := range changes {
		_ = k.check(e) // it was believed when it was stored
	}
	return nil
}

// again is how many distrusted events are looked at at once.
const again = 200

// reconsider takes up events that were not believed because their key was not known
// yet: alerts pass records, so what a new key signed may come before the word of it.
func (u *Uplink) reconsider(ctx context.Context, gate string) error {
	chain, sequence := "", uint64(0)
	for {
		list, err := u.opt.Store.Distrusted(ctx, gate, chain, sequence, again)
		if err != nil || len(list) == 0 {
			return err
		}
		chain, sequence = list[len(list)-1].Chain, list[len(list)-1].Sequence
		var b store.Batch
		keys, _ := u.keys.now()
		for _, e := range list {
			l, err := share.ParseLink(e.Header, e.Signature, e.Origin, e.Payload)
			if err == nil {
				err = keys.verify(gate, l)
			}
			if err != nil {
				continue
			}
			if e.Problem = u.keys.check(e); e.Problem == "" {
				b.Events = append(b.Events, e)
			}
		}
		if err := u.store(ctx, b); err != nil {
			return err
		}
	}
}
