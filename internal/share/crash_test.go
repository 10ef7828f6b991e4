package share_test

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"gatehouse/internal/event"
	"gatehouse/internal/share"
	"gatehouse/internal/trust"
)

// envCrash makes the test binary the victim of TestKillNeverBreaksTheChain: it
// names the folder of the journal and of the key.
const envCrash = "GATEHOUSE_TEST_CHAIN"

// TestVictim appends for ever and says what was acknowledged. It is run by
// TestKillNeverBreaksTheChain in a process of its own.
func TestVictim(t *testing.T) {
	dir := os.Getenv(envCrash)
	if dir == "" {
		t.Skip("only as the victim of another test")
	}
	key, err := trust.Load(dir + "/gate.key")
	require.NoError(t, err)
	js, _ := journal(t, dir+"/journal")
	c := openChain(t, js, key)
	for i := int(c.Head().Sequence); ; i++ {
		events := []event.Envelope{passage(t, i)}
		for n := range i % 40 { // batches of every size, atomic ones too
			events = append(events, alert(t, i*100+n))
		}
		links, err := c.AppendAll(t.Context(), events)
		require.NoError(t, err)
		for _, l := range links {
			fmt.Println("CHAINED", l.Header.Sequence, l.Hash())
		}
	}
}

func TestKillNeverBreaksTheChain(t *testing.T) {
	dir := t.TempDir()
	key, err := trust.Create(dir + "/gate.key")
	require.NoError(t, err)
	acknowledged := map[string]string{}
	for range 4 {
		acknowledge(t, dir, 30+rand.IntN(150), acknowledged)
	}
	require.NotEmpty(t, acknowledged)
	js, _ := journal(t, dir+"/journal")
	c := openChain(t, js, key)
	all := entries(t, c, 0)
	requireWhole(t, all, key.Public())
	ids := map[event.ID]bool{}
	have := map[string]string{}
	for _, e := range all {
		require.False(t, ids[e.Header.Event], "an event is chained twice")
		ids[e.Header.Event] = true
		have[fmt.Sprint(e.Header.Sequence)] = e.Hash()
	}
	for sequence, hash := range acknowledged {
		require.Equal(t, hash, have[sequence], "what was acknowledged is there, unchanged")
	}
}

// acknowledge runs the victim until it has chained some events, kills it, and
// collects what it was told to be on disk.
func acknowledge(t *testing.T, dir string, events int, acknowledged map[string]string) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestVictim$")
	cmd.Env = append(os.Environ(), envCrash+"="+dir)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	lines := bufio.NewScanner(out)
	for n := 0; lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) != 3 || fields[0] != "CHAINED" {
			continue
		}
		acknowledged[fields[1]] = fields[2]
		if n++; n == events {
			require.NoError(t, cmd.Process.Kill())
		}
	}
	require.Error(t, cmd.Wait(), "it was killed")
}

// cutter is the network to the hub. It cuts every connection after some bytes,
// so that publishes and acknowledgements are lost in the middle.
type cutter struct {
	listener net.Listener
	to       string
	wg       sync.WaitGroup

	mu    sync.Mutex
	left  int // connections that will be cut
	conns map[net.Conn]bool
}

func newCutter(t *testing.T, to string, cuts int) *cutter {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	c := &cutter{listener: l, to: to, left: cuts, conns: map[net.Conn]bool{}}
	c.wg.Go(c.accept)
	t.Cleanup(func() {
		_ = l.Close()
		c.mu.Lock()
		for conn := range c.conns {
			_ = conn.Close()
		}
		c.mu.Unlock()
		c.wg.Wait()
	})
	return c
}

func (c *cutter) accept() {
	for {
		in, err := c.listener.Accept()
		if err != nil {
			return
		}
		out, err := net.Dial("tcp", c.to)
		if err != nil {
			_ = in.Close()
			continue
		}
		c.mu.Lock()
		most := int64(1 << 40)
		if c.left > 0 {
			most = 10_000 + rand.Int64N(40_000)
		}
		c.left--
		c.conns[in], c.conns[out] = true, true
		c.mu.Unlock()
		for _, way := range [][2]net.Conn{{in, out}, {out, in}} {
			c.wg.Go(func() {
				_, _ = io.CopyN(way[0], way[1], most/int64(1+rand.IntN(20)))
				_ = in.Close()
				_ = out.Close()
			})
		}
	}
}

func (c *cutter) cuts() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.left
}

// Lost acknowledgements make the gate send again. The agency's stream drops
// those doubles, and order within a class holds.
func TestCutConnectionsLoseAndDoubleNothing(t *testing.T) {
	s := newSite(t, nil)
	network := newCutter(t, s.options.Listen, 12)
	s.conn.Close()
	direct := s.options.Listen
	s.options.Listen = network.listener.Addr().String()
	s.conn = s.connect(s.gateSeed)
	s.options.Listen = direct
	h := s.handover(nil)
	running(t, h.Run)
	for n := 0; network.cuts() >= 0; n += 20 {
		fill(t, s.chain, n, 20)
		s.handed(h, event.Agencies()...)
	}
	s.handed(h, event.Agencies()...)
	for _, a := range event.Agencies() {
		require.Zero(t, status(h, a).Recreated, "a lost acknowledgement is not a lost stream")
		requireAll(t, s.stored(a), entries(t, s.chain, 0))
	}
}

// The status counts what a reading of the whole chain would count.
func TestStatusCounts(t *testing.T) {
	js, _ := journal(t, t.TempDir())
	c := openChain(t, js, newKey(t))
	kinds := []bool{false, true, false, false, true, true, true, false, true, false, false, false, true, true} // is it an alert?
	for i, isAlert := range kinds {
		e := passage(t, i)
		if isAlert {
			e = alert(t, i)
		}
		_, err := c.Append(t.Context(), e)
		require.NoError(t, err)
	}
	h := openHandover(t, js, c)
	kv, err := js.KeyValue(t.Context(), "handover")
	require.NoError(t, err)
	rapid.Check(t, func(rt *rapid.T) {
		at := map[bool]int{}
		for class, name := range map[bool]string{true: "alert", false: "record"} {
			// A cursor is on an entry of its class, or at the beginning.
			at[class] = rapid.IntRange(0, len(kinds)).Filter(func(n int) bool { return n == 0 || kinds[n-1] == class }).Draw(rt, name)
			_, err := kv.Put(t.Context(), "CUSTOMS."+name, []byte(fmt.Sprintf(`{"position":%d}`, at[class])))
			require.NoError(t, err)
		}
		h = openHandover(t, js, c)
		left, handed := map[bool]int{}, 0
		for i, isAlert := range kinds {
			if i+1 > at[isAlert] {
				left[isAlert]++
			}
			if handed == i && i+1 <= at[isAlert] {
				handed = i + 1
			}
		}
		got := status(h, event.Customs)
		require.EqualValues(t, left[true], got.Alerts)
		require.EqualValues(t, left[false], got.Records)
		require.EqualValues(t, handed, got.Handed)
	})
}

func openHandover(t *testing.T, js jetstream.JetStream, c *share.Chain) *share.Handover {
	t.Helper()
	h, err := share.OpenHandover(t.Context(), share.HandoverConfig{
		Gate: gate, Chain: c, Hub: js.Conn(), Agencies: []event.Agency{event.Customs}, LateAfter: time.Hour,
	})
	require.NoError(t, err)
	return h
}
