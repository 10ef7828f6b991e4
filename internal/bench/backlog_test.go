//go:build bench

package bench_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/event"
	"gatehouse/internal/share"
)

const (
	backlogLanes = 10
	// A lane of the demo, as its own record has them: these devices send frames all
	// the time, a vehicle comes every minute, one in ten has an alert, and its
	// passage is shared seven times until it is final.
	logEvery  = 10 * time.Second
	logging   = 5
	digests   = 15
	carEvery  = time.Minute
	versions  = 7
	alertOf   = 10
	readings  = 22
	calmFor   = 15 * time.Second
	liveEvery = 150 * time.Millisecond
)

// outage is how long the gate could not hand over: OUTAGE, or eight hours.
func outage(t *testing.T) time.Duration {
	text := os.Getenv("OUTAGE")
	if text == "" {
		return 8 * time.Hour
	}
	d, err := time.ParseDuration(text)
	require.NoError(t, err, "OUTAGE must be a time, such as 8h")
	return d
}

// TestBacklog lets the backlog of an outage of ten lanes drain while they go on, and
// compares how long live alerts take to the commit at both consoles without the
// backlog, while it drains, and after it.
func TestBacklog(t *testing.T) {
	w, long := newWay(t), outage(t)
	stop := background(t, w.handover.Run)
	ctx, cancel := context.WithCancel(t.Context())
	var idle sync.WaitGroup
	for range backlogLanes {
		idle.Go(func() { w.idle(ctx, t) })
	}
	defer idle.Wait()
	defer cancel()
	w.alerts(t, 5*time.Second) // everything is warm then
	before := w.alerts(t, calmFor)

	stop()
	grown := w.weigh(t)
	began := time.Now()
	n, bytes := w.fill(t, long)
	fmt.Printf("a backlog of %s of %d lanes, %d records with %.0f MB, was chained in %.0f s\n", long, backlogLanes, n, float64(bytes)/1e6, time.Since(began).Seconds())
	began = time.Now()
	background(t, w.handover.Run)
	drained := make(chan time.Duration, 1)
	until, over := context.WithCancel(t.Context())
	last := w.chain.Head().Sequence
	go func() {
		defer over()
		for !w.reached(t, last) {
			time.Sleep(time.Second)
		}
		drained <- time.Since(began)
	}()
	var during []time.Duration
	for until.Err() == nil {
		during = append(during, w.alerts(t, calmFor)...)
	}
	took := <-drained
	after := w.alerts(t, calmFor)
	fmt.Printf("replay of %s of %d lanes at both consoles: %.0f s, %.0f records a second, %.0f times real time\n",
		long, backlogLanes, took.Seconds(), float64(n)/took.Seconds(), long.Seconds()/took.Seconds())
	cancel()
	idle.Wait()
	hours := long.Hours() * backlogLanes
	for i, now := range w.weigh(t) {
		fmt.Printf("%s grows by %.2f MB a lane and hour\n", now.what, float64(now.bytes-grown[i].bytes)/1e6/hours)
	}
	for _, q := range []float64{0.5, 0.9, 0.99} {
		a, b, c := quantile(before, q), quantile(during, q), quantile(after, q)
		fmt.Printf("live alert to both consoles p%g: %.1f ms of %d without a backlog, %.1f ms of %d while it drains, %.1f ms of %d after it: ratio %.2f\n",
			q*100, ms(a), len(before), ms(b), len(during), ms(c), len(after), float64(b)/float64(a))
	}
}

// weight is how much of something there is.
type weight struct {
	what  string
	bytes int64
}

// weigh tells what the process has in its memory, and the parties on their disks.
func (w *way) weigh(t *testing.T) []weight {
	return []weight{
		{"live heap of all parties together", int64(live())},
		{"the gate's disk, without idle readings", size(t, filepath.Join(w.dir, "journal", "jetstream", "$G", "streams", share.ChainStream))},
		{"the hub's disk, for both agencies", size(t, filepath.Join(w.dir, "hub"))},
		{"a console's disk", size(t, filepath.Join(w.dir, event.Customs.Account()))},
	}
}

// idle stores idle readings of one lane until ctx ends.
func (w *way) idle(ctx context.Context, t *testing.T) {
	tick := time.NewTicker(idleEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			w.store(ctx, t)
		}
	}
}

