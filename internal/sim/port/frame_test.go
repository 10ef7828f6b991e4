package port_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/sim/fault"
	"gatehouse/internal/sim/port"
)

// packet is a frame of six bytes whose last one is its sum.
func packet(n byte) port.Frame {
	wire := []byte{0x02, n, 0x31, 0x32, 0x03}
	sum := byte(0)
	for _, c := range wire {
		sum += c
	}
	wire = append(wire, sum)
	return port.Frame{Wire: wire, Body: wire, Check: 1, End: 2}
}

// after is what the host hears of what is sent.
func (b *bench) after(t *testing.T, send func()) string {
	t.Helper()
	f := b.host(t)
	defer f.Close()
	send()
	b.board.Clear("", "")
	b.Put(port.Frame{Wire: []byte("END")})
	return strings.TrimSuffix(read(t, f, "END"), "END")
}

func TestFramesOfADeviceWithItsOwnFraming(t *testing.T) {
	b := start(t)
	var want bytes.Buffer
	got := b.after(t, func() {
		for n := range byte(20) {
			p := packet(n)
			want.Write(p.Wire)
			require.True(t, b.Put(p))
		}
	})
	require.Equal(t, want.String(), got)
	sent, unheard := b.notes.get()
	require.Len(t, sent, 20)
	require.Empty(t, unheard)
	require.Equal(t, want.String(), strings.Join(sent, ""))
}

// What is damaged is never in the ledger, and what is in the ledger came whole.
func TestFaultsOfFrames(t *testing.T) {
	cases := map[string]struct{ sent, spoilt int }{
		"noise": {6, 6}, "torn": {8, 4}, "no-terminator": {8, 4}, "wrong-baud": {0, 12}, "xoff": {0, 12},
		"parity": {0, 12}, "split": {12, 0}, "merge": {12, 0}, "burst": {12, 0}, "repeat": {18, 0}, "silence": {0, 0},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			b := start(t)
			_, err := b.board.Set(fault.Order{Name: name, Device: "rpm", For: time.Hour})
			require.NoError(t, err)
			got := b.after(t, func() {
				for n := range byte(12) {
					p := packet(n)
					p.Wire[1] |= 0x40 // an odd number of bits in some byte
					b.Put(p)
				}
			})
			sent, _ := b.notes.get()
			if name == "burst" || name == "merge" {
				require.LessOrEqual(t, len(sent), c.sent)
				for _, s := range sent {
					require.Contains(t, got, s)
				}
				return
			}
			require.Len(t, sent, c.sent)
			require.Len(t, b.notes.spoilt, c.spoilt)
			for _, s := range sent {
				require.Contains(t, got, s)
			}
			for _, s := range b.notes.spoilt {
				fault, bytes, _ := strings.Cut(s, " ")
				require.Equal(t, name, fault)
				require.Contains(t, got, bytes)
			}
		})
	}
}
