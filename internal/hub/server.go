package hub

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"gatehouse/internal/natslog"
	"gatehouse/internal/trust"
)

// Server is an embedded hub.
type Server struct {
	ns     *server.Server
	log    *slog.Logger
	broken <-chan struct{}
}

// Start runs a hub and makes its streams, or brings existing ones up to the
// limits of the options. The hub is ready when Start returns.
func Start(ctx context.Context, o Options) (*Server, error) {
	o = o.withDefaults()
	text, err := o.Config()
	if err != nil {
		return nil, err
	}
	opts := &server.Options{}
	if err := opts.ProcessConfigString(text); err != nil {
		return nil, fmt.Errorf("hub configuration: %w", err)
	}
	opts.NoSigs = true // signals belong to the program around it
	seeds, err := addProvisioners(opts)
	if err != nil {
		return nil, err
	}
	ns, broken, err := startServer(ctx, opts, o.Log, func(*server.Server) {})
	if err != nil {
		return nil, fmt.Errorf("start hub: %w", err)
	}
	s := &Server{ns: ns, log: o.Log, broken: broken}
	if err := s.provision(ctx, o, seeds); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// URL is where clients on this machine reach the hub.
func (s *Server) URL() string { return s.ns.ClientURL() }

// InProcess makes a client of this process talk to the hub without a network.
func (s *Server) InProcess() nats.Option { return nats.InProcessServer(s.ns) }

// Broken is closed when the hub could not write to its disk. From then on a stream
// takes nothing more until the hub is started anew.
func (s *Server) Broken() <-chan struct{} { return s.broken }

// Close ends the hub and waits until its files are closed.
func (s *Server) Close() {
	s.ns.Shutdown()
	s.ns.WaitForShutdown()
}

// readyTimeout bounds the start of a server, which reads its streams first.
const readyTimeout = time.Minute

// startServer runs a server until it takes connections. made is called with it
// before anybody can connect. The channel is closed when it met a write error.
func startServer(ctx context.Context, opts *server.Options, log *slog.Logger, made func(*server.Server)) (*server.Server, <-chan struct{}, error) {
	ns, err := server.NewServer(opts)
	if err != nil {
		return nil, nil, err
	}
	made(ns)
	broken := make(chan struct{})
	sink := natslog.New(log, func() { close(broken) })
	ns.SetLoggerV2(sink, false, false, false)
	go ns.Start()
	if err := awaitReady(ctx, ns, sink.Fatal()); err != nil {
		ns.Shutdown()
		ns.WaitForShutdown()
		return nil, nil, err
	}
	return ns, broken, nil
}

// awaitReady waits until the server takes connections. It looks at short
// intervals, because a server that could not listen says so only in its log.
func awaitReady(ctx context.Context, ns *server.Server, fatal <-chan string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, readyTimeout, fmt.Errorf("not ready after %s", readyTimeout))
	defer cancel()
	for {
		if ns.ReadyForConnections(100 * time.Millisecond) {
			return nil
		}
		select {
		case reason := <-fatal:
			return errors.New(reason)
		case <-ctx.Done():
			return context.Cause(ctx)
		default:
		}
	}
}

// addProvisioners gives each account a user that exists only in the memory of
// this process, so that streams can be made without anybody's credentials.
func addProvisioners(opts *server.Options) (map[string]trust.Seed, error) {
	seeds := map[string]trust.Seed{}
	for _, account := range opts.Accounts {
		if account.Name == opts.SystemAccount {
			continue
		}
		seed, err := trust.NewSeed()
		if err != nil {
			return nil, err
		}
		opts.Nkeys = append(opts.Nkeys, &server.NkeyUser{Nkey: seed.Public(), Account: account})
		seeds[account.Name] = seed
	}
	return seeds, nil
}

// provision makes or updates the streams of every account.
func (s *Server) provision(ctx context.Context, o Options, seeds map[string]trust.Seed) error {
	for _, a := range o.Agencies {
		if err := s.ensure(ctx, seeds[string(a.ID)], o.inbox(), o.images()); err != nil {
			return fmt.Errorf("make streams of %s: %w", a.ID, err)
		}
		if err := s.ensure(ctx, seeds["GATES"], o.sayings(a.ID)); err != nil {
			return fmt.Errorf("make stream of what %s says: %w", a.ID, err)
		}
	}
	return nil
}

func (s *Server) ensure(ctx context.Context, seed trust.Seed, streams ...jetstream.StreamConfig) error {
	c, err := nats.Connect("", seed.Option(), s.InProcess(), nats.Name("provision"))
	if err != nil {
		return fmt.Errorf("connect in process: %w", err)
	}
	defer c.Close()
	js, err := jetstream.New(c)
	if err != nil {
		return fmt.Errorf("open JetStream: %w", err)
	}
	for _, config := range streams {
		if _, err := js.CreateOrUpdateStream(ctx, config); err != nil {
			return fmt.Errorf("stream %s: %w", config.Name, err)
		}
	}
	return nil
}
