package barrier_test

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/drivers/barrier"
)

func raw(t testing.TB, text string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	require.NoError(t, err)
	return b
}

// The frames of the Modbus specification for a board at address 1.
func vectors() []string {
	return []string{
		"01 05 00 00 FF 00 8C 3A", "01 05 00 00 00 00 CD CA", "01 05 00 01 FF 00 DD FA", "01 05 00 02 FF 00 2D FA",
		"01 02 00 00 00 08 79 CC", "01 02 01 05 61 8B", "01 01 00 00 00 08 3D CC", "01 01 01 01 90 48",
		"01 0F 00 00 00 08 01 FF BE D5", "01 0F 00 00 00 08 54 0D", "01 85 02 C3 51", "01 82 04 41 63",
		"01 03 00 06 00 04 A4 08", "01 06 00 04 00 01 09 CB",
	}
}

func TestPublishedVectors(t *testing.T) {
	for _, v := range vectors() {
		b := raw(t, v)
		f, err := barrier.ParseFrame(b)
		require.NoError(t, err, v)
		require.Equal(t, byte(1), f.Unit)
		require.Equal(t, b, barrier.Format(f))
		for i := range b {
			bad := append([]byte(nil), b...)
			bad[i] ^= 0x10
			_, err := barrier.ParseFrame(bad)
			require.ErrorIs(t, err, barrier.ErrFrame)
		}
	}
	inputs := barrier.LimitUp | barrier.LoopEntry
	require.Equal(t, raw(t, "01 02 01 05 61 8B"), barrier.Format(inputs.Reply(1, barrier.ReadInputs)))
	require.Equal(t, raw(t, "01 01 01 01 90 48"), barrier.Format(barrier.Open.Reply(1, barrier.ReadCoils)))
	for _, short := range []string{"", "01", "01 02 03"} {
		_, err := barrier.ParseFrame(raw(t, short))
		require.ErrorIs(t, err, barrier.ErrFrame)
	}
}

func TestInputs(t *testing.T) {
	for in, arm := range map[barrier.Bits]string{
		barrier.LimitUp: "up", barrier.LimitDown: "down", 0: "between", barrier.LimitUp | barrier.LimitDown: "unknown",
	} {
		require.Equal(t, arm, in.Arm())
		require.True(t, in.EStop(), "an open loop is a pressed button or a broken wire")
		require.False(t, (in | barrier.EStopClosed).EStop())
		require.False(t, in.Obstructed())
		require.True(t, (in | barrier.LoopSafety).Obstructed())
		require.True(t, (in | barrier.Photocell).Obstructed())
	}
}

func FuzzParseFrame(f *testing.F) {
	for _, v := range vectors() {
		f.Add(raw(f, v))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		frame, err := barrier.ParseFrame(b)
		if err != nil {
			require.ErrorIs(t, err, barrier.ErrFrame)
			return
		}
		require.Equal(t, b, barrier.Format(frame))
		lo, hi := checksum(b[:len(b)-2])
		require.Equal(t, []byte{lo, hi}, b[len(b)-2:])
	})
}
