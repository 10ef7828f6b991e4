package account_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/event"
	"gatehouse/internal/sim/book"
	"gatehouse/internal/smoke/account"
)

// traveller adds a person of lane 02 with a document and a bag, on devices
// whose names lane 01 has too.
func traveller(c *account.Case, n int, from float64) {
	name := fmt.Sprintf("sim-%06d", 100+n)
	scan := digestOf(name + " bag")
	p := event.Passage{
		ID: event.DeriveID(at(from), "passage", "1", event.ID(name)), Version: 1, State: event.Closed, OpenedAt: at(from + 1),
		Where: event.Where{Lane: "02"}, Kind: event.Person, Scans: []event.ScanView{{Image: event.Evidence{SHA256: scan}, Analysis: "done"}},
		Findings: []event.Finding{{Code: event.FindingDocumentExpired}},
	}
	for i, f := range []book.Frame{
		{Device: "mrz", Kind: book.Line, SHA256: digestOf(name + " document")}, {Device: "rpm", Kind: book.Line, SHA256: digestOf(name + " line")},
		{Device: "xray", Kind: book.File, SHA256: scan}, {Device: "barcode", Kind: book.Packet, SHA256: digestOf(name + " tag")},
	} {
		f.N, f.Lane, f.At, f.Passage = len(c.Books.Ledger)+1, "02", at(from+float64(i)), name
		c.Books.Ledger = append(c.Books.Ledger, f)
		p.Readings = append(p.Readings, event.ReadingRef{ID: event.NewID(f.At), Device: f.Device, ReceivedAt: f.At, Frames: []string{f.SHA256}})
		for _, s := range c.Stores {
			s.Frames = append(s.Frames, account.FrameRow{Lane: "02", Device: f.Device, Digest: f.SHA256[:16]})
		}
	}
	c.Books.Truth = append(c.Books.Truth, book.Truth{
		Lane: "02", Vehicle: name, Kind: "person", Document: &book.Document{Number: "C1234567"}, Bags: []book.Bag{{Scan: book.Scan{Image: scan}}},
		Findings: []string{event.FindingDocumentExpired}, Began: at(from), Ended: at(from + 3),
	})
	for _, s := range c.Stores {
		s.Passages = append(s.Passages, p)
		s.Versions = append(s.Versions, account.Version{ID: p.ID, Version: 1})
		s.Evidence[scan] = "stored"
	}
}

// gate is a sound case of two lanes.
func gate() account.Case {
	c := sound()
	for i := range 3 {
		traveller(&c, i+1, float64(10*i)+0.5)
	}
	return c
}

func TestASoundGateOfTwoLanes(t *testing.T) {
	r := account.Judge(gate())
	require.Empty(t, r.Problems)
	require.Equal(t, map[string]account.LaneFigures{"01": {Vehicles: 3, Clean: 3, Passages: 3}, "02": {Vehicles: 3, Clean: 3, Passages: 3}}, r.Figures.Lanes)
	require.Equal(t, account.CodeFigures{Planted: 3, Found: 3}, r.Figures.Findings[event.FindingDocumentExpired])
	require.Equal(t, account.CodeFigures{Planted: 3, Found: 3}, r.Figures.Findings[event.FindingRadiationGamma])
}

