package dicos

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/suyashkumar/dicom"
	"github.com/suyashkumar/dicom/pkg/tag"
)

// Energies of a frame.
const (
	EnergyHigh = "high"
	EnergyLow  = "low"
)

// DX is a digital radiograph: one frame, or two of the same place, the high
// energy first. Values are linear in the intensity that came through.
type DX struct {
	Class    string // SOP class
	Instance string // SOP instance UID
	Series   string
	Study    string
	ScanID   string // accession number, or the identifier of the object of inspection
	View     int    // instance number; 0 when there is none
	Kind     string // "baggage" or "cargo", or empty
	Energy   string // of a single frame, when the file says; else empty
	Maker    string
	Time     time.Time // of acquisition; zero when there is none
	KV       float64
	MA       float64
	PixelMM  float64 // between rows, in the object's or the detector's plane; 0 unknown

	Width, Height, Bits int        // Bits is the number that values use
	Frames              [][]uint16 // Width*Height each, row by row
	// Rows is how many rows of the last frame the file holds; fewer than Height
	// when the file was cut off.
	Rows int
}

// Truncated says that the file was cut off.
func (d *DX) Truncated() bool { return d.Rows < d.Height }

// Read reads a DX file. mostPixels bounds rows times columns times frames.
func Read(data []byte, mostPixels int) (d *DX, err error) {
	if !Sniff(data) {
		return nil, fmt.Errorf("%w: it has no DICM mark", ErrDamaged)
	}
	l, err := walk(data)
	if err != nil {
		return nil, err
	}
	if l.encapsulated {
		return nil, fmt.Errorf("%w: its pixels are compressed", ErrUnsupported)
	}
	if l.pixels == 0 {
		return nil, fmt.Errorf("%w: it has no pixels", ErrUnsupported)
	}
	// The library is given the file without its pixels: they are read here,
	// and a length that lies never becomes an allocation.
	defer func() {
		if r := recover(); r != nil { // the library reads beyond slices on some malformed values
			d, err = nil, fmt.Errorf("%w: %v", ErrDamaged, r)
		}
	}()
	set, err := dicom.ParseUntilEOF(bytes.NewReader(data[:headerEnd(data, l)]), nil, dicom.AllowMissingMetaElementGroupLength(),
		dicom.AllowUnknownSpecificCharacterSet())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	d = &DX{}
	if err := d.describe(values{set}); err != nil {
		return nil, err
	}
	return d, d.pixels(values{set}, data, l, mostPixels)
}

// headerEnd is where the header of the pixel data begins.
func headerEnd(data []byte, l layout) int {
	if l.syntax == implicitLittle {
		return l.pixels - 8
	}
	if vr := string(data[l.pixels-8 : l.pixels-6]); vr == "OW" || vr == "OB" {
		return l.pixels - 12
	}
	return l.pixels - 8
}

// values looks elements up; what is absent or of another type is zero.
type values struct{ set dicom.Dataset }

func (v values) strings(t tag.Tag) []string {
	if e, err := v.set.FindElementByTag(t); err == nil && e.Value != nil {
		if s, ok := e.Value.GetValue().([]string); ok {
			return s
		}
	}
	return nil
}

func (v values) text(t tag.Tag) string {
	if s := v.strings(t); len(s) > 0 {
		return strings.TrimRight(strings.TrimSpace(s[0]), "\x00")
	}
	return ""
}

func (v values) number(t tag.Tag) float64 {
	f, _ := strconv.ParseFloat(v.text(t), 64) // absent or nonsense is 0, as documented
	return f
}

func (v values) integer(t tag.Tag, absent int) int {
	if e, err := v.set.FindElementByTag(t); err == nil && e.Value != nil {
		if n, ok := e.Value.GetValue().([]int); ok && len(n) > 0 {
			return n[0]
		}
	}
	return absent
}

