package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/control"
	"gatehouse/internal/event"
	"gatehouse/internal/journal"
)

const lane01 = `  - id: "01"
    direction: entry
    join: {after: 1s}
    devices:
      - {id: rpm, driver: rpm, owner: CUSTOMS, role: presence, required: true, settings: {line: {tcp: "RPM"}}}
`

// A device whose section is wrong is faulty and says why; the others run, and
// each passage says that it was not looked at.
func TestABadDeviceDegradesAlone(t *testing.T) {
	s := newSite(t)
	rpm := newPortal(t, 50*time.Millisecond, background)
	s.write(strings.ReplaceAll(lane01, "RPM", rpm.address) + `      - id: scale
        driver: scale
        owner: CUSTOMS
        role: scale
        required: true
        settings:
          line: {port: /dev/null, buad: 9600}
  - id: "02"
    join: {after: tomorrow}
    devices:
      - {id: rpm, driver: rpm, owner: BORDERGUARD, role: presence, settings: {line: {tcp: "127.0.0.1:9"}}}
`)
	s.start()

	st := s.until("the portal is up", func(st control.Status) bool {
		return deviceOf(st, "01", "rpm").State == event.Up && !deviceOf(st, "01", "scale").Since.IsZero()
	})
	const buad = "gate.yaml:20:35: unknown field buad, did you mean baud?"
	scale := deviceOf(st, "01", "scale")
	require.Equal(t, event.Faulty, scale.State)
	require.Equal(t, "configuration: "+buad, scale.Reason)
	require.Equal(t, event.Faulty, deviceOf(st, "02", "rpm").State, "the settings of its lane are wrong")
	require.Contains(t, deviceOf(st, "02", "rpm").Reason, "configuration of the lane: gate.yaml:22:19: after is")
	require.Len(t, st.Config.Problems, 2)

	// What officers see.
	change := customs(s, event.TypeDevice, func(d event.DeviceChange) bool { return d.Device == "scale" && d.State == event.Faulty })
	require.Contains(t, change.Reason, buad)
	for _, line := range []string{"GS,000045,000045,000045,000045", "GS,000045,000045,000045,000045", "GX,000018,004741,000000,000000"} {
		rpm.lines <- line
	}
	p := customs(s, event.TypePassage, func(p event.Passage) bool { return p.State == event.Closed })
	i := slices.IndexFunc(p.Coverage, func(c event.Coverage) bool { return c.Device == "scale" })
	require.GreaterOrEqual(t, i, 0)
	require.Equal(t, event.Faulty, p.Coverage[i].State)
	require.False(t, p.Coverage[i].Looked)
}

// Only what concerns the whole place ends a start, and everything is told.
func TestABadPlaceDoesNotStart(t *testing.T) {
	s := newSite(t)
	s.write(strings.ReplaceAll(lane01, "RPM", "127.0.0.1:9") + "    joinn: {}\nstat: gate\n")
	out, err := startAndFail(s)
	require.Error(t, err)
	require.Contains(t, out, "gate.yaml:14:5: unknown field joinn, did you mean join?")
	require.Contains(t, out, "gate.yaml:15:1: unknown field stat, did you mean state?")
}

