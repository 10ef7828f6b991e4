package share_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"gatehouse/internal/event"
	"gatehouse/internal/share"
	"gatehouse/internal/trust"
)

// record is a chain made by hand, so that a test can also make what a gate
// would never make.
type record struct {
	t      testing.TB
	key    trust.Private
	agency trust.Private
	links  []share.Link
	chain  string
}

func newRecord(t testing.TB, chain string, n int) *record {
	t.Helper()
	r := &record{t: t, key: newKey(t), agency: newKey(t), chain: chain}
	for i := range n {
		r.add(i)
	}
	return r
}

func (r *record) add(i int) {
	e := passage(r.t, i)
	var origin []byte
	switch i % 5 {
	case 2:
		e = alert(r.t, i)
	case 3:
		id := event.DeriveID(start(), "verdict", fmt.Sprint(i))
		e = said(r.t, event.Customs, event.TypeVerdict, id, event.Verdict{ID: id, Agency: event.Customs, Gate: gate})
	case 4:
		id := event.DeriveID(start(), "receipt", fmt.Sprint(i))
		last := r.links[len(r.links)-1].Head()
		e = said(r.t, event.Customs, event.TypeReceipt, id, event.Receipt{
			ID: id, Agency: event.Customs, Gate: gate, Chain: last.Chain, Sequence: last.Sequence, Head: last.Head,
		})
	}
	payload, err := e.Bytes()
	require.NoError(r.t, err)
	if i%5 >= 3 {
		origin, err = share.Seal(event.Customs, r.agency, payload)
		require.NoError(r.t, err)
	}
	h := share.Header{
		V: 1, Chain: r.chain, Sequence: 1, Event: e.ID, Type: e.Type, Delivery: e.Type.Delivery(),
		Digest: event.Digest(payload), Key: r.key.Public().ID(), At: start(),
	}
	if origin != nil {
		h.Origin = event.Digest(origin)
	}
	if n := len(r.links); n > 0 {
		h.Sequence, h.Previous = uint64(n+1), r.links[n-1].Hash()
	}
	r.sign(h, origin, payload)
}

func (r *record) sign(h share.Header, origin, payload []byte) {
	b, err := json.Marshal(h)
	require.NoError(r.t, err)
	l, err := share.ParseLink(b, r.key.Sign(b), origin, payload)
	require.NoError(r.t, err)
	r.links = append(r.links, l)
}

func all(links []share.Link) iter.Seq2[share.Link, error] {
	return func(yield func(share.Link, error) bool) {
		for _, l := range links {
			if !yield(l, nil) {
				return
			}
		}
	}
}

func export(t testing.TB, links []share.Link) []byte {
	t.Helper()
	var b bytes.Buffer
	n, err := share.WriteExport(&b, all(links))
	require.NoError(t, err)
	require.Equal(t, len(links), n)
	return b.Bytes()
}

func (r *record) keys() share.VerifyKeys {
	return share.VerifyKeys{Gate: []trust.Public{r.key.Public()}, Agency: []trust.Public{r.agency.Public()}}
}

func (r *record) verify(file []byte, keys share.VerifyKeys) share.Report {
	r.t.Helper()
	report, err := share.Verify(bytes.NewReader(file), keys)
	require.NoError(r.t, err)
	require.Equal(r.t, report.First == nil, report.Whole)
	return report
}

// lines of an export, each with its end.
func lines(file []byte) [][]byte {
	l := bytes.SplitAfter(file, []byte("\n"))
	return l[:len(l)-1]
}

func TestAWholeExport(t *testing.T) {
	r := newRecord(t, "15BB-A", 20)
	other := newRecord(t, "15BB-B", 3)
	other.key, r.key = r.key, other.key // as after a rotation
	report := r.verify(export(t, append(slices.Clone(r.links), other.links...)), share.VerifyKeys{
		Gate: []trust.Public{r.key.Public(), other.key.Public()},
	})
	require.True(t, report.Whole, "%v", report.First)
	require.Equal(t, 23, report.Events)
	require.Equal(t, 8, report.Unchecked, "agency keys were not given")
	require.Equal(t, []share.ChainReport{
		{Chain: "15BB-A", First: 1, Last: 20, Head: r.links[19].Hash()},
		{Chain: "15BB-B", First: 1, Last: 3, Head: other.links[2].Hash()},
	}, report.Chains)
}

func TestHeaderOnlyEntriesAreAllowed(t *testing.T) {
	r := newRecord(t, "15BB-A", 6)
	r.links[2].Payload = nil
	r.links[3].Payload = nil
	report := r.verify(export(t, r.links), r.keys())
	require.True(t, report.Whole, "%v", report.First)
	require.Equal(t, 2, report.HeaderOnly)
	require.Zero(t, report.Unchecked)
}

func TestAPartOfAChain(t *testing.T) {
	r := newRecord(t, "15BB-A", 10)
	file := export(t, r.links[4:])
	report := r.verify(file, r.keys())
	require.Equal(t, &share.Problem{Kind: share.Missing, Line: 1, Chain: "15BB-A", Sequence: 1,
		Detail: "it should be before this line and is not in the file"}, report.First)
	keys := r.keys()
	keys.Part = true
	require.True(t, r.verify(file, keys).Whole)
}