func TestLanesAreToldApart(t *testing.T) {
	cases := map[string]struct {
		spoil func(*account.Case)
		want  []account.Kind
	}{
		"a frame is logged for the other lane's device": {
			spoil: func(c *account.Case) {
				f := second(c).Frames
				for i := range f {
					if f[i].Lane == "02" && f[i].Device == "rpm" {
						f[i].Lane = "01"
						return
					}
				}
			},
			want: []account.Kind{account.FrameLost, account.FrameInvented},
		},
		"a gap of the other lane explains nothing": {
			spoil: func(c *account.Case) { second(c).Gaps[0].Lane = "02" },
			want:  []account.Kind{account.FrameLost},
		},
		"a gap of one lane's device is not the fault of the other's": {
			spoil: func(c *account.Case) {
				c.Faults = append(c.Faults, account.Window{Device: account.Device{Lane: "01", Name: "xray"}, From: at(60), To: at(64)})
				second(c).Gaps = append(second(c).Gaps, event.Gap{Where: event.Where{Lane: "02", Device: "xray"}, From: at(60), To: at(64)})
			},
			want: []account.Kind{account.GapTooLong},
		},
		"a person without a passage": {
			spoil: func(c *account.Case) {
				s := second(c)
				s.Passages, s.Versions = s.Passages[:5], s.Versions[:len(s.Versions)-1]
			},
			want: []account.Kind{account.PassageLost},
		},
		"a person's passage is a vehicle's": {
			spoil: func(c *account.Case) { second(c).Passages[3].Kind = event.Vehicle },
			want:  []account.Kind{account.PassageKind},
		},
		"a lane without enough that is clean": {
			spoil: func(c *account.Case) { c.Books.Truth[4].Cut = true },
			want:  []account.Kind{account.Weak},
		},
		"a bag was not looked at": {
			spoil: func(c *account.Case) {
				each(c, func(p *event.Passage) {
					if p.Kind == event.Person {
						p.Scans[0].Analysis = "pending"
					}
				})
			},
			want: []account.Kind{account.VisionFailed},
		},
		"a message that the second camera never sent": {
			spoil: func(c *account.Case) {
				second(c).Frames = append(second(c).Frames, account.FrameRow{Lane: "01", Device: "camera2", Digest: digestOf("invented")[:16]},
					account.FrameRow{Lane: "01", Device: "camera2", Digest: event.Digest([]byte("online"))[:16]}) // its state is none
			},
			want: []account.Kind{account.FrameInvented},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c := gate()
			tc.spoil(&c)
			r := account.Judge(c)
			require.Equal(t, tc.want, kinds(r), "%v", r.Problems)
		})
	}
}

func TestFindingsAreComparedWithWhatWasPlanted(t *testing.T) {
	// plant changes what the second lorry's truth and passage say.
	plant := func(truth []string, found ...string) func(*account.Case) {
		return func(c *account.Case) {
			c.Books.Truth[1].Findings = truth
			for _, s := range c.Stores {
				s.Passages[1].Findings = nil
				for _, code := range found {
					s.Passages[1].Findings = append(s.Passages[1].Findings, event.Finding{Code: code})
				}
			}
		}
	}
	const gamma = event.FindingRadiationGamma
	cases := map[string]struct {
		spoil   func(*account.Case)
		misread bool
		code    string
		want    account.CodeFigures
		kinds   []account.Kind
	}{
		"found": {
			spoil: plant([]string{event.FindingOverspeed, gamma}, gamma, event.FindingOverspeed), code: event.FindingOverspeed,
			want: account.CodeFigures{Planted: 1, Found: 1},
		},
		"missed": {
			spoil: plant([]string{event.FindingOverspeed, gamma}, gamma), code: event.FindingOverspeed,
			want: account.CodeFigures{Planted: 1, Missed: 1}, kinds: []account.Kind{account.FindingLost},
		},
		"invented": {
			spoil: plant([]string{gamma}, gamma, event.FindingWeightDeclared), code: event.FindingWeightDeclared,
			want: account.CodeFigures{Invented: 1}, kinds: []account.Kind{account.FindingInvented},
		},
		"invented of a plate that was misread": {
			spoil: plant([]string{gamma}, gamma, event.FindingUnexpected), misread: true, code: event.FindingUnexpected,
			want: account.CodeFigures{Invented: 1, Misread: 1}, // and it is told how it was read
		},
		"invented of a plate that was read right": {
			spoil: plant([]string{gamma}, gamma, event.FindingUnexpected), code: event.FindingUnexpected,
			want: account.CodeFigures{Invented: 1}, kinds: []account.Kind{account.FindingInvented},
		},
		"a misread plate excuses nothing else": {
			spoil: plant([]string{event.FindingOverspeed, gamma}, gamma), misread: true, code: event.FindingOverspeed,
			want: account.CodeFigures{Planted: 1, Missed: 1}, kinds: []account.Kind{account.FindingLost},
		},
		"what a model concludes is a rate": {
			spoil: plant([]string{event.FindingXrayAnomaly, gamma}, gamma), code: event.FindingXrayAnomaly,
			want: account.CodeFigures{Planted: 1, Missed: 1, Learned: true},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c := gate()
			tc.spoil(&c)
			if tc.misread {
				for _, s := range c.Stores {
					s.Passages[1].Plates = []event.PlateReading{{Text: "12C12346", Score: 0.9}}
				}
			}
			r := account.Judge(c)
			require.Equal(t, tc.want, r.Figures.Findings[tc.code])
			require.Equal(t, tc.kinds, kinds(r), "%v", r.Problems)
			if tc.want.Misread > 0 {
				require.Equal(t, []string{tc.code + " invented of sim-000002: the front plate 12C12345 was read as 12C12346"}, r.Figures.Explained)
			}
		})
	}
}

