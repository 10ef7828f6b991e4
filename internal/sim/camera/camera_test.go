package camera_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/eclipse/paho.mqtt.golang/packets"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gatehouse/internal/sim/book"
	"gatehouse/internal/sim/camera"
	"gatehouse/internal/sim/fault"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const topic = "gatehouse/15BB/01/camera"

// broker is a real MQTT server on a port of its own.
func broker(t *testing.T, dir string, port int) *server.Server {
	t.Helper()
	s, err := server.NewServer(&server.Options{
		ServerName: "test", DontListen: true, JetStream: true, StoreDir: dir, NoSigs: true, NoLog: true, MaxPayload: 4 << 20,
		MQTT: server.MQTTOpts{Host: "127.0.0.1", Port: port},
	})
	require.NoError(t, err)
	s.Start()
	require.True(t, s.ReadyForConnections(20*time.Second))
	return s
}

func stop(s *server.Server) {
	s.Shutdown()
	s.WaitForShutdown()
}

func address(t *testing.T, s *server.Server) (url string, port int) {
	t.Helper()
	// The listener's address is only in the options when port 0 was asked for.
	var v *server.Varz
	require.Eventually(t, func() bool {
		var err error
		v, err = s.Varz(nil)
		return err == nil && v.MQTT.Port > 0
	}, 10*time.Second, time.Millisecond)
	return fmt.Sprintf("tcp://127.0.0.1:%d", v.MQTT.Port), v.MQTT.Port
}

type notes struct {
	mu      sync.Mutex
	sent    []string
	unheard []string
}

func digest(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

func (n *notes) Sent(_, _ string, frame []byte, _ string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.sent = append(n.sent, digest(frame))
}

func (n *notes) Unheard(_, _ string, _ []byte, _, reason string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.unheard = append(n.unheard, reason)
}

func (n *notes) list() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]string(nil), n.sent...)
}

func (n *notes) reasons() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]string(nil), n.unheard...)
}

type bench struct {
	*camera.Camera
	notes *notes
	board *fault.Board
	got   chan mqtt.Message // what a listener received, in order
}

func start(t *testing.T, url string) *bench {
	t.Helper()
	b := &bench{notes: &notes{}, board: fault.NewBoard(nil), got: make(chan mqtt.Message, 256)}
	listener := mqtt.NewClient(mqtt.NewClientOptions().AddBroker(url).SetClientID("listener").SetAutoReconnect(false).SetCleanSession(true))
	require.True(t, listener.Connect().WaitTimeout(20*time.Second))
	// The camera comes once the listener hears: a retained message that is
	// published while a subscription is being made reaches neither path.
	token := listener.Subscribe(topic+"/#", 1, func(_ mqtt.Client, m mqtt.Message) { b.got <- m })
	require.True(t, token.WaitTimeout(20*time.Second))
	require.NoError(t, token.Error())
	b.Camera = camera.New(camera.Settings{Broker: url, ClientID: "camera", Topic: topic, Queue: 3}, b.board, b.notes, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-done)
		listener.Disconnect(100)
		b.board.Close()
	})
	return b
}

// next is the next message on a topic with that ending.
func (b *bench) next(t *testing.T, part string) mqtt.Message {
	t.Helper()
	for late := time.After(30 * time.Second); ; {
		select {
		case m := <-b.got:
			if strings.Contains(m.Topic(), part) {
				return m
			}
		case <-late:
			require.FailNow(t, "nothing came on "+part)
		}
	}
}

func (b *bench) online(t *testing.T) {
	t.Helper()
	require.Equal(t, "online", string(b.next(t, "$state").Payload()))
}

func (b *bench) sentAll(t *testing.T) {
	t.Helper()
	require.Eventually(t, func() bool { return b.Waiting() == 0 }, 30*time.Second, time.Millisecond)
}

func TestCapture(t *testing.T) {
	s := broker(t, t.TempDir(), -1)
	t.Cleanup(func() { stop(s) })
	url, _ := address(t, s)
	b := start(t, url)
	b.online(t)
	picture := []byte("\xff\xd8 a picture")
	taken, err := b.Capture(1, "sim-000001", "front", picture)
	require.NoError(t, err)
	first, second := b.next(t, "/camera/"), b.next(t, "/camera/")
	require.Equal(t, topic+"/capture", first.Topic())
	require.Equal(t, topic+"/image/"+taken.EventID, second.Topic())
	require.False(t, first.Retained())
	require.EqualValues(t, 1, first.Qos())
	require.Equal(t, picture, second.Payload())
	var m camera.Message
	require.NoError(t, json.Unmarshal(first.Payload(), &m))
	require.Equal(t, taken.EventID, m.EventID)
	require.Equal(t, camera.ImageRef{SHA256: digest(picture), Bytes: len(picture), MediaType: "image/jpeg"}, m.Image)
	require.True(t, m.Final)
	require.Equal(t, "front", m.View)
	require.WithinDuration(t, time.Now(), m.Time, time.Minute)
	b.sentAll(t)
	require.Eventually(t, func() bool { return len(b.notes.list()) == 2 }, 10*time.Second, time.Millisecond)
	require.Equal(t, []string{digest(first.Payload()), digest(second.Payload())}, b.notes.list())
}

