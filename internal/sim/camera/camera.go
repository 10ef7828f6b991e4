// Package camera simulates a plate camera that publishes over MQTT 3.1.1 with
// QoS 1: a message about each capture and its JPEG on a topic beside it. The
// message never says what the plate reads: only the picture does.
//
// Topics, below <root>/<gate>/<lane>/<device>:
//
//	capture            {"event_id","time","view","image":{"sha256","bytes","media_type"},"final":true}
//	image/<event_id>   the JPEG
//	$state             online, offline (the will), disconnected; retained
//
// While the broker is away the camera keeps a bounded number of messages and
// sends them, in order, when it is back. A message counts as sent when its
// PUBACK came. $state is a retained value that the broker repeats as it likes,
// so it is no frame and not in the ledger.
package camera

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"gatehouse/internal/sim/book"
	"gatehouse/internal/sim/fault"
	"gatehouse/internal/sim/pace"
)

// Settings of a camera.
type Settings struct {
	Device   string // its name in the lane; camera when empty
	Broker   string // tcp://host:port
	User     string
	Password string
	ClientID string
	Topic    string // <root>/<gate>/<lane>/<device>
	Queue    int    // captures kept while the broker is away
}

// Book hears what became of each message.
type Book interface {
	Sent(device, kind string, frame []byte, passage string)
	Unheard(device, kind string, frame []byte, passage, reason string)
}

const (
	reconnect   = 500 * time.Millisecond
	connectTime = 5 * time.Second
	retryPause  = 200 * time.Millisecond
	ackTime     = 5 * time.Second // without PUBACK for so long, the message is sent again
	stateBeat   = 30 * time.Second
	skew        = 10 * time.Minute // of the clock faults

	betweenShots = 200 * time.Millisecond // of a burst, by the camera's clock
)

type message struct {
	capture int // counts captures; the queue is bounded by it
	topic   string
	payload []byte
	passage string
}

// Camera is one simulated camera. Capture may be called from anywhere.
type Camera struct {
	set   Settings
	board *fault.Board
	book  Book
	log   *slog.Logger

	mu       sync.Mutex
	queue    []message
	captures int
	wake     chan struct{}
	conn     *cable // the one to cut for broker-away
	online   bool
}

// New makes a camera.
func New(set Settings, board *fault.Board, b Book, log *slog.Logger) *Camera {
	if set.Device == "" {
		set.Device = fault.Camera
	}
	return &Camera{set: set, board: board, book: b, log: log.With("device", set.Device), wake: make(chan struct{}, 1)}
}

// Message is the JSON on the capture topic.
type Message struct {
	EventID string    `json:"event_id"`
	Time    time.Time `json:"time"`
	View    string    `json:"view"`
	Image   ImageRef  `json:"image"`
	Final   bool      `json:"final"`
}

// ImageRef names the picture that belongs to a capture.
type ImageRef struct {
	SHA256    string `json:"sha256"`
	Bytes     int    `json:"bytes"`
	MediaType string `json:"media_type"`
}

// Taken is what became of a capture.
type Taken struct {
	EventID string
	Photo   string   // digest of the picture sent; empty when it was withheld
	Burst   []string // digests of those sent before it
	Faults  []string
}

// Capture queues a capture for sending: the picture, and before it the earlier
// ones of a burst, each with a message of its own that is not final. Faults
// spoil the last.
func (c *Camera) Capture(vehicle int, passage, view string, picture []byte, earlier ...[]byte) (Taken, error) {
	now := time.Now().UTC()
	var t Taken
	t.EventID = fmt.Sprintf("%011x%08x", now.UnixMilli(), rand.Uint32())
	take := func(name string) bool {
		used := c.board.Take(c.set.Device, name, vehicle)
		if used {
			t.Faults = append(t.Faults, name)
		}
		return used
	}
	made, spoilt, err := c.board.Picture(c.set.Device, vehicle, picture)
	if err != nil {
		return t, err
	}
	t.Faults = append(t.Faults, spoilt...)
	if take("clock-ahead") {
		now = now.Add(skew)
	}
	if take("clock-behind") {
		now = now.Add(-skew)
	}
	var burst []message
	for i, p := range earlier {
		about := Message{EventID: t.EventID, Time: now.Add(-betweenShots * time.Duration(len(earlier)-i)), View: view}
		both, digest, err := c.message(about, p, passage)
		if err != nil {
			return t, err
		}
		burst, t.Burst = append(burst, both...), append(t.Burst, digest)
	}
	pair, digest, err := c.message(Message{EventID: t.EventID, Time: now, View: view, Final: true}, made, passage)
	if err != nil {
		return t, err
	}
	t.Photo = digest
	if take("out-of-order") {
		pair[0], pair[1] = pair[1], pair[0]
	}
	if take("image-missing") {
		t.Photo = ""
		pair = slices.DeleteFunc(pair, func(m message) bool { return m.topic != c.set.Topic+"/capture" })
	}
	if take("duplicate") {
		pair = append(pair, pair...)
	}
	if take("will-while-working") {
		pair = append(pair, message{topic: c.set.Topic + "/$state", payload: []byte("offline")})
	}
	c.push(append(burst, pair...))
	return t, nil
}

