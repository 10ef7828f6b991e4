package sidecar_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gatehouse/internal/sidecar"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestParse(t *testing.T) {
	at := time.Date(2026, 3, 2, 8, 30, 0, 0, time.FixedZone("", 7*3600))
	digest := strings.Repeat("ab", 32)
	for _, text := range []string{
		`{"scan_id":"L01-1","view":2,"kV":6000,"mA":0.2,"time":"2026-03-02T08:30:00+07:00","sha-256":"` + strings.ToUpper(digest) + `","x":[1]}`,
		`{"scan":{"scanId":"L01-1","VIEW":"2"},"tube":{"kv":6e3,"ma":0.2},"time":"2026-03-02T08:30:00+07:00","sha256":"` + digest + `"}`,
		"\ufeff<?xml version=\"1.0\"?><scan scan-id=\"L01-1\"><view>2</view><tube kv=\"6000\" mA=\"0.2\"/>" +
			"<Time> 2026-03-02T08:30:00+07:00 </Time><SHA256>" + digest + "</SHA256></scan>",
	} {
		s, err := sidecar.Parse([]byte(text))
		require.NoError(t, err, text)
		require.True(t, at.Equal(s.Time))
		s.Time = time.Time{}
		require.Equal(t, sidecar.Description{ScanID: "L01-1", View: 2, KV: 6000, MA: 0.2, SHA256: digest}, s)
	}
	for _, text := range []string{
		"", "hello", "{", `{"kv":"NaN"}`, `{"kv":-1}`, `{"view":1.5}`, `{"time":"yesterday"}`, `{"sha256":"abc"}`, "<a><b></a>", `{"kv":"many"}`, `{"view":1e400}`, `{"complete":"perhaps"}`, `{"width":-4}`,
	} {
		_, err := sidecar.Parse([]byte(text))
		require.ErrorIs(t, err, sidecar.ErrUnreadable, text)
	}
}

func TestNamesAreComparedLoosely(t *testing.T) {
	s, err := sidecar.Parse([]byte(`<scan id="1"><ScanID>B-7</ScanID><kV>160</kV><Air-Level>3900</Air-Level>
		<pixel size="x"/><MM_per_pixel>0.8</MM_per_pixel><complete>false</complete><declared_kg>12000</declared_kg></scan>`))
	require.NoError(t, err)
	require.Equal(t, sidecar.Description{ScanID: "B-7", KV: 160, AirLevel: 3900, PixelMM: 0.8, Incomplete: true, DeclaredKG: 12000}, s)
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"kv":6000,"mA":0.2,"time":"2026-03-02T08:30:00+07:00","view":1}`))
	f.Add([]byte(`<scan view="1"><kv>160</kv></scan>`))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := sidecar.Parse(data)
		if err != nil {
			require.Equal(t, sidecar.Description{}, s)
			return
		}
		require.False(t, s.KV < 0 || s.MA < 0 || s.KV != s.KV || s.MA != s.MA)
	})
}
