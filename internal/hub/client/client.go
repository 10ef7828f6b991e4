// Package client is what a gate and a console share of the hub: how they
// connect, and the names of streams and subjects. It links no server.
package client

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"

	"gatehouse/internal/trust"
)

// Connect options of a hub's clients, gates and consoles alike.
const (
	reconnectWait   = 500 * time.Millisecond
	reconnectJitter = 500 * time.Millisecond
	pingInterval    = 10 * time.Second // a dead uplink is noticed after two
)

// InboxPrefix is the subject under which the user of a public nkey receives
// replies. The hub lets no other user listen there.
func InboxPrefix(nkey string) string { return "_INBOX." + nkey }

// Connect makes a client of the hub at urls (comma separated), as a gate and a
// console need it: it comes back for ever, does not buffer while it is away
// (so that a publish fails at once and is tried again in order), and says once
// in log when the hub is lost and once when it is back. It does not fail when
// the hub is down. More options, such as hub.Server.InProcess or nats.RootCAs, may
// follow.
func Connect(urls, name string, seed trust.Seed, log *slog.Logger, more ...nats.Option) (*nats.Conn, error) {
	options := []nats.Option{
		nats.Name(name),
		seed.Option(),
		nats.CustomInboxPrefix(InboxPrefix(seed.Public())),
		nats.RetryOnFailedConnect(true),
		nats.MaxReconnects(-1),
		nats.IgnoreAuthErrorAbort(),
		nats.ReconnectWait(reconnectWait),
		nats.ReconnectJitter(reconnectJitter, reconnectJitter),
		nats.ReconnectBufSize(-1),
		nats.PingInterval(pingInterval),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				log.Warn("hub lost", "err", err)
			}
		}),
		nats.ConnectHandler(func(c *nats.Conn) { log.Info("hub connected", "url", where(c)) }),
		nats.ReconnectHandler(func(c *nats.Conn) { log.Info("hub back", "url", where(c)) }),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			log.Warn("hub refused", "err", err)
		}),
	}
	c, err := nats.Connect(urls, append(options, more...)...)
	if err != nil {
		return nil, fmt.Errorf("connect to hub %s: %w", urls, err)
	}
	return c, nil
}

// where is the address that the client has reached.
func where(c *nats.Conn) string {
	if c.Opts.InProcessServer != nil {
		return "in this process"
	}
	return c.ConnectedUrlRedacted()
}
