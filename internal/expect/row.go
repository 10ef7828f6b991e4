package expect

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"gatehouse/internal/container"
	"gatehouse/internal/event"
)

// ErrList is wrapped by what is wrong with a list.
var ErrList = errors.New("list of expected vehicles")

// Mistake is one thing that is wrong with a list.
type Mistake struct {
	File string
	Line int // from 1
	Err  error
}

func (m Mistake) Error() string { return fmt.Sprintf("%s:%d: %v", m.File, m.Line, m.Err) }

func (m Mistake) Unwrap() error { return ErrList }

// Row is one expected vehicle or consignment.
type Row struct {
	Line        int // in its file
	Declaration string
	Plate       string
	RearPlate   string
	Container   string
	GrossKG     *float64
	NetKG       *float64
	Goods       string
	Direction   event.Direction // empty for both
	From, To    string          // 2006-01-02; empty is open
}

// columns of a list.
func columns() []string {
	return []string{"declaration", "plate", "rear_plate", "container", "gross_kg", "net_kg", "goods", "direction", "from", "to"}
}

// heaviest is more than any vehicle on a road weighs, in kg.
const heaviest = 250_000

// goodsLength bounds the description of the goods, in characters.
const goodsLength = 200

// Parse reads a list. What is right is returned with all that is wrong; a wrong
// header leaves nothing.
func Parse(name string, data []byte) ([]Row, []Mistake) {
	var mistakes []Mistake
	wrong := func(line int, err error) { mistakes = append(mistakes, Mistake{name, line, err}) }
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")) // spreadsheets write it
	if !utf8.Valid(data) {
		wrong(1, errors.New("the file is not UTF-8; save it as CSV UTF-8"))
		return nil, mistakes
	}
	var names []string
	var rows []Row
	line := 0
	for text := range bytes.Lines(data) {
		line++
		if len(bytes.TrimSpace(text)) == 0 {
			continue
		}
		fields, err := split(text)
		switch {
		case err != nil:
			wrong(line, err)
		case names == nil:
			if names, err = checkHeader(fields); err != nil {
				wrong(line, err)
				return nil, mistakes
			}
		case len(fields) != len(names):
			wrong(line, fmt.Errorf("%d fields, the header names %d", len(fields), len(names)))
		default:
			row, err := parseRow(names, fields)
			if err != nil {
				wrong(line, err)
				continue
			}
			row.Line = line
			rows = append(rows, row)
		}
	}
	if names == nil && len(mistakes) == 0 {
		wrong(1, fmt.Errorf("no header row: want %s", strings.Join(columns(), ",")))
	}
	return rows, mistakes
}

// split reads the fields of one line. No field goes over several lines, so that
// a quote that was forgotten does not swallow the rows behind it.
func split(line []byte) ([]string, error) {
	r := csv.NewReader(bytes.NewReader(line))
	r.FieldsPerRecord = -1
	fields, err := r.Read()
	if bad := (*csv.ParseError)(nil); errors.As(err, &bad) {
		return nil, bad.Err
	}
	return fields, err
}

func checkHeader(header []string) ([]string, error) {
	names := make([]string, 0, len(header))
	for _, h := range header {
		h = strings.ToLower(strings.TrimSpace(h))
		switch {
		case !slices.Contains(columns(), h):
			return nil, fmt.Errorf("there is no column %q: want %s", h, strings.Join(columns(), ","))
		case slices.Contains(names, h):
			return nil, fmt.Errorf("column %q is there twice", h)
		}
		names = append(names, h)
	}
	if !slices.ContainsFunc([]string{"plate", "container", "declaration"}, func(n string) bool { return slices.Contains(names, n) }) {
		return nil, errors.New("none of the columns plate, container and declaration is there")
	}
	return names, nil
}

// parseRow reads one row; all that is wrong with it is in the error.
func parseRow(names, fields []string) (row Row, err error) {
	var errs []error
	for i, name := range names {
		if err := row.set(name, strings.TrimSpace(fields[i])); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
		}
	}
	if len(errs) == 0 && row.Plate == "" && row.Container == "" && row.Declaration == "" {
		errs = append(errs, errors.New("it names no plate, no container and no declaration"))
	}
	if row.From != "" && row.To != "" && row.From > row.To {
		errs = append(errs, fmt.Errorf("from %s is after to %s", row.From, row.To))
	}
	// One line for a person; the parts are plain.
	texts := make([]string, 0, len(errs))
	for _, e := range errs {
		texts = append(texts, e.Error())
	}
	if len(texts) > 0 {
		return Row{}, errors.New(strings.Join(texts, "; "))
	}
	return row, nil
}

var declarationForm = regexp.MustCompile(`^\d{12}$`)

func (r *Row) set(name, value string) (err error) {
	if value == "" {
		return nil
	}
	switch name {
	case "declaration":
		r.Declaration = value
		if !declarationForm.MatchString(value) {
			err = fmt.Errorf("%q is not twelve digits", value)
		}
	case "plate":
		r.Plate, err = Plate(value)
	case "rear_plate":
		r.RearPlate, err = Plate(value)
	case "container":
		r.Container, err = number(value)
	case "gross_kg":
		r.GrossKG, err = weight(value)
	case "net_kg":
		r.NetKG, err = weight(value)
	case "goods":
		r.Goods = value
		if utf8.RuneCountInString(value) > goodsLength {
			err = fmt.Errorf("longer than %d characters", goodsLength)
		}
	case "direction":
		r.Direction = event.Direction(strings.ToLower(value))
		if r.Direction != event.Entry && r.Direction != event.Exit {
			err = fmt.Errorf("%q is neither entry nor exit", value)
		}
	case "from":
		r.From, err = day(value)
	case "to":
		r.To, err = day(value)
	}
	return err
}

// plateLength is the longest plate, in characters.
const plateLength = 12

// Plate is a plate in its canonical form: upper case letters and digits. People
// write hyphens, dots and blanks into it.
func Plate(s string) (string, error) {
	var out strings.Builder
	for _, c := range strings.ToUpper(s) {
		switch {
		case c == '-' || c == '.' || c == ' ':
		case unicode.IsLetter(c) || c >= '0' && c <= '9':
			out.WriteRune(c)
		default:
			return "", fmt.Errorf("%q has a character that no plate has", s)
		}
	}
	if n := utf8.RuneCountInString(out.String()); n < 3 || n > plateLength {
		return "", fmt.Errorf("%q is no plate", s)
	}
	return out.String(), nil
}

func number(s string) (string, error) {
	text, ok := container.Canonical(s)
	if !ok {
		return "", fmt.Errorf("%q is no container number", s)
	}
	if want, _ := container.Check(text); text[len(text)-1] != want {
		return "", fmt.Errorf("%q has a wrong check digit, it should end with %c", s, want)
	}
	return text, nil
}

func weight(s string) (*float64, error) {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(v) || v < 0 || v > heaviest {
		return nil, fmt.Errorf("%q is no weight in kg between 0 and %d", s, heaviest)
	}
	return &v, nil
}

func day(s string) (string, error) {
	if _, err := time.Parse(time.DateOnly, s); err != nil {
		return "", fmt.Errorf("%q is no day such as 2026-03-02", s)
	}
	return s, nil
}
