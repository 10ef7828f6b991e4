package camera

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"gatehouse/internal/event"
)

// frigateForm is Frigate's form. A snapshot names no event, so it goes to the
// object of its camera and label that was last heard of.
type frigateForm struct {
	config Config
	status *status
	last   map[string]string // camera/label to event id
}

func newFrigateForm(c Config, s *status) *frigateForm {
	return &frigateForm{config: c, status: s, last: map[string]string{}}
}

func (f *frigateForm) filters() []string {
	p := f.config.Topic
	out := []string{p + "/events", p + "/tracked_object_update", p + "/available"}
	for camera := range f.config.Cameras {
		for _, label := range f.config.Labels {
			out = append(out, p+"/"+camera+"/"+label+"/snapshot")
		}
	}
	slices.Sort(out)
	return out
}

func (f *frigateForm) forget() {}

func (f *frigateForm) expire(time.Time) ([]output, time.Time) { return nil, time.Time{} }

func (f *frigateForm) take(m *message) []output {
	rest, _ := strings.CutPrefix(m.topic, f.config.Topic+"/")
	switch rest {
	case "available":
		return []output{f.status.report(m)}
	case "events":
		return f.event(m)
	case "tracked_object_update":
		return f.plate(m)
	}
	parts := strings.Split(rest, "/")
	if len(parts) != 3 || parts[2] != "snapshot" {
		return []output{m.invalid("unknown topic")}
	}
	return append(f.status.alive(m.at), f.snapshot(m, parts[0], parts[1]))
}

// event takes a message about a tracked object. Frigate has one topic for all
// of its cameras: what another camera saw is not this device's and is let go.
func (f *frigateForm) event(m *message) []output {
	e, err := ParseFrigateEvent(m.payload)
	if err != nil {
		return []output{m.invalid(err.Error())}
	}
	o := e.After
	if _, ours := f.config.Cameras[o.Camera]; !ours || !slices.Contains(f.config.Labels, o.Label) {
		return []output{{from: []*message{m}}}
	}
	place := o.Camera + "/" + o.Label
	f.last[place] = o.ID
	r := m.base()
	r.Kind, r.DeviceTime = event.CameraCapture, Seconds(o.FrameTime)
	r.Key = o.ID + "/" + e.Type
	if e.Type == "update" {
		r.Class = event.Idle
		r.Key += "/" + m.digest[:16]
	}
	r.Capture = &event.Capture{
		EventID: o.ID, View: o.Camera, PlateHint: o.Plate, HintScore: o.PlateScore, Final: e.Type == "end",
		Properties: map[string]string{
			"label": o.Label, "score": strconv.FormatFloat(o.Score, 'g', -1, 64),
			"stationary": strconv.FormatBool(o.Stationary), "zones": strings.Join(o.Zones, " "),
		},
	}
	setView(&r, f.config.Cameras)
	return append(f.status.alive(m.at), output{reading: r, from: []*message{m}})
}

// plate takes what Frigate itself read; it is a hint only.
func (f *frigateForm) plate(m *message) []output {
	p, err := ParseFrigatePlate(m.payload)
	if err != nil {
		return []output{m.invalid(err.Error())}
	}
	if _, ours := f.config.Cameras[p.Camera]; !ours || p.Type != "lpr" {
		return []output{{from: []*message{m}}}
	}
	r := m.base()
	r.Kind, r.DeviceTime = event.CameraCapture, Seconds(p.Timestamp)
	r.Key = p.ID + "/lpr/" + m.digest[:16]
	r.Capture = &event.Capture{EventID: p.ID, View: p.Camera, PlateHint: p.Plate, HintScore: p.Score}
	setView(&r, f.config.Cameras)
	return []output{{reading: r, from: []*message{m}}}
}

func (f *frigateForm) snapshot(m *message, camera, label string) output {
	r := m.base()
	r.Kind, r.Raw = event.CameraCapture, nil
	id, known := f.last[camera+"/"+label]
	if !known {
		id = "snapshot-" + m.digest[:16]
		worsen(&r, event.Suspect, fmt.Sprintf("no event of a %s on %s came before the picture", label, camera))
	}
	r.Key = id + "/snapshot/" + m.digest[:16]
	r.Capture = &event.Capture{EventID: id, View: camera, Properties: map[string]string{"label": label}}
	setView(&r, f.config.Cameras)
	return output{reading: r, image: m, from: []*message{m}}
}
