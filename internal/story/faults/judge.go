package faults

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"gatehouse/internal/event"
	"gatehouse/internal/sim/fault"
	"gatehouse/internal/smoke/account"
)

// Outcome is what was seen of one fault.
type Outcome struct {
	Played
	Kind string
	Says string // what has to be seen
	// Seen is where each thing was seen, or why it was not; of the first agency
	// at which something was not, else of the first.
	Seen []string
	OK   bool
}

// Judge looks for every fault at every site. It also tells the faults of the
// menu that were not played, and those for which nobody has said what has to be
// seen.
func Judge(played []Played, kind func(account.Device) string, sites []*Site) (outcomes []Outcome, missing []string) {
	var names []string
	for i, p := range played {
		names = append(names, p.Fault)
		row, known := Find(p.Fault, kind(p.Device))
		if !known {
			missing = append(missing, fmt.Sprintf("%s on %s: nobody has said what has to be seen", p.Fault, p.Device))
			continue
		}
		outcomes = append(outcomes, look(row, p, kind(p.Device), others(played, i), sites))
	}
	for _, spec := range fault.Menu() {
		if !slices.Contains(names, spec.Name) {
			missing = append(missing, spec.Name+" is on the menu and was not played")
		}
	}
	return outcomes, missing
}

// others are the faults of the same device as the ith, in their order.
func others(played []Played, i int) []Played {
	var all []Played
	for j, p := range played {
		if p.Device == played[i].Device && j != i {
			all = append(all, p)
		}
	}
	return all
}

func look(row Row, p Played, kind string, others []Played, sites []*Site) Outcome {
	o := Outcome{Played: p, Kind: kind, Says: row.Says, OK: true}
	for _, site := range sites {
		s := &sight{Played: p, Site: site, next: site.End, others: others}
		if i := slices.IndexFunc(others, func(o Played) bool { return o.From.After(p.To) }); i >= 0 {
			s.next = others[i].From
		}
		if s.To.IsZero() {
			s.To = site.End
		}
		var seen []string
		ok := true
		for _, w := range row.Wants {
			trace, good := w(s)
			if !good {
				trace = "NOT AS IT SHOULD BE at " + string(site.Store.Agency) + ": " + trace
				ok = false
			}
			seen = append(seen, trace)
		}
		if o.OK && (len(o.Seen) == 0 || !ok) {
			o.Seen = seen
		}
		o.OK = o.OK && ok
	}
	return o
}

