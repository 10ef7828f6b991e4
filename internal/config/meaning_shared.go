package config

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// minSilence is the shortest time after which a quiet device can count as down;
// drivers send about once a second.
const minSilence = time.Second

// setting is one value in a device's settings as the file has it.
type setting struct {
	text string
	at   *token.Token
}

// setting reads a value from the settings of the device at the path, such as
// "line.port"; empty when it is not there.
func (f *File) setting(device, name string) setting {
	var lane, index int
	if n, _ := fmt.Sscanf(device, "lanes[%d].devices[%d]", &lane, &index); n != 2 {
		return setting{}
	}
	d := decoder{file: f, anchors: f.anchors}
	node := d.resolve(f.Gate.Lanes[lane].Devices[index].Settings)
	for key := range strings.SplitSeq(name, ".") {
		m, ok := node.(ast.MapNode)
		if !ok {
			return setting{}
		}
		node = nil
		d.pairs(m, "", func(k, v ast.Node) {
			if k.GetToken().Value == key {
				node = d.resolve(v)
			}
		})
	}
	if node == nil || !isScalarNode(node) || node.Type() == ast.NullType {
		return setting{}
	}
	return setting{textOf(node), node.GetToken()}
}

// Setting is one value of a device's settings as the file has it, such as that
// of line.port; empty when it is not there.
func (f *File) Setting(lane, device int, name string) string {
	return f.setting(devicePath(lane, device), name).text
}

// thing is something that only one device can use.
type thing struct {
	field string // in the settings
	noun  string
	try   string
	same  func(text string) string // its one name
}

func things() []thing {
	asIs := func(s string) string { return s }
	return []thing{
		{"line.port", "port", "give each device its own; ls -l /dev/serial/by-id shows them by name", realPath},
		{"line.tcp", "address", "each line of a terminal server has a port number of its own", asIs},
		{"drop.folder", "drop folder", "give each scanner a folder of its own", realPath},
		{"topic", "topic", "give each camera a topic of its own, such as gatehouse/15BB/01/camera", asIs},
		{"client_id", "MQTT client id", "give each device its own, such as gatehouse-01-camera: the broker ends a session when another comes with its name", asIs},
	}
}

// realPath is the one name of a file that links may give several.
func realPath(path string) string {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		return target
	}
	return filepath.Clean(path)
}

// shared finds what two devices cannot use at once, and what MQTT needs from
// several sections.
func (f *File) shared() Problems {
	var ps Problems
	for _, t := range things() {
		users := map[string]string{}
		f.eachDevice(func(at string, l Lane, d Device) {
			s := f.setting(at, t.field)
			if s.text == "" {
				return
			}
			name := t.same(s.text)
			if t.field == "topic" || t.field == "client_id" {
				name += " at " + f.setting(at, "broker").text
			}
			if other, taken := users[name]; taken {
				ps = append(ps, f.problemAt(s.at, at+".settings."+t.field, t.try, "the %s %s is used by %s already", t.noun, s.text, other))
				return
			}
			users[name] = fmt.Sprintf("device %s of lane %s", d.ID, l.ID)
		})
	}
	f.eachDevice(func(at string, l Lane, d Device) { ps = append(ps, f.mqtt(at, l, d)...) })
	return append(ps, f.barriers()...)
}

func (f *File) eachDevice(each func(at string, l Lane, d Device)) {
	for i, l := range f.Gate.Lanes {
		for j, d := range l.Devices {
			each(devicePath(i, j), l, d)
		}
	}
}

