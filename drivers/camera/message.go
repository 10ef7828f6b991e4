package camera

import (
	"time"

	"gatehouse/internal/event"
)

// message is one MQTT message as it was received.
type message struct {
	topic    string
	payload  []byte
	digest   string
	at       time.Time // when it had arrived
	dup      bool      // the broker says that it may have delivered it before
	delivery delivery
	ack      func() // tells the broker that the message is stored
	drop     func() // lets the message go without telling
}

// delivery identifies a delivery to the broker: packet ids are re-used, and
// are the connection's own.
type delivery struct {
	session int
	packet  uint16
}

// output is a reading and the messages that it accounts for.
type output struct {
	reading event.Reading
	image   *message   // its payload is to be stored as the capture's image
	from    []*message // acknowledged when the reading is stored, in this order
}

// form makes readings of messages; it is used by one goroutine.
type form interface {
	// filters are the topics to subscribe to.
	filters() []string
	// take is what a message leads to; none when it waits for another.
	take(m *message) []output
	// expire gives up waiting; the next time something will is 0 for never.
	expire(now time.Time) (out []output, next time.Time)
	// forget drops what waits: the broker will deliver it again.
	forget()
}

// base is a reading of the message with nothing in it yet.
func (m *message) base() event.Reading {
	r := event.Reading{
		Class: event.Active, ReceivedAt: m.at, Quality: event.Good, Frames: []string{m.digest},
	}
	if len(m.payload) <= maxRaw {
		r.Raw = m.payload
	}
	return r
}

// maxRaw is the longest frame that a reading carries itself.
const maxRaw = 4096

// invalid is the trace of a message that is of no use.
func (m *message) invalid(note string) output {
	r := m.base()
	r.Kind, r.Quality, r.Note = event.FrameInvalid, event.Bad, m.topic+": "+note
	return output{reading: r, from: []*message{m}}
}

// worsen lowers a reading's quality and adds why.
func worsen(r *event.Reading, q event.Quality, note string) {
	if r.Quality != event.Bad {
		r.Quality = q
	}
	if r.Note != "" {
		r.Note += "; "
	}
	r.Note += note
}

// recent remembers a bounded number of things by name, the newest ones.
type recent[T any] struct {
	limit int
	order []string
	items map[string]T
}

func newRecent[T any](limit int) *recent[T] {
	return &recent[T]{limit: limit, items: map[string]T{}}
}

func (r *recent[T]) get(name string) (T, bool) {
	v, ok := r.items[name]
	return v, ok
}

func (r *recent[T]) put(name string, v T) {
	if _, known := r.items[name]; !known {
		r.order = append(r.order, name)
	}
	r.items[name] = v
	if len(r.order) > r.limit {
		delete(r.items, r.order[0])
		r.order = r.order[1:]
	}
}
