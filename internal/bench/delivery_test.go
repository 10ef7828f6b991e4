//go:build bench

package bench_test

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/console/store"
	"gatehouse/internal/console/uplink"
	"gatehouse/internal/event"
	"gatehouse/internal/hub"
	"gatehouse/internal/hub/client"
	"gatehouse/internal/journal"
	"gatehouse/internal/share"
	"gatehouse/internal/trust"
)

// way is the whole way of an alert in one process: journal, chain, hub, and two
// consoles' stores, each synced as in the programs. Drivers, fold and pages are
// not in it.
type way struct {
	dir      string
	journal  *journal.Journal
	chain    *share.Chain
	handover *share.Handover
	stores   []*store.Store
	hub      string     // its address
	seed     trust.Seed // of the gate

	mu   sync.Mutex
	sent map[event.ID]time.Time
	seen map[event.ID]int
	took []time.Duration // to the later of both stores
	done chan struct{}   // poked with every alert that is at both
}

// newWay opens everything, and joins it but for the hand-over.
func newWay(t *testing.T) *way {
	w := &way{dir: t.TempDir(), sent: map[event.ID]time.Time{}, seen: map[event.ID]int{}, done: make(chan struct{}, 1)}
	log := slog.New(slog.DiscardHandler)
	var err error
	w.journal, err = journal.Open(t.Context(), journal.Options{Dir: filepath.Join(w.dir, "journal"), MaxBytes: 4 << 30, MaxAge: time.Hour, IdleMaxBytes: 4 << 30, IdleMaxAge: time.Hour, Log: log})
	require.NoError(t, err)
	t.Cleanup(w.journal.Close)
	key, err := trust.LoadOrCreate(filepath.Join(w.dir, "gate.key"))
	require.NoError(t, err)
	w.chain, err = share.OpenChain(t.Context(), w.journal.JetStream(), share.ChainConfig{Gate: "15BB", Key: key})
	require.NoError(t, err)
	seed, err := trust.NewSeed()
	require.NoError(t, err)
	o := hub.Options{Name: "hub", Listen: "127.0.0.1:0", StoreDir: filepath.Join(w.dir, "hub"), Gates: []hub.Gate{{ID: "15BB", Nkey: seed.Public()}}}
	seeds, keys, publics := map[event.Agency]trust.Seed{}, map[event.Agency]trust.Private{}, map[event.Agency]trust.Public{}
	for _, a := range event.Agencies() {
		seeds[a], err = trust.NewSeed()
		require.NoError(t, err)
		keys[a], err = trust.LoadOrCreate(filepath.Join(w.dir, a.Account()+".key"))
		require.NoError(t, err)
		publics[a] = keys[a].Public()
		o.Agencies = append(o.Agencies, hub.Agency{ID: a, Nkeys: []string{seeds[a].Public()}})
	}
	server, err := hub.Start(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(server.Close)
	w.hub, w.seed = server.URL(), seed
	conn, err := client.Connect("", "gate", seed, log, server.InProcess())
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	w.handover, err = share.OpenHandover(t.Context(), share.HandoverConfig{Gate: "15BB", Chain: w.chain, Hub: conn, Agencies: event.Agencies()})
	require.NoError(t, err)
	sayings, err := share.NewSayings(share.SayingsConfig{Gate: "15BB", Chain: w.chain, Hub: conn, Keys: publics, Handover: w.handover})
	require.NoError(t, err)
	background(t, sayings.Run)
	for _, a := range event.Agencies() {
		st, err := store.Open(t.Context(), store.Options{Dir: filepath.Join(w.dir, a.Account()), Agency: a, Seal: uplink.Sealer(a, keys[a]), Log: log})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, st.Close()) })
		w.stores = append(w.stores, st)
		u := uplink.New(uplink.Options{
			URL: server.URL(), Name: "console", Seed: seeds[a], Store: st, Log: log, Notify: w.arrived,
			Keys: uplink.Keys{Gates: map[string][]trust.Public{"15BB": {key.Public()}}},
		})
		background(t, u.Run)
	}
	return w
}

// background runs f until the test ends, or the function that it returns is called.
func background(t *testing.T, f func(context.Context) error) func() {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = f(ctx) }()
	end := func() { cancel(); <-ended }
	t.Cleanup(end)
	return end
}

// arrived is told after a console's commit.
func (w *way) arrived(changes []store.Change) {
	now := time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range changes {
		id := event.ID(c.Key)
		at, ours := w.sent[id]
		if c.Topic != "alert" || !ours {
			continue
		}
		if w.seen[id]++; w.seen[id] == len(event.Agencies()) {
			w.took = append(w.took, now.Sub(at))
			select {
			case w.done <- struct{}{}:
			default:
			}
		}
	}
}

