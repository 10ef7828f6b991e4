package intake

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

// maxSidecar is the longest description of an image in bytes.
const maxSidecar = 1 << 20

// Sidecar is what a scanner says about an image. What it does not say is zero.
type Sidecar struct {
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
	SHA256     string    // of the image file
	Width      int       // pixels that the whole scan has
	Height     int
	Incomplete bool    // the scanner says that the scan was cut off
	DeclaredKG float64 // mass of the goods by the papers
	WeighedKG  float64 // mass of the goods on the scale, tare taken off
	Declared   string  // goods by the papers: "empty", "uniform", "liquid", "metal" or other words
}

// ParseSidecar reads a description in JSON or XML, told apart by its first
// character. Names are compared without case and punctuation and at any depth,
// since makers differ.
func ParseSidecar(data []byte) (Sidecar, error) {
	if len(data) > maxSidecar {
		return Sidecar{}, fmt.Errorf("the sidecar has %d bytes; at most %d are read", len(data), maxSidecar)
	}
	var s Sidecar
	var err error
	switch trimmed := bytes.TrimLeft(data, " \t\r\n\ufeff"); {
	case bytes.HasPrefix(trimmed, []byte("{")):
		err = s.json(trimmed)
	case bytes.HasPrefix(trimmed, []byte("<")):
		err = s.xml(trimmed)
	default:
		err = errors.New("neither JSON nor XML")
	}
	if err != nil {
		return Sidecar{}, fmt.Errorf("the sidecar cannot be read: %w", err)
	}
	return s, nil
}

func (s *Sidecar) json(data []byte) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var top map[string]any
	if err := d.Decode(&top); err != nil {
		return err
	}
	return s.object(top)
}

func (s *Sidecar) object(m map[string]any) error {
	for name, v := range m {
		var err error
		switch v := v.(type) {
		case map[string]any:
			err = s.object(v)
		case string:
			err = s.set(name, v)
		case json.Number:
			err = s.set(name, v.String())
		case bool:
			err = s.set(name, strconv.FormatBool(v))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Sidecar) xml(data []byte) error {
	d := xml.NewDecoder(bytes.NewReader(data))
	name := ""
	for {
		token, err := d.Token()
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
				if err := s.set(a.Name.Local, a.Value); err != nil {
					return err
				}
			}
		case xml.CharData:
			if text := strings.TrimSpace(string(token)); text != "" {
				if err := s.set(name, text); err != nil {
					return err
				}
			}
		case xml.EndElement:
			name = ""
		}
	}
}

// set takes a value by its name; names that are not known are left alone.
func (s *Sidecar) set(name, value string) error {
	plain := strings.Map(func(r rune) rune {
		if strings.ContainsRune("-_ .", r) {
			return -1
		}
		return r
	}, strings.ToLower(name))
	var err error
	switch plain {
	case "scanid":
		s.ScanID = value
	case "scanner":
		s.Scanner = value
	case "kind":
		s.Kind = strings.ToLower(value)
	case "view":
		s.View, err = strconv.Atoi(value)
	case "width":
		s.Width, err = count(value)
	case "height":
		s.Height, err = count(value)
	case "time":
		s.Time, err = time.Parse(time.RFC3339Nano, value)
	case "sha256":
		if s.SHA256 = strings.ToLower(value); len(s.SHA256) != 64 {
			err = fmt.Errorf("%d characters", len(value))
		}
	case "complete":
		var whole bool
		whole, err = strconv.ParseBool(value)
		s.Incomplete = !whole && err == nil
	case "declared", "declaredgoods":
		s.Declared = strings.ToLower(value)
	default:
		if to := s.figure(plain); to != nil {
			*to, err = positive(value)
		}
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// figure is the field of a number's name, or nil.
func (s *Sidecar) figure(plain string) *float64 {
	switch plain {
	case "kv":
		return &s.KV
	case "ma":
		return &s.MA
	case "airlevel":
		return &s.AirLevel
	case "darklevel":
		return &s.DarkLevel
	case "mmperpixel", "pixelmm", "pixelsize", "pixelspacing":
		return &s.PixelMM
	case "declaredkg", "declaredmasskg":
		return &s.DeclaredKG
	case "weighedkg", "weighedmasskg":
		return &s.WeighedKG
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
