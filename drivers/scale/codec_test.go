package scale_test

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/drivers/scale"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	require.NoError(t, err)
	return b
}

// Frames worked out from the indicator manuals' tables.
func TestToledoVectors(t *testing.T) {
	for name, c := range map[string]struct {
		frame string
		want  scale.Sample
	}{
		"gross, stable": {
			"02 2A 30 20 20 31 32 33 34 30 20 20 20 20 20 30 0D 0D",
			scale.Sample{Gross: new(12340.0), Unit: "kg", DivisionKG: 1},
		},
		"in motion": {
			"02 2A 38 20 20 31 32 33 34 30 20 20 20 20 20 30 0D 05",
			scale.Sample{Gross: new(12340.0), Unit: "kg", DivisionKG: 1, Motion: true},
		},
		"net with tare": {
			"02 2A 31 20 20 31 32 33 34 30 20 20 36 30 30 30 0D 56",
			scale.Sample{Gross: new(18340.0), Tare: new(6000.0), Net: new(12340.0), Unit: "kg", DivisionKG: 1},
		},
		"times ten, step 20": {
			"02 31 30 20 20 20 31 32 33 34 20 20 20 20 20 30 0D 16",
			scale.Sample{Gross: new(12340.0), Unit: "kg", DivisionKG: 20},
		},
	} {
		f := unhex(t, c.frame)
		for _, setting := range []scale.Checksum{scale.Auto, scale.On} {
			got, err := scale.Toledo{Checksum: setting}.Parse(f)
			require.NoError(t, err, name)
			require.Equal(t, c.want, got, name)
		}
		got, err := scale.Toledo{Checksum: scale.Off}.Parse(f[:17])
		require.NoError(t, err, name)
		require.Equal(t, c.want, got, name)
		_, err = scale.Toledo{Checksum: scale.On}.Parse(f[:17])
		require.ErrorIs(t, err, scale.ErrFrame)
		for i := range f {
			bad := append([]byte(nil), f...)
			bad[i] ^= 1
			_, err = scale.Toledo{Checksum: scale.Auto}.Parse(bad)
			require.ErrorIs(t, err, scale.ErrFrame, "%s: bit 0 of byte %d flipped", name, i)
		}
	}
}

// toledo builds a frame of 18 bytes.
func toledo(swa, swb, swc byte, weight, tare string) []byte {
	f := append([]byte{2, swa, swb, swc}, weight+tare+"\r"...)
	return append(f, scale.ToledoSum(f))
}

func TestToledoFlags(t *testing.T) {
	for name, c := range map[string]struct {
		frame []byte
		want  scale.Sample
	}{
		"negative": {toledo(0x2a, 0x32, 0x20, "   120", "     0"), scale.Sample{Gross: new(-120.0), Unit: "kg", DivisionKG: 1}},
		"over": {toledo(0x2a, 0x34, 0x20, "      ", "     0"), scale.Sample{
			Over: true, Unit: "kg", DivisionKG: 1, Invalid: "indicator is over range",
		}},
		"under": {toledo(0x2a, 0x36, 0x20, " 99999", "     0"), scale.Sample{
			Under: true, Unit: "kg", DivisionKG: 1, Invalid: "indicator is under range",
		}},
		"power-up": {toledo(0x2a, 0x70, 0x20, "   120", "     0"), scale.Sample{
			NotZeroed: true, Unit: "kg", DivisionKG: 1, Invalid: "indicator was not zeroed since power-up",
		}},
		"expanded": {toledo(0x2a, 0x30, 0x30, "   120", "     0"), scale.Sample{
			Unit: "kg", DivisionKG: 1, Invalid: "display is expanded by ten",
		}},
		"pounds":       {toledo(0x2a, 0x20, 0x20, "  1000", "     0"), scale.Sample{Gross: new(453.59237), Unit: "lb", DivisionKG: 0.45359237}},
		"tonnes":       {toledo(0x3c, 0x30, 0x22, " 12345", "     0"), scale.Sample{Gross: new(123450.0), Unit: "t", DivisionKG: 50}},
		"unknown unit": {toledo(0x2a, 0x30, 0x25, " 12345", "     0"), scale.Sample{Invalid: "unit code 5 is not known"}},
		"net, no tare": {toledo(0x2a, 0x31, 0x20, "   120", "      "), scale.Sample{Net: new(120.0), Unit: "kg", DivisionKG: 1}},
		"minus zero":   {toledo(0x2a, 0x32, 0x20, "000000", "000000"), scale.Sample{Gross: new(0.0), Unit: "kg", DivisionKG: 1}},
	} {
		got, err := scale.Toledo{Checksum: scale.On}.Parse(c.frame)
		require.NoError(t, err, name)
		require.Equal(t, c.want, got, name)
	}
	for name, frame := range map[string][]byte{
		"blank": toledo(0x2a, 0x30, 0x20, "      ", "     0"), "letters": toledo(0x2a, 0x30, 0x20, " 12E40", "     0"),
		"point": toledo(0x2a, 0x30, 0x20, " 12.40", "     0"), "parity bit": toledo(0xaa, 0x30, 0x20, " 12340", "     0"),
	} {
		_, err := scale.Toledo{Checksum: scale.On}.Parse(frame)
		require.ErrorIs(t, err, scale.ErrFrame, name)
	}
}

