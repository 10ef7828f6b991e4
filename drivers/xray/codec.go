package xray

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// MaxSentence is the longest sentence in bytes, without CR LF.
const MaxSentence = 200

// Sequences is the number of sequence numbers; 9999 is followed by 0.
const Sequences = 10000

// Sentence types.
const (
	TypeStatus  = "XSTA" // scanner: its state, once a second and on change
	TypeEvent   = "XEVT" // scanner: something happened
	TypeImage   = "XIMG" // scanner: an image lies in the drop folder
	TypeCommand = "XCMD" // host: a command
	TypeAck     = "XACK" // scanner: the command of this sequence is taken
	TypeNak     = "XNAK" // scanner: it is not
)

// Errors of the codec.
var (
	ErrSentence = errors.New("not an XSP/1 sentence")
	ErrChecksum = errors.New("checksum does not match")
)

// Sentence is one line of the profile.
type Sentence struct {
	Type   string
	Seq    int // 0 to 9999, counted per direction
	Fields []string
}

// Parse reads a line without its terminator. The error wraps ErrSentence.
func Parse(line []byte) (Sentence, error) {
	body, err := checked(line)
	if err != nil {
		return Sentence{}, fmt.Errorf("%w: %w", ErrSentence, err)
	}
	fields := strings.Split(body, ",")
	if len(fields) < 2 {
		return Sentence{}, fmt.Errorf("%w: no sequence", ErrSentence)
	}
	s := Sentence{Type: fields[0], Fields: fields[2:]}
	least, known := fieldsOf(s.Type)
	if !known {
		return Sentence{}, fmt.Errorf("%w: unknown type %q", ErrSentence, s.Type)
	}
	if !isNumber(fields[1], 4) || len(fields[1]) != 4 {
		return Sentence{}, fmt.Errorf("%w: sequence %q", ErrSentence, fields[1])
	}
	s.Seq, _ = strconv.Atoi(fields[1])
	if len(s.Fields) < least {
		return Sentence{}, fmt.Errorf("%w: %s has %d fields, wants %d", ErrSentence, s.Type, len(s.Fields), least)
	}
	if err := s.check(); err != nil {
		return Sentence{}, fmt.Errorf("%w: %s: %w", ErrSentence, s.Type, err)
	}
	return s, nil
}

// Format is the sentence's line without a terminator.
func Format(s Sentence) []byte {
	body := fmt.Sprintf("%s,%04d", s.Type, s.Seq)
	if len(s.Fields) > 0 {
		body += "," + strings.Join(s.Fields, ",")
	}
	return fmt.Appendf(nil, "$%s*%02X", body, xor(body))
}

// checked takes the frame off and gives the body.
func checked(line []byte) (string, error) {
	if len(line) > MaxSentence {
		return "", fmt.Errorf("%d bytes", len(line))
	}
	if len(line) < 4 || line[0] != '$' || line[len(line)-3] != '*' {
		return "", errors.New("no $...*HH")
	}
	body := line[1 : len(line)-3]
	for i, c := range body {
		if c < ' ' || c > '~' || c == '$' || c == '*' {
			return "", fmt.Errorf("byte %#02x at column %d", c, i+2)
		}
	}
	sum, err := strconv.ParseUint(string(line[len(line)-2:]), 16, 8)
	if err != nil {
		return "", fmt.Errorf("checksum %q", line[len(line)-2:])
	}
	if want := xor(string(body)); byte(sum) != want {
		return "", fmt.Errorf("%w: %02X, computed %02X", ErrChecksum, sum, want)
	}
	return string(body), nil
}

func xor(body string) byte {
	var sum byte
	for i := range len(body) {
		sum ^= body[i]
	}
	return sum
}

// fieldsOf is the least number of fields of a type after its sequence.
func fieldsOf(name string) (least int, known bool) {
	switch name {
	case TypeStatus:
		return 6, true
	case TypeEvent, TypeCommand, TypeAck, TypeNak:
		return 1, true
	case TypeImage:
		return 4, true
	}
	return 0, false
}

func (s Sentence) check() error {
	switch s.Type {
	case TypeStatus:
		if s.Fields[0] == "" || s.Fields[4] != "0" && s.Fields[4] != "1" {
			return fmt.Errorf("state %q, estop %q", s.Fields[0], s.Fields[4])
		}
	case TypeImage:
		if s.Fields[0] == "" || s.Fields[2] == "" || !isNumber(s.Fields[1], 4) || !isNumber(s.Fields[3], 15) {
			return fmt.Errorf("scan %q, view %q, file %q, bytes %q", s.Fields[0], s.Fields[1], s.Fields[2], s.Fields[3])
		}
	case TypeEvent:
		switch s.Fields[0] {
		case "SCAN_BEGIN":
			if len(s.Fields) < 2 || s.Fields[1] == "" {
				return errors.New("SCAN_BEGIN without a scan")
			}
		case "SCAN_END":
			if len(s.Fields) < 3 || s.Fields[1] == "" || !isNumber(s.Fields[2], 4) {
				return errors.New("SCAN_END without scan and result")
			}
		case "":
			return errors.New("no event name")
		}
	}
	return nil
}

// Status is what an XSTA sentence says. Words that the profile does not know
// are kept as they are.
type Status struct {
	State   string // OFF WARMUP READY ARMED SCANNING STOPPING INTERLOCK ESTOP FAULT SERVICE
	Belt    string // FWD REV STOP
	Xray    string // ON OFF
	Curtain string // CLOSED OPEN
	EStop   bool
	Fault   string // 0 for none, else a code such as I02
}

// Status reads an XSTA sentence.
func (s Sentence) Status() Status {
	f := s.Fields
	return Status{State: f[0], Belt: f[1], Xray: f[2], Curtain: f[3], EStop: f[4] == "1", Fault: f[5]}
}

// Event is what an XEVT sentence says.
type Event struct {
	Name   string
	ScanID string
	Result *int   // of SCAN_END: 0 complete, 3 cut off by an interlock
	Code   string // of TIP
}

// Event reads an XEVT sentence.
func (s Sentence) Event() Event {
	e := Event{Name: s.Fields[0]}
	if len(s.Fields) > 1 {
		e.ScanID = s.Fields[1]
	}
	switch {
	case e.Name == "SCAN_END":
		n, _ := strconv.Atoi(s.Fields[2]) // Parse has checked it
		e.Result = &n
	case e.Name == "TIP" && len(s.Fields) > 2:
		e.Code = s.Fields[2]
	}
	return e
}

// Image is what an XIMG sentence says.
type Image struct {
	ScanID string
	View   int // 1-based
	File   string
	Bytes  int64
}

// Image reads an XIMG sentence.
func (s Sentence) Image() Image {
	view, _ := strconv.Atoi(s.Fields[1])
	size, _ := strconv.ParseInt(s.Fields[3], 10, 64)
	return Image{ScanID: s.Fields[0], View: view, File: s.Fields[2], Bytes: size}
}

// Salvage finds a whole sentence at the end of a line that could not be
// parsed, as after noise without a terminator. before is what stands in front.
func Salvage(line []byte) (before, sentence []byte, ok bool) {
	i := bytes.LastIndexByte(line, '$')
	if i <= 0 {
		return nil, nil, false
	}
	if _, err := Parse(line[i:]); err != nil {
		return nil, nil, false
	}
	return line[:i], line[i:], true
}

// isNumber says whether f is 1 to most decimal digits.
func isNumber(f string, most int) bool {
	if f == "" || len(f) > most {
		return false
	}
	for _, c := range []byte(f) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}
