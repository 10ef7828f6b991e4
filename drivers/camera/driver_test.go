package camera_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/stretchr/testify/require"

	"gatehouse/drivers/camera"
	"gatehouse/drivers/drivertest"
	"gatehouse/internal/driver"
	"gatehouse/internal/event"
)

var _ = flag.Bool("update", false, "write the expected readings of the golden cases")

const topic = "gatehouse/15BB/01/camera"

// photo is bytes that begin like a JPEG file; the driver looks no further.
func photo(n int) []byte {
	return fmt.Appendf([]byte("\xff\xd8\xff\xe0"), "photo %d %s", n, strings.Repeat("x", n%100))
}

func about(id string, picture []byte) []byte {
	return fmt.Appendf(nil, `{"event_id":%q,"time":"2026-03-02T08:30:00+07:00","view":"front","image":{"sha256":%q,"bytes":%d,"media_type":"image/jpeg"},"final":true}`,
		id, event.Digest(picture), len(picture))
}

// device is a fake camera at a real broker.
type device struct {
	*broker
	t      *testing.T
	config camera.Config
	sender mqtt.Client
}

// newDevice is a camera whose driver was there before: the broker keeps its
// session.
func newDevice(t *testing.T, b *broker, change ...func(*camera.Config)) *device {
	t.Helper()
	c := camera.Defaults()
	c.Broker, c.ClientID, c.Topic = b.url, "gatehouse-camera", topic
	c.ImageWait = 300 * time.Millisecond
	for _, f := range change {
		f(&c)
	}
	before := b.client(t, c.ClientID, false, nil)
	for _, f := range []string{"/capture", "/image/+", "/$state"} {
		wait(t, before.Subscribe(c.Topic+f, 1, nil))
	}
	before.Disconnect(100)
	return &device{broker: b, t: t, config: c, sender: b.client(t, "a-camera", true, nil)}
}

func (d *device) send(topic string, payload []byte, retained ...bool) string {
	d.t.Helper()
	wait(d.t, d.sender.Publish(d.config.Topic+"/"+topic, 1, len(retained) > 0, payload))
	return event.Digest(payload)
}

func (d *device) Driver(env driver.Env) driver.Driver { return camera.New(d.config, env) }

func (d *device) Ready() {}

func (d *device) Measure(n int) []string {
	id := fmt.Sprintf("ev-%d", n)
	return []string{d.send("capture", about(id, photo(n))), d.send("image/"+id, photo(n))}
}

func (d *device) Garbage() []string {
	return []string{d.send("capture", []byte(`{"event_id`)), d.send("capture", []byte(`{"event_id":"a b"}`))}
}

func (d *device) Cut() { d.stop() }

func (d *device) Redelivers(digests []string) []string { return digests }

func TestConformanceNATS(t *testing.T) {
	drivertest.Suite(t, func(t *testing.T) drivertest.Device { return newDevice(t, natsBroker(t, "")) })
}

func TestConformanceMosquitto(t *testing.T) {
	drivertest.Suite(t, func(t *testing.T) drivertest.Device { return newDevice(t, mosquittoBroker(t)) })
}

// run starts the driver; stop ends it and wants no error.
func run(t *testing.T, d driver.Driver) (store *drivertest.Store, stop func()) {
	t.Helper()
	store = drivertest.NewStore()
	return store, runInto(t, d, store)
}

// runInto keeps the driver running as a lane does: a broker may refuse a
// client that comes back too soon, or be slow to take a subscription.
func runInto(t *testing.T, d driver.Driver, store *drivertest.Store) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error, 1)
	go func() {
		for {
			err := d.Run(ctx, store.Emit)
			if ctx.Err() != nil {
				result <- err
				return
			}
			t.Logf("driver starts again: %v", err)
			time.Sleep(50 * time.Millisecond) // the lane's pause
		}
	}()
	return func() {
		t.Helper()
		cancel()
		require.NoError(t, <-result)
	}
}

