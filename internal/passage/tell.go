package passage

import (
	"cmp"
	"slices"
	"time"

	"gatehouse/internal/event"
)

// tellPause is the least time between two words on what a barrier shows, so
// that a limit switch that flickers does not fill the record. A change within
// it is told when it is over.
const tellPause = time.Second

// tellDevices shares what changed of the devices since it was shared last, and
// after a start all of them, so that consoles know each device of the lane. A
// device that was not heard since is told as being down.
func (e *Engine) tellDevices() {
	for i := range e.lane.Devices {
		d := &e.lane.Devices[i]
		ds := e.s.device(d.ID)
		c := ds.condition()
		code := c.Code
		if c.State == event.Up {
			code = "" // what it says of being well is no news
		}
		news := e.tellAll || !ds.Unheard && (c.State != ds.Told || code != ds.ToldCode)
		if !news && !e.showsAnew(ds) {
			continue
		}
		ds.Told, ds.ToldCode = c.State, code
		ds.ToldBarrier, ds.ToldAt, ds.TellAt = ds.Barrier, e.now, time.Time{}
		since := c.Since
		if since.IsZero() {
			since = e.now
		}
		change := event.DeviceChange{
			ID:    event.DeriveID(e.now, "device", "1", e.entry, event.ID(d.ID)),
			Where: e.lane.where(d.ID), Driver: d.Driver, State: c.State, Since: since,
			Reason: cmp.Or(code, c.Reason), Words: deviceWords(c, ds.Unheard), Code: code, Try: remedy(c.State),
			Barrier: ds.Barrier, Required: d.Required,
		}
		e.share(event.TypeDevice, change.ID, e.lane.subject(d.ID), e.now, change)
	}
}

// showsAnew says whether what a barrier shows is to be told now; if it is too
// soon, it sets when.
func (e *Engine) showsAnew(ds *deviceState) bool {
	if ds.Barrier == nil || ds.Unheard || sameSight(ds.Barrier, ds.ToldBarrier) {
		ds.TellAt = time.Time{}
		return false
	}
	if e.now.Sub(ds.ToldAt) < tellPause && !e.now.Before(ds.ToldAt) {
		ds.TellAt = ds.ToldAt.Add(tellPause)
		return false
	}
	return true
}

// sameSight says that people at the lane would see no difference. Loops and
// pulses change with every axle and are no sight.
func sameSight(a, b *event.Barrier) bool {
	return b != nil && a.Arm == b.Arm && slices.Equal(a.Lights, b.Lights) && a.EStop == b.EStop &&
		a.Manual == b.Manual && slices.Equal(a.Faults, b.Faults) && a.Watchdog == b.Watchdog
}

// configured puts the description of the lane in force that the runtime has
// prepared for this configuration. Passages go on; those that were open ask no
// more of a device than they did.
func (e *Engine) configured(digest string) {
	if digest != "" {
		e.s.Config = digest
	}
	if e.next == nil {
		return
	}
	e.lane, e.next = *e.next, nil
	e.meetDevices()
	e.tellAll = true
}

// Prepare makes lane the description in force from the next EntryConfig on.
func (e *Engine) Prepare(lane Lane) {
	next := lane.complete()
	e.next = &next
}

// Config is the digest of the configuration in force, as the journal tells it;
// empty before the first entry.
func (e *Engine) Config() string { return e.s.Config }
