package account

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"gatehouse/internal/sim/book"
	"gatehouse/internal/sim/fault"
)

// Books are what the simulator wrote down: the frames that it fully sent, and
// what each vehicle really was.
type Books struct {
	Ledger  []book.Frame
	Unheard []book.Frame // what left, or would have left, with nobody to hear it or to say so
	Truth   []book.Truth
	Spoilt  []book.Frame // what faults made of frames whose framing they broke
	Faults  []fault.Change
}

// Device is a device of a lane; its name alone is none, since names repeat
// across lanes.
type Device struct{ Lane, Name string }

func (d Device) String() string { return book.Key(d.Lane, d.Name) }

// ReadBooks reads the books in the simulator's folder. A last line that is
// still being written is left out, and a book that was not begun is empty but
// for the ledger and the truth.
func ReadBooks(dir string) (Books, error) {
	ledger, err := readLines[book.Frame](filepath.Join(dir, "ledger.jsonl"))
	if err != nil {
		return Books{}, err
	}
	truth, err := readLines[book.Truth](filepath.Join(dir, "truth.jsonl"))
	if err != nil {
		return Books{}, err
	}
	spoilt, err := readLines[book.Frame](filepath.Join(dir, "spoilt.jsonl"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return Books{}, err
	}
	unheard, err := readLines[book.Frame](filepath.Join(dir, "unheard.jsonl"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return Books{}, err
	}
	faults, err := readLines[fault.Change](filepath.Join(dir, "faults.jsonl"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return Books{}, err
	}
	return Books{Ledger: ledger, Unheard: unheard, Truth: truth, Spoilt: spoilt, Faults: faults}, nil
}

func readLines[T any](path string) ([]T, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the simulator's book: %w", err)
	}
	defer f.Close()
	var all []T
	for r := bufio.NewReader(f); ; {
		line, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", path, err)
		}
		var v T
		if err := json.Unmarshal(bytes.TrimSpace(line), &v); err != nil {
			return nil, fmt.Errorf("read %s, line %d: %w", path, len(all)+1, err)
		}
		all = append(all, v)
	}
}