func captures(rs []event.Reading) []event.Reading {
	return slices.DeleteFunc(slices.Clone(rs), func(r event.Reading) bool { return r.Kind != event.CameraCapture })
}

func waitCaptures(t *testing.T, s *drivertest.Store, n int) []event.Reading {
	t.Helper()
	s.Wait(t, fmt.Sprint(n, " captures"), func(rs []event.Reading) bool { return len(captures(rs)) >= n })
	return captures(s.Readings())
}

func TestCaptureWithItsPicture(t *testing.T) {
	d := newDevice(t, natsBroker(t, ""))
	evidence := &drivertest.Evidence{}
	store, stop := run(t, d.Driver(drivertest.Env(evidence)))
	sent := d.Measure(1)
	// And with the picture first.
	d.send("image/ev-2", photo(2))
	d.send("capture", about("ev-2", photo(2)))
	got := waitCaptures(t, store, 2)
	stop()
	r := got[0]
	require.Equal(t, event.Good, r.Quality, r.Note)
	require.Equal(t, "ev-1", r.Key)
	require.Equal(t, sent, r.Frames)
	require.Equal(t, "front", r.Capture.View)
	require.True(t, r.Capture.Final)
	require.Equal(t, "image/jpeg", r.Capture.Image.MediaType)
	require.Equal(t, "plate-photo", r.Capture.Image.Role)
	require.True(t, r.DeviceTime.Equal(time.Date(2026, 3, 2, 1, 30, 0, 0, time.UTC)))
	blob, ok := evidence.Get(r.Capture.Image.SHA256)
	require.True(t, ok)
	require.Equal(t, photo(1), blob)
	require.Equal(t, "ev-2", got[1].Key)
	require.Equal(t, event.Good, got[1].Quality, got[1].Note)
}

func TestPictureMissingLateAndWrong(t *testing.T) {
	d := newDevice(t, natsBroker(t, ""))
	store, stop := run(t, d.Driver(drivertest.Env(&drivertest.Evidence{})))
	d.send("capture", about("late", photo(1)))
	r := waitCaptures(t, store, 1)[0]
	require.Equal(t, "late", r.Key)
	require.Equal(t, event.Suspect, r.Quality)
	require.Nil(t, r.Capture.Image)
	d.send("image/late", photo(1))
	r = waitCaptures(t, store, 2)[1]
	require.Equal(t, "late/image", r.Key)
	require.Equal(t, "late", r.Capture.EventID)
	require.NotNil(t, r.Capture.Image)

	d.send("capture", about("wrong", photo(2)))
	d.send("image/wrong", photo(3))
	r = waitCaptures(t, store, 3)[2]
	require.Equal(t, event.Bad, r.Quality)
	require.Contains(t, r.Note, "SHA-256")
	require.Equal(t, event.Digest(photo(3)), r.Capture.Image.SHA256)

	d.send("image/lone", []byte("no picture at all"))
	r = waitCaptures(t, store, 4)[3]
	require.Equal(t, "lone/image", r.Key)
	require.Equal(t, "application/octet-stream", r.Capture.Image.MediaType)
	d.send("capture", about("lone", []byte("no picture at all")))
	r = waitCaptures(t, store, 5)[4]
	require.Equal(t, "lone", r.Key)
	require.Equal(t, event.Digest([]byte("no picture at all")), r.Capture.Image.SHA256)

	other := append([]byte("\x89PNG\r\n\x1a\n"), photo(4)...)
	d.send("capture", about("other", other)) // says JPEG
	d.send("image/other", other)
	r = waitCaptures(t, store, 6)[5]
	require.Equal(t, event.Suspect, r.Quality)
	require.Contains(t, r.Note, "image/png")
	require.Equal(t, "image/png", r.Capture.Image.MediaType)
	stop()
}

