package share_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"gatehouse/internal/event"
	"gatehouse/internal/share"
)

func TestTheChainGoesOnAfterReopening(t *testing.T) {
	dir, key := t.TempDir(), newKey(t)
	js, stop := journal(t, dir)
	c := openChain(t, js, key)
	first, err := c.Append(t.Context(), passage(t, 1))
	require.NoError(t, err)
	require.Regexp(t, `^15BB-[0-9A-Z]{26}$`, first.Header.Chain)
	require.Empty(t, first.Header.Previous)
	stop()

	js, _ = journal(t, dir)
	c = openChain(t, js, key)
	require.Equal(t, first.Head(), c.Head())
	second, err := c.Append(t.Context(), alert(t, 2))
	require.NoError(t, err)
	require.Equal(t, first.Hash(), second.Header.Previous)
	require.Equal(t, event.DeliverAlert, second.Header.Delivery)
	requireWhole(t, entries(t, c, 0), key.Public())
	require.Len(t, entries(t, c, 1), 1)
}

func TestAnEventIsChainedOnce(t *testing.T) {
	dir, key := t.TempDir(), newKey(t)
	js, stop := journal(t, dir)
	c := openChain(t, js, key)
	first, err := c.AppendAll(t.Context(), []event.Envelope{passage(t, 1), passage(t, 2), passage(t, 1)})
	require.NoError(t, err)
	require.Equal(t, first[0], first[2])
	again, err := c.AppendAll(t.Context(), []event.Envelope{passage(t, 2), passage(t, 3), passage(t, 1)})
	require.NoError(t, err)
	require.Equal(t, first[1].HeaderBytes, again[0].HeaderBytes)
	require.Equal(t, first[0].HeaderBytes, again[2].HeaderBytes)
	stop()

	js, _ = journal(t, dir)
	c = openChain(t, js, key)
	same, err := c.Append(t.Context(), passage(t, 2))
	require.NoError(t, err)
	require.Equal(t, first[1].HeaderBytes, same.HeaderBytes)
	require.Equal(t, first[1].Payload, same.Payload)
	require.Len(t, entries(t, c, 0), 3)
}

func TestManyAppendAtOnce(t *testing.T) {
	key := newKey(t)
	js, _ := journal(t, t.TempDir())
	c := openChain(t, js, key)
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := range 10 {
				// Half of the events are appended by two workers.
				_, err := c.AppendAll(t.Context(), []event.Envelope{passage(t, w/2*10+i), alert(t, w*10+i)})
				require.NoError(t, err)
			}
		})
	}
	wg.Wait()
	all := entries(t, c, 0)
	require.Len(t, all, 4*10+8*10)
	requireWhole(t, all, key.Public())
}

func TestALongBatchIsOneRun(t *testing.T) {
	key := newKey(t)
	js, _ := journal(t, t.TempDir())
	c := openChain(t, js, key)
	var events []event.Envelope
	for i := range 700 {
		events = append(events, passage(t, i))
	}
	links, err := c.AppendAll(t.Context(), events)
	require.NoError(t, err)
	for i, l := range links {
		require.Equal(t, events[i].ID, l.Header.Event)
	}
	requireWhole(t, entries(t, c, 0), key.Public())
}

func TestAnAppendInDoubtIsRepairedByAppendingAgain(t *testing.T) {
	key := newKey(t)
	js, _ := journal(t, t.TempDir())
	c := openChain(t, js, key)
	for i := range 20 {
		// A context that ends at some moment of the append leaves it open whether
		// the event was stored.
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			time.Sleep(time.Duration(i) * 100 * time.Microsecond)
			cancel()
		}()
		batch := []event.Envelope{passage(t, 3*i), passage(t, 3*i+1), alert(t, 3*i+2)}
		if _, err := c.AppendAll(ctx, batch); err != nil {
			_, err = c.AppendAll(t.Context(), batch)
			require.NoError(t, err)
		}
		cancel()
	}
	all := entries(t, c, 0)
	require.Len(t, all, 60)
	requireWhole(t, all, key.Public())
}

