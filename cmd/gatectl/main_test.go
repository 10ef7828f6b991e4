package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"

	"gatehouse/internal/event"
	"gatehouse/internal/share"
	"gatehouse/internal/trust"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"gatectl": main,
	})
}

func TestScripts(t *testing.T) {
	repository, err := os.Getwd()
	require.NoError(t, err)
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Setenv("REPOSITORY", repository+"/../..")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"export": writeExport, "flip": flip, "drop": drop, "mode": mode,
		},
	})
}

// writeExport GATEKEY AGENCYKEY FILE N writes an export of N events.
func writeExport(ts *testscript.TestScript, _ bool, args []string) {
	gate, err := trust.Load(ts.MkAbs(args[0]))
	ts.Check(err)
	agency, err := trust.Load(ts.MkAbs(args[1]))
	ts.Check(err)
	n, err := strconv.Atoi(args[3])
	ts.Check(err)
	var links []share.Link
	previous := ""
	for i := range n {
		l, err := link(gate, agency, i, previous)
		ts.Check(err)
		links = append(links, l)
		previous = l.Hash()
	}
	f, err := os.Create(ts.MkAbs(args[2]))
	ts.Check(err)
	defer f.Close()
	_, err = share.WriteExport(f, func(yield func(share.Link, error) bool) {
		for _, l := range links {
			if !yield(l, nil) {
				return
			}
		}
	})
	ts.Check(err)
}

// link is the i-th event of a chain; every third is an agency's verdict.
func link(gate, agency trust.Private, i int, previous string) (share.Link, error) {
	at := time.Date(2026, 3, 2, 1, 0, i, 0, time.UTC)
	id := event.DeriveID(at, "test", strconv.Itoa(i))
	kind, source, value := event.TypePassage, "/gate/15BB", any(event.Passage{ID: id})
	if i%3 == 2 {
		kind, source, value = event.TypeVerdict, "/agency/CUSTOMS", any(event.Verdict{ID: id, Agency: event.Customs})
	}
	e, err := event.Wrap(source, kind, id, "x", at, value)
	if err != nil {
		return share.Link{}, err
	}
	payload, err := e.Bytes()
	if err != nil {
		return share.Link{}, err
	}
	h := share.Header{
		V: 1, Chain: "15BB-TEST", Sequence: uint64(i + 1), Previous: previous, Event: id, Type: kind,
		Delivery: kind.Delivery(), Digest: event.Digest(payload), Key: gate.Public().ID(), At: at,
	}
	var origin []byte
	if kind == event.TypeVerdict {
		if origin, err = share.Seal(event.Customs, agency, payload); err != nil {
			return share.Link{}, err
		}
		h.Origin = event.Digest(origin)
	}
	b, err := json.Marshal(h)
	if err != nil {
		return share.Link{}, err
	}
	return share.ParseLink(b, gate.Sign(b), origin, payload)
}

// flip FILE LINE changes one byte in the middle of a line.
func flip(ts *testscript.TestScript, _ bool, args []string) {
	edit(ts, args, func(lines [][]byte, n int) [][]byte {
		lines[n][len(lines[n])/2] ^= 1
		return lines
	})
}

// drop FILE LINE removes a line.
func drop(ts *testscript.TestScript, _ bool, args []string) {
	edit(ts, args, func(lines [][]byte, n int) [][]byte { return append(lines[:n], lines[n+1:]...) })
}

func edit(ts *testscript.TestScript, args []string, change func([][]byte, int) [][]byte) {
	path := ts.MkAbs(args[0])
	b, err := os.ReadFile(path)
	ts.Check(err)
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	ts.Check(os.WriteFile(path, bytes.Join(change(bytes.SplitAfter(b, []byte("\n")), n-1), nil), 0o600))
}

// mode FILE OCTAL requires a file's mode.
func mode(ts *testscript.TestScript, _ bool, args []string) {
	info, err := os.Stat(ts.MkAbs(args[0]))
	ts.Check(err)
	if got := fmt.Sprintf("%04o", info.Mode().Perm()); got != args[1] {
		ts.Fatalf("%s has mode %s", args[0], got)
	}
}
