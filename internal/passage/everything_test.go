package passage_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"gatehouse/internal/event"
	"gatehouse/internal/passage"
)

// everything is chaos in a lane with every instrument, with officers who
// correct, lists that answer and configurations that change.
type everything struct {
	*chaos
	seen   int // effects that newest covers
	ids    []event.ID
	newest map[event.ID]event.Passage
	said   []event.Correction
}

func (c *everything) follow() {
	for _, p := range decode[event.Passage](c.rt, c.effects[c.seen:], event.TypePassage) {
		if _, known := c.newest[p.ID]; !known {
			c.ids = append(c.ids, p.ID)
		}
		c.newest[p.ID] = p
	}
	c.seen = len(c.effects)
}

func (c *everything) more() map[string]func(*rapid.T) {
	do := func(f func()) func(*rapid.T) {
		return func(rt *rapid.T) {
			c.rt = rt
			c.advance()
			f()
			c.follow()
		}
	}
	pick := func(name string, of ...string) string { return rapid.SampledFrom(of).Draw(c.rt, name) }
	number := func(name string, low, high int) int { return rapid.IntRange(low, high).Draw(c.rt, name) }
	return map[string]func(*rapid.T){
		"weight": do(func() {
			kg := float64(1000 * number("tonnes", 0, 4))
			var change []func(*event.Reading)
			if number("stable", 0, 2) == 0 {
				change = append(change, stable)
			}
			if number("odd", 0, 9) == 0 {
				change = append(change, func(r *event.Reading) {
					r.Class, r.Weight.ZeroBefore = event.Idle, false
					if number("void", 0, 1) == 0 {
						r.Weight.Gross, r.Weight.OverRange, r.Quality = nil, true, event.Bad
					}
				})
			}
			c.kg(c.second, pick("scale", "scale", "scale", "axles"), kg, change...)
		}),
		"document": do(func() {
			name := pick("name", "NGUYEN", "TRAN", "LE")
			c.document(c.second, traveller(name, "C"+strconv.Itoa(number("number", 1, 3)), func(d *event.Document) {
				d.Expiry = pick("expiry", "2030-01-01", "2026-03-01", "2026-XX-XX", "", "soon")
				d.Checks["number"] = pick("check", "ok", "ok", "wrong")
			}))
		}),
		"code": do(func() {
			c.code(c.second, pick("code", "103456789012", "103456789013", "CSQU3054383", "CSQU3054384 45G1", "TK 103456789012 ZEPU0037255", "?"))
		}),
		"listed": do(c.answerLookup),
		"barrier": do(func() {
			c.reading(c.second, "barrier", event.Reading{Kind: event.BarrierState, Barrier: &event.Barrier{
				Arm: pick("arm", "up", "down", "between"), Lights: []string{pick("light", "red", "green")}, Watchdog: "none",
			}})
		}),
		"background": do(func() {
			fault := pick("fault", "", "high-background", "low-background")
			c.reading(c.second, "rpm", event.Reading{Kind: event.RadiationBackground, Radiation: &event.Radiation{
				Record: "GH", Channel: pick("channel", "gamma", "neutron"), Fault: fault, IntervalMS: 1000,
			}})
		}),
		"tamper": do(func() {
			c.reading(c.second, pick("whose", "rpm", "scale"), event.Reading{Kind: event.DeviceReport, Report: &event.Report{
				State: c.state(), Code: pick("word", "TT", "TC", "GB", "STANDING", "CALIBRATION-EXPIRED"),
			}})
		}),
		"clock": do(func() {
			speed := float64(number("speed", 5, 30))
			r := event.Reading{Kind: event.RadiationSample, Radiation: &event.Radiation{Record: "SP", SpeedKMH: &speed}}
			r.Clock = event.Clock{Source: "ntp", Synchronised: number("synchronised", 0, 1) == 0, SteppedMS: float64(5000 * number("step", 0, 1))}
			c.reading(c.second, "rpm", r)
		}),
		"configure": do(func() {
			c.apply(c.second, event.JournalEntry{Kind: event.EntryConfig, Config: strconv.Itoa(number("config", 1, 3))})
		}),
		"correct": do(c.correct),
	}
}

func (c *everything) answerLookup() {
	for _, r := range c.engine.Waiting() {
		if r.Op != passage.OpExpected {
			continue
		}
		answer := passage.Listed{Expected: event.Expected{List: "l", SHA256: event.Digest([]byte("l")), Asked: r.Evidence}}
		if rapid.Bool().Draw(c.rt, "found") {
			gross := float64(rapid.IntRange(1, 4).Draw(c.rt, "declared")) * 1000
			answer.Found, answer.GrossKG = true, &gross
		} else if rapid.Bool().Draw(c.rt, "alike") {
			answer.Similar = []string{"12C12399"}
		}
		result := json.RawMessage(encode(c.rt, answer))
		if rapid.IntRange(0, 9).Draw(c.rt, "bad") == 0 {
			result = json.RawMessage(`"no answer"`)
		}
		c.apply(c.second, event.JournalEntry{Kind: event.EntryResult, Analysis: &event.Analysis{
			Passage: r.Passage, Evidence: r.Evidence, Op: r.Op, Outcome: "done", Result: result,
		}})
		return
	}
}

