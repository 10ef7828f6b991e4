package xray_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gatehouse/drivers/drivertest"
	"gatehouse/drivers/xray"
	"gatehouse/internal/driver"
	"gatehouse/internal/event"
	"gatehouse/internal/link"
)

var _ = flag.Bool("update", false, "write the expected readings of the golden cases")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// picture is bytes that begin like a PNG file; the driver looks no further.
func picture(n int) []byte {
	return fmt.Appendf([]byte("\x89PNG\r\n\x1a\n"), "picture %d %s", n, strings.Repeat("x", n%100))
}

// settings are quick ones for tests.
func settings(folder string) xray.Config {
	c := xray.Defaults()
	c.Silence = time.Minute
	c.Drop.Folder = folder
	c.Drop.Wait = 300 * time.Millisecond
	c.Drop.Rescan = 50 * time.Millisecond
	return c
}

// scanner is a fake scanner with a drop folder.
type scanner struct {
	drivertest.Far
	t      *testing.T
	folder string
	seq    int
}

func newScanner(t *testing.T) *scanner {
	return &scanner{Far: drivertest.NewPTY(t), t: t, folder: t.TempDir()}
}

func (s *scanner) Driver(env driver.Env) driver.Driver {
	c := settings(s.folder)
	c.Line = s.Config()
	return xray.New(c, env)
}

func (s *scanner) Ready() { s.WaitOpen() }

// send sends a sentence and gives its digest.
func (s *scanner) send(kind string, fields ...string) string {
	line := xray.Format(xray.Sentence{Type: kind, Seq: s.seq, Fields: fields})
	s.seq = (s.seq + 1) % xray.Sequences
	s.Write(append(line, "\r\n"...))
	return event.Digest(line)
}

// put writes a file as a scanner does and gives its digest.
func put(t *testing.T, folder, name string, data []byte) string {
	t.Helper()
	part := filepath.Join(folder, name+".part")
	require.NoError(t, os.WriteFile(part, data, 0o644))
	require.NoError(t, os.Rename(part, filepath.Join(folder, name)))
	return event.Digest(data)
}

func describe(image []byte, view int) []byte {
	sum := sha256.Sum256(image)
	return fmt.Appendf(nil, `{"kV":6000,"mA":0.2,"view":%d,"time":"2026-03-02T08:30:00+07:00","sha-256":"%s"}`,
		view, hex.EncodeToString(sum[:]))
}

func (s *scanner) Measure(n int) []string {
	id := fmt.Sprintf("L01-%06d", n)
	image := picture(n)
	name := id + "_v1.png"
	side := put(s.t, s.folder, id+"_v1.json", describe(image, 1))
	pic := put(s.t, s.folder, name, image)
	return []string{
		s.send(xray.TypeEvent, "SCAN_BEGIN", id),
		s.send(xray.TypeImage, id, "1", name, fmt.Sprint(len(image))),
		side, pic,
		s.send(xray.TypeStatus, "READY", "STOP", "OFF", "CLOSED", "0", "0"),
	}
}

func (s *scanner) Line(n int) []byte {
	return xray.Format(xray.Sentence{Type: xray.TypeStatus, Seq: n, Fields: []string{"READY", "STOP", "OFF", "CLOSED", "0", fmt.Sprint(n % 2)}})
}

func (s *scanner) Garbage() []string {
	bad := []byte("$XSTA,0042,READY,STOP,OFF,CLOSED,0,0*3B")
	s.Write([]byte("\x00\xff\xfe!!\r\n"))
	s.Write(append(bytes.Clone(bad), "\r\n"...))
	return []string{event.Digest([]byte("\x00\xff\xfe!!")), event.Digest(bad)}
}

// Redelivers: a line is said once, but a file stays until it is stored.
func (s *scanner) Redelivers(digests []string) []string { return digests[2:4] }

