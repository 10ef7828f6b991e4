package faults

import (
	"fmt"
	"slices"
	"strings"

	"gatehouse/internal/event"
)

// requires says that the device is one that the lane counts on, as the newest
// word on it says.
func (s *sight) requires() bool {
	for _, c := range slices.Backward(s.History.Changes) {
		if c.Lane == s.Device.Lane && c.Device == s.Device.Name {
			return c.Required
		}
	}
	return false
}

// blindIfRequired wants a passage that says that the device did not look, if
// the lane counts on it and somebody came.
func blindIfRequired(s *sight) (string, bool) {
	switch {
	case !s.requires():
		return "not required", true
	case len(s.Vehicles) == 0:
		return "nobody came meanwhile", true
	}
	return blind(s)
}

// notLooked wants that somebody who was not looked at is told so by coverage and
// its finding: what a scanner has begun it has to finish, required or not.
func notLooked(s *sight) (string, bool) {
	if trace, ok := blind(s); !ok {
		return trace, false
	}
	return finding(event.FindingCoverageGap)(s)
}

// doubtful wants a reading of the device that is kept as suspect or bad.
func doubtful(s *sight) (string, bool) {
	if trace, ok := invalid(s); ok {
		return trace, true
	}
	return some("a reading of "+s.Device.Name+" that is kept as suspect or bad", func(s *sight, p *event.Passage) (string, bool) {
		for _, r := range p.Readings {
			if r.Device == s.Device.Name && r.Quality != event.Good {
				return fmt.Sprintf("%s kept as %s (%s)", r.Kind, r.Quality, short(r.ID)), true
			}
		}
		return "", false
	})(s)
}

// ended wants passages that have ended.
func ended(s *sight) (string, bool) {
	for _, p := range s.passages() {
		if p.LeftAt == nil {
			return fmt.Sprintf("passage %s has not left", short(p.ID)), false
		}
	}
	return "it has left", true
}

// turnedBack wants two tries, of which the first is told as what it was.
func turnedBack(s *sight) (string, bool) {
	if n := len(s.passages()); n < 2 {
		return fmt.Sprintf("%d passages of %s, expected a first try and a second", n, s.names()), false
	}
	return some("a first try that turned back", func(_ *sight, p *event.Passage) (string, bool) {
		switch {
		case p.State == event.Cancelled:
			return "cancelled", true
		case slices.Contains(p.Irregular, "reversed"):
			return "told as reversed", true
		}
		for _, f := range p.Findings {
			if f.Code == event.FindingCoverageGap {
				return fmt.Sprintf("%s %s (%s)", f.Code, f.Device, short(f.ID)), true
			}
		}
		return "", false
	})(s)
}

// analysedOrTold wants a picture that vision has looked at, or that is told as
// no look.
func analysedOrTold(s *sight) (string, bool) {
	if trace, ok := unreadable(s); ok {
		return trace, true
	}
	return some("a picture that was analysed", func(s *sight, p *event.Passage) (string, bool) {
		for _, f := range p.Photos {
			if f.Device == s.Device.Name && f.Analysis == "done" {
				return fmt.Sprintf("photo %.8s analysed as %s", f.Image.SHA256, f.Image.MediaType), true
			}
		}
		for _, v := range p.Scans {
			if v.Device == s.Device.Name && v.Analysis == "done" {
				return fmt.Sprintf("scan %.8s analysed as %s", v.Image.SHA256, v.Image.MediaType), true
			}
		}
		return "", false
	})(s)
}

// unweighed wants a weighing without a weight.
func unweighed(s *sight) (string, bool) {
	return some("a weighing without a weight", func(s *sight, p *event.Passage) (string, bool) {
		for _, w := range p.Weighings {
			if w.Device == s.Device.Name && w.Weight == nil {
				return "weighing without a weight", true
			}
		}
		return "", false
	})(s)
}

// uncertain wants that no weight was got of somebody, and that it is told.
func uncertain(s *sight) (string, bool) {
	if trace, ok := finding(event.FindingWeightUncertain)(s); ok {
		return trace, true
	}
	return blind(s)
}

// documented wants a document.
func documented(s *sight) (string, bool) {
	return some("a document", func(_ *sight, p *event.Passage) (string, bool) {
		if len(p.Documents) == 0 {
			return "", false
		}
		return p.Documents[0].Document.Format + " read", true
	})(s)
}

// repaired wants a document that says what was done to it.
func repaired(s *sight) (string, bool) {
	return some("a repaired document or DOCUMENT-CHECK", func(_ *sight, p *event.Passage) (string, bool) {
		for _, d := range p.Documents {
			if len(d.Document.Repaired) > 0 {
				return "repaired: " + strings.Join(d.Document.Repaired, ", "), true
			}
		}
		for _, f := range p.Findings {
			if f.Code == event.FindingDocumentCheck {
				return f.Code + " (" + short(f.ID) + ")", true
			}
		}
		return "", false
	})(s)
}

// coded wants as many codes with each passage as the person has bags: none
// twice, none lost.
func coded(s *sight) (string, bool) {
	if len(s.Vehicles) == 0 {
		return "nobody came meanwhile", false
	}
	tags := 0
	for _, t := range s.Vehicles {
		var read []string
		for _, id := range s.Owners[t.Vehicle] {
			for _, p := range s.Store.Passages {
				if p.ID == id {
					for _, b := range p.Barcodes {
						read = append(read, b.Barcode.Text)
					}
				}
			}
		}
		for _, bag := range t.Bags {
			n := 0
			for _, text := range read {
				if strings.Contains(text, bag.Tag) {
					n++
				}
			}
			if n != 1 {
				return fmt.Sprintf("tag %s of %s is there %d times", bag.Tag, t.Vehicle, n), false
			}
			tags++
		}
	}
	if tags == 0 {
		return "nobody had a bag meanwhile", false
	}
	return fmt.Sprintf("%d tags read once each", tags), true
}