func (c *everything) correct() {
	c.follow()
	if len(c.said) > 0 && rapid.IntRange(0, 4).Draw(c.rt, "again") == 0 { // it comes again after a crash
		again := rapid.SampledFrom(c.said).Draw(c.rt, "which")
		c.say(again)
		return
	}
	kinds := []event.CorrectionKind{event.CorrectEnter, event.CorrectSplit, event.CorrectSplit, event.CorrectMerge, event.CorrectMerge, event.CorrectFacts, event.CorrectFacts, event.CorrectCancel, "of tomorrow"}
	when := at(c.second - float64(rapid.IntRange(0, 30).Draw(c.rt, "ago")))
	said := event.Correction{
		ID: c.id(at(c.second)), Agency: event.Customs, Gate: "15BB", Lane: "01", Kind: rapid.SampledFrom(kinds).Draw(c.rt, "kind"),
		Passage: c.anyPassage(), Other: c.anyPassage(), At: at(c.second), Moment: &when, Reason: "because", Badge: "b1",
		Facts: event.Facts{
			Plate: rapid.SampledFrom([]string{"", "29H54321", "12C12340"}).Draw(c.rt, "plate"), Direction: event.Exit,
			Container: rapid.SampledFrom([]string{"", "CSQU3054383"}).Draw(c.rt, "container"),
		},
	}
	if said.Kind == event.CorrectEnter {
		said.Passage = c.id(at(c.second))
	}
	c.said = append(c.said, said)
	c.say(said)
}

func (c *everything) anyPassage() event.ID {
	if len(c.ids) == 0 {
		return "01KJPENQ4RH0GHD0N4AHZATRC0"
	}
	return rapid.SampledFrom(c.ids).Draw(c.rt, "passage")
}

// say journals a correction as the gate does, with the newest shared versions.
func (c *everything) say(said event.Correction) {
	entry := event.JournalEntry{Kind: event.EntryCorrect, Correct: &said}
	for _, id := range []event.ID{said.Passage, said.Other} {
		if p, ok := c.newest[id]; ok && rapid.IntRange(0, 9).Draw(c.rt, "recalled") > 0 {
			entry.Recalled = append(entry.Recalled, p)
		}
	}
	c.apply(c.second, entry)
}

func TestAnyInterleavingOfEverything(t *testing.T) {
	lane := wholeLane(t)
	lane.Devices = append(lane.Devices, passage.Device{ID: "mrz", Driver: "mrz", Role: passage.RoleDocument})
	lane.Devices[0].Container = true
	lane.Keep = passage.Keep{Count: 4, Pending: 6}
	rapid.Check(t, func(rt *rapid.T) {
		base := &chaos{script: &script{t: rt, engine: passage.New(lane)}, rt: rt}
		c := &everything{chaos: base, newest: map[event.ID]event.Passage{}}
		c.start(-1, time.Time{})
		for _, d := range lane.Devices {
			c.link(-1, d.ID, event.Up)
		}
		actions := c.actions()
		maps.Copy(actions, c.more())
		rt.Repeat(actions)
		c.rt = rt
		c.finish()
		checkReplay(rt, lane, c.script, rapid.SampledFrom([]int{1, 3, 7}).Draw(rt, "crash every"))
		checkRecords(rt, c.script)
		checkFrames(rt, c.script)
		checkShared(rt, c.script)
		checkFindings(rt, c.script)
	})
}

// checkFindings says that no version of a passage has a finding twice, and that
// what is cancelled was an alert.
func checkFindings(t require.TestingT, s *script) {
	for _, p := range decode[event.Passage](t, s.effects, event.TypePassage) {
		seen := map[event.ID]bool{}
		for _, f := range p.Findings {
			require.False(t, seen[f.ID], "finding %s twice", f.Code)
			seen[f.ID] = true
		}
		single := map[string]int{}
		for _, f := range p.Findings {
			switch f.Code {
			case event.FindingUnexpected, event.FindingWeightDeclared, event.FindingOverspeed, event.FindingPlateUnread:
				single[f.Code]++
				require.Equal(t, 1, single[f.Code], f.Code)
			}
		}
		require.LessOrEqual(t, len(p.Weighings), 32)
		for _, w := range p.Weighings {
			require.LessOrEqual(t, len(w.Course), 240)
		}
	}
	raised := map[event.ID]bool{}
	for _, a := range s.alerts() {
		if a.MsgType == "Alert" {
			raised[a.ID] = true
		}
		if a.MsgType == "Cancel" {
			require.True(t, raised[a.References[0]], "%s is cancelled that was never raised", fmt.Sprint(a.References))
		}
	}
}