func (d *DX) describe(v values) error {
	d.Class, d.Instance = v.text(tag.SOPClassUID), v.text(tag.SOPInstanceUID)
	d.Series, d.Study = v.text(tag.SeriesInstanceUID), v.text(tag.StudyInstanceUID)
	if d.ScanID = v.text(tag.AccessionNumber); d.ScanID == "" {
		d.ScanID = v.text(tag.PatientID)
	}
	d.View = int(v.number(tag.InstanceNumber))
	d.Maker = v.text(tag.Manufacturer)
	d.KV, d.MA = v.number(tag.KVP), v.number(tag.XRayTubeCurrent)
	for _, t := range []tag.Tag{tag.PixelSpacing, tag.ImagerPixelSpacing} {
		if mm := v.number(t); mm > 0 && mm < 1000 && d.PixelMM == 0 {
			d.PixelMM = mm
		}
	}
	switch v.text(tag.OOIType) {
	case "BAGGAGE", "SMALL_BAGGAGE":
		d.Kind = "baggage"
	case "CARGO":
		d.Kind = "cargo"
	}
	switch {
	case v.text(tag.LowEnergyDetectors) == "YES" && v.text(tag.HighEnergyDetectors) != "YES":
		d.Energy = EnergyLow
	case v.text(tag.HighEnergyDetectors) == "YES" && v.text(tag.LowEnergyDetectors) != "YES":
		d.Energy = EnergyHigh
	}
	date, clock := v.text(tag.AcquisitionDate), v.text(tag.AcquisitionTime)
	if date == "" {
		date, clock = v.text(tag.ContentDate), v.text(tag.ContentTime)
	}
	if len(clock) >= 6 {
		if at, err := time.Parse("20060102150405", date+clock[:6]); err == nil {
			d.Time = at
		}
	}
	if relation := v.text(tag.PixelIntensityRelationship); relation != "" && relation != "LIN" {
		return fmt.Errorf("%w: its values are %s; have the scanner send them linear (LIN)", ErrUnsupported, relation)
	}
	return nil
}

// pixels reads the values. Intensity grows with the value afterwards.
func (d *DX) pixels(v values, data []byte, l layout, mostPixels int) error {
	d.Width, d.Height = v.integer(tag.Columns, 0), v.integer(tag.Rows, 0)
	allocated := v.integer(tag.BitsAllocated, 16)
	d.Bits = v.integer(tag.BitsStored, allocated)
	frames := max(1, int(v.number(tag.NumberOfFrames)))
	switch {
	case d.Width <= 0 || d.Height <= 0:
		return fmt.Errorf("%w: %dx%d pixels", ErrDamaged, d.Width, d.Height)
	case frames > 2:
		return fmt.Errorf("%w: %d frames; one or two are read", ErrUnsupported, frames)
	case d.Width*d.Height*frames > mostPixels:
		return fmt.Errorf("%w: %dx%d", ErrTooLarge, d.Width, d.Height)
	case v.integer(tag.SamplesPerPixel, 1) != 1:
		return fmt.Errorf("%w: it has colour", ErrUnsupported)
	case allocated != 8 && allocated != 16 || d.Bits < 1 || d.Bits > allocated:
		return fmt.Errorf("%w: %d of %d bits", ErrUnsupported, d.Bits, allocated)
	case v.integer(tag.PixelRepresentation, 0) != 0:
		return fmt.Errorf("%w: its values are signed", ErrUnsupported)
	}
	if high := v.integer(tag.HighBit, d.Bits-1); high != d.Bits-1 {
		return fmt.Errorf("%w: its highest bit is %d of %d", ErrUnsupported, high, d.Bits)
	}
	size := allocated / 8
	have := len(data) - l.pixels
	if l.missing(len(data)) == 0 {
		have = int(l.length)
	}
	whole := d.Width * d.Height * size
	if have < (frames-1)*whole+d.Width*size {
		return fmt.Errorf("%w: cut off before the first row of its pixels", ErrDamaged)
	}
	d.Rows = min(d.Height, (have-(frames-1)*whole)/(d.Width*size))
	mask := uint16(1<<d.Bits - 1)
	inverted := v.integer(tag.PixelIntensityRelationshipSign, 1) == -1 || int16(v.integer(tag.PixelIntensityRelationshipSign, 1)) == -1
	for f := range frames {
		from := data[l.pixels+f*whole : l.pixels+min(have, (f+1)*whole)]
		frame := make([]uint16, d.Width*d.Height)
		for i := range min(len(frame), len(from)/size) {
			n := uint16(from[i*size])
			if size == 2 {
				n = binary.LittleEndian.Uint16(from[2*i:])
			}
			if n &= mask; inverted {
				n = mask - n
			}
			frame[i] = n
		}
		d.Frames = append(d.Frames, frame)
	}
	return nil
}

