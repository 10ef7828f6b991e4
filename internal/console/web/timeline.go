package web

import (
	"fmt"
	"time"

	"gatehouse/internal/event"
)

// The timeline's drawing area in its own units.
const (
	timelineWidth  = 300.0
	timelineHeight = 12.0
)

// timeline is one device's part in a passage over time: when it was read, and
// since when it could not look.
type timeline struct {
	event.Coverage
	Ticks []string // x of each reading
	// Blind is from where on it could not look; Width is 0 when it could.
	Blind, Width float64
}

// timelines are those of the devices that the lane requires, over the span of
// the passage.
func timelines(x *event.Passage) (list []timeline, from, to time.Time) {
	from, to = span(x)
	at := func(t time.Time) float64 {
		return max(0, min(1, t.Sub(from).Seconds()/max(0.001, to.Sub(from).Seconds()))) * timelineWidth
	}
	for _, c := range x.Coverage {
		line := timeline{Coverage: c}
		last := -10.0
		for _, r := range x.Readings {
			if r.Device != c.Device {
				continue
			}
			if pos := at(r.ReceivedAt); pos-last >= 2 {
				line.Ticks, last = append(line.Ticks, fmt.Sprintf("%.1f", pos)), pos
			}
		}
		if c.State != event.Up && c.State != "" {
			if c.From != nil {
				line.Blind = at(*c.From)
			}
			line.Width = max(3, timelineWidth-line.Blind)
			line.Blind = min(line.Blind, timelineWidth-line.Width)
		}
		list = append(list, line)
	}
	return list, from, to
}

// span is from the first to the last moment that belongs to a passage.
func span(x *event.Passage) (from, to time.Time) {
	from, to = x.OpenedAt, x.OpenedAt.Add(time.Second)
	stretch := func(t time.Time) {
		if t.IsZero() {
			return
		}
		if t.Before(from) {
			from = t
		}
		if t.After(to) {
			to = t
		}
	}
	for _, r := range x.Readings {
		stretch(r.ReceivedAt)
	}
	if x.LeftAt != nil {
		stretch(*x.LeftAt)
	}
	if len(x.Readings) == 0 && x.ClosedAt != nil {
		stretch(*x.ClosedAt)
	}
	return from, to
}
