package camera

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"sync"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/eclipse/paho.mqtt.golang/packets"

	"gatehouse/internal/driver"
	"gatehouse/internal/event"
)

const (
	dialTimeout = 5 * time.Second
	// answerTimeout is how long the broker may take to answer a request.
	answerTimeout = 10 * time.Second
	// pingTimeout is long: while the store is slow, nothing is read from the
	// connection, answers to pings neither.
	pingTimeout = 30 * time.Second
	// leaveTime is how long a clean disconnect may take.
	leaveTime = 250 * time.Millisecond
	// windowImages is how many of the largest messages may be held in memory;
	// beyond it the broker is made to wait.
	windowImages = 4
	windowCount  = 1024
)

// Errors of a session with the broker.
var (
	ErrPassword = errors.New("password file cannot be used")
	ErrBroker   = errors.New("broker cannot be reached")
	ErrSignIn   = errors.New("broker refuses the sign-in")
	ErrTopic    = errors.New("broker refuses a topic")
	ErrLost     = errors.New("connection to the broker was lost")
)

// session is one connection to the broker.
type session struct {
	broker  string
	client  mqtt.Client
	now     func() time.Time
	arrived chan *message
	lost    chan error
	ended   <-chan struct{}

	mu     sync.Mutex
	conn   net.Conn
	held   int64 // bytes received and not stored yet
	window int64
	room   chan struct{} // closed and replaced when held shrinks
}

// connect signs in to the session that the broker keeps.
func connect(ctx context.Context, c Config, now func() time.Time) (*session, error) {
	if c.Broker == "" {
		return nil, hint(fmt.Errorf("%w: no broker is set and the gate has no field listener", ErrBroker),
			"Ghi broker trong cấu hình của camera, hoặc thêm phần field_mqtt vào cấu hình cửa khẩu.",
			"Write broker into the camera's settings, or add field_mqtt to the gate's configuration.")
	}
	password, err := c.password()
	if err != nil {
		return nil, err
	}
	s := &session{
		broker: c.Broker, now: now, ended: ctx.Done(), lost: make(chan error, 1),
		arrived: make(chan *message, windowCount), window: windowImages * c.ImageLimit, room: make(chan struct{}),
	}
	o := mqtt.NewClientOptions().AddBroker(c.Broker).SetProtocolVersion(4).
		SetClientID(c.ClientID).SetCleanSession(false).SetUsername(c.Username).SetPassword(password).
		SetAutoReconnect(false).SetConnectRetry(false).SetOrderMatters(true).SetAutoAckDisabled(true).
		SetKeepAlive(c.KeepAlive).SetPingTimeout(pingTimeout).SetConnectTimeout(dialTimeout).
		// What the broker kept arrives before anything can be subscribed to.
		SetDefaultPublishHandler(func(_ mqtt.Client, m mqtt.Message) { s.receive(m) }).
		SetConnectionLostHandler(func(_ mqtt.Client, err error) { s.lost <- err }).
		SetCustomOpenConnectionFn(func(u *url.URL, _ mqtt.ClientOptions) (net.Conn, error) {
			return s.dial(ctx, u, c.CAFile)
		})
	s.client = mqtt.NewClient(o)
	// Until the broker has answered, only closing the connection ends the wait.
	stop := context.AfterFunc(ctx, s.drop)
	limit := time.AfterFunc(answerTimeout, s.drop)
	token := s.client.Connect()
	<-token.Done()
	stop()
	limit.Stop()
	if err := token.Error(); err != nil {
		s.drop()
		return nil, connectError(c, err)
	}
	return s, nil
}

func (s *session) dial(ctx context.Context, u *url.URL, caFile string) (net.Conn, error) {
	host, port := u.Hostname(), u.Port()
	secure := u.Scheme == "ssl" || u.Scheme == "tls" || u.Scheme == "mqtts"
	switch {
	case !secure && u.Scheme != "tcp" && u.Scheme != "mqtt":
		return nil, fmt.Errorf("scheme %q: want tcp or ssl", u.Scheme)
	case port == "" && secure:
		port = "8883"
	case port == "":
		port = "1883"
	}
	d := net.Dialer{Timeout: dialTimeout}
	conn, err := d.DialContext(ctx, "tcp", net.JoinHostPort(host, port))
	if err != nil {
		return nil, err
	}
	if secure {
		conf := &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
		if caFile != "" {
			if conf.RootCAs, err = readCA(caFile); err != nil {
				return nil, errors.Join(err, conn.Close())
			}
		}
		t := tls.Client(conn, conf)
		if err := t.HandshakeContext(ctx); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
		conn = t
	}
	s.mu.Lock()
	s.conn = conn
	s.mu.Unlock()
	return conn, nil
}

func readCA(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read ca_file: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("ca_file %s has no certificate", file)
	}
	return pool, nil
}