// mqtt checks a camera's topic against where it stands and, at the gate's own
// listener, against who may publish there.
func (f *File) mqtt(at string, l Lane, d Device) Problems {
	topic := f.setting(at, "topic")
	if topic.text == "" || strings.ContainsAny(topic.text, "+#") { // the driver's own rules tell that
		return nil
	}
	var ps Problems
	if levels := strings.Split(topic.text, "/"); len(levels) == 4 && f.setting(at, "format").text != "frigate" {
		switch {
		case !f.Sound("gate") || !f.Sound(parent(parent(at))+".id"):
		case levels[1] != f.Gate.ID:
			ps = append(ps, f.problemAt(topic.at, at+".settings.topic", "topics are <root>/<gate>/<lane>/<device>", "topic %s is of gate %s, and this is gate %s", topic.text, levels[1], f.Gate.ID))
		case levels[2] != l.ID:
			ps = append(ps, f.problemAt(topic.at, at+".settings.topic", "topics are <root>/<gate>/<lane>/<device>", "topic %s is of lane %s, and device %s stands in lane %s", topic.text, levels[2], d.ID, l.ID))
		}
	}
	if f.setting(at, "broker").text != "" {
		return ps
	}
	if f.Gate.Field == nil {
		return append(ps, f.At(at+".settings", "add field_mqtt for a broker in this daemon, or name the cameras' own in broker", "device %s names no broker, and the place has no field_mqtt", d.ID))
	}
	if len(ps) == 0 && f.Sound("field_mqtt") && !slices.ContainsFunc(f.Gate.Field.Users, func(u FieldUser) bool {
		return slices.ContainsFunc(u.Topics, func(filter string) bool { return covers(filter, topic.text) })
	}) {
		ps = append(ps, f.problemAt(topic.at, at+".settings.topic", "add a user with the topic "+topic.text+"/#", "no user of field_mqtt may publish to %s", topic.text))
	}
	if id := f.setting(at, "client_id"); id.text != "" && !strings.HasPrefix(id.text, "gatehouse") {
		ps = append(ps, f.problemAt(id.at, at+".settings.client_id", "call it gatehouse-"+l.ID+"-"+d.ID, "client_id %s must begin with gatehouse at the gate's own listener", id.text))
	}
	return ps
}

// covers tells whether an MQTT topic filter lets the messages of a topic, or
// of what is below it, through.
func covers(filter, topic string) bool {
	want, have := strings.Split(filter, "/"), strings.Split(topic, "/")
	for i, w := range want {
		switch {
		case w == "#":
			return true
		case i >= len(have):
			return true // deeper than the topic: one of its messages
		case w != "+" && w != have[i]:
			return false
		}
	}
	return len(want) >= len(have)
}

// fieldUsers checks the accounts of the field listener.
func (f *File) fieldUsers() Problems {
	if f.Gate.Field == nil {
		return nil
	}
	var ps Problems
	users, files := map[string]bool{"gatehouse": true}, map[string]string{}
	for i, u := range f.Gate.Field.Users {
		at := fmt.Sprintf("field_mqtt.users[%d]", i)
		switch {
		case u.Name == "gatehouse":
			ps = append(ps, f.At(at+".name", "", "the user gatehouse is the gate's own"))
		case users[u.Name]:
			ps = append(ps, f.At(at+".name", "", "user %s is there twice", u.Name))
		}
		users[u.Name] = true
		if other, taken := files[u.PasswordFile]; taken && u.PasswordFile != "" {
			ps = append(ps, f.At(at+".password_file", "give each camera its own, so that one can be locked out alone", "%s is the password of user %s already", u.PasswordFile, other))
		}
		files[u.PasswordFile] = u.Name
		for k, topic := range u.Topics {
			if f.Sound("lanes") && !f.used(topic) {
				p := f.At(fmt.Sprintf("%s.topics[%d]", at, k), "", "no device listens to %s", topic)
				p.Scope = ScopeAdvice
				ps = append(ps, p)
			}
		}
	}
	return ps
}

// used tells whether a device at the gate's own listener takes messages that
// pass the filter.
func (f *File) used(filter string) (used bool) {
	f.eachDevice(func(at string, _ Lane, _ Device) {
		topic := f.setting(at, "topic").text
		if topic == "" || f.setting(at, "broker").text != "" {
			return
		}
		if strings.ContainsAny(topic, "+#") || covers(filter, topic) {
			used = true
		}
	})
	return used
}

// barriers checks that a barrier which is to tell presence has a loop to tell it
// by, and that a lane has one exit.
func (f *File) barriers() Problems {
	var ps Problems
	first := map[string]string{}
	f.eachDevice(func(at string, l Lane, d Device) {
		if d.Driver != RoleBarrier {
			return
		}
		loop := f.setting(at, "presence")
		switch {
		case d.Role == RolePresence && (loop.text == "" || loop.text == "none"):
			ps = append(ps, f.At(at+".role", "set presence in its settings to entry, safety or exit", "barrier %s has role presence and no loop that tells it", d.ID))
		case d.Role == RoleBarrier && loop.text != "" && loop.text != "none":
			ps = append(ps, f.problemAt(loop.at, at+".settings.presence", "set its role to presence, or presence to none", "barrier %s tells presence by its %s loop, and its role is barrier", d.ID, loop.text))
		}
		if other, taken := first[l.ID]; taken && d.Role == RoleBarrier {
			ps = append(ps, f.At(at+".role", "", "lane %s has the barrier %s already", l.ID, other))
		} else if d.Role == RoleBarrier {
			first[l.ID] = d.ID
		}
	})
	return ps
}
