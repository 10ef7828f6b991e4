package store_test

import (
	"fmt"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/console/store"
	"gatehouse/internal/event"
)

// lorries commits n passages with random plates and gives them by id.
func lorries(t *testing.T, b *bench, n int) map[event.ID]event.Passage {
	t.Helper()
	r := rand.New(rand.NewPCG(7, uint64(n)))
	all := map[event.ID]event.Passage{}
	var events []store.Event
	for i := range n {
		at := b.now.Add(-time.Duration(i) * 97 * time.Second)
		p := event.Passage{
			ID: event.NewID(at), Version: 1, Where: event.Where{Gate: "15BB", Lane: fmt.Sprintf("%02d", 1+i%3)}, Kind: event.Vehicle,
			Direction: event.Entry, State: event.Closed, OpenedAt: at,
			Plates: []event.PlateReading{{Text: randomPlate(r), Score: 0.9, View: "front"}},
		}
		if i%5 == 0 {
			p.Plates = append(p.Plates, event.PlateReading{Text: randomPlate(r), Score: 0.8, View: "rear"})
		}
		if i%11 == 0 {
			p.Findings = []event.Finding{{ID: event.NewID(at), Code: event.FindingOverspeed, Severity: event.Minor}}
		}
		all[p.ID] = p
		events = append(events, b.add(t, event.TypePassage, p.ID, p))
	}
	r.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
	for batch := range slices.Chunk(events, 50) {
		b.commit(t, batch...)
	}
	return all
}

func randomPlate(r *rand.Rand) string {
	const letters = "ABCDHKLMĐ"
	return fmt.Sprintf("%02d%c%05d", 11+r.IntN(8), []rune(letters)[r.IntN(9)], r.IntN(100000))
}

// find pages through everything that a query finds.
func find(t *testing.T, s *store.Store, q store.Query) []store.Hit {
	t.Helper()
	var all []store.Hit
	q.Limit = 7
	for {
		f, err := s.Search(t.Context(), q)
		require.NoError(t, err)
		all = append(all, f.Hits...)
		if f.Next == 0 {
			break
		}
		q.Before = f.Next
	}
	for i := 1; i < len(all); i++ {
		require.Less(t, all[i].Key, all[i-1].Key)
		require.False(t, all[i].OpenedAt.After(all[i-1].OpenedAt), "newest first")
	}
	return all
}

func ids(hits []store.Hit) []event.ID {
	list := []event.ID{}
	for _, h := range hits {
		list = append(list, h.ID)
	}
	slices.Sort(list)
	return list
}

// naive finds passages of which a plate meets a condition.
func naive(all map[event.ID]event.Passage, is func(plate string) bool) []event.ID {
	list := []event.ID{}
	for id, p := range all {
		if slices.ContainsFunc(p.Plates, func(r event.PlateReading) bool { return is(strings.ReplaceAll(r.Text, "Đ", "D")) }) {
			list = append(list, id)
		}
	}
	slices.Sort(list)
	return list
}

func TestPartsOfPlatesAndWildcardsAreFound(t *testing.T) {
	b := newBench(t)
	all := lorries(t, b, 200)
	r := rand.New(rand.NewPCG(1, 2))
	for range 30 {
		plate := strings.ReplaceAll(randomPlate(r), "Đ", "D")
		for n := 1; n <= 4; n++ {
			from := r.IntN(len(plate) - n + 1)
			part := plate[from : from+n]
			require.Equal(t, naive(all, func(p string) bool { return strings.Contains(p, part) }), ids(find(t, b.Store, store.Query{Plate: part})), part)
		}
	}
	for _, wild := range []string{"1?C*", "*45", "*1*2*3*", "12?????", "????????", "1*", "*9?", "**", "?1*D*"} {
		want := naive(all, func(p string) bool { ok, err := path.Match(wild, p); return err == nil && ok })
		if wild == "**" {
			want = naive(all, func(string) bool { return true })
		}
		require.Equal(t, want, ids(find(t, b.Store, store.Query{Plate: wild})), wild)
	}
	some := all[ids(find(t, b.Store, store.Query{Plate: "D"}))[0]]
	text := strings.ReplaceAll(some.Plates[0].Text, "Đ", "D")
	written := strings.ToLower(text[:3]) + "-" + text[3:6] + ". " + text[6:]
	require.Contains(t, ids(find(t, b.Store, store.Query{Plate: written})), some.ID, "separators and case do not count")
	for _, odd := range []string{`"`, `a" OR "b`, "'", "%", "12_", "[0-9]", "\x00", "𝟙"} {
		_, err := b.Search(t.Context(), store.Query{Plate: odd, Words: odd, Container: odd, Document: odd, Declaration: odd, Limit: 5})
		require.NoError(t, err, odd)
	}
}

