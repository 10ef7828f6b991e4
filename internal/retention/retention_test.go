package retention_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gatehouse/internal/config"
	"gatehouse/internal/event"
	"gatehouse/internal/evidence"
	"gatehouse/internal/journal"
	"gatehouse/internal/retention"
	"gatehouse/internal/share"
	"gatehouse/internal/trust"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const day = 24 * time.Hour

// place is a gate's store and record on a real disk.
type place struct {
	t      *testing.T
	dir    string
	key    trust.Private
	store  *evidence.Store
	chain  *share.Chain
	keeper *retention.Keeper
	free   int64
	vision bool
	kept   func() uint64
}

func newPlace(t *testing.T) *place {
	t.Helper()
	p := &place{t: t, dir: t.TempDir(), free: 100 << 30}
	log := slog.New(slog.DiscardHandler)
	j, err := journal.Open(t.Context(), journal.Options{
		Dir: filepath.Join(p.dir, "journal"), MaxBytes: 1 << 30, IdleMaxBytes: 1 << 20, MaxAge: day, IdleMaxAge: day, Log: log,
	})
	require.NoError(t, err)
	t.Cleanup(j.Close)
	p.key, err = trust.NewPrivate()
	require.NoError(t, err)
	p.chain, err = share.OpenChain(t.Context(), j.JetStream(), share.ChainConfig{Gate: "15BB", Key: p.key})
	require.NoError(t, err)
	p.store, err = evidence.Open(filepath.Join(p.dir, "evidence"), 0, nil)
	require.NoError(t, err)
	p.kept = p.chain.Position
	p.open()
	t.Cleanup(func() { require.NoError(t, p.keeper.Close()) })
	return p
}

func (p *place) open() {
	p.t.Helper()
	var err error
	p.keeper, err = retention.Open(p.t.Context(), retention.Config{
		Gate: "15BB", Index: filepath.Join(p.dir, "retention.db"), Store: p.store, Chain: p.chain, Log: slog.New(slog.DiscardHandler),
		Vision: p.vision, Kept: func() uint64 { return p.kept() }, Now: time.Now, Free: func() (int64, error) { return p.free, nil },
	})
	require.NoError(p.t, err)
}

// put stores a piece of 1,000 bytes so many days ago.
func (p *place) put(name string, days int) event.Evidence {
	p.t.Helper()
	e, err := p.store.Put(p.t.Context(), strings.NewReader(name+strings.Repeat(".", 1000-len(name))), 1<<20, "image/jpeg", "plate-photo", name)
	require.NoError(p.t, err)
	at := time.Now().Add(-time.Duration(days)*day - time.Minute)
	require.NoError(p.t, os.Chtimes(p.store.Path(e.SHA256), at, at))
	return e
}

func (p *place) there(e event.Evidence) bool {
	_, _, err := p.store.Stored(e.SHA256)
	return err == nil
}

func (p *place) append(t event.Type, id event.ID, value any) {
	p.t.Helper()
	e, err := event.Wrap("/gate/15BB", t, id, "test", time.Now(), value)
	require.NoError(p.t, err)
	_, err = p.chain.Append(p.t.Context(), e)
	require.NoError(p.t, err)
}

// passage shares a closed passage with photos of one camera, of which the plate was
// read on the first, and with findings.
func (p *place) passage(days int, photos []event.Evidence, findings ...event.Severity) event.Passage {
	p.t.Helper()
	at := time.Now().Add(-time.Duration(days)*day - time.Minute)
	v := event.Passage{ID: event.NewID(at), Version: 1, Where: event.Where{Gate: "15BB", Lane: "01"}, State: event.Closed, OpenedAt: at.UTC()}
	for _, e := range photos {
		v.Photos = append(v.Photos, event.Photo{Image: e, Device: "camera", Analysis: "done"})
	}
	if len(photos) > 0 {
		v.Plates = []event.PlateReading{{Text: "12C12345", Photo: photos[0].SHA256}}
	}
	for _, s := range findings {
		v.Findings = append(v.Findings, event.Finding{ID: event.NewID(at), Code: event.FindingCoverageGap, Severity: s})
	}
	p.append(event.TypePassage, event.NewID(at), v)
	return v
}

