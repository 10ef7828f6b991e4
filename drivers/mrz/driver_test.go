package mrz_test

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gatehouse/drivers/drivertest"
	"gatehouse/drivers/mrz"
	"gatehouse/internal/driver"
	"gatehouse/internal/event"
	"gatehouse/internal/link"
	zone "gatehouse/internal/mrz"
)

var _ = flag.Bool("update", false, "write the expected readings of the golden cases")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// passport is the n-th passport in one line.
func passport(n int) string {
	number := fmt.Sprintf("C%08d", n)
	second := number + string(zone.Digit(number)) + "VNM9001011M3001019001090123456<<3"
	return "P<VNMNGUYEN<<VAN<AN" + strings.Repeat("<", 25) + second + string(zone.Digit(second[:10]+second[13:20]+second[21:43]))
}

// plain is a fake reader that sends lines.
type plain struct{ drivertest.Far }

func (p plain) Driver(env driver.Env) driver.Driver {
	c := mrz.Defaults()
	c.Line = p.Config()
	return mrz.New(c, env)
}

func (p plain) Ready()                       { p.WaitOpen() }
func (plain) Line(n int) []byte              { return []byte(passport(n)) }
func (plain) Redelivers(_ []string) []string { return nil }

func (p plain) Measure(n int) []string {
	text := passport(n)
	text = text[:44] + "\r\n" + text[44:]
	p.Write([]byte(text + "\r\n"))
	return []string{event.Digest([]byte(text))}
}

func (p plain) Garbage() []string {
	p.Write([]byte("\x00\xff\xfe!!\r\nP<VNM\r\n"))
	return []string{event.Digest([]byte("\x00\xff\xfe!!")), event.Digest([]byte("P<VNM"))}
}

// box is a fake Elyctis reader.
type box struct{ drivertest.Far }

func (b box) Driver(env driver.Env) driver.Driver {
	c := mrz.Defaults()
	c.Line, c.Protocol = b.Config(), mrz.Elyctis
	return mrz.New(c, env)
}

func (b box) Ready()                       { b.WaitOpen() }
func (box) Redelivers(_ []string) []string { return nil }

func (b box) Measure(n int) []string {
	frame := mrz.Format(mrz.Message{Type: mrz.TypeZone, Data: []byte(passport(n))})
	b.Write(frame)
	return []string{event.Digest(frame)}
}

func (b box) Garbage() []string {
	bad := mrz.Format(mrz.Message{Type: mrz.TypeZone, Data: []byte("P<VNM")})
	b.Write(append([]byte("\x00\xff\xfe!!"), bad...))
	return []string{event.Digest([]byte("\x00\xff\xfe!!")), event.Digest(bad)}
}

func TestConformance(t *testing.T) {
	for name, far := range map[string]func(*testing.T) drivertest.Far{
		"serial": func(t *testing.T) drivertest.Far { return drivertest.NewPTY(t) },
		"tcp":    func(t *testing.T) drivertest.Far { return drivertest.NewTCP(t) },
	} {
		t.Run("plain "+name, func(t *testing.T) {
			drivertest.Suite(t, func(t *testing.T) drivertest.Device { return plain{far(t)} })
		})
		t.Run("elyctis "+name, func(t *testing.T) {
			drivertest.Suite(t, func(t *testing.T) drivertest.Device { return box{far(t)} })
		})
	}
}

func TestCases(t *testing.T) {
	drivertest.Cases(t, func(t *testing.T, dir string) {
		text, err := os.ReadFile(filepath.Join(dir, "config.yaml"))
		require.NoError(t, err)
		c := mrz.Defaults()
		require.NoError(t, drivertest.Decode(text)(&c))
		capture, err := os.ReadFile(filepath.Join(dir, "capture.txt"))
		require.NoError(t, err)
		// A line that is written to has to stay open until the last answer.
		frames := map[string]int{"elyctis_box": 9}[filepath.Base(dir)]
		readings, err := drivertest.Play(t, capture, frames, drivertest.Env(nil),
			func(env driver.Env, open func(context.Context) (*link.Line, error)) driver.Driver {
				return mrz.NewOn(c, env, open)
			})
		require.Error(t, err)
		drivertest.Golden(t, dir, readings)
	})
}