func TestFaults(t *testing.T) {
	s := broker(t, t.TempDir(), -1)
	t.Cleanup(func() { stop(s) })
	url, _ := address(t, s)
	b := start(t, url)
	b.online(t)
	capture := func(t *testing.T, name string, want int) []mqtt.Message {
		t.Helper()
		_, err := b.board.Set(fault.Order{Name: name, Device: "camera"})
		require.NoError(t, err)
		defer b.board.Clear(name, "")
		before := len(b.notes.list())
		taken, err := b.Capture(1, "sim-000001", "front", []byte("\xff\xd8 a picture for "+name))
		require.NoError(t, err)
		require.Equal(t, []string{name}, taken.Faults)
		var all []mqtt.Message
		for range want {
			all = append(all, b.next(t, "/camera/"))
		}
		b.sentAll(t)
		frames := 0
		for _, m := range all {
			if !strings.HasSuffix(m.Topic(), "$state") {
				frames++
			}
		}
		require.Eventually(t, func() bool { return len(b.notes.list()) == before+frames }, 10*time.Second, time.Millisecond)
		return all
	}
	ends := func(m mqtt.Message) string { return strings.Split(strings.TrimPrefix(m.Topic(), topic+"/"), "/")[0] }

	all := capture(t, "image-missing", 1)
	require.Equal(t, "capture", ends(all[0]))
	all = capture(t, "duplicate", 4)
	require.Equal(t, all[0].Payload(), all[2].Payload())
	require.Equal(t, all[1].Payload(), all[3].Payload())
	all = capture(t, "out-of-order", 2)
	require.Equal(t, []string{"image", "capture"}, []string{ends(all[0]), ends(all[1])})
	all = capture(t, "image-empty", 2)
	require.Empty(t, all[1].Payload())
	all = capture(t, "will-while-working", 3)
	require.Equal(t, "offline", string(all[2].Payload()))
	for name, skew := range map[string]time.Duration{"clock-ahead": 10 * time.Minute, "clock-behind": -10 * time.Minute} {
		all = capture(t, name, 2)
		var m camera.Message
		require.NoError(t, json.Unmarshal(all[0].Payload(), &m))
		require.WithinDuration(t, time.Now().Add(skew), m.Time, time.Minute)
	}
}

func TestUnpluggedCameraQueuesAndSendsInOrder(t *testing.T) {
	s := broker(t, t.TempDir(), -1)
	t.Cleanup(func() { stop(s) })
	url, _ := address(t, s)
	b := start(t, url)
	b.online(t)
	_, err := b.board.Set(fault.Order{Name: "broker-away", For: time.Hour})
	require.NoError(t, err)
	require.Equal(t, "offline", string(b.next(t, "$state").Payload()), "the will, since nobody said goodbye")
	require.Eventually(t, func() bool { return !b.Online() }, 30*time.Second, time.Millisecond)
	for i := range 5 { // the queue keeps three
		_, err := b.Capture(i+1, fmt.Sprintf("sim-%06d", i+1), "front", []byte{byte(i)})
		require.NoError(t, err)
	}
	require.Equal(t, 6, b.Waiting())
	require.Equal(t, []string{"queue-full", "queue-full", "queue-full", "queue-full"}, b.notes.unheard)
	require.Empty(t, b.notes.list())
	b.board.Clear("broker-away", "")
	for i := range 3 {
		b.next(t, "/capture")
		require.Equal(t, []byte{byte(i + 2)}, b.next(t, "/image/").Payload())
	}
	b.sentAll(t)
}

// deaf is a broker that takes messages and acknowledges none.
func deaf(t *testing.T) (url string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var all sync.WaitGroup
	t.Cleanup(func() { require.NoError(t, l.Close()); all.Wait() })
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer c.Close()
				for {
					p, err := packets.ReadPacket(c)
					if err != nil {
						return
					}
					if _, ok := p.(*packets.ConnectPacket); ok && packets.NewControlPacket(packets.Connack).Write(c) != nil {
						return
					}
				}
			})
		}
	})
	return "tcp://" + l.Addr().String()
}

func TestAMessageThatIsNotAcknowledgedIsBookedAsSuch(t *testing.T) {
	url := deaf(t)
	n := &notes{}
	board := fault.NewBoard(nil)
	t.Cleanup(board.Close)
	c := camera.New(camera.Settings{Broker: url, ClientID: "camera", Topic: topic, Queue: 3}, board, n, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-done)
	})
	_, err := c.Capture(1, "sim-000001", "front", []byte("a picture"))
	require.NoError(t, err)
	require.Eventually(t, func() bool { return slices.Contains(n.reasons(), book.Unanswered) }, 30*time.Second, 10*time.Millisecond)
	require.Empty(t, n.list(), "nothing counts as sent")
	require.Equal(t, 2, c.Waiting(), "it is sent again")
}

func TestBrokerRestart(t *testing.T) {
	dir := t.TempDir()
	s := broker(t, dir, -1)
	url, port := address(t, s)
	b := start(t, url)
	b.online(t)
	stop(s)
	require.Eventually(t, func() bool { return !b.Online() }, 30*time.Second, time.Millisecond)
	_, err := b.Capture(1, "sim-000001", "front", []byte("while away"))
	require.NoError(t, err)
	s = broker(t, dir, port)
	t.Cleanup(func() { stop(s) })
	b.sentAll(t)
	require.Len(t, b.notes.list(), 2)
}