func TestAnotherWriterIsNoticed(t *testing.T) {
	key := newKey(t)
	js, _ := journal(t, t.TempDir())
	a, b := openChain(t, js, key), openChain(t, js, key)
	_, err := a.Append(t.Context(), passage(t, 1))
	require.NoError(t, err)
	_, err = b.AppendAll(t.Context(), []event.Envelope{passage(t, 2), passage(t, 3)})
	require.ErrorContains(t, err, "wrong last sequence")
	_, err = b.Append(t.Context(), passage(t, 2))
	require.NoError(t, err, "it has read again")
	requireWhole(t, entries(t, a, 0), key.Public())
}

func TestAFullRecordRefusesAndStaysWhole(t *testing.T) {
	key := newKey(t)
	js, _ := journal(t, t.TempDir())
	c, err := share.OpenChain(t.Context(), js, share.ChainConfig{Gate: gate, Key: key, MaxBytes: 20_000})
	require.NoError(t, err)
	n := 0
	for ; err == nil; n++ {
		_, err = c.Append(t.Context(), passage(t, n))
	}
	require.ErrorIs(t, err, share.ErrChainFull)
	_, err = c.AppendAll(t.Context(), []event.Envelope{passage(t, 1000), passage(t, 1001)})
	require.ErrorIs(t, err, share.ErrChainFull)
	requireWhole(t, entries(t, c, 0), key.Public())

	gone, err := c.Retire(t.Context(), 0, 3)
	require.NoError(t, err)
	require.Equal(t, 3, gone)
	_, err = c.AppendAll(t.Context(), []event.Envelope{passage(t, 1000), passage(t, 1001)})
	require.NoError(t, err)
}

func TestRetireKeepsWhatIsYoungUnsentOrLast(t *testing.T) {
	key, dir := newKey(t), t.TempDir()
	js, stop := journal(t, dir)
	c := openChain(t, js, key)
	for i := range 10 {
		_, err := c.AppendAll(t.Context(), []event.Envelope{passage(t, i), alert(t, i)})
		require.NoError(t, err)
	}
	gone, err := c.Retire(t.Context(), time.Hour, 20)
	require.NoError(t, err)
	require.Zero(t, gone, "all are young")
	gone, err = c.Retire(t.Context(), 0, 5)
	require.NoError(t, err)
	require.Equal(t, 5, gone)
	require.EqualValues(t, 6, entries(t, c, 0)[0].Position)
	gone, err = c.Retire(t.Context(), 0, 100)
	require.NoError(t, err)
	require.Equal(t, 14, gone)
	require.Len(t, entries(t, c, 0), 1)
	head := c.Head()
	stop()

	js, _ = journal(t, dir)
	c = openChain(t, js, key)
	require.Equal(t, head, c.Head())
	next, err := c.Append(t.Context(), passage(t, 77))
	require.NoError(t, err)
	require.EqualValues(t, 21, next.Header.Sequence)
}

func TestANewChainNamesWhatTheAgenciesHold(t *testing.T) {
	key := newKey(t)
	js, _ := journal(t, t.TempDir())
	after := []share.Head{{Agency: event.Customs, Chain: "15BB-OLD", Sequence: 7, Head: "aa"}}
	c, err := share.OpenChain(t.Context(), js, share.ChainConfig{Gate: gate, Key: key, After: after, MaxBytes: 1 << 20})
	require.NoError(t, err)
	links, err := c.AppendAll(t.Context(), []event.Envelope{passage(t, 1), passage(t, 2)})
	require.NoError(t, err)
	require.Equal(t, after, links[0].Header.Start.After)
	require.Nil(t, links[1].Header.Start)
}

func TestANewKeyBeginsANewChain(t *testing.T) {
	old, key := newKey(t), newKey(t)
	js, _ := journal(t, t.TempDir())
	last, err := openChain(t, js, old).Append(t.Context(), passage(t, 1))
	require.NoError(t, err)
	c := openChain(t, js, key)
	next, err := c.Append(t.Context(), passage(t, 2))
	require.NoError(t, err)
	require.NotEqual(t, last.Header.Chain, next.Header.Chain)
	require.EqualValues(t, 1, next.Header.Sequence)
	require.Equal(t, []share.Head{last.Head()}, next.Header.Start.After)
	require.NoError(t, next.Verify(key.Public()))
	c = openChain(t, js, key)
	require.Equal(t, next.Head(), c.Head())
}

