package drivertest

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gatehouse/internal/driver"
	"gatehouse/internal/event"
)

// Device is the fake far end of one device and everything around it.
type Device interface {
	// Driver makes a driver that talks to this device.
	Driver(env driver.Env) driver.Driver
	// Ready returns once a running driver listens.
	Ready()
	// Measure sends the n-th measurement as whole frames, which differ for
	// every n, and returns the frames' digests.
	Measure(n int) []string
	// Garbage sends frames that cannot be understood and returns their digests.
	Garbage() []string
	// Cut loses the link for good.
	Cut()
	// Redelivers are those of the digests that the device sends again when
	// they were not acknowledged; nil for a device that sends once.
	Redelivers(digests []string) []string
}

// Bytes is a Device on a byte line of text frames ending in CR LF.
type Bytes interface {
	Device
	// Line is the n-th valid frame without its end; different for every n.
	Line(n int) []byte
	// Write sends bytes.
	Write(p []byte)
}

// Suite runs the conformance suite; start makes a fresh device.
func Suite(t *testing.T, start func(t *testing.T) Device) {
	for _, c := range []struct {
		name string
		run  func(*testing.T, Device)
	}{
		{"cancel", testCancel},
		{"cancel before start", testCancelled},
		{"cancel while the store hangs", testCancelHung},
		{"link loss", testLinkLoss},
		{"garbage", testGarbage},
		{"slow store", testSlowStore},
		{"store error", testStoreError},
	} {
		t.Run(c.name, func(t *testing.T) { noLeak(t, start, c.run) })
	}
	if _, ok := start(t).(Bytes); !ok {
		return
	}
	for _, c := range []struct {
		name string
		run  func(*testing.T, Bytes)
	}{
		{"split and merged reads", testSplit},
		{"half frame", testHalfFrame},
		{"wrong baud", testWrongBaud},
		{"noise between frames", testNoise},
	} {
		t.Run(c.name, func(t *testing.T) {
			noLeak(t, start, func(t *testing.T, d Device) { c.run(t, d.(Bytes)) })
		})
	}
}

// noLeak runs a case on a fresh device and checks that the driver left no
// goroutine behind.
func noLeak(t *testing.T, start func(t *testing.T) Device, run func(*testing.T, Device)) {
	t.Helper()
	d := start(t)
	before := goleak.IgnoreCurrent()
	run(t, d)
	goleak.VerifyNone(t, before)
}

// running is a driver at work.
type running struct {
	t      *testing.T
	store  *Store
	cancel context.CancelFunc
	result chan error
}

func begin(t *testing.T, d Device, store *Store) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{t: t, store: store, cancel: cancel, result: make(chan error, 1)}
	drv := d.Driver(Env(&Evidence{}))
	go func() { r.result <- drv.Run(ctx, store.Emit) }()
	d.Ready()
	return r
}

// stop cancels the driver and wants nil from it.
func (r *running) stop() {
	r.t.Helper()
	r.cancel()
	require.NoError(r.t, <-r.result)
}

// end waits for the driver to give up by itself.
func (r *running) end() error {
	r.t.Helper()
	defer r.cancel()
	return <-r.result
}

// requireOnce checks that each digest was stored exactly as often as sent.
func requireOnce(t *testing.T, store *Store, sent []string) {
	t.Helper()
	want := map[string]int{}
	for _, d := range sent {
		want[d]++
	}
	got := store.Frames()
	for d, n := range want {
		require.Equal(t, n, got[d], "frame %s", d)
	}
	for _, r := range store.Readings() {
		require.False(t, r.ReceivedAt.IsZero(), "reading %s has no receive time", r.Kind)
		require.NotEmpty(t, r.Class)
		require.NotEmpty(t, r.Quality)
		if r.Quality != event.Good {
			require.NotEmpty(t, r.Note, "reading %s does not say why it is not good", r.Kind)
		}
	}
}

func testCancel(t *testing.T, d Device) {
	r := begin(t, d, NewStore())
	sent := d.Measure(1)
	r.store.WaitFrames(t, sent...)
	r.stop()
	requireOnce(t, r.store, sent)
}

func testCancelled(t *testing.T, d Device) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	require.NoError(t, d.Driver(Env(&Evidence{})).Run(ctx, NewStore().Emit))
}

func testCancelHung(t *testing.T, d Device) {
	store := NewStore()
	r := begin(t, d, store)
	release := store.Hold()
	defer release()
	d.Measure(1)
	store.WaitBlocked(t)
	r.stop()
}

func testLinkLoss(t *testing.T, d Device) {
	r := begin(t, d, NewStore())
	sent := d.Measure(1)
	r.store.WaitFrames(t, sent...)
	d.Cut()
	require.Error(t, r.end())
	requireOnce(t, r.store, sent)
}

