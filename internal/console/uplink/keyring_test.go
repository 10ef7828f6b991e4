package uplink_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/console/consoletest"
	"gatehouse/internal/console/store"
	"gatehouse/internal/event"
	"gatehouse/internal/trust"
)

// announce makes a change of the gate's key that proof signs, without handing it
// over.
func announce(t *testing.T, s *consoletest.Site, next, proof trust.Private) event.KeyChange {
	t.Helper()
	at := time.Now().UTC()
	k := event.KeyChange{
		ID: event.NewID(at), Gate: s.Gate, Old: s.Key.Public().ID(), New: next.Public().ID(), Public: string(next.Public().PEM()), Reason: "yearly", At: at,
	}
	k.Proof = proof.Sign(k.Statement())
	return k
}

func TestConsolesFollowAChangeOfTheGatesKey(t *testing.T) {
	site := consoletest.NewSite(t, "15BB")
	dir, own := t.TempDir(), key(t)
	customs := start(t, site, event.Customs, dir, own)
	n := 0
	share := func() event.Passage {
		t.Helper()
		n++
		at := time.Now().UTC()
		p := event.Passage{ID: event.DeriveID(at, "key", strconv.Itoa(n)), Version: 1, Where: event.Where{Gate: site.Gate, Lane: "01"}, State: event.Closed, OpenedAt: at}
		site.Share(t, event.TypePassage, p.ID, string(p.ID), p)
		return p
	}
	before := share()
	customs.until(t, "the first passage", func() bool { return customs.has(t, before.ID) })

	// Somebody with the old key alone, and a key of his own that did not sign.
	thief := key(t)
	forged := announce(t, site, thief, site.Key)
	site.Share(t, event.TypeKeyChange, forged.ID, site.Gate, forged)
	old, next := site.Key, key(t)
	site.Key = thief
	stolen := share()
	site.Key = old
	after := share()
	customs.until(t, "what came after", func() bool { return customs.has(t, after.ID) })
	require.False(t, customs.has(t, stolen.ID), "one key is not enough")

	// What the new key signed comes before the word of it, as records may.
	change := announce(t, site, next, next)
	link, err := site.Add(event.TypeKeyChange, change.ID, site.Gate, time.Now(), change)
	require.NoError(t, err)
	site.Key = next
	early := share()
	customs.until(t, "it is stored and not believed", func() bool {
		list, err := customs.Distrusted(t.Context(), site.Gate, "", 0, 100)
		require.NoError(t, err)
		return len(list) == 3
	})
	require.False(t, customs.has(t, early.ID))
	require.NoError(t, site.HandOver(event.Customs, link))
	customs.until(t, "it is believed", func() bool { return customs.has(t, early.ID) })
	use, err := customs.KeyOf(t.Context(), store.Place{Chain: link.Header.Chain, Sequence: link.Header.Sequence + 1})
	require.NoError(t, err)
	require.Equal(t, store.KeyUse{Key: next.Public().ID(), Old: old.Public().ID(), Since: use.Since, Reason: "yearly"}, use)

	// The old key proves nothing any more, also after a restart, which knows the
	// new one from its store alone.
	customs.stop()
	customs = start(t, site, event.Customs, dir, own)
	site.Key = old
	late := share()
	site.Key = next
	last := share()
	customs.until(t, "the last passage", func() bool { return customs.has(t, last.ID) })
	require.False(t, customs.has(t, late.ID))
}
