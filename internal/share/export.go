package share

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
)

// exportLine is a link in an export. Field order is part of the form: a line
// has one spelling only, so that any change to it shows.
type exportLine struct {
	Header    string  `json:"header"`
	Signature string  `json:"signature"`
	Origin    *string `json:"origin,omitempty"`
	Payload   *string `json:"payload,omitempty"`
}

// WriteExport writes links as JSON lines that Verify checks, in the order in
// which they come: by chain, by sequence. It returns how many it wrote.
func WriteExport(w io.Writer, links iter.Seq2[Link, error]) (int, error) {
	b := bufio.NewWriter(w)
	n := 0
	for l, err := range links {
		if err != nil {
			return n, fmt.Errorf("export link %d: %w", n+1, err)
		}
		line, err := encodeLine(l)
		if err != nil {
			return n, fmt.Errorf("export link %d: %w", n+1, err)
		}
		if _, err := b.Write(append(line, '\n')); err != nil {
			return n, fmt.Errorf("write export: %w", err)
		}
		n++
	}
	if err := b.Flush(); err != nil {
		return n, fmt.Errorf("write export: %w", err)
	}
	return n, nil
}

// Export is the entries of a chain as WriteExport takes them.
func Export(entries iter.Seq2[Entry, error]) iter.Seq2[Link, error] {
	return func(yield func(Link, error) bool) {
		for e, err := range entries {
			if !yield(e.Link, err) {
				return
			}
		}
	}
}

func encodeLine(l Link) ([]byte, error) {
	text := func(b []byte) *string {
		if b == nil {
			return nil
		}
		s := base64.StdEncoding.EncodeToString(b)
		return &s
	}
	return json.Marshal(exportLine{
		Header: *text(l.HeaderBytes), Signature: *text(l.Signature), Origin: text(l.Origin), Payload: text(l.Payload),
	})
}

// parseLine reads a line of an export and insists on its one spelling.
func parseLine(line []byte) (Link, error) {
	var x exportLine
	if err := json.Unmarshal(line, &x); err != nil {
		return Link{}, fmt.Errorf("no JSON line of an export: %w", err)
	}
	var bad error
	data := func(s *string) []byte {
		if s == nil {
			return nil
		}
		b, err := base64.StdEncoding.DecodeString(*s)
		if err != nil {
			bad = err
		}
		return b
	}
	header, signature, origin, payload := data(&x.Header), data(&x.Signature), data(x.Origin), data(x.Payload)
	if bad != nil {
		return Link{}, fmt.Errorf("no base64: %w", bad)
	}
	l, err := ParseLink(header, signature, origin, payload)
	if err != nil {
		return Link{}, err
	}
	again, err := encodeLine(l)
	if err != nil {
		return Link{}, err
	}
	if !bytes.Equal(line, again) {
		return Link{}, fmt.Errorf("the line is not spelt as an export spells it")
	}
	return l, nil
}

// ReadExport reads the links of an export in the order of its lines. It checks that
// each is spelt as an export spells it, and nothing else.
func ReadExport(r io.Reader) iter.Seq2[Link, error] {
	return func(yield func(Link, error) bool) {
		lines := bufio.NewReaderSize(r, 1<<16)
		for n := 1; ; n++ {
			line, err := readLine(lines)
			if errors.Is(err, io.EOF) {
				return
			}
			var l Link
			if err == nil {
				l, err = parseLine(line)
			}
			if err != nil {
				err = fmt.Errorf("line %d: %w", n, err)
			}
			if !yield(l, err) || err != nil {
				return
			}
		}
	}
}
