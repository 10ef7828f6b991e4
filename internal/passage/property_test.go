package passage_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"gatehouse/internal/event"
	"gatehouse/internal/passage"
)

// chaos plays random entries into a lane: vehicles, faults, restarts, clock
// steps, and messages that make no sense.
type chaos struct {
	*script
	rt     *rapid.T
	second float64
}

func (c *chaos) device() string {
	return rapid.SampledFrom([]string{"rpm", "camera", "rear", "xray"}).Draw(c.rt, "device")
}

func (c *chaos) scanID() string { return "S" + strconv.Itoa(rapid.IntRange(1, 6).Draw(c.rt, "scan")) }

func (c *chaos) state() event.DeviceState {
	return rapid.SampledFrom([]event.DeviceState{
		event.Up, event.Up, event.Down, event.Degraded, event.Faulty, event.Bypassed, event.InTest,
	}).Draw(c.rt, "state")
}

// advance moves the time on, seldom back, and fires what is due unless the
// runtime is late.
func (c *chaos) advance() {
	c.second += rapid.SampledFrom([]float64{0, 0, 0.05, 0.2, 0.2, 1, 2, 4, 8, 15, 40, 700, -0.1, -600}).Draw(c.rt, "seconds")
	if rapid.IntRange(0, 9).Draw(c.rt, "late") > 0 {
		c.fire()
	}
}

func (c *chaos) fire() {
	for _, d := range c.engine.Deadlines() {
		if d.At.After(at(c.second)) {
			return
		}
		c.apply(c.second, event.JournalEntry{Kind: event.EntryTimer, Timer: &event.Timer{Passage: d.Passage, Name: d.Name}})
	}
}

func (c *chaos) actions() map[string]func(*rapid.T) {
	do := func(f func()) func(*rapid.T) {
		return func(rt *rapid.T) {
			c.rt = rt
			c.advance()
			f()
		}
	}
	return map[string]func(*rapid.T){
		"begin":  do(func() { c.begin(c.second) }),
		"begin2": do(func() { c.begin(c.second) }),
		"end": do(func() {
			c.end(c.second, func(e *event.PresenceEdge) {
				e.Reverse = rapid.IntRange(0, 9).Draw(c.rt, "reverse") == 0
				e.Unterminated = rapid.IntRange(0, 9).Draw(c.rt, "unterminated") == 0
			})
		}),
		"gamma": do(func() {
			for range rapid.IntRange(1, 3).Draw(c.rt, "samples") {
				c.second += 0.2
				c.gamma(c.second, float64(rapid.IntRange(40, 60).Draw(c.rt, "counts")), rapid.IntRange(0, 19).Draw(c.rt, "alarm") == 0)
			}
		}),
		"photo": do(func() {
			device := rapid.SampledFrom([]string{"camera", "camera", "rear"}).Draw(c.rt, "camera")
			c.reading(c.second, device, photoOf(strconv.Itoa(rapid.IntRange(0, 30).Draw(c.rt, "photo")), strconv.Itoa(rapid.IntRange(0, 20).Draw(c.rt, "track"))))
		}),
		"scan": do(func() {
			c.scanEvent(c.second, c.scanID(), rapid.SampledFrom([]string{"SCAN_BEGIN", "SCAN_END", "ITEM_IN", "ITEM_OUT", "TIP"}).Draw(c.rt, "event"),
				rapid.IntRange(0, 3).Draw(c.rt, "result"))
		}),
		"image":  do(func() { c.scanImage(c.second, c.scanID(), rapid.IntRange(1, 2).Draw(c.rt, "view")) }),
		"vision": do(c.vision),
		"link":   do(func() { c.link(c.second, c.device(), c.state()) }),
		"report": do(func() {
			c.reading(c.second, c.device(), event.Reading{Kind: event.DeviceReport, Report: &event.Report{State: c.state()}})
		}),
		"restart":  do(func() { c.start(c.second, at(c.second-1)) }),
		"nonsense": do(c.nonsense),
	}
}

func (c *chaos) vision() {
	waiting := c.engine.Waiting()
	if len(waiting) == 0 {
		return
	}
	r := rapid.SampledFrom(waiting).Draw(c.rt, "request")
	a := event.Analysis{Passage: r.Passage, Evidence: r.Evidence, Op: r.Op, Attempt: r.Attempts + 1}
	c.apply(c.second, event.JournalEntry{Kind: event.EntryDispatch, Analysis: &a})
	a.Outcome = rapid.SampledFrom([]string{"done", "done", "unreadable", "unavailable"}).Draw(c.rt, "outcome")
	score := rapid.SampledFrom([]float64{0.2, 0.6, 0.9}).Draw(c.rt, "score")
	a.Result = json.RawMessage(plate("12C1234"+strconv.Itoa(rapid.IntRange(0, 2).Draw(c.rt, "plate")), score))
	if r.Op == passage.OpXray {
		a.Result = fmt.Appendf(nil, `{"score":%g,"findings":[{"code":"XRAY-ANOMALY","box":[1,2,3,4],"score":%g}],"model":"m"}`, score, score)
	}
	c.apply(c.second, event.JournalEntry{Kind: event.EntryResult, Analysis: &a})
}

