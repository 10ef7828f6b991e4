package barcode_test

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/drivers/barcode"
	"gatehouse/internal/link"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	require.NoError(t, err)
	return b
}

const ean = "12 F3 00 00 0B 38 39 33 34 30 30 30 30 30 30 30 30 30 FC 68"

// Packets worked out from the guide.
func TestSSIVectors(t *testing.T) {
	for want, p := range map[string]barcode.Packet{
		"04 D0 04 00 FF 28":    {Op: barcode.OpACK, Source: 4},
		"05 D1 04 00 01 FF 25": {Op: barcode.OpNAK, Source: 4, Data: []byte{1}},
		"04 E4 04 00 FF 14":    {Op: 0xe4, Source: 4},
		"04 E5 04 00 FF 13":    {Op: 0xe5, Source: 4},
		"04 E9 04 00 FF 0F":    {Op: 0xe9, Source: 4},
		"04 EA 04 00 FF 0E":    {Op: 0xea, Source: 4},
		ean:                    {Op: barcode.OpDecode, Data: []byte("\x0b8934000000000")},
	} {
		require.Equal(t, unhex(t, want), barcode.Format(p))
	}
	frame := unhex(t, ean)
	p, err := barcode.ParsePacket(frame)
	require.NoError(t, err)
	require.Equal(t, barcode.Packet{Op: barcode.OpDecode, Data: []byte("\x0b8934000000000")}, p)
	require.Equal(t, "ean-upc", barcode.SSIType(p.Data[0]))
	for i := range frame {
		bad := append([]byte(nil), frame...)
		bad[i] ^= 1
		_, err := barcode.ParsePacket(bad)
		require.ErrorIs(t, err, barcode.ErrFrame, "bit 0 of byte %d flipped", i)
	}
	_, err = barcode.ParsePacket(unhex(t, "04 D0 04 00 FF 28"))
	require.ErrorIs(t, err, barcode.ErrFrame, "the echo of the host's own packet")
	_, err = barcode.ParsePacket(barcode.Format(barcode.Packet{Op: barcode.OpDecode}))
	require.ErrorIs(t, err, barcode.ErrFrame, "a code without type")
}

func cutAll(cut barcode.Cut, wire string) (out []string) {
	data := []byte(wire)
	for {
		n, frame, fault := cut(data, true)
		if n == 0 {
			return out
		}
		if len(frame) > 0 {
			out = append(out, string(fault)+":"+string(frame))
		}
		data = data[n:]
	}
}

func TestTerminators(t *testing.T) {
	const wire = "a\rb\nc\r\nd"
	for terminator, want := range map[string][]string{
		"any": {":a", ":b", ":c", "torn:d"}, "cr": {":a", ":b\nc", "torn:\nd"}, "lf": {":a\rb", ":c\r", "torn:d"},
		"crlf": {":a\rb\nc", "torn:d"}, "none": {":" + wire},
	} {
		require.Equal(t, want, cutAll(barcode.Lines(terminator, 100), wire), terminator)
	}
	require.Equal(t, []string{"too-long:0123456789", ":ab"}, cutAll(barcode.Lines("any", 10), "0123456789ab\r"))
	n, _, _ := barcode.Lines("any", 10)([]byte("abc"), false)
	require.Zero(t, n)
}

func TestPacketsAreFoundBehindDamage(t *testing.T) {
	good := string(unhex(t, ean))
	wrong := good[:19] + "!"
	require.Equal(t, []string{":" + good, ":" + good}, cutAll(barcode.Packets, good+good))
	require.Equal(t, []string{":" + wrong, ":" + good}, cutAll(barcode.Packets, wrong+good))
	require.Equal(t, []string{":\x01\x02\x03", ":" + good}, cutAll(barcode.Packets, "\x01\x02\x03"+good))
	require.Equal(t, []string{":" + good[:9], ":" + good}, cutAll(barcode.Packets, good[:9]+good), "half a packet in front")
	require.Equal(t, []string{":" + good, "torn:" + good[:9]}, cutAll(barcode.Packets, good+good[:9]))
}

func TestAIM(t *testing.T) {
	for in, want := range map[string][2]string{
		"]Q1hello": {"qr", "hello"}, "]C0x": {"code128", "x"}, "]C1x": {"gs1-128", "x"}, "]d2x": {"gs1-datamatrix", "x"},
		"]E0893": {"ean-upc", "893"}, "]X0x": {"aim-X0", "x"}, "plain": {"", "plain"}, "]": {"", "]"}, "]1Qx": {"", "]1Qx"}, "]Q*x": {"", "]Q*x"},
	} {
		name, rest := barcode.AIM([]byte(in))
		require.Equal(t, want, [2]string{name, string(rest)}, in)
	}
	require.Empty(t, barcode.SSIType(0))
	require.Equal(t, "ssi-7f", barcode.SSIType(0x7f))
}

func TestText(t *testing.T) {
	text, ok := barcode.Text([]byte("Nguye\u0302\u0303n"))
	require.True(t, ok)
	require.Equal(t, "Nguyễn", text)
	text, ok = barcode.Text([]byte("0104\x1d21"))
	require.True(t, ok)
	require.Equal(t, "0104\x1d21", text)
	for _, bad := range []string{"\xff", "a\x00b", "\x7f", "\xc3"} {
		_, ok := barcode.Text([]byte(bad))
		require.False(t, ok, "%q", bad)
	}
}

func FuzzWire(f *testing.F) {
	f.Add(unhex(f, ean))
	f.Add([]byte("]Q1hello\r\nworld\r"))
	f.Add(append([]byte{4, 0xf3, 0}, unhex(f, ean)...))
	f.Fuzz(func(t *testing.T, wire []byte) {
		for name, cut := range map[string]barcode.Cut{
			"ssi": barcode.Packets, "any": barcode.Lines("any", 64), "crlf": barcode.Lines("crlf", 64), "none": barcode.Lines("none", 64),
		} {
			rest := wire
			for len(rest) > 0 {
				n, frame, fault := cut(rest, false)
				if n == 0 {
					require.Less(t, len(rest), 300, "%s waits for ever", name)
					n, frame, fault = cut(rest, true)
				}
				require.Positive(t, n, name)
				require.LessOrEqual(t, len(frame), n)
				require.Equal(t, string(rest[:len(frame)]), string(frame))
				if p, err := barcode.ParsePacket(frame); err == nil && name == "ssi" {
					require.Equal(t, link.Whole, fault)
					require.Equal(t, frame, barcode.Format(p))
				}
				_, text := barcode.AIM(frame)
				require.LessOrEqual(t, len(text), len(frame))
				rest = rest[n:]
			}
		}
	})
}

func BenchmarkParsePacket(b *testing.B) {
	frame := unhex(b, ean)
	b.SetBytes(int64(len(frame)))
	for b.Loop() {
		if _, err := barcode.ParsePacket(frame); err != nil {
			b.Fatal(err)
		}
	}
}
