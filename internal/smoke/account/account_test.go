package account_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/event"
	"gatehouse/internal/sim/book"
	"gatehouse/internal/smoke/account"
)

var began = time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)

func at(seconds float64) time.Time { return began.Add(time.Duration(seconds * float64(time.Second))) }

// digestOf is a digest that names what it is of.
func digestOf(what string) string { return event.Digest([]byte(what)) }

// lorry adds a vehicle with five lines of the portal, a photo and a scan to the
// books, and its passage to a store.
func lorry(c *account.Case, n int, from float64) {
	name := fmt.Sprintf("sim-%06d", n)
	photo, scan := digestOf(name+" photo"), digestOf(name+" scan")
	p := event.Passage{
		ID: event.DeriveID(at(from), "passage", "1", event.ID(name)), Version: 2, State: event.Closed, OpenedAt: at(from + 1),
		Where: event.Where{Lane: "01"}, Kind: event.Vehicle, Findings: []event.Finding{{Code: event.FindingRadiationGamma}},
		Photos: []event.Photo{{Image: event.Evidence{SHA256: photo}, Analysis: "done"}},
		Scans:  []event.ScanView{{Image: event.Evidence{SHA256: scan}, Analysis: "done"}},
		Plates: []event.PlateReading{{Text: "12C12345", Score: 0.9}},
	}
	send := func(device, kind, digest string, seconds float64) {
		c.Books.Ledger = append(c.Books.Ledger, book.Frame{
			N: len(c.Books.Ledger) + 1, Lane: "01", Device: device, Kind: kind, SHA256: digest, At: at(seconds), Passage: name,
		})
		p.Readings = append(p.Readings, event.ReadingRef{
			ID: event.NewID(at(seconds)), Device: device, ReceivedAt: at(seconds), Frames: []string{digest},
		})
		for _, s := range c.Stores {
			s.Frames = append(s.Frames, account.FrameRow{Lane: "01", Device: device, Digest: digest[:16]})
		}
	}
	send("camera", book.MQTT, photo, from)
	for i := range 5 {
		send("rpm", book.Line, digestOf(fmt.Sprintf("%s line %d", name, i)), from+1+float64(i)/5)
	}
	send("xray", book.File, scan, from+3)
	gamma := event.Alert{ID: event.DeriveID(at(from), "alert", "1", p.ID), MsgType: "Alert", EventCode: event.FindingRadiationGamma, Passage: p.ID}
	c.Books.Truth = append(c.Books.Truth, book.Truth{
		Lane: "01", Vehicle: name, Kind: "rigid", Plate: "12C12345", Findings: []string{event.FindingRadiationGamma}, Photo: photo, Scan: book.Scan{Image: scan}, Rad: book.Radiation{GammaAlarm: true},
		Began: at(from), Ended: at(from + 3),
	})
	for _, s := range c.Stores {
		s.Passages = append(s.Passages, p)
		s.Versions = append(s.Versions, account.Version{ID: p.ID, Version: 1}, account.Version{ID: p.ID, Version: 2})
		s.Alerts = append(s.Alerts, gamma)
		s.Evidence[photo], s.Evidence[scan] = "stored", "stored"
		s.Received[p.ID] = account.Arrival{At: at(from + 1.25), First: p}
	}
}

// sound is a case in which nothing is wrong: three lorries, idle lines that are
// all the same, a verdict, and a kill whose gap swallowed one of four lines.
func sound() account.Case {
	c := account.Case{Vision: true, PlatesWanted: 0.5, CleanWanted: 3, Findings: true}
	for _, a := range event.Agencies() {
		c.Stores = append(c.Stores, &account.Store{
			Agency: a, Evidence: map[string]string{}, Received: map[event.ID]account.Arrival{},
			Heads: []account.Head{{Chain: "15BB-1", Sequence: 40, Highest: 40, Head: "aa"}},
		})
	}
	for i := range 3 {
		lorry(&c, i+1, float64(10*i))
	}
	idle := digestOf("GB,000230,000231,000229,000230")
	for i := range 4 {
		c.Books.Ledger = append(c.Books.Ledger, book.Frame{N: 100 + i, Lane: "01", Device: "rpm", Kind: book.Line, SHA256: idle, At: at(50 + float64(i))})
	}
	c.Faults = []account.Window{{From: at(51.5), To: at(52.5), What: "kill"}}
	said := account.Said{Agency: event.Customs, Passage: c.Stores[0].Passages[0].ID, Code: event.Hold, Reason: "because"}
	c.Said = []account.Said{said}
	for _, s := range c.Stores {
		for range 3 {
			s.Frames = append(s.Frames, account.FrameRow{Lane: "01", Device: "rpm", Digest: idle[:16]})
		}
		s.Gaps = []event.Gap{{Where: event.Where{Lane: "01", Device: "rpm"}, From: at(51.2), To: at(52.9), Reason: "restart"}}
		s.Verdicts = []event.Verdict{{ID: "v1", Agency: said.Agency, Passage: said.Passage, Code: said.Code, Reason: said.Reason}}
	}
	return c
}

