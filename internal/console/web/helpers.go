package web

import (
	"slices"
	"strings"
	"time"

	"gatehouse/internal/console/store"
	"gatehouse/internal/event"
)

// earlier lists an agency's verdicts before the one that counts, newest first.
func earlier(all []store.Verdict, last *store.Verdict) []store.Verdict {
	var list []store.Verdict
	for _, v := range slices.Backward(all) {
		if v.Agency == last.Agency && v.ID != last.ID {
			list = append(list, v)
		}
	}
	return list
}

// receivedAt is when an agency had stored a record; zero when it has not said
// so.
func receivedAt(list []store.Reach, a event.Agency) time.Time {
	for _, r := range list {
		if r.Agency == a {
			return r.At
		}
	}
	return time.Time{}
}

// scanTitle adds what is known of a scan beside its image.
func scanTitle(p Page, sc scanView) string {
	text := ""
	if sc.Cargo != nil {
		text += " · " + p.Code("cargo", sc.Cargo.State)
	}
	if sc.Score > 0 {
		text += " · " + Score(sc.Score)
	}
	return text
}

// deviceTitle says what the chip of a device has no room for.
func deviceTitle(p Page, d deviceView) string {
	parts := []string{p.T("device.since") + " " + p.Full(d.Since)}
	if d.Since.IsZero() {
		parts = nil
	}
	if !d.Device.Heard.IsZero() {
		parts = append(parts, p.T("device.heard")+" "+p.Full(d.Device.Heard))
	}
	if why := d.why(p); why != "" {
		parts = append(parts, why)
	}
	if try := p.Of(d.Try); try != "" {
		parts = append(parts, try)
	}
	return strings.Join(parts, " · ")
}

// why is the reason of a device's state in the reader's language; empty while it
// is up.
func (d deviceView) why(p Page) string {
	if d.State == event.Up || d.State == "" {
		return ""
	}
	return p.Reason(d.Reason, d.Words)
}

// worst is the class of a passage's worst alert.
func worst(alerts []store.Alert) string {
	if len(alerts) == 0 {
		return ""
	}
	return "sev-" + string(alerts[0].Severity)
}

// instructions are what the alerts ask for, each once.
func instructions(p Page, alerts []store.Alert) []string {
	var list []string
	for _, a := range alerts {
		if text := p.Of(a.Instruction); text != "" && !slices.Contains(list, text) {
			list = append(list, text)
		}
	}
	return list
}

// label is where the label of a mark goes, in pixels of the image: above the
// mark where there is room, below otherwise, and towards the middle.
func (v imageView) label(k mark) (x, y int, anchor string) {
	size := v.labelSize()
	x, y, anchor = k.X, k.Y-size/3, "start"
	if y < size {
		y = k.Y + k.H + size
	}
	if k.X > v.W*2/3 {
		x, anchor = k.X+k.W, "end"
	}
	return x, y, anchor
}

// labelSize is how tall labels are drawn, in pixels of the picture: as it is
// shown in a passage's column it can then be read.
func (v imageView) labelSize() int { return max(v.H/15, v.W/34, 1) }

// readingGroup is a run of readings of one device that differ in time alone.
type readingGroup struct {
	Device   string
	Kind     event.ReadingKind
	Quality  event.Quality
	From, To time.Time
	Count    int
	Frames   []string
}

// groupReadings joins neighbours of one device, kind and quality: an occupancy
// has hundreds of samples.
func groupReadings(list []event.ReadingRef) []readingGroup {
	var groups []readingGroup
	for _, r := range list {
		n := len(groups)
		if n == 0 || groups[n-1].Device != r.Device || groups[n-1].Kind != r.Kind || groups[n-1].Quality != r.Quality {
			groups = append(groups, readingGroup{Device: r.Device, Kind: r.Kind, Quality: r.Quality, From: r.ReceivedAt})
			n++
		}
		g := &groups[n-1]
		g.To, g.Count, g.Frames = r.ReceivedAt, g.Count+1, append(g.Frames, r.Frames...)
	}
	return groups
}
