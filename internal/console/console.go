package console

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"golang.org/x/sync/errgroup"

	"gatehouse/internal/console/private"
	"gatehouse/internal/console/store"
	"gatehouse/internal/console/tip"
	"gatehouse/internal/console/uplink"
	"gatehouse/internal/console/web"
	"gatehouse/internal/event"
	"gatehouse/internal/fault"
	"gatehouse/internal/trust"
)

// Console is an agency's console, ready to run.
type Console struct {
	config  Config
	log     *slog.Logger
	store   *store.Store
	private *private.Store
	trials  *tip.Engine
	link    *uplink.Uplink
	server  *http.Server
	listen  net.Listener
	pages   atomic.Pointer[http.Handler] // of what browsers get
	served  chan error                   // why serving ended; closed then
	hangUp  context.CancelFunc           // ends event streams
	routes  []web.Route
}

// New binds the address of the pages and opens the store. While that has to
// make its tables anew, which takes minutes for years of passages, browsers are
// told how far it is. Close must be called when Run is not.
func New(ctx context.Context, c Config, log *slog.Logger, faults *fault.Points) (*Console, error) {
	log = log.With("agency", string(c.Agency))
	keys, err := loadKeys(c)
	if err != nil {
		return nil, err
	}
	x := &Console{config: c, log: log}
	busy, err := web.NewBusy(c.Agency, gatesOf(c), c.Language)
	if err != nil {
		return nil, err
	}
	if err := x.serve(ctx, busy.Handler()); err != nil {
		return nil, err
	}
	if x.store, err = openStore(ctx, c, store.Options{Log: log, Faults: faults, Progress: busy.Progress}); err != nil {
		return nil, errors.Join(err, x.Close())
	}
	if x.private, err = private.Open(ctx, c.Store, c.Agency, time.Now); err != nil {
		return nil, errors.Join(err, x.Close())
	}
	if x.trials, err = tip.Open(filepath.Join(c.Store, tip.File), time.Now, nil); err != nil {
		return nil, errors.Join(err, x.Close())
	}
	if err := x.assemble(keys); err != nil {
		return nil, errors.Join(err, x.Close())
	}
	return x, nil
}

// InspectStore opens the store that a configuration names beside a console that
// may be running.
func InspectStore(ctx context.Context, c Config, log *slog.Logger) (*store.Store, error) {
	return openStore(ctx, c, store.Options{Log: log, Inspect: true})
}

func openStore(ctx context.Context, c Config, opt store.Options) (*store.Store, error) {
	key, err := trust.Load(c.keyFile())
	if err != nil {
		return nil, fmt.Errorf("agency's signing key (`gatehouse-console init` makes it): %w", err)
	}
	opt.Dir, opt.Agency, opt.Seal = c.Store, c.Agency, uplink.Sealer(c.Agency, key)
	return store.Open(ctx, opt)
}

func (x *Console) assemble(keys uplink.Keys) error {
	c := x.config
	seed, err := trust.LoadSeed(c.Hub.NkeySeed)
	if err != nil {
		return fmt.Errorf("hub identity (`gatehouse-console init` makes it): %w", err)
	}
	var more []nats.Option
	if c.Hub.CA != "" {
		more = append(more, nats.RootCAs(c.Hub.CA))
	}
	live := web.NewLive(time.Now())
	x.link = uplink.New(uplink.Options{
		URL: c.Hub.URL, Name: "console-" + c.Agency.Account(), Seed: seed, More: more, Keys: keys,
		Store: x.store, Log: x.log, Notify: live.Notify,
	})
	pages, err := web.New(web.Options{
		Agency: c.Agency, Gates: gatesOf(c), Language: c.Language, Store: x.store, Private: x.private, Trials: x.trials,
		Uplink: x.link, Live: live, Secure: c.TLS != nil, Log: x.log, Now: time.Now,
	})
	if err != nil {
		return err
	}
	handler := pages.Handler()
	x.routes = pages.Routes()
	x.pages.Store(&handler)
	return nil
}

// serve binds the address and begins to answer browsers, at first with the
// given handler.
func (x *Console) serve(ctx context.Context, first http.Handler) (err error) {
	if x.listen, err = (&net.ListenConfig{}).Listen(ctx, "tcp", x.config.Listen); err != nil {
		return fmt.Errorf("listen for browsers: %w", err)
	}
	base, hangUp := context.WithCancel(context.WithoutCancel(ctx))
	x.pages.Store(&first)
	x.hangUp, x.served = hangUp, make(chan error, 1)
	x.server = &http.Server{
		Handler:           http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*x.pages.Load()).ServeHTTP(w, r) }),
		ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second,
		WriteTimeout: 60 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10,
		ErrorLog:    slog.NewLogLogger(x.log.Handler(), slog.LevelDebug),
		BaseContext: func(net.Listener) context.Context { return base },
	}
	go func() {
		defer close(x.served)
		var err error
		if t := x.config.TLS; t != nil {
			err = x.server.ServeTLS(x.listen, t.Cert, t.Key)
		} else {
			err = x.server.Serve(x.listen)
		}
		if !errors.Is(err, http.ErrServerClosed) {
			x.served <- fmt.Errorf("serve pages: %w", err)
		}
	}()
	return nil
}

