package share_test

import (
	"context"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"gatehouse/internal/event"
	"gatehouse/internal/hub/client"
	"gatehouse/internal/share"
	"gatehouse/internal/trust"
)

// A gate that has lost its disk asks; one agency answers with two chains, the
// other is silent. The new chain names the newest head of the one that answered,
// and the answers are still there to be chained.
func TestANewChainNamesTheHeadsThatAgenciesHold(t *testing.T) {
	s := newSite(t, nil)
	fresh, err := share.IsNew(t.Context(), s.js)
	require.NoError(t, err)
	require.True(t, fresh)

	old := share.Head{Chain: gate + "-01M80AAAAAAAAAAAAAAAAAAAAA", Sequence: 90, Head: event.Digest([]byte("older"))}
	lost := share.Head{Chain: gate + "-01M80BBBBBBBBBBBBBBBBBBBBB", Sequence: 41, Head: event.Digest([]byte("newest"))}
	asked := make(chan string, 1)
	running(t, answering(s, event.Customs, asked, old, lost))

	keys := map[event.Agency]trust.Public{}
	for a, k := range s.keys {
		keys[a] = k.Public()
	}
	heads, err := share.Heads(t.Context(), share.AskConfig{Gate: gate, Hub: s.conn, Keys: keys, Wait: 3 * time.Second})
	require.ErrorContains(t, err, string(event.BorderGuard), "who does not answer is told")
	lost.Agency = event.Customs
	require.Equal(t, []share.Head{lost}, heads)
	require.Equal(t, share.AskHeads, <-asked)

	js, _ := journal(t, t.TempDir())
	chain, err := share.OpenChain(t.Context(), js, share.ChainConfig{Gate: gate, Key: s.key, After: heads, MaxBytes: 16 << 20})
	require.NoError(t, err)
	link, err := chain.Append(t.Context(), verdict(t, event.Customs))
	require.NoError(t, err)
	require.Equal(t, heads, link.Header.Start.After)
	fresh, err = share.IsNew(t.Context(), js)
	require.NoError(t, err)
	require.False(t, fresh)

	// The receipts come to the new chain; the end of the answers does not.
	sayings, err := share.NewSayings(share.SayingsConfig{Gate: gate, Chain: chain, Hub: s.conn, Keys: keys})
	require.NoError(t, err)
	running(t, sayings.Run)
	eventually(t, func() bool { return chain.Head().Sequence == 3 }, "both receipts are chained")
	require.NoError(t, s.say(event.Customs, verdict(t, event.Customs)))
	eventually(t, func() bool { return chain.Head().Sequence == 4 }, "the verdict is the next, and nothing came between")
}

// answering is a console that answers the first question in its inbox.
func answering(s *site, a event.Agency, asked chan<- string, held ...share.Head) func(context.Context) error {
	return func(ctx context.Context) error {
		stream, err := s.agencyJS(a).Stream(ctx, client.InboxStream)
		if err != nil {
			return err
		}
		consumer, err := stream.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{})
		if err != nil {
			return err
		}
		m, err := consumer.Next(jetstream.FetchMaxWait(time.Minute))
		if err != nil {
			return err
		}
		asked <- m.Headers().Get(share.HeaderAsk)
		for _, h := range append(held, share.Head{}) {
			if err := s.say(a, receipt(s.t, a, h)); err != nil {
				return err
			}
		}
		return nil
	}
}