func TestThoseWhoShareAnOccupancyAreOneCase(t *testing.T) {
	c := gate()
	for i, name := range []string{event.FindingTailgate, event.FindingOverspeed} {
		c.Books.Truth[i].Rad.Occupancy = "000007"
		c.Books.Truth[i].Findings = append(c.Books.Truth[i].Findings, name)
		for _, s := range c.Stores { // each in the other's passage
			s.Passages[1-i].Findings = append(s.Passages[1-i].Findings, event.Finding{Code: name})
		}
	}
	c.Books.Truth[1].Follows = true
	c.CleanWanted = 1
	r := account.Judge(c)
	require.Empty(t, r.Problems)
	require.Equal(t, account.CodeFigures{Planted: 1, Found: 1}, r.Figures.Findings[event.FindingTailgate])

	for _, s := range c.Stores {
		s.Passages[1].Findings = s.Passages[1].Findings[:1]
	}
	require.Equal(t, []account.Kind{account.FindingLost}, kinds(account.Judge(c)))
	second(&c).Passages, second(&c).Versions = second(&c).Passages[2:], second(&c).Versions[4:]
	second(&c).Alerts = second(&c).Alerts[2:]
	require.Contains(t, kinds(account.Judge(c)), account.PassageLost)

	// Without a pause, each in an occupancy of its own, they have two passages.
	c = gate()
	c.CleanWanted = 1
	c.Books.Truth[0].Rad.Occupancy, c.Books.Truth[1].Rad.Occupancy = "000007", "000008"
	c.Books.Truth[1].Findings = append(c.Books.Truth[1].Findings, event.FindingTailgate)
	for _, s := range c.Stores {
		s.Passages[1].Findings = append(s.Passages[1].Findings, event.Finding{Code: event.FindingTailgate})
	}
	require.Empty(t, account.Judge(c).Problems)
	s := second(&c)
	s.Passages, s.Versions, s.Alerts = s.Passages[1:], s.Versions[2:], s.Alerts[1:]
	require.Contains(t, kinds(account.Judge(c)), account.PassageLost)
}

func TestWhoWasInTheLaneWithOneThatMetAGapIsNotJudged(t *testing.T) {
	c := gate()
	c.CleanWanted = 1
	c.Books.Truth[0].Ended = at(11) // the second came while it was there
	for _, s := range c.Stores {
		s.Gaps = append(s.Gaps, event.Gap{Where: event.Where{Lane: "01", Device: "xray"}, From: at(2), To: at(3)})
	}
	c.Faults = append(c.Faults, account.Window{From: at(2), To: at(3)})
	c.Books.Truth[1].Findings = append(c.Books.Truth[1].Findings, event.FindingOverspeed)
	r := account.Judge(c)
	require.Empty(t, r.Problems)
	require.Equal(t, 1, r.Figures.Lanes["01"].Clean, "the third came when the lane was empty")
	require.Equal(t, 1, r.Figures.Wake)
	require.Equal(t, 3, r.Figures.Lanes["02"].Clean)

	c.Books.Truth[2].Findings = append(c.Books.Truth[2].Findings, event.FindingOverspeed)
	require.Equal(t, []account.Kind{account.FindingLost}, kinds(account.Judge(c)))
}

