package scale_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gatehouse/drivers/drivertest"
	"gatehouse/drivers/scale"
	"gatehouse/internal/driver"
	"gatehouse/internal/event"
	"gatehouse/internal/link"
)

var _ = flag.Bool("update", false, "write the expected readings of the golden cases")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bridge is a fake scale with binary frames.
type bridge struct {
	drivertest.Far
	protocol string
	frame    func(n int) []byte
	garbage  []byte
}

func (b bridge) Driver(env driver.Env) driver.Driver {
	c := scale.Defaults()
	c.Line, c.Protocol = b.Config(), b.protocol
	d, err := scale.New(c, env)
	if err != nil {
		panic(err)
	}
	return d
}

func (b bridge) Ready() { b.WaitOpen() }

func (b bridge) Measure(n int) []string {
	var out []string
	for i := range 3 {
		f := b.frame(3*n + i)
		b.Write(f)
		out = append(out, event.Digest(f))
	}
	return out
}

func (b bridge) Garbage() []string {
	b.Write(b.garbage)
	return []string{event.Digest(b.garbage)}
}

func (bridge) Redelivers([]string) []string { return nil }

func toledoFrame(n int) []byte {
	return toledo(0x2a, 0x30, 0x20, fmt.Sprintf("%6d", n), "     0")
}

func yaohuaFrame(n int) []byte {
	sign := byte('+')
	if n < 0 {
		sign, n = '-', -n
	}
	f := append([]byte{2, sign}, fmt.Sprintf("%06d0", n)...)
	high, low := scale.YaohuaSum(f[1:])
	return append(f, high, low, 3)
}

// textual is a fake scale with lines of text.
type textual struct{ drivertest.Far }

func (d textual) Driver(env driver.Env) driver.Driver {
	c := scale.Defaults()
	c.Line, c.Protocol, c.Template = d.Config(), "template", templates()["A&D"]
	out, err := scale.New(c, env)
	if err != nil {
		panic(err)
	}
	return out
}

func (d textual) Ready() { d.WaitOpen() }

func (textual) Line(n int) []byte { return fmt.Appendf(nil, "ST,GS,+%07dkg", n) }

func (d textual) Measure(n int) []string {
	line := d.Line(n)
	d.Write(append(line, "\r\n"...))
	return []string{event.Digest(line)}
}

func (d textual) Garbage() []string {
	d.Write([]byte("\x00\xff!!\r\n+0000.1kg\r\n"))
	return []string{event.Digest([]byte("\x00\xff!!")), event.Digest([]byte("+0000.1kg"))}
}

func (textual) Redelivers([]string) []string { return nil }

func TestConformance(t *testing.T) {
	for name, far := range map[string]func(t *testing.T) drivertest.Far{
		"serial": func(t *testing.T) drivertest.Far { return drivertest.NewPTY(t) },
		"tcp":    func(t *testing.T) drivertest.Far { return drivertest.NewTCP(t) },
	} {
		t.Run(name+"/toledo", func(t *testing.T) {
			wrong := toledoFrame(77)
			wrong[17]++
			drivertest.Suite(t, func(t *testing.T) drivertest.Device { return bridge{far(t), "toledo", toledoFrame, wrong} })
		})
		t.Run(name+"/xk3190", func(t *testing.T) {
			drivertest.Suite(t, func(t *testing.T) drivertest.Device {
				return bridge{far(t), "xk3190", yaohuaFrame, []byte("\x00\xff\xfe!!")}
			})
		})
		t.Run(name+"/template", func(t *testing.T) {
			drivertest.Suite(t, func(t *testing.T) drivertest.Device { return textual{far(t)} })
		})
	}
}

func TestCases(t *testing.T) {
	drivertest.Cases(t, func(t *testing.T, dir string) {
		text, err := os.ReadFile(filepath.Join(dir, "config.yaml"))
		require.NoError(t, err)
		c := scale.Defaults()
		require.NoError(t, drivertest.Decode(text)(&c))
		capture, err := os.ReadFile(filepath.Join(dir, "capture.bin"))
		require.NoError(t, err)
		readings, err := drivertest.Play(t, capture, 0, drivertest.Env(nil),
			func(env driver.Env, open func(context.Context) (*link.Line, error)) driver.Driver {
				d, err := scale.NewOn(c, env, open)
				require.NoError(t, err)
				return d
			})
		require.ErrorIs(t, err, link.ErrUnplugged)
		drivertest.Golden(t, dir, readings)
		frames := 0
		for _, r := range readings {
			frames += len(r.Frames)
			if r.Quality == event.Bad && r.Weight != nil {
				require.Nil(t, r.Weight.Gross)
				require.Nil(t, r.Weight.Net)
				require.False(t, r.Weight.Stable)
			}
		}
		require.NotZero(t, frames)
	})
}

