package passage

import (
	"cmp"
	"slices"
	"time"

	"gatehouse/internal/event"
	"gatehouse/internal/risk"
)

// Role is what a device does for a lane.
type Role string

// Roles of devices. A radiation portal monitor that also tells when something
// stands in it has the role of presence and Radiation set.
const (
	RolePresence Role = "presence"
	RoleCamera   Role = "camera"
	RoleScanner  Role = "scanner"
	RoleScale    Role = "scale"
	RoleDocument Role = "document"
	RoleBarcode  Role = "barcode"
	RoleBarrier  Role = "barrier"
	RoleOther    Role = "other"
)

// Position is where a device stands along the lane. Every role has one but
// presence.
type Position string

const (
	// PositionBefore is the default of cameras and document readers: they see
	// what is about to enter the presence zone.
	PositionBefore Position = "before"
	// PositionDuring sees what stands in the presence zone. A scale there that
	// one vehicle comes down on more than once weighs its axles.
	PositionDuring Position = "during"
	// PositionAfter is the default of scanners, scales and barcode readers: they
	// see what has left the zone, or is leaving it. So does a camera on the rear.
	PositionAfter Position = "after"
)

// Device is what a lane knows of one instrument.
type Device struct {
	ID     string
	Driver string
	Role   Role
	// Required devices must have looked at every passage.
	Required bool
	// Radiation says that the device measures radiation: it has looked when it
	// measured without a break while the passage lasted.
	Radiation bool
	// View is what a camera sees; used where a capture does not say it.
	View string
	// Position is where the device stands; empty means the default of its role.
	// Devices of one position stand along the lane in the order of Lane.Devices.
	Position Position
	// Container says that vision looks for container numbers in a camera's
	// pictures, besides plates.
	Container bool
	// Scan is "cargo" or "baggage"; used where a scan does not say it.
	Scan string
	// Scanner is the name under which vision knows a scanner's calibration;
	// empty means the lane's id and the device's, as in 01-xray.
	Scanner string
	// Views is how many views a complete scan has; 0 means 1.
	Views int
	// Room is how many fit between a device before the presence zone and the zone.
	// 0 means one. What it has shown beyond that has come through unseen or turned
	// back, and is not taken for those who come after.
	Room int
	// Transit is the longest usual time from leaving the presence zone to the
	// begin of the scan or the weighing. A passage that left longer ago was seen
	// by nobody or turned away, and the next scan is not its own unless there is
	// no other. 0 means 20 s for a scanner, and Join.After for a scale or reader.
	Transit time.Duration
}

// Limits are what findings are concluded from.
type Limits struct {
	SpeedKMH float64 // 0 is not checked
	// A weight may differ from the declared one by WeightPercent of it or by
	// WeightKG, whichever is more.
	WeightPercent float64
	WeightKG      float64
	// AxlesPercent is how far a gross weight may differ from its axles' sum.
	AxlesPercent float64
}

// Join sets the time limits within which readings make one passage.
type Join struct {
	// Before is how long a capture waits for the presence that it announces.
	Before time.Duration
	// After is how long after presence ended readings are waited for.
	After time.Duration
	// MissingEnd is how long the presence device may say nothing during an
	// occupancy before the passage is taken as having left.
	MissingEnd time.Duration
	// TailGate is the time between an end and the next begin below which the
	// two are tail-gating.
	TailGate time.Duration
	// Resume is how long a break of the presence device or the daemon may last
	// for presence after it to be the same vehicle.
	Resume time.Duration
	// Vision is how long a passage that lacks nothing else waits for vision
	// before it closes.
	Vision time.Duration
}

// Keep bounds what is remembered of closed passages.
type Keep struct {
	For     time.Duration // after closing
	Count   int           // of closed passages
	Pending int           // of closed passages that still wait for vision
}

