package passage_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/event"
	"gatehouse/internal/passage"
	"gatehouse/internal/risk"
)

// noon is the beginning of every script.
var noon = time.Date(2026, 3, 2, 5, 0, 0, 0, time.UTC)

func policy(t require.TestingT) *risk.Table {
	table, err := risk.Default()
	require.NoError(t, err)
	return table
}

// goodsLane is the demo gate's lane with a second camera on the rear.
func goodsLane(t require.TestingT) passage.Lane {
	return passage.Lane{
		Gate: "15BB", ID: "01", Kind: event.Vehicle, Direction: event.Entry, Flow: event.Goods,
		Vision: true, Policy: policy(t),
		Devices: []passage.Device{
			{ID: "rpm", Driver: "rpm", Role: passage.RolePresence, Required: true, Radiation: true},
			{ID: "camera", Driver: "camera", Role: passage.RoleCamera, Required: true, View: "front"},
			{ID: "rear", Driver: "camera", Role: passage.RoleCamera, View: "rear", Position: passage.PositionAfter},
			{ID: "xray", Driver: "xray", Role: passage.RoleScanner, Required: true, Scan: "cargo"},
		},
	}
}

// script plays a lane's journal entry by entry. Times are seconds after noon.
type script struct {
	t       require.TestingT
	engine  *passage.Engine
	entries []event.JournalEntry
	effects []passage.Effect
	n       int
}

func play(t *testing.T, lane passage.Lane) *script {
	t.Helper()
	s := &script{t: t, engine: passage.New(lane)}
	s.start(-1, time.Time{})
	for _, d := range lane.Devices {
		s.link(-1, d.ID, event.Up)
	}
	return s
}

func at(second float64) time.Time { return noon.Add(time.Duration(second * float64(time.Second))) }

// id makes entry and reading ids that are the same in every run.
func (s *script) id(when time.Time) event.ID {
	s.n++
	return event.DeriveID(when, "test", fmt.Sprint(s.n))
}

func (s *script) apply(second float64, entry event.JournalEntry) []passage.Effect {
	when := at(second)
	entry.ID, entry.Lane, entry.At = s.id(when), "01", when
	s.entries = append(s.entries, entry)
	effects := s.engine.Apply(entry)
	s.effects = append(s.effects, effects...)
	return effects
}

func (s *script) reading(second float64, device string, r event.Reading) []passage.Effect {
	when := at(second)
	r.ID, r.ReceivedAt = s.id(when), when
	r.Where = event.Where{Gate: "15BB", Lane: "01", Device: device}
	if r.Class == "" {
		r.Class = event.Active
	}
	if r.Quality == "" {
		r.Quality = event.Good
	}
	if r.Frames == nil {
		r.Frames = []string{event.Digest([]byte(r.ID))}
	}
	return s.apply(second, event.JournalEntry{Kind: event.EntryReading, Reading: &r})
}

func (s *script) start(second float64, lastSeen time.Time) {
	s.apply(second, event.JournalEntry{Kind: event.EntryStart, Start: &event.Start{LastSeen: lastSeen}})
}

func (s *script) stop(second float64) { s.apply(second, event.JournalEntry{Kind: event.EntryStop}) }

func (s *script) link(second float64, device string, state event.DeviceState) {
	s.apply(second, event.JournalEntry{Kind: event.EntryLink, Link: &event.LinkChange{
		Device: device, State: state, Since: at(second), Heard: at(second - 1),
	}})
}

func (s *script) begin(second float64) {
	s.reading(second, "rpm", event.Reading{Kind: event.PresenceChange, Presence: &event.PresenceEdge{Occupied: true}})
}

func (s *script) end(second float64, change ...func(*event.PresenceEdge)) {
	edge := &event.PresenceEdge{}
	for _, f := range change {
		f(edge)
	}
	s.reading(second, "rpm", event.Reading{Kind: event.PresenceChange, Presence: edge})
}

func gammaSample(counts float64, alarm bool) event.Reading {
	return event.Reading{Kind: event.RadiationSample, Radiation: &event.Radiation{
		Record: "GS", Channel: "gamma", Counts: []float64{counts, counts, counts, counts}, IntervalMS: 200, Alarm: alarm,
		GammaBackgroundCPS: 900, NeutronBackgroundCPS: 8,
	}}
}

func (s *script) gamma(second, counts float64, alarm bool) {
	s.reading(second, "rpm", gammaSample(counts, alarm))
}

func photoOf(name, track string) event.Reading {
	return event.Reading{Kind: event.CameraCapture, Key: name, Capture: &event.Capture{
		EventID: track, Image: &event.Evidence{SHA256: event.Digest([]byte(name)), MediaType: "image/jpeg", Bytes: 100, Role: "plate-photo"},
	}}
}

