package faults_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gatehouse/internal/event"
	"gatehouse/internal/sim/book"
	"gatehouse/internal/sim/fault"
	"gatehouse/internal/smoke/account"
	"gatehouse/internal/story/faults"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestEveryFaultOnTheMenuHasAnExpectation(t *testing.T) {
	known := map[string]bool{}
	for _, spec := range fault.Menu() {
		known[spec.Name] = true
		for _, kind := range spec.Devices {
			row, ok := faults.Find(spec.Name, kind)
			require.True(t, ok, "nobody has said what has to be seen of %s on %s", spec.Name, kind)
			require.NotEmpty(t, row.Wants, spec.Name)
			require.NotEmpty(t, row.Says, spec.Name)
		}
	}
	for _, row := range faults.Table() {
		require.True(t, known[row.Fault], "%s is not on the menu", row.Fault)
	}
	for _, r := range faults.Reference() {
		require.True(t, len(r.Faults) > 0 != (r.Why != ""), r.Text)
		for _, name := range r.Faults {
			require.True(t, known[name], "%s is not on the menu", name)
		}
	}
}

var began = time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)

func at(seconds float64) time.Time { return began.Add(time.Duration(seconds * float64(time.Second))) }

// rpm is the device of most cases.
func rpm() account.Device { return account.Device{Lane: "02", Name: "rpm"} }

// books has a silence of lane 02's portal with a person in it, and a tamper on
// the other lane's.
func books() account.Books {
	change := func(name, lane, phase string, seconds float64) fault.Change {
		return fault.Change{Lane: lane, Fault: name, Device: "rpm", Phase: phase, At: at(seconds)}
	}
	return account.Books{
		Ledger: []book.Frame{{N: 1, Lane: "02", Device: "rpm", Kind: book.Line, SHA256: event.Digest([]byte("sample")), Passage: "sim-000001", At: at(31)}, {N: 2, Lane: "01", Device: "rpm", At: at(110)}},
		Truth: []book.Truth{
			{Lane: "02", Vehicle: "sim-000001", Kind: "person", Began: at(30), Ended: at(40), Faults: []string{"rpm/silence"}},
			{Lane: "01", Vehicle: "sim-000002", Kind: "rigid", Began: at(30), Ended: at(40), Faults: []string{"rpm/silence"}},
		},
		Faults: []fault.Change{
			change("silence", "02", "set", 30), change("tamper", "01", "set", 31), change("tamper", "01", "ended", 34),
			change("silence", "02", "ended", 44), change("split", "02", "set", 60), change("split", "02", "ended", 64),
		},
	}
}

// site is what an agency holds when all is as it should be.
func site(agency event.Agency) *faults.Site {
	where := event.Where{Lane: "02", Device: "rpm"}
	store := &account.Store{
		Agency: agency,
		Gaps:   []event.Gap{{ID: "gap", Where: where, From: at(30), To: at(45)}},
		Passages: []event.Passage{{
			ID: "p1", Where: event.Where{Lane: "02"}, Kind: event.Person,
			Readings: []event.ReadingRef{{ID: "r1", Device: "rpm", Frames: []string{event.Digest([]byte("sample"))}}},
			Coverage: []event.Coverage{{Device: "rpm", State: event.Down, Reason: event.Text{EN: "no signal"}}},
		}},
	}
	history := account.History{
		Changes: []event.DeviceChange{
			{ID: event.NewID(at(1)), Where: where, State: event.Up, Since: at(1), Required: true},
			{ID: event.NewID(at(42)), Where: where, State: event.Down, Since: at(42), Reason: "no signal for 12s", Required: true},
			{ID: event.NewID(at(45)), Where: where, State: event.Up, Since: at(45), Required: true},
		},
		Logs: []event.FrameLog{{ID: "l1", Where: where, From: at(50), To: at(100), Count: 90}},
	}
	return faults.Sight(books(), store, history, nil)
}

func sites() []*faults.Site {
	return []*faults.Site{site(event.Customs), site(event.BorderGuard)}
}

func TestFaultsAreGatheredFromTheBooks(t *testing.T) {
	played := faults.Gather(books())
	require.Len(t, played, 3)
	require.Equal(t, "silence", played[0].Fault)
	require.Equal(t, rpm(), played[0].Device)
	require.Equal(t, at(30), played[0].From)
	require.Equal(t, at(44), played[0].To)
	require.Len(t, played[0].Vehicles, 1, "the other lane's vehicle met another device")
	require.Equal(t, account.Device{Lane: "01", Name: "rpm"}, played[1].Device)
}

func TestAnOccasionIsWhenItWasUsed(t *testing.T) {
	b := books()
	b.Faults = []fault.Change{
		{Lane: "02", Fault: "no-gx", Device: "rpm", Phase: "set", At: at(1)},
		{Lane: "02", Fault: "no-gx", Device: "rpm", Phase: "used", At: at(33), Vehicle: "sim-000001"},
		{Lane: "02", Fault: "no-gx", Device: "rpm", Phase: "ended", At: at(33)},
	}
	played := faults.Gather(b)
	require.Len(t, played, 1)
	require.Equal(t, at(33), played[0].From)
	require.Equal(t, at(33), played[0].To)
}