func testGarbage(t *testing.T, d Device) {
	r := begin(t, d, NewStore())
	sent := d.Measure(1)
	bad := d.Garbage()
	require.NotEmpty(t, bad)
	sent = append(sent, d.Measure(2)...)
	r.store.WaitFrames(t, append(sent, bad...)...)
	r.stop()
	requireOnce(t, r.store, append(sent, bad...))
	traced := map[string]bool{}
	for _, reading := range r.store.Readings() {
		if reading.Kind == event.FrameInvalid {
			require.Equal(t, event.Bad, reading.Quality)
			for _, f := range reading.Frames {
				traced[f] = true
			}
		}
	}
	for _, f := range bad {
		require.True(t, traced[f], "garbage left no trace")
	}
}

func testSlowStore(t *testing.T, d Device) {
	store := NewStore()
	r := begin(t, d, store)
	sent := d.Measure(0)
	store.WaitFrames(t, sent...)
	release := store.Hold()
	for n := 1; n <= 30; n++ {
		sent = append(sent, d.Measure(n)...)
	}
	store.WaitBlocked(t)
	release()
	store.WaitFrames(t, sent...)
	r.stop()
	requireOnce(t, store, sent)
	for _, reading := range store.Readings() {
		require.NotEqual(t, event.FrameLoss, reading.Kind, "%s", reading.Note)
	}
}

func testStoreError(t *testing.T, d Device) {
	store := NewStore()
	broken := errors.New("disk on fire")
	store.Fail(broken)
	r := begin(t, d, store)
	sent := d.Measure(1)
	require.ErrorIs(t, r.end(), broken)
	store.Fail(nil)
	again := d.Redelivers(sent)
	if len(again) == 0 {
		return
	}
	r = begin(t, d, store)
	store.WaitFrames(t, again...)
	r.stop()
	requireOnce(t, store, again)
}

func testSplit(t *testing.T, d Bytes) {
	r := begin(t, d, NewStore())
	var sent []string
	var wire []byte
	for n := 1; n <= 6; n++ {
		line := d.Line(n)
		sent = append(sent, event.Digest(line))
		wire = append(append(wire, line...), "\r\n"...)
	}
	for _, size := range []int{1, 7, len(wire)} {
		for rest := wire; len(rest) > 0; {
			n := min(size, len(rest))
			d.Write(rest[:n])
			rest = rest[n:]
		}
	}
	sent = append(append(sent, sent...), sent...)
	r.store.Wait(t, "all lines thrice", func(rs []event.Reading) bool {
		n := 0
		for _, reading := range rs {
			n += len(reading.Frames)
		}
		return n >= len(sent)
	})
	r.stop()
	requireOnce(t, r.store, sent)
	for _, reading := range r.store.Readings() {
		require.NotEqual(t, event.FrameInvalid, reading.Kind, "%s", reading.Raw)
	}
}

// testHalfFrame breaks a frame off and goes on with a whole one, without an
// end between them as after a reconnect inside a terminal server. To the
// account that is one frame, and its good part is not lost.
func testHalfFrame(t *testing.T, d Bytes) {
	r := begin(t, d, NewStore())
	first, second := d.Line(1), d.Line(2)
	line := append(bytes.Clone(first[:len(first)/2]), second...)
	d.Write(append(bytes.Clone(line), "\r\n"...))
	sent := []string{event.Digest(line)}
	r.store.WaitFrames(t, sent...)
	r.stop()
	requireOnce(t, r.store, sent)
	total, recovered := 0, false
	for _, reading := range r.store.Readings() {
		total += len(reading.Frames)
		recovered = recovered || bytes.Equal(reading.Raw, second) && reading.Quality == event.Suspect
	}
	require.Equal(t, 1, total, "one line is one frame")
	require.True(t, recovered, "the whole frame after the half one was lost")
}

func testWrongBaud(t *testing.T, d Bytes) {
	r := begin(t, d, NewStore())
	random := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 8<<10) // twice what is taken for garbage, and fits the kernel's buffer
	for i := range noise {
		noise[i] = byte(random.UintN(256))
	}
	d.Write(noise)
	err := r.end()
	require.ErrorIs(t, err, driver.ErrGarbage)
	var h *driver.Hint
	require.ErrorAs(t, err, &h)
	require.NotEmpty(t, r.store.Readings())
}

// testNoise sends noise that ends like a line between good frames.
func testNoise(t *testing.T, d Bytes) {
	r := begin(t, d, NewStore())
	var sent []string
	random := rand.New(rand.NewPCG(3, 4))
	for n := 1; n <= 40; n++ {
		noise := make([]byte, 1+random.IntN(300))
		for i := range noise {
			noise[i] = 0x80 | byte(random.UintN(128))
		}
		line := d.Line(n)
		d.Write(append(append(append(noise, '\n'), line...), "\r\n"...))
		sent = append(sent, event.Digest(line))
	}
	r.store.WaitFrames(t, sent...)
	r.stop()
	requireOnce(t, r.store, sent)
}