func kinds(r account.Report) []account.Kind {
	var all []account.Kind
	for _, p := range r.Problems {
		if !slices.Contains(all, p.Kind) {
			all = append(all, p.Kind)
		}
	}
	return all
}

func TestASoundCaseHasNoProblem(t *testing.T) {
	r := account.Judge(sound())
	require.Empty(t, r.Problems)
	f := r.Figures
	require.Equal(t, 25, f.Frames)
	require.Equal(t, 1, f.InGaps)
	require.Zero(t, f.Lost)
	require.Zero(t, f.Doubled)
	require.Equal(t, 3, f.Clean)
	require.Equal(t, 3, f.Passages)
	require.Equal(t, 3, f.PlatesRead)
	require.Equal(t, 3, f.Radiation)
	require.Equal(t, 6, f.Pictures)
	require.Equal(t, 700, f.WorstGapExcess)
	require.Equal(t, account.Quantiles{N: 3, P50: 250, P99: 250, Max: 250}, f.Latency[event.Customs].Quiet)
}

// Of lines with the same content the one that no log tells of is named, so that
// its loss is laid at the door of the right fault.
func TestALostLineIsNamedByTheTimesOfTheLogs(t *testing.T) {
	c := sound()
	idle := digestOf("GB,000230,000231,000229,000230")
	for _, s := range c.Stores {
		s.Gaps = nil
		s.Frames = slices.DeleteFunc(s.Frames, func(f account.FrameRow) bool { return f.Digest == idle[:16] })
		for _, end := range []float64{50.5, 54, 54} { // of 50, 51, 52 and 53
			s.Frames = append(s.Frames, account.FrameRow{Lane: "01", Device: "rpm", Digest: idle[:16], At: at(end).Format(time.RFC3339Nano)})
		}
	}
	r := account.Judge(c)
	require.Equal(t, []account.Kind{account.FrameLost}, kinds(r))
	for _, p := range r.Problems {
		require.Equal(t, at(51), p.At)
	}
}

// second is the store in which most cases go wrong: a rule that looked
// at the first alone would not see it.
// A broker that acknowledges too late gets the same again, as often as that
// happened.
func TestMessagesThatWereNotAcknowledgedInTimeMayComeAgain(t *testing.T) {
	c := sound()
	digest := digestOf("sim-000001 photo")
	c.Books.Unheard = []book.Frame{
		{Lane: "01", Device: "camera", Kind: book.MQTT, SHA256: digest, Reason: book.Unanswered},
		{Lane: "01", Device: "camera", Kind: book.MQTT, SHA256: digest, Reason: "queue-full"},
	}
	again := account.FrameRow{Lane: "01", Device: "camera", Digest: digest[:16]}
	for _, s := range c.Stores {
		s.Frames = append(s.Frames, again)
	}
	r := account.Judge(c)
	require.Empty(t, r.Problems)
	require.Equal(t, 1, r.Figures.Redelivered)
	second(&c).Frames = append(second(&c).Frames, again)
	require.Equal(t, []account.Kind{account.FrameDoubled}, kinds(account.Judge(c)))
}

func second(c *account.Case) *account.Store { return c.Stores[1] }

