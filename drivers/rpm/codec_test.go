package rpm_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/drivers/rpm"
)

// The lines of the protocol's open sources: a unit test of the Rapiscan driver
// of osh-oakridge-modules and two lines of an SRLS daily file.
func TestPublishedVectors(t *testing.T) {
	r, err := rpm.Parse([]byte("GB,000188,000206,000262,000243"))
	require.NoError(t, err)
	require.Equal(t, rpm.Background, r.Shape())
	require.Equal(t, []float64{188, 206, 262, 243}, r.Counts())
	require.False(t, r.Neutron())
	require.True(t, r.Regular())

	r, err = rpm.Parse([]byte("NB,000002,000002,000002,000002,00-00-04.841"))
	require.NoError(t, err)
	require.True(t, r.Neutron())
	require.Equal(t, []float64{2, 2, 2, 2}, r.Counts())
	require.Equal(t, "00-00-04.841", r.Fields[4])

	r, err = rpm.Parse([]byte("SP,0.2249,03.032,004.88,000000"))
	require.NoError(t, err)
	require.InDelta(t, 4.88, r.KMH(), 1e-9)
}

func TestEveryRecord(t *testing.T) {
	counts := ",000001,000002,000003,000004"
	for name, want := range map[string]rpm.Shape{
		"NB": rpm.Background, "GB": rpm.Background, "NH": rpm.Background, "GH": rpm.Background, "GL": rpm.Background,
		"GS": rpm.Sample, "GA": rpm.Sample, "NS": rpm.Sample, "NA": rpm.Sample,
		"SP": rpm.Speed, "GX": rpm.End, "TC": rpm.Tamper, "TT": rpm.Tamper,
		"SG1": rpm.Setup, "SG2": rpm.Setup, "SG3": rpm.Setup, "SN1": rpm.Setup, "SN2": rpm.Setup,
	} {
		line := name + counts
		r, err := rpm.Parse([]byte(line))
		require.NoError(t, err, name)
		require.Equal(t, want, r.Shape(), name)
		require.Equal(t, line, string(rpm.Format(r)))
	}
	for name, want := range map[string]string{"GH": "high-background", "NH": "high-background", "GL": "low-background", "GB": ""} {
		r, err := rpm.Parse([]byte(name + counts))
		require.NoError(t, err)
		require.Equal(t, want, r.Fault())
	}
	for name, want := range map[string]bool{"GS": false, "GA": true, "NS": false, "NA": true} {
		r, err := rpm.Parse([]byte(name + counts))
		require.NoError(t, err)
		require.Equal(t, want, r.Alarm())
	}
}

func TestSetupColumnsAreNamed(t *testing.T) {
	r, err := rpm.Parse([]byte("SG1,400,080,5,10,7,000000"))
	require.NoError(t, err)
	require.Equal(t, map[string]string{
		"high_background_fault": "400", "low_background_fault": "080", "intervals": "5",
		"holdin": "10", "nsigma": "7", "column_6": "000000",
	}, r.Detail())
}

func TestRefused(t *testing.T) {
	for _, line := range []string{
		"", "GS", "GS,", "GS,000001,000002,000003", "XX,000001,000002,000003,000004",
		"gs,000001,000002,000003,000004", "GS,000001,000002,00-003,000004", "GS,000001,000002,,000004",
		"GS,0000000001,000002,000003,000004", "SP,0.2249,-3.032,004.88,000000", "SP,0.2249,1e3,004.88,000000",
		"SP,NaN,03.032,004.88,000000", "GS,000001,000002,000003,000004\x00", "\xffGS,000001,000002,000003,000004",
		"GS,000001,000002,000003,000004," + strings.Repeat("x", rpm.MaxLine),
	} {
		_, err := rpm.Parse([]byte(line))
		require.ErrorIs(t, err, rpm.ErrRecord, "%q", line)
	}
}

func TestCountsOfOtherWidth(t *testing.T) {
	r, err := rpm.Parse([]byte("GS,40,000041,000042,000043"))
	require.NoError(t, err)
	require.False(t, r.Regular())
}

func TestSalvage(t *testing.T) {
	before, record, ok := rpm.Salvage([]byte("GB,0001\xf0GS,000040,000041,000042,000043"))
	require.True(t, ok)
	require.Equal(t, "GB,0001\xf0", string(before))
	require.Equal(t, "GS,000040,000041,000042,000043", string(record))
	_, _, ok = rpm.Salvage([]byte("xxGS,000040,000041,000042"))
	require.False(t, ok)
	_, _, ok = rpm.Salvage([]byte("xxGS,40,41,42,43"))
	require.False(t, ok, "a record of another width at the end of a damaged line is a guess")
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"GB,000188,000206,000262,000243", "SP,0.2249,03.032,004.88,000000", "GX,000007,004741,000000,000000",
		"SG2,15,000050,000900,3,SUM,A.01", "TT,000000,000000,000000,000000", "GB,0001GS,000040,000041,000042,000043",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		r, err := rpm.Parse(line)
		if err == nil {
			require.Equal(t, string(line), string(rpm.Format(r)))
			switch r.Shape() {
			case rpm.Background, rpm.Sample:
				require.Len(t, r.Counts(), rpm.Detectors)
			case rpm.Speed:
				require.GreaterOrEqual(t, r.KMH(), 0.0)
			case rpm.Setup:
				require.Len(t, r.Detail(), len(r.Fields))
			}
		}
		before, record, ok := rpm.Salvage(line)
		if ok {
			require.Equal(t, string(line), string(before)+string(record))
			_, err := rpm.Parse(record)
			require.NoError(t, err)
			require.NotEmpty(t, before)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	line := []byte("GS,000040,000041,000042,000043")
	b.SetBytes(int64(len(line) + 2))
	for b.Loop() {
		if _, err := rpm.Parse(line); err != nil {
			b.Fatal(err)
		}
	}
}
