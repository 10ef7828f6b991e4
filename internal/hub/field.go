package hub

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"golang.org/x/crypto/bcrypt"
)

// DriverUser is the MQTT user of the gate's own drivers, and the beginning of
// their client ids.
const DriverUser = "gatehouse"

const (
	// fieldMaxPayload is the largest MQTT message in bytes: one image.
	fieldMaxPayload = 8 << 20
	// fieldAckWait is how long the server waits for a driver's acknowledgement
	// before it delivers again.
	fieldAckWait = 2 * time.Second
	// fieldMaxAckPending bounds the unacknowledged messages of a driver: with
	// images of some hundred kilobytes it is tens of megabytes.
	fieldMaxAckPending = 100
	// fieldAuthTimeout lets a small box check a bcrypt hash while it is busy.
	fieldAuthTimeout = 10 // seconds
	// fieldMaxStore bounds messages that no driver has acknowledged, in bytes.
	fieldMaxStore = 4 << 30
)

// Field is the MQTT 3.1.1 server for the cameras of a gate. It has no NATS
// listener.
type Field struct {
	ns       *server.Server
	password string
	listen   FieldOptions
	broken   <-chan struct{}
}

// StartField runs the field server. It is ready when StartField returns.
func StartField(ctx context.Context, o FieldOptions) (*Field, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	opts, err := o.serverOptions()
	if err != nil {
		return nil, err
	}
	// The driver's password lives as long as the process: its session belongs
	// to its client id and survives a new password.
	password := rand.Text()
	door := &fieldDoor{log: o.Log, users: map[string]fieldUser{}, refused: map[string]string{}}
	door.add(o.Cameras, password)
	opts.CustomClientAuthentication = door
	ns, broken, err := startServer(ctx, opts, o.Log, func(ns *server.Server) { door.ns = ns })
	if err != nil {
		return nil, fmt.Errorf("start field MQTT on %s: %w", o.Listen, err)
	}
	return &Field{ns: ns, password: password, listen: o, broken: broken}, nil
}

// Login is how a driver of this gate connects: the URL, the user, and a
// password that lasts until Close. Its client id must begin with DriverUser
// and must stay the same, because the session with what came while it was away
// belongs to it.
func (f *Field) Login() (url, user, password string) {
	return f.URL(), DriverUser, f.password
}

// URL is where a client on this machine reaches the listener.
func (f *Field) URL() string {
	host, port, _ := splitListen(f.listen.Listen)
	if varz, err := f.ns.Varz(nil); err == nil {
		port = varz.MQTT.Port
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	scheme := "tcp"
	if f.listen.TLS != nil {
		scheme = "ssl"
	}
	return scheme + "://" + net.JoinHostPort(host, strconv.Itoa(port))
}

// Broken is closed when the server could not write to its disk. From then on it
// acknowledges nothing more until it is started anew.
func (f *Field) Broken() <-chan struct{} { return f.broken }

// Close ends the server and waits until its files are closed.
func (f *Field) Close() {
	f.ns.Shutdown()
	f.ns.WaitForShutdown()
}

func (o FieldOptions) serverOptions() (*server.Options, error) {
	host, port, err := splitListen(o.Listen)
	if err != nil {
		return nil, err
	}
	if port == 0 {
		port = -1
	}
	opts := &server.Options{
		ServerName: o.Name, DontListen: true, NoSigs: true,
		JetStream: true, StoreDir: o.StoreDir, SyncAlways: true,
		JetStreamMaxMemory: 64 << 20, JetStreamMaxStore: fieldMaxStore,
		MaxPayload: fieldMaxPayload,
		MQTT: server.MQTTOpts{
			Host: host, Port: port, AckWait: fieldAckWait, MaxAckPending: fieldMaxAckPending,
			AuthTimeout: fieldAuthTimeout,
		},
	}
	if o.TLS != nil {
		opts.MQTT.TLSConfig, err = server.GenTLSConfig(&server.TLSConfigOpts{
			CertFile: o.TLS.Cert, KeyFile: o.TLS.Key, CaFile: o.TLS.CA, Verify: o.TLS.CA != "",
			MinVersion: tls.VersionTLS12,
		})
		if err != nil {
			return nil, fmt.Errorf("field MQTT certificate: %w", err)
		}
		opts.MQTT.TLSTimeout = fieldAuthTimeout
	}
	return opts, nil
}

// maxRefused bounds what is remembered of refused users.
const maxRefused = 100

// fieldDoor lets devices in. It does itself what nats-server's own check of
// users does, because that one lets any user take any client id, and with it
// the session of another.
type fieldDoor struct {
	log   *slog.Logger
	users map[string]fieldUser
	ns    *server.Server

	mu      sync.Mutex
	refused map[string]string // user to last reason, so that each is logged once
}

type fieldUser struct {
	check       func(password string) bool
	clientID    func(id string) bool
	permissions *server.Permissions
}

func (d *fieldDoor) add(cameras []Camera, password string) {
	everything := []string{}
	for _, c := range cameras {
		var subjects []string
		for _, topic := range c.Topics {
			s, _ := topicSubjects(topic) // validated
			subjects = append(subjects, s...)
		}
		everything = append(everything, subjects...)
		d.users[c.User] = fieldUser{
			check: func(p string) bool {
				return bcrypt.CompareHashAndPassword([]byte(c.PasswordHash), []byte(p)) == nil
			},
			clientID: func(id string) bool { return id == c.User },
			permissions: &server.Permissions{
				Publish:   &server.SubjectPermission{Allow: subjects},
				Subscribe: &server.SubjectPermission{Deny: []string{">"}},
			},
		}
	}
	d.users[DriverUser] = fieldUser{
		check:    func(p string) bool { return subtle.ConstantTimeCompare([]byte(p), []byte(password)) == 1 },
		clientID: func(id string) bool { return strings.HasPrefix(id, DriverUser) },
		permissions: &server.Permissions{
			Publish: &server.SubjectPermission{Deny: []string{">"}},
			// $MQTT.sub is the server's own way to deliver QoS 1 to a session.
			Subscribe: &server.SubjectPermission{Allow: append(everything, "$MQTT.sub.>")},
		},
	}
}

// Check implements server.Authentication.
func (d *fieldDoor) Check(c server.ClientAuthentication) bool {
	given := c.GetOpts()
	reason := d.reason(c, given)
	d.mu.Lock()
	defer d.mu.Unlock()
	if reason == "" {
		delete(d.refused, given.Username)
		return true
	}
	if len(d.refused) > maxRefused {
		clear(d.refused) // somebody tries names
	}
	if d.refused[given.Username] != reason {
		d.log.Warn("MQTT client refused", "user", given.Username, "remote", c.RemoteAddress(), "err", reason)
		d.refused[given.Username] = reason
	}
	return false
}

// reason is why the client may not come in; empty when it may.
func (d *fieldDoor) reason(c server.ClientAuthentication, given *server.ClientOpts) string {
	u, known := d.users[given.Username]
	if !known {
		return "no such user"
	}
	if !u.check(given.Password) {
		return "wrong password"
	}
	conns, err := d.ns.Connz(&server.ConnzOptions{CID: c.GetID()})
	if err != nil || len(conns.Conns) != 1 {
		return "connection is gone"
	}
	if id := conns.Conns[0].MQTTClient; !u.clientID(id) {
		return fmt.Sprintf("client id %q is not this user's", id)
	}
	c.RegisterUser(&server.User{Username: given.Username, Permissions: u.permissions})
	return ""
}