func TestExampleIsTheDefaults(t *testing.T) {
	kind := mrz.Kind()
	var c mrz.Config
	require.NoError(t, drivertest.Decode(kind.Example)(&c))
	want := mrz.Defaults()
	want.Line.Port = "/dev/serial/by-id/usb-document-reader"
	require.Equal(t, want, c)
	require.Zero(t, kind.Silence, "a reader that nobody uses is not down")
}

func TestSettingsAreChecked(t *testing.T) {
	for _, text := range []string{
		"line: {}", "line: {port: /dev/x}\nprotocol: morse", "line: {port: /dev/x}\ngap: 1ms", "line: {port: /dev/x}\npreffix: x",
		"line: {port: /dev/x}\nsuffix: 12345678901234567",
	} {
		_, err := mrz.Kind().New(drivertest.Decode([]byte(text)), drivertest.Env(nil))
		require.Error(t, err, text)
	}
}

// pipe is a driver on an in-memory line.
func pipe(t *testing.T, protocol string) (net.Conn, driver.Driver) {
	near, far := net.Pipe()
	t.Cleanup(func() { _ = far.Close() })
	c := mrz.Defaults()
	c.Protocol = protocol
	return far, mrz.NewOn(c, drivertest.Env(nil), func(ctx context.Context) (*link.Line, error) {
		return link.New(ctx, "pipe", link.Stream(near)), nil
	})
}

func TestSilenceEndsAText(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		far, d := pipe(t, mrz.Plain)
		ctx, cancel := context.WithCancel(t.Context())
		store := drivertest.NewStore()
		done := make(chan error, 1)
		go func() { done <- d.Run(ctx, store.Emit) }()
		_, _ = far.Write([]byte(line1 + "\r"))
		time.Sleep(200 * time.Millisecond) // a slow reader is not silent
		_, _ = far.Write([]byte(line2))
		synctest.Wait()
		require.Empty(t, store.Readings())
		time.Sleep(500 * time.Millisecond)
		synctest.Wait()
		rs := store.Readings()
		require.Len(t, rs, 1)
		require.Equal(t, event.DocumentRead, rs[0].Kind)
		require.Equal(t, line1+"\r"+line2, string(rs[0].Raw))
		require.Equal(t, "L898902C3", rs[0].Document.Number)

		// Half a text is kept as what it is, and the next one is not hurt.
		_, _ = far.Write([]byte(line1 + "\r" + line2[:10]))
		time.Sleep(time.Second)
		_, _ = far.Write([]byte(passport(7) + "\r"))
		synctest.Wait()
		rs = store.Readings()
		require.Len(t, rs, 3)
		require.Equal(t, event.FrameInvalid, rs[1].Kind)
		require.Equal(t, "C00000007", rs[2].Document.Number)
		cancel()
		require.NoError(t, <-done)
	})
}

func TestElyctisIsArmedAfterEachRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		far, d := pipe(t, mrz.Elyctis)
		ctx, cancel := context.WithCancel(t.Context())
		store := drivertest.NewStore()
		done := make(chan error, 1)
		go func() { done <- d.Run(ctx, store.Emit) }()
		arm := mrz.Format(mrz.Arm())
		for n := range 3 {
			got := make([]byte, len(arm))
			_, err := io.ReadFull(far, got)
			require.NoError(t, err)
			require.Equal(t, arm, got)
			_, _ = far.Write(arm)
			time.Sleep(time.Minute) // nobody comes
			_, _ = far.Write(mrz.Format(mrz.Message{Type: mrz.TypeZone, Data: []byte(passport(n))}))
		}
		_, err := io.ReadFull(far, make([]byte, len(arm)))
		require.NoError(t, err)
		synctest.Wait()
		var numbers []string
		for _, r := range store.Readings() {
			if r.Document != nil {
				numbers = append(numbers, r.Document.Number)
			}
		}
		require.Equal(t, []string{"C00000000", "C00000001", "C00000002"}, numbers)
		cancel()
		require.NoError(t, <-done)
	})
}

func TestElyctisThatDoesNotAnswerIsSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		far, d := pipe(t, mrz.Elyctis)
		sent := make(chan int, 1)
		go func() {
			b, _ := io.ReadAll(far)
			sent <- len(b)
		}()
		start := time.Now()
		err := d.Run(t.Context(), drivertest.NewStore().Emit)
		require.ErrorIs(t, err, driver.ErrSilent)
		require.GreaterOrEqual(t, time.Since(start), 6*time.Second)
		_ = far.Close()
		require.Equal(t, 12, <-sent, "armed three times")
	})
}