// shows wants a barrier that is told as showing something.
func shows(what string, holds func(*event.Barrier) bool) want {
	return func(s *sight) (string, bool) {
		for _, c := range s.History.Changes {
			if c.Lane == s.Device.Lane && c.Device == s.Device.Name && c.Barrier != nil && holds(c.Barrier) {
				at := c.ID.Time()
				if !at.Before(s.From.Add(-early)) && at.Before(s.latest()) {
					return fmt.Sprintf("shows %s at %s (%s)", what, clock(at), short(c.ID)), true
				}
			}
		}
		return "is never told as showing " + what, false
	}
}

// cut wants a scan that says that it was cut off.
func cut(s *sight) (string, bool) {
	return some("a cut scan", func(s *sight, p *event.Passage) (string, bool) {
		i := slices.IndexFunc(p.Scans, func(v event.ScanView) bool { return v.Device == s.Device.Name && v.Cut })
		if i < 0 {
			return "", false
		}
		return "scan " + p.Scans[i].ScanID + " is cut", true
	})(s)
}

// scanned wants the image that the truth names with its own passage.
func scanned(s *sight) (string, bool) {
	if len(s.Vehicles) == 0 {
		return "it touched nobody", false
	}
	for _, t := range s.Vehicles {
		images := []string{t.Scan.Image}
		for _, b := range t.Bags {
			images = append(images, b.Scan.Image)
		}
		for _, digest := range images {
			if digest != "" && !s.holds(t.Vehicle, digest) {
				return fmt.Sprintf("image %.8s of %s is not with its passage", digest, t.Vehicle), false
			}
		}
	}
	return "every image is with its own passage", true
}

// holds says that a passage of a vehicle has a picture.
func (s *sight) holds(vehicle, digest string) bool {
	for _, id := range s.Owners[vehicle] {
		for _, p := range s.Store.Passages {
			if p.ID != id {
				continue
			}
			if slices.ContainsFunc(p.Scans, func(v event.ScanView) bool { return v.Image.SHA256 == digest }) ||
				slices.ContainsFunc(p.Photos, func(f event.Photo) bool { return f.Image.SHA256 == digest }) {
				return true
			}
		}
	}
	return false
}

// unreadable wants that a damaged picture is told as no look: it is a finding,
// or the device did not look.
func unreadable(s *sight) (string, bool) {
	return some("IMAGE-UNREADABLE or a coverage gap", func(s *sight, p *event.Passage) (string, bool) {
		for _, f := range p.Findings {
			if f.Code == event.FindingUnreadableImage || f.Code == event.FindingCoverageGap && f.Device == s.Device.Name {
				return f.Code + " (" + short(f.ID) + ")", true
			}
		}
		return "", false
	})(s)
}

// onePhoto wants one photo of the device in every passage.
func onePhoto(s *sight) (string, bool) {
	if len(s.Vehicles) == 0 {
		return "it touched nobody", false
	}
	n := 0
	for _, p := range s.passages() {
		photos := 0
		for _, f := range p.Photos {
			if f.Device == s.Device.Name {
				photos++
			}
		}
		if photos != 1 {
			return fmt.Sprintf("passage %s has %d photos of %s", short(p.ID), photos, s.Device.Name), false
		}
		n++
	}
	return fmt.Sprintf("one photo in each of %d passages", n), n > 0
}

// misreadOr wants a finding, or that the plate on which it rests was misread.
func misreadOr(code string) want {
	return func(s *sight) (string, bool) {
		trace, ok := finding(code)(s)
		if ok {
			return trace, true
		}
		for _, t := range s.Vehicles {
			for _, p := range s.passages() {
				for _, r := range p.Plates {
					if r.View != "rear" && r.Text != t.Plate {
						return fmt.Sprintf("%s; the plate %s was misread as %q", trace, t.Plate, r.Text), true
					}
				}
			}
		}
		return trace, false
	}
}

// foreign wants that no Vietnamese plate is made up of a foreign one.
func foreign(s *sight) (string, bool) {
	if len(s.Vehicles) == 0 {
		return "it touched nobody", false
	}
	for _, t := range s.Vehicles {
		if t.Country == "VN" {
			return "the font of the foreign plate is not installed: an ordinary one was shown", true
		}
	}
	for _, p := range s.passages() {
		for _, r := range p.Plates {
			if r.View != "rear" && r.Text != "" && r.Country == "VN" {
				return fmt.Sprintf("passage %s has the Vietnamese plate %s", short(p.ID), r.Text), false
			}
		}
	}
	return "no Vietnamese plate is made up", true
}

// contained wants a container number whose check digit is right.
func contained(s *sight) (string, bool) {
	return some("a container number with a right check digit", func(_ *sight, p *event.Passage) (string, bool) {
		i := slices.IndexFunc(p.Containers, func(c event.ContainerReading) bool { return c.CheckOK })
		if i < 0 {
			return "", false
		}
		return p.Containers[i].Text + " is right", true
	})(s)
}