// A change exchanges what differs and nothing else: the device that stays keeps
// its line, and every frame of it is in the journal.
func TestReloadExchangesOnlyWhatDiffers(t *testing.T) {
	s := newSite(t)
	rpm := newPortal(t, 10*time.Millisecond, background)
	other := newPortal(t, 50*time.Millisecond, background)
	moved := newPortal(t, 50*time.Millisecond, background)
	reader := newPortal(t, time.Hour, background)
	first := strings.ReplaceAll(lane01, "RPM", rpm.address) + `      - {id: second, driver: rpm, owner: CUSTOMS, role: other, settings: {line: {tcp: "SECOND"}}}
      - {id: leaves, driver: barcode, owner: CUSTOMS, role: barcode, settings: {line: {tcp: "127.0.0.1:9"}}}
`
	s.write(strings.ReplaceAll(first, "SECOND", other.address))
	s.start()
	up := func(id string) func(control.Status) bool {
		return func(st control.Status) bool { return deviceOf(st, "01", id).State == event.Up }
	}
	s.until("both are up", func(st control.Status) bool { return up("rpm")(st) && up("second")(st) })
	out, errs, status := s.gatectl("reload")
	require.Zero(t, status, errs)
	require.Equal(t, "Nothing that runs has changed.\nThe configuration is in force.\n", out)

	before := s.until("running", func(control.Status) bool { return true })
	second := strings.Replace(first, "leaves", "comes", 1)
	second = strings.Replace(second, "127.0.0.1:9", reader.address, 1)
	second = strings.Replace(second, "role: presence, required: true", "role: presence, required: false", 1)
	second = strings.Replace(second, "after: 1s", "after: 2s", 1)
	s.write(strings.ReplaceAll(second, "SECOND", moved.address))
	require.True(t, s.until("running", func(control.Status) bool { return true }).Config.Differs)
	out, errs, status = s.gatectl("reload", "--json")
	require.Zero(t, status, errs)
	var done control.Reloaded
	require.NoError(t, json.Unmarshal([]byte(out), &done))
	require.ElementsMatch(t, []control.Change{
		{Lane: "01", What: control.Adjusted},
		{Lane: "01", Device: "rpm", What: control.Adjusted},
		{Lane: "01", Device: "second", What: control.Restarted},
		{Lane: "01", Device: "comes", What: control.Added},
		{Lane: "01", Device: "leaves", What: control.Removed},
	}, done.Changes)
	after := s.until("the second is up at its new place", up("second"))
	require.NotEqual(t, before.Config.Digest, after.Config.Digest)
	require.Equal(t, done.Digest, after.Config.Digest)
	require.Empty(t, deviceOf(after, "01", "leaves").ID)
	require.Equal(t, "comes", deviceOf(after, "01", "comes").ID)
	require.False(t, deviceOf(after, "01", "rpm").Required)

	_, sent := rpm.counts()
	require.Eventually(t, func() bool { _, now := rpm.counts(); return len(now) > len(sent)+100 }, patience, 10*time.Millisecond)
	accepted, _ := rpm.counts()
	require.Equal(t, 1, accepted, "the line of the device that stays was never closed")
	accepted, _ = moved.counts()
	require.Equal(t, 1, accepted)
	s.stop()

	_, sent = rpm.counts()
	entries, stored := s.journal()
	for _, digest := range sent[:len(sent)-50] { // what was on its way at the end may be missing
		require.Contains(t, stored, digest)
	}
	require.Equal(t, []string{before.Config.Digest, after.Config.Digest}, configs(entries))
	requireOrder(t, entries)
}

// requireOrder wants the ended device to be down before the new configuration,
// and up after it.
func requireOrder(t *testing.T, entries []event.JournalEntry) {
	t.Helper()
	var story []string
	for _, e := range entries {
		switch {
		case e.Kind == event.EntryConfig:
			story = append(story, "config")
		case e.Kind == event.EntryLink && e.Link.Device == "second":
			story = append(story, string(e.Link.State))
		}
	}
	require.Equal(t, []string{"up", "down", "config", "up"}, story)
}

// configs are the digests that the entries put in force.
func configs(entries []event.JournalEntry) []string {
	var all []string
	for _, e := range entries {
		switch e.Kind {
		case event.EntryStart:
			all = append(all, e.Start.Config)
		case event.EntryConfig:
			all = append(all, e.Config)
		}
	}
	return all
}

// journal reads the stopped daemon's journal: its main entries, and the
// digests of all frames.
func (s *site) journal() (entries []event.JournalEntry, frames map[string]bool) {
	s.t.Helper()
	ctx, cancel := context.WithCancel(s.t.Context())
	defer cancel()
	j, err := journal.Open(ctx, journal.Options{
		Dir: filepath.Join(s.dir, "gate", "journal"), MaxBytes: 8 << 30, MaxAge: 90 * 24 * time.Hour,
		IdleMaxBytes: 2 << 30, IdleMaxAge: 48 * time.Hour, Log: slog.New(slog.DiscardHandler),
	})
	require.NoError(s.t, err)
	defer j.Close()
	frames = map[string]bool{}
	for _, stream := range []journal.Stream{journal.Main, journal.Idle} {
		last, _, err := j.Last(ctx, stream)
		require.NoError(s.t, err)
		each, end := context.WithCancel(ctx)
		require.NoError(s.t, j.Follow(each, stream, 1, func(r journal.Record) error {
			for _, e := range r.Entries {
				if e.Reading != nil {
					for _, f := range e.Reading.Frames {
						frames[f] = true
					}
				}
				if stream == journal.Main {
					entries = append(entries, e)
				}
			}
			if r.Sequence >= last {
				end()
			}
			return nil
		}))
		end()
	}
	return entries, frames
}

