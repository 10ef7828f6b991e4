package store_test

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/console/store"
	"gatehouse/internal/event"
)

func TestAnAcknowledgementIsShownAtOnceAndSettledByTheChain(t *testing.T) {
	b := newBench(t)
	p := passage(b, 1)
	a := event.Alert{ID: event.NewID(b.now), Sent: b.now, MsgType: "Alert", Where: event.Where{Gate: "15BB", Lane: "01"}, Passage: p.ID, EventCode: "RPM-GAMMA"}
	b.commit(t, b.add(t, event.TypePassage, p.ID, p), b.add(t, event.TypeAlert, a.ID, a))
	got, err := b.Alert(t.Context(), a.ID)
	require.NoError(t, err)
	require.False(t, got.Acked())

	k := event.Ack{ID: event.NewID(b.now), Agency: event.Customs, Gate: "15BB", Alert: a.ID, Passage: p.ID, Badge: "HQ-1", At: b.now}
	r, err := b.Acknowledge(t.Context(), k)
	require.NoError(t, err)
	require.True(t, r.Queued)
	got, err = b.Alert(t.Context(), a.ID)
	require.NoError(t, err)
	require.Equal(t, []store.Ack{{Agency: event.Customs, Badge: "HQ-1", At: b.now, Pending: true}}, got.Acks)

	list, err := b.Outbox(t.Context(), 10)
	require.NoError(t, err)
	require.Equal(t, "say.15BB.ack", last(list).Subject)
	require.NoError(t, b.Sent(t.Context(), last(list).Number))
	got, err = b.Alert(t.Context(), a.ID)
	require.NoError(t, err)
	require.True(t, got.Acks[0].Pending, "sent is not yet on the chain")

	b.commit(t, b.add(t, event.TypeAck, k.ID, k))
	other := event.Ack{ID: event.NewID(b.now), Agency: event.BorderGuard, Gate: "15BB", Alert: a.ID, Passage: p.ID, Badge: "BP-7", At: b.now.Add(time.Second)}
	b.commit(t, b.add(t, event.TypeAck, other.ID, other))
	update := a
	update.ID, update.MsgType, update.References = event.NewID(b.now.Add(time.Second)), "Update", []event.ID{a.ID}
	b.commit(t, b.add(t, event.TypeAlert, update.ID, update))
	for _, id := range []event.ID{a.ID, update.ID} {
		got, err = b.Alert(t.Context(), id)
		require.NoError(t, err)
		require.Len(t, got.Acks, 2, "an update keeps the acknowledgements of what it updates")
		require.False(t, got.Acks[0].Pending)
		require.Equal(t, "BP-7", got.Acks[1].Badge)
	}
	_, err = b.Alert(t.Context(), "none")
	require.ErrorIs(t, err, store.ErrNotFound)
}

func TestACorrectionIsAppliedOnceAVersionContainsIt(t *testing.T) {
	b := newBench(t)
	p := passage(b, 1)
	b.commit(t, b.add(t, event.TypePassage, p.ID, p))
	c := event.Correction{
		ID: event.NewID(b.now), Agency: event.Customs, Gate: "15BB", Lane: "01", Kind: event.CorrectFacts, Passage: p.ID, At: b.now,
		Facts: event.Facts{Plate: "29H86120"}, Reason: "biển bẩn", Badge: "HQ-1", Saw: event.SeenVersion{Version: 1, Sequence: 1},
	}
	_, err := b.Correct(t.Context(), c)
	require.NoError(t, err)
	state := func(pending, applied bool) {
		t.Helper()
		got, err := b.Passage(t.Context(), p.ID)
		require.NoError(t, err)
		require.Len(t, got.Corrections, 1)
		require.Equal(t, c, got.Corrections[0].Correction)
		require.Equal(t, pending, got.Corrections[0].Pending)
		require.Equal(t, applied, got.Corrections[0].Applied)
		open, err := b.OpenCorrections(t.Context(), b.now.Add(-time.Hour))
		require.NoError(t, err)
		require.Len(t, open, map[bool]int{true: 0, false: 1}[applied])
	}
	state(true, false)
	b.commit(t, b.add(t, event.TypeCorrection, c.ID, c))
	state(false, false)
	p.Version, p.Stated, p.Corrections = 2, c.Facts, []event.Correcting{{ID: c.ID, Agency: c.Agency, Kind: c.Kind, Facts: c.Facts, Reason: c.Reason, Badge: c.Badge, At: c.At}}
	b.commit(t, b.add(t, event.TypePassage, p.ID, p))
	state(false, true)

	got, err := b.Passage(t.Context(), p.ID)
	require.NoError(t, err)
	require.Equal(t, "29H86120", store.BestPlate(&got.Passage).Text, "what an officer stated stands for the passage")
	same, err := b.SamePlate(t.Context(), "29H86120", b.now.Add(time.Minute), 5)
	require.NoError(t, err)
	require.Len(t, same, 1)
}