// fetched has agencies say that they stored pieces.
func (p *place) fetched(agencies []event.Agency, pieces ...event.Evidence) {
	p.t.Helper()
	for _, a := range agencies {
		r := event.Receipt{ID: event.NewID(time.Now()), Agency: a, Gate: "15BB", Chain: p.chain.Head().Chain, Sequence: 1}
		for _, e := range pieces {
			r.Evidence = append(r.Evidence, e.SHA256)
		}
		p.append(event.TypeReceipt, r.ID, r)
	}
}

func (p *place) hold(v event.Passage, a event.Agency, set bool) {
	p.t.Helper()
	h := event.LegalHold{ID: event.NewID(time.Now()), Agency: a, Gate: "15BB", Passage: v.ID, Set: set, Reason: "án 12/2026"}
	p.append(event.TypeHold, h.ID, h)
}

func (p *place) sweep(rules config.Retention) retention.Report {
	p.t.Helper()
	r, err := p.keeper.Sweep(p.t.Context(), rules)
	require.NoError(p.t, err)
	return r
}

// removals are those on the record.
func (p *place) removals() (all []event.Removal) {
	for e, err := range p.chain.Read(p.t.Context(), 0) {
		require.NoError(p.t, err)
		if e.Header.Type == event.TypeRemoval {
			env, err := e.Envelope()
			require.NoError(p.t, err)
			var r event.Removal
			require.NoError(p.t, json.Unmarshal(env.Data, &r))
			all = append(all, r)
		}
	}
	return all
}

// why is the count of what stays for each reason.
func why(r retention.Report) map[string]int {
	all := map[string]int{}
	for _, s := range r.Stays {
		all[s.Why] = s.Count
	}
	return all
}

func TestWhatIsWorthLeastGoesFirst(t *testing.T) {
	p := newPlace(t)
	rules := config.Default().Retention
	both := event.Agencies()

	clear := []event.Evidence{p.put("plate", 100), p.put("burst 1", 100), p.put("burst 2", 101)}
	p.passage(100, clear[:2])
	decoy := p.put("found and burst", 300) // a plate of a passage with a finding
	p.passage(300, []event.Evidence{decoy}, event.Severe)
	p.passage(101, []event.Evidence{decoy, clear[2]})
	young := []event.Evidence{p.put("young plate", 3), p.put("young burst", 3)}
	p.passage(3, young)
	found := []event.Evidence{p.put("found", 300)}
	p.passage(300, found, event.Severe)
	minor := []event.Evidence{p.put("minor", 300)}
	p.passage(300, minor, event.Minor)
	all := append(append(append(append([]event.Evidence{decoy}, clear...), young...), found...), minor...)
	p.fetched(both, all...)
	lacking := []event.Evidence{p.put("lacking", 300)}
	p.passage(300, lacking)
	p.fetched(both[:1], lacking...)

	r := p.sweep(rules)
	require.Zero(t, r.Gone(), "there is room")
	require.Equal(t, 2, r.Rules[1].May.Count, "bursts may go")
	require.Equal(t, map[string]int{retention.StaysYoung: 2, retention.StaysNoRule: 2, retention.StaysUnfetched: 1}, why(r))

	p.free = int64(rules.Low) - 1
	rules.Enough = config.Size(p.free + 2500) // three pieces of 1,000 bytes
	plan, err := p.keeper.Plan(t.Context(), rules)
	require.NoError(t, err)
	require.Equal(t, 3, plan.Gone())
	require.True(t, p.there(clear[1]), "a plan removes nothing")
	require.Empty(t, p.removals())

	r = p.sweep(rules)
	require.Equal(t, plan.Gone(), r.Gone())
	require.False(t, p.there(clear[1]))
	require.False(t, p.there(clear[2]))
	require.False(t, p.there(clear[0]), "the photo after the burst")
	for _, e := range append(append(append([]event.Evidence{}, young...), found...), append(minor, lacking...)...) {
		require.True(t, p.there(e), e.Name)
	}
	said := p.removals()
	require.Len(t, said, 2)
	require.Equal(t, "clear-bursts", said[0].Rule)
	require.Equal(t, event.RemovedForRoom, said[0].Cause)
	require.Equal(t, clear[2].SHA256, said[0].Pieces[0].SHA256, "the oldest first")
	require.Equal(t, event.RemovedPiece{
		SHA256: clear[0].SHA256, Bytes: 1000, Kind: event.EvidencePhoto, Passage: said[1].Pieces[0].Passage, Stored: said[1].Pieces[0].Stored,
	}, said[1].Pieces[0])

	rules.Enough = 1 << 40
	r = p.sweep(rules)
	require.Equal(t, 1, r.Gone(), "what is minor, and then nothing is left that may go")
	require.False(t, p.there(minor[0]))
	require.Zero(t, p.sweep(rules).Gone())

	var export bytes.Buffer
	_, err = share.WriteExport(&export, share.Export(p.chain.Read(t.Context(), 0)))
	require.NoError(t, err)
	report, err := share.Verify(&export, share.VerifyKeys{Gate: []trust.Public{p.key.Public()}})
	require.NoError(t, err)
	require.True(t, report.Whole, "%v", report.First)
}

