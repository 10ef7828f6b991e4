package barcode_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gatehouse/drivers/barcode"
	"gatehouse/drivers/drivertest"
	"gatehouse/internal/driver"
	"gatehouse/internal/event"
	"gatehouse/internal/link"
)

var _ = flag.Bool("update", false, "write the expected readings of the golden cases")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// textual is a fake reader that sends text.
type textual struct{ drivertest.Far }

func (d textual) Driver(env driver.Env) driver.Driver {
	c := barcode.Defaults()
	c.Line, c.Prefix, c.Idle = d.Config(), "<<", 10*time.Second // a slow machine pauses too
	return barcode.New(c, env)
}

func (d textual) Ready() { d.WaitOpen() }

func (textual) Line(n int) []byte { return fmt.Appendf(nil, "<<]Q1TK-%06d", n) }

func (d textual) Measure(n int) []string {
	d.Write(append(d.Line(n), "\r\n"...))
	return []string{event.Digest(d.Line(n))}
}

func (d textual) Garbage() []string {
	d.Write([]byte("\x00\xff!!\r\n<<\r\n"))
	return []string{event.Digest([]byte("\x00\xff!!")), event.Digest([]byte("<<"))}
}

func (textual) Redelivers([]string) []string { return nil }

// ssi is a fake reader that sends packets, and what was not acknowledged again.
type ssi struct {
	drivertest.Far
	again *[]byte
	sent  *int
}

func decode(status byte, text string) []byte {
	return barcode.Format(barcode.Packet{Op: barcode.OpDecode, Status: status, Data: []byte("\x1c" + text)})
}

func (d ssi) Driver(env driver.Env) driver.Driver {
	c := barcode.Defaults()
	c.Line, c.Protocol, c.Idle = d.Config(), "ssi", 10*time.Second
	return barcode.New(c, env)
}

func (d ssi) Ready() {
	d.WaitOpen()
	if *d.again != nil {
		d.Write(*d.again)
	}
}

func (d ssi) Measure(n int) []string {
	*d.sent = n
	f := decode(0, fmt.Sprintf("TK-%06d", n))
	d.Write(f)
	return []string{event.Digest(f)}
}

func (d ssi) Garbage() []string {
	f := decode(0, "wrong")
	f[6] ^= 1
	d.Write(f)
	return []string{event.Digest(f)}
}

func (d ssi) Redelivers([]string) []string {
	*d.again = decode(1, fmt.Sprintf("TK-%06d", *d.sent))
	return []string{event.Digest(*d.again)}
}

func TestConformance(t *testing.T) {
	for name, far := range map[string]func(t *testing.T) drivertest.Far{
		"serial": func(t *testing.T) drivertest.Far { return drivertest.NewPTY(t) },
		"tcp":    func(t *testing.T) drivertest.Far { return drivertest.NewTCP(t) },
	} {
		t.Run(name+"/lines", func(t *testing.T) {
			drivertest.Suite(t, func(t *testing.T) drivertest.Device { return textual{far(t)} })
		})
		t.Run(name+"/ssi", func(t *testing.T) {
			drivertest.Suite(t, func(t *testing.T) drivertest.Device { return ssi{far(t), new([]byte), new(int)} })
		})
	}
}

func TestCases(t *testing.T) {
	drivertest.Cases(t, func(t *testing.T, dir string) {
		text, err := os.ReadFile(filepath.Join(dir, "config.yaml"))
		require.NoError(t, err)
		c := barcode.Defaults()
		require.NoError(t, drivertest.Decode(text)(&c))
		capture, err := os.ReadFile(filepath.Join(dir, "capture.bin"))
		require.NoError(t, err)
		readings, err := drivertest.Play(t, capture, 0, drivertest.Env(nil),
			func(env driver.Env, open func(context.Context) (*link.Line, error)) driver.Driver {
				return barcode.NewOn(c, env, open)
			})
		require.ErrorIs(t, err, link.ErrUnplugged)
		drivertest.Golden(t, dir, readings)
	})
}