func judge(all []*faults.Site) (map[string]faults.Outcome, []string) {
	outcomes, missing := faults.Judge(faults.Gather(books()), faults.Kinds(books()), all)
	byName := map[string]faults.Outcome{}
	for _, o := range outcomes {
		byName[o.Fault] = o
	}
	return byName, missing
}

func TestWhatShowsAsItShould(t *testing.T) {
	outcomes, missing := judge(sites())
	require.True(t, outcomes["silence"].OK, "%v", outcomes["silence"].Seen)
	require.True(t, outcomes["split"].OK, "%v", outcomes["split"].Seen)
	require.False(t, outcomes["tamper"].OK, "nothing was recorded of it")
	require.Contains(t, missing, "noise is on the menu and was not played")
	var table strings.Builder
	require.NoError(t, faults.Markdown(&table, []faults.Outcome{outcomes["silence"], outcomes["tamper"]}, missing))
	require.Contains(t, table.String(), "1 of 2 faults show")
	require.Contains(t, table.String(), "| silence | 02-rpm | 14.0 | sim-000001 |")
	table.Reset()
	require.NoError(t, faults.Print(&table, []faults.Outcome{outcomes["silence"]}))
	require.Contains(t, table.String(), "gap 02:00:30.0 to 02:00:45.0")
}

func TestWhatDoesNotIsTold(t *testing.T) {
	for name, tc := range map[string]struct {
		fault string
		spoil func(*faults.Site)
	}{
		"never told as down":          {"silence", func(s *faults.Site) { s.History.Changes = s.History.Changes[:1] }},
		"down on the other lane only": {"silence", func(s *faults.Site) { s.History.Changes[1].Lane = "01" }},
		"does not recover":            {"silence", func(s *faults.Site) { s.History.Changes = s.History.Changes[:2] }},
		"no gap":                      {"silence", func(s *faults.Site) { s.Store.Gaps = nil }},
		"the gap is another device's": {"silence", func(s *faults.Site) { s.Store.Gaps[0].Device = "xray" }},
		"coverage says that it looked": {"silence", func(s *faults.Site) {
			s.Store.Passages[0].Coverage = []event.Coverage{{Device: "rpm", Looked: true}}
		}},
		"harmless, and not understood": {"split", func(s *faults.Site) { s.History.Logs[0].Invalid = 2 }},
		"harmless, and the device falls": {"split", func(s *faults.Site) {
			s.History.Changes = append(s.History.Changes, event.DeviceChange{ID: event.NewID(at(62)), Where: event.Where{Lane: "02", Device: "rpm"}, State: event.Degraded, Since: at(62)})
		}},
		"harmless, and a frame is lost": {"split", func(s *faults.Site) {
			s.Problems = []account.Problem{{Kind: account.FrameLost, Text: "02-rpm frame 7 is missing outside of every gap", Device: rpm(), At: at(61)}}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			all := sites()
			tc.spoil(all[1]) // a judge that looked at the first alone would not see it
			outcomes, _ := judge(all)
			require.False(t, outcomes[tc.fault].OK)
			require.True(t, slices.ContainsFunc(outcomes[tc.fault].Seen, func(line string) bool {
				return strings.HasPrefix(line, "NOT AS IT SHOULD BE at BORDERGUARD")
			}), "%v", outcomes[tc.fault].Seen)
		})
	}
}

func TestFindingsAreLookedForWhereTheFaultWas(t *testing.T) {
	b := books()
	b.Faults = []fault.Change{
		{Lane: "02", Fault: "tamper", Device: "rpm", Phase: "set", At: at(30)},
		{Lane: "02", Fault: "tamper", Device: "rpm", Phase: "ended", At: at(34)},
	}
	b.Truth[0].Faults = []string{"rpm/tamper"}
	s := site(event.Customs)
	s.History.Changes[1] = event.DeviceChange{ID: event.NewID(at(31)), Where: event.Where{Lane: "02", Device: "rpm"}, State: event.Faulty, Code: "TT", Since: at(31)}
	s.Store.Passages[0].Findings = []event.Finding{{ID: "f1", Code: event.FindingTamper}}
	outcomes, _ := faults.Judge(faults.Gather(b), faults.Kinds(b), []*faults.Site{s})
	require.True(t, outcomes[0].OK, "%v", outcomes[0].Seen)

	s.Store.Passages[0].Findings[0].Code = event.FindingOverspeed
	outcomes, _ = faults.Judge(faults.Gather(b), faults.Kinds(b), []*faults.Site{s})
	require.False(t, outcomes[0].OK)
}

func TestKindsOfDevices(t *testing.T) {
	kind := faults.Kinds(books())
	require.Equal(t, fault.SSI, kind(account.Device{Lane: "02", Name: "barcode"}))
	require.Equal(t, fault.Barcode, kind(account.Device{Lane: "01", Name: "barcode"}))
	require.Equal(t, fault.Camera, kind(account.Device{Lane: "01", Name: "camera2"}))
}
