// Package report turns the result of an X-ray scan into a DICOS threat
// detection report.
package report

import (
	"strconv"
	"strings"
	"time"

	"gatehouse/internal/dicos"
	"gatehouse/internal/vision/wire"
)

// TDR is the machine's report on a scan. image and study name the DICOS image
// that was judged, empty when the scan came in another form. A scanner in shadow
// mode decides nothing.
func TDR(s *wire.Scan, at time.Time, image, study string) *dicos.TDR {
	id := s.ScanID
	if id == "" && len(s.Sources) > 0 {
		id = s.Sources[0].SHA256[:16]
	}
	r := &dicos.TDR{
		ScanID: id, View: s.View, Kind: s.Kind, By: dicos.ByMachine, Decision: dicos.DecisionClear, At: at, Maker: "Gatehouse",
		Took: time.Duration(s.MS["total"] * float64(time.Millisecond)), Image: image, Study: study,
		Partial: s.Truncated != nil, Algorithms: []string{s.Model, "calibration " + calibration(s)},
	}
	for _, f := range s.Findings {
		o := dicos.Object{
			Box: f.Box, Class: f.Class, Rule: f.Rule, Probability: f.Score, Opaque: f.Code == "XRAY-OPAQUE", Threat: f.Code != "XRAY-OPAQUE",
			Description: figures(f),
		}
		if o.Threat {
			r.Decision = dicos.DecisionAlarm
		}
		r.Objects = append(r.Objects, o)
	}
	if r.Decision == dicos.DecisionClear && (len(s.Findings) > 0 || s.Truncated != nil) || s.Shadow {
		r.Decision = dicos.DecisionUnknown // not all of it was inspected, or the scanner is on trial
	}
	return r
}

func calibration(s *wire.Scan) string {
	switch {
	case s.Calibration != "":
		return s.Calibration
	case s.Shadow:
		return "none, shadow mode"
	}
	return "none"
}

// figures are what a rule compared, for people.
func figures(f wire.Finding) string {
	var parts []string
	if f.Text != nil {
		parts = append(parts, f.Text.EN, f.Text.VI)
	}
	for _, v := range f.Figures {
		parts = append(parts, v.Name+" "+strconv.FormatFloat(v.Value, 'g', 5, 64)+" limit "+strconv.FormatFloat(v.Limit, 'g', 5, 64))
	}
	return strings.Join(parts, "; ")
}