// A record of any mixture, appended in any pieces and over any number of
// restarts, is one whole chain with every event once.
func TestAnyCourseOfAppendsIsOneChain(t *testing.T) {
	js, _ := journal(t, t.TempDir())
	salt, before := 0, uint64(0)
	rapid.Check(t, func(r *rapid.T) {
		// Every check has a chain of its own in the same stream, by its own key.
		key := newKey(t)
		c := openChain(t, js, key)
		salt += 100
		before += uint64(len(entries(t, c, before)))
		want := map[event.ID]bool{}
		for _, numbers := range rapid.SliceOfN(rapid.SliceOfN(rapid.IntRange(0, 30), 0, 6), 1, 4).Draw(r, "batches") {
			if len(numbers) == 0 {
				head := c.Head()
				c = openChain(t, js, key)
				if head.Sequence > 0 {
					require.Equal(t, head, c.Head())
				}
				continue
			}
			var batch []event.Envelope
			for _, n := range numbers {
				e := passage(t, salt+n)
				if n%3 == 0 {
					e = alert(t, salt+n)
				}
				batch = append(batch, e)
				want[e.ID] = true
			}
			links, err := c.AppendAll(t.Context(), batch)
			require.NoError(t, err)
			for i, l := range links {
				require.Equal(t, batch[i].ID, l.Header.Event)
			}
		}
		all := entries(t, c, before)
		got := map[event.ID]bool{}
		for i := range all {
			all[i].Position -= before
			require.False(t, got[all[i].Header.Event])
			got[all[i].Header.Event] = true
		}
		requireWhole(t, all, key.Public())
		require.Equal(t, want, got)
	})
}

func TestALinkGoesThroughNATSHeaders(t *testing.T) {
	key, agency := newKey(t), newKey(t)
	js, _ := journal(t, t.TempDir())
	c := openChain(t, js, key)
	link, err := c.Append(t.Context(), passage(t, 1))
	require.NoError(t, err)
	back, err := share.ParseMessage(link.NATSHeader(), link.Payload)
	require.NoError(t, err)
	require.Equal(t, link.Header.Digest, back.Header.Digest)
	require.Equal(t, link.HeaderBytes, back.HeaderBytes)
	require.False(t, back.Late)
	require.NoError(t, back.Verify(key.Public()))
	require.ErrorIs(t, back.Verify(agency.Public()), share.ErrKey)

	for name, change := range map[string]func(*share.Link){
		"payload":   func(l *share.Link) { l.Payload = append(slices.Clone(l.Payload), ' ') },
		"origin":    func(l *share.Link) { l.Origin = []byte("{}") },
		"header":    func(l *share.Link) { l.HeaderBytes = append(slices.Clone(l.HeaderBytes), ' ') },
		"signature": func(l *share.Link) { l.Signature = make([]byte, 64) },
	} {
		changed := back.Link
		change(&changed)
		require.Error(t, changed.Verify(key.Public()), name)
	}
	headerOnly := back.Link
	headerOnly.Payload = nil
	require.NoError(t, headerOnly.Verify(key.Public()))
	_, err = share.ParseMessage(nil, nil)
	require.ErrorIs(t, err, share.ErrHeader)
}

func BenchmarkAppend(b *testing.B) {
	for _, n := range []int{1, 16, 256} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			js, stop := journal(b, b.TempDir())
			defer stop()
			c := openChain(b, js, newKey(b))
			next := 0
			for b.Loop() {
				batch := make([]event.Envelope, n)
				for i := range batch {
					batch[i] = passage(b, next)
					next++
				}
				_, err := c.AppendAll(b.Context(), batch)
				require.NoError(b, err)
			}
			b.ReportMetric(float64(next)/b.Elapsed().Seconds(), "events/s")
		})
	}
}