// part is the message about one picture of several.
func part(id string, picture []byte, final bool) []byte {
	return bytes.Replace(about(id, picture), []byte(`"final":true`), fmt.Appendf(nil, `"final":%t`, final), 1)
}

// Several pictures of one trigger each go with the message that names them, in
// whatever order they come.
func TestBurst(t *testing.T) {
	pictures := [][]byte{photo(1), photo(2), photo(3)}
	for name, order := range map[string]string{
		"pairs": "m0 p0 m1 p1 m2 p2", "pictures first": "p0 m0 p1 m1 p2 m2",
		"messages, then pictures": "m0 m1 m2 p0 p1 p2", "pictures, then messages": "p0 p1 p2 m2 m1 m0", "mixed": "m0 p1 m2 p0 m1 p2",
		"last message overtakes": "m0 p0 p1 m2 m1 p2", "last picture overtakes": "m0 p0 m2 p1 m1 p2",
	} {
		t.Run(name, func(t *testing.T) {
			d := newDevice(t, natsBroker(t, ""), func(c *camera.Config) { c.ImageWait = time.Minute })
			store, stop := run(t, d.Driver(drivertest.Env(&drivertest.Evidence{})))
			for step := range strings.FieldsSeq(order) {
				n := int(step[1] - '0')
				if step[0] == 'm' {
					d.send("capture", part("t1", pictures[n], n == 2))
				} else {
					d.send("image/t1", pictures[n])
				}
			}
			got := waitCaptures(t, store, 3)
			stop()
			keys, images := map[string]bool{}, map[string]bool{}
			for _, r := range got {
				require.Equal(t, event.Good, r.Quality, r.Note)
				require.Equal(t, "t1", r.Capture.EventID)
				require.Len(t, r.Frames, 2)
				require.Equal(t, r.Frames[1], r.Capture.Image.SHA256)
				keys[r.Key], images[r.Capture.Image.SHA256] = true, true
			}
			require.Len(t, keys, 3, "none is taken for another's repetition")
			require.Contains(t, keys, "t1", "the last one's")
			require.Len(t, images, 3)
		})
	}
}

// A picture of a burst that was damaged on its way is said to be no match, and
// harms no other.
func TestBurstWithADamagedPicture(t *testing.T) {
	d := newDevice(t, natsBroker(t, ""))
	store, stop := run(t, d.Driver(drivertest.Env(&drivertest.Evidence{})))
	d.send("capture", part("t1", photo(1), false))
	d.send("image/t1", photo(9))
	d.send("capture", part("t1", photo(2), true))
	d.send("image/t1", photo(2))
	got := waitCaptures(t, store, 2)
	stop()
	slices.SortFunc(got, func(a, b event.Reading) int { return strings.Compare(string(a.Quality), string(b.Quality)) })
	require.Equal(t, event.Bad, got[0].Quality)
	require.Equal(t, event.Digest(photo(9)), got[0].Capture.Image.SHA256)
	require.Equal(t, event.Good, got[1].Quality, got[1].Note)
	require.Equal(t, event.Digest(photo(2)), got[1].Capture.Image.SHA256)
}

func TestOverLimitLeavesATraceOnly(t *testing.T) {
	d := newDevice(t, natsBroker(t, ""), func(c *camera.Config) { c.ImageLimit = 5000 })
	evidence := &drivertest.Evidence{}
	store, stop := run(t, d.Driver(drivertest.Env(evidence)))
	huge := append(photo(1), make([]byte, 5000)...)
	digest := d.send("image/huge", huge)
	store.WaitFrames(t, digest)
	stop()
	r := store.Readings()[0]
	require.Equal(t, event.FrameInvalid, r.Kind)
	require.Contains(t, r.Note, "more than the limit of 5000")
	require.Nil(t, r.Raw)
	_, stored := evidence.Get(digest)
	require.False(t, stored)
}