func TestConformance(t *testing.T) {
	t.Run("serial", func(t *testing.T) {
		drivertest.Suite(t, func(t *testing.T) drivertest.Device { return newScanner(t) })
	})
	t.Run("tcp", func(t *testing.T) {
		drivertest.Suite(t, func(t *testing.T) drivertest.Device {
			return &scanner{Far: drivertest.NewTCP(t), t: t, folder: t.TempDir()}
		})
	})
}

// run starts a driver on a fresh scanner; stop ends it and wants no error.
func run(t *testing.T, s *scanner, env driver.Env) (store *drivertest.Store, stop func()) {
	t.Helper()
	store = drivertest.NewStore()
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error, 1)
	d := s.Driver(env)
	go func() { result <- d.Run(ctx, store.Emit) }()
	s.Ready()
	return store, func() {
		cancel()
		require.NoError(t, <-result)
	}
}

func images(rs []event.Reading) []event.Reading {
	return slices.DeleteFunc(slices.Clone(rs), func(r event.Reading) bool { return r.Kind != event.ScanImage })
}

func waitImages(t *testing.T, store *drivertest.Store, n int) []event.Reading {
	t.Helper()
	store.Wait(t, "images", func(rs []event.Reading) bool { return len(images(rs)) >= n })
	return images(store.Readings())
}

func listing(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	var out []string
	for _, e := range entries {
		if !e.IsDir() {
			out = append(out, e.Name())
		}
	}
	return out
}

func TestImageIsStoredNamedAndMoved(t *testing.T) {
	s := newScanner(t)
	evidence := &drivertest.Evidence{}
	store, stop := run(t, s, drivertest.Env(evidence))
	sent := s.Measure(1)
	got := waitImages(t, store, 1)[0]
	stop()
	require.Equal(t, "L01-000001/1", got.Key)
	require.Equal(t, event.Good, got.Quality, got.Note)
	require.Equal(t, []string{sent[1], sent[3], sent[2]}, got.Frames, "line, image, description")
	require.Equal(t, 6000.0, got.Scan.KV)
	require.Equal(t, 0.2, got.Scan.MA)
	require.Equal(t, "image/png", got.Scan.Image.MediaType)
	require.Equal(t, "scan", got.Scan.Image.Role)
	require.Equal(t, "cargo", got.Scan.Kind)
	require.True(t, got.DeviceTime.Equal(time.Date(2026, 3, 2, 1, 30, 0, 0, time.UTC)))
	blob, ok := evidence.Get(got.Scan.Image.SHA256)
	require.True(t, ok)
	require.Equal(t, picture(1), blob)
	require.Empty(t, listing(t, s.folder))
	require.Equal(t, []string{"L01-000001_v1.json", "L01-000001_v1.png"}, listing(t, filepath.Join(s.folder, "done")))
}

func TestImageOfAnotherTypeIsSuspect(t *testing.T) {
	s := newScanner(t)
	store, stop := run(t, s, drivertest.Env(&drivertest.Evidence{}))
	image := append([]byte{0xff, 0xd8, 0xff, 0xe0}, picture(3)...)
	put(t, s.folder, "C_v1.json", describe(image, 1))
	put(t, s.folder, "C_v1.png", image)
	s.send(xray.TypeImage, "C", "1", "C_v1.png", fmt.Sprint(len(image)))
	got := waitImages(t, store, 1)[0]
	stop()
	require.Equal(t, event.Suspect, got.Quality)
	require.Contains(t, got.Note, "image/jpeg")
	require.Equal(t, "image/jpeg", got.Scan.Image.MediaType)
}

func TestFileStaysUntilStored(t *testing.T) {
	s := newScanner(t)
	store, stop := run(t, s, drivertest.Env(&drivertest.Evidence{}))
	release := store.Hold()
	defer release()
	s.Measure(1)
	store.WaitBlocked(t)
	require.Len(t, listing(t, s.folder), 2)
	release()
	waitImages(t, store, 1)
	stop()
	require.Empty(t, listing(t, s.folder))
}