// alert takes a reading to the disk and its alert to the chain.
func (w *way) alert(ctx context.Context, lane string) error {
	at := time.Now()
	passage := event.NewID(at)
	a := event.Alert{ID: event.NewID(at), Sent: at, MsgType: "Alert", Where: event.Where{Gate: "15BB", Lane: lane}, Passage: passage, EventCode: event.FindingRadiationGamma}
	e, err := event.Wrap("/gate/15BB", event.TypeAlert, a.ID, string(passage), at, a)
	if err != nil {
		return err
	}
	w.mu.Lock()
	w.sent[passage] = at
	w.mu.Unlock()
	if err := w.journal.Append(ctx, journal.Main, sample()); err != nil {
		return err
	}
	_, err = w.chain.Append(ctx, e)
	return err
}

// fsyncs measures what a sync of a small write costs on the same disk, until ctx ends.
func fsyncs(ctx context.Context, path string) ([]time.Duration, error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	block := make([]byte, 4096)
	var all []time.Duration
	for ctx.Err() == nil {
		began := time.Now()
		if _, err := f.Write(block); err != nil {
			return nil, err
		}
		if err := f.Sync(); err != nil {
			return nil, err
		}
		all = append(all, time.Since(began))
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
	return all, nil
}

func quantile(list []time.Duration, q float64) time.Duration {
	if len(list) == 0 {
		return 0
	}
	slices.Sort(list)
	return list[min(int(q*float64(len(list))), len(list)-1)]
}

const (
	deliveryFor = 20 * time.Second
	alertEvery  = 2 * time.Second        // of each lane
	idleEvery   = 100 * time.Millisecond // of each lane
)

// TestDelivery measures the way of an alert, without drivers and vision, from its
// reading to the commit at both consoles, while every lane stores idle readings,
// beside raw syncs of the same disk in the same seconds.
func TestDelivery(t *testing.T) {
	for _, lanes := range []int{1, 10, 100} {
		t.Run(fmt.Sprint(lanes), func(t *testing.T) {
			w := newWay(t)
			background(t, w.handover.Run)
			heap := live()
			ctx, cancel := context.WithTimeout(t.Context(), deliveryFor)
			defer cancel()
			syncs := make(chan []time.Duration, 1)
			go func() {
				list, err := fsyncs(ctx, filepath.Join(w.dir, "raw"))
				if err != nil {
					t.Error(err)
				}
				syncs <- list
			}()
			var all sync.WaitGroup
			for i := range lanes {
				all.Go(func() { w.lane(ctx, t, fmt.Sprintf("%03d", i), time.Duration(i)*alertEvery/time.Duration(lanes)) })
			}
			all.Wait()
			raw := <-syncs
			sent := w.wait(t)
			p50, p99, p999 := quantile(w.took, 0.5), quantile(w.took, 0.99), quantile(w.took, 0.999)
			f99 := quantile(raw, 0.99)
			fmt.Printf("%3d lanes: %d alerts to both consoles p50 %.1f p99 %.1f p99.9 %.1f ms; raw fsync p50 %.1f p99 %.1f ms of %d; p99 is %.2f fsync p99 (6 of them and 50 ms are %.1f ms); live heap %.0f KB and disk %.0f KB a lane\n",
				lanes, sent, ms(p50), ms(p99), ms(p999), ms(quantile(raw, 0.5)), ms(f99), len(raw), float64(p99)/float64(f99), 6*ms(f99)+50,
				float64(int64(live())-int64(heap))/1024/float64(lanes), float64(size(t, w.dir))/1024/float64(lanes))
		})
	}
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// lane stores readings and sends alerts until ctx ends.
func (w *way) lane(ctx context.Context, t *testing.T, name string, first time.Duration) {
	idle, next := time.NewTicker(idleEvery), time.NewTimer(first)
	defer idle.Stop()
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-idle.C:
			w.store(ctx, t)
		case <-next.C:
			next.Reset(alertEvery)
			if err := w.alert(context.WithoutCancel(ctx), name); err != nil {
				t.Error(err)
			}
		}
	}
}

// store stores an idle reading.
func (w *way) store(ctx context.Context, t *testing.T) {
	if err := w.journal.Append(context.WithoutCancel(ctx), journal.Idle, sample()); err != nil {
		t.Error(err)
	}
}

// wait waits until every alert is at both consoles.
func (w *way) wait(t *testing.T) int {
	limit := time.After(2 * time.Minute)
	for {
		w.mu.Lock()
		sent, there := len(w.sent), len(w.took)
		w.mu.Unlock()
		if sent == there {
			return sent
		}
		select {
		case <-w.done:
		case <-limit:
			t.Fatalf("%d of %d alerts are at both consoles", there, sent)
		}
	}
}

func live() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func size(t *testing.T, dir string) (n int64) {
	err := filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return nil // files come and go
		}
		if info, err := e.Info(); err == nil {
			n += info.Size()
		}
		return nil
	})
	require.NoError(t, err)
	return n
}