func TestDuplicates(t *testing.T) {
	for name, start := range map[string]func(*testing.T) *broker{
		"nats": func(t *testing.T) *broker { return natsBroker(t, "") }, "mosquitto": mosquittoBroker,
	} {
		t.Run(name, func(t *testing.T) {
			d := newDevice(t, start(t))
			drv := d.Driver(drivertest.Env(&drivertest.Evidence{}))
			store, stop := run(t, drv)
			sent := d.Measure(1)
			d.Measure(1) // the camera sends all of it once more
			store.Wait(t, "four frames", func(rs []event.Reading) bool {
				n := 0
				for _, r := range rs {
					n += len(r.Frames)
				}
				return n >= 4
			})
			stop()
			require.Len(t, captures(store.Readings()), 1)
			require.Equal(t, map[string]int{sent[0]: 2, sent[1]: 2}, store.Frames())

			// All was acknowledged: nothing comes again to the session. The broker
			// must have read the driver's last words before another one takes over;
			// answering the camera is a round of its loop.
			d.send("nothing", nil)
			d.send("nothing", nil)
			again := make(chan string, 10)
			heir := d.client(t, d.config.ClientID, false, func(_ mqtt.Client, m mqtt.Message) {
				again <- fmt.Sprint(m.Topic(), " dup=", m.Duplicate(), " id=", m.MessageID())
			})
			d.send("capture", []byte("marker"))
			require.Equal(t, topic+"/capture dup=false", strings.Join(strings.Fields(<-again)[:2], " "))
			require.Empty(t, again)
			heir.Disconnect(100)
		})
	}
}

// While the store is slow the broker's patience ends and it delivers again.
func TestRedeliveryWhileTheStoreIsSlow(t *testing.T) {
	d := newDevice(t, natsBroker(t, ""))
	drv := d.Driver(drivertest.Env(&drivertest.Evidence{}))
	store, stop := run(t, drv)
	release := store.Hold()
	sent := d.Measure(1)
	store.WaitBlocked(t)
	// Redeliveries pile up behind the slow store, more than one.
	time.Sleep(1200 * time.Millisecond) // the broker's time for two of them; nothing is asserted of it
	release()
	store.WaitFrames(t, sent...)
	sent = append(sent, d.Measure(2)...)
	store.WaitFrames(t, sent...)
	stop()
	for _, s := range sent {
		require.Equal(t, 1, store.Frames()[s])
	}
	require.Len(t, captures(store.Readings()), 2)
}

// A message that was stored, but whose acknowledgement was lost with the
// connection, is acknowledged the next time and not counted again.
func TestAcknowledgementLostWithTheConnection(t *testing.T) {
	for name, start := range map[string]func(*testing.T) *broker{
		"nats": func(t *testing.T) *broker { return natsBroker(t, "") }, "mosquitto": mosquittoBroker,
	} {
		t.Run(name, func(t *testing.T) {
			d := newDevice(t, start(t))
			drv := d.Driver(drivertest.Env(&drivertest.Evidence{}))
			store := drivertest.NewStore()
			release := store.Hold()
			defer release()
			result := make(chan error, 1)
			go func() { result <- drv.Run(t.Context(), store.Emit) }()
			sent := d.Measure(1)
			store.WaitBlocked(t)
			// Somebody with the same client id pushes the driver out.
			thief := d.client(t, d.config.ClientID, false, func(mqtt.Client, mqtt.Message) {})
			release()
			require.ErrorIs(t, <-result, camera.ErrLost)
			thief.Disconnect(100)
			require.Equal(t, map[string]int{sent[0]: 1, sent[1]: 1}, store.Frames())

			stop := runInto(t, drv, store)
			sent = append(sent, d.Measure(2)...)
			store.WaitFrames(t, sent...)
			// The broker's time to deliver again; too short a time hides nothing
			// but would let a fault pass.
			time.Sleep(time.Second)
			stop()
			for _, digest := range sent {
				require.Equal(t, 1, store.Frames()[digest])
			}
		})
	}
}

