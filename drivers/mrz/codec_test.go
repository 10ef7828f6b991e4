package mrz_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/drivers/mrz"
	"gatehouse/internal/link"
)

const (
	line1 = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<"
	line2 = "L898902C36UTO7408122F1204159ZE184226B<<<<<10"
	card  = "I<UTOD231458907<<<<<<<<<<<<<<<\r\n7408122F1204159UTO<<<<<<<<<<<6\r\nERIKSSON<<ANNA<MARIA<<<<<<<<<<"
	qr    = "001090123456|012345678|NGUYEN VAN A|01011990|Nam|Phường Bến Nghé, ...|15042021"
)

func never() bool  { return false }
func always() bool { return true }

// The messages of the maker's manual.
func TestPublishedMessages(t *testing.T) {
	require.Equal(t, []byte{0x43, 0, 1, 1}, mrz.Format(mrz.Arm()))
	require.Equal(t, []byte{0x49, 0, 0}, mrz.Format(mrz.Message{Type: mrz.TypeZone}))
	require.Equal(t, []byte{0x4C, 0, 0}, mrz.Format(mrz.Message{Type: mrz.TypeLine}))
	m, err := mrz.ParseMessage(append([]byte{0x49, 0, 88}, line1+line2...))
	require.NoError(t, err)
	require.Equal(t, mrz.Message{Type: mrz.TypeZone, Data: []byte(line1 + line2)}, m)
	for _, bad := range []string{"\x49", "\x49\x00\x01", "\x49\x00\x00x", "\x48\x00\x00", "\x43\x00\x00", "\x49\xff\xff"} {
		_, err := mrz.ParseMessage([]byte(bad))
		require.ErrorIs(t, err, mrz.ErrMessage, "%q", bad)
	}
}

// cut splits all of the wire at once.
func cut(split link.Split, wire string) (frames []string, rest string) {
	data := []byte(wire)
	for {
		n, frame, _ := split(data)
		if n == 0 {
			return frames, string(data)
		}
		if len(frame) > 0 {
			frames = append(frames, string(frame))
		}
		data = data[n:]
	}
}

func TestTexts(t *testing.T) {
	zone := line1 + "\r\n" + line2
	for _, c := range []struct{ prefix, suffix, wire, rest string }{
		{"", "", "%\r\n", ""},
		{"", "", "\r\n\r\n%\n\n", ""},
		{"\x02", "\x03", "\x02%\r\n\x03", ""},
		{"\x02", "\x03", "\x02%\x03\r\n", ""},
		{"", "", "%", "%"},
	} {
		for _, text := range []string{zone, card, qr, "hello"} {
			split := mrz.Texts(c.prefix, c.suffix, never)
			frames, rest := cut(split, fill(c.wire, text)+fill(c.wire, text))
			if c.rest != "" && text != zone && text != card {
				require.Empty(t, frames)
				continue
			}
			if c.rest != "" {
				continue
			}
			require.Equal(t, []string{text, text}, frames, "%q", c.wire)
			require.Empty(t, rest)
		}
	}
	frames, rest := cut(mrz.Texts("", "", never), line1+"\r\n"+line2[:20])
	require.Empty(t, frames)
	require.Equal(t, line1+"\r\n"+line2[:20], rest)
	frames, _ = cut(mrz.Texts("", "", always), line1+"\r\n"+line2)
	require.Equal(t, []string{line1 + "\r\n" + line2}, frames, "silence ends a text")
}

func fill(wire, text string) string {
	out := ""
	for _, c := range wire {
		if c == '%' {
			out += text
			continue
		}
		out += string(c)
	}
	return out
}

func TestMessages(t *testing.T) {
	zone := "\x49\x00\x58" + line1 + line2
	frames, rest := cut(mrz.Messages(never), "\xff\xfe\x43\x00\x01\x01"+zone+"\x43\x00\x01\x01\x49\x00")
	require.Equal(t, []string{"\xff\xfe", "\x43\x00\x01\x01", zone, "\x43\x00\x01\x01"}, frames)
	require.Equal(t, "\x49\x00", rest)
	frames, rest = cut(mrz.Messages(always), "\x49\x00\x58half")
	require.Equal(t, []string{"\x49\x00\x58half"}, frames)
	require.Empty(t, rest)
}

func TestSalvage(t *testing.T) {
	now := time.Date(2026, 3, 2, 1, 30, 0, 0, time.UTC)
	record, ok := mrz.Salvage([]byte(line1+line1+line2), now)
	require.True(t, ok)
	require.Equal(t, line1+line2, string(record))
	record, ok = mrz.Salvage([]byte("00109012345|01"+qr), now)
	require.True(t, ok)
	require.Equal(t, qr, string(record))
	_, ok = mrz.Salvage([]byte(line1+line1+line2[:43]+"1"), now)
	require.False(t, ok, "a wrong digit at the end of a damaged text is a guess")
}

func FuzzFrames(f *testing.F) {
	f.Add([]byte("\x43\x00\x01\x01\x49\x00\x58"+line1+line2), false)
	f.Add([]byte(line1+"\r\n"+line2+"\r\n"), true)
	f.Add([]byte(card+"\r\n"+qr), true)
	f.Fuzz(func(t *testing.T, wire []byte, flushed bool) {
		now := time.Date(2026, 3, 2, 1, 30, 0, 0, time.UTC)
		for _, split := range []link.Split{
			mrz.Messages(func() bool { return flushed }), mrz.Texts("", "", func() bool { return flushed }),
			mrz.Texts("\x02", "\x03\r", func() bool { return flushed }),
		} {
			for data := wire; len(data) > 0; {
				n, frame, _ := split(data)
				require.LessOrEqual(t, n, len(data))
				require.LessOrEqual(t, len(frame), n)
				if n == 0 {
					require.False(t, flushed, "flushed bytes stay")
					break
				}
				if m, err := mrz.ParseMessage(frame); err == nil {
					require.Equal(t, frame, mrz.Format(m))
				}
				if tail, ok := mrz.Salvage(frame, now); ok {
					d, err := mrz.Parse(tail, now)
					require.NoError(t, err)
					require.True(t, d.Sound())
				}
				data = data[n:]
			}
		}
	})
}
