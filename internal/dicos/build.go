package dicos

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/suyashkumar/dicom"
	"github.com/suyashkumar/dicom/pkg/tag"
)

// Names of the implementation in the file's header.
const implementation = "GATEHOUSE_1"

// builder collects elements; the first mistake is kept.
type builder struct {
	elements []*dicom.Element
	errs     []error
}

func (b *builder) add(t tag.Tag, value any) {
	e, err := dicom.NewElement(t, value)
	if err != nil {
		b.errs = append(b.errs, fmt.Errorf("element %v: %w", t, err))
		return
	}
	b.elements = append(b.elements, e)
}

// sequence adds items, each built by a builder of its own.
func (b *builder) sequence(t tag.Tag, items ...builder) {
	var value [][]*dicom.Element
	for _, i := range items {
		b.errs = append(b.errs, i.errs...)
		value = append(value, i.sorted())
	}
	b.add(t, value)
}

// sorted is the elements in ascending order of their tags, as DICOM demands.
func (b *builder) sorted() []*dicom.Element {
	slices.SortStableFunc(b.elements, func(x, y *dicom.Element) int {
		return cmp.Or(cmp.Compare(x.Tag.Group, y.Tag.Group), cmp.Compare(x.Tag.Element, y.Tag.Element))
	})
	return b.elements
}

// head is the file's meta information.
func (b *builder) head(class, instance string) {
	b.add(tag.FileMetaInformationVersion, []byte{0, 1})
	b.add(tag.MediaStorageSOPClassUID, []string{class})
	b.add(tag.MediaStorageSOPInstanceUID, []string{instance})
	b.add(tag.TransferSyntaxUID, []string{explicitLittle})
	b.add(tag.ImplementationClassUID, []string{UID("gatehouse")})
	b.add(tag.ImplementationVersionName, []string{implementation})
}

// common are the modules that images and reports share.
func (b *builder) common(class, instance, study, series, modality, scanID string, at time.Time, view int) {
	b.add(tag.SpecificCharacterSet, []string{"ISO_IR 192"}) // UTF-8
	b.add(tag.SOPClassUID, []string{class})
	b.add(tag.SOPInstanceUID, []string{instance})
	b.add(tag.StudyInstanceUID, []string{study})
	b.add(tag.SeriesInstanceUID, []string{series})
	b.add(tag.StudyID, []string{""})
	b.add(tag.SeriesNumber, []string{"1"})
	b.add(tag.InstanceNumber, []string{strconv.Itoa(view)})
	b.add(tag.Modality, []string{modality})
	b.add(tag.AccessionNumber, []string{short(scanID, 16)})
	b.add(tag.PatientID, []string{short(scanID, 64)}) // DICOS: identifier of the object of inspection
	b.add(tag.PatientName, []string{""})
	b.add(tag.PatientBirthDate, []string{""})
	b.add(tag.PatientSex, []string{""})
	b.add(tag.ReferringPhysicianName, []string{""})
	if at.IsZero() {
		return
	}
	at = at.UTC()
	date, clock := at.Format("20060102"), at.Format("150405.000000")
	for _, t := range []tag.Tag{tag.StudyDate, tag.SeriesDate, tag.AcquisitionDate, tag.ContentDate} {
		b.add(t, []string{date})
	}
	for _, t := range []tag.Tag{tag.StudyTime, tag.SeriesTime, tag.AcquisitionTime, tag.ContentTime} {
		b.add(t, []string{clock})
	}
	b.add(tag.TimezoneOffsetFromUTC, []string{"+0000"})
}

// short cuts a text to the length that its representation allows.
func short(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n])
	}
	return s
}

func (b *builder) write(w io.Writer) error {
	if err := errors.Join(b.errs...); err != nil {
		return fmt.Errorf("write DICOS: %w", err)
	}
	if err := dicom.Write(w, dicom.Dataset{Elements: b.sorted()}); err != nil {
		return fmt.Errorf("write DICOS: %w", err)
	}
	return nil
}