func TestStoreOfEvidenceFails(t *testing.T) {
	s := newScanner(t)
	evidence := &drivertest.Evidence{}
	full := errors.New("disk full")
	evidence.Fail(full)
	store := drivertest.NewStore()
	d := s.Driver(drivertest.Env(evidence))
	result := make(chan error, 1)
	go func() { result <- d.Run(t.Context(), store.Emit) }()
	s.Ready()
	sent := s.Measure(1)
	err := <-result
	require.ErrorIs(t, err, full)
	require.ErrorIs(t, err, driver.ErrStore)
	require.Len(t, listing(t, s.folder), 2, "files stay")
	evidence.Fail(nil)
	store, stop := run(t, s, drivertest.Env(evidence))
	store.WaitFrames(t, sent[2:4]...)
	stop()
}

func TestMissingAndHalfFiles(t *testing.T) {
	s := newScanner(t)
	store, stop := run(t, s, drivertest.Env(&drivertest.Evidence{}))
	line := s.send(xray.TypeImage, "A", "1", "A_v1.png", "100")
	got := waitImages(t, store, 1)[0]
	require.Equal(t, event.Bad, got.Quality)
	require.Contains(t, got.Note, "no such file")
	require.Nil(t, got.Scan.Image)
	require.Equal(t, "A/1/missing", got.Key)
	require.Equal(t, []string{line}, got.Frames)

	// Half a file: the announced image is bad; what is there is taken later.
	image := picture(7)
	put(t, s.folder, "B_v1.json", describe(image, 1))
	half := put(t, s.folder, "B_v1.png", image[:len(image)-3])
	s.send(xray.TypeImage, "B", "1", "B_v1.png", fmt.Sprint(len(image)))
	all := waitImages(t, store, 3)
	stop()
	require.Equal(t, "B/1/missing", all[1].Key)
	require.Contains(t, all[1].Note, fmt.Sprintf("%d of %d bytes", len(image)-3, len(image)))
	require.Equal(t, "B/1", all[2].Key)
	require.Equal(t, event.Bad, all[2].Quality)
	require.Contains(t, all[2].Note, "SHA-256")
	require.Equal(t, half, all[2].Scan.Image.SHA256)
}

func TestUnsafeNamesAreRefused(t *testing.T) {
	s := newScanner(t)
	outside := filepath.Join(filepath.Dir(s.folder), "secret.png")
	require.NoError(t, os.WriteFile(outside, picture(1), 0o600))
	require.NoError(t, os.Symlink(outside, filepath.Join(s.folder, "link.png")))
	require.NoError(t, syscall.Mkfifo(filepath.Join(s.folder, "fifo.png"), 0o600))
	require.NoError(t, os.Mkdir(filepath.Join(s.folder, "dir.png"), 0o700))
	evidence := &drivertest.Evidence{}
	store, stop := run(t, s, drivertest.Env(evidence))
	names := []string{"../secret.png", "link.png", "fifo.png", "dir.png", ".", "..", ".hidden.png", "a\\b.png", outside, "c.png.part"}
	for i, name := range names {
		s.send(xray.TypeImage, fmt.Sprintf("X%d", i), "1", name, fmt.Sprint(len(picture(1))))
	}
	for _, r := range waitImages(t, store, len(names)) {
		require.Equal(t, event.Bad, r.Quality, "%s", r.Raw)
		require.Nil(t, r.Scan.Image)
	}
	store.Wait(t, "traces of link and FIFO", func(rs []event.Reading) bool {
		n := 0
		for _, r := range rs {
			if r.Kind == event.FrameInvalid && strings.Contains(r.Note, "not a regular file") {
				n++
			}
		}
		return n == 2
	})
	stop()
	_, read := evidence.Get(event.Digest(picture(1)))
	require.False(t, read)
	_, err := os.Lstat(filepath.Join(s.folder, "rejected", "link.png"))
	require.NoError(t, err)
	require.FileExists(t, outside)
}