func TestExampleIsTheDefaults(t *testing.T) {
	kind := scale.Kind()
	c := scale.Config{}
	require.NoError(t, drivertest.Decode(kind.Example)(&c))
	want := scale.Defaults()
	want.Line.Port = "/dev/serial/by-id/usb-scale"
	want.Template.Status = map[string][]string{}
	require.Equal(t, want, c)
	require.Equal(t, want.Silence, kind.Silence)
	_, err := kind.New(drivertest.Decode(kind.Example), drivertest.Env(nil))
	require.NoError(t, err)
}

func TestSettingsAreChecked(t *testing.T) {
	const line = "line: {tcp: 127.0.0.1:1701}\n"
	for _, text := range []string{
		"line: {}", line + "protocol: toldeo", line + "checksum: maybe", line + "unit: stone", line + "division: 0",
		line + "readings: 0", line + "calibration_until: 31/03/2027", line + "protocol: template", line + "silence: 1ms",
		line + "protocol: template\ntemplate: {end: \"\\r\\n\", pattern: \"[0-9]+\", checksum: none}",
	} {
		_, err := scale.Kind().New(drivertest.Decode([]byte(text)), drivertest.Env(nil))
		require.Error(t, err, text)
	}
	_, err := scale.Kind().New(drivertest.Decode([]byte(line+"calibration_until: 2027-03-31")), drivertest.Env(nil))
	require.NoError(t, err)
}

// step is a frame and how long before it the line was quiet.
type step struct {
	after time.Duration
	frame []byte
}

// play runs a driver on an in-memory line with the bubble's clock.
func play(t *testing.T, c scale.Config, steps []step) (readings []event.Reading) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		d, err := scale.NewOn(c, drivertest.Env(nil), func(ctx context.Context) (*link.Line, error) {
			return link.New(ctx, "pipe", link.Stream(near)), nil
		})
		require.NoError(t, err)
		go func() {
			for _, s := range steps {
				time.Sleep(s.after)
				_, _ = far.Write(s.frame)
			}
			_ = far.Close()
		}()
		store := drivertest.NewStore()
		require.ErrorIs(t, d.Run(t.Context(), store.Emit), link.ErrUnplugged)
		readings = store.Readings()
	})
	return readings
}

// repeat is n frames of one weight, 100 ms apart.
func repeat(n int, frame []byte) []step {
	out := make([]step, n)
	for i := range out {
		out[i] = step{100 * time.Millisecond, frame}
	}
	return out
}