func TestYaohuaVectors(t *testing.T) {
	for frame, want := range map[string]float64{
		"02 2B 30 31 32 33 34 35 30 31 41 03": 12345,
		"02 2B 30 34 35 36 37 38 31 31 32 03": 4567.8,
		"02 2D 30 30 30 30 32 30 30 31 46 03": -20,
	} {
		f := unhex(t, frame)
		got, err := scale.Yaohua{Unit: "kg"}.Parse(f)
		require.NoError(t, err)
		require.Equal(t, scale.Sample{Gross: new(want), Unit: "kg", Unsteady: true}, got)
		for i := range f {
			bad := append([]byte(nil), f...)
			bad[i] ^= 1
			_, err = scale.Yaohua{Unit: "kg"}.Parse(bad)
			require.ErrorIs(t, err, scale.ErrFrame, "bit 0 of byte %d flipped", i)
		}
	}
	// The XOR of the command mode's examples.
	high, low := scale.YaohuaSum([]byte("AB"))
	require.Equal(t, "03", string([]byte{high, low}))
	high, low = scale.YaohuaSum([]byte("AB+0123450"))
	require.Equal(t, "19", string([]byte{high, low}))
}

// Templates of indicators whose frames have been published.
func templates() map[string]scale.Template {
	return map[string]scale.Template{
		"A&D": {
			End: "\r\n", Checksum: "none",
			Pattern: `(?P<status>(?:ST|US|OL),(?:GS|NT)),(?P<sign>[+-])(?P<weight>[0-9. ]{7})(?P<unit>kg| g| t|lb)`,
			Status: map[string][]string{
				"ST,GS": {"stable"}, "US,GS": {"motion"}, "ST,NT": {"stable", "net"}, "US,NT": {"motion", "net"}, "OL,GS": {"over"},
			},
		},
		"Rice Lake": {
			Start: "\x02", Length: 14, Checksum: "none",
			Pattern: `(?P<sign>[ -])(?P<weight>[ 0-9.]{7})(?P<unit>[LKTGO])(?P<status>[GN][ IMOZ])\r\n`,
			Status: map[string][]string{
				"G": {"stable"}, "GM": {"motion"}, "GI": {"invalid"}, "GO": {"over"}, "GZ": {"stable"}, "N": {"stable", "net"},
			},
		},
		"XK3190-A12E": {
			End: "\r\n", Checksum: "xor", Pattern: `WG(?P<weight>[0-9.]{7})(?P<unit>kg)`,
		},
		"sum": {
			Start: "\x02", Length: 10, Checksum: "sum7",
			Pattern: `(?P<weight>[0-9]{4})(?P<tare>[0-9]{3})(?P<status>[NG])`,
			Status:  map[string][]string{"N": {"net", "not-zeroed"}, "G": {"stable"}},
		},
	}
}

func generic(t testing.TB, name string) *scale.Generic {
	t.Helper()
	g, err := templates()[name].Compile("kg")
	require.NoError(t, err)
	return g
}