func TestDevicesTellWhatBarriersShowAndWhetherTheyAreRequired(t *testing.T) {
	b := newBench(t)
	d := event.DeviceChange{
		ID: event.NewID(b.now), Where: event.Where{Gate: "15BB", Lane: "01", Device: "barrier"}, Driver: "barrier", State: event.Up, Since: b.now,
		Code: "OK", Required: true, Barrier: &event.Barrier{Arm: "down", Lights: []string{"red"}, Loops: []string{"safety"}, Watchdog: "board"},
	}
	f := event.FrameLog{ID: event.NewID(b.now), Where: event.Where{Gate: "15BB", Lane: "01", Device: "rpm"}, From: b.now, To: b.now}
	b.commit(t, b.add(t, event.TypeDevice, d.ID, d), b.add(t, event.TypeFrameLog, f.ID, f))
	list, err := b.Devices(t.Context())
	require.NoError(t, err)
	require.Len(t, list, 2)
	require.Equal(t, d.Barrier, list[0].Barrier)
	require.True(t, list[0].Required)
	require.Equal(t, "OK", list[0].Code)
	require.Nil(t, list[1].Barrier)

	open := passage(b, 1)
	open.ID, open.State, open.OpenedAt = "OPEN", event.Open, b.now
	old := passage(b, 1)
	old.OpenedAt = b.now.Add(-time.Minute)
	b.commit(t, b.add(t, event.TypePassage, open.ID, open), b.add(t, event.TypePassage, old.ID, old))
	lanes, err := b.LanePassages(t.Context())
	require.NoError(t, err)
	require.Len(t, lanes, 2, "what is in the lane, and what was there last")
	near, err := b.Neighbours(t.Context(), &open, time.Hour)
	require.NoError(t, err)
	require.Len(t, near, 1)
	require.Equal(t, old.ID, near[0].ID)
	some, err := b.PassagesByID(t.Context(), []event.ID{"OPEN", "none"})
	require.NoError(t, err)
	require.Len(t, some, 1)
}

// A store that an older program has filled is brought up to date from its own
// bytes, and what that program could not read is read.
func TestAnOlderStoreIsBroughtUpToDate(t *testing.T) {
	b := newBench(t)
	dir := t.TempDir()
	first, err := os.ReadFile("migrations/0001_shared.sql")
	require.NoError(t, err)
	w, r, err := store.OpenDatabase(filepath.Join(dir, store.File))
	require.NoError(t, err)
	require.NoError(t, store.Migrate(t.Context(), w, fstest.MapFS{"migrations/0001_shared.sql": {Data: first}}))
	k := event.Ack{ID: event.NewID(b.now), Agency: event.Customs, Gate: "15BB", Alert: "A", Passage: "P", Badge: "HQ-1", At: b.now}
	older(t, w, b.add(t, event.TypeAck, k.ID, k))
	require.NoError(t, w.Close())
	require.NoError(t, r.Close())

	s := b.open(t, dir)
	suspects, err := s.Suspects(t.Context(), 10)
	require.NoError(t, err)
	require.Empty(t, suspects)
	var n int
	write, read, err := store.OpenDatabase(filepath.Join(dir, store.File))
	require.NoError(t, err)
	t.Cleanup(func() { _ = read.Close(); _ = write.Close() })
	require.NoError(t, read.QueryRowContext(t.Context(), `SELECT count(*) FROM acks`).Scan(&n))
	require.Equal(t, 1, n)
}