// A file with mistakes, or with changes that need a restart, changes nothing.
func TestABadFileChangesNothing(t *testing.T) {
	s := newSite(t)
	rpm := newPortal(t, 20*time.Millisecond, background)
	good := strings.ReplaceAll(lane01, "RPM", rpm.address)
	s.write(good)
	s.start()
	before := s.until("the portal is up", func(st control.Status) bool { return deviceOf(st, "01", "rpm").State == event.Up })

	s.write(strings.Replace(good, "after: 1s", "after: soon", 1) + "      - {id: x, driver: scales, owner: NAVY, settings: {}}\n")
	out, errs, status := s.gatectl("reload", "--lang", "en")
	require.Equal(t, 1, status)
	require.Empty(t, errs)
	require.Contains(t, out, `gate.yaml:11:19: after is "soon" and must be a time with its unit`)
	require.Contains(t, out, `gate.yaml:14:25: there is no driver scales, did you mean scale?`)
	require.Contains(t, out, `gate.yaml:14:40: owner is "NAVY" and must be CUSTOMS or BORDERGUARD`)
	require.Contains(t, out, "NOTHING WAS CHANGED: the configuration has mistakes.\n")

	s.write(good + "  - id: \"02\"\n")
	text, err := os.ReadFile(filepath.Join(s.dir, "gate.yaml"))
	require.NoError(t, err)
	elsewhere := strings.Replace(string(text), "reserve: 1 MiB", "reserve: 2 MiB", 1)
	require.NoError(t, os.WriteFile(filepath.Join(s.dir, "gate.yaml"), []byte(elsewhere), 0o600))
	out, errs, status = s.gatectl("reload", "--lang", "vi")
	require.Equal(t, 1, status)
	require.Empty(t, errs)
	require.Contains(t, out, "KHÔNG THAY ĐỔI GÌ: phải khởi động lại dịch vụ")
	require.Contains(t, out, "\n  journal\n  lane 02 added\n")

	after := s.until("running", func(control.Status) bool { return true })
	require.Equal(t, before.Config.Digest, after.Config.Digest)
	accepted, _ := rpm.counts()
	require.Equal(t, 1, accepted)

	// A hangup is a reload, too.
	s.write(good + "    shadow: true\n")
	require.NoError(t, s.cmd.Process.Signal(syscall.SIGHUP))
	s.until("the new file is in force", func(st control.Status) bool { return st.Config.Digest != before.Config.Digest })
	accepted, _ = rpm.counts()
	require.Equal(t, 1, accepted)
}

func TestStatusForPeopleAndPrograms(t *testing.T) {
	s := newSite(t)
	_, errs, status := s.gatectl("status", "--state", "gate")
	require.Equal(t, 1, status)
	require.Contains(t, errs, "no daemon runs on this state folder: gate/control.sock")

	rpm := newPortal(t, 20*time.Millisecond, background)
	s.write(strings.ReplaceAll(lane01, "RPM", rpm.address) + "  - {id: \"02\", name: {vi: Làn trống, en: Empty lane}}\n")
	s.start()
	s.until("the portal is up", func(st control.Status) bool { return deviceOf(st, "01", "rpm").State == event.Up })
	info, err := os.Stat(filepath.Join(s.dir, "gate", "control.sock"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())

	out, errs, status := s.gatectl("status")
	require.Zero(t, status, errs)
	require.Regexp(t, `(?m)^Gate 15BB: running since \d\d/\d\d/\d{4} \d\d:\d\d:\d\d \+07 \(`, out)
	require.Regexp(t, `(?m)^01 +rpm\* +rpm +Customs +up +[0-9.]+ s ago +[0-9.]+ s ago$`, out)
	require.Regexp(t, `(?m)^02 +no devices$`, out)
	require.Regexp(t, `(?m)^Border Guard +\d+ +\d+ +\d+ +0 +never`, out)
	require.Regexp(t, `(?m)^Disk: .* free, reserve 1.0 MiB$`, out)
	require.Contains(t, out, "Vision: off\n")
	out, _, status = s.gatectl("status", "--lang", "vi")
	require.Zero(t, status)
	require.Contains(t, out, "Cửa khẩu 15BB")
	require.Contains(t, out, "đang chạy từ")
	out, _, status = s.gatectl("status", "--json")
	require.Zero(t, status)
	var st control.Status
	require.NoError(t, json.Unmarshal([]byte(out), &st))
	require.Equal(t, "15BB", st.Gate)
	require.NotEmpty(t, st.Streams)
	_, errs, status = s.gatectl("status", "--lang", "fr")
	require.Equal(t, 2, status)
	require.Contains(t, errs, "want vi or en")

	out, errs, status = s.gatectl("watch", "01", "rpm", "--count", "3")
	require.Zero(t, status, errs)
	require.Equal(t, 3, strings.Count(out, "radiation.background"))
	_, errs, status = s.gatectl("watch", "01", "nothing")
	require.Equal(t, 1, status)
	require.Contains(t, errs, "watch device nothing of lane 01: there is no such device")

	// A second daemon on the same state leaves the first alone.
	second, err := startAndFail(&site{t: t, dir: s.dir})
	require.Error(t, err)
	require.Contains(t, second, "another daemon runs on this state folder")
	s.until("the first still runs", func(st control.Status) bool { return st.Phase == control.Running })

	// What a killed daemon leaves behind is no obstacle.
	require.NoError(t, s.cmd.Process.Kill())
	_ = s.cmd.Wait()
	s.start()
	s.stop()
	_, err = os.Stat(filepath.Join(s.dir, "gate", "control.sock"))
	require.ErrorIs(t, err, os.ErrNotExist)
}
