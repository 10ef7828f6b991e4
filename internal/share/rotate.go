package share

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"gatehouse/internal/event"
	"gatehouse/internal/trust"
)

// ErrKeyChange says that a change of the gate's key was not signed by both keys.
var ErrKeyChange = errors.New("key change is not signed by both keys")

// KeyChange is the key with which the gate signs after this link. The link must have
// been verified with the key before; the error is ErrKeyChange when the new key has
// not signed too.
func (l Link) KeyChange() (trust.Public, error) {
	env, err := l.Envelope()
	if err != nil {
		return trust.Public{}, fmt.Errorf("%w: %w", ErrKeyChange, err)
	}
	var k event.KeyChange
	if err := json.Unmarshal(env.Data, &k); err != nil {
		return trust.Public{}, fmt.Errorf("%w: %w", ErrKeyChange, err)
	}
	next, err := trust.ParsePublic([]byte(k.Public))
	switch {
	case err != nil:
		return trust.Public{}, fmt.Errorf("%w: %w", ErrKeyChange, err)
	case k.ID != l.Header.Event || k.Old != l.Header.Key || k.New != next.ID() || k.Old == k.New:
		return trust.Public{}, fmt.Errorf("%w: it names other keys", ErrKeyChange)
	case !next.Verify(k.Statement(), k.Proof):
		return trust.Public{}, ErrKeyChange
	}
	return next, nil
}

// Rotate has the chain go on with another key. The change is chained, signed by
// both; then keep puts the new key's file in its place, and only then anything else
// is appended. When keep fails, the chain goes on with the new key all the same: it
// is on the record.
func (c *Chain) Rotate(ctx context.Context, next trust.Private, reason string, keep func() error) (Link, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	at := time.Now().UTC()
	k := event.KeyChange{
		ID: event.NewID(at), Gate: c.config.Gate, Old: c.config.Key.Public().ID(), New: next.Public().ID(),
		Public: string(next.Public().PEM()), Reason: reason, At: at,
	}
	k.Proof = next.Sign(k.Statement())
	env, err := event.Wrap("/gate/"+c.config.Gate, event.TypeKeyChange, k.ID, c.config.Gate, at, k)
	if err != nil {
		return Link{}, err
	}
	payload, err := env.Bytes()
	if err != nil {
		return Link{}, err
	}
	links := make([]Link, 1)
	if err := c.settle(ctx, []item{{id: k.ID, kind: event.TypeKeyChange, payload: payload}}, links); err != nil {
		if !errors.Is(err, ErrChainFull) && c.broken == nil {
			c.broken = fmt.Errorf("%w: it is in doubt whether the key has changed", ErrChainBroken)
		}
		return Link{}, fmt.Errorf("chain the key change: %w", err)
	}
	err = keep()
	c.config.Key = next
	return links[0], err
}

// LastLink reads the newest link of the gate's own stream; false when there is none.
func LastLink(ctx context.Context, js jetstream.JetStream) (Link, bool, error) {
	stream, err := js.Stream(ctx, ChainStream)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return Link{}, false, nil
	}
	if err != nil {
		return Link{}, false, fmt.Errorf("look for a shared record: %w", err)
	}
	state := stream.CachedInfo().State
	if state.Msgs == 0 {
		return Link{}, false, nil
	}
	c := Chain{stream: stream}
	e, err := c.get(ctx, state.LastSeq)
	return e.Link, err == nil, err
}
