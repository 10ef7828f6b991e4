package web

import (
	"slices"
	"strings"

	"gatehouse/internal/console/store"
	"gatehouse/internal/event"
)

// laneDensity is how tightly the cards are set, so that a dozen lanes are seen
// without scrolling.
func laneDensity(n int) string {
	switch {
	case n > 6:
		return "dense"
	case n > 3:
		return "middling"
	}
	return "roomy"
}

// laneState is the worst that a lane's card has to tell: "cold" when a device
// that is needed cannot look, "busy" when something is in the lane.
func laneState(c laneCard) string {
	state := ""
	if len(c.Current) > 0 {
		state = "busy"
	}
	for _, d := range c.Devices {
		if d.Silent || d.State == event.Down || d.State == event.Faulty {
			return strings.TrimSpace(state + " cold")
		}
	}
	return state
}

// deviceLabel is a device's name for people: by its own name where that is a
// known one, else by its kind and its name.
func deviceLabel(p Page, d store.Device) string {
	if _, ok := p.Words["devicename."+d.Device]; ok {
		return p.DeviceName(d.Device)
	}
	if base := strings.TrimRight(d.Device, "0123456789"); base != d.Device {
		if _, ok := p.Words["devicename."+base]; ok {
			return p.DeviceName(base) + " " + d.Device[len(base):]
		}
	}
	if _, ok := p.Words["devicename."+d.Driver]; ok {
		return p.DeviceName(d.Driver) + " " + d.Device
	}
	return d.Device
}

// barrierWords says what the arm and the lights show.
func barrierWords(p Page, b event.Barrier) string {
	parts := []string{p.Code("arm", b.Arm)}
	lit := false
	for _, l := range []string{"red", "amber", "green"} {
		if slices.Contains(b.Lights, l) {
			parts = append(parts, p.Code("light", l))
			lit = true
		}
	}
	if !lit {
		parts = append(parts, p.T("light.none"))
	}
	if b.EStop {
		parts = append(parts, p.T("barrier.estop"))
	}
	return strings.Join(parts, " · ")
}

// barrierTitle adds what the sign has no room for.
func barrierTitle(p Page, b event.Barrier) string {
	parts := []string{barrierWords(p, b)}
	for _, l := range b.Loops {
		parts = append(parts, p.T("barrier.loop")+" "+p.Code("loop", l))
	}
	if b.Photocell {
		parts = append(parts, p.T("barrier.photocell"))
	}
	if b.Manual {
		parts = append(parts, p.T("barrier.manual"))
	}
	for _, f := range b.Faults {
		parts = append(parts, p.Code("barrierfault", f))
	}
	if b.Watchdog == "none" {
		parts = append(parts, p.T("barrier.nowatchdog"))
	}
	return strings.Join(parts, " · ")
}