func TestFilesThatNobodyAnnounced(t *testing.T) {
	s := newScanner(t)
	pic := put(t, s.folder, "L01-000009_v2.png", picture(9))
	side := put(t, s.folder, "L01-000009_v2.xml", []byte(`<scan><kv>160</kv></scan>`))
	jpeg := put(t, s.folder, "odd.dat", []byte("\xff\xd8\xff\xe0jpeg"))
	empty := put(t, s.folder, "E_v1.tif", nil)
	alone := put(t, s.folder, "alone_v1.json", []byte(`{}`))
	put(t, s.folder, "notes.txt", []byte("hello"))
	require.NoError(t, os.WriteFile(filepath.Join(s.folder, "half_v1.png.part"), picture(1), 0o600))
	store, stop := run(t, s, drivertest.Env(&drivertest.Evidence{}))
	store.WaitFrames(t, pic, side, jpeg, empty, alone)
	store.Wait(t, "trace of notes.txt", func(rs []event.Reading) bool {
		return slices.ContainsFunc(rs, func(r event.Reading) bool { return strings.Contains(r.Note, "notes.txt") })
	})
	// The sentence of a file that was already taken is counted, as no image.
	line := s.send(xray.TypeImage, "L01-000009", "2", "L01-000009_v2.png", fmt.Sprint(len(picture(9))))
	store.WaitFrames(t, line)
	stop()
	keys := map[string]event.Reading{}
	for _, r := range images(store.Readings()) {
		keys[r.Key] = r
	}
	require.Len(t, keys, 4)
	require.Equal(t, event.Good, keys["L01-000009/2"].Quality, keys["L01-000009/2"].Note)
	require.Equal(t, 160.0, keys["L01-000009/2"].Scan.KV)
	require.Equal(t, event.Suspect, keys["odd/0"].Quality)
	require.Equal(t, "image/jpeg", keys["odd/0"].Scan.Image.MediaType)
	require.Equal(t, event.Suspect, keys["E/1"].Quality)
	require.NotNil(t, keys["alone/1/sidecar"].Scan.Sidecar)
	require.Equal(t, []string{"half_v1.png.part"}, listing(t, s.folder))
}

func TestTooLargeImageIsNotStored(t *testing.T) {
	s := newScanner(t)
	c := settings(s.folder)
	c.Line = s.Config()
	c.Drop.Limit = 1024
	c.Drop.After = "delete"
	store := drivertest.NewStore()
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error, 1)
	go func() { result <- xray.New(c, drivertest.Env(&drivertest.Evidence{})).Run(ctx, store.Emit) }()
	s.Ready()
	big := append(picture(1), make([]byte, 1024)...)
	put(t, s.folder, "big_v1.png", big)
	s.send(xray.TypeImage, "big", "1", "big_v1.png", fmt.Sprint(len(big)))
	got := waitImages(t, store, 1)[0]
	cancel()
	require.NoError(t, <-result)
	require.Equal(t, event.Bad, got.Quality)
	require.Contains(t, got.Note, "more than 1024 bytes")
	require.Nil(t, got.Scan.Image)
	require.Empty(t, listing(t, s.folder))
}

