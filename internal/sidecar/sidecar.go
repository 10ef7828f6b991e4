package sidecar

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// MaxBytes is the longest description of an image.
const MaxBytes = 1 << 20

// ErrUnreadable is wrapped by every error of Parse.
var ErrUnreadable = errors.New("description of the image cannot be read")

// Description is what a scanner says about an image. What it does not say is
// zero.
type Description struct {
	ScanID     string
	View       int
	Scanner    string
	Kind       string    // "baggage" or "cargo"
	Time       time.Time // begin of the scan
	KV         float64   // end-point energy of the source, kilovolt
	MA         float64   // mean beam current, milliampere
	AirLevel   float64   // pixel value of the open beam
	DarkLevel  float64   // pixel value without beam
	PixelMM    float64   // millimetre of the object per pixel
	SHA256     string    // of the image file, lower case hexadecimal
	Width      int       // pixels that the whole scan has
	Height     int
	Incomplete bool    // the scanner says that the scan was cut off
	DeclaredKG float64 // mass of the goods by the papers
	WeighedKG  float64 // mass of the goods on the scale, tare taken off
	Declared   string  // goods by the papers: "empty", "uniform", "liquid", "metal" or other words
}

// Parse reads a description in JSON or XML, told apart by its first
// character. Names are compared without case and punctuation and at any depth,
// since makers differ.
func Parse(data []byte) (Description, error) {
	if len(data) > MaxBytes {
		return Description{}, fmt.Errorf("%w: more than %d bytes", ErrUnreadable, MaxBytes)
	}
	var d Description
	var err error
	switch trimmed := bytes.TrimLeft(data, " \t\r\n\ufeff"); {
	case bytes.HasPrefix(trimmed, []byte("{")):
		err = d.json(trimmed)
	case bytes.HasPrefix(trimmed, []byte("<")):
		err = d.xml(trimmed)
	default:
		err = errors.New("neither JSON nor XML")
	}
	if err != nil {
		return Description{}, fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	return d, nil
}

func (d *Description) json(data []byte) error {
	from := json.NewDecoder(bytes.NewReader(data))
	from.UseNumber()
	var top map[string]any
	if err := from.Decode(&top); err != nil {
		return err
	}
	return d.object(top)
}

func (d *Description) object(m map[string]any) error {
	for name, v := range m {
		var err error
		switch v := v.(type) {
		case map[string]any:
			err = d.object(v)
		case string:
			err = d.set(name, v)
		case json.Number:
			err = d.set(name, v.String())
		case bool:
			err = d.set(name, strconv.FormatBool(v))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (d *Description) xml(data []byte) error {
	from := xml.NewDecoder(bytes.NewReader(data))
	name := ""
	for {
		token, err := from.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch token := token.(type) {
		case xml.StartElement:
			name = token.Name.Local
			for _, a := range token.Attr {
				if err := d.set(a.Name.Local, a.Value); err != nil {
					return err
				}
			}
		case xml.CharData:
			if text := strings.TrimSpace(string(token)); text != "" {
				if err := d.set(name, text); err != nil {
					return err
				}
			}
		case xml.EndElement:
			name = ""
		}
	}
}

// set takes a value by its name; names that are not known are left alone.
func (d *Description) set(name, value string) error {
	plain := strings.Map(func(r rune) rune {
		if strings.ContainsRune("-_ .", r) {
			return -1
		}
		return r
	}, strings.ToLower(name))
	var err error
	switch plain {
	case "scanid":
		d.ScanID = value
	case "scanner":
		d.Scanner = value
	case "kind":
		d.Kind = strings.ToLower(value)
	case "view":
		d.View, err = strconv.Atoi(value)
	case "width":
		d.Width, err = count(value)
	case "height":
		d.Height, err = count(value)
	case "time":
		d.Time, err = time.Parse(time.RFC3339Nano, value)
	case "sha256":
		if d.SHA256 = strings.ToLower(value); len(d.SHA256) != 64 {
			err = fmt.Errorf("%d characters", len(value))
		}
	case "complete":
		var whole bool
		whole, err = strconv.ParseBool(value)
		d.Incomplete = !whole && err == nil
	case "declared", "declaredgoods":
		d.Declared = strings.ToLower(value)
	default:
		if to := d.figure(plain); to != nil {
			*to, err = positive(value)
		}
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// figure is the field of a number's name, or nil.
func (d *Description) figure(plain string) *float64 {
	switch plain {
	case "kv":
		return &d.KV
	case "ma":
		return &d.MA
	case "airlevel":
		return &d.AirLevel
	case "darklevel":
		return &d.DarkLevel
	case "mmperpixel", "pixelmm", "pixelsize", "pixelspacing":
		return &d.PixelMM
	case "declaredkg", "declaredmasskg":
		return &d.DeclaredKG
	case "weighedkg", "weighedmasskg":
		return &d.WeighedKG
	}
	return nil
}

// positive reads a finite number that is not negative.
func positive(text string) (float64, error) {
	v, err := strconv.ParseFloat(text, 64)
	if err == nil && !(v >= 0 && v < 1e9) {
		err = fmt.Errorf("%q is out of range", text)
	}
	return v, err
}

func count(text string) (int, error) {
	v, err := strconv.Atoi(text)
	if err == nil && (v < 0 || v > 1<<20) {
		err = fmt.Errorf("%q is out of range", text)
	}
	return v, err
}