func TestWhatIsWrongIsFound(t *testing.T) {
	cases := map[string]struct {
		spoil   func(*account.Case)
		want    []account.Kind
		lost    int
		doubled int
	}{
		"a frame is lost": {
			spoil: func(c *account.Case) { second(c).Frames = second(c).Frames[1:] },
			want:  []account.Kind{account.FrameLost}, lost: 1,
		},
		"one of several equal frames is lost outside of the gap": {
			spoil: func(c *account.Case) { s := second(c); s.Frames = s.Frames[:len(s.Frames)-1] },
			want:  []account.Kind{account.FrameLost}, lost: 1,
		},
		"a frame lies in the gap of another device": {
			spoil: func(c *account.Case) { second(c).Gaps[0].Device = "xray" },
			want:  []account.Kind{account.FrameLost}, lost: 1,
		},
		"a line is doubled": {
			spoil: func(c *account.Case) {
				second(c).Frames = append(second(c).Frames, account.FrameRow{Lane: "01", Device: "rpm", Digest: digestOf("sim-000001 line 0")[:16]})
			},
			want: []account.Kind{account.FrameDoubled}, doubled: 1,
		},
		"a message is doubled and nothing was killed": {
			spoil: func(c *account.Case) {
				second(c).Frames = append(second(c).Frames, account.FrameRow{Lane: "01", Device: "camera", Digest: digestOf("sim-000001 photo")[:16]})
			},
			want: []account.Kind{account.FrameDoubled}, doubled: 1,
		},
		"a frame was never sent": {
			spoil: func(c *account.Case) {
				second(c).Frames = append(second(c).Frames, account.FrameRow{Lane: "01", Device: "rpm", Digest: digestOf("invented")[:16]})
			},
			want: []account.Kind{account.FrameInvented},
		},
		"a gap is longer than its fault": {
			spoil: func(c *account.Case) { second(c).Gaps[0].To = at(55.4) },
			want:  []account.Kind{account.GapTooLong},
		},
		"a gap without a fault": {
			spoil: func(c *account.Case) {
				second(c).Gaps = append(second(c).Gaps, event.Gap{Where: event.Where{Lane: "01", Device: "xray"}, From: at(60), To: at(62.1)})
			},
			want: []account.Kind{account.GapTooLong},
		},
		"the stores differ": {
			spoil: func(c *account.Case) { c.Differences = []string{"alerts: 1 rows only in the first store: x"} },
			want:  []account.Kind{account.StoresDiffer},
		},
		"an event is on the chain twice": {
			spoil: func(c *account.Case) { second(c).Doubles = []event.ID{"x"} },
			want:  []account.Kind{account.EventDoubled}, doubled: 1,
		},
		"an event is quarantined": {
			spoil: func(c *account.Case) { second(c).Suspects = []string{"15BB-1:7"} },
			want:  []account.Kind{account.EventSuspect},
		},
		"a chain has a hole": {
			spoil: func(c *account.Case) { second(c).Heads[0].Highest++ },
			want:  []account.Kind{account.ChainHole},
		},
		"a passage is missing": {
			spoil: func(c *account.Case) { second(c).Passages = second(c).Passages[1:] },
			want:  []account.Kind{account.PassageLost}, lost: 1,
		},
		"a passage is doubled": {
			spoil: func(c *account.Case) { double(c, false) },
			want:  []account.Kind{account.PassageDoubled}, doubled: 2,
		},
		"a reading is in two passages": {
			spoil: func(c *account.Case) { double(c, true) },
			want:  []account.Kind{account.PassageDoubled}, doubled: 3,
		},
		"a passage of nobody": {
			spoil: func(c *account.Case) {
				s := second(c)
				s.Passages = append(s.Passages, event.Passage{ID: "nobody", Version: 1, Where: event.Where{Lane: "01"}, OpenedAt: at(40)})
				s.Versions = append(s.Versions, account.Version{ID: "nobody", Version: 1})
			},
			want: []account.Kind{account.PassageInvented},
		},
		"a version is missing": {
			spoil: func(c *account.Case) { second(c).Versions = second(c).Versions[1:] },
			want:  []account.Kind{account.VersionHole},
		},
		"an alert is missing": {
			spoil: func(c *account.Case) { second(c).Alerts = second(c).Alerts[1:] },
			want:  []account.Kind{account.AlertLost}, lost: 1,
		},
		"an alert is doubled": {
			spoil: func(c *account.Case) {
				a := second(c).Alerts[0]
				a.ID = "another"
				second(c).Alerts = append(second(c).Alerts, a)
			},
			want: []account.Kind{account.AlertDoubled}, doubled: 1,
		},
		"an alert without an alarm": {
			spoil: func(c *account.Case) { c.Books.Truth[0].Rad.GammaAlarm = false },
			want:  []account.Kind{account.AlertInvented},
		},
		"a verdict is lost": {
			spoil: func(c *account.Case) { second(c).Verdicts = nil },
			want:  []account.Kind{account.VerdictLost}, lost: 1,
		},
		"a verdict is doubled": {
			spoil: func(c *account.Case) {
				v := second(c).Verdicts[0]
				v.ID = "v2"
				second(c).Verdicts = append(second(c).Verdicts, v)
			},
			want: []account.Kind{account.VerdictDoubled}, doubled: 1,
		},
		"evidence is not there": {
			spoil: func(c *account.Case) { second(c).Evidence[digestOf("sim-000002 scan")] = "wanted" },
			want:  []account.Kind{account.EvidenceLost}, lost: 1,
		},
		"evidence is not what it is named": {
			spoil: func(c *account.Case) {
				c.Evidence = func(a event.Agency, digest string) error {
					if a == event.BorderGuard && digest == digestOf("sim-000002 scan") {
						return errors.New("the file's digest is another")
					}
					return nil
				}
			},
			want: []account.Kind{account.EvidenceLost}, lost: 1,
		},
		"a picture was not looked at": {
			spoil: func(c *account.Case) { each(c, func(p *event.Passage) { p.Photos[0].Analysis = "unavailable" }) },
			want:  []account.Kind{account.VisionFailed},
		},
		"a good picture is said to be unreadable": {
			spoil: func(c *account.Case) { each(c, func(p *event.Passage) { p.Scans[0].Analysis = "unreadable" }) },
			want:  []account.Kind{account.VisionFailed},
		},
		"plates are read wrong": {
			spoil: func(c *account.Case) { each(c, func(p *event.Passage) { p.Plates[0].Text = "12C12346" }) },
			want:  []account.Kind{account.VisionFailed},
		},
		"too few vehicles prove anything": {
			spoil: func(c *account.Case) { c.From = at(5) },
			want:  []account.Kind{account.Weak},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c := sound()
			tc.spoil(&c)
			r := account.Judge(c)
			require.Equal(t, tc.want, kinds(r), "%v", r.Problems)
			require.Equal(t, tc.lost, r.Figures.Lost, "%v", r.Problems)
			require.Equal(t, tc.doubled, r.Figures.Doubled, "%v", r.Problems)
		})
	}
}

