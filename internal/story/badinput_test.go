//go:build story

package story_test

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/event"
	"gatehouse/internal/sim/book"
	"gatehouse/internal/smoke/account"
)

// auditor looks at both consoles' databases.
type auditor struct {
	*gate
	stores map[event.Agency]*sql.DB
	table  []trace
}

// trace is what a fault left behind in both stores.
type trace struct{ fault, vehicle, left string }

// TestBadInput sends through every door what should never come, and then takes
// a model and the vision worker away: the lane goes on and says what happened.
func TestBadInput(t *testing.T) {
	t.Parallel()
	const scene = "badinput.yaml"
	g := newGate(t, scene)
	waitLess(t, g)
	g.start(scene)
	s := &auditor{gate: g, stores: map[event.Agency]*sql.DB{}}
	for _, a := range event.Agencies() {
		db, err := account.Open(g.stage.Path(a.Account()))
		require.NoError(t, err)
		t.Cleanup(func() { _ = db.Close() }) // it was only read
		s.stores[a] = db
	}
	s.clean("before all faults", time.Now())
	s.images()
	s.lines()
	s.spoilt("model missing", func() (undo func()) { return s.takeAway("models/plate-detector/model.onnx") }, true)
	s.spoilt("worker deleted", func() (undo func()) { return s.takeAway("gatehouse-vision") }, false)
	s.tell()
	s.end()
}

// waitLess shortens how long a passage stays open for the sake of vision.
func waitLess(t *testing.T, g *gate) {
	path := g.stage.Path("gate.yaml")
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	const before = "    join:\n"
	require.Contains(t, string(text), before)
	require.NoError(t, os.WriteFile(path, []byte(strings.Replace(string(text), before, before+"      vision: 2s\n", 1)), 0o644))
}

// passageOf is the passage of a lorry in each store, by the frames that the
// simulator sent of it; nil where there is none.
func (s *auditor) passageOf(vehicle string) (map[event.Agency]*event.Passage, map[event.Agency]*account.Store, error) {
	books, err := s.books()
	if err != nil {
		return nil, nil, err
	}
	times := map[string]int{}
	for _, f := range books.Ledger {
		times[f.SHA256[:16]]++
	}
	own := map[string]bool{} // sent once, and of this lorry
	for _, f := range books.Ledger {
		if f.Passage == vehicle && times[f.SHA256[:16]] == 1 {
			own[f.SHA256[:16]] = true
		}
	}
	found, stores := map[event.Agency]*event.Passage{}, map[event.Agency]*account.Store{}
	for _, a := range event.Agencies() {
		store, err := account.Load(s.ctx, a, s.stores[a])
		if err != nil {
			return nil, nil, err
		}
		stores[a] = store
		most := 0
		for i := range store.Passages {
			p := &store.Passages[i]
			n := 0
			for _, r := range p.Readings {
				for _, d := range r.Frames {
					if own[d[:min(len(d), 16)]] {
						n++
					}
				}
			}
			if n > most && p.State != event.Cancelled {
				most, found[a] = n, p
			}
		}
	}
	return found, stores, nil
}

// record waits until both stores hold the lorry's passage in the same version,
// and it is as wanted.
func (s *auditor) record(vehicle, what string, is func(*event.Passage) bool) (*event.Passage, map[event.Agency]*account.Store) {
	s.t.Helper()
	var at map[event.Agency]*event.Passage
	var stores map[event.Agency]*account.Store
	s.until(vehicle+" "+what+" at both consoles", func() (bool, error) {
		var err error
		at, stores, err = s.passageOf(vehicle)
		a, b := at[event.Customs], at[event.BorderGuard]
		return a != nil && b != nil && a.ID == b.ID && a.Version == b.Version && is(a), err
	})
	return at[event.Customs], stores
}

func done(p *event.Passage) bool {
	if p.State != event.Closed || len(p.Photos) == 0 || len(p.Scans) == 0 || len(p.Pending) > 0 {
		return false
	}
	for _, f := range p.Photos {
		if f.Analysis != "done" {
			return false
		}
	}
	for _, v := range p.Scans {
		if v.Analysis != "done" {
			return false
		}
	}
	return len(p.Plates) > 0 && p.Radiation != nil
}

// clean waits for a lorry without faults that came after a moment, and for its
// whole record at both consoles: photo and scan analysed, radiation measured.
func (s *auditor) clean(when string, after time.Time) string {
	s.t.Helper()
	v := s.lorry(when, func(v book.Truth) bool { return v.Began.After(after) && len(v.Faults) == 0 })
	s.record(v.Vehicle, "complete "+when, done)
	return v.Vehicle
}