// What an older program could not read is read at the next start, in its place
// among what has come since; what nobody can read stays aside.
func TestWhatAnOlderProgramCouldNotReadIsReadAtTheNextStart(t *testing.T) {
	b, other := newBench(t), newBench(t)
	b.SetReplayStep(2)
	var all []store.Event
	for n := range 5 {
		p := passage(b, n+1)
		k := event.Ack{ID: event.NewID(b.now), Agency: event.Customs, Gate: "15BB", Alert: event.ID("A" + strconv.Itoa(n)), Passage: p.ID, Badge: "HQ-1", At: b.now}
		all = append(all, b.add(t, event.TypePassage, p.ID, p), b.add(t, event.TypeAck, k.ID, k))
	}
	never := b.add(t, "vn.gatehouse.tomorrow.v1", "T", struct{}{})
	other.commit(t, append(all, never)...)
	want, err := other.Digests(t.Context())
	require.NoError(t, err)

	for _, e := range all {
		if e.Type == event.TypePassage {
			b.commit(t, e)
		}
	}
	require.NoError(t, b.Close())
	w, r, err := store.OpenDatabase(filepath.Join(b.dir, store.File))
	require.NoError(t, err)
	for _, e := range append(all, never) {
		if e.Type != event.TypePassage {
			older(t, w, e)
		}
	}
	require.NoError(t, w.Close())
	require.NoError(t, r.Close())

	s := b.open(t, b.dir)
	suspects, err := s.Suspects(t.Context(), 10)
	require.NoError(t, err)
	require.Len(t, suspects, 1)
	require.Equal(t, never.Sequence, suspects[0].Sequence)
	got, err := s.Digests(t.Context())
	require.NoError(t, err)
	for _, table := range []string{"acks", "passages", "search"} {
		require.Equal(t, want[table], got[table], table)
	}
}

// Reasons of devices in both languages are taken from the bytes that an older
// program has stored.
func TestAnOlderStoreLearnsTheWordsOfDevices(t *testing.T) {
	b := newBench(t)
	dir := t.TempDir()
	before := fstest.MapFS{}
	for _, name := range []string{"migrations/0001_shared.sql", "migrations/0002_sayings.sql", "migrations/0003_search.sql", "migrations/0004_control.sql"} {
		data, err := os.ReadFile(name)
		require.NoError(t, err)
		before[name] = &fstest.MapFile{Data: data}
	}
	w, r, err := store.OpenDatabase(filepath.Join(dir, store.File))
	require.NoError(t, err)
	require.NoError(t, store.Migrate(t.Context(), w, before))
	d := event.DeviceChange{
		ID: event.NewID(b.now), Where: event.Where{Gate: "15BB", Lane: "01", Device: "scale"}, Driver: "scale", State: event.Down, Since: b.now,
		Reason: "link", Words: event.Text{VI: "mất kết nối", EN: "link lost"},
	}
	e := b.add(t, event.TypeDevice, d.ID, d)
	older(t, w, e)
	for _, table := range []string{"devices", "device_changes"} {
		more, values := "", ""
		if table == "devices" {
			more, values = ", heard_at", ", ''"
		}
		_, err = w.ExecContext(t.Context(), `INSERT INTO `+table+` (gate, lane, device, driver, state, since, reason, code, try_vi, try_en, chain, sequence`+more+`)
			VALUES ('15BB', '01', 'scale', 'scale', 'down', ?, 'link', '', '', '', ?, ?`+values+`)`, b.now.UTC().Format("2006-01-02T15:04:05.000000Z"), e.Chain, e.Sequence)
		require.NoError(t, err)
	}
	_, err = w.ExecContext(t.Context(), `INSERT INTO meta (key, value) VALUES ('search_form', '1')`)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	require.NoError(t, r.Close())

	s := b.open(t, dir)
	list, err := s.Devices(t.Context())
	require.NoError(t, err)
	require.Len(t, list, 1)
	require.Equal(t, d.Words, list[0].Words)
	h, err := s.History(t.Context(), store.DeviceID{Gate: "15BB", Lane: "01", Device: "scale"}, b.now.Add(-time.Hour))
	require.NoError(t, err)
	require.Len(t, h.Changes, 1)
	require.Equal(t, d.Words, h.Changes[0].Words)
}

// older stores an event as a program that does not know its type.
func older(t *testing.T, db *sql.DB, e store.Event) {
	t.Helper()
	_, err := db.ExecContext(context.Background(), `INSERT INTO events (chain, sequence, gate, type, event_id, at, header, signature, payload, previous, head, quarantined, problem)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 2, 'unknown type')`, e.Chain, e.Sequence, e.Gate, string(e.Type), string(e.ID), e.At.UTC().Format("2006-01-02T15:04:05.000000Z"),
		e.Header, e.Signature, e.Payload, e.Previous, event.Digest(e.Header))
	require.NoError(t, err)
}
