// Package report makes DICOS threat detection reports of scans as the shared
// record has them: regions, the rule or model that marked each with its version,
// and the calibration by which the scan was judged.
package report

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"gatehouse/internal/dicos"
	"gatehouse/internal/event"
)

// ErrNoScan is the error of Of for a digest that is no scan of the passage.
var ErrNoScan = errors.New("the passage has no such scan")

// maxPixels bounds a DICOS image that is read for its identifiers.
const maxPixels = 80_000_000

// Of is the machine's report on one scan of a passage, named by its digest. path
// is where the scan lies; empty when it has not come. The same record gives the
// same report.
func Of(x *event.Passage, digest, path string) (*dicos.TDR, error) {
	i := slices.IndexFunc(x.Scans, func(s event.ScanView) bool { return s.Image.SHA256 == digest })
	if i < 0 {
		return nil, fmt.Errorf("report on scan %s of passage %s: %w", digest, x.ID, ErrNoScan)
	}
	s := x.Scans[i]
	r := &dicos.TDR{
		ScanID: s.ScanID, View: s.View, Kind: s.Kind, By: dicos.ByMachine, Maker: "Gatehouse", At: s.TakenAt, Decision: dicos.DecisionClear,
		Partial: s.Cut || s.Analysed > 0 && s.Analysed < 1, Algorithms: []string{s.Model, "calibration " + calibration(&s)},
	}
	if r.ScanID == "" {
		r.ScanID = digest[:16]
	}
	for _, f := range x.Findings {
		if f.Region == nil || f.Region.Evidence != digest || len(f.Region.Box) != 4 {
			continue
		}
		o := object(&f)
		if o.Threat {
			r.Decision = dicos.DecisionAlarm
		}
		if f.At.After(r.At) {
			r.At = f.At
		}
		r.Objects = append(r.Objects, o)
	}
	unsure := len(r.Objects) > 0 || r.Partial || s.Analysis != "done"
	if s.Shadow || r.Decision == dicos.DecisionClear && unsure {
		r.Decision = dicos.DecisionUnknown // not all of it was inspected, or the scanner is on trial
	}
	return r, names(r, path)
}

func object(f *event.Finding) dicos.Object {
	opaque := f.Code == event.FindingXrayOpaque
	class, _ := f.Figures["class"].(string)
	if class == "" {
		class = strings.ToLower(strings.TrimPrefix(f.Code, "XRAY-"))
	}
	return dicos.Object{
		Box: [4]int(f.Region.Box), Class: class, Rule: f.Source.Name + "@" + f.Source.Version, Probability: f.Score, Opaque: opaque, Threat: !opaque,
		Description: description(f),
	}
}

// description is the headline in both languages, the figures that were compared
// and the finding's calibration.
func description(f *event.Finding) string {
	var parts []string
	add := func(text string) {
		if text != "" {
			parts = append(parts, text)
		}
	}
	add(f.Headline.EN)
	add(f.Headline.VI)
	for _, name := range slices.Sorted(maps.Keys(f.Figures)) {
		if name != "class" {
			add(fmt.Sprintf("%s %v", name, f.Figures[name]))
		}
	}
	if f.Source.Calibration != "" {
		add("calibration " + f.Source.Calibration)
	}
	return strings.Join(parts, "; ")
}

func calibration(s *event.ScanView) string {
	switch {
	case s.Calibration != "":
		return s.Calibration
	case s.Shadow:
		return "none, shadow mode"
	}
	return "none"
}

// names puts the identifiers of a DICOS scan into its report. A scan of another
// form has none.
func names(r *dicos.TDR, path string) error {
	if path == "" {
		return nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read scan for its report: %w", err)
	}
	if !dicos.Sniff(data) {
		return nil
	}
	dx, err := dicos.Read(data, maxPixels)
	if err != nil {
		return nil // the record says so already: it could not be analysed
	}
	r.ImageClass, r.Image, r.Study = dx.Class, dx.Instance, dx.Study
	return nil
}

// FileName is what a report is called that is written into a file.
func FileName(x *event.Passage, digest string) string {
	return fmt.Sprintf("%s-%s-%s.tdr.dcm", x.OpenedAt.UTC().Format("20060102T150405Z"), x.Lane, digest[:min(16, len(digest))])
}