// message is the message about a picture, the picture, and its digest.
func (c *Camera) message(about Message, picture []byte, passage string) ([]message, string, error) {
	sum := sha256.Sum256(picture)
	digest := hex.EncodeToString(sum[:])
	about.Image = ImageRef{SHA256: digest, Bytes: len(picture), MediaType: "image/jpeg"}
	body, err := json.Marshal(about)
	if err != nil {
		return nil, "", fmt.Errorf("encode capture: %w", err)
	}
	return []message{
		{topic: c.set.Topic + "/capture", payload: body, passage: passage},
		{topic: c.set.Topic + "/image/" + about.EventID, payload: picture, passage: passage},
	}, digest, nil
}

// push queues the messages of one capture; when the queue is full the oldest
// capture is given up.
func (c *Camera) push(all []message) {
	c.mu.Lock()
	c.captures++
	for i := range all {
		all[i].capture = c.captures
	}
	c.queue = append(c.queue, all...)
	var lost []message
	for len(c.queue) > 0 && c.captures-c.queue[0].capture >= c.set.Queue {
		lost = append(lost, c.queue[0])
		c.queue = c.queue[1:]
	}
	c.mu.Unlock()
	for _, m := range lost {
		c.book.Unheard(c.set.Device, book.MQTT, m.payload, m.passage, "queue-full")
	}
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// Waiting is how many messages wait to be sent.
func (c *Camera) Waiting() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.queue)
}

// Online says whether the camera has its broker.
func (c *Camera) Online() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.online
}

// Run keeps a connection and sends what is queued until ctx ends; it then says
// disconnected and goes.
func (c *Camera) Run(ctx context.Context) error {
	var jobs sync.WaitGroup
	defer jobs.Wait()
	for _, name := range unplugged() {
		jobs.Go(func() {
			c.board.Follow(ctx, c.set.Device, name, func(on bool) {
				if on {
					c.cut()
				}
			})
		})
	}
	told := false // one line for each time that the broker cannot be reached
	for ctx.Err() == nil {
		lost := make(chan error, 1)
		client := mqtt.NewClient(c.options(ctx, lost))
		token := client.Connect()
		token.Wait() // the connect time-out bounds it
		switch err := token.Error(); {
		case err == nil:
			told = false
			c.setOnline(true, nil)
			c.setOnline(false, c.session(ctx, client, lost))
		case !told && !c.away() && ctx.Err() == nil:
			told = true
			c.log.Warn("camera cannot reach its broker; captures queue", "err", err)
		}
		client.Disconnect(100)
		_ = pace.Pace(1).Sleep(ctx, reconnect) // ctx's end ends the loop
	}
	return nil
}

// session sends what is queued over one connection until it is lost, which it
// returns, or ctx ends.
func (c *Camera) session(ctx context.Context, client mqtt.Client, lost <-chan error) error {
	state := func(word string) mqtt.Token { return client.Publish(c.set.Topic+"/$state", 1, true, word) }
	state("online")
	beat := time.NewTicker(stateBeat)
	defer beat.Stop()
	for {
		if c.sendFirst(ctx, client) {
			continue
		}
		retry := time.NewTimer(retryPause)
		select {
		case <-ctx.Done():
			retry.Stop()
			state("disconnected").WaitTimeout(time.Second)
			return nil
		case err := <-lost:
			retry.Stop()
			return err
		case <-beat.C:
			state("online")
		case <-c.wake:
		case <-retry.C:
		}
		retry.Stop()
	}
}

