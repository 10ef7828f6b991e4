package camera

import (
	"fmt"
	"strings"
	"time"

	"gatehouse/internal/event"
)

// rememberedEvents is how many events are kept in mind for a message or a
// picture that comes late.
const rememberedEvents = 512

// ownForm is Gatehouse's own form: <topic>/capture, <topic>/image/<event id>
// and <topic>/$state.
type ownForm struct {
	config  Config
	status  *status
	waiting map[string]*pair // by event id
	known   *recent[*emitted]
}

// pair is a capture of which one half has not come.
type pair struct {
	capture  *message
	parsed   Capture
	image    *message
	deadline time.Time
}

// emitted is what was already made of an event.
type emitted struct {
	capture string // digest of the message; "" when none came yet
	image   *event.Evidence
}

func newOwnForm(c Config, s *status) *ownForm {
	return &ownForm{config: c, status: s, waiting: map[string]*pair{}, known: newRecent[*emitted](rememberedEvents)}
}

func (f *ownForm) filters() []string {
	return []string{f.config.Topic + "/capture", f.config.Topic + "/image/+", f.config.Topic + "/$state"}
}

func (f *ownForm) forget() { clear(f.waiting) }

func (f *ownForm) take(m *message) []output {
	rest, ok := strings.CutPrefix(m.topic, f.config.Topic+"/")
	if !ok {
		return []output{m.invalid("not one of this camera's topics")}
	}
	if rest == "$state" {
		return []output{f.status.report(m)}
	}
	var out []output
	switch id, isImage := strings.CutPrefix(rest, "image/"); {
	case rest == "capture":
		out = f.capture(m)
	case isImage && identifier.MatchString(id):
		out = f.image(m, id)
	default:
		return []output{m.invalid("unknown topic")}
	}
	return append(f.status.alive(m.at), out...)
}

func (f *ownForm) capture(m *message) []output {
	c, err := ParseCapture(m.payload)
	if err != nil {
		return []output{m.invalid(err.Error())}
	}
	p := f.waiting[c.EventID]
	if p != nil && p.image != nil {
		delete(f.waiting, c.EventID)
		p.capture, p.parsed = m, c
		return []output{f.whole(p)}
	}
	if p != nil {
		// Another message about an event whose picture is still awaited.
		return []output{f.partial(m, c, "the picture came with another message of this event")}
	}
	if c.Image == nil {
		return []output{f.partial(m, c, "the camera sent no picture")}
	}
	if k, ok := f.known.get(c.EventID); ok && k.image != nil {
		o := f.partial(m, c, "the picture came long before")
		o.reading.Capture.Image = k.image
		return []output{o}
	}
	f.waiting[c.EventID] = &pair{capture: m, parsed: c, deadline: time.Now().Add(f.config.ImageWait)}
	return nil
}

func (f *ownForm) image(m *message, id string) []output {
	if p := f.waiting[id]; p != nil && p.image == nil {
		delete(f.waiting, id)
		p.image = m
		return []output{f.whole(p)}
	} else if p != nil {
		return []output{f.lone(m, id, "a second picture of the event")}
	}
	if k, ok := f.known.get(id); ok && k.capture != "" {
		return []output{f.lone(m, id, "the picture came late")}
	}
	f.waiting[id] = &pair{image: m, deadline: time.Now().Add(f.config.ImageWait)}
	return nil
}

func (f *ownForm) expire(now time.Time) (out []output, next time.Time) {
	for id, p := range f.waiting {
		switch {
		case now.Before(p.deadline):
			if next.IsZero() || p.deadline.Before(next) {
				next = p.deadline
			}
			continue
		case p.image == nil:
			out = append(out, f.partial(p.capture, p.parsed, "the picture did not come"))
		default:
			out = append(out, f.lone(p.image, id, "no message about the picture came"))
		}
		delete(f.waiting, id)
	}
	return out, next
}

// whole is the capture with its picture.
func (f *ownForm) whole(p *pair) output {
	o := f.partial(p.capture, p.parsed, "")
	o.image = p.image
	// The picture is acknowledged first: a message that is delivered again
	// without it is known by its key, a picture without its message is not.
	o.from = []*message{p.image, p.capture}
	o.reading.Frames = []string{p.capture.digest, p.image.digest}
	if p.image.at.After(o.reading.ReceivedAt) {
		o.reading.ReceivedAt = p.image.at
	}
	switch ref := p.parsed.Image; {
	case ref == nil:
		worsen(&o.reading, event.Suspect, "the message names no picture, but one came")
	case !strings.EqualFold(ref.SHA256, p.image.digest):
		worsen(&o.reading, event.Bad, "the picture's SHA-256 is not the one in the message")
	case ref.Bytes != int64(len(p.image.payload)):
		worsen(&o.reading, event.Suspect, fmt.Sprintf("the message says %d bytes, the picture has %d", ref.Bytes, len(p.image.payload)))
	case ref.MediaType != "":
		if media := pictureType(p.image.payload); media != unknownType && !strings.EqualFold(ref.MediaType, media) {
			worsen(&o.reading, event.Suspect, fmt.Sprintf("the message says %.40q, the picture is %s", ref.MediaType, media))
		}
	}
	return o
}

// partial is the capture without a picture.
func (f *ownForm) partial(m *message, c Capture, why string) output {
	r := m.base()
	at := c.Time
	r.Kind, r.DeviceTime, r.Key = event.CameraCapture, &at, f.key(m, c)
	r.Capture = &event.Capture{EventID: c.EventID, View: c.View, Direction: c.Direction, Final: c.Final}
	if why != "" {
		worsen(&r, event.Suspect, why)
	}
	setView(&r, f.config.Cameras)
	f.remember(c.EventID).capture = m.digest
	return output{reading: r, from: []*message{m}}
}

// key names the capture. An event has one final message; each of the others
// is told by its content.
func (f *ownForm) key(m *message, c Capture) string {
	k, ok := f.known.get(c.EventID)
	if c.Final && (!ok || k.capture == "" || k.capture == m.digest) {
		return c.EventID
	}
	return c.EventID + "/" + m.digest[:16]
}

// lone is a picture that has no message.
func (f *ownForm) lone(m *message, id, why string) output {
	r := m.base()
	r.Kind, r.Raw, r.Key = event.CameraCapture, nil, id+"/image"
	r.Capture = &event.Capture{EventID: id}
	worsen(&r, event.Suspect, why)
	k := f.remember(id)
	if k.image != nil && k.image.SHA256 != m.digest {
		r.Key += "/" + m.digest[:16]
	}
	return output{reading: r, image: m, from: []*message{m}}
}

// stored notes the evidence of an event's picture.
func (f *ownForm) stored(id string, image event.Evidence) { f.remember(id).image = &image }

func (f *ownForm) remember(id string) *emitted {
	k, ok := f.known.get(id)
	if !ok {
		k = &emitted{}
		f.known.put(id, k)
	}
	return k
}

// setView puts the configured view in place of the camera's word.
func setView(r *event.Reading, views map[string]string) {
	if v, ok := views[r.Capture.View]; ok {
		r.Capture.View = v
		return
	}
	switch r.Capture.View {
	case "front", "rear", "side", "overview":
	default:
		worsen(r, event.Suspect, fmt.Sprintf("view %.40q is not configured", r.Capture.View))
	}
}
