package passage_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/event"
	"gatehouse/internal/passage"
)

func idle(second float64, device string, frames ...string) event.JournalEntry {
	when := at(second)
	return event.JournalEntry{
		ID: event.DeriveID(when, "test", device), Kind: event.EntryReading, At: when,
		Reading: &event.Reading{
			ID: event.DeriveID(when, "reading", device), Where: event.Where{Device: device},
			Kind: event.RadiationBackground, Class: event.Idle, ReceivedAt: when, Frames: frames,
		},
	}
}

func TestFrameLogsCloseByEntriesOnly(t *testing.T) {
	fold := passage.NewFrameFold("15BB", "01", "idle")
	a, b := event.Digest([]byte("a")), event.Digest([]byte("b"))
	require.Empty(t, fold.Apply(idle(1, "rpm", a)))
	require.Empty(t, fold.Apply(idle(6, "rpm", a, b)))
	require.Empty(t, fold.Apply(idle(9, "xray", b)))

	saved, err := fold.Snapshot()
	require.NoError(t, err)
	fold, err = passage.RestoreFrameFold(saved)
	require.NoError(t, err)

	logs := decode[event.FrameLog](t, fold.Apply(idle(10, "rpm", b)), event.TypeFrameLog)
	require.Len(t, logs, 2, "both devices' stretches are over")
	require.Equal(t, event.FrameLog{
		ID: logs[0].ID, Where: event.Where{Gate: "15BB", Lane: "01", Device: "rpm"},
		From: at(1), To: at(6), Count: 3, Digests: []string{a[:16], a[:16], b[:16]},
	}, logs[0])
	require.Equal(t, "xray", logs[1].Device)

	last := decode[event.FrameLog](t, fold.Apply(event.JournalEntry{Kind: event.EntryStop, At: at(11)}), event.TypeFrameLog)
	require.Len(t, last, 1)
	require.Equal(t, 1, last[0].Count)
}

func TestFrameLogsCountWhatWasNotUnderstood(t *testing.T) {
	fold := passage.NewFrameFold("15BB", "01", "active")
	good, bad := idle(1, "rpm", event.Digest([]byte("a"))), idle(2, "rpm", event.Digest([]byte("b")), event.Digest([]byte("c")))
	bad.Reading.Kind = event.FrameInvalid
	fold.Apply(good)
	fold.Apply(bad)
	logs := decode[event.FrameLog](t, fold.Apply(event.JournalEntry{Kind: event.EntryStop, At: at(3)}), event.TypeFrameLog)
	require.Len(t, logs, 1)
	require.Equal(t, 3, logs[0].Count)
	require.Equal(t, 2, logs[0].Invalid)

	bad.Reading.Frames = []string{} // as of an answer that only the driver's library saw
	fold.Apply(bad)
	logs = decode[event.FrameLog](t, fold.Apply(event.JournalEntry{Kind: event.EntryStop, At: at(3)}), event.TypeFrameLog)
	require.Len(t, logs, 1)
	require.Zero(t, logs[0].Count)
	require.NotNil(t, logs[0].Digests, "JSON has a list")
	require.Equal(t, 1, logs[0].Invalid)
}

func TestFoldsOfTwoStreamsNeverShareAnID(t *testing.T) {
	stop := event.JournalEntry{Kind: event.EntryStop, At: at(2)}
	var ids []event.ID
	for _, stream := range []string{"active", "idle"} {
		fold := passage.NewFrameFold("15BB", "01", stream)
		fold.Apply(idle(1, "rpm", event.Digest(nil)))
		ids = append(ids, fold.Apply(stop)[0].Share.ID)
	}
	require.NotEqual(t, ids[0], ids[1])
}

func TestFrameLogsAreBounded(t *testing.T) {
	fold := passage.NewFrameFold("15BB", "01", "idle")
	many := make([]string, 3000)
	for i := range many {
		many[i] = event.Digest([]byte{byte(i)})
	}
	require.Empty(t, fold.Apply(idle(1, "rpm", many...)))
	effects := fold.Apply(idle(2, "rpm", many...))
	require.Len(t, effects, 1)
	require.Less(t, len(effects[0].Share.Data), 200_000)
}

func TestSnapshotsThatCannotBeRead(t *testing.T) {
	for _, snapshot := range []string{"", "{", `{"format":99}`, `[]`} {
		_, err := passage.Restore(goodsLane(t), []byte(snapshot))
		require.ErrorIs(t, err, passage.ErrSnapshot)
	}
	_, err := passage.RestoreFrameFold([]byte("{"))
	require.ErrorIs(t, err, passage.ErrSnapshot)
}

func TestRestoreWithOtherDevices(t *testing.T) {
	s := play(t, goodsLane(t))
	s.begin(0)
	s.gamma(1, 45, false)
	saved, err := s.engine.Snapshot()
	require.NoError(t, err)
	lane := goodsLane(t)
	lane.Devices = append(lane.Devices[:1:1], passage.Device{ID: "scale", Driver: "scale", Role: passage.RoleOther, Required: true})
	s.engine, err = passage.Restore(lane, saved)
	require.NoError(t, err)
	s.end(5)
	s.photo(6, "camera", "A") // a device that the lane no longer has
	require.Equal(t, event.Closed, s.one().State, "what was required of it went with the camera")
	s.begin(20)
	s.reading(21, "scale", event.Reading{Kind: "weight"})
	s.gamma(21, 45, false)
	s.end(22)
	require.Equal(t, event.Closed, s.records()[1].State)
	require.True(t, coverage(t, s.records()[1], "scale").Looked)
}

func TestStateIsBounded(t *testing.T) {
	lane := goodsLane(t)
	lane.Keep = passage.Keep{Count: 4, Pending: 3}
	s := play(t, lane)
	for i := range 40 {
		second := float64(i) * 100
		s.photo(second, "camera", "P"+string(rune('a'+i)))
		s.begin(second + 1)
		s.gamma(second+2, 45, false)
		s.end(second + 3)
		s.untilQuiet(second + 99)
	}
	require.Len(t, s.engine.Waiting(), 3, "the newest that vision owes an answer")
}

func TestLongOccupancyStaysWithinOneMessage(t *testing.T) {
	s := play(t, goodsLane(t))
	s.begin(0)
	for i := range 5 * 60 * 60 { // an hour in the portal
		s.engine.Apply(event.JournalEntry{ID: "e", Kind: event.EntryReading, At: at(float64(i) / 5), Reading: func() *event.Reading {
			r := gammaSample(45, false)
			r.ID, r.ReceivedAt, r.Device, r.Class = event.DeriveID(at(float64(i)/5), "r", ""), at(float64(i)/5), "rpm", event.Active
			r.Frames = []string{event.Digest([]byte{byte(i)})}
			return &r
		}()})
	}
	s.end(3600)
	newest := s.effects[len(s.effects)-1]
	for _, e := range s.effects {
		if e.Share != nil && e.Share.Type == event.TypePassage {
			newest = e
		}
	}
	require.Less(t, len(newest.Share.Data), 900_000)
	require.Len(t, s.one().Radiation.Gamma, 18_000)
}
