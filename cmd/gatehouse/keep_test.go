package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"gatehouse/internal/control"
	"gatehouse/internal/event"
	"gatehouse/internal/hub/client"
	"gatehouse/internal/retention"
	"gatehouse/internal/share"
	"gatehouse/internal/trust"
)

// records are how many records each stream of the journal has and the oldest's time.
func records(st control.Status) map[string]control.Stream {
	all := map[string]control.Stream{}
	for _, s := range st.Streams {
		all[s.Name] = s
	}
	return all
}

// A device or a lane that leaves the configuration leaves all its records behind,
// evidence goes by no other way than a rule, and a new key, which both keys sign, is
// a part of the same record.
func TestRecordsOutliveDevicesLanesAndKeys(t *testing.T) {
	s := newSite(t)
	one, two := newPortal(t, 100*time.Millisecond, background), newPortal(t, 100*time.Millisecond, background)
	first := strings.ReplaceAll(lane01, "RPM", one.address)
	second := strings.ReplaceAll(strings.ReplaceAll(lane01, "RPM", two.address), `"01"`, `"02"`)
	s.write(first + second)
	s.start()
	up := func(lane string) func(control.Status) bool {
		return func(st control.Status) bool { return deviceOf(st, lane, "rpm").State == event.Up }
	}
	s.until("lane 02 is up", up("02"))
	ofLane2 := func(d event.DeviceChange) bool { return d.Lane == "02" && d.Device == "rpm" && d.State == event.Up }
	said := customs(s, event.TypeDevice, ofLane2)
	digest := event.Digest([]byte("a picture"))
	piece := filepath.Join(s.dir, "gate", "evidence", digest[:2], digest)
	require.NoError(t, os.MkdirAll(filepath.Dir(piece), 0o750))
	require.NoError(t, os.WriteFile(piece, []byte("a picture"), 0o440))

	kept := func(before, after control.Status) {
		t.Helper()
		for name, was := range records(before) {
			is := records(after)[name]
			if name == "SNAPSHOT" || strings.HasPrefix(name, "KV_") {
				continue // the newest of each name
			}
			require.GreaterOrEqual(t, is.Records, was.Records, name)
			require.Equal(t, was.First, is.First, name)
		}
		require.FileExists(t, piece)
		require.Equal(t, said, customs(s, event.TypeDevice, ofLane2))
	}
	before := s.until("lane 02 is up", up("02"))
	s.write(first + "  - id: \"02\"\n    devices: []\n")
	out, _, status := s.gatectl("reload", "--state", "gate")
	require.Zero(t, status, out)
	require.Contains(t, out, "02 rpm removed")
	kept(before, s.until("lane 01 goes on", up("01")))

	_, stderr, status := s.gatectl("keys", "rotate", "--state", "gate")
	require.Equal(t, 2, status, "a change needs a reason")
	require.Contains(t, stderr, "--reason")
	out, stderr, status = s.gatectl("keys", "rotate", "--reason", "yearly", "--json", "--state", "gate")
	require.Zero(t, status, stderr)
	var key control.Rotated
	require.NoError(t, json.Unmarshal([]byte(out), &key))

	before = s.until("lane 01 goes on", up("01"))
	s.stop()
	s.write(first)
	s.start()
	kept(before, s.until("lane 01 goes on", up("01")))

	out, _, status = s.gatectl("retention", "--dry-run", "--json", "--state", "gate")
	require.Zero(t, status)
	var r retention.Report
	require.NoError(t, json.Unmarshal([]byte(out), &r))
	require.Len(t, r.Rules, 6)
	require.Equal(t, []string{retention.StaysUnknown}, []string{r.Stays[0].Why}, "no record names it")
	require.Equal(t, 1, r.Stays[0].Count)
	out, _, status = s.gatectl("retention", "--state", "gate")
	require.Zero(t, status)
	require.Contains(t, out, "clear-bursts")
	require.Contains(t, out, "no record names it")
	require.FileExists(t, piece)

	now, err := trust.LoadPublic(filepath.Join(s.dir, "gate", "keys", "gate.pub"))
	require.NoError(t, err)
	require.Equal(t, key.New, now.ID())
	require.NoFileExists(t, filepath.Join(s.dir, "gate", "keys", "next.key"))
	links := s.inbox(func(l share.Link) bool { return l.Header.Key == key.New })
	require.Equal(t, key.Chain, links[len(links)-1].Header.Chain, "the same record goes on")
	file := filepath.Join(s.dir, "export.jsonl")
	f, err := os.Create(file)
	require.NoError(t, err)
	_, err = share.WriteExport(f, func(yield func(share.Link, error) bool) {
		for _, l := range links {
			if !yield(l, nil) {
				return
			}
		}
	})
	require.NoError(t, err)
	require.NoError(t, f.Close())
	out, _, status = s.gatectl("verify", file, "--key", filepath.Join(s.dir, key.OldPublic))
	require.Zero(t, status, out)
	require.Contains(t, out, "whole")
	require.Contains(t, out, "key "+key.New)
	_, _, status = s.gatectl("verify", file, "--key", filepath.Join(s.dir, key.Public))
	require.Equal(t, 1, status, "the last key alone does not prove the beginning")
}

// inbox is what Customs was handed, in the order of the chain and without a hole,
// once it holds a link that is as wanted.
func (s *site) inbox(wanted func(share.Link) bool) []share.Link {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	nc, err := client.Connect("nats://"+s.hub, "test", s.seed, slog.New(slog.DiscardHandler))
	require.NoError(s.t, err)
	defer nc.Close()
	js, err := jetstream.New(nc)
	require.NoError(s.t, err)
	inbox, err := js.OrderedConsumer(ctx, client.InboxStream, jetstream.OrderedConsumerConfig{DeliverPolicy: jetstream.DeliverAllPolicy})
	require.NoError(s.t, err)
	messages, err := inbox.Messages()
	require.NoError(s.t, err)
	defer messages.Stop()
	all := map[uint64]share.Link{}
	for until := uint64(0); ; {
		m, err := messages.Next(jetstream.NextContext(ctx))
		require.NoError(s.t, err)
		l, err := share.ParseMessage(m.Headers(), m.Data())
		require.NoError(s.t, err)
		all[l.Header.Sequence] = l.Link
		if until == 0 && wanted(l.Link) {
			until = l.Header.Sequence
		}
		var whole []share.Link
		for n := uint64(1); n <= until; n++ {
			if one, ok := all[n]; ok {
				whole = append(whole, one)
			}
		}
		if until > 0 && uint64(len(whole)) == until {
			return whole
		}
	}
}
