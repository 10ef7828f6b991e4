package gate

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"gatehouse/internal/clock"
	"gatehouse/internal/config"
	"gatehouse/internal/driver"
	"gatehouse/internal/event"
	"gatehouse/internal/lane"
)

// maker makes the devices of a configuration.
type maker struct {
	kinds   []driver.Kind
	env     driver.Env
	journal lane.Journal
	clock   *clock.Clock
}

// make makes one device; it does no I/O. A device whose section is wrong is
// one that is faulty from the start and does nothing else.
func (m maker) make(f *config.File, i, j int, problems config.Problems) *device {
	l := f.Gate.Lanes[i]
	d := &device{lane: l.ID, section: l.Devices[j], fault: faultOf(problems, i, j)}
	where := event.Where{Gate: f.Gate.ID, Lane: l.ID, Device: d.section.ID}
	env := m.env
	env.Log = m.env.Log.With("lane", l.ID, "device", d.section.ID, "driver", d.section.Driver)
	cfg := lane.DeviceConfig{Where: where, Driver: d.section.Driver, Silence: d.section.Silence, Fault: d.fault}
	var drv driver.Driver
	if kind, ok := kindOf(m.kinds, d.section.Driver); ok && d.fault == "" {
		var err error
		if drv, d.settings, err = construct(f, i, j, kind, env); err != nil {
			d.fault = err.Error() // cannot be: the check has made it once already
			cfg.Fault = d.fault
		}
		if cfg.Silence == 0 {
			cfg.Silence = kind.Silence
		}
		d.commands = kind.Commands
	}
	d.Device = lane.NewDevice(cfg, drv, m.journal, m.clock, m.env.Log)
	return d
}

// lane makes the devices of a lane. One that has no id of its own is left out;
// the lane's others are faulty then and tell why.
func (m maker) lane(f *config.File, i int, problems config.Problems) []*device {
	var out []*device
	all := f.Gate.Lanes[i].Devices
	for j, d := range all {
		if d.ID != "" && !slices.ContainsFunc(all[:j], func(o config.Device) bool { return o.ID == d.ID }) {
			out = append(out, m.make(f, i, j, problems))
		}
	}
	return out
}

// sameSettings compares what two drivers of one kind have decoded.
func sameSettings(a, b any) bool { return reflect.DeepEqual(a, b) }

// faultOf is why a device cannot run; empty when it can.
func faultOf(problems config.Problems, lane, device int) string {
	for _, p := range problems {
		if i, j, ok := p.Device(); ok && i == lane && j == device {
			return "configuration: " + p.Head()
		}
		if i, ok := p.Lane(); ok && i == lane {
			return "configuration of the lane: " + p.Head()
		}
	}
	return ""
}

func kindOf(kinds []driver.Kind, name string) (driver.Kind, bool) {
	at := slices.IndexFunc(kinds, func(k driver.Kind) bool { return k.Name == name })
	if at < 0 {
		return driver.Kind{}, false
	}
	return kinds[at], true
}

// construct makes a device's driver and returns the settings that it decoded.
func construct(f *config.File, i, j int, kind driver.Kind, env driver.Env) (drv driver.Driver, settings any, err error) {
	decode := f.Settings(i, j)
	// A driver is given whatever a technician writes; what it does about it must
	// not end the gate.
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("driver %s cannot take these settings: %v", kind.Name, r)
		}
	}()
	drv, err = kind.New(func(into any) error {
		settings = into
		return decode(into)
	}, env)
	if err == nil && drv == nil {
		err = errors.New("driver made nothing")
	}
	return drv, settings, err
}

func commas(words []string) string { return strings.Join(words, ", ") }

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

// roles are the roles that a driver's devices can have.
func roles(driver string) []string {
	switch driver {
	case "rpm":
		return []string{config.RolePresence, config.RoleOther}
	case "camera":
		return []string{config.RoleCamera, config.RolePresence, config.RoleOther}
	case "xray":
		return []string{config.RoleScanner, config.RoleOther}
	case "scale":
		return []string{config.RoleScale, config.RoleOther}
	case "mrz":
		return []string{config.RoleDocument, config.RoleOther}
	case "barcode":
		return []string{config.RoleBarcode, config.RoleDocument, config.RoleOther}
	case "barrier":
		return []string{config.RoleBarrier, config.RolePresence, config.RoleOther}
	}
	return nil
}

// Check finds what only the drivers and the finding policy know of, without
// touching a device. The file's own problems are not repeated.
func Check(f *config.File, kinds []driver.Kind) config.Problems {
	env := driver.Env{Log: discard(), Now: time.Now}
	if f.Gate.Field != nil {
		env.Broker = &driver.Broker{URL: "tcp://" + f.Gate.Field.Listen, User: "gatehouse", Password: func() string { return "" }}
	}
	var all config.Problems
	for i, l := range f.Gate.Lanes {
		for j, d := range l.Devices {
			all = append(all, checkDevice(f, i, j, d, kinds, env)...)
		}
	}
	return append(all, checkPolicy(f)...)
}

func checkDevice(f *config.File, i, j int, d config.Device, kinds []driver.Kind, env driver.Env) config.Problems {
	at := fmt.Sprintf("lanes[%d].devices[%d]", i, j)
	kind, ok := kindOf(kinds, d.Driver)
	switch {
	case d.Driver == "":
		return nil // told already
	case !ok:
		var known []string
		for _, k := range kinds {
			known = append(known, k.Name)
		}
		slices.Sort(known)
		if meant := config.DidYouMean(d.Driver, known); meant != "" {
			return config.Problems{f.At(at+".driver", "", "there is no driver %s%s", d.Driver, meant)}
		}
		return config.Problems{f.At(at+".driver", fmt.Sprintf("drivers are: %s", commas(known)), "there is no driver %s", d.Driver)}
	}
	var ps config.Problems
	if _, _, err := construct(f, i, j, kind, env); err != nil {
		ps = append(ps, f.DeviceProblems(i, j, err)...)
	}
	if fit := roles(d.Driver); len(fit) > 0 && f.Sound(at+".role") && !slices.Contains(fit, d.Role) {
		ps = append(ps, f.At(at+".role", fmt.Sprintf("roles for this driver are: %s", commas(fit)), "a device with driver %s cannot have role %s", d.Driver, d.Role))
	}
	return ps
}

// CheckPolicy reads the place's own policy file, if it names one, as the daemon
// would see it from the folder.
func CheckPolicy(f *config.File, dir string) config.Problems {
	path := f.Gate.Policy
	if path == "" {
		return nil
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	_, err := loadPolicy(path)
	if err == nil || errors.Is(err, fs.ErrNotExist) { // that is told with the other files
		return nil
	}
	return config.Problems{f.At("policy", "", "%s", err)}
}

// checkPolicy wants the lanes' rows to change findings that exist.
func checkPolicy(f *config.File) config.Problems {
	table, err := loadPolicy("")
	if err != nil {
		return config.Problems{f.At("policy", "", "%s", err)}
	}
	codes := table.Codes()
	var ps config.Problems
	for i, l := range f.Gate.Lanes {
		for k, o := range l.Policy {
			if o.Code == "" || slices.Contains(codes, o.Code) {
				continue
			}
			at := fmt.Sprintf("lanes[%d].policy[%d].code", i, k)
			if meant := config.DidYouMean(o.Code, codes); meant != "" {
				ps = append(ps, f.At(at, "", "there is no finding %s%s", o.Code, meant))
			} else {
				ps = append(ps, f.At(at, "findings are: "+commas(codes), "there is no finding %s", o.Code))
			}
		}
	}
	return ps
}