func TestStateOfTheCamera(t *testing.T) {
	b := natsBroker(t, "")
	d := newDevice(t, b, func(c *camera.Config) { c.ClientID = "fresh" })
	d.config.ClientID = "never-seen" // so the subscription is the driver's own
	d.send("$state", []byte("online"), true)
	store, stop := run(t, d.Driver(drivertest.Env(&drivertest.Evidence{})))
	reports := func() (out []string) {
		for _, r := range store.Readings() {
			if r.Report != nil {
				out = append(out, fmt.Sprint(r.Report.State, " ", r.Report.Code, " ", r.Class))
			}
		}
		return out
	}
	await := func(n int) {
		store.Wait(t, fmt.Sprint(n, " reports"), func(rs []event.Reading) bool { return len(rs) >= n })
	}
	await(1)
	d.send("$state", []byte("online"), true)
	await(2)
	d.send("$state", []byte("offline"), true)
	await(3)
	d.Measure(1) // it was not away after all
	await(5)
	d.send("$state", []byte("\x00"), true)
	await(6)
	stop()
	require.Equal(t, []string{
		"up online active", "up online idle", "down offline active", "up capture active", "degraded ? active",
	}, reports())
}

func TestErrorsNameWhatToDo(t *testing.T) {
	requireHint := func(err, kind error) {
		t.Helper()
		require.ErrorIs(t, err, kind)
		var h *driver.Hint
		require.ErrorAs(t, err, &h)
		require.NotEmpty(t, h.Try.VI)
		require.NotEmpty(t, h.Try.EN)
	}
	b := natsBroker(t, "a long password")
	c := camera.Defaults()
	c.Broker, c.ClientID, c.Topic, c.Username = b.url, "x", topic, "gate"
	file := filepath.Join(t.TempDir(), "password")
	c.PasswordFile = file
	try := func() error {
		return camera.New(c, drivertest.Env(nil)).Run(t.Context(), drivertest.NewStore().Emit)
	}
	requireHint(try(), camera.ErrPassword)
	require.NoError(t, os.WriteFile(file, []byte("guess\n"), 0o600))
	requireHint(try(), camera.ErrSignIn)
	require.NoError(t, os.Chmod(file, 0o644))
	err := try()
	requireHint(err, camera.ErrPassword)
	require.NotContains(t, err.Error(), "guess")
	require.NoError(t, os.Chmod(file, 0o600))
	require.NoError(t, os.WriteFile(file, []byte("a long password\n"), 0o600))
	text, err := camera.New(c, drivertest.Env(nil)).Probe(t.Context())
	require.NoError(t, err)
	require.Contains(t, text, b.url)
	b.stop()
	requireHint(try(), camera.ErrBroker)
}

func TestTheGatesOwnBroker(t *testing.T) {
	b := natsBroker(t, "a long password")
	env := drivertest.Env(&drivertest.Evidence{})
	c := camera.Defaults()
	c.ClientID, c.Topic = "gatehouse-camera", topic
	err := camera.New(c, env).Run(t.Context(), drivertest.NewStore().Emit)
	require.ErrorIs(t, err, camera.ErrBroker)
	require.ErrorContains(t, err, "no broker is set")
	env.Broker = &driver.Broker{URL: b.url, User: "gate", Password: func() string { return "a long password" }}
	text, err := camera.New(c, env).Probe(t.Context())
	require.NoError(t, err)
	require.Contains(t, text, b.url)
}

func TestEvidenceStoreFails(t *testing.T) {
	d := newDevice(t, natsBroker(t, ""))
	evidence := &drivertest.Evidence{}
	full := errors.New("disk full")
	evidence.Fail(full)
	store := drivertest.NewStore()
	sent := d.Measure(1)
	err := d.Driver(drivertest.Env(evidence)).Run(t.Context(), store.Emit)
	require.ErrorIs(t, err, full)
	require.ErrorIs(t, err, driver.ErrStore)
	evidence.Fail(nil)
	store, stop := run(t, d.Driver(drivertest.Env(evidence)))
	store.WaitFrames(t, sent...)
	stop()
	require.Len(t, captures(store.Readings()), 1)
}