// alerts sends live alerts for a while, waits until they are at both consoles, and
// says how long each took.
func (w *way) alerts(t *testing.T, long time.Duration) []time.Duration {
	w.mu.Lock()
	w.took = nil
	clear(w.sent)
	clear(w.seen)
	w.mu.Unlock()
	over := time.After(long)
	tick := time.NewTicker(liveEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if err := w.alert(t.Context(), "01"); err != nil {
				t.Error(err)
			}
		case <-over:
			w.wait(t)
			return w.took
		}
	}
}

// fill chains what the lanes share in an outage, in the order of its times, and says
// how many events that were and their bytes.
func (w *way) fill(t *testing.T, long time.Duration) (n, bytes int) {
	var batch []event.Envelope
	add := func(kind event.Type, id event.ID, about string, at time.Time, value any) {
		e, err := event.Wrap("/gate/15BB", kind, id, about, at, value)
		require.NoError(t, err)
		batch = append(batch, e)
		n++
	}
	begin := time.Now().Add(-long)
	var cars [backlogLanes]int
	for at := begin; at.Before(begin.Add(long)); at = at.Add(logEvery) {
		for lane := range backlogLanes {
			where := event.Where{Gate: "15BB", Lane: fmt.Sprintf("%02d", lane+1)}
			for d := range logging {
				where.Device = fmt.Sprint("device", d)
				log := frameLog(where, at)
				add(event.TypeFrameLog, log.ID, "15BB/"+where.Lane+"/"+where.Device, at, log)
			}
			if int(at.Sub(begin)/carEvery) < cars[lane] {
				continue
			}
			cars[lane]++
			p := lorry(where.Lane, at)
			for v := range versions {
				p.Version = v + 1
				add(event.TypePassage, event.DeriveID(at, "version", fmt.Sprint(v), p.ID), string(p.ID), at, p)
			}
			if cars[lane]%alertOf == 0 {
				a := event.Alert{ID: event.NewID(at), Sent: at, MsgType: "Alert", Where: event.Where{Gate: "15BB", Lane: where.Lane}, Passage: p.ID, EventCode: event.FindingRadiationGamma}
				add(event.TypeAlert, a.ID, string(p.ID), at, a)
			}
		}
		if len(batch) >= 250 {
			bytes += w.share(t, batch)
			batch = nil
		}
	}
	return n, bytes + w.share(t, batch)
}

func (w *way) share(t *testing.T, batch []event.Envelope) (bytes int) {
	links, err := w.chain.AppendAll(t.Context(), batch)
	require.NoError(t, err)
	for _, l := range links {
		bytes += len(l.Payload) + len(l.HeaderBytes)
	}
	return bytes
}

func frameLog(where event.Where, at time.Time) event.FrameLog {
	log := event.FrameLog{ID: event.NewID(at), Where: where, From: at, To: at.Add(logEvery), Count: digests}
	for range digests {
		log.Digests = append(log.Digests, event.Digest([]byte(event.NewID(at)))[:16])
	}
	return log
}

func lorry(lane string, at time.Time) event.Passage {
	left := at.Add(20 * time.Second)
	p := event.Passage{
		ID: event.NewID(at), Where: event.Where{Gate: "15BB", Lane: lane}, Kind: event.Vehicle, Direction: event.Entry, Flow: event.Goods,
		State: event.Closed, OpenedAt: at, LeftAt: &left, ClosedAt: &left,
		Plates: []event.PlateReading{{Text: fmt.Sprintf("12C%05d", at.Unix()%100000), Country: "VN", Score: 0.98}},
	}
	for i := range readings {
		p.Readings = append(p.Readings, event.ReadingRef{
			ID: event.NewID(at), Device: "rpm", Kind: event.RadiationSample, ReceivedAt: at.Add(time.Duration(i) * time.Second), Quality: event.Good,
			Frames: []string{event.Digest([]byte(event.NewID(at)))},
		})
	}
	return p
}

// reached says that both consoles hold everything up to a sequence.
func (w *way) reached(t *testing.T, sequence uint64) bool {
	for _, a := range w.handover.Status() {
		if a.Handed < sequence {
			return false
		}
	}
	for _, s := range w.stores {
		chains, err := s.Chains(t.Context())
		if err != nil || len(chains) != 1 || chains[0].Sequence < sequence {
			return false
		}
	}
	return true
}