func join(parts ...[]step) (out []step) {
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

func stable(readings []event.Reading) (out []float64) {
	for _, r := range readings {
		if r.Kind == event.WeightStable {
			out = append(out, *r.Weight.Gross)
		}
	}
	return out
}

func moving(n int) []byte { return toledo(0x2a, 0x38, 0x20, fmt.Sprintf("%6d", n), "     0") }

func TestStableWeights(t *testing.T) {
	slow := repeat(5, toledoFrame(12340))
	for i := range slow {
		slow[i].after = 600 * time.Millisecond
	}
	wrong := toledoFrame(12340)
	wrong[17]++
	for name, c := range map[string]struct {
		steps []step
		want  []float64
	}{
		"two are too few":      {repeat(2, toledoFrame(12340)), nil},
		"three, told once":     {repeat(9, toledoFrame(12340)), []float64{12340}},
		"too far apart":        {slow, nil},
		"motion between":       {join(repeat(2, toledoFrame(12340)), repeat(1, moving(12340)), repeat(2, toledoFrame(12340))), nil},
		"never at rest":        {repeat(30, moving(12340)), nil},
		"bad frame between":    {join(repeat(2, toledoFrame(12340)), repeat(1, wrong), repeat(2, toledoFrame(12340))), nil},
		"changes":              {join(repeat(3, toledoFrame(12340)), repeat(3, toledoFrame(12341))), []float64{12340, 12341}},
		"same lorry weight":    {join(repeat(3, toledoFrame(12340)), repeat(1, toledoFrame(0)), repeat(3, toledoFrame(12340))), []float64{12340, 12340}},
		"one after the other":  {join(repeat(3, toledoFrame(9000)), repeat(2, moving(20000)), repeat(3, toledoFrame(9000))), []float64{9000, 9000}},
		"rocking is no change": {join(repeat(3, toledoFrame(9000)), repeat(2, moving(9050)), repeat(3, toledoFrame(9000))), []float64{9000}},
		"empty scale wanders":  {join(repeat(3, toledoFrame(0)), repeat(3, toledoFrame(1)), repeat(3, toledoFrame(2))), []float64{0, 2}},
		"negative":             {repeat(3, toledo(0x2a, 0x32, 0x20, "   500", "     0")), []float64{-500}},
		"over range":           {repeat(9, toledo(0x2a, 0x34, 0x20, " 99999", "     0")), nil},
		"not zeroed":           {repeat(9, toledo(0x2a, 0x70, 0x20, " 12340", "     0")), nil},
	} {
		t.Run(name, func(t *testing.T) {
			readings := play(t, scale.Defaults(), c.steps)
			require.Equal(t, c.want, stable(readings))
			frames := 0
			for _, r := range readings {
				frames += len(r.Frames)
			}
			require.Equal(t, len(c.steps), frames, "each frame stands in one reading")
		})
	}
}

func TestZeroBefore(t *testing.T) {
	readings := play(t, scale.Defaults(), join(
		repeat(3, toledoFrame(0)), repeat(2, moving(8000)), repeat(3, toledoFrame(12340)), // from a settled zero
		repeat(1, toledoFrame(40)), repeat(3, toledoFrame(15000)), // the platform never came to rest
	))
	var got []bool
	for _, r := range readings {
		if r.Kind == event.WeightStable && r.Weight.Loaded {
			got = append(got, r.Weight.ZeroBefore)
		}
	}
	require.Equal(t, []bool{true, false}, got)
}

func TestClasses(t *testing.T) {
	readings := play(t, scale.Defaults(), join(
		repeat(4, toledoFrame(0)), repeat(1, toledoFrame(1)), repeat(1, moving(8000)), repeat(3, toledoFrame(12340)), repeat(1, toledoFrame(0)),
	))
	got := ""
	for _, r := range readings {
		switch {
		case r.Kind == event.WeightStable:
			got += "S"
		case r.Class == event.Active:
			got += "a"
		default:
			got += "."
		}
	}
	require.Equal(t, "a..S.."+"aa..S"+"a", got)
}

func TestYaohuaRestIsDerived(t *testing.T) {
	c := scale.Defaults()
	c.Protocol, c.Division = "xk3190", 20
	weights := func(n int, kg ...int) (out []step) {
		for i := range n {
			out = append(out, step{100 * time.Millisecond, yaohuaFrame(kg[i%len(kg)])})
		}
		return out
	}
	for name, w := range map[string]struct {
		steps []step
		want  []float64
	}{
		"not for long enough":  {weights(15, 12340), nil},
		"long enough":          {weights(19, 12340), []float64{12340}},
		"within one division":  {join(weights(16, 12320, 12340), weights(3, 12340)), []float64{12340}},
		"beyond one division":  {join(weights(16, 12320, 12360), weights(14, 12340)), nil},
		"two weights of truth": {weights(40, 12320, 12340), nil},
		"negative":             {weights(20, -20), []float64{-20}},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, w.want, stable(play(t, c, w.steps))) })
	}
}

func TestCapacity(t *testing.T) {
	c := scale.Defaults()
	c.Capacity = 80000
	readings := play(t, c, join(repeat(3, toledoFrame(80009)), repeat(3, toledoFrame(80010))))
	require.Equal(t, []float64{80009}, stable(readings))
	last := readings[len(readings)-1]
	require.Equal(t, event.Bad, last.Quality)
	require.True(t, last.Weight.OverRange)
	require.Nil(t, last.Weight.Gross)
}

func reports(readings []event.Reading) (out []string) {
	for _, r := range readings {
		if r.Report != nil {
			out = append(out, string(r.Report.State)+" "+r.Report.Code)
		}
	}
	return out
}

func TestStateOfTheScale(t *testing.T) {
	c := scale.Defaults()
	readings := play(t, c, join(
		repeat(2, toledoFrame(0)), repeat(2, toledo(0x2a, 0x70, 0x20, "     0", "     0")), repeat(2, toledoFrame(0))))
	require.Equal(t, []string{"faulty NOT-ZEROED", "up READY"}, reports(readings))

	// The bubble's clock begins at midnight UTC of 2000-01-01, 07:00 at the gate.
	c.CalibrationUntil = "2000-01-01"
	require.Empty(t, reports(play(t, c, repeat(3, toledoFrame(0)))))
	c.CalibrationUntil = "1999-12-31"
	require.Equal(t, []string{"degraded CALIBRATION-EXPIRED"}, reports(play(t, c, repeat(3, toledoFrame(0)))))
}