// Lane is the static description of a lane. Zero values of the limits mean the
// defaults of DefaultJoin and DefaultKeep.
type Lane struct {
	Gate      string // customs office code
	ID        string // lane id within the gate
	Kind      event.PassageKind
	Direction event.Direction
	Flow      event.Flow
	Devices   []Device
	Join      Join
	Keep      Keep
	// Vision says that images are analysed at all. Without it every passage
	// with an image says that vision did not look.
	Vision bool
	// Expected says that passages are looked up in the place's lists of expected
	// vehicles.
	Expected bool
	Limits   Limits
	// Policy judges findings. It must not be nil.
	Policy *risk.Table
	// Status is the CAP status of alerts: "Actual" (default), "Exercise", "Test".
	Status string
}

// DefaultJoin suits a goods lane: a front camera some metres before a portal,
// a drive-through scanner up to half a minute after it.
func DefaultJoin() Join {
	return Join{
		Before: 10 * time.Second, After: 60 * time.Second, MissingEnd: 30 * time.Second,
		TailGate: time.Second, Resume: 10 * time.Second, Vision: 20 * time.Second,
	}
}

// DefaultKeep remembers ten minutes, and a day's images of a lane while vision
// is down.
func DefaultKeep() Keep { return Keep{For: 10 * time.Minute, Count: 32, Pending: 256} }

const defaultTransit = 20 * time.Second

// complete fills in the defaults and makes a copy that the caller cannot change.
func (l Lane) complete() Lane {
	j, k := DefaultJoin(), DefaultKeep()
	l.Join.Before = cmp.Or(l.Join.Before, j.Before)
	l.Join.After = cmp.Or(l.Join.After, j.After)
	l.Join.MissingEnd = cmp.Or(l.Join.MissingEnd, j.MissingEnd)
	l.Join.TailGate = cmp.Or(l.Join.TailGate, j.TailGate)
	l.Join.Resume = cmp.Or(l.Join.Resume, j.Resume)
	l.Join.Vision = cmp.Or(l.Join.Vision, j.Vision)
	l.Keep.For = cmp.Or(l.Keep.For, k.For)
	l.Keep.Count = cmp.Or(l.Keep.Count, k.Count)
	l.Keep.Pending = cmp.Or(l.Keep.Pending, k.Pending)
	l.Kind = cmp.Or(l.Kind, event.Vehicle)
	l.Direction = cmp.Or(l.Direction, event.DirectionUnknown)
	l.Flow = cmp.Or(l.Flow, event.Mixed)
	l.Status = cmp.Or(l.Status, "Actual")
	l.Devices = slices.Clone(l.Devices)
	for i := range l.Devices {
		d := &l.Devices[i]
		switch d.Role {
		case RoleScanner:
			d.Position, d.Transit = cmp.Or(d.Position, PositionAfter), cmp.Or(d.Transit, defaultTransit)
		case RoleScale, RoleBarcode, RoleBarrier:
			d.Position = cmp.Or(d.Position, PositionAfter)
		}
		d.Position = cmp.Or(d.Position, PositionBefore)
		d.Views, d.Room = max(d.Views, 1), max(d.Room, 1)
		d.Transit = cmp.Or(d.Transit, l.Join.After)
		d.Scanner = cmp.Or(d.Scanner, l.ID+"-"+d.ID) // device ids are only unique within a lane
	}
	return l
}

// device finds a device by id; a reading of an unknown one is only accounted for.
func (l *Lane) device(id string) (*Device, bool) {
	i := slices.IndexFunc(l.Devices, func(d Device) bool { return d.ID == id })
	if i < 0 {
		return nil, false
	}
	return &l.Devices[i], true
}

// order is where a device stands in the list, for devices of one position.
func (l *Lane) order(device string) int {
	return slices.IndexFunc(l.Devices, func(d Device) bool { return d.ID == device })
}

// twoWay says that the lane is passed in both directions.
func (l *Lane) twoWay() bool { return l.Direction == event.DirectionUnknown }

func (l *Lane) where(device string) event.Where {
	return event.Where{Gate: l.Gate, Lane: l.ID, Device: device}
}

func (l *Lane) source() string { return "/gate/" + l.Gate }

// subject names a device of the lane in events about it.
func (l *Lane) subject(device string) string { return l.Gate + "/" + l.ID + "/" + device }
