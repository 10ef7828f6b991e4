package uplink

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"

	"gatehouse/internal/console/store"
	"gatehouse/internal/event"
	"gatehouse/internal/hub/client"
	"gatehouse/internal/share"
	"gatehouse/internal/trust"
)

// Options are what an uplink needs.
type Options struct {
	URL   string // of the hub; several are separated by commas
	Name  string // of the client, shown by the hub
	Seed  trust.Seed
	More  []nats.Option // such as nats.RootCAs
	Keys  Keys
	Store *store.Store
	Log   *slog.Logger
	// Notify is told what pages may have to show anew. It must not block.
	Notify func([]store.Change)
}

// Status is how the uplink stands.
type Status struct {
	Connected bool
	Since     time.Time // of the present state
	// Trouble is why the outbox cannot be sent or the inbox not be read just
	// now; empty when all is well.
	Trouble string
}

// Uplink is the agency's link to its hub.
type Uplink struct {
	opt  Options
	keys *keyring

	wakeOutbox chan struct{}
	wakeWants  chan struct{}
	owed       chan struct{}

	mu      sync.Mutex
	status  Status
	trouble map[string]string // by part
	due     time.Time         // when receipts are to be written; zero when none is owed
	back    bool              // the hub has come back and nothing was said again yet
}

// New makes an uplink; Run puts it to work.
func New(opt Options) *Uplink {
	if opt.Notify == nil {
		opt.Notify = func([]store.Change) {}
	}
	return &Uplink{
		opt: opt, keys: newKeyring(opt.Keys), wakeOutbox: make(chan struct{}, 1), wakeWants: make(chan struct{}, 1), owed: make(chan struct{}, 1),
		status: Status{Since: time.Now()}, trouble: map[string]string{},
	}
}

// Status tells how the link stands now.
func (u *Uplink) Status() Status {
	u.mu.Lock()
	defer u.mu.Unlock()
	s := u.status
	for _, why := range u.trouble {
		s.Trouble = why
	}
	return s
}

// Wake makes the uplink look into the outbox, after something was put there.
func (u *Uplink) Wake() { poke(u.wakeOutbox) }

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Run keeps the store and the hub in step until ctx ends; it then returns nil.
// A hub that is down is no error: it is waited for.
func (u *Uplink) Run(ctx context.Context) error {
	if err := u.keys.remember(ctx, u.opt.Store); err != nil {
		if ctx.Err() != nil {
			return nil // told to end before it began
		}
		return err
	}
	nc, err := client.Connect(u.opt.URL, u.opt.Name, u.opt.Seed, u.opt.Log, u.opt.More...)
	if err != nil {
		return err
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		return fmt.Errorf("use JetStream of the hub: %w", err)
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return u.watch(ctx, nc) })
	g.Go(func() error { return u.intake(ctx, js, event.DeliverAlert) })
	g.Go(func() error { return u.intake(ctx, js, event.DeliverRecord) })
	g.Go(func() error { return u.images(ctx, js) })
	g.Go(func() error { return u.publish(ctx, js) })
	g.Go(func() error { return u.request(ctx) })
	g.Go(func() error { return u.receipts(ctx) })
	return g.Wait()
}

// watch keeps the status up to date.
func (u *Uplink) watch(ctx context.Context, nc *nats.Conn) error {
	changes := nc.StatusChanged(nats.CONNECTED, nats.RECONNECTING, nats.DISCONNECTED, nats.CLOSED)
	defer nc.RemoveStatusListener(changes)
	for {
		u.setConnected(nc.IsConnected())
		select {
		case <-ctx.Done():
			return nil
		case now := <-changes:
			if now != nats.CONNECTED {
				u.setConnected(false) // also when it is back already: it may be another hub
			}
		}
	}
}

func (u *Uplink) setConnected(yes bool) {
	u.mu.Lock()
	changed := u.status.Connected != yes
	if changed {
		u.status = Status{Connected: yes, Since: time.Now()}
		u.back = u.back || yes
	}
	u.mu.Unlock()
	if !changed {
		return
	}
	if yes {
		poke(u.wakeOutbox)
		poke(u.wakeWants)
	}
	u.opt.Notify([]store.Change{{Topic: "link"}})
}

// setTrouble notes what a part of the uplink cannot do just now. It is logged
// once when it begins and once when it is over.
func (u *Uplink) setTrouble(part string, err error) {
	u.mu.Lock()
	was := u.trouble[part]
	if err != nil {
		u.trouble[part] = err.Error()
	} else {
		delete(u.trouble, part)
	}
	u.mu.Unlock()
	switch {
	case err != nil && was == "":
		u.opt.Log.Warn("uplink stands still", "part", part, "err", err)
	case err == nil && was != "":
		u.opt.Log.Info("uplink goes on", "part", part)
	default:
		return
	}
	u.opt.Notify([]store.Change{{Topic: "link"}})
}

// settle passes on what a commit brought about.
func (u *Uplink) settle(r store.Result) {
	if len(r.Changes) > 0 {
		u.opt.Notify(r.Changes)
	}
	if r.Queued {
		poke(u.wakeOutbox)
	}
	if !r.Due.IsZero() {
		u.mu.Lock()
		if u.due.IsZero() || r.Due.Before(u.due) {
			u.due = r.Due
		}
		u.mu.Unlock()
		poke(u.owed)
	}
}

// Sealer makes sayings with the agency's key.
func Sealer(agency event.Agency, key trust.Private) store.Seal {
	return func(gate string, t event.Type, id event.ID, about string, at time.Time, value any) (store.Saying, error) {
		env, err := event.Wrap("/agency/"+string(agency), t, id, about, at, value)
		if err != nil {
			return store.Saying{}, err
		}
		m, err := share.NewSaying(gate, agency, key, env)
		if err != nil {
			return store.Saying{}, err
		}
		return store.Saying{
			Gate: gate, Type: t, ID: id, About: about, Subject: m.Subject, Data: m.Data, Origin: []byte(m.Header.Get(share.HeaderOrigin)),
		}, nil
	}
}