func TestNothingThatIsNeededEverGoes(t *testing.T) {
	p := newPlace(t)
	rules := config.Retention{Low: 1 << 30, Enough: 1 << 40, Rules: []config.RetentionRule{
		{Name: "clear", Evidence: event.EvidenceKinds(), Passages: config.OfClear},
		{Name: "found", Evidence: event.EvidenceKinds(), Passages: config.OfFindings},
		{Name: "over", Evidence: event.EvidenceKinds(), Passages: config.OfDecided, Until: 1},
	}}
	p.free = 0 // no room at all
	both := event.Agencies()
	one := p.put("one", 500)
	v := p.passage(500, []event.Evidence{one}, event.Severe)
	alert := event.Alert{ID: event.NewID(v.OpenedAt), Sent: v.OpenedAt, MsgType: "Alert", Where: v.Where, Passage: v.ID, Evidence: []event.Evidence{one}}
	p.append(event.TypeAlert, alert.ID, alert)
	stays := func(reason string) {
		t.Helper()
		r := p.sweep(rules)
		require.Zero(t, r.Gone())
		require.Equal(t, map[string]int{reason: 1}, why(r))
		require.True(t, p.there(one))
	}
	stays(retention.StaysAlert)
	for _, a := range both {
		verdict := event.Verdict{ID: event.NewID(time.Now()), Agency: a, Gate: "15BB", Passage: v.ID, Code: event.Release, At: time.Now()}
		p.hold(v, a, true)
		p.append(event.TypeVerdict, verdict.ID, verdict)
	}
	stays(retention.StaysHeld)
	p.hold(v, event.Customs, false)
	stays(retention.StaysHeld)
	p.hold(v, event.BorderGuard, false)
	stays(retention.StaysUnfetched)
	p.fetched(both[1:], one)
	stays(retention.StaysUnfetched)
	p.fetched(both, one)
	p.kept = func() uint64 { return 0 }
	stays(retention.StaysUnreceived)
	p.kept = p.chain.Position

	v.Version, v.State = 2, event.Waiting
	p.append(event.TypePassage, event.NewID(time.Now()), v)
	stays(retention.StaysBusy)
	v.Version, v.State, v.Pending = 3, event.Closed, []string{one.SHA256}
	p.append(event.TypePassage, event.NewID(time.Now()), v)
	p.vision = true
	require.NoError(t, p.keeper.Close())
	p.open()
	stays(retention.StaysBusy) // vision has not looked
	p.vision = false           // where there is none, nothing waits for it
	require.NoError(t, p.keeper.Close())
	p.open()

	// Another passage into which it was merged is held: so is this one.
	other := p.passage(500, nil)
	v.Version, v.State, v.MergedInto = 4, event.Merged, other.ID
	p.append(event.TypePassage, event.NewID(time.Now()), v)
	p.hold(other, event.Customs, true)
	stays(retention.StaysHeld)
	p.hold(other, event.Customs, false)

	// A verdict that the rule does not name.
	rules.Rules[2].Verdicts = []event.VerdictCode{event.FalseAlarm}
	stays(retention.StaysNoRule)
	rules.Rules[2].Verdicts = nil

	p.free = 1 << 40 // there is room, but its time is over
	r := p.sweep(rules)
	require.Equal(t, 1, r.Gone())
	require.False(t, p.there(one))
	require.Equal(t, event.RemovedForAge, p.removals()[0].Cause)
}