func gatesOf(c Config) []web.Gate {
	var list []web.Gate
	for _, g := range c.Gates {
		list = append(list, web.Gate{ID: g.ID, Name: g.Name, Silence: g.Silence})
	}
	return list
}

func loadKeys(c Config) (uplink.Keys, error) {
	keys := uplink.Keys{Gates: map[string][]trust.Public{}, Agencies: map[event.Agency][]trust.Public{}}
	for _, g := range c.Gates {
		for _, path := range append([]string{g.Key}, g.EarlierKeys...) {
			k, err := trust.LoadPublic(path)
			if err != nil {
				return keys, fmt.Errorf("public key of gate %s: %w", g.ID, err)
			}
			keys.Gates[g.ID] = append(keys.Gates[g.ID], k)
		}
	}
	for _, a := range c.Agencies {
		for _, path := range a.Keys {
			k, err := trust.LoadPublic(path)
			if err != nil {
				return keys, fmt.Errorf("public key of %s: %w", a.ID, err)
			}
			keys.Agencies[a.ID] = append(keys.Agencies[a.ID], k)
		}
	}
	return keys, nil
}

// URL is where the pages are; with a port that the system chose, the real one.
func (x *Console) URL() string {
	c := x.config
	c.Listen = x.listen.Addr().String()
	return c.URL()
}

// Store is the console's store.
func (x *Console) Store() *store.Store { return x.store }

// Uplink is the console's link to its hub.
func (x *Console) Uplink() *uplink.Uplink { return x.link }

// Routes lists every page and action with the right that it takes.
func (x *Console) Routes() []web.Route { return x.routes }

// SetupLink makes a link by which the first user is set up;
// private.ErrUsersExist when there is one.
func (x *Console) SetupLink(ctx context.Context) (string, error) {
	token, err := x.private.NewSetupLink(ctx)
	if err != nil {
		return "", err
	}
	return x.URL() + "/setup?token=" + token, nil
}

// shutdownTime is how long open requests may take at the end. Event streams
// are ended at once.
const shutdownTime = 3 * time.Second

// Run keeps the store in step with the hub and serves the pages until ctx ends;
// it then closes everything and returns nil.
func (x *Console) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return x.link.Run(ctx) })
	g.Go(func() error { return <-x.served })
	g.Go(func() error {
		<-ctx.Done()
		x.hangUp()
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
		defer cancel()
		if err := x.server.Shutdown(end); err != nil {
			return x.server.Close()
		}
		return nil
	})
	return errors.Join(g.Wait(), x.Close())
}

// Close ends the serving and closes the store. It is for a console that was
// not run.
func (x *Console) Close() error {
	var errs []error
	if x.server != nil {
		x.hangUp()
		errs = append(errs, x.server.Close())
		<-x.served // an error of serving was Run's to tell
	}
	if x.trials != nil {
		errs = append(errs, x.trials.Close())
	}
	if x.private != nil {
		errs = append(errs, x.private.Close())
	}
	if x.store != nil {
		errs = append(errs, x.store.Close())
	}
	return errors.Join(errs...)
}

// Public is what others need to know of a console, as Init prints it.
type Public struct {
	Agency  event.Agency `json:"agency"`
	Key     string       `json:"key"`      // file of the agency's public key
	KeyID   string       `json:"key_id"`   // names it
	Nkey    string       `json:"nkey"`     // public identity at the hub
	HubUser string       `json:"hub_user"` // file of the same
	URL     string       `json:"url"`
}

// Init makes the store's folder, the agency's signing key and its identity at
// the hub where they are missing, and tells their public halves. What is there
// is kept.
func Init(c Config) (Public, error) {
	for _, dir := range []string{c.Store, filepath.Dir(c.keyFile()), filepath.Dir(c.Hub.NkeySeed)} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return Public{}, fmt.Errorf("create folder: %w", err)
		}
	}
	key, err := trust.LoadOrCreate(c.keyFile())
	if err != nil {
		return Public{}, fmt.Errorf("agency's signing key: %w", err)
	}
	seed, err := trust.LoadOrCreateSeed(c.Hub.NkeySeed)
	if err != nil {
		return Public{}, fmt.Errorf("hub identity: %w", err)
	}
	return Public{
		Agency: c.Agency, Key: trust.PublicPath(c.keyFile()), KeyID: key.Public().ID(),
		Nkey: seed.Public(), HubUser: trust.PublicPath(c.Hub.NkeySeed), URL: c.URL(),
	}, nil
}

// SetupLink makes a set-up link from outside the running console;
// private.ErrUsersExist when there is a user.
func SetupLink(ctx context.Context, c Config) (string, error) {
	p, err := private.Open(ctx, c.Store, c.Agency, time.Now)
	if err != nil {
		return "", err
	}
	token, err := p.NewSetupLink(ctx)
	if err = errors.Join(err, p.Close()); err != nil {
		return "", err
	}
	return c.URL() + "/setup?token=" + token, nil
}