func (s *script) photo(second float64, device, name string) {
	s.reading(second, device, photoOf(name, name))
}

func (s *script) scanEvent(second float64, scan, name string, result ...int) {
	ev := &event.Scan{ScanID: scan, Event: name}
	if len(result) > 0 {
		ev.Result = &result[0]
	}
	s.reading(second, "xray", event.Reading{Kind: event.ScanEvent, Scan: ev})
}

func (s *script) scanImage(second float64, scan string, view int) {
	name := fmt.Sprintf("%s-%d", scan, view)
	s.reading(second, "xray", event.Reading{Kind: event.ScanImage, Key: name, Scan: &event.Scan{
		ScanID: scan, View: view, Image: &event.Evidence{SHA256: event.Digest([]byte(name)), MediaType: "image/png", Bytes: 100, Role: "scan"},
	}})
}

func (s *script) scan(second float64, scan string) {
	s.scanEvent(second, scan, "SCAN_BEGIN")
	s.scanEvent(second+2, scan, "SCAN_END", 0)
	s.scanImage(second+3, scan, 1)
}

// answer gives a result to the waiting analysis of an image.
func (s *script) answer(second float64, image, outcome, result string) {
	digest := event.Digest([]byte(image))
	for _, r := range s.engine.Waiting() {
		if r.Evidence == digest {
			s.apply(second, event.JournalEntry{Kind: event.EntryResult, Analysis: &event.Analysis{
				Passage: r.Passage, Evidence: digest, Op: r.Op, Outcome: outcome, Result: json.RawMessage(result),
			}})
			return
		}
	}
	require.FailNow(s.t, "no analysis waits", image)
}

func plate(text string, score float64) string {
	return fmt.Sprintf(`{"file":"x","plates":[{"text":%q,"display":%q,"country":"VN","score":%g,"box":[1,2,3,4]}],"model":"plates-1"}`, text, text, score)
}

const clearScan = `{"file":"x","kind":"cargo","score":0.1,"findings":[],"cargo":{"state":"loaded","fill":0.7},"model":"cargo-1"}`

// untilQuiet fires deadlines as the lane runtime does, up to a second.
func (s *script) untilQuiet(second float64) {
	for range 1000 {
		ds := s.engine.Deadlines()
		if len(ds) == 0 || ds[0].At.After(at(second)) {
			return
		}
		s.apply(ds[0].At.Sub(noon).Seconds()+0.001, event.JournalEntry{
			Kind: event.EntryTimer, Timer: &event.Timer{Passage: ds[0].Passage, Name: ds[0].Name},
		})
	}
	require.FailNow(s.t, "deadlines never run out")
}

func decode[T any](t require.TestingT, effects []passage.Effect, typ event.Type) []T {
	var all []T
	for _, e := range effects {
		require.Empty(t, e.Fault)
		if e.Share == nil || e.Share.Type != typ {
			continue
		}
		var v T
		require.NoError(t, json.Unmarshal(e.Share.Data, &v))
		all = append(all, v)
	}
	return all
}

// records are the newest versions of all passages, in the order of opening.
func (s *script) records() []event.Passage {
	var order []event.ID
	newest := map[event.ID]event.Passage{}
	for _, p := range decode[event.Passage](s.t, s.effects, event.TypePassage) {
		if _, known := newest[p.ID]; !known {
			order = append(order, p.ID)
		}
		require.Equal(s.t, newest[p.ID].Version+1, p.Version, "versions of a passage rise by one")
		newest[p.ID] = p
	}
	all := make([]event.Passage, 0, len(order))
	for _, id := range order {
		all = append(all, newest[id])
	}
	return all
}

func (s *script) one() event.Passage {
	rs := s.records()
	require.Len(s.t, rs, 1)
	return rs[0]
}

func (s *script) alerts() []event.Alert {
	return decode[event.Alert](s.t, s.effects, event.TypeAlert)
}

func codes(p event.Passage) []string {
	cs := []string{}
	for _, f := range p.Findings {
		c := f.Code
		if f.Device != "" {
			c += " " + f.Device
		}
		cs = append(cs, c)
	}
	return cs
}

func images(p event.Passage) []string {
	ds := []string{}
	for _, f := range p.Photos {
		ds = append(ds, f.Image.SHA256)
	}
	return ds
}

func digests(names ...string) []string {
	ds := []string{}
	for _, n := range names {
		ds = append(ds, event.Digest([]byte(n)))
	}
	return ds
}

func coverage(t require.TestingT, p event.Passage, device string) event.Coverage {
	for _, c := range p.Coverage {
		if c.Device == device {
			return c
		}
	}
	require.FailNow(t, "no coverage", device)
	return event.Coverage{}
}
