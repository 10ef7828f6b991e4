// Package lease keeps who controls a device that takes commands. Each has one
// control lease: one holder, an end, and a log of every hand-over that both
// agencies get. A command is journalled before it is given to the device and
// carried out once or never; what the device's own interlock says is final.
package lease

import (
	"time"

	"gatehouse/internal/event"
)

// Lease is who controls one device. It does no I/O and reads no clock: the
// times it is given are of one monotonic clock and do not go back. The zero
// value is nobody's.
type Lease struct {
	Holder event.Agency
	Since  time.Time // when the holder took it
	Until  time.Time // when it ends without being renewed
}

// Take gives the lease to who, or renews it for its holder. It fails with
// event.ControlHeld while another holds it and force is not set. The code is
// empty when it was done.
func (l *Lease) Take(who event.Agency, force bool, now time.Time) (code string) {
	l.Expire(now)
	if l.Holder != who {
		if l.Holder != "" && !force {
			return event.ControlHeld
		}
		l.Holder, l.Since = who, now
	}
	l.Until = now.Add(event.ControlLease)
	return ""
}

// Use renews the lease for a command of who. It fails with event.ControlHeld
// while another holds it, and with event.ControlNoLease while nobody does.
func (l *Lease) Use(who event.Agency, now time.Time) (code string) {
	if code := l.Allows(who, now); code != "" {
		return code
	}
	l.Until = now.Add(event.ControlLease)
	return ""
}

// Release ends the lease of who; it fails as Use does.
func (l *Lease) Release(who event.Agency, now time.Time) (code string) {
	if code := l.Allows(who, now); code != "" {
		return code
	}
	*l = Lease{}
	return ""
}

// Expire ends a lease whose time is over and says whose it was.
func (l *Lease) Expire(now time.Time) (was event.Agency, over bool) {
	if l.Holder == "" || now.Before(l.Until) {
		return "", false
	}
	was = l.Holder
	*l = Lease{}
	return was, true
}

// Allows says why who may not command now; empty when it may.
func (l *Lease) Allows(who event.Agency, now time.Time) (code string) {
	switch {
	case l.Holder == "" || !now.Before(l.Until):
		return event.ControlNoLease
	case l.Holder != who:
		return event.ControlHeld
	}
	return ""
}
