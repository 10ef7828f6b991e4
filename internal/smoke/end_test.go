//go:build smoke

package smoke_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/event"
	"gatehouse/internal/smoke/account"
	"gatehouse/internal/smoke/stage"
)

// end ends everything in order: first what sends, then what judges pictures,
// then the gate, then the consoles when both hold the same.
func (s *story) end() {
	require.NoError(s.t, s.sim.Stop(s.within(30*time.Second)))
	out, err := os.ReadFile(s.stage.Path("log", "gatesim.out"))
	require.NoError(s.t, err)
	summary := bytes.TrimSpace(out)
	var said struct {
		Unsent int `json:"unsent"`
	}
	require.NoError(s.t, json.Unmarshal(summary, &said), "the simulator's summary: %s", summary)
	s.unsent = said.Unsent
	s.say("the simulator has ended: %s", summary)
	s.settle()
	require.NoError(s.t, s.daemon.Stop(s.within(40*time.Second)))
	s.say("the daemon has ended")
	if err := s.agree(15 * time.Second); err != nil {
		s.t.Errorf("after the daemon's end the consoles do not hold the same: %v", err)
	}
	for _, a := range event.Agencies() {
		require.NoError(s.t, s.consoles[a].Stop(s.within(20*time.Second)))
	}
	if err := stage.Until(s.within(5*time.Second), "the end of all workers", func() (bool, error) {
		return len(s.stage.Left()) == 0, nil
	}); err != nil {
		s.t.Errorf("programs are left over: %v", s.stage.Left())
	}
}

// settle waits until no store has a picture that waits for vision or evidence
// that it lacks. It is the account that fails when that never comes.
func (s *story) settle() {
	const limit = 45 * time.Second
	var waiting string
	err := stage.Until(s.within(limit), "vision and evidence to settle", func() (bool, error) {
		waiting = ""
		for _, a := range event.Agencies() {
			pictures, evidence, err := s.waiting(a)
			if err != nil {
				return false, err
			}
			if pictures+evidence > 0 {
				waiting = fmt.Sprintf("%s: %d pictures without an answer, %d pieces of evidence lacking", a, pictures, evidence)
			}
		}
		return waiting == "", nil
	}, s.daemon.Process)
	if err != nil {
		s.say("not settled in %s (%s): %v", limit, waiting, err)
		return
	}
	s.say("vision and evidence have settled")
}

// waiting counts what an agency's store still waits for.
func (s *story) waiting(a event.Agency) (pictures, evidence int, err error) {
	store, err := account.Load(s.ctx, a, s.stores[a])
	if err != nil {
		return 0, 0, err
	}
	final := func(analysis string) bool { return analysis == "done" || analysis == "unreadable" }
	for _, p := range store.Passages {
		for _, f := range p.Photos {
			if !final(f.Analysis) {
				pictures++
			}
		}
		for _, v := range p.Scans {
			if !final(v.Analysis) {
				pictures++
			}
		}
	}
	for _, state := range store.Evidence {
		if state != "stored" {
			evidence++
		}
	}
	return pictures, evidence, nil
}

// agree waits until both stores have the same heads, without holes, and stay so.
func (s *story) agree(limit time.Duration) error {
	const calm = 750 * time.Millisecond
	var last string
	var since time.Time
	return stage.Until(s.within(limit), "the same head at both", func() (bool, error) {
		heads := map[event.Agency]string{}
		for _, a := range event.Agencies() {
			store, err := account.Load(s.ctx, a, s.stores[a])
			if err != nil {
				return false, err
			}
			for _, h := range store.Heads {
				if h.Sequence != h.Highest {
					return false, nil
				}
			}
			heads[a] = fmt.Sprint(store.Heads)
		}
		if heads[event.Customs] != heads[event.BorderGuard] || heads[event.Customs] != last {
			last, since = heads[event.Customs], time.Now()
			return false, nil
		}
		return time.Since(since) > calm, nil
	})
}

// judge makes the account from books and stores.
func (s *story) judge(c account.Case) account.Report {
	var err error
	c.Books, err = account.ReadBooks(s.stage.Path("sim"))
	require.NoError(s.t, err)
	for _, a := range event.Agencies() {
		store, err := account.Load(s.ctx, a, s.stores[a])
		require.NoError(s.t, err)
		c.Stores = append(c.Stores, store)
	}
	c.Differences, err = account.Compare(s.ctx, s.stores[event.Customs], s.stores[event.BorderGuard])
	require.NoError(s.t, err)
	s.perDevice(c.Books)
	c.Unsure, c.From, c.Faults, c.Said, c.Evidence = s.unsent, s.watched, s.windows, s.said, s.checkEvidence
	return account.Judge(c)
}

// perDevice adds what the harness knows of each device by itself: after a kill
// it can be heard again with the first frame that it sends to a daemon that is
// ready, and when the simulator was ended it fell silent after its last.
func (s *story) perDevice(b account.Books) {
	sent := map[account.Device][]time.Time{}
	for _, f := range b.Ledger {
		d := account.Device{Lane: f.Lane, Name: f.Device}
		sent[d] = append(sent[d], f.At)
	}
	for _, w := range slices.Clone(s.windows) {
		for device, times := range sent {
			i := slices.IndexFunc(times, func(t time.Time) bool { return !t.Before(w.To) })
			if i >= 0 {
				s.window(account.Window{From: w.From, To: times[i], Device: device, What: w.What})
			}
		}
	}
	for device, times := range sent {
		s.window(account.Window{From: times[len(times)-1], To: time.Now(), Device: device, What: "the simulator's end"})
	}
}

// checkEvidence reads a piece from an agency's folder and hashes it.
func (s *story) checkEvidence(a event.Agency, digest string) error {
	f, err := os.Open(s.stage.Path(a.Account(), "evidence", digest[:2], digest))
	if err != nil {
		return err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return err
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != digest {
		return fmt.Errorf("the file's digest is %s", got)
	}
	return nil
}

// exports verifies both agencies' records with the key given out of band, and
// then with single bytes changed.
func (s *story) exports() {
	for _, a := range event.Agencies() {
		out := s.stage.Path("record-" + a.Account() + ".jsonl")
		_, err := s.stage.Output(s.within(30*time.Second), "gatehouse-console", "export", "--config", s.stage.Config(a), "--gate", "15BB", "--out", out)
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
	args := []string{"verify", path, "--key", s.key, "--json"}
	for _, a := range event.Agencies() {
		args = append(args, "--agency-key", s.stage.Path(a.Account(), "keys", "agency.pub"))
	}
	return s.stage.Output(s.within(60*time.Second), "gatectl", args...)
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