func TestLookAlikesAreMarked(t *testing.T) {
	b := newBench(t)
	at := b.now
	share := func(plate string, alternates ...string) event.ID {
		at = at.Add(-time.Minute)
		p := event.Passage{
			ID: event.NewID(at), Version: 1, Where: event.Where{Gate: "15BB", Lane: "01"}, State: event.Closed, OpenedAt: at,
			Plates: []event.PlateReading{{Text: plate, Score: 0.9}},
		}
		for _, a := range alternates {
			p.Plates[0].Alternates = append(p.Plates[0].Alternates, event.Alternate{Text: a})
		}
		b.commit(t, b.add(t, event.TypePassage, p.ID, p))
		return p.ID
	}
	exact := share("29B18056")
	swapped := share("298I8O5G")
	second := share("29H00000", "29B18056")
	share("29B18057")
	require.Equal(t, []event.ID{exact}, ids(find(t, b.Store, store.Query{Plate: "29B-180.56"})))
	hits := find(t, b.Store, store.Query{Plate: "29B-180.56", Alike: true})
	require.ElementsMatch(t, []event.ID{exact, swapped, second}, ids(hits))
	for _, h := range hits {
		require.Equal(t, h.ID != exact, h.Similar, h.Plate)
	}
	require.ElementsMatch(t, []event.ID{exact, swapped, second}, ids(find(t, b.Store, store.Query{Plate: "29B?80*6", Alike: true})))
}

func TestPassagesAreFoundByWhatElseIsKnown(t *testing.T) {
	b := newBench(t)
	all := lorries(t, b, 60)
	at := b.now.Add(-30 * time.Minute)
	gross := 30000.0
	p := event.Passage{
		ID: event.NewID(at), Version: 1, Where: event.Where{Gate: "15BB", Lane: "04"}, Kind: event.Person, Direction: event.Exit, State: event.Waiting, OpenedAt: at,
		Containers: []event.ContainerReading{{Text: "MSKU3001234"}},
		Documents:  []event.DocumentReading{{Document: event.Document{Number: "C1234567", Names: []string{"NGUYEN VAN", "AN"}}}},
		Barcodes:   []event.BarcodeReading{{Barcode: event.Barcode{Text: "107512345678"}}},
		Expected:   &event.Expected{Found: true, Goods: "Gỗ tấm, máy móc Đồng Đăng", Declaration: "107512345678", GrossKG: &gross},
		Coverage:   []event.Coverage{{Device: "xray", State: event.Down, Reason: event.Text{VI: "mất", EN: "lost"}}},
		Findings:   []event.Finding{{Code: event.FindingRadiationGamma, Severity: event.Severe}, {Code: event.FindingCoverageGap, Severity: event.Minor}},
	}
	v := event.Verdict{ID: event.NewID(at), Agency: event.Customs, Gate: "15BB", Passage: p.ID, Code: event.Hold, Reason: "Nghi có hàng cấm", At: at}
	// The verdict comes before the passage that it is about.
	b.commit(t, b.add(t, event.TypeVerdict, v.ID, v))
	b.commit(t, b.add(t, event.TypePassage, p.ID, p))
	for name, q := range map[string]store.Query{
		"container": {Container: "msku 300"}, "container wild": {Container: "MSKU*34"}, "document": {Document: "c1234567"}, "name": {Document: "nguyen"},
		"declaration": {Declaration: "12345678"}, "goods": {Words: "go may moc"}, "accents": {Words: "GỖ đồng"}, "reason": {Words: "hang cam"},
		"lane": {Lane: "04"}, "kind": {Kind: event.Person}, "direction": {Direction: event.Exit}, "state": {State: event.Waiting},
		"finding": {Finding: event.FindingRadiationGamma}, "verdict": {Verdict: event.Hold}, "own verdict": {Verdict: event.Hold, By: event.Customs},
		"blind": {Blind: "15BB/04/xray"}, "all": {Finding: event.FindingRadiationGamma, Verdict: event.Hold, Words: "go", Lane: "04", Container: "MSKU"},
		"time": {From: at, To: at.Add(time.Millisecond), Lane: "04"},
	} {
		require.Equal(t, []event.ID{p.ID}, ids(find(t, b.Store, q)), name)
	}
	for name, q := range map[string]store.Query{
		"other word": {Words: "go thep"}, "other agency": {Verdict: event.Hold, By: event.BorderGuard}, "later": {From: at.Add(time.Millisecond), Lane: "04"},
		"earlier": {To: at, Lane: "04"}, "agreed": {Disagree: true}, "short": {Words: "o"}, "part of a short word": {Words: "gi"},
	} {
		require.Empty(t, ids(find(t, b.Store, q)), name)
	}
	require.Len(t, find(t, b.Store, store.Query{Undecided: true}), len(all))
	require.Len(t, find(t, b.Store, store.Query{}), len(all)+1)

	// The other agency disagrees, the passage moves, and what was is not found any more.
	v2 := v
	v2.ID, v2.Agency, v2.Code, v2.Reason = event.NewID(at.Add(time.Second)), event.BorderGuard, event.Release, ""
	b.commit(t, b.add(t, event.TypeVerdict, v2.ID, v2))
	require.Equal(t, []event.ID{p.ID}, ids(find(t, b.Store, store.Query{Disagree: true})))
	p.Version, p.OpenedAt, p.Containers, p.State = 2, at.Add(-time.Hour), nil, event.Closed
	b.commit(t, b.add(t, event.TypePassage, p.ID, p))
	require.Empty(t, ids(find(t, b.Store, store.Query{Container: "MSKU"})))
	require.Empty(t, ids(find(t, b.Store, store.Query{From: at, Lane: "04"})))
	hit := find(t, b.Store, store.Query{Document: "C123"})[0]
	require.True(t, hit.Disagree() && hit.Blind)
	require.Equal(t, []store.Mark{{Code: event.FindingRadiationGamma, Severity: event.Severe}, {Code: event.FindingCoverageGap, Severity: event.Minor}}, hit.Findings)

	before, err := b.Digests(t.Context())
	require.NoError(t, err)
	_, err = b.Rebuild(t.Context())
	require.NoError(t, err)
	after, err := b.Digests(t.Context())
	require.NoError(t, err)
	require.Equal(t, before, after)
	require.Equal(t, []event.ID{p.ID}, ids(find(t, b.Store, store.Query{Words: "go dong"})))
	lanes, err := b.Lanes(t.Context())
	require.NoError(t, err)
	require.Equal(t, []store.Lane{{Gate: "15BB", Lane: "01"}, {Gate: "15BB", Lane: "02"}, {Gate: "15BB", Lane: "03"}, {Gate: "15BB", Lane: "04"}}, lanes)
}

