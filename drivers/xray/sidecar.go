package xray

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

// MaxSidecar is the longest description of an image in bytes.
const MaxSidecar = 1 << 20

// Sidecar is what is used of the scanner's description of an image. Fields
// that it does not have are zero.
type Sidecar struct {
	ScanID string
	View   int
	KV     float64 // tube voltage, kilovolt
	MA     float64 // tube current, milliampere
	Time   *time.Time
	SHA256 string // of the image file, lower case hexadecimal
}

// ErrSidecar is wrapped by every error of ParseSidecar.
var ErrSidecar = errors.New("description of the image cannot be read")

// ParseSidecar reads a description in JSON or XML, told apart by its first
// character. Names are compared without case and punctuation, since makers
// write sha-256, SHA256 and sha_256, and at any depth.
func ParseSidecar(data []byte) (Sidecar, error) {
	if len(data) > MaxSidecar {
		return Sidecar{}, fmt.Errorf("%w: %d bytes", ErrSidecar, len(data))
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
		return Sidecar{}, fmt.Errorf("%w: %w", ErrSidecar, err)
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
		if r == '-' || r == '_' || r == ' ' {
			return -1
		}
		return r
	}, strings.ToLower(name))
	var err error
	switch plain {
	case "scanid":
		s.ScanID = value
	case "view":
		s.View, err = strconv.Atoi(value)
	case "kv":
		s.KV, err = positive(value)
	case "ma":
		s.MA, err = positive(value)
	case "time":
		var t time.Time
		if t, err = time.Parse(time.RFC3339Nano, value); err == nil {
			s.Time = &t
		}
	case "sha256":
		s.SHA256 = strings.ToLower(value)
		if len(s.SHA256) != 64 {
			err = fmt.Errorf("%d characters", len(value))
		}
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// positive reads a finite number that is not negative.
func positive(text string) (float64, error) {
	v, err := strconv.ParseFloat(text, 64)
	if err == nil && !(v >= 0 && v < 1e6) {
		err = fmt.Errorf("%q is out of range", text)
	}
	return v, err
}
