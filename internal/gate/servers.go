package gate

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"

	"github.com/nats-io/nats.go"

	"gatehouse/internal/config"
	"gatehouse/internal/driver"
	"gatehouse/internal/event"
	"gatehouse/internal/hub"
	"gatehouse/internal/hub/client"
	"gatehouse/internal/trust"
)

// startHub runs the hub inside the daemon, if the configuration has it so, and
// connects to it or to the one elsewhere.
func startHub(ctx context.Context, g config.Gate, id Identity, log *slog.Logger) (*hub.Server, *nats.Conn, error) {
	log = log.With("part", "hub")
	if g.Hub.Embedded == nil {
		var options []nats.Option
		if g.Hub.CA != "" {
			options = append(options, nats.RootCAs(g.Hub.CA))
		}
		conn, err := client.Connect(g.Hub.URL, "gate "+g.ID, id.Seed, log, options...)
		return nil, conn, err
	}
	options, err := hubOptions(g, id, log)
	if err != nil {
		return nil, nil, err
	}
	server, err := hub.Start(ctx, options)
	if err != nil {
		return nil, nil, err
	}
	conn, err := client.Connect("", "gate "+g.ID, id.Seed, log, server.InProcess())
	if err != nil {
		server.Close()
		return nil, nil, err
	}
	return server, conn, nil
}

func hubOptions(g config.Gate, id Identity, log *slog.Logger) (hub.Options, error) {
	e := g.Hub.Embedded
	o := hub.Options{
		Name: "hub-" + g.ID, Listen: e.Listen, StoreDir: filepath.Join(g.State, "hub"),
		Gates:         []hub.Gate{{ID: g.ID, Nkey: id.Seed.Public()}},
		InboxMaxBytes: int64(e.InboxSize), InboxMaxAge: e.InboxAge,
		Log: log,
	}
	if e.Certificate != "" {
		o.TLS = &hub.TLS{Cert: e.Certificate, Key: e.Key}
	}
	for _, a := range g.Agencies {
		nkey, err := trust.LoadNkey(a.HubUser)
		if err != nil {
			return hub.Options{}, fmt.Errorf("hub user of %s: %w", a.Code, err)
		}
		o.Agencies = append(o.Agencies, hub.Agency{ID: a.Code, Nkeys: []string{nkey}})
	}
	return o, nil
}

// startField runs the MQTT listener for cameras; nil where the gate has none.
func startField(ctx context.Context, g config.Gate, log *slog.Logger) (*hub.Field, error) {
	if g.Field == nil {
		return nil, nil
	}
	o := hub.FieldOptions{
		Name: "field-" + g.ID, Listen: g.Field.Listen, StoreDir: filepath.Join(g.State, "field"),
		Log: log.With("part", "field"),
	}
	for _, u := range g.Field.Users {
		password, err := readPassword(u.PasswordFile)
		if err != nil {
			return nil, fmt.Errorf("password of field user %s: %w", u.Name, err)
		}
		hash, err := trust.HashPassword(password)
		if err != nil {
			return nil, fmt.Errorf("password of field user %s: %w", u.Name, err)
		}
		o.Cameras = append(o.Cameras, hub.Camera{User: u.Name, PasswordHash: hash, Topics: u.Topics})
	}
	return hub.StartField(ctx, o)
}

// broker is how this gate's drivers reach the field listener.
func broker(f *hub.Field) *driver.Broker {
	if f == nil {
		return nil
	}
	url, user, password := f.Login()
	return &driver.Broker{URL: url, User: user, Password: func() string { return password }}
}

// agencyKeys loads the public keys that the agencies sign with.
func agencyKeys(g config.Gate) (map[event.Agency]trust.Public, error) {
	keys := map[event.Agency]trust.Public{}
	for _, a := range g.Agencies {
		key, err := trust.LoadPublic(a.Key)
		if err != nil {
			return nil, fmt.Errorf("key of %s: %w", a.Code, err)
		}
		keys[a.Code] = key
	}
	return keys, nil
}
