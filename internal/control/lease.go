package control

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"gatehouse/internal/event"
)

// maxCommand bounds what a client may send, in bytes.
const maxCommand = 4 << 10

// Lease is who controls a device. Times are UTC.
type Lease struct {
	event.Where
	State    event.DeviceState   `json:"state"`
	Commands []event.ControlVerb `json:"commands"`         // that may be given; none where the device takes no commands
	Holder   event.Agency        `json:"holder,omitempty"` // empty for nobody
	Since    time.Time           `json:"since,omitzero"`
	Until    time.Time           `json:"until,omitzero"`
}

func (h *handler) lease(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	l, err := h.gate.Lease(q.Get("lane"), q.Get("device"))
	if err != nil {
		h.fail(w, err)
		return
	}
	h.answer(w, http.StatusOK, l)
}

func (h *handler) command(w http.ResponseWriter, r *http.Request) {
	var c event.Command
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxCommand)).Decode(&c); err != nil {
		h.answer(w, http.StatusBadRequest, failure{fmt.Sprintf("read command: %v", err)})
		return
	}
	// A client that goes away does not stop what it has begun.
	done, err := h.gate.Command(context.WithoutCancel(r.Context()), c)
	if err != nil {
		h.fail(w, err)
		return
	}
	h.answer(w, http.StatusOK, done)
}

// Lease asks who controls a device.
func (c *Client) Lease(ctx context.Context, lane, device string) (l Lease, err error) {
	q := url.Values{"lane": {lane}, "device": {device}}
	return l, c.ask(ctx, http.MethodGet, "/control?"+q.Encode(), nil, &l)
}

// Command gives a command and returns what came of it, which may be a refusal.
func (c *Client) Command(ctx context.Context, asked event.Command) (done event.ControlChange, err error) {
	body, err := json.Marshal(asked)
	if err != nil {
		return done, fmt.Errorf("encode command: %w", err)
	}
	return done, c.ask(ctx, http.MethodPost, "/control", bytes.NewReader(body), &done)
}
