package tip

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"
)

// File is the name of the record within the folder of a console's private part.
const File = "trials.jsonl"

// Answer is what a reviewer says of what was shown.
type Answer string

// Answers.
const (
	Clear   Answer = "clear"
	Suspect Answer = "suspect"
)

// Setting says how a lane's reviewers are tested. A lane without one is not.
type Setting struct {
	Lane string `json:"lane"`
	On   bool   `json:"on"`
	// Share is the share of scans that are trials, above 0 and up to 0.2: more
	// would keep reviewers from their work. Half of the trials are controls, in
	// which nothing is projected.
	Share float64   `json:"share,omitempty"`
	By    string    `json:"by"` // the supervisor
	At    time.Time `json:"at"` // UTC
}

// Trial is one scan shown to one reviewer as a test.
type Trial struct {
	ID       string    `json:"id"`
	Lane     string    `json:"lane"`
	Scan     string    `json:"scan"` // digest of the real scan
	Reviewer string    `json:"reviewer"`
	At       time.Time `json:"at"` // UTC
	// Threat is what is projected; empty in a control.
	Threat string `json:"threat,omitempty"`
	Seed   uint64 `json:"seed"` // of the projection: shown again it is the same
	// Answer is empty while the reviewer looks.
	Answer   Answer    `json:"answer,omitempty"`
	Answered time.Time `json:"answered,omitzero"`
	// Void trials do not count: the test was switched off while the reviewer
	// looked, or the real scan turned out to be suspect.
	Void bool `json:"void,omitempty"`
	// Done says that the real scan was decided on.
	Done bool `json:"done,omitempty"`
	// Plain says that this is no trial: the draw left the scan as it is, or
	// nothing could be projected into it. It is kept so that it stays none, and
	// is void and done from the beginning.
	Plain bool `json:"plain,omitempty"`
}

// Open tells whether the reviewer is to be shown the projection.
func (t *Trial) Open() bool { return t != nil && t.Answer == "" && !t.Void }

// Settled tells whether it was a trial and is one no more: it was answered, or
// ended without an answer.
func (t *Trial) Settled() bool { return t != nil && !t.Plain && !t.Open() }

// line is one line of the record: what changed.
type line struct {
	Setting *Setting `json:"setting,omitempty"`
	Trial   *Trial   `json:"trial,omitempty"`
}

// book appends to the record, one line a change, each on disk before it counts.
type book struct{ file *os.File }

// open reads the record and makes it ready to be written on. A last line that a
// crash cut off is taken away; any other damage is an error.
func open(path string, take func(line)) (*book, error) {
	data, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read the record of projections: %w", err)
	}
	whole := bytes.LastIndexByte(data, '\n') + 1
	lines := bufio.NewScanner(bytes.NewReader(data[:whole]))
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		var l line
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			return nil, fmt.Errorf("read the record of projections: line %d of %s: %w", n, path, err)
		}
		take(l)
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the record of projections: %w", err)
	}
	if err = file.Truncate(int64(whole)); err == nil {
		_, err = file.Seek(0, io.SeekEnd)
	}
	if err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("open the record of projections: %w", err)
	}
	return &book{file}, nil
}

func (b *book) write(l line) error {
	body, err := json.Marshal(l)
	if err == nil {
		_, err = b.file.Write(append(body, '\n'))
	}
	if err == nil {
		err = b.file.Sync()
	}
	if err != nil {
		return fmt.Errorf("write the record of projections: %w", err)
	}
	return nil
}
