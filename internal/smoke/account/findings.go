package account

import (
	"cmp"
	"slices"
	"strings"

	"gatehouse/internal/event"
	"gatehouse/internal/sim/book"
)

// Values of Photo.Analysis and ScanView.Analysis.
const (
	done       = "done"
	unreadable = "unreadable"
)

// alerts compares the monitor's own alarms with the alerts, and finds two
// alerts of one finding.
func (j *judge) alerts() {
	j.figures.Alerts = len(j.s.Alerts)
	type subject struct {
		passage event.ID
		code    string
		device  string
	}
	seen := map[subject]event.ID{}
	for _, a := range j.s.Alerts {
		if a.MsgType != "Alert" {
			continue
		}
		key := subject{passage: a.Passage, code: a.EventCode, device: a.Device}
		if other, there := seen[key]; there && !j.referred(other) {
			j.problem(AlertDoubled, "%s of passage %s has the alerts %s and %s", a.EventCode, a.Passage, other, a.ID)
		}
		seen[key] = a.ID
	}
	for i, t := range j.c.Books.Truth {
		if !j.regular(i) || len(j.of[t.Vehicle]) != 1 {
			continue
		}
		j.radiation(t, j.of[t.Vehicle][0])
		if t.Scan.Threat || slices.ContainsFunc(t.Bags, func(b book.Bag) bool { return b.Scan.Threat }) {
			j.figures.Threats++
			if j.alerted(j.of[t.Vehicle][0], event.FindingXrayAnomaly) {
				j.figures.ThreatsAlerted++
			}
		}
	}
}

// referred says that a later alert has updated or withdrawn this one.
func (j *judge) referred(id event.ID) bool {
	return slices.ContainsFunc(j.s.Alerts, func(a event.Alert) bool { return slices.Contains(a.References, id) })
}

func (j *judge) alerted(p event.ID, code string) bool {
	return slices.ContainsFunc(j.s.Alerts, func(a event.Alert) bool {
		return a.Passage == p && a.EventCode == code && a.MsgType == "Alert"
	})
}

// radiation checks the alerts of a vehicle that nothing was missed of. The
// rule is exact: the gate alerts what the monitor flagged.
func (j *judge) radiation(t book.Truth, p event.ID) {
	if t.Rad.GammaAlarm || t.Rad.NeutronAlarm {
		j.figures.Radiation++
	}
	for _, k := range []struct {
		code  string
		alarm bool
	}{{event.FindingRadiationGamma, t.Rad.GammaAlarm}, {event.FindingRadiationNeutron, t.Rad.NeutronAlarm}} {
		switch alerted := j.alerted(p, k.code); {
		case k.alarm && !alerted:
			j.problem(AlertLost, "%s set off %s, passage %s has no such alert", t.Vehicle, k.code, p)
		case !k.alarm && alerted:
			j.problem(AlertInvented, "%s did not set off %s, passage %s has such an alert", t.Vehicle, k.code, p)
		}
	}
}

// evidence checks the files of all pictures of passages.
func (j *judge) evidence() {
	checked := map[string]bool{}
	for _, p := range j.s.Passages {
		for _, digest := range pictures(&p) {
			if checked[digest] {
				continue
			}
			checked[digest] = true
			if state := j.s.Evidence[digest]; state != "stored" {
				j.problem(EvidenceLost, "%s of passage %s is %s", digest, p.ID, cmp.Or(state, "not known"))
				continue
			}
			if j.c.Evidence == nil {
				continue
			}
			if err := j.c.Evidence(j.s.Agency, digest); err != nil {
				j.problem(EvidenceLost, "%s of passage %s: %v", digest, p.ID, err)
			}
		}
	}
	j.figures.Pictures = len(checked)
}

func pictures(p *event.Passage) []string {
	var all []string
	for _, f := range p.Photos {
		all = append(all, f.Image.SHA256)
	}
	for _, v := range p.Scans {
		all = append(all, v.Image.SHA256)
	}
	return all
}

// vision checks that every picture was really analysed, and counts the plates
// that were read right.
func (j *judge) vision() {
	if !j.c.Vision {
		return
	}
	for _, p := range j.s.Passages {
		for _, f := range p.Photos {
			j.analysed(p.ID, "photo", f.Image.SHA256, f.Analysis)
		}
		for _, v := range p.Scans {
			j.analysed(p.ID, "scan", v.Image.SHA256, v.Analysis)
		}
	}
	if j.figures.Pictures == 0 {
		j.problem(VisionFailed, "there is no picture at all")
	}
	j.plates()
}

func (j *judge) analysed(p event.ID, what, digest, analysis string) {
	if analysis == done || analysis == unreadable && j.spoilt(digest) {
		return
	}
	j.problem(VisionFailed, "%s %s of passage %s is %q", what, short(digest), p, analysis)
}

// spoilt says that the simulator itself had damaged the picture.
func (j *judge) spoilt(digest string) bool {
	return slices.ContainsFunc(j.c.Books.Truth, func(t book.Truth) bool {
		device := pictured(t, digest)
		return device != "" && slices.ContainsFunc(t.Faults, func(f string) bool {
			return strings.HasPrefix(f, device+"/image-") || strings.HasPrefix(f, "image-")
		})
	})
}

// pictured is the device that made a picture of a vehicle or person; empty when
// the picture is of another.
func pictured(t book.Truth, digest string) string {
	switch digest {
	case "":
		return ""
	case t.Photo:
		return "camera"
	case t.RearPhoto:
		return "camera2"
	case t.Scan.Image:
		return "xray"
	}
	if slices.ContainsFunc(t.Burst, func(s book.Shot) bool { return s.Photo == digest }) {
		return "camera"
	}
	if slices.ContainsFunc(t.Bags, func(b book.Bag) bool { return b.Scan.Image == digest }) {
		return "xray"
	}
	return ""
}

// Views of plates.
const (
	front = "front"
	rear  = "rear"
)

// plates compares what was read with what the vehicles bore, front and rear.
func (j *judge) plates() {
	for i, t := range j.c.Books.Truth {
		if !j.regular(i) || len(j.of[t.Vehicle]) != 1 {
			continue
		}
		p := j.byID[j.of[t.Vehicle][0]]
		if t.Plate != "" && t.Photo != "" && !j.spoilt(t.Photo) {
			j.figures.Plates++
			if bestPlate(p, front) == t.Plate {
				j.figures.PlatesRead++
			}
		}
		if t.RearPlate != "" && t.RearPhoto != "" && !j.spoilt(t.RearPhoto) {
			j.figures.Rear++
			if bestPlate(p, rear) == t.RearPlate {
				j.figures.RearRead++
			}
		}
	}
	for _, side := range []struct {
		name      string
		right, of int
	}{{front, j.figures.PlatesRead, j.figures.Plates}, {rear, j.figures.RearRead, j.figures.Rear}} {
		if float64(side.right) < j.c.PlatesWanted*float64(side.of) {
			j.problem(VisionFailed, "%d of %d %s plates were read right", side.right, side.of, side.name)
		}
	}
}

// bestPlate is the text of the surest plate that was read at all on a side;
// readings that do not say theirs count as of the front.
func bestPlate(p *event.Passage, side string) string {
	var best event.PlateReading
	for _, r := range p.Plates {
		if r.Text != "" && cmp.Or(r.View, front) == side && (best.Text == "" || r.Score > best.Score) {
			best = r
		}
	}
	return best.Text
}