// Print writes the table for a terminal.
func Print(w io.Writer, outcomes []Outcome) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%-16s %-11s %-7s %-8s %s\n", "fault", "device", "seconds", "shows", "what was seen, and where")
	for _, o := range outcomes {
		word := "yes"
		if !o.OK {
			word = "NO"
		}
		for i, line := range o.Seen {
			if i == 0 {
				fmt.Fprintf(&b, "%-16s %-11s %-7s %-8s %s\n", o.Fault, o.Device, o.lasted(), word, line)
			} else {
				fmt.Fprintf(&b, "%45s %s\n", "", line)
			}
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (p Played) lasted() string {
	if p.To.Equal(p.From) {
		return "once"
	}
	return fmt.Sprintf("%.1f", p.To.Sub(p.From).Seconds())
}

// Markdown writes the table for people to keep.
func Markdown(w io.Writer, outcomes []Outcome, missing []string) error {
	var b strings.Builder
	good := 0
	for _, o := range outcomes {
		if o.OK {
			good++
		}
	}
	fmt.Fprintf(&b, "# Every fault once, and what it shows\n\n%d of %d faults show as they should, in both agencies' stores.\n\n", good, len(outcomes))
	b.WriteString("| fault | device | seconds | who met it | has to show | was seen | as it should |\n|---|---|---|---|---|---|---|\n")
	for _, o := range outcomes {
		word := "yes"
		if !o.OK {
			word = "**NO**"
		}
		var names []string
		for _, t := range o.Vehicles {
			names = append(names, t.Vehicle)
		}
		seen := make([]string, 0, len(o.Seen))
		for _, line := range o.Seen {
			seen = append(seen, strings.ReplaceAll(line, "|", "/"))
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s |\n", o.Fault, o.Device, o.lasted(), strings.Join(names, " "), o.Says, strings.Join(seen, "<br>"), word)
	}
	if len(missing) > 0 {
		b.WriteString("\nNot judged:\n\n")
		for _, m := range missing {
			fmt.Fprintf(&b, "- %s\n", m)
		}
	}
	b.WriteString("\n" + reference())
	_, err := io.WriteString(w, b.String())
	return err
}

// reference says where the faults of the devices' reference (section 11) are on
// the menu, and which of them no device of this version has.
func reference() string {
	var b strings.Builder
	b.WriteString("| section 11 of the protocol reference | played as |\n|---|---|\n")
	for _, r := range Reference() {
		names := strings.Join(r.Faults, ", ")
		if len(r.Faults) == 0 {
			names = "not played: " + r.Why
		}
		fmt.Fprintf(&b, "| %s | %s |\n", r.Text, names)
	}
	return b.String()
}

// Referred is one fault of the protocol reference.
type Referred struct {
	Text   string
	Faults []string // on the menu; empty when no device has it
	Why    string   // why it is not played
}

// Reference lists section 11 of the protocol reference.
func Reference() []Referred {
	return []Referred{
		{Text: "noise bytes", Faults: []string{"noise"}},
		{Text: "split and merged frames", Faults: []string{"split", "merge"}},
		{Text: "bad checksum", Faults: []string{"bad-checksum"}},
		{Text: "missing terminator", Faults: []string{"no-terminator", "torn"}},
		{Text: "wrong baud (garbage)", Faults: []string{"wrong-baud"}},
		{Text: "port vanishes and returns under the same name", Faults: []string{"unplug"}},
		{Text: "7-bit parity stripping", Faults: []string{"parity"}},
		{Text: "XOFF", Faults: []string{"xoff"}},
		{Text: "half-duplex echo", Faults: []string{"echo"}},
		{Text: "late answers", Faults: []string{"late-ack", "lost-ack"}},
		{Text: "duplicates", Faults: []string{"repeat", "deaf"}},
		{Text: "reply to the previous request", Faults: []string{"wrong-ack"}},
		{Text: "clock jump", Faults: []string{"clock-jump"}},
		{Text: "silence then burst", Faults: []string{"silence", "burst"}},
		{Text: "overload", Faults: []string{"overload"}},
		{Text: "motion never stable", Faults: []string{"never-stable"}},
		{Text: "tamper", Faults: []string{"tamper"}},
		{Text: "interlock", Faults: []string{"interlock", "door-open"}},
		{Text: "e-stop", Faults: []string{"e-stop"}},
		{Text: "low battery", Why: "no device of this version has a battery (electronic seals come later)"},
		{Text: "dead detector", Faults: []string{"dead-detector"}},
		{Text: "dirty lens (plate confidence falls)", Faults: []string{"dirty-lens"}},
		{Text: "two vehicles", Faults: []string{"back-to-back"}},
		{Text: "vehicle reverses", Faults: []string{"reverse"}},
		{Text: "tailgating", Faults: []string{"tail-gate"}},
		{Text: "wrong-way", Faults: []string{"wrong-way"}},
		{Text: "broker restart with retained state", Faults: []string{"broker-restart"}},
		{Text: "will delivered while the device works", Faults: []string{"will-while-working"}},
		{Text: "duplicate QoS 1 messages", Faults: []string{"duplicate"}},
		{Text: "out-of-order", Faults: []string{"out-of-order"}},
		{Text: "1 MB payload", Faults: []string{"image-large"}},
		{Text: "image missing", Faults: []string{"image-missing", "file-missing", "capture-missing"}},
		{Text: "clock skew of +/- 10 minutes", Faults: []string{"clock-ahead", "clock-behind"}},
		{Text: "look-alike plates", Faults: []string{"look-alike"}},
		{Text: "non-Latin plate", Faults: []string{"plate-foreign"}},
		{Text: "container with remainder 10", Faults: []string{"container-ten"}},
		{Text: "MRZ with one OCR error", Faults: []string{"mrz-ocr"}},
		{Text: "expired document", Faults: []string{"document-expired"}},
		{Text: "CCCD with extra fields", Faults: []string{"cccd-extra"}},
		{Text: "N42 with an unknown nuclide", Why: "no device of this version gives N42"},
	}
}

// Sight gathers what one agency holds.
func Sight(b account.Books, store *account.Store, h account.History, problems []account.Problem) *Site {
	site := &Site{Store: store, History: h, Owners: account.Owners(b, store)}
	for _, p := range problems {
		if p.Agency == store.Agency || p.Agency == "" {
			site.Problems = append(site.Problems, p)
		}
	}
	for _, f := range b.Ledger {
		if f.At.After(site.End) {
			site.End = f.At
		}
	}
	site.End = site.End.Add(-early) // then the simulator itself went
	return site
}

// Kinds tells the kind of each device: lanes of persons have barcode readers
// that speak SSI, and a device's number is no part of its kind.
func Kinds(b account.Books) func(account.Device) string {
	hall := map[string]bool{}
	for _, t := range b.Truth {
		if t.Kind == string(event.Person) {
			hall[t.Lane] = true
		}
	}
	return func(d account.Device) string {
		kind := strings.TrimRight(d.Name, "0123456789")
		if kind == fault.Barcode && hall[d.Lane] {
			return fault.SSI
		}
		return kind
	}
}