func TestTemplateVectors(t *testing.T) {
	and := generic(t, "A&D")
	for line, want := range map[string]scale.Sample{
		"ST,NT,+0012.34kg": {Net: new(12.34), Unit: "kg"},
		"ST,GS,+00123.4kg": {Gross: new(123.4), Unit: "kg"},
		"US,GS,-0000.50kg": {Gross: new(-0.5), Unit: "kg", Motion: true},
		"OL,GS,+       kg": {Over: true, Unit: "kg", Unsteady: true, Invalid: "indicator is over range"},
		"OL,NT,+       kg": {Unit: "kg", Unsteady: true, Invalid: `status "OL,NT" is not listed`},
		"ST,GS,+   1.25 t": {Gross: new(1250.0), Unit: "t"},
	} {
		got, err := and.Parse([]byte(line))
		require.NoError(t, err, line)
		require.Equal(t, want, got, line)
	}
	got, err := generic(t, "Rice Lake").Parse(unhex(t, "02 20 20 20 31 32 33 34 30 4B 47 20 0D 0A"))
	require.NoError(t, err)
	require.Equal(t, scale.Sample{Gross: new(12340.0), Unit: "kg"}, got)
	got, err = generic(t, "Rice Lake").Parse([]byte("\x02-  12340KGI\r\n"))
	require.NoError(t, err)
	require.Equal(t, "indicator marks the weight as invalid", got.Invalid)
	require.Nil(t, got.Indicated())
	_, err = generic(t, "Rice Lake").Parse([]byte("\x02  12340KG \r\n"))
	require.ErrorIs(t, err, scale.ErrFrame, "a frame that is one byte short")
	got, err = generic(t, "XK3190-A12E").Parse([]byte("WG004.139kg3D"))
	require.NoError(t, err)
	require.Equal(t, scale.Sample{Gross: new(4.139), Unit: "kg", Unsteady: true}, got)
}

func FuzzParse(f *testing.F) {
	f.Add(toledo(0x2a, 0x30, 0x20, " 12340", "     0"))
	f.Add(toledo(0x31, 0x39, 0x20, "  1234", "   600")[:17])
	f.Add([]byte("\x02+01234501A\x03"))
	f.Add([]byte("ST,GS,+00123.4kg\r\nUS,GS,-0000.50kg\r\n"))
	f.Add([]byte("WG004.139kg3D\r\n"))
	f.Add([]byte("\x02\x02\x02*0 \x02+01234501A\x03\x02"))
	protocols := []scale.Protocol{
		scale.Toledo{Checksum: scale.Auto}, scale.Toledo{Checksum: scale.On}, scale.Toledo{Checksum: scale.Off}, scale.Yaohua{Unit: "kg"},
	}
	for name := range templates() {
		protocols = append(protocols, generic(f, name))
	}
	f.Fuzz(func(t *testing.T, wire []byte) {
		for _, p := range protocols {
			split, rest, seen := p.Split(), wire, 0
			for {
				n, frame, _ := split(rest)
				if n == 0 {
					require.Less(t, len(rest), scale.MaxFrame+3, "it waits for ever")
					break
				}
				require.LessOrEqual(t, len(frame), n)
				rest, seen = rest[n:], seen+n
				check(t, p, frame)
			}
			require.Equal(t, len(wire), seen+len(rest))
			check(t, p, wire)
		}
	})
}

func check(t *testing.T, p scale.Protocol, frame []byte) {
	s, err := p.Parse(frame)
	if err != nil {
		require.ErrorIs(t, err, scale.ErrFrame)
		require.Zero(t, s)
		if rest, ok := p.Salvage(frame); ok {
			_, err := p.Parse(rest)
			require.NoError(t, err)
			require.Less(t, len(rest), len(frame))
		}
		return
	}
	require.Equal(t, s.Invalid == "", s.Indicated() != nil, "a frame has a weight or a reason why not")
	if s.Over || s.Under || s.NotZeroed {
		require.Nil(t, s.Indicated())
	}
}

func TestTemplatesAreChecked(t *testing.T) {
	const p = `(?P<weight>[0-9]+)`
	for want, c := range map[string]scale.Template{
		"exactly one of length and end": {Pattern: p},
		"length needs start":            {Length: 5, Pattern: p},
		"longer than it":                {Start: "\x02", Length: 1, Pattern: p},
		"sum7 needs length":             {End: "\r", Checksum: "sum7", Pattern: p},
		"missing closing":               {End: "\r", Pattern: "("},
		"no group weight":               {End: "\r", Pattern: "[0-9]+"},
		`has the group "wieght"`:        {End: "\r", Pattern: `(?P<wieght>[0-9]+)`},
		`means "steady"`:                {End: "\r", Pattern: p, Status: map[string][]string{"S": {"steady"}}},
	} {
		_, err := c.Compile("kg")
		require.ErrorContains(t, err, want)
	}
}

func BenchmarkParse(b *testing.B) {
	f := toledo(0x2a, 0x30, 0x20, " 12340", "     0")
	p := scale.Toledo{Checksum: scale.Auto}
	b.SetBytes(int64(len(f)))
	for b.Loop() {
		if _, err := p.Parse(f); err != nil {
			b.Fatal(err)
		}
	}
}