func TestACutOffEndIsNoticedWithAHead(t *testing.T) {
	r := newRecord(t, "15BB-A", 10)
	keys := r.keys()
	keys.Expect = []share.Head{r.links[9].Head()}
	require.True(t, r.verify(export(t, r.links), keys).Whole)
	require.Equal(t, share.Truncated, r.verify(export(t, r.links[:9]), keys).First.Kind)
	keys.Expect[0].Head = r.links[8].Hash()
	require.Equal(t, share.Forked, r.verify(export(t, r.links), keys).First.Kind)
	require.Equal(t, share.Truncated, r.verify(nil, r.keys()).First.Kind)
}

func TestWhatOnlyTheGateCouldForge(t *testing.T) {
	t.Run("another history", func(t *testing.T) {
		r := newRecord(t, "15BB-A", 6)
		h := r.links[3].Header
		h.At = h.At.Add(time.Second)
		r.sign(h, r.links[3].Origin, r.links[3].Payload)
		r.links[3] = r.links[6]
		report := r.verify(export(t, r.links[:6]), r.keys())
		require.Equal(t, share.Forked, report.First.Kind)
		require.EqualValues(t, 5, report.First.Sequence, "what follows shows that it was exchanged")
	})
	t.Run("a receipt says otherwise", func(t *testing.T) {
		r := newRecord(t, "15BB-A", 5)
		id := event.DeriveID(start(), "receipt", "x")
		e := said(t, event.Customs, event.TypeReceipt, id, event.Receipt{ID: id, Agency: event.Customs, Chain: r.chain, Sequence: 2, Head: r.links[0].Hash()})
		payload, err := e.Bytes()
		require.NoError(t, err)
		origin, err := share.Seal(event.Customs, r.agency, payload)
		require.NoError(t, err)
		last := r.links[4]
		r.sign(share.Header{V: 1, Chain: r.chain, Sequence: 6, Previous: last.Hash(), Event: id, Type: e.Type, Delivery: e.Type.Delivery(),
			Digest: event.Digest(payload), Origin: event.Digest(origin), Key: r.key.Public().ID(), At: start()}, origin, payload)
		report := r.verify(export(t, r.links), r.keys())
		require.Equal(t, share.Forked, report.First.Kind)
		require.EqualValues(t, 2, report.First.Sequence)
		require.Contains(t, report.First.Detail, "CUSTOMS has a receipt for another event")
	})
	t.Run("an agency's event", func(t *testing.T) {
		r := newRecord(t, "15BB-A", 3)
		r.agency = newKey(t)
		r.add(3)
		keys := r.keys()
		require.True(t, r.verify(export(t, r.links), keys).Whole)
		// The gate seals with a key of its own but under the agency's key id.
		var o share.Origin
		require.NoError(t, json.Unmarshal(r.links[3].Origin, &o))
		o.Signature = r.key.Sign(r.links[3].Payload)
		origin, err := json.Marshal(o)
		require.NoError(t, err)
		h := r.links[3].Header
		h.Origin = event.Digest(origin)
		r.links = r.links[:3]
		r.sign(h, origin, nil)
		r.links[3].Payload = nil
		require.True(t, r.verify(export(t, r.links), keys).Whole, "without payload the agency's signature cannot be checked")
	})
	t.Run("a hole wider than the file", func(t *testing.T) {
		r := newRecord(t, "15BB-A", 2)
		h := r.links[1].Header
		h.Sequence = 1 << 62
		r.links = r.links[:1]
		r.sign(h, nil, nil)
		report := r.verify(export(t, r.links), r.keys())
		require.Equal(t, share.Missing, report.First.Kind)
		require.EqualValues(t, 2, report.First.Sequence)
	})
}

func TestAnotherGatesKey(t *testing.T) {
	r := newRecord(t, "15BB-A", 3)
	keys := share.VerifyKeys{Gate: []trust.Public{newKey(t).Public()}}
	report := r.verify(export(t, r.links), keys)
	require.Equal(t, share.WrongKey, report.First.Kind)
	require.Equal(t, 1, report.First.Line)
	require.Equal(t, 3, report.Problems)
	_, err := share.Verify(strings.NewReader(""), share.VerifyKeys{})
	require.ErrorContains(t, err, "no key of the gate")
}

func TestEveryFlippedByteIsFound(t *testing.T) {
	r := newRecord(t, "15BB-A", 12)
	file := export(t, r.links)
	rapid.Check(t, func(rt *rapid.T) {
		at := rapid.IntRange(0, len(file)-2).Draw(rt, "at") // all but the end of the file
		changed := slices.Clone(file)
		changed[at] ^= rapid.ByteRange(1, 255).Draw(rt, "bits")
		report := r.verify(changed, r.keys())
		require.False(t, report.Whole)
		line := 1 + bytes.Count(file[:at], []byte("\n"))
		require.Equal(t, line, report.First.Line, "%v", report.First)
		require.Contains(t, []share.ProblemKind{share.Altered, share.WrongKey}, report.First.Kind)
		if line > 1 {
			require.EqualValues(t, line, report.First.Sequence)
		}
	})
}