// each changes every passage of the second store.
func each(c *account.Case, change func(*event.Passage)) {
	for i := range second(c).Passages {
		p := second(c).Passages[i]
		p.Photos, p.Scans, p.Plates = slices.Clone(p.Photos), slices.Clone(p.Scans), slices.Clone(p.Plates)
		change(&p)
		second(c).Passages[i] = p
	}
}

// double gives the first lorry's photo to a second passage too, as the same
// reading or as another of the same frame.
func double(c *account.Case, same bool) {
	s := second(c)
	p := s.Passages[0]
	p.ID, p.Version = "another", 1
	r := p.Readings[0]
	if !same {
		r.ID = "01J00000000000000000000000"
	}
	p.Readings = []event.ReadingRef{r}
	s.Passages = append(s.Passages, p)
	s.Versions = append(s.Versions, account.Version{ID: p.ID, Version: 1})
}

func TestRepeatedMessagesAroundAKillAreNotDoubles(t *testing.T) {
	c := sound()
	c.Faults = append(c.Faults, account.Window{From: at(0.1), To: at(0.9), What: "kill"})
	for _, s := range c.Stores {
		s.Frames = append(s.Frames, account.FrameRow{Lane: "01", Device: "camera", Digest: digestOf("sim-000001 photo")[:16]})
	}
	r := account.Judge(c)
	require.Empty(t, r.Problems)
	require.Equal(t, 1, r.Figures.Redelivered)

	// But not a second time: there was one kill.
	second(&c).Frames = append(second(&c).Frames, account.FrameRow{Lane: "01", Device: "camera", Digest: digestOf("sim-000001 photo")[:16]})
	require.Equal(t, []account.Kind{account.FrameDoubled}, kinds(account.Judge(c)))
}

func TestAMessageUnderWayAtTheEndMayHaveArrived(t *testing.T) {
	c := sound()
	second(&c).Frames = append(second(&c).Frames, account.FrameRow{Lane: "01", Device: "camera", Digest: digestOf("last photo")[:16]})
	require.Equal(t, []account.Kind{account.FrameInvented}, kinds(account.Judge(c)))
	c.Unsure = 1
	require.Empty(t, account.Judge(c).Problems)
}

func TestASpoiltPictureMayBeUnreadable(t *testing.T) {
	c := sound()
	for i := range c.Books.Truth {
		c.Books.Truth[i].Faults = []string{"xray/image-truncated"}
	}
	each(&c, func(p *event.Passage) { p.Scans[0].Analysis = "unreadable" })
	require.Empty(t, account.Judge(c).Problems)
}

func TestVehiclesInGapsAreNotJudgedButNeverDoubled(t *testing.T) {
	c := sound()
	c.CleanWanted = 2
	for _, s := range c.Stores {
		s.Gaps = append(s.Gaps, event.Gap{Where: event.Where{Lane: "01", Device: "xray"}, From: at(0.5), To: at(1.5)})
	}
	c.Faults = append(c.Faults, account.Window{From: at(0.6), To: at(1.5)})
	lost := second(&c).Passages[0]
	second(&c).Passages, second(&c).Alerts = second(&c).Passages[1:], second(&c).Alerts[1:]
	require.Empty(t, account.Judge(c).Problems)

	second(&c).Passages = append(second(&c).Passages, lost)
	double(&c, true)
	require.Contains(t, kinds(account.Judge(c)), account.PassageDoubled)
}
