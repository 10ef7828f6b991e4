package mrz

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Fields of a CCCD QR code, fewest and most. The code of 2021 has seven; later
// cards may append some, whose meaning is not published and not guessed.
const (
	cccdLeast = 6
	cccdMost  = 11
)

// ParseCCCD reads the QR code of a Vietnamese identity card:
//
//	number|old number|full name|ddmmyyyy|Nam or Nữ|address|ddmmyyyy of issue
//
// Texts are normalised to NFC. The number's sex and century digit and its year
// are checked against the other fields. The error wraps ErrFormat.
func ParseCCCD(text string) (Document, error) {
	if !utf8.ValidString(text) {
		return Document{}, fmt.Errorf("%w: QR text is not UTF-8; set the reader to UTF-8 or raw output", ErrFormat)
	}
	f := strings.Split(norm.NFC.String(text), "|")
	if len(f) < cccdLeast || len(f) > cccdMost {
		return Document{}, fmt.Errorf("%w: QR text has %d fields, a CCCD %d to %d", ErrFormat, len(f), cccdLeast, cccdMost)
	}
	for i := range f {
		f[i] = strings.TrimSpace(f[i])
	}
	number := f[0]
	if !digits(number, 12) {
		return Document{}, fmt.Errorf("%w: %q is not a number of 12 digits", ErrFormat, number)
	}
	d := Document{
		Format: CCCD, Type: "ID", Issuer: "VNM", Nationality: "VNM", Number: number, Checks: map[string]Outcome{},
	}
	// Some cards leave the field of the old number out.
	if f[1] == "" || digits(f[1], 9) || digits(f[1], 12) {
		d.Optional = f[1]
		f = f[2:]
	} else {
		f = f[1:]
	}
	d.Names = []string{f[0]}
	birth, err := time.Parse("02012006", f[1])
	if err != nil || f[0] == "" {
		return Document{}, fmt.Errorf("%w: no name and birth ddmmyyyy after the numbers", ErrFormat)
	}
	d.Birth = birth.Format(time.DateOnly)
	switch f[2] {
	case "Nam":
		d.Sex = "M"
	case "Nữ":
		d.Sex = "F"
	}
	d.check(birth)
	return d, nil
}

// check holds the number against birth and sex: its fourth digit counts up by
// two a century from 1900 and is odd for women, the next two are the year.
func (d *Document) check(birth time.Time) {
	code := int(d.Number[3] - '0')
	d.Checks["sex"] = verdict(d.Sex == string("MF"[code%2]))
	d.Checks["century"] = verdict(birth.Year()/100 == 19+code/2)
	year, _ := strconv.Atoi(d.Number[4:6])
	d.Checks["birth_year"] = verdict(birth.Year()%100 == year)
}

func verdict(ok bool) Outcome {
	if ok {
		return OK
	}
	return Wrong
}

// digits says whether s is n digits.
func digits(s string, n int) bool {
	return len(s) == n && strings.Trim(s, "0123456789") == ""
}