func TestEveryRemovedLineIsFound(t *testing.T) {
	r := newRecord(t, "15BB-A", 12)
	keys := r.keys()
	keys.Expect = []share.Head{r.links[11].Head()}
	rapid.Check(t, func(rt *rapid.T) {
		l := lines(export(t, r.links))
		from := rapid.IntRange(0, 11).Draw(rt, "from")
		to := rapid.IntRange(from+1, 12).Draw(rt, "to")
		report := r.verify(bytes.Join(slices.Delete(l, from, to), nil), keys)
		require.False(t, report.Whole)
		require.Equal(t, from+1, report.First.Line)
		if to < 12 {
			require.Equal(t, share.Missing, report.First.Kind)
			require.EqualValues(t, from+1, report.First.Sequence)
			require.LessOrEqual(t, report.Problems, to-from)
		} else {
			require.Equal(t, share.Truncated, report.First.Kind)
		}
	})
}

func TestEverySwapIsFound(t *testing.T) {
	r := newRecord(t, "15BB-A", 12)
	rapid.Check(t, func(rt *rapid.T) {
		l := lines(export(t, r.links))
		a := rapid.IntRange(0, 10).Draw(rt, "a")
		b := rapid.IntRange(a+1, 11).Draw(rt, "b")
		l[a], l[b] = l[b], l[a]
		report := r.verify(bytes.Join(l, nil), r.keys())
		require.False(t, report.Whole)
		require.Equal(t, share.Moved, report.First.Kind, "%v", report.First)
		require.Equal(t, a+1, report.First.Line)
		require.EqualValues(t, a+1, report.First.Sequence)
	})
}

func TestEveryMovedLineIsFound(t *testing.T) {
	r := newRecord(t, "15BB-A", 12)
	rapid.Check(t, func(rt *rapid.T) {
		l := lines(export(t, r.links))
		from := rapid.IntRange(0, 11).Draw(rt, "from")
		to := rapid.IntRange(0, 11).Filter(func(n int) bool { return n != from }).Draw(rt, "to")
		line := l[from]
		l = slices.Insert(slices.Delete(l, from, from+1), to, line)
		report := r.verify(bytes.Join(l, nil), r.keys())
		require.False(t, report.Whole)
		require.Equal(t, share.Moved, report.First.Kind, "%v", report.First)
		require.Equal(t, min(from, to)+1, report.First.Line)
	})
}

func TestEveryDoubleIsFound(t *testing.T) {
	r := newRecord(t, "15BB-A", 12)
	rapid.Check(t, func(rt *rapid.T) {
		l := lines(export(t, r.links))
		from := rapid.IntRange(0, 11).Draw(rt, "from")
		to := rapid.IntRange(from+1, 12).Draw(rt, "to")
		report := r.verify(bytes.Join(slices.Insert(l, to, l[from]), nil), r.keys())
		require.False(t, report.Whole)
		require.Equal(t, share.Duplicated, report.First.Kind, "%v", report.First)
		require.Equal(t, to+1, report.First.Line)
		require.EqualValues(t, from+1, report.First.Sequence)
		require.Equal(t, 1, report.Problems)
	})
}

func TestAStolenPayloadDoesNotFit(t *testing.T) {
	r := newRecord(t, "15BB-A", 12)
	rapid.Check(t, func(rt *rapid.T) {
		links := slices.Clone(r.links)
		a := rapid.IntRange(0, 11).Draw(rt, "a")
		b := rapid.IntRange(0, 11).Filter(func(n int) bool { return n != a }).Draw(rt, "b")
		links[a].Payload = links[b].Payload
		report := r.verify(export(t, links), r.keys())
		require.False(t, report.Whole)
		require.Equal(t, share.Altered, report.First.Kind)
		require.EqualValues(t, a+1, report.First.Sequence)
		require.Equal(t, r.links[a].Header.Event, report.First.Event)
	})
}

func TestTheExportOfALiveChain(t *testing.T) {
	key := newKey(t)
	js, _ := journal(t, t.TempDir())
	c := openChain(t, js, key)
	fill(t, c, 0, 30)
	var file bytes.Buffer
	n, err := share.WriteExport(&file, share.Export(c.Read(t.Context(), 0)))
	require.NoError(t, err)
	require.Equal(t, 33, n)
	report, err := share.Verify(&file, share.VerifyKeys{Gate: []trust.Public{key.Public()}, Expect: []share.Head{c.Head()}})
	require.NoError(t, err)
	require.True(t, report.Whole, "%v", report.First)
}

func FuzzVerify(f *testing.F) {
	r := newRecord(f, "15BB-A", 3)
	f.Add(export(f, r.links))
	f.Add([]byte("{}\n"))
	f.Add([]byte("\n\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		report, err := share.Verify(bytes.NewReader(file), r.keys())
		require.NoError(t, err)
		require.Equal(t, report.Whole, report.First == nil)
	})
}
