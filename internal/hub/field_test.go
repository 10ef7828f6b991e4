package hub_test

import (
	"bytes"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"
	"pgregory.net/rapid"

	"gatehouse/internal/hub"
)

func newField(t *testing.T, dir string) *hub.Field {
	t.Helper()
	f, err := hub.StartField(t.Context(), hub.FieldOptions{
		Name: "field", Listen: "127.0.0.1:0", StoreDir: dir,
		Cameras: []hub.Camera{
			{User: "cam-01", PasswordHash: hash(t, "one"), Topics: []string{"gatehouse/15BB/01/camera/#"}},
			{User: "cam-02", PasswordHash: hash(t, "two"), Topics: []string{"gatehouse/15BB/02/camera/#"}},
		},
	})
	require.NoError(t, err)
	return f
}

// hash is of the least cost, so that the tests do not wait for it.
func hash(t *testing.T, password string) string {
	t.Helper()
	h, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	require.NoError(t, err)
	return string(h)
}

// client connects; clean false keeps a session.
func dial(t *testing.T, url, id, user, password string, clean bool, got chan<- mqtt.Message) (mqtt.Client, error) {
	t.Helper()
	o := mqtt.NewClientOptions().AddBroker(url).SetClientID(id).SetUsername(user).SetPassword(password).
		SetCleanSession(clean).SetAutoReconnect(false).SetConnectRetry(false).SetProtocolVersion(4)
	if got != nil {
		o.SetDefaultPublishHandler(func(_ mqtt.Client, m mqtt.Message) { got <- m })
	}
	c := mqtt.NewClient(o)
	token := c.Connect()
	require.True(t, token.WaitTimeout(20*time.Second), "connect hangs")
	if token.Error() == nil {
		t.Cleanup(func() { c.Disconnect(50) })
	}
	return c, token.Error()
}

func camera(t *testing.T, f *hub.Field, user, password string) mqtt.Client {
	t.Helper()
	c, err := dial(t, f.URL(), user, user, password, true, nil)
	require.NoError(t, err)
	return c
}

func driver(t *testing.T, f *hub.Field, got chan<- mqtt.Message) mqtt.Client {
	t.Helper()
	url, user, password := f.Login()
	c, err := dial(t, url, user+"-15BB-01-camera", user, password, false, got)
	require.NoError(t, err)
	return c
}

func wait(t *testing.T, token mqtt.Token) {
	t.Helper()
	require.True(t, token.WaitTimeout(20*time.Second))
	require.NoError(t, token.Error())
}

func publish(t *testing.T, c mqtt.Client, topic, text string) {
	t.Helper()
	wait(t, c.Publish(topic, 1, false, text))
}

func next(t *testing.T, got <-chan mqtt.Message) mqtt.Message {
	t.Helper()
	select {
	case m := <-got:
		return m
	case <-time.After(20 * time.Second):
		require.Fail(t, "no message")
		return nil
	}
}

func TestADriverGetsWhatWasPublishedWhileItWasAway(t *testing.T) {
	dir := t.TempDir()
	f := newField(t, dir)
	got := make(chan mqtt.Message, 10)
	d := driver(t, f, got)
	wait(t, d.Subscribe("gatehouse/15BB/01/camera/#", 1, nil))
	cam := camera(t, f, "cam-01", "one")
	publish(t, cam, "gatehouse/15BB/01/camera/capture", "first")
	require.Equal(t, "first", string(next(t, got).Payload()))

	d.Disconnect(50)
	publish(t, cam, "gatehouse/15BB/01/camera/capture", "away")
	d = driver(t, f, got)
	require.Equal(t, "away", string(next(t, got).Payload()))

	// And over a restart of the server, with its new password for drivers.
	d.Disconnect(50)
	publish(t, cam, "gatehouse/15BB/01/camera/capture", "restart")
	cam.Disconnect(50)
	f.Close()
	f = newField(t, dir)
	defer f.Close()
	driver(t, f, got)
	m := next(t, got)
	require.Equal(t, "restart", string(m.Payload()))
	require.Equal(t, "gatehouse/15BB/01/camera/capture", m.Topic())
}

func TestAnImageOfSevenMegabytesPasses(t *testing.T) {
	f := newField(t, t.TempDir())
	defer f.Close()
	got := make(chan mqtt.Message, 1)
	wait(t, driver(t, f, got).Subscribe("gatehouse/15BB/01/camera/#", 1, nil))
	image := bytes.Repeat([]byte{0xA5}, 7<<20)
	wait(t, camera(t, f, "cam-01", "one").Publish("gatehouse/15BB/01/camera/capture", 1, false, image))
	require.Equal(t, image, next(t, got).Payload())
}