// images plays every image fault, one of camera and scanner each with a lorry
// of its own, and a clean lorry behind each.
func (s *auditor) images() {
	camera := []string{"image-corrupt", "image-empty", "image-truncated", "image-huge", "image-wrong-type", "image-missing"}
	xray := []string{"image-empty", "image-corrupt", "image-huge", "image-truncated", "image-fifo", "image-wrong-type", "file-missing", "half-written"}
	now, err := s.status()
	require.NoError(s.t, err)
	first := now.Vehicles + 3
	for i, name := range xray {
		s.fault(name, "xray", "--vehicle", fmt.Sprint(first+2*i))
	}
	for i, name := range camera {
		s.fault(name, "camera", "--vehicle", fmt.Sprint(first+2*i))
	}
	for i := range xray {
		bad := s.lorry("with bad images", func(v book.Truth) bool { return number(v.Vehicle) == first+2*i })
		next := s.lorry("behind it", func(v book.Truth) bool { return number(v.Vehicle) == first+2*i+1 })
		p, _ := s.record(bad.Vehicle, "closed with its bad images", func(p *event.Passage) bool { return p.State == event.Closed && len(p.Pending) == 0 })
		s.record(next.Vehicle, "complete", done)
		want := []string{"xray/" + xray[i]}
		if i < len(camera) {
			want = append(want, "camera/"+camera[i])
		}
		for _, fault := range want {
			require.Contains(s.t, bad.Faults, fault)
			device, _, _ := strings.Cut(fault, "/")
			left := traces(p, device)
			require.NotEmpty(s.t, left, "%s left no trace in passage %s", fault, p.ID)
			s.note(fault, bad.Vehicle, left...)
		}
	}
	s.say("all image faults are over; the lorry behind each was seen whole")
}

// traces are what a passage says of a device that did not deliver.
func traces(p *event.Passage, device string) []string {
	var all []string
	for _, f := range p.Findings {
		if f.Device == device && f.Code != event.FindingPlateUnread {
			all = append(all, "finding "+f.Code)
		}
	}
	for _, c := range p.Coverage {
		if c.Device == device && (!c.Looked || c.State != event.Up) {
			all = append(all, fmt.Sprintf("coverage %s looked=%v (%s)", c.State, c.Looked, c.Reason.EN))
		}
	}
	for _, r := range p.Readings {
		if r.Device == device && r.Quality != event.Good {
			all = append(all, fmt.Sprintf("%s %s", r.Quality, r.Kind))
		}
	}
	for _, f := range p.Photos {
		if f.Device == device && f.Analysis != "done" {
			all = append(all, "photo "+f.Analysis)
		}
	}
	for _, v := range p.Scans {
		if v.Device == device && v.Analysis != "done" {
			all = append(all, "scan "+v.Analysis)
		}
	}
	return counted(all)
}

// counted joins equal texts.
func counted(all []string) []string {
	n := map[string]int{}
	for _, text := range all {
		n[text]++
	}
	var list []string
	for _, text := range slices.Sorted(maps.Keys(n)) {
		if n[text] > 1 {
			text = fmt.Sprintf("%s x%d", text, n[text])
		}
		list = append(list, text)
	}
	return list
}

// lines damages both serial lines while a lorry goes through.
func (s *auditor) lines() {
	for _, pair := range []map[string]string{
		{"rpm": "noise", "xray": "noise"}, {"rpm": "torn", "xray": "torn"}, {"rpm": "bad-value", "xray": "bad-checksum"},
	} {
		from := time.Now()
		for device, name := range pair {
			s.fault(name, device, "--for", "10m")
		}
		bad := s.lorry("with damaged lines", func(v book.Truth) bool {
			return v.Began.After(from) && slices.Contains(v.Faults, "rpm/"+pair["rpm"]) && slices.Contains(v.Faults, "xray/"+pair["xray"])
		})
		for device, name := range pair {
			s.clear(name, device)
		}
		to := time.Now()
		next := s.clean("behind damaged lines", to)
		p, stores := s.record(bad.Vehicle, "in the record", func(p *event.Passage) bool { return p.State == event.Closed })
		for _, device := range slices.Sorted(maps.Keys(pair)) {
			lines := s.accounted(device, from, to)
			left := traces(p, device)
			left = append(left, s.heard(stores[event.Customs], device, from, to)...)
			s.note(device+"/"+pair[device], bad.Vehicle, append([]string{fmt.Sprintf("all %d lines in frames", lines)}, left...)...)
		}
		s.say("damaged lines are over; %s behind them was seen whole", next)
	}
}

// accounted waits until both stores have a frames row for every line that the
// device sent meanwhile, damaged or not, and counts them.
func (s *auditor) accounted(device string, from, to time.Time) (lines int) {
	s.t.Helper()
	s.until("every frame of "+device+" in both stores", func() (bool, error) {
		books, err := s.books()
		if err != nil {
			return false, err
		}
		for _, a := range event.Agencies() {
			store, err := account.Load(s.ctx, a, s.stores[a])
			if err != nil {
				return false, err
			}
			rows := map[string]int{}
			for _, f := range store.Frames {
				if f.Device == device {
					rows[f.Digest]++
				}
			}
			lines = 0
			for _, f := range books.Ledger {
				if f.Device != device || f.At.After(to) {
					continue
				}
				rows[f.SHA256[:16]]--
				if f.At.Before(from) {
					continue
				}
				lines++
				if rows[f.SHA256[:16]] < 0 {
					return false, nil
				}
			}
		}
		return lines > 0, nil
	})
	return lines
}

