package camera

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"gatehouse/internal/event"
)

// rememberedEvents is how many events are kept in mind for a message or a
// picture that comes late.
const rememberedEvents = 512

// rememberedPictures is how many pictures of one event are kept in mind.
const rememberedPictures = 64

// ownForm is Gatehouse's own form: <topic>/capture, <topic>/image/<event id>
// and <topic>/$state. A camera may send several pictures of one event, each with
// a message of its own; their digests tell which belongs to which, as a broker
// keeps the order within a topic but not between the two. What matches nothing
// waits, for its other half may still come.
type ownForm struct {
	config  Config
	status  *status
	waiting map[string]*burst // by event id
	known   *recent[*emitted]
}

// burst is what has come of an event and lacks its other half, in the order of
// arrival.
type burst struct {
	captures []*half
	images   []*half
}

// half is a message without its picture, or a picture without its message.
type half struct {
	*message
	parsed   Capture // of a message
	deadline time.Time
}

// pair is a message and the picture that is taken for its own.
type pair struct {
	capture *half
	image   *message
}

// emitted is what was already made of an event.
type emitted struct {
	final  string // digest of the final message; "" when none came yet
	images *recent[event.Evidence]
}

func newOwnForm(c Config, s *status) *ownForm {
	return &ownForm{config: c, status: s, waiting: map[string]*burst{}, known: newRecent[*emitted](rememberedEvents)}
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

// of is what waits of an event.
func (f *ownForm) of(id string) *burst {
	b := f.waiting[id]
	if b == nil {
		b = &burst{}
		f.waiting[id] = b
	}
	return b
}

// tidy forgets an event of which nothing waits.
func (f *ownForm) tidy(id string) {
	if b := f.waiting[id]; b != nil && len(b.captures)+len(b.images) == 0 {
		delete(f.waiting, id)
	}
}

func (f *ownForm) until() time.Time { return time.Now().Add(f.config.ImageWait) }

// names says whether a message names this picture.
func (c Capture) names(digest string) bool {
	return c.Image != nil && strings.EqualFold(c.Image.SHA256, digest)
}

func (f *ownForm) capture(m *message) []output {
	c, err := ParseCapture(m.payload)
	if err != nil {
		return []output{m.invalid(err.Error())}
	}
	b := f.of(c.EventID)
	defer f.tidy(c.EventID)
	own := &half{message: m, parsed: c, deadline: f.until()}
	i := slices.IndexFunc(b.images, func(h *half) bool { return c.names(h.digest) })
	if i < 0 && len(b.images) > 0 && c.Image == nil {
		i = 0 // a message that names none comes with one nevertheless
	}
	if i >= 0 {
		image := b.images[i].message
		b.images = slices.Delete(b.images, i, i+1)
		return []output{f.whole(pair{own, image})}
	}
	if c.Image == nil {
		return []output{f.partial(m, c, "the camera sent no picture")}
	}
	if k, ok := f.known.get(c.EventID); ok {
		if image, ok := k.images.get(strings.ToLower(c.Image.SHA256)); ok {
			o := f.partial(m, c, "the picture came long before")
			o.reading.Capture.Image = &image
			return []output{o}
		}
	}
	if slices.ContainsFunc(b.captures, func(h *half) bool { return h.parsed.names(c.Image.SHA256) }) {
		return []output{f.partial(m, c, "the picture came with another message of this event")}
	}
	b.captures = append(b.captures, own)
	return nil
}

func (f *ownForm) image(m *message, id string) []output {
	b := f.of(id)
	defer f.tidy(id)
	i := slices.IndexFunc(b.captures, func(h *half) bool { return h.parsed.names(m.digest) })
	if i >= 0 {
		capture := b.captures[i]
		b.captures = slices.Delete(b.captures, i, i+1)
		return []output{f.whole(pair{capture, m})}
	}
	if k, ok := f.known.get(id); ok && k.final != "" && len(b.captures) == 0 {
		return []output{f.lone(m, id, "the picture came late")}
	}
	b.images = append(b.images, &half{message: m, deadline: f.until()})
	return nil
}

// expire gives up waiting. A message and a picture of one event that both waited
// in vain are put together, and said not to match.
func (f *ownForm) expire(now time.Time) (out []output, next time.Time) {
	over := func(h *half) bool {
		if now.Before(h.deadline) {
			if next.IsZero() || h.deadline.Before(next) {
				next = h.deadline
			}
			return false
		}
		return true
	}
	for _, id := range slices.Sorted(maps.Keys(f.waiting)) {
		b := f.waiting[id]
		b.captures = slices.DeleteFunc(b.captures, func(h *half) bool {
			switch {
			case !over(h):
				return false
			case len(b.images) > 0:
				out = append(out, f.whole(pair{h, b.images[0].message}))
				b.images = slices.Delete(b.images, 0, 1)
			default:
				out = append(out, f.partial(h.message, h.parsed, "the picture did not come"))
			}
			return true
		})
		b.images = slices.DeleteFunc(b.images, func(h *half) bool {
			if !over(h) || len(b.captures) > 0 {
				return false // what waits of the messages may be about it
			}
			out = append(out, f.lone(h.message, id, "no message about the picture came"))
			return true
		})
		f.tidy(id)
	}
	return out, next
}

// whole is the capture with its picture.
func (f *ownForm) whole(p pair) output {
	o := f.partial(p.capture.message, p.capture.parsed, "")
	o.image = p.image
	// The picture is acknowledged first: a message that is delivered again
	// without it is known by its key, a picture without its message is not.
	o.from = []*message{p.image, p.capture.message}
	o.reading.Frames = []string{p.capture.digest, p.image.digest}
	if p.image.at.After(o.reading.ReceivedAt) {
		o.reading.ReceivedAt = p.image.at
	}
	switch ref := p.capture.parsed.Image; {
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
	if k := f.remember(c.EventID); c.Final && k.final == "" {
		k.final = m.digest
	}
	return output{reading: r, from: []*message{m}}
}

// key names the capture. An event has one final message; each of the others
// is told by its content.
func (f *ownForm) key(m *message, c Capture) string {
	k, ok := f.known.get(c.EventID)
	if c.Final && (!ok || k.final == "" || k.final == m.digest) {
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
	if _, same := k.images.get(m.digest); !same && len(k.images.items) > 0 {
		r.Key += "/" + m.digest[:16]
	}
	return output{reading: r, image: m, from: []*message{m}}
}

// stored notes the evidence of an event's picture.
func (f *ownForm) stored(id string, image event.Evidence) {
	f.remember(id).images.put(image.SHA256, image)
}

func (f *ownForm) remember(id string) *emitted {
	k, ok := f.known.get(id)
	if !ok {
		k = &emitted{images: newRecent[event.Evidence](rememberedPictures)}
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