func TestStateHoldsAfterReconnect(t *testing.T) {
	conns := make(chan net.Conn, 3)
	d, err := scale.NewOn(scale.Defaults(), drivertest.Env(nil), func(ctx context.Context) (*link.Line, error) {
		return link.New(ctx, "pipe", link.Stream(<-conns)), nil
	})
	require.NoError(t, err)
	store := drivertest.NewStore()
	notZeroed := toledo(0x2a, 0x70, 0x20, "     0", "     0")
	for _, frame := range [][]byte{notZeroed, notZeroed, toledoFrame(0)} {
		near, far := net.Pipe()
		conns <- near
		go func() {
			_, _ = far.Write(frame)
			_ = far.Close()
		}()
		require.ErrorIs(t, d.Run(t.Context(), store.Emit), link.ErrUnplugged)
	}
	require.Equal(t, []string{"faulty NOT-ZEROED", "faulty NOT-ZEROED", "up READY"}, reports(store.Readings()))
}

// wire plays bytes at once and gives the kinds and weights that came of them.
func wire(t *testing.T, checksum scale.Checksum, parts ...[]byte) (out []string) {
	t.Helper()
	c := scale.Defaults()
	c.Checksum = checksum
	for _, r := range play(t, c, []step{{0, bytes.Join(parts, nil)}}) {
		switch r.Kind {
		case event.WeightSample:
			out = append(out, fmt.Sprint(*r.Weight.Gross))
		case event.FrameInvalid:
			out = append(out, fmt.Sprintf("%d bad", len(r.Raw)))
		}
	}
	return out
}

func TestToledoFraming(t *testing.T) {
	whole := toledoFrame
	short := func(n int) []byte { return toledoFrame(n)[:17] }
	// A checksum may look like the next frame's start or like CR.
	startLike, endLike := []byte(nil), []byte(nil)
	for n := range 100000 {
		switch f := whole(n); f[17] {
		case 0x02:
			startLike = f
		case 0x0d:
			endLike = f
		}
	}
	require.NotNil(t, startLike)
	require.NotNil(t, endLike)
	weight := func(f []byte) string {
		s, err := scale.Toledo{Checksum: scale.Auto}.Parse(f)
		require.NoError(t, err)
		return fmt.Sprint(*s.Gross)
	}
	require.Equal(t, []string{"1", "2", "3"}, wire(t, scale.Auto, whole(1), whole(2), whole(3)))
	require.Equal(t, []string{"1", "2", "3"}, wire(t, scale.Off, short(1), short(2), short(3)))
	require.Equal(t, []string{"1", "2", "3"}, wire(t, scale.Auto, short(1), short(2), short(3)))
	require.Equal(t, []string{weight(startLike), weight(endLike), "3"}, wire(t, scale.Auto, startLike, endLike, whole(3)))
	require.Equal(t, []string{weight(startLike), "2", "3"}, wire(t, scale.Auto, startLike[:17], short(2), short(3)))
	require.Equal(t, []string{"5 bad", "1", "9 bad", "2"}, wire(t, scale.On, []byte("!!!!!"), whole(1), whole(9)[:9], whole(2)))
	require.Equal(t, []string{"1", "17 bad", "2"}, wire(t, scale.Auto, whole(1), short(9), whole(2)), "a lost checksum is no checksum")
	require.Equal(t, []string{"1", "8 bad"}, wire(t, scale.On, whole(1), whole(2)[:8]), "the line ends inside a frame")
}

func TestSilenceAndGarbage(t *testing.T) {
	for want, frame := range map[error][]byte{driver.ErrSilent: nil, driver.ErrGarbage: []byte("????\x02????")} {
		synctest.Test(t, func(t *testing.T) {
			near, far := net.Pipe()
			defer far.Close()
			d, err := scale.NewOn(scale.Defaults(), drivertest.Env(nil), func(ctx context.Context) (*link.Line, error) {
				return link.New(ctx, "pipe", link.Stream(near)), nil
			})
			require.NoError(t, err)
			if frame != nil {
				go func() { _, _ = far.Write(frame) }()
			}
			require.ErrorIs(t, d.Run(t.Context(), drivertest.NewStore().Emit), want)
		})
	}
}

func TestProbe(t *testing.T) {
	p := drivertest.NewPTY(t)
	d := bridge{p, "toledo", toledoFrame, nil}.Driver(drivertest.Env(nil))
	go func() {
		p.WaitOpen()
		p.Write(append([]byte("340     0\r"), toledoFrame(12340)...))
	}()
	text, err := d.(driver.Prober).Probe(t.Context())
	require.NoError(t, err)
	require.Equal(t, fmt.Sprintf("scale (toledo) on %s shows 12340 kg", p.Config().Port), text)
}
