//go:build smoke

package smoke_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/event"
	"gatehouse/internal/smoke/account"
)

// end ends everything in order.
func (s *story) end() {
	if err := s.End(s.ctx, 45*time.Second); err != nil {
		s.t.Error(err)
	}
}

// judge makes the account from books and stores.
func (s *story) judge(c account.Case) account.Report {
	c, err := s.Case(s.ctx, c)
	require.NoError(s.t, err)
	c.Said = s.said
	return account.Judge(c)
}

// exports verifies both agencies' records with the key given out of band, and
// then with single bytes changed.
func (s *story) exports() {
	for _, a := range event.Agencies() {
		out := s.Stage.Path("record-" + a.Account() + ".jsonl")
		_, err := s.Stage.Output(s.within(30*time.Second), "gatehouse-console", "export", "--config", s.Stage.Config(a), "--gate", "15BB", "--out", out)
		require.NoError(s.t, err)
		report, err := s.verify(out)
		if err != nil {
			s.t.Errorf("the record of %s does not verify: %v: %s", a, err, report)
			continue
		}
		s.say("the record of %s verifies: %s", a, bytes.TrimSpace(report))
		for _, field := range []string{"header", "payload", "signature"} {
			for range 3 {
				s.mustFail(out, field)
			}
		}
	}
}

func (s *story) verify(path string) ([]byte, error) {
	args := []string{"verify", path, "--key", s.Key, "--json"}
	for _, a := range event.Agencies() {
		args = append(args, "--agency-key", s.Stage.Path(a.Account(), "keys", "agency.pub"))
	}
	return s.Stage.Output(s.within(60*time.Second), "gatectl", args...)
}

// mustFail changes one byte of a field of a seeded line, to another character
// of the same alphabet, and expects that the record does not verify.
func (s *story) mustFail(path, field string) {
	whole, err := os.ReadFile(path)
	require.NoError(s.t, err)
	at, err := s.position(whole, field)
	require.NoError(s.t, err)
	was := whole[at]
	for whole[at] == was {
		whole[at] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"[s.dice.IntN(62)]
	}
	changed := path + ".changed"
	require.NoError(s.t, os.WriteFile(changed, whole, 0o644))
	report, err := s.verify(changed)
	if err == nil {
		s.t.Errorf("a record verifies although byte %d, in a %s, was changed from %q to %q: %s", at, field, was, whole[at], report)
	}
}

// position draws a byte inside a field's value, anywhere in the file.
func (s *story) position(whole []byte, field string) (int, error) {
	lines := bytes.Count(whole, []byte{'\n'})
	mark := []byte(`"` + field + `":"`)
	for range 100 {
		skip, at := s.dice.IntN(lines), 0
		for line := range bytes.Lines(whole) {
			if skip--; skip >= 0 {
				at += len(line)
				continue
			}
			begin := bytes.Index(line, mark)
			if begin < 0 {
				break
			}
			begin += len(mark)
			size := bytes.IndexByte(line[begin:], '"')
			if size > 8 {
				return at + begin + s.dice.IntN(size-4), nil // the last characters may be padding
			}
			break
		}
	}
	return 0, fmt.Errorf("the record has no field %q to change", field)
}

// result is what build/smoke.json holds.
type result struct {
	Seed     uint64           `json:"seed"`
	Seconds  float64          `json:"seconds"`
	Kills    int              `json:"kills"`
	Points   map[string]int   `json:"points"` // reached, how often
	Planned  []string         `json:"planned"`
	Memory   map[string]int64 `json:"peak_memory_bytes"`
	Problems []string         `json:"problems"`
	account.Figures
}

// write leaves the figures for machines, beside the built programs.
func (r result) write(path string) error {
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(b, '\n'), 0o644)
}