func TestWhoMetAFaultIsNotJudged(t *testing.T) {
	c := gate()
	c.Books.Truth[0].Faults, c.Books.Truth[0].Findings = []string{"rpm/noise"}, []string{event.FindingOverspeed}
	r := account.Judge(c)
	require.Empty(t, r.Problems)
	require.Equal(t, 1, r.Figures.Met)
}

func TestDamageIsBounded(t *testing.T) {
	damaged := func(bytes int) account.Case {
		c := gate()
		c.Books.Spoilt = []book.Frame{{Lane: "01", Device: "scale", Kind: book.Packet, Bytes: bytes, At: at(41), Reason: "torn"}}
		c.Books.Ledger = append(c.Books.Ledger, book.Frame{N: 500, Lane: "01", Device: "scale", Kind: book.Packet, SHA256: digestOf("next"), At: at(41.2)})
		for _, s := range c.Stores {
			for i := range 3 {
				s.Frames = append(s.Frames, account.FrameRow{Lane: "01", Device: "scale", Digest: digestOf(fmt.Sprint("piece ", i))[:16]})
			}
		}
		return c
	}
	r := account.Judge(damaged(9))
	require.Empty(t, r.Problems)
	require.Equal(t, 3, r.Figures.Pieces)
	require.Equal(t, 1, r.Figures.TakenAlong)
	require.Equal(t, []account.Kind{account.FrameInvented}, kinds(account.Judge(damaged(2))))

	far := damaged(9)
	far.Books.Spoilt[0].At = at(45)
	require.Equal(t, []account.Kind{account.FrameLost}, kinds(account.Judge(far)))

	two := damaged(9)
	again := two.Books.Ledger[len(two.Books.Ledger)-1]
	again.SHA256 = digestOf("another")
	two.Books.Ledger = append(two.Books.Ledger, again)
	r = account.Judge(two)
	require.Equal(t, []account.Kind{account.FrameLost}, kinds(r), "one damaged frame takes one along")
}

func TestAFileThatLiesInTheFolderIsNotLost(t *testing.T) {
	c := gate()
	file := book.Frame{N: 700, Lane: "01", Device: "xray", Kind: book.File, SHA256: digestOf("last image"), At: at(80)}
	c.Books.Ledger = append(c.Books.Ledger, file)
	require.Equal(t, []account.Kind{account.FrameLost}, kinds(account.Judge(c)))
	c.Left = []string{file.SHA256}
	r := account.Judge(c)
	require.Empty(t, r.Problems)
	require.Equal(t, 1, r.Figures.Left)
}

func TestAnswersMayBeToldAgainButNotLost(t *testing.T) {
	c := gate()
	answer := book.Frame{N: 600, Lane: "01", Device: "barrier", Kind: book.Answer, SHA256: digestOf("inputs"), At: at(42)}
	c.Books.Ledger = append(c.Books.Ledger, answer)
	for _, s := range c.Stores {
		for range 3 {
			s.Frames = append(s.Frames, account.FrameRow{Lane: "01", Device: "barrier", Digest: answer.SHA256[:16]})
		}
	}
	require.Empty(t, account.Judge(c).Problems)
	c.Books.Ledger[len(c.Books.Ledger)-1].SHA256 = digestOf("other inputs")
	require.Equal(t, []account.Kind{account.FrameLost, account.FrameInvented}, kinds(account.Judge(c)))
}