// heard is what a store says of a device in a stretch of time beside passages:
// gaps, and changes of its state.
func (s *auditor) heard(store *account.Store, device string, from, to time.Time) []string {
	s.t.Helper()
	var all []string
	for _, g := range store.Gaps {
		if g.Device == device && g.To.After(from) && g.From.Before(to) {
			all = append(all, "gap "+g.Reason)
		}
	}
	rows, err := s.stores[store.Agency].QueryContext(s.ctx, `SELECT payload FROM events WHERE type = ?`, string(event.TypeDevice))
	require.NoError(s.t, err)
	defer func() { require.NoError(s.t, rows.Close()) }()
	for rows.Next() {
		var payload []byte
		require.NoError(s.t, rows.Scan(&payload))
		env, err := event.ParseEnvelope(payload)
		require.NoError(s.t, err)
		var c event.DeviceChange
		require.NoError(s.t, json.Unmarshal(env.Data, &c))
		if c.Device == device && c.Since.After(from) && c.Since.Before(to) {
			all = append(all, fmt.Sprintf("device %s", c.State))
		}
	}
	require.NoError(s.t, rows.Err())
	return counted(all)
}

// spoilt takes a part of vision away, shows that passages say so, puts it back,
// and shows that what waited is looked at after all. A missing model blinds
// only what needs it.
func (s *auditor) spoilt(what string, spoil func() (undo func()), plateOnly bool) {
	undo := spoil()
	restore := sync.OnceFunc(undo)
	defer restore()
	gone := time.Now()
	blind := s.lorry("while the "+what, func(v book.Truth) bool { return v.Began.After(gone) })
	waits := func(p *event.Passage) bool {
		if p.State != event.Closed || len(p.Photos) == 0 || len(p.Scans) == 0 || len(p.Pending) == 0 {
			return false
		}
		if plateOnly && p.Scans[0].Analysis != "done" {
			return false // the scan needs no model that is missing
		}
		return slices.ContainsFunc(p.Coverage, func(c event.Coverage) bool { return c.Device == "vision" && !c.Looked && c.Reason.EN != "" }) &&
			slices.ContainsFunc(p.Findings, func(f event.Finding) bool { return f.Code == event.FindingCoverageGap && f.Device == "vision" })
	}
	p, _ := s.record(blind.Vehicle, "saying that vision was not looking", waits)
	require.NotEqual(s.t, "done", p.Photos[0].Analysis)
	require.Empty(s.t, p.Plates)
	if !plateOnly {
		require.NotEqual(s.t, "done", p.Scans[0].Analysis)
	}
	left := append(traces(p, "vision"), "photo "+p.Photos[0].Analysis, "scan "+p.Scans[0].Analysis)
	restore()
	back := time.Now()
	late, _ := s.record(blind.Vehicle, "analysed late", done)
	require.Equal(s.t, p.ID, late.ID)
	require.Greater(s.t, late.Version, p.Version)
	s.note("vision/"+what, blind.Vehicle, append(left, fmt.Sprintf("analysed %.0f s after it was back", time.Since(back).Seconds()))...)
	s.clean("after the "+what, back)
	s.say("%s: %s waited, and was looked at when it was back", what, blind.Vehicle)
}

// takeAway hides a file of vision's folder and kills the worker, so that the
// next one starts without it. What comes back undoes it.
func (s *auditor) takeAway(name string) (undo func()) {
	s.t.Helper()
	path := s.stage.Path("vision", filepath.FromSlash(name))
	require.NoError(s.t, os.Rename(path, path+".away"))
	s.killWorkers()
	return func() { require.NoError(s.t, os.Rename(path+".away", path)) }
}

// killWorkers kills the vision workers of this stage. They run a program that
// only this stage has.
func (s *auditor) killWorkers() {
	s.t.Helper()
	links, err := filepath.Glob("/proc/[0-9]*/exe")
	require.NoError(s.t, err)
	killed := 0
	for _, link := range links {
		program, err := os.Readlink(link)
		if err != nil || !strings.HasPrefix(program, s.stage.Path("vision")+string(filepath.Separator)) {
			continue // gone, or somebody else's
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(link)))
		require.NoError(s.t, err)
		require.NoError(s.t, syscall.Kill(pid, syscall.SIGKILL))
		killed++
	}
	require.Positive(s.t, killed, "no worker runs")
}

// note keeps a line of the table.
func (s *auditor) note(fault, vehicle string, left ...string) {
	s.table = append(s.table, trace{fault, vehicle, strings.Join(left, "; ")})
}

// tell prints what each fault left behind.
func (s *auditor) tell() {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "FAULT\tLORRY\tTRACE IN BOTH STORES")
	for _, r := range s.table {
		fmt.Fprintf(w, "%s\t%s\t%s\n", r.fault, r.vehicle, r.left)
	}
	require.NoError(s.t, w.Flush())
	s.t.Logf("what bad input leaves behind:\n%s", b.String())
}