func TestACameraPublishesToItsOwnTopicsOnly(t *testing.T) {
	f := newField(t, t.TempDir())
	defer f.Close()
	got := make(chan mqtt.Message, 10)
	d := driver(t, f, got)
	wait(t, d.Subscribe("gatehouse/15BB/02/camera/#", 1, nil))
	wait(t, d.Subscribe("gatehouse/15BB/01/camera/#", 1, nil))
	cam := camera(t, f, "cam-01", "one")
	for _, topic := range []string{"gatehouse/15BB/02/camera/capture", "gatehouse/15BB/01", "gatehouse/15BB/01/other"} {
		for _, qos := range []byte{0, 1, 2} {
			// The server acknowledges and drops what is not allowed.
			cam.Publish(topic, qos, true, "forged").WaitTimeout(2 * time.Second)
		}
		if !cam.IsConnectionOpen() {
			cam = camera(t, f, "cam-01", "one")
		}
	}
	publish(t, cam, "gatehouse/15BB/01/camera/capture", "own")
	publish(t, camera(t, f, "cam-02", "two"), "gatehouse/15BB/02/camera/capture", "other")
	first, second := string(next(t, got).Payload()), string(next(t, got).Payload())
	for first == "forged" && second == "forged" {
		require.Fail(t, "another's topic was reached")
	}
	require.ElementsMatch(t, []string{"own", "other"}, []string{first, second})

	// Nothing forged was retained for later subscribers either.
	late := make(chan mqtt.Message, 10)
	url, user, password := f.Login()
	l, err := dial(t, url, user+"-late", user, password, true, late)
	require.NoError(t, err)
	wait(t, l.Subscribe("gatehouse/15BB/02/camera/#", 1, nil))
	publish(t, camera(t, f, "cam-02", "two"), "gatehouse/15BB/02/camera/capture", "after")
	require.Equal(t, "after", string(next(t, late).Payload()))
}

func TestACameraHearsNothing(t *testing.T) {
	f := newField(t, t.TempDir())
	defer f.Close()
	got := make(chan mqtt.Message, 10)
	spy, err := dial(t, f.URL(), "cam-01", "cam-01", "one", true, got)
	require.NoError(t, err)
	for _, filter := range []string{"#", "gatehouse/#", "gatehouse/15BB/02/camera/#", "gatehouse/15BB/01/camera/#", "$MQTT/#", "$MQTT/msgs/#", "$JS/#", "$SYS/#", "_INBOX/#"} {
		for _, qos := range []byte{0, 1} {
			token := spy.Subscribe(filter, qos, nil)
			require.True(t, token.WaitTimeout(20*time.Second))
			granted, _ := token.(*mqtt.SubscribeToken)
			require.EqualValues(t, 0x80, granted.Result()[filter], "subscription to %s is refused", filter)
		}
	}
	heard := make(chan mqtt.Message, 1)
	wait(t, driver(t, f, heard).Subscribe("gatehouse/15BB/02/camera/#", 1, nil))
	publish(t, camera(t, f, "cam-02", "two"), "gatehouse/15BB/02/camera/capture", "private")
	next(t, heard)
	require.Empty(t, got)
}

func TestTheDoorOfTheFieldServer(t *testing.T) {
	f := newField(t, t.TempDir())
	defer f.Close()
	_, user, password := f.Login()
	for name, c := range map[string]struct {
		id, user, password string
		ok                 bool
	}{
		"camera":                        {"cam-01", "cam-01", "one", true},
		"wrong password":                {"cam-01", "cam-01", "two", false},
		"no password":                   {"cam-01", "cam-01", "", false},
		"no user":                       {"cam-01", "", "", false},
		"unknown user":                  {"cam-03", "cam-03", "one", false},
		"another camera's client id":    {"cam-02", "cam-01", "one", false},
		"the driver's client id":        {"gatehouse-15BB-01-camera", "cam-01", "one", false},
		"driver":                        {"gatehouse-x", user, password, true},
		"driver with another client id": {"cam-01", user, password, false},
		"driver with a camera's":        {"gatehouse-x", user, "one", false},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := dial(t, f.URL(), c.id, c.user, c.password, true, nil)
			if c.ok {
				require.NoError(t, err)
			} else {
				require.Error(t, err)
			}
		})
	}
}

func TestFieldOptionsAreCheckedAllAtOnce(t *testing.T) {
	_, err := hub.StartField(t.Context(), hub.FieldOptions{
		Name: "field", Listen: "localhost",
		Cameras: []hub.Camera{
			{User: "gatehouse", PasswordHash: "secret", Topics: []string{"a.b/c"}},
			{User: "cam", PasswordHash: hash(t, "x")},
			{User: "cam2", PasswordHash: hash(t, "x"), Topics: []string{"#", "+/#", "$JS/x", "a//b", "a/+b", "$MQTT/#"}},
		},
	})
	for _, want := range []string{
		`field MQTT listen address "localhost": want host:port`, "field server store folder is not set",
		`MQTT user "gatehouse" is there twice or belongs to the gate itself`, "not a bcrypt hash",
		`topic "a.b/c"`, `"cam" may publish to no topic`, `topic "#"`, `topic "+/#"`, `topic "$JS/x"`, `topic "a//b"`, `topic "a/+b"`,
	} {
		require.ErrorContains(t, err, want)
	}
	require.NotContains(t, err.Error(), "secret")
}

func TestTopicsNeverReachTheServersOwnSubjects(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		topic := rapid.StringOfN(rapid.SampledFrom([]rune("ab/+#.$*> JSMQT")), 1, 12, -1).Draw(t, "topic")
		err := hub.FieldOptions{
			Name: "field", Listen: "127.0.0.1:0", StoreDir: "x",
			Cameras: []hub.Camera{{User: "cam", PasswordHash: "$2a$04$JhMl5TwzFLrJxdmDuUPcLOQpG2pYWVbaBaPs2RSp6m9Yw5UTkYVAO", Topics: []string{topic}}},
		}.Validate()
		if err == nil {
			require.NotContains(t, topic, ".")
			require.NotEqual(t, byte('$'), topic[0])
			require.NotContains(t, "#+", topic[:1])
		}
	})
}