func (c *chaos) nonsense() {
	kinds := []event.ReadingKind{
		event.PresenceChange, event.RadiationSample, event.CameraCapture, event.ScanEvent, event.ScanImage,
		event.DeviceReport, event.FrameInvalid, event.FrameLoss, event.RadiationBackground, "of tomorrow",
		event.WeightSample, event.WeightStable, event.DocumentRead, event.BarcodeRead, event.BarrierState,
	}
	r := event.Reading{Kind: rapid.SampledFrom(kinds).Draw(c.rt, "kind")}
	c.reading(c.second, rapid.SampledFrom([]string{"rpm", "camera", "xray", "unknown"}).Draw(c.rt, "whose"), r)
	for _, kind := range []event.EntryKind{event.EntryReading, event.EntryStart, event.EntryLink, event.EntryTimer, event.EntryDispatch, event.EntryResult, event.EntryConfig, event.EntryCorrect, "of tomorrow"} {
		if rapid.Bool().Draw(c.rt, "empty") {
			c.apply(c.second, event.JournalEntry{Kind: kind})
		}
	}
}

// finish lets every deadline pass and ends the run.
func (c *chaos) finish() {
	c.second += 10_000
	for range 20 {
		c.fire()
		c.second += 100
	}
	c.reading(c.second, "xray", event.Reading{Kind: event.FrameInvalid}) // for the end alone to account for
	c.stop(c.second)
}

func encode(t require.TestingT, v any) string {
	b, err := json.Marshal(v)
	require.NoError(t, err)
	return string(b)
}

func snapshot(t require.TestingT, e *passage.Engine) string {
	b, err := e.Snapshot()
	require.NoError(t, err)
	return string(b)
}

func TestAnyInterleaving(t *testing.T) {
	lane := goodsLane(t)
	lane.Keep = passage.Keep{Count: 4, Pending: 6} // so that forgetting is met too
	rapid.Check(t, func(rt *rapid.T) {
		c := &chaos{script: &script{t: rt, engine: passage.New(lane)}, rt: rt}
		c.start(-1, time.Time{})
		for _, d := range lane.Devices {
			c.link(-1, d.ID, event.Up)
		}
		rt.Repeat(c.actions())
		c.finish()
		checkReplay(rt, lane, c.script, rapid.SampledFrom([]int{1, 3, 7}).Draw(rt, "crash every"))
		checkRecords(rt, c.script)
		checkFrames(rt, c.script)
		checkShared(rt, c.script)
	})
}

// checkReplay replays the journal from its start, once as read back from disk
// and once with a crash after every so many entries.
func checkReplay(t require.TestingT, lane passage.Lane, s *script, crashEvery int) {
	replayed, crashing := passage.New(lane), passage.New(lane)
	var again, crashed []passage.Effect
	for i, entry := range s.entries {
		var read event.JournalEntry
		require.NoError(t, json.Unmarshal([]byte(encode(t, entry)), &read))
		again = append(again, replayed.Apply(read)...)
		crashed = append(crashed, crashing.Apply(read)...)
		if i%crashEvery != 0 {
			continue
		}
		restored, err := passage.Restore(lane, []byte(snapshot(t, crashing)))
		require.NoError(t, err)
		crashing = restored
	}
	same := func(got []passage.Effect, what string) {
		require.Len(t, got, len(s.effects), what)
		for i := range got {
			require.Equal(t, encode(t, s.effects[i]), encode(t, got[i]), "%s: effect %d", what, i)
		}
	}
	same(again, "effects of a replay")
	same(crashed, "effects with crashes")
	require.Equal(t, snapshot(t, s.engine), snapshot(t, replayed))
	require.Equal(t, snapshot(t, s.engine), snapshot(t, crashing))
	require.Equal(t, s.engine.Waiting(), crashing.Waiting())
}

