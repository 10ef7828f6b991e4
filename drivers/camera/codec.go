package camera

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"regexp"
	"time"

	"gatehouse/internal/event"
)

// ErrMessage is wrapped by every parse error.
var ErrMessage = errors.New("camera message cannot be read")

// identifier is what may stand in an event id: it becomes part of keys, and
// of a topic.
var identifier = regexp.MustCompile(`^[A-Za-z0-9._:-]{1,80}$`)

// Capture is the message about one capture in Gatehouse's own form.
type Capture struct {
	EventID   string          `json:"event_id"`
	Time      time.Time       `json:"time"`
	View      string          `json:"view"`
	Direction event.Direction `json:"direction,omitempty"`
	Image     *ImageRef       `json:"image,omitempty"` // nil when the camera sends none
	Final     bool            `json:"final"`           // the camera's track has ended
}

// ImageRef names the picture that belongs to a capture.
type ImageRef struct {
	SHA256    string `json:"sha256"`
	Bytes     int64  `json:"bytes"`
	MediaType string `json:"media_type"`
}

// ParseCapture reads a capture message. The error wraps ErrMessage.
func ParseCapture(payload []byte) (Capture, error) {
	var c Capture
	if err := json.Unmarshal(payload, &c); err != nil {
		return Capture{}, fmt.Errorf("%w: %w", ErrMessage, err)
	}
	switch {
	case !identifier.MatchString(c.EventID):
		return Capture{}, fmt.Errorf("%w: event_id %q", ErrMessage, c.EventID)
	case c.Time.IsZero():
		return Capture{}, fmt.Errorf("%w: no time", ErrMessage)
	case c.Direction != "" && c.Direction != event.Entry && c.Direction != event.Exit && c.Direction != event.DirectionUnknown:
		return Capture{}, fmt.Errorf("%w: direction %q", ErrMessage, c.Direction)
	}
	return c, nil
}

// State reads the payload of $state, or of Frigate's available topic.
func State(payload []byte) event.DeviceState {
	switch string(payload) {
	case "online", "ready":
		return event.Up
	case "offline", "disconnected", "lost", "stopped":
		return event.Down
	}
	return event.Degraded
}

// FrigateEvent is a message on Frigate's events topic.
type FrigateEvent struct {
	Type  string // new, update or end
	After FrigateObject
}

// FrigateObject is the tracked object of an event as far as it is used.
type FrigateObject struct {
	ID         string   `json:"id"`
	Camera     string   `json:"camera"`
	Label      string   `json:"label"`
	FrameTime  float64  `json:"frame_time"` // seconds since 1970
	StartTime  float64  `json:"start_time"`
	Score      float64  `json:"score"`
	Stationary bool     `json:"stationary"`
	Zones      []string `json:"current_zones"`
	Plate      string   `json:"recognized_license_plate"`
	PlateScore float64  `json:"recognized_license_plate_score"`
}

// ParseFrigateEvent reads a message of Frigate's events topic.
func ParseFrigateEvent(payload []byte) (FrigateEvent, error) {
	var m struct {
		Type  string          `json:"type"`
		After json.RawMessage `json:"after"`
	}
	if err := json.Unmarshal(payload, &m); err != nil {
		return FrigateEvent{}, fmt.Errorf("%w: %w", ErrMessage, err)
	}
	e := FrigateEvent{Type: m.Type}
	switch e.Type {
	case "new", "update", "end":
	default:
		return FrigateEvent{}, fmt.Errorf("%w: event type %q", ErrMessage, e.Type)
	}
	if err := json.Unmarshal(m.After, &e.After); err != nil {
		return FrigateEvent{}, fmt.Errorf("%w: after: %w", ErrMessage, err)
	}
	if !identifier.MatchString(e.After.ID) || e.After.Camera == "" {
		return FrigateEvent{}, fmt.Errorf("%w: id %q, camera %q", ErrMessage, e.After.ID, e.After.Camera)
	}
	return e, nil
}

// FrigatePlate is a plate that Frigate itself read.
type FrigatePlate struct {
	Type      string  `json:"type"` // lpr; other types are not plates
	ID        string  `json:"id"`
	Plate     string  `json:"plate"`
	Score     float64 `json:"score"`
	Camera    string  `json:"camera"`
	Timestamp float64 `json:"timestamp"` // seconds since 1970
}

// ParseFrigatePlate reads a message of Frigate's tracked_object_update topic.
func ParseFrigatePlate(payload []byte) (FrigatePlate, error) {
	var p FrigatePlate
	if err := json.Unmarshal(payload, &p); err != nil {
		return FrigatePlate{}, fmt.Errorf("%w: %w", ErrMessage, err)
	}
	if p.Type == "" || p.Type == "lpr" && !identifier.MatchString(p.ID) {
		return FrigatePlate{}, fmt.Errorf("%w: type %q, id %q", ErrMessage, p.Type, p.ID)
	}
	return p, nil
}

// Seconds is a time that Frigate gives in seconds since 1970; nil when it
// gives none that makes sense.
func Seconds(s float64) *time.Time {
	if !(s > 0 && s < 1e11) {
		return nil
	}
	whole, part := math.Modf(s)
	t := time.Unix(int64(whole), int64(part*1e9)).UTC()
	return &t
}