func TestADeviceHasAHistory(t *testing.T) {
	b := newBench(t)
	at := b.now.Add(-40 * 24 * time.Hour)
	for i, state := range []event.DeviceState{event.Up, event.Down, event.Up, event.Faulty, event.Up} {
		d := event.DeviceChange{
			ID: event.NewID(at), Where: event.Where{Gate: "15BB", Lane: "01", Device: "rpm"}, Driver: "rpm", State: state,
			Since: at.Add(time.Duration(i) * 9 * 24 * time.Hour), Reason: fmt.Sprint("reason ", i),
		}
		e := b.add(t, event.TypeDevice, d.ID, d)
		b.commit(t, e)
		b.commit(t, e)
	}
	g := event.Gap{ID: event.NewID(b.now), Where: event.Where{Gate: "15BB", Lane: "01", Device: "rpm"}, From: b.now.Add(-time.Minute), To: b.now, Frames: 12, Reason: "overflow"}
	b.commit(t, b.add(t, event.TypeGap, g.ID, g))
	f := event.FrameLog{ID: event.NewID(b.now), Where: g.Where, From: b.now.Add(-time.Second), To: b.now, Count: 2, Digests: []string{"aa", "bb"}}
	e := b.add(t, event.TypeFrameLog, f.ID, f)
	b.commit(t, e)
	f2 := f
	f2.Digests = append(f2.Digests, "cc")
	b.commit(t, b.add(t, event.TypeFrameLog, f.ID, f2)) // the same log again, with one frame more
	h, err := b.History(t.Context(), store.DeviceID{Gate: "15BB", Lane: "01", Device: "rpm"}, b.now.Add(-30*24*time.Hour))
	require.NoError(t, err)
	require.Equal(t, event.Down, h.Before.State)
	require.Len(t, h.Changes, 3)
	require.Equal(t, "reason 4", h.Changes[0].Reason)
	require.Len(t, h.Gaps, 1)
	require.Len(t, h.Days, 1)
	require.Equal(t, 3, h.Days[0].Frames)
}