func TestARemovalThatWasCutOffIsDoneAndAPieceThatCameAgainStays(t *testing.T) {
	p := newPlace(t)
	rules := config.Retention{Rules: []config.RetentionRule{{Name: "clear", Evidence: event.EvidenceKinds(), Passages: config.OfClear, Until: 10}}}
	both := event.Agencies()
	a, b := p.put("a", 2), p.put("b", 2)
	p.passage(2, []event.Evidence{a, b})
	p.fetched(both, a, b)
	said := event.Removal{ID: event.NewID(time.Now()), Gate: "15BB", Rule: "clear", At: time.Now()}
	for _, e := range []event.Evidence{a, b} {
		stored, _, err := p.store.Stored(e.SHA256)
		require.NoError(t, err)
		said.Pieces = append(said.Pieces, event.RemovedPiece{SHA256: e.SHA256, Stored: stored})
	}
	p.append(event.TypeRemoval, said.ID, said)
	p.put("b", 1) // the same bytes came again
	p.sweep(rules)
	require.False(t, p.there(a), "what the record says is done")
	require.True(t, p.there(b))
	require.Len(t, p.removals(), 1)

	// The index is made from the record alone: a lost one changes nothing.
	before, err := p.keeper.Plan(t.Context(), rules)
	require.NoError(t, err)
	require.NoError(t, p.keeper.Close())
	require.NoError(t, os.WriteFile(filepath.Join(p.dir, "retention.db"), []byte("not a database, whatever it is"), 0o600))
	p.open()
	after, err := p.keeper.Plan(t.Context(), rules)
	require.NoError(t, err)
	before.At, after.At = time.Time{}, time.Time{}
	require.Equal(t, before, after)
}

func TestWhatNoRecordNamesStaysUntilItIsKnownThatNoneWill(t *testing.T) {
	p := newPlace(t)
	rules := config.Retention{Rules: []config.RetentionRule{{Name: "raw", Evidence: []event.EvidenceKind{event.EvidenceRaw}, Passages: config.OfClear, Until: 1}}}
	old := p.put("older than the record", 30)
	p.passage(0, nil)
	fresh := p.put("fresh", 0)
	r := p.sweep(rules)
	require.Zero(t, r.Gone())
	require.Equal(t, map[string]int{retention.StaysUnknown: 2}, why(r), "the record began a moment ago")
	require.True(t, p.there(old))
	require.True(t, p.there(fresh))
}

// What is said while a removal is decided counts.
func TestAHoldThatComesInBetweenCounts(t *testing.T) {
	p := newPlace(t)
	rules := config.Retention{Rules: []config.RetentionRule{{Name: "clear", Evidence: event.EvidenceKinds(), Passages: config.OfClear, Until: 1}}}
	one := p.put("one", 500)
	v := p.passage(500, []event.Evidence{one})
	p.fetched(event.Agencies(), one)
	set := false
	p.kept = func() uint64 {
		if !set { // asked after the index was brought up to date
			set = true
			p.hold(v, event.Customs, true)
		}
		return p.chain.Position()
	}
	require.Zero(t, p.sweep(rules).Gone())
	require.True(t, p.there(one))
	require.Empty(t, p.removals())

	_, err := p.chain.AppendAt(t.Context(), p.chain.Position()-1, envelope(t))
	require.ErrorIs(t, err, share.ErrMovedOn)
}

func envelope(t *testing.T) event.Envelope {
	id := event.NewID(time.Now())
	e, err := event.Wrap("/gate/15BB", event.TypeGap, id, "x", time.Now(), event.Gap{ID: id})
	require.NoError(t, err)
	return e
}
