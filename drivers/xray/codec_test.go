package xray_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/drivers/xray"
)

// The checked frames of the profile.
func vectors() []string {
	return []string{
		"$XSTA,0042,READY,STOP,OFF,CLOSED,0,0*3A", "$XSTA,0043,SCANNING,FWD,ON,CLOSED,0,0*62",
		"$XSTA,0044,INTERLOCK,STOP,OFF,OPEN,0,I02*45", "$XCMD,0007,START,L01-000123*19",
		"$XACK,0007,OK*12", "$XNAK,0007,INTERLOCK*54",
		"$XEVT,0045,SCAN_BEGIN,L01-000123*55", "$XEVT,0046,SCAN_END,L01-000123,0*42",
		"$XIMG,0047,L01-000123,1,L01-000123_v1.tif,4194304*77", "$XCMD,0008,BELT,S*7A",
	}
}

func TestVectors(t *testing.T) {
	for _, line := range vectors() {
		s, err := xray.Parse([]byte(line))
		require.NoError(t, err, line)
		require.Equal(t, line, string(xray.Format(s)))
	}
}

func TestFields(t *testing.T) {
	parse := func(line string) xray.Sentence {
		s, err := xray.Parse([]byte(line))
		require.NoError(t, err)
		return s
	}
	v := vectors()
	require.Equal(t, xray.Status{State: "INTERLOCK", Belt: "STOP", Xray: "OFF", Curtain: "OPEN", Fault: "I02"}, parse(v[2]).Status())
	end := parse(v[7]).Event()
	require.Equal(t, "SCAN_END", end.Name)
	require.Equal(t, "L01-000123", end.ScanID)
	require.Equal(t, 0, *end.Result)
	require.Equal(t, xray.Image{ScanID: "L01-000123", View: 1, File: "L01-000123_v1.tif", Bytes: 4194304}, parse(v[8]).Image())
	require.Equal(t, 47, parse(v[8]).Seq)
}

func TestRefused(t *testing.T) {
	for _, line := range []string{
		"", "$", "$*00", "XSTA,0042,READY,STOP,OFF,CLOSED,0,0*3A", "$XSTA,0042,READY,STOP,OFF,CLOSED,0,0*3G",
		"$XSTA,0042,READY,STOP,OFF,CLOSED,0,0", "$XSTA,0042,READY,STOP,OFF,CLOSED,0,0*3", "$XACK,0007,OK*12 ",
	} {
		_, err := xray.Parse([]byte(line))
		require.ErrorIs(t, err, xray.ErrSentence, "%q", line)
	}
	_, err := xray.Parse([]byte("$XSTA,0042,READY,STOP,OFF,CLOSED,0,0*3B"))
	require.ErrorIs(t, err, xray.ErrChecksum)
	for _, s := range []xray.Sentence{
		{Type: "XFOO", Fields: []string{"a"}},
		{Type: xray.TypeStatus, Fields: []string{"READY", "STOP", "OFF", "CLOSED", "0"}},
		{Type: xray.TypeStatus, Fields: []string{"READY", "STOP", "OFF", "CLOSED", "2", "0"}},
		{Type: xray.TypeEvent, Fields: []string{"SCAN_END", "a"}},
		{Type: xray.TypeEvent, Fields: []string{"SCAN_END", "a", "x"}},
		{Type: xray.TypeEvent, Fields: []string{"SCAN_BEGIN"}},
		{Type: xray.TypeImage, Fields: []string{"a", "-1", "f", "1"}},
		{Type: xray.TypeImage, Fields: []string{"a", "1", "", "1"}},
		{Type: xray.TypeImage, Fields: []string{"a", "1", "f", "9999999999999999"}},
		{Type: xray.TypeEvent, Fields: []string{strings.Repeat("A", 200)}},
		{Type: xray.TypeEvent, Fields: []string{"tab\t"}},
		{Type: xray.TypeAck, Seq: 10000, Fields: []string{"OK"}},
	} {
		_, err := xray.Parse(xray.Format(s))
		require.ErrorIs(t, err, xray.ErrSentence, "%+v", s)
	}
}

func TestSalvage(t *testing.T) {
	before, sentence, ok := xray.Salvage([]byte("\xff$XSTA,00$XACK,0007,OK*12"))
	require.True(t, ok)
	require.Equal(t, "\xff$XSTA,00", string(before))
	require.Equal(t, "$XACK,0007,OK*12", string(sentence))
	_, _, ok = xray.Salvage([]byte("$XACK,0007,OK*12"))
	require.False(t, ok)
}

func FuzzParse(f *testing.F) {
	for _, v := range vectors() {
		f.Add([]byte(v))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		s, err := xray.Parse(line)
		if err == nil {
			require.True(t, bytes.EqualFold(line, xray.Format(s)))
			switch s.Type {
			case xray.TypeStatus:
				require.NotEmpty(t, s.Status().State)
			case xray.TypeEvent:
				require.NotEmpty(t, s.Event().Name)
			case xray.TypeImage:
				require.GreaterOrEqual(t, s.Image().Bytes, int64(0))
			}
		}
		if before, sentence, ok := xray.Salvage(line); ok {
			require.Equal(t, string(line), string(before)+string(sentence))
			_, err := xray.Parse(sentence)
			require.NoError(t, err)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	line := []byte(vectors()[0])
	b.SetBytes(int64(len(line) + 2))
	for b.Loop() {
		if _, err := xray.Parse(line); err != nil {
			b.Fatal(err)
		}
	}
}
