package dicos

import (
	"io"
	"time"

	"github.com/suyashkumar/dicom/pkg/tag"
)

// Who made a report.
const (
	ByMachine  = "MACHINE"
	ByOperator = "OPERATOR"
)

// Decisions of a report.
const (
	DecisionAlarm   = "ALARM"
	DecisionClear   = "CLEAR"
	DecisionUnknown = "UNKNOWN"
)

// Object is a region of an image that a report speaks of.
type Object struct {
	Box         [4]int // x, y, width, height in pixels of the image
	Class       string
	Rule        string // the rule or model and version that found it
	Description string // for people; may be long
	Probability float64
	Opaque      bool    // nothing came through: it could not be assessed
	MassKG      float64 // 0 when unknown
	ZEffective  float64 // 0 when unknown
	Threat      bool    // an operator may list what is none
}

// TDR is a threat detection report on one image.
type TDR struct {
	Instance   string // SOP instance UID; derived when empty
	ScanID     string
	View       int
	Kind       string // "baggage" or "cargo"
	By         string // ByMachine or ByOperator
	Decision   string
	At         time.Time // of the decision
	Took       time.Duration
	Algorithms []string // names and versions
	Maker      string
	// ImageClass and Image name the DX that was judged; Study is its study.
	ImageClass, Image, Study string
	// Partial says that only a part of the image could be analysed.
	Partial bool
	// Trial says that nothing was inspected: an operator was shown a fictional
	// threat, or none, as a trial.
	Trial   bool
	Objects []Object
}

// Write writes the report as a DICOM Part 10 file.
func (t *TDR) Write(w io.Writer) error {
	instance := t.Instance
	if instance == "" {
		instance = UID("tdr", t.By, t.ScanID, t.Image, t.At.UTC().Format(time.RFC3339Nano))
	}
	study := t.Study
	if study == "" {
		study = UID("study", t.ScanID)
	}
	b := builder{}
	b.head(ClassTDR, instance)
	b.common(ClassTDR, instance, study, UID("tdr-series", t.By, t.ScanID), "TDR", t.ScanID, t.At, t.View)
	b.add(tag.Manufacturer, []string{t.Maker})
	b.add(tag.TDRType, []string{t.By})
	b.add(tag.AlarmDecision, []string{t.Decision})
	b.add(tag.AlarmDecisionTime, []string{t.At.UTC().Format("20060102150405.000000") + "+0000"})
	b.add(tag.DICOSVersion, []string{"V02A"})
	b.add(tag.OOIType, []string{ooi(t.Kind)})
	scan := "OPERATIONAL"
	if t.Trial {
		scan = "TEST"
	}
	b.add(tag.ScanType, []string{scan})
	acquired := "SUCCESSFUL"
	if t.Partial {
		acquired = "PARTIAL"
	}
	b.add(tag.AcquisitionStatus, []string{acquired})
	b.add(tag.TotalProcessingTime, []float64{t.Took.Seconds()})
	if len(t.Algorithms) > 0 {
		b.add(tag.ThreatDetectionAlgorithmAndVersion, shortened(t.Algorithms, 64))
	}
	alarms := 0
	var items []builder
	for i, o := range t.Objects {
		if o.Threat {
			alarms++
		}
		items = append(items, t.object(i+1, o))
	}
	b.add(tag.NumberOfTotalObjects, []int{len(t.Objects)})
	b.add(tag.NumberOfAlarmObjects, []int{alarms})
	if len(items) > 0 {
		b.sequence(tag.ThreatSequence, items...)
	}
	return b.write(w)
}

func shortened(texts []string, n int) []string {
	out := make([]string, len(texts))
	for i, s := range texts {
		out[i] = short(s, n)
	}
	return out
}

// object is one item of the threat sequence.
func (t *TDR) object(id int, o Object) builder {
	var image builder
	image.add(tag.ReferencedSOPClassUID, []string{t.imageClass()})
	image.add(tag.ReferencedSOPInstanceUID, []string{t.image()})
	var place builder
	place.sequence(tag.ReferencedInstanceSequence, image)
	x, y, w, h := float64(o.Box[0]), float64(o.Box[1]), float64(o.Box[2]), float64(o.Box[3])
	place.add(tag.BoundingPolygon, []float64{x, y, 0, x + w, y + h, 0}) // two opposite corners
	place.add(tag.CenterOfPTO, []float64{x + w/2, y + h/2, 0})
	if o.MassKG > 0 {
		place.add(tag.Mass, []float64{o.MassKG * 1000}) // grams
	}
	if o.ZEffective > 0 {
		place.add(tag.ZEffective, []float64{o.ZEffective})
	}
	var judged builder
	judged.add(tag.ThreatCategory, []string{"ANOMALY"})
	description := o.Class + ": " + o.Rule
	if o.Description != "" {
		description += ": " + o.Description
	}
	judged.add(tag.ThreatCategoryDescription, []string{short(description, 10240)})
	ability := "NO_INTERFERENCE"
	if o.Opaque {
		ability = "SHIELD"
	}
	judged.add(tag.ATDAbilityAssessment, []string{ability})
	flag := "NO_THREAT"
	if o.Threat {
		flag = "THREAT"
	}
	judged.add(tag.ATDAssessmentFlag, []string{flag})
	judged.add(tag.ATDAssessmentProbability, []float64{o.Probability})
	var item builder
	item.add(tag.PotentialThreatObjectID, []int{id})
	item.sequence(tag.PTORepresentationSequence, place)
	item.sequence(tag.ATDAssessmentSequence, judged)
	return item
}

func (t *TDR) imageClass() string {
	if t.ImageClass == "" {
		return ClassDXProcessing
	}
	return t.ImageClass
}

// image is the judged instance; a scan that came in no DICOS file gets an
// identifier of its own, the same in every report on it.
func (t *TDR) image() string {
	if t.Image == "" {
		return UID("image", t.ScanID)
	}
	return t.Image
}
