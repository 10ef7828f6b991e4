package share

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"gatehouse/internal/event"
)

// cursorBucket holds how far each agency is, beside the chain.
const cursorBucket = "handover"

// cursor is how far one class has been handed to one agency.
type cursor struct {
	Position uint64 `json:"position"` // in the gate's stream
	// Inbox is the last sequence that the agency's stream acknowledged. A lower
	// one later means that it is another stream.
	Inbox uint64 `json:"inbox"`
}

// received is how far an agency says that it has stored.
type received struct {
	Head
	Position uint64    `json:"position"` // in the gate's stream; 0 when the chain is not there
	At       time.Time `json:"at"`
}

type cursors struct{ kv jetstream.KeyValue }

func openCursors(ctx context.Context, js jetstream.JetStream) (cursors, error) {
	kv, err := js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{
		Bucket: cursorBucket, Description: "How far each agency is on the shared record",
		Storage: jetstream.FileStorage, History: 1, MaxBytes: 16 << 20,
	})
	if err != nil {
		return cursors{}, fmt.Errorf("open hand-over cursors: %w", err)
	}
	return cursors{kv}, nil
}

func cursorKey(a event.Agency, class event.Delivery) string { return string(a) + "." + string(class) }

func receivedKey(a event.Agency) string { return string(a) + ".received" }

// load reads a value; what was never saved stays as it is.
func (c cursors) load(ctx context.Context, key string, value any) error {
	entry, err := c.kv.Get(ctx, key)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read cursor %s: %w", key, err)
	}
	if err := json.Unmarshal(entry.Value(), value); err != nil {
		return fmt.Errorf("read cursor %s: %w", key, err)
	}
	return nil
}

func (c cursors) save(ctx context.Context, key string, value any) error {
	b, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("save cursor %s: %w", key, err)
	}
	if _, err := c.kv.Put(ctx, key, b); err != nil {
		return fmt.Errorf("save cursor %s: %w", key, err)
	}
	return nil
}