// step is a line of a case's capture.jsonl.
type step struct {
	Topic    string `json:"topic"`
	Payload  any    `json:"payload"`  // text, or an object sent as JSON
	Ignored  bool   `json:"ignored"`  // leads to no reading
	Retained bool   `json:"retained"` // published so
}

func TestCases(t *testing.T) {
	drivertest.Cases(t, func(t *testing.T, dir string) {
		b := natsBroker(t, "")
		text, err := os.ReadFile(filepath.Join(dir, "config.yaml"))
		require.NoError(t, err)
		c := camera.Defaults()
		require.NoError(t, drivertest.Decode(text)(&c))
		c.Broker = b.url
		capture, err := os.ReadFile(filepath.Join(dir, "capture.jsonl"))
		require.NoError(t, err)
		env := drivertest.Env(&drivertest.Evidence{})
		env.Now = drivertest.Clock
		// The first start makes the session; what follows is kept for it.
		sender := b.client(t, "sender", true, nil)
		wait(t, sender.Publish(c.Topic+"/$state", 1, true, "online"))
		wait(t, sender.Publish(c.Topic+"/available", 1, true, "online"))
		store, stop := run(t, camera.New(c, env))
		store.Wait(t, "the state", func(rs []event.Reading) bool { return len(rs) == 1 })
		frames := 1
		for line := range bytes.Lines(capture) {
			var s step
			require.NoError(t, json.Unmarshal(line, &s))
			payload, ok := s.Payload.(string)
			if !ok {
				b, err := json.Marshal(s.Payload)
				require.NoError(t, err)
				payload = string(b)
			}
			wait(t, sender.Publish(s.Topic, 1, s.Retained, payload))
			if !s.Ignored {
				frames++
			}
		}
		store.Wait(t, "all frames", func(rs []event.Reading) bool {
			n := 0
			for _, r := range rs {
				n += len(r.Frames)
			}
			return n >= frames
		})
		stop()
		rs := store.Readings()
		// Subscriptions are queues of their own: their order among each other is
		// the broker's.
		slices.SortStableFunc(rs, func(a, b event.Reading) int {
			return strings.Compare(string(a.Kind)+a.Key, string(b.Kind)+b.Key)
		})
		drivertest.Golden(t, dir, rs)
	})
}

func TestExampleIsTheDefaults(t *testing.T) {
	kind := camera.Kind()
	var c camera.Config
	require.NoError(t, drivertest.Decode(kind.Example)(&c))
	want := camera.Defaults()
	want.Broker, want.ClientID, want.Topic = "tcp://127.0.0.1:1883", "gatehouse-camera", topic
	require.Equal(t, want, c)
	_, err := kind.New(drivertest.Decode(kind.Example), drivertest.Env(nil))
	require.NoError(t, err)
}

func TestSettingsAreChecked(t *testing.T) {
	good := "broker: tcp://127.0.0.1:1883\nclient_id: a\ntopic: a/b\n"
	_, err := camera.Kind().New(drivertest.Decode([]byte(good)), drivertest.Env(nil))
	require.NoError(t, err)
	for _, text := range []string{
		"broker: nowhere\nclient_id: a\ntopic: a/b\n", "broker: tcp://x:1\ntopic: a/b\n", "broker: tcp://x:1\nclient_id: a\n",
		good + "format: hikvision\n", good + "cameras: {a: above}\n", good + "labels: []\n", good + "image_limit: 5\n",
		good + "password: secret\n", "broker: tcp://x:1\nclient_id: a\ntopic: a/#\n",
	} {
		_, err := camera.Kind().New(drivertest.Decode([]byte(text)), drivertest.Env(nil))
		require.Error(t, err, text)
	}
}
