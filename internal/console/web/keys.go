package web

// keyGroup is a part of the help about keys.
type keyGroup struct {
	Name string
	Keys []keyHelp
}

// keyHelp is one key: what is printed on it, and the dictionary's word for
// what it does.
type keyHelp struct{ Cap, Word string }

// keyGroups lists the keys as the script takes them, by place.
func keyGroups() []keyGroup {
	return []keyGroup{
		{"everywhere", []keyHelp{
			{"B", "keys.board"}, {"A", "keys.alerts"}, {"S", "nav.search"}, {"D", "nav.devices"}, {"T", "keys.status"}, {"M", "keys.sound"}, {"H", "keys.help"}, {"Esc", "keys.back"},
		}},
		{"queue", []keyHelp{
			{"J ↓", "keys.next"}, {"K ↑", "keys.previous"}, {"Enter", "keys.open"}, {"N", "keys.ack"}, {"V", "keys.shownew"},
		}},
		{"decide", []keyHelp{
			{"1 – 5", "keys.code"}, {"6 – 9", "keys.reasons"}, {"R", "keys.reason"}, {"F9", "keys.record"}, {"N", "keys.ack"},
			{"O", "keys.correct"}, {"E", "hold.title"}, {"P", "keys.provenance"}, {"F", "document.reveal"},
		}},
		{"control", []keyHelp{
			{"L", "keys.lease"}, {"U", "verb.release"}, {"O", "verb.open"}, {"C", "verb.close"}, {"X", "verb.stop"}, {"R", "verb.red"}, {"G", "verb.green"},
			{"Enter", "control.confirm"},
		}},
		{"viewer", []keyHelp{
			{"+ −", "keys.zoom"}, {"0", "keys.fit"}, {"W", "keys.whole"}, {"← ↑ → ↓", "keys.pan"}, {"[ ]", "keys.level"}, {", .", "keys.width"},
			{"I", "keys.invert"}, {"X", "keys.edge"}, {"C", "keys.colour"}, {"G", "keys.regions"}, {"Y", "viewer.heat"}, {"L", "keys.nextview"},
		}},
	}
}