// Write writes the radiograph with values of 16 bits. Identifiers that are
// empty are derived from ScanID, View and Time.
func (d *DX) Write(w io.Writer) error {
	b := builder{}
	class := d.Class
	if class == "" {
		class = ClassDXProcessing
	}
	study, series, instance := d.identifiers()
	b.head(class, instance)
	b.common(class, instance, study, series, "DX", d.ScanID, d.Time, d.View)
	b.add(tag.Manufacturer, []string{d.Maker})
	b.add(tag.KVP, []string{number(d.KV)})
	b.add(tag.XRayTubeCurrent, []string{strconv.Itoa(int(d.MA + 0.5))})
	if d.PixelMM > 0 {
		b.add(tag.ImagerPixelSpacing, []string{number(d.PixelMM), number(d.PixelMM)})
		b.add(tag.PixelSpacing, []string{number(d.PixelMM), number(d.PixelMM)})
	}
	intent := "FOR PROCESSING"
	if class == ClassDXPresentation {
		intent = "FOR PRESENTATION"
	}
	b.add(tag.PresentationIntentType, []string{intent})
	b.add(tag.ImageType, []string{"ORIGINAL", "PRIMARY"})
	b.add(tag.SamplesPerPixel, []int{1})
	b.add(tag.PhotometricInterpretation, []string{"MONOCHROME2"})
	if len(d.Frames) > 1 {
		b.add(tag.NumberOfFrames, []string{strconv.Itoa(len(d.Frames))})
	}
	b.add(tag.Rows, []int{d.Height})
	b.add(tag.Columns, []int{d.Width})
	b.add(tag.BitsAllocated, []int{16})
	b.add(tag.BitsStored, []int{d.Bits})
	b.add(tag.HighBit, []int{d.Bits - 1})
	b.add(tag.PixelRepresentation, []int{0})
	b.add(tag.PixelIntensityRelationship, []string{"LIN"})
	b.add(tag.PixelIntensityRelationshipSign, []int{1})
	switch d.Energy {
	case EnergyHigh:
		b.add(tag.HighEnergyDetectors, []string{"YES"})
	case EnergyLow:
		b.add(tag.LowEnergyDetectors, []string{"YES"})
	}
	b.add(tag.DICOSVersion, []string{"V02A"})
	b.add(tag.OOIType, []string{ooi(d.Kind)})
	raw := make([]byte, 0, 2*len(d.Frames)*d.Width*d.Height)
	for _, f := range d.Frames {
		if len(f) != d.Width*d.Height {
			return fmt.Errorf("write DX: a frame has %d values for %dx%d pixels", len(f), d.Width, d.Height)
		}
		for _, v := range f {
			raw = binary.LittleEndian.AppendUint16(raw, v)
		}
	}
	b.add(tag.PixelData, dicom.PixelDataInfo{IntentionallyUnprocessed: true, UnprocessedValueData: raw})
	return b.write(w)
}

func (d *DX) identifiers() (study, series, instance string) {
	at := d.Time.UTC().Format(time.RFC3339Nano)
	pick := func(given string, names ...string) string {
		if given != "" {
			return given
		}
		return UID(append(names, d.ScanID, at)...)
	}
	return pick(d.Study, "study"), pick(d.Series, "series"), pick(d.Instance, "dx", strconv.Itoa(d.View), d.Energy)
}

func ooi(kind string) string {
	if kind == "cargo" {
		return "CARGO"
	}
	return "BAGGAGE"
}

// number is a decimal string of at most 16 characters, as VR DS allows.
func number(v float64) string { return strconv.FormatFloat(v, 'g', 8, 64) }
