package config

import (
	"fmt"
	"slices"
)

// lane checks one lane as a whole.
func (f *File) lane(i int, l Lane) Problems {
	at := fmt.Sprintf("lanes[%d]", i)
	ps := f.overrides(at, l)
	if f.Sound(at + ".join") {
		ps = append(ps, f.times(at, l)...)
	}
	if f.Sound(at + ".devices") { // a mistake there may be the cause
		ps = append(ps, f.boundaries(at, l)...)
		ps = append(ps, f.senses(at, l)...)
	}
	seen := map[string]bool{}
	for j, d := range l.Devices {
		if d.ID != "" && seen[d.ID] {
			ps = append(ps, f.At(devicePath(i, j)+".id", "", "device %s is there twice in lane %s", d.ID, l.ID))
		}
		seen[d.ID] = true
		if f.Sound(devicePath(i, j) + ".role") {
			ps = append(ps, f.device(devicePath(i, j), l, d)...)
		}
	}
	return ps
}

// joined are the roles whose readings belong to what stands in the lane.
func joined(role string) bool {
	return role != RolePresence && role != RoleBarrier && role != RoleOther
}

// boundaries wants a presence device where there is something to be joined.
func (f *File) boundaries(at string, l Lane) Problems {
	if slices.ContainsFunc(l.Devices, func(d Device) bool { return d.Role == RolePresence }) {
		return nil
	}
	if !slices.ContainsFunc(l.Devices, func(d Device) bool { return joined(d.Role) }) {
		return nil
	}
	return Problems{f.At(at+".devices", "set role: presence for the device that tells when something stands in the lane: a portal monitor, or a barrier with loops",
		"lane %s has no device with role presence, so nothing tells where one passage ends and the next begins", l.ID)}
}

// times checks the lane's time limits against each other.
func (f *File) times(at string, l Lane) Problems {
	var ps Problems
	j := l.Join
	if j.TailGate >= j.MissingEnd {
		ps = append(ps, f.At(at+".join.tail_gate", "tail_gate is usually about 1s", "tail_gate (%s) must be shorter than missing_end (%s)", Brief(j.TailGate), Brief(j.MissingEnd)))
	}
	if j.Resume > j.MissingEnd {
		ps = append(ps, f.At(at+".join.resume", "", "resume (%s) must not be longer than missing_end (%s): the vehicle counts as gone by then", Brief(j.Resume), Brief(j.MissingEnd)))
	}
	for k, d := range l.Devices {
		if path := fmt.Sprintf("%s.devices[%d].transit", at, k); d.Transit > j.After && f.Sound(path) {
			ps = append(ps, f.At(path, "make join.after of the lane longer",
				"a vehicle may take %s to device %s, and the lane waits only %s for readings (join.after)", Brief(d.Transit), d.ID, Brief(j.After)))
		}
	}
	return ps
}

// senses wants a sensor for what the lane asks for.
func (f *File) senses(at string, l Lane) Problems {
	var ps Problems
	has := func(match func(Device) bool) bool { return slices.ContainsFunc(l.Devices, match) }
	if l.Limits.SpeedKMH > 0 && !has(func(d Device) bool { return d.Driver == "rpm" }) {
		ps = append(ps, f.At(at+".limits.speed_kmh", "remove it, or add the portal monitor, which measures the speed", "lane %s limits the speed and has no device that measures it", l.ID))
	}
	scale := has(func(d Device) bool { return d.Role == RoleScale })
	for _, name := range []string{"weight_percent", "weight_kg", "axles_percent"} {
		if path := at + ".limits." + name; f.has(path) && !scale && len(l.Devices) > 0 && f.differs(l, name) {
			ps = append(ps, f.At(path, "remove it, or add the scale", "lane %s limits weights and has no device with role scale", l.ID))
			break
		}
	}
	if l.Expected && len(l.Devices) > 0 && !has(func(d Device) bool { return d.Role == RoleCamera || d.Role == RoleBarcode }) {
		ps = append(ps, f.At(at+".expected", "add a camera that reads plates, or a barcode reader", "lane %s looks vehicles up and has no device that tells which vehicle it is", l.ID))
	}
	return ps
}

// differs tells whether a weight limit is another than the default, which
// every copy of the reference has.
func (f *File) differs(l Lane, name string) bool {
	var usual Lane
	usual.defaults()
	switch name {
	case "weight_percent":
		return l.Limits.WeightPercent != usual.Limits.WeightPercent
	case "weight_kg":
		return l.Limits.WeightKG != usual.Limits.WeightKG
	}
	return l.Limits.AxlesPercent != usual.Limits.AxlesPercent
}

// overrides checks the lane's own rows of the finding policy; whether their
// codes exist is known to the policy.
func (f *File) overrides(at string, l Lane) Problems {
	var ps Problems
	seen := map[string]bool{}
	for i, o := range l.Policy {
		row := fmt.Sprintf("%s.policy[%d]", at, i)
		switch {
		case o.Code == "":
		case seen[o.Code]:
			ps = append(ps, f.At(row+".code", "", "finding %s has two rows in lane %s", o.Code, l.ID))
		case o.Severity == "" && o.Lead == "" && o.Alert == nil && o.Mode == "":
			ps = append(ps, f.At(row, "set severity, lead, alert or mode", "the row for %s changes nothing", o.Code))
		case o.Alert != nil && *o.Alert && (o.Mode == "advisory" || o.Mode == "shadow"):
			ps = append(ps, f.At(row+".alert", "only mode live makes alerts", "%s cannot be an alert in mode %s", o.Code, o.Mode))
		}
		seen[o.Code] = true
	}
	return ps
}

// device checks one device's fields against its role.
func (f *File) device(at string, l Lane, d Device) Problems {
	var ps Problems
	only := func(field, role string, set bool) {
		if set && d.Role != role {
			ps = append(ps, f.At(at+"."+field, "", "%s is for devices with role %s, and %s has role %s", field, role, d.ID, d.Role))
		}
	}
	only("view", RoleCamera, d.View != "")
	only("reads", RoleCamera, len(d.Reads) > 0)
	only("scan", RoleScanner, d.Scan != "")
	only("views", RoleScanner, d.Views != 0)
	if d.Transit != 0 && !joined(d.Role) {
		ps = append(ps, f.At(at+".transit", "", "transit is for what looks at vehicles behind the presence zone, and %s has role %s", d.ID, d.Role))
	}
	if before := d.Position == "before" || d.Position == "" && (d.Role == RoleCamera || d.Role == RoleDocument); d.Room != 0 && !before {
		ps = append(ps, f.At(at+".room", "remove it", "room is for what looks at those who come to the presence zone, and %s does not stand before it", d.ID))
	}
	if d.Position != "" && d.Role == RolePresence {
		ps = append(ps, f.At(at+".position", "remove it", "position says where a device stands from the presence zone, and %s is the presence zone", d.ID))
	}
	if kind := f.setting(at, "kind"); d.Role == RoleScanner && d.Scan != "" && kind.text != "" && kind.text != d.Scan {
		ps = append(ps, f.problemAt(kind.at, at+".settings.kind", "", "scan of device %s is %s, and its settings say kind %s", d.ID, d.Scan, kind.text))
	}
	if l.Kind == "person" && slices.Contains(d.Reads, "container") {
		ps = append(ps, f.At(at+".reads", "", "lane %s is for persons, who carry no container number", l.ID))
	}
	if d.Silence > 0 && d.Silence < minSilence {
		ps = append(ps, f.At(at+".silence", "", "silence is %s and must be at least %s, or 0s for the driver's own time", d.Silence, minSilence))
	}
	return ps
}