func checkRecords(t require.TestingT, s *script) {
	owner := map[event.ID]event.ID{}
	begins := map[event.ID]bool{}
	for _, e := range s.entries {
		if r := e.Reading; r != nil && r.Device == "rpm" && r.Presence != nil && r.Presence.Occupied {
			begins[r.ID] = true
		}
	}
	for _, p := range s.records() {
		require.Contains(t, []event.PassageState{event.Closed, event.Cancelled, event.Merged}, p.State, "nothing stays open")
		require.NotNil(t, p.ClosedAt)
		require.NotNil(t, p.LeftAt)
		own := 0
		for _, r := range p.Readings {
			require.NotContains(t, owner, r.ID, "a reading belongs to one passage")
			owner[r.ID] = p.ID
			if begins[r.ID] {
				own++
			}
		}
		if own > 1 {
			resumed := slices.Contains(p.Irregular, "restart") || slices.Contains(p.Irregular, "no-presence") || len(p.Corrections) > 0
			require.True(t, resumed, "two begins make one passage only across a break: %v", p.Irregular)
		}
	}
	for id := range begins {
		require.Contains(t, owner, id, "every begin has a passage")
	}
}

func checkFrames(t require.TestingT, s *script) {
	sent, logged := map[string]int{}, map[string]int{}
	for _, e := range s.entries {
		if e.Reading == nil {
			continue
		}
		for _, f := range e.Reading.Frames {
			sent[e.Reading.Device+" "+f[:16]]++
		}
	}
	for _, l := range decode[event.FrameLog](t, s.effects, event.TypeFrameLog) {
		require.Len(t, l.Digests, l.Count)
		for _, f := range l.Digests {
			logged[l.Device+" "+f]++
		}
	}
	require.Equal(t, sent, logged)
}

func checkShared(t require.TestingT, s *script) {
	seen := map[event.ID]bool{}
	findings := map[event.ID]bool{}
	for _, e := range s.effects {
		require.Empty(t, e.Fault)
		if e.Share == nil {
			continue
		}
		require.False(t, seen[e.Share.ID], "an id names one event: %s", e.Share.Type)
		seen[e.Share.ID] = true
		_, err := e.Share.Bytes()
		require.NoError(t, err)
		switch e.Share.Type {
		case event.TypePassage:
			for _, f := range decode[event.Passage](t, []passage.Effect{e}, event.TypePassage)[0].Findings {
				findings[f.ID] = true
			}
		case event.TypeAlert:
			a := decode[event.Alert](t, []passage.Effect{e}, event.TypeAlert)[0]
			require.True(t, findings[a.Finding.ID], "an alert follows the record that holds its finding")
			for _, ref := range a.References {
				require.True(t, seen[ref])
			}
			require.Equal(t, a.MsgType == "Alert", len(a.References) == 0)
		}
	}
}

// TestConvoys joins random convoys of vehicles that behave: each gets its own
// picture, samples and scan, however close they follow.
func TestConvoys(t *testing.T) {
	lane := goodsLane(t)
	rapid.Check(t, func(rt *rapid.T) {
		s := &script{t: rt, engine: passage.New(lane)}
		s.start(-1, time.Time{})
		for _, d := range lane.Devices {
			s.link(-1, d.ID, event.Up)
		}
		type act struct {
			second float64
			do     func(second float64)
		}
		var acts []act
		seconds := func(name string, low, high float64) float64 {
			return float64(rapid.IntRange(int(low*10), int(high*10)).Draw(rt, name)) / 10
		}
		vehicles := rapid.IntRange(1, 6).Draw(rt, "vehicles")
		captured, free, scanned := 0.0, 0.0, 0.0 // captured: not before the one ahead has entered the zone
		for v := range vehicles {
			name := "V" + strconv.Itoa(v)
			begin := free + seconds("headway", 1.1, 30)
			capture := max(captured+0.1, begin-seconds("ahead", 0.1, 9.9))
			begin = max(begin, capture+0.1)
			end := begin + seconds("stay", 0.5, 12)
			scan := max(scanned+0.1, end+seconds("drive", 0.1, 15))
			captured, free, scanned = begin, end, scan+3
			acts = append(acts,
				act{capture, func(at float64) { s.photo(at, "camera", name) }},
				act{begin, s.begin}, act{begin + 0.2, func(at float64) { s.gamma(at, 45, false) }},
				act{end, func(at float64) { s.end(at) }},
				act{scan, func(at float64) { s.scanEvent(at, name, "SCAN_BEGIN") }},
				act{scan + 2, func(at float64) { s.scanEvent(at, name, "SCAN_END", 0) }},
				act{scan + 3, func(at float64) { s.scanImage(at, name, 1) }})
		}
		slices.SortStableFunc(acts, func(a, b act) int { return int((a.second - b.second) * 1000) })
		for _, a := range acts {
			s.untilQuiet(a.second)
			a.do(a.second)
		}
		rs := s.records()
		require.Len(rt, rs, vehicles)
		for v, p := range rs {
			name := "V" + strconv.Itoa(v)
			require.Empty(rt, p.Irregular)
			require.Equal(rt, digests(name), images(p))
			require.Len(rt, p.Scans, 1)
			require.Equal(rt, name, p.Scans[0].ScanID)
			require.Len(rt, p.Radiation.Gamma, 1)
		}
	})
}