func TestMissingFolderIsAnError(t *testing.T) {
	s := newScanner(t)
	require.NoError(t, os.Remove(s.folder))
	err := s.Driver(drivertest.Env(nil)).Run(t.Context(), drivertest.NewStore().Emit)
	var h *driver.Hint
	require.ErrorAs(t, err, &h)
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestKeepAlive(t *testing.T) {
	s := newScanner(t)
	_, stop := run(t, s, drivertest.Env(nil))
	require.Equal(t, "$XCMD,0000,STATUS*", s.ReadLine()[:18])
	stop()
}

// pipe is a driver on an in-memory line whose far end takes what is sent.
func pipe(t *testing.T, c xray.Config) (net.Conn, driver.Driver) {
	near, far := net.Pipe()
	t.Cleanup(func() { _ = far.Close() })
	return far, xray.NewOn(c, drivertest.Env(&drivertest.Evidence{}), func(ctx context.Context) (*link.Line, error) {
		return link.New(ctx, "pipe", link.Stream(near)), nil
	})
}

func line(seq int, kind string, fields ...string) []byte {
	return append(xray.Format(xray.Sentence{Type: kind, Seq: seq, Fields: fields}), "\r\n"...)
}

func TestSilenceCountsStatusesOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := settings(t.TempDir())
		c.Silence = 3 * time.Second
		far, d := pipe(t, c)
		heard := make(chan struct{})
		go func() {
			defer close(heard)
			buf := make([]byte, 100)
			for {
				if _, err := far.Read(buf); err != nil {
					return
				}
			}
		}()
		go func() {
			_, _ = far.Write(line(1, xray.TypeStatus, "READY", "STOP", "OFF", "CLOSED", "0", "0"))
			for i := range 5 {
				time.Sleep(500 * time.Millisecond)
				_, _ = far.Write(line(i, xray.TypeAck, "OK"))
			}
		}()
		start := time.Now()
		require.ErrorIs(t, d.Run(t.Context(), drivertest.NewStore().Emit), driver.ErrSilent)
		require.Equal(t, 3*time.Second, time.Since(start))
		require.NoError(t, far.Close())
		<-heard
	})
}

func TestCases(t *testing.T) {
	drivertest.Cases(t, func(t *testing.T, dir string) {
		text, err := os.ReadFile(filepath.Join(dir, "config.yaml"))
		require.NoError(t, err)
		c := xray.Defaults()
		require.NoError(t, drivertest.Decode(text)(&c))
		c.Drop.Folder = t.TempDir()
		capture, err := os.ReadFile(filepath.Join(dir, "capture.txt"))
		require.NoError(t, err)
		frames := bytes.Count(capture, []byte("\n"))
		files, err := filepath.Glob(filepath.Join(dir, "drop", "*"))
		require.NoError(t, err)
		for _, f := range files {
			data, err := os.ReadFile(f)
			require.NoError(t, err)
			put(t, c.Drop.Folder, filepath.Base(f), data)
			frames++
		}
		rs, err := drivertest.Play(t, capture, frames, drivertest.Env(&drivertest.Evidence{}),
			func(env driver.Env, open func(context.Context) (*link.Line, error)) driver.Driver {
				return xray.NewOn(c, env, open)
			})
		require.ErrorIs(t, err, link.ErrUnplugged)
		// Images come when their files do, which the order of lines does not tell.
		slices.SortStableFunc(rs, func(a, b event.Reading) int { return strings.Compare(a.Key, b.Key) })
		drivertest.Golden(t, dir, rs)
	})
}

func TestExampleIsTheDefaults(t *testing.T) {
	kind := xray.Kind()
	var c xray.Config
	require.NoError(t, drivertest.Decode(kind.Example)(&c))
	want := xray.Defaults()
	want.Line.Port = "/dev/serial/by-id/usb-scanner"
	want.Drop.Folder = "/var/lib/gatehouse/drop/xray"
	require.Equal(t, want, c)
	_, err := kind.New(drivertest.Decode(kind.Example), drivertest.Env(nil))
	require.NoError(t, err)
}

func TestSettingsAreChecked(t *testing.T) {
	for _, text := range []string{
		"line: {port: /dev/x}", "line: {port: /dev/x}\ndrop: {}", "line: {port: /dev/x}\ndrop: {folder: /x, after: burn}",
		"line: {port: /dev/x}\nkind: people\ndrop: {folder: /x}", "drop: {folder: /x}",
	} {
		_, err := xray.Kind().New(drivertest.Decode([]byte(text)), drivertest.Env(nil))
		require.Error(t, err, text)
	}
}

func TestProbe(t *testing.T) {
	s := newScanner(t)
	go func() {
		s.WaitOpen()
		s.send(xray.TypeStatus, "WARMUP", "STOP", "OFF", "CLOSED", "0", "0")
	}()
	text, err := s.Driver(drivertest.Env(nil)).(driver.Prober).Probe(t.Context())
	require.NoError(t, err)
	require.Equal(t, "X-ray scanner on "+s.Config().Port+" is WARMUP", text)
}
