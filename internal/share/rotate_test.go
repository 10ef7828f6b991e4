package share_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/event"
	"gatehouse/internal/share"
	"gatehouse/internal/trust"
)

func TestAKeyChangeSignedByBothIsFollowed(t *testing.T) {
	js, _ := journal(t, t.TempDir())
	old, next := newKey(t), newKey(t)
	c := openChain(t, js, old)
	appendPassage := func(n int) {
		t.Helper()
		_, err := c.Append(t.Context(), passage(t, n))
		require.NoError(t, err)
	}
	appendPassage(1)
	kept := false
	l, err := c.Rotate(t.Context(), next, "yearly", func() error { kept = true; return nil })
	require.NoError(t, err)
	require.True(t, kept)
	require.NoError(t, l.Verify(old.Public()), "the old key signs it")
	announced, err := l.KeyChange()
	require.NoError(t, err)
	require.Equal(t, next.Public().ID(), announced.ID())
	last, ok, err := share.LastLink(t.Context(), js)
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, l.Hash(), last.Hash())

	// A restart right after the change goes on with the same chain, and so does a
	// later one.
	for n := 2; n < 5; n++ {
		c = openChain(t, js, next)
		require.Equal(t, l.Header.Chain, c.Head().Chain)
		appendPassage(n)
	}
	var file bytes.Buffer
	_, err = share.WriteExport(&file, share.Export(c.Read(t.Context(), 0)))
	require.NoError(t, err)
	check := func(file []byte, keys ...trust.Public) share.Report {
		t.Helper()
		r, err := share.Verify(bytes.NewReader(file), share.VerifyKeys{Gate: keys})
		require.NoError(t, err)
		return r
	}
	r := check(file.Bytes(), old.Public())
	require.True(t, r.Whole, "%v", r.First)
	require.Equal(t, []share.KeyChangeReport{{Chain: l.Header.Chain, Sequence: 2, Old: old.Public().ID(), New: next.Public().ID()}}, r.KeyChanges)
	require.False(t, check(file.Bytes(), next.Public()).Whole, "what was before is signed by another")

	// Whose key file came back from before the change begins a new chain.
	c = openChain(t, js, old)
	require.NotEqual(t, l.Header.Chain, c.Head().Chain)
}

func TestAKeyChangeThatOneKeySignedIsRefused(t *testing.T) {
	js, _ := journal(t, t.TempDir())
	old, thief := newKey(t), newKey(t)
	c := openChain(t, js, old)
	at := time.Now().UTC()
	claim := event.KeyChange{
		ID: event.NewID(at), Gate: gate, Old: old.Public().ID(), New: thief.Public().ID(), Public: string(thief.Public().PEM()), At: at,
	}
	for name, proof := range map[string][]byte{"none": nil, "the old key's": old.Sign(claim.Statement()), "of another change": thief.Sign([]byte("x"))} {
		claim.ID, claim.Proof = event.NewID(at), proof
		e, err := event.Wrap("/gate/"+gate, event.TypeKeyChange, claim.ID, gate, at, claim)
		require.NoError(t, err)
		l, err := c.Append(t.Context(), e)
		require.NoError(t, err)
		_, err = l.KeyChange()
		require.ErrorIs(t, err, share.ErrKeyChange, name)
	}
	var file bytes.Buffer
	_, err := share.WriteExport(&file, share.Export(c.Read(t.Context(), 0)))
	require.NoError(t, err)
	r, err := share.Verify(&file, share.VerifyKeys{Gate: []trust.Public{old.Public()}})
	require.NoError(t, err)
	require.False(t, r.Whole)
	require.Equal(t, share.WrongKey, r.First.Kind)
	require.Empty(t, r.KeyChanges)
}

// After the change the old key proves nothing, for whoever has stolen it.
func TestTheOldKeyEndsWithTheChange(t *testing.T) {
	js, _ := journal(t, t.TempDir())
	old, next := newKey(t), newKey(t)
	c := openChain(t, js, old)
	l, err := c.Rotate(t.Context(), next, "stolen", func() error { return errors.New("disk full") })
	require.ErrorContains(t, err, "disk full")
	good, err := c.Append(t.Context(), passage(t, 1))
	require.NoError(t, err)
	require.NoError(t, good.Verify(next.Public()), "it is on the record, so it goes on with the new key")
	forged := good
	forged.Header.Key = old.Public().ID()
	forged.HeaderBytes, err = json.Marshal(forged.Header)
	require.NoError(t, err)
	forged.Signature = old.Sign(forged.HeaderBytes)
	r, err := share.Verify(bytes.NewReader(export(t, []share.Link{l, forged})), share.VerifyKeys{Gate: []trust.Public{old.Public()}})
	require.NoError(t, err)
	require.False(t, r.Whole)
	require.Equal(t, share.WrongKey, r.First.Kind)
}
