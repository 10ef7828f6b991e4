package camera_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/drivers/camera"
	"gatehouse/internal/event"
)

func TestParseCapture(t *testing.T) {
	c, err := camera.ParseCapture([]byte(`{"event_id":"a-1","time":"2026-03-02T08:30:00.5+07:00","view":"rear","direction":"entry","final":true,"new":1}`))
	require.NoError(t, err)
	require.Equal(t, "a-1", c.EventID)
	require.Equal(t, event.Entry, c.Direction)
	require.Nil(t, c.Image)
	for _, text := range []string{
		"", "[]", "{}", `{"event_id":"a"}`, `{"event_id":"a/b","time":"2026-03-02T08:30:00Z"}`,
		`{"event_id":"a","time":"today"}`, `{"event_id":"a","time":"2026-03-02T08:30:00Z","direction":"up"}`,
		`{"event_id":1,"time":"2026-03-02T08:30:00Z"}`,
	} {
		_, err := camera.ParseCapture([]byte(text))
		require.ErrorIs(t, err, camera.ErrMessage, text)
	}
}

func TestParseFrigate(t *testing.T) {
	e, err := camera.ParseFrigateEvent([]byte(`{"type":"end","before":{},"after":{"id":"1607123955.475377-mxklsc","camera":"lane01_front","frame_time":1607123961.837752,"snapshot":{"score":0.7},"label":"truck","sub_label":null,"score":0.78,"stationary":false,"current_zones":["lane"],"recognized_license_plate":"12C12345","recognized_license_plate_score":0.94}}`))
	require.NoError(t, err)
	require.Equal(t, "1607123955.475377-mxklsc", e.After.ID)
	require.Equal(t, "12C12345", e.After.Plate)
	at := camera.Seconds(e.After.FrameTime)
	require.Equal(t, int64(1607123961), at.Unix())
	for _, text := range []string{
		"", "{}", `{"type":"end"}`, `{"type":"end","after":null}`, `{"type":"later","after":{"id":"a","camera":"b"}}`,
		`{"type":"new","after":{"id":"","camera":"b"}}`, `{"type":"new","after":{"id":"a"}}`,
	} {
		_, err := camera.ParseFrigateEvent([]byte(text))
		require.ErrorIs(t, err, camera.ErrMessage, text)
	}
	p, err := camera.ParseFrigatePlate([]byte(`{"type":"lpr","id":"1.5-a","name":null,"plate":"12C12345","score":0.9,"camera":"lane01_front","timestamp":1607123958.7,"plate_box":[1,2,3,4]}`))
	require.NoError(t, err)
	require.Equal(t, "12C12345", p.Plate)
	_, err = camera.ParseFrigatePlate([]byte(`{"type":"lpr","id":""}`))
	require.ErrorIs(t, err, camera.ErrMessage)
	for _, s := range []float64{0, -1, 1e12, math.NaN(), math.Inf(1)} {
		require.Nil(t, camera.Seconds(s))
	}
}

func FuzzMessages(f *testing.F) {
	f.Add([]byte(`{"event_id":"a-1","time":"2026-03-02T08:30:00.5+07:00","view":"rear","final":true,"image":{"sha256":"00","bytes":1}}`))
	f.Add([]byte(`{"type":"end","after":{"id":"1.4-m","camera":"c","frame_time":1607123961.8,"label":"truck"}}`))
	f.Add([]byte(`{"type":"lpr","id":"1.5-a","plate":"12C12345","score":0.9,"camera":"c","timestamp":1607123958.7}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		if c, err := camera.ParseCapture(payload); err == nil {
			require.Regexp(t, `^[A-Za-z0-9._:-]+$`, c.EventID)
			require.False(t, c.Time.IsZero())
		} else {
			require.ErrorIs(t, err, camera.ErrMessage)
		}
		if e, err := camera.ParseFrigateEvent(payload); err == nil {
			require.NotEmpty(t, e.After.ID)
			_ = camera.Seconds(e.After.FrameTime)
		}
		if p, err := camera.ParseFrigatePlate(payload); err == nil {
			_ = camera.Seconds(p.Timestamp)
		}
		_ = camera.State(payload)
	})
}

func BenchmarkParseCapture(b *testing.B) {
	text := about("ev-1", photo(1))
	for b.Loop() {
		if _, err := camera.ParseCapture(text); err != nil {
			b.Fatal(err)
		}
	}
}