// receive queues a message. When too much is held it makes the broker wait.
func (s *session) receive(m mqtt.Message) {
	size := int64(len(m.Payload()))
	drop := sync.OnceFunc(func() { s.done(size) })
	in := &message{
		topic: m.Topic(), payload: m.Payload(), at: s.now().UTC(), dup: m.Duplicate(),
		delivery: delivery{packet: m.MessageID()}, drop: drop,
		ack: func() {
			m.Ack()
			drop()
		},
	}
	for {
		s.mu.Lock()
		if s.held == 0 || s.held+size <= s.window {
			s.held += size
			s.mu.Unlock()
			break
		}
		room := s.room
		s.mu.Unlock()
		select {
		case <-room:
		case <-s.ended:
			return
		}
	}
	select {
	case s.arrived <- in:
	case <-s.ended:
	}
}

// done says that so many bytes are not held any more.
func (s *session) done(size int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held -= size
	close(s.room)
	s.room = make(chan struct{})
}

// subscribe asks for the topics with QoS 1.
func (s *session) subscribe(ctx context.Context, filters []string) error {
	want := map[string]byte{}
	for _, f := range filters {
		want[f] = 1
	}
	token := s.client.SubscribeMultiple(want, nil)
	limit := time.NewTimer(answerTimeout)
	defer limit.Stop()
	select {
	case <-token.Done():
	case <-ctx.Done():
		return ctx.Err()
	case err := <-s.lost:
		return lostError(s.broker, err)
	case <-limit.C:
		return lostError(s.broker, errors.New("no answer to a subscription"))
	}
	if err := token.Error(); err != nil {
		return topicError(filters, err)
	}
	if t, ok := token.(*mqtt.SubscribeToken); ok {
		for topic, qos := range t.Result() {
			if qos > 2 {
				return topicError([]string{topic}, errors.New("refused"))
			}
		}
	}
	return nil
}

// close leaves the broker, which keeps the session. The session's context has
// ended, so that receive does not hold the client up.
func (s *session) close() {
	s.client.Disconnect(uint(leaveTime.Milliseconds()))
	s.drop()
}

// drop closes the connection under the client.
func (s *session) drop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != nil {
		_ = s.conn.Close()
	}
}

// readPassword is the first line of a file that only its owner may read.
func readPassword(file string) (string, error) {
	if file == "" {
		return "", nil
	}
	data, err := os.ReadFile(file)
	if err == nil {
		var info os.FileInfo
		if info, err = os.Stat(file); err == nil && info.Mode().Perm()&0o077 != 0 {
			err = fmt.Errorf("mode %04o lets others read it", info.Mode().Perm())
		}
	}
	if err != nil {
		return "", hint(fmt.Errorf("%w: %s: %w", ErrPassword, file, err),
			"Tạo tệp mật khẩu và chạy: chmod 600 "+file+"; chủ tệp là người dùng chạy dịch vụ.",
			"Make the password file and run: chmod 600 "+file+"; its owner is the service's user.")
	}
	first, _, _ := bytes.Cut(data, []byte("\n"))
	return string(bytes.TrimRight(first, "\r")), nil
}

func connectError(c Config, err error) error {
	switch {
	case errors.Is(err, packets.ErrorRefusedBadUsernameOrPassword), errors.Is(err, packets.ErrorRefusedNotAuthorised),
		errors.Is(err, packets.ErrorRefusedIDRejected):
		return hint(fmt.Errorf("connect to %s as %q: %w: %w", c.Broker, c.Username, ErrSignIn, err),
			"Kiểm tra username, password_file và client_id; máy chủ MQTT có thể buộc client_id với người dùng.",
			"Check username, password_file and client_id; the broker may bind the client id to the user.")
	default:
		return hint(fmt.Errorf("connect to %s: %w: %w", c.Broker, ErrBroker, err),
			"Kiểm tra địa chỉ broker, cáp mạng và máy chủ MQTT có đang chạy không.",
			"Check the broker's address, the network cable and that the MQTT server runs.")
	}
}

func lostError(broker string, err error) error {
	return hint(fmt.Errorf("%s: %w: %w", broker, ErrLost, err),
		"Kiểm tra mạng và máy chủ MQTT; mỗi thiết bị phải có client_id riêng, trùng nhau sẽ đẩy nhau ra.",
		"Check the network and the MQTT server; each device needs a client_id of its own, or they push each other out.")
}

func topicError(topics []string, err error) error {
	return hint(fmt.Errorf("subscribe to %v: %w: %w", topics, ErrTopic, err),
		"Cho người dùng MQTT của cổng quyền đọc các chủ đề này.",
		"Let the gate's MQTT user read these topics.")
}

func hint(err error, vi, en string) error {
	return &driver.Hint{Err: err, Try: event.Text{VI: vi, EN: en}}
}
