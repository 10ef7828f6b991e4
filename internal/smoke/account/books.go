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
)

// Books are what the simulator wrote down: the frames that it fully sent, and
// what each vehicle really was.
type Books struct {
	Ledger []book.Frame
	Truth  []book.Truth
}

// ReadBooks reads ledger.jsonl and truth.jsonl of the simulator's folder. A
// last line that is still being written is left out.
func ReadBooks(dir string) (Books, error) {
	ledger, err := readLines[book.Frame](filepath.Join(dir, "ledger.jsonl"))
	if err != nil {
		return Books{}, err
	}
	truth, err := readLines[book.Truth](filepath.Join(dir, "truth.jsonl"))
	if err != nil {
		return Books{}, err
	}
	return Books{Ledger: ledger, Truth: truth}, nil
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