// sendFirst sends the oldest message and waits for its PUBACK; false when
// there was none or it has to be tried again.
func (c *Camera) sendFirst(ctx context.Context, client mqtt.Client) bool {
	c.mu.Lock()
	if len(c.queue) == 0 {
		c.mu.Unlock()
		return false
	}
	m := c.queue[0]
	c.mu.Unlock()
	state := m.topic == c.set.Topic+"/$state"
	token := client.Publish(m.topic, 1, state, m.payload)
	late := time.NewTimer(ackTime)
	defer late.Stop()
	acknowledged, left := false, true
	select {
	case <-ctx.Done():
	case <-late.C:
	case <-token.Done():
		acknowledged, left = token.Error() == nil, !errors.Is(token.Error(), mqtt.ErrNotConnected)
	}
	if !acknowledged {
		if left && !state { // the broker may have it all the same, and will have it again
			c.book.Unheard(c.set.Device, book.MQTT, m.payload, m.passage, book.Unanswered)
		}
		return false
	}
	c.mu.Lock()
	// The queue may have overflowed meanwhile; then it is already booked.
	mine := len(c.queue) > 0 && c.queue[0].capture == m.capture && c.queue[0].topic == m.topic
	if mine {
		c.queue = c.queue[1:]
	}
	c.mu.Unlock()
	if !state {
		c.book.Sent(c.set.Device, book.MQTT, m.payload, m.passage)
	}
	return true
}

// unplugged are the faults that take the network away.
func unplugged() []string { return []string{"broker-away", "broker-restart", "unplug"} }

func (c *Camera) away() bool {
	return slices.ContainsFunc(unplugged(), func(name string) bool { return c.board.On(c.set.Device, name) })
}

// errAway is what dialling fails with while the network is unplugged.
var errAway = errors.New("network unplugged by a simulated fault")

// options of one connection. The client's own reconnecting is off: it would
// send again by itself what this camera sends again, and sleeps on after the end.
func (c *Camera) options(ctx context.Context, lost chan<- error) *mqtt.ClientOptions {
	o := mqtt.NewClientOptions().AddBroker(c.set.Broker).SetClientID(c.set.ClientID).
		SetUsername(c.set.User).SetPassword(c.set.Password).
		SetProtocolVersion(4).SetCleanSession(true).SetOrderMatters(false).
		SetKeepAlive(10*time.Second).SetPingTimeout(5*time.Second).SetConnectTimeout(connectTime).
		SetConnectRetry(false).SetAutoReconnect(false).
		SetWill(c.set.Topic+"/$state", "offline", 1, true)
	o.SetCustomOpenConnectionFn(func(u *url.URL, _ mqtt.ClientOptions) (net.Conn, error) {
		if c.away() {
			return nil, errAway
		}
		dial := net.Dialer{Timeout: connectTime}
		conn, err := dial.DialContext(ctx, "tcp", u.Host)
		if err != nil {
			return nil, fmt.Errorf("reach the broker: %w", err)
		}
		plug := &cable{Conn: conn}
		c.mu.Lock()
		c.conn = plug
		c.mu.Unlock()
		return plug, nil
	})
	o.SetConnectionLostHandler(func(_ mqtt.Client, err error) { lost <- err })
	return o
}

// setOnline logs once when the broker is lost and once when it is back.
func (c *Camera) setOnline(on bool, err error) {
	c.mu.Lock()
	was := c.online
	c.online = on
	waiting := len(c.queue)
	c.mu.Unlock()
	switch {
	case on && !was:
		c.log.Info("camera has its broker", "waiting", waiting)
	case !on && was && err != nil:
		c.log.Warn("camera lost its broker; captures queue", "err", err)
	}
}

// cut breaks the connection without a goodbye, so that the will is sent.
func (c *Camera) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.conn != nil {
		c.conn.cut.Store(true)
		_ = c.conn.Close() // what it says about it is no news
	}
}

// cable is a connection that can be cut. The client takes a read from a closed
// connection for its own doing and would notice nothing before its next ping.
type cable struct {
	net.Conn
	cut atomic.Bool
}

// Read implements net.Conn.
func (c *cable) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if err != nil && c.cut.Load() {
		err = errAway
	}
	return n, err
}
