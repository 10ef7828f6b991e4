package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"gatehouse/internal/console/store"
	"gatehouse/internal/event"
)

// ringSize is how many changes a page may have missed and still be told what
// they were; with more it renders everything anew.
const ringSize = 2048

// Live tells pages what has changed. Each page has a place of its own in a
// ring of topics, so that one that stands still holds nobody up.
type Live struct {
	boot string // makes places of another run unknown

	mu      sync.Mutex
	next    uint64 // number of the next change, from 1
	ring    [ringSize]string
	changed chan struct{} // closed and replaced with every change
}

// NewLive makes an empty one.
func NewLive(now time.Time) *Live {
	return &Live{boot: string(event.NewID(now)), next: 1, changed: make(chan struct{})}
}

// Notify adds changes. It does not block.
func (l *Live) Notify(changes []store.Change) {
	var topics []string
	for _, c := range changes {
		for _, t := range topicsOf(c) {
			if !slices.Contains(topics, t) {
				topics = append(topics, t)
			}
		}
	}
	if len(topics) == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, t := range topics {
		l.ring[l.next%ringSize] = t
		l.next++
	}
	close(l.changed)
	l.changed = make(chan struct{})
}

// topicsOf are the parts of pages that a change concerns.
func topicsOf(c store.Change) []string {
	switch c.Topic {
	case "passage", "verdict":
		return []string{"passage-" + c.Key, "alerts"}
	case "alert", "ack":
		return []string{"alerts", "passage-" + c.Key}
	case "correction":
		return []string{"corrections", "passage-" + c.Key}
	case "lane":
		return []string{"lane-" + strings.ReplaceAll(c.Key, "/", "-")}
	case "heard": // a frame log: ages alone have changed
		return []string{"heard", "status"}
	case "receipt":
		return []string{"receipts", "status"}
	case "evidence":
		return []string{"evidence", "status"}
	case "device", "gap":
		return []string{"devices", "status"}
	case "link":
		return []string{"link", "heard", "status"}
	}
	return []string{"status"}
}

// since gives the topics after a place, without doubles, the new place, and
// the channel that is closed with the next change. ok is false when the place
// is unknown.
func (l *Live) since(place uint64) (topics []string, now uint64, more <-chan struct{}, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	last := l.next - 1
	if place > last || last-place >= ringSize {
		return nil, last, l.changed, false
	}
	for n := place + 1; n <= last; n++ {
		if t := l.ring[n%ringSize]; !slices.Contains(topics, t) {
			topics = append(topics, t)
		}
	}
	return topics, last, l.changed, true
}

// Here is the present place. A page notes it before it reads the store, so
// that its stream begins there and nothing in between is missed.
func (l *Live) Here() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.id(l.next - 1)
}

func (l *Live) id(place uint64) string { return fmt.Sprintf("%s-%d", l.boot, place) }

// place reads an id that a page gives back.
func (l *Live) place(id string) (uint64, bool) {
	boot, n, ok := strings.Cut(id, "-")
	if !ok || boot != l.boot {
		return 0, false
	}
	place, err := strconv.ParseUint(n, 10, 64)
	return place, err == nil
}

const (
	// pulseEvery keeps the stream known to be alive.
	pulseEvery = 10 * time.Second
	// gather is how long changes are collected before a page is told, so that a
	// burst is one rendering.
	gather = 150 * time.Millisecond
)

// stream serves one page until it goes away.
func (l *Live) stream(w http.ResponseWriter, r *http.Request, now func() time.Time) {
	out := eventWriter{w: w, c: http.NewResponseController(w)}
	w.Header().Set("Content-Type", "text/event-stream")
	last := r.Header.Get("Last-Event-ID")
	if last == "" {
		last = r.URL.Query().Get("since")
	}
	place, known := l.place(last)
	topics, here, more, ok := l.since(place)
	switch {
	case last == "": // not one of our pages; it begins now
		out.send("pulse", l.id(here), now().UnixMilli())
	case !known || !ok:
		out.send("reset", l.id(here), nil)
	case len(topics) > 0:
		out.send("change", l.id(here), topics)
	default:
		out.send("pulse", l.id(here), now().UnixMilli())
	}
	pulse := time.NewTicker(pulseEvery)
	defer pulse.Stop()
	for out.err == nil {
		select {
		case <-r.Context().Done():
			return
		case <-pulse.C:
			out.send("pulse", "", now().UnixMilli())
			continue
		case <-more:
		}
		select {
		case <-r.Context().Done():
			return
		case <-time.After(gather):
		}
		place = here
		if topics, here, more, ok = l.since(place); ok {
			out.send("change", l.id(here), topics)
		} else {
			out.send("reset", l.id(here), nil)
		}
	}
}

// eventWriter writes server-sent events; the first error stays.
type eventWriter struct {
	w   http.ResponseWriter
	c   *http.ResponseController
	err error
}

func (o *eventWriter) send(name, id string, data any) {
	if o.err != nil {
		return
	}
	b, err := json.Marshal(data)
	if err != nil {
		o.err = err
		return
	}
	text := "event: " + name + "\n"
	if id != "" {
		text += "id: " + id + "\n"
	}
	// A page that does not read for this long is gone.
	if o.err = o.c.SetWriteDeadline(time.Now().Add(30 * time.Second)); o.err != nil {
		return
	}
	if _, o.err = o.w.Write([]byte(text + "data: " + string(b) + "\n\n")); o.err == nil {
		o.err = o.c.Flush()
	}
}