func TestExampleIsTheDefaults(t *testing.T) {
	kind := barcode.Kind()
	var c barcode.Config
	require.NoError(t, drivertest.Decode(kind.Example)(&c))
	want := barcode.Defaults()
	want.Line.Port = "/dev/serial/by-id/usb-barcode-reader"
	require.Equal(t, want, c)
	require.Zero(t, kind.Silence)
	_, err := kind.New(drivertest.Decode(kind.Example), drivertest.Env(nil))
	require.NoError(t, err)
}

func TestSettingsAreChecked(t *testing.T) {
	const line = "line: {tcp: 127.0.0.1:1801}\n"
	for _, text := range []string{
		"line: {}", line + "protocol: sii", line + "terminator: tab", line + "idle: 1ms", line + "limit: 5000", line + "ami: true",
	} {
		_, err := barcode.Kind().New(drivertest.Decode([]byte(text)), drivertest.Env(nil))
		require.Error(t, err, text)
	}
}

// pipe is a driver whose every connection comes from the channel.
func pipe(c barcode.Config) (chan<- net.Conn, driver.Driver) {
	conns := make(chan net.Conn, 1)
	return conns, barcode.NewOn(c, drivertest.Env(nil), func(ctx context.Context) (*link.Line, error) {
		return link.New(ctx, "pipe", link.Stream(<-conns)), nil
	})
}

func TestIdleEndsACode(t *testing.T) {
	for terminator, want := range map[string]event.Quality{"none": event.Good, "any": event.Suspect} {
		synctest.Test(t, func(t *testing.T) {
			c := barcode.Defaults()
			c.Terminator = terminator
			conns, d := pipe(c)
			near, far := net.Pipe()
			conns <- near
			go func() {
				for _, part := range []string{"]Q1TK", "-1", "pause", "]C0second"} {
					if part == "pause" {
						time.Sleep(60 * time.Millisecond)
						continue
					}
					_, _ = far.Write([]byte(part))
					time.Sleep(40 * time.Millisecond)
				}
				time.Sleep(time.Hour) // nobody scans, and that is normal
				_ = far.Close()
			}()
			store := drivertest.NewStore()
			require.ErrorIs(t, d.Run(t.Context(), store.Emit), link.ErrUnplugged)
			rs := store.Readings()
			require.Len(t, rs, 2)
			require.Equal(t, &event.Barcode{Symbology: "qr", Text: "TK-1"}, rs[0].Barcode)
			require.Equal(t, &event.Barcode{Symbology: "code128", Text: "second"}, rs[1].Barcode)
			require.Equal(t, want, rs[0].Quality)
		})
	}
}

// scanner is the far end of a test that looks at the answers.
type scanner struct {
	t   *testing.T
	far net.Conn
}

func (s scanner) send(b []byte) {
	_, err := s.far.Write(b)
	require.NoError(s.t, err)
}

func (s scanner) answer() barcode.Packet {
	frame := make([]byte, 1, 257)
	_, err := io.ReadFull(s.far, frame)
	require.NoError(s.t, err)
	frame = frame[:int(frame[0])+2]
	_, err = io.ReadFull(s.far, frame[1:])
	require.NoError(s.t, err)
	p := barcode.Packet{Op: frame[1], Source: frame[2], Status: frame[3], Data: frame[4 : len(frame)-2]}
	require.Equal(s.t, barcode.Format(p), frame)
	require.EqualValues(s.t, 4, p.Source)
	return p
}

// connected runs the driver once, until f is done with the far end.
func connected(t *testing.T, conns chan<- net.Conn, d driver.Driver, emit driver.Emit, f func(scanner)) error {
	t.Helper()
	near, far := net.Pipe()
	conns <- near
	result := make(chan error, 1)
	go func() { result <- d.Run(t.Context(), emit) }()
	f(scanner{t, far})
	require.NoError(t, far.Close())
	return <-result
}

func ssiDefaults() barcode.Config {
	c := barcode.Defaults()
	c.Protocol = "ssi"
	return c
}

func codes(store *drivertest.Store) (out []string) {
	for _, r := range store.Readings() {
		if r.Barcode != nil {
			out = append(out, r.Barcode.Text)
		}
	}
	return out
}

func TestAcknowledgedOnlyWhenStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conns, d := pipe(ssiDefaults())
		store := drivertest.NewStore()
		release := store.Hold()
		_ = connected(t, conns, d, store.Emit, func(s scanner) {
			s.send(decode(0, "TK-1"))
			synctest.Wait() // all that can happen has happened
			require.NoError(t, s.far.SetReadDeadline(time.Now().Add(time.Minute)))
			_, err := s.far.Read(make([]byte, 1))
			require.ErrorIs(t, err, os.ErrDeadlineExceeded, "acknowledged before it was stored")
			require.NoError(t, s.far.SetReadDeadline(time.Time{}))
			release()
			require.EqualValues(t, barcode.OpACK, s.answer().Op)
			require.Equal(t, []string{"TK-1"}, codes(store))
		})
	})
}

func TestRetransmissionIsStoredOnce(t *testing.T) {
	conns, d := pipe(ssiDefaults())
	store := drivertest.NewStore()
	_ = connected(t, conns, d, store.Emit, func(s scanner) {
		for _, packet := range [][]byte{decode(0, "TK-1"), decode(1, "TK-1"), decode(0, "TK-1")} {
			s.send(packet)
			require.EqualValues(t, barcode.OpACK, s.answer().Op)
		}
	})
	_ = connected(t, conns, d, store.Emit, func(s scanner) { // the acknowledgement was lost with the line
		s.send(decode(1, "TK-1"))
		require.EqualValues(t, barcode.OpACK, s.answer().Op)
	})
	require.Equal(t, []string{"TK-1", "TK-1"}, codes(store), "a second scan of the same code counts")
	frames := store.Frames()
	require.Equal(t, 2, frames[event.Digest(decode(0, "TK-1"))])
	require.Equal(t, 2, frames[event.Digest(decode(1, "TK-1"))])
}

func TestRetransmissionOfWhatWasNotStored(t *testing.T) {
	conns, d := pipe(ssiDefaults())
	store := drivertest.NewStore()
	broken := errors.New("disk on fire")
	store.Fail(broken)
	near, far := net.Pipe()
	conns <- near
	go func() { _, _ = far.Write(decode(0, "TK-1")) }()
	require.ErrorIs(t, d.Run(t.Context(), store.Emit), broken)
	store.Fail(nil)
	_ = connected(t, conns, d, store.Emit, func(s scanner) {
		s.send(decode(1, "TK-1"))
		require.EqualValues(t, barcode.OpACK, s.answer().Op)
	})
	require.Equal(t, []string{"TK-1"}, codes(store))
	require.Equal(t, event.Suspect, store.Readings()[0].Quality)
}

func TestBadChecksumIsRefused(t *testing.T) {
	conns, d := pipe(ssiDefaults())
	store := drivertest.NewStore()
	_ = connected(t, conns, d, store.Emit, func(s scanner) {
		bad := decode(0, "TK-1")
		bad[6] ^= 1
		s.send(bad)
		require.Equal(t, barcode.Packet{Op: barcode.OpNAK, Source: 4, Data: []byte{barcode.CauseResend}}, s.answer())
		s.send(decode(1, "TK-1"))
		require.EqualValues(t, barcode.OpACK, s.answer().Op)
	})
	require.Equal(t, []string{"TK-1"}, codes(store))
	require.Equal(t, event.FrameInvalid, store.Readings()[0].Kind)
}

func TestCodeOfSeveralPackets(t *testing.T) {
	conns, d := pipe(ssiDefaults())
	store := drivertest.NewStore()
	_ = connected(t, conns, d, store.Emit, func(s scanner) {
		for _, packet := range [][]byte{decode(2, "Nguye"), decode(3, "Nguye"), decode(2, "\u0302\u0303n ")} {
			s.send(packet)
			require.EqualValues(t, barcode.OpACK, s.answer().Op)
		}
	})
	require.Empty(t, codes(store))
	_ = connected(t, conns, d, store.Emit, func(s scanner) { // the line was lost between them
		for _, packet := range [][]byte{decode(3, "\u0302\u0303n "), decode(0, "Văn A"), decode(0, "next")} {
			s.send(packet)
			require.EqualValues(t, barcode.OpACK, s.answer().Op)
		}
	})
	require.Equal(t, []string{"Nguyễn Văn A", "next"}, codes(store))
}
