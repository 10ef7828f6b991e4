package web

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"gatehouse/internal/console/store"
	"gatehouse/internal/event"
)

const (
	historyDays = 30             // that a device's page shows
	listSpan    = 24 * time.Hour // that the list of devices counts over
)

// deviceRow is a device in the technician's list, with what happened to it in
// the last day.
type deviceRow struct {
	deviceView
	store.DeviceHistory
}

// lost is how many frames are known to be missing.
func (d deviceRow) lost() int {
	n := 0
	for _, g := range d.Gaps {
		n += g.Frames
	}
	return n
}

// frames is how many frames were accounted for.
func (d deviceRow) frames() int {
	n := 0
	for _, f := range d.Days {
		n += f.Frames
	}
	return n
}

// unwatched says that nothing drops a barrier to red when the gate's computer
// fails.
func (d deviceRow) unwatched() bool { return d.Barrier != nil && d.Barrier.Watchdog == "none" }

// at is the address of the device's own page.
func (d deviceRow) at() string {
	return "/devices/" + url.PathEscape(d.Gate) + "/" + url.PathEscape(d.Lane) + "/" + url.PathEscape(d.Device.Device)
}

// key is the device as a search names it.
func (d deviceRow) key() string { return d.Gate + "/" + d.Lane + "/" + d.Device.Device }

// since is the address of a search for passages of the device in the last days.
func (d deviceRow) passages(p Page, mark string, span time.Duration) string {
	return "/search?" + url.Values{mark: {d.key()}, "from": {local(p.Now.Add(-span)).Format("2006-01-02T15:04")}}.Encode()
}

// laneRows are the devices of one lane.
type laneRows struct {
	Gate, Lane string
	Devices    []deviceRow
}

// devices serves the technician's list of all devices.
func (s *Server) devices(w http.ResponseWriter, r *http.Request, p Page) {
	lanes, err := s.deviceRows(r, p)
	if err != nil {
		s.fail(w, r, p, err)
		return
	}
	breaks, err := s.opt.Store.ChainBreaks(r.Context(), p.Now.Add(-shownBreaks))
	if err != nil {
		s.fail(w, r, p, err)
		return
	}
	if r.URL.Query().Get("part") == "body" {
		s.show(w, r, http.StatusOK, devicesBody(p, lanes, breaks))
		return
	}
	s.show(w, r, http.StatusOK, devicesView(p, lanes, breaks))
}

func (s *Server) deviceRows(r *http.Request, p Page) ([]laneRows, error) {
	views, err := s.deviceViews(r, p)
	if err != nil {
		return nil, err
	}
	var lanes []laneRows
	for _, l := range views {
		row := laneRows{Gate: l.Gate, Lane: l.Lane}
		for _, d := range l.Devices {
			h, err := s.opt.Store.History(r.Context(), store.DeviceID{Gate: d.Gate, Lane: d.Lane, Device: d.Device.Device}, p.Now.Add(-listSpan))
			if err != nil {
				return nil, err
			}
			row.Devices = append(row.Devices, deviceRow{d, h})
		}
		lanes = append(lanes, row)
	}
	return lanes, nil
}

func (s *Server) deviceViews(r *http.Request, p Page) ([]laneDevices, error) {
	gates, err := s.gates(r, p)
	if err != nil {
		return nil, err
	}
	devices, err := s.opt.Store.Devices(r.Context())
	if err != nil {
		return nil, err
	}
	return byLane(devices, gates, p.Now), nil
}

// device serves one device's page with its history.
func (s *Server) device(w http.ResponseWriter, r *http.Request, p Page) {
	m, err := s.deviceModel(r, p)
	if err != nil {
		s.fail(w, r, p, err)
		return
	}
	if r.URL.Query().Get("part") == "body" {
		s.show(w, r, http.StatusOK, deviceBody(p, m))
		return
	}
	s.show(w, r, http.StatusOK, deviceView30(p, m))
}

// deviceModel is what a device's page shows.
type deviceModel struct {
	deviceRow
	Control  *controlModel // of a barrier
	Segments []segment
	Days     []dayBar
	Up       float64 // share of the time that is known, 0..1
	Known    bool
	From     time.Time
}

func (s *Server) deviceModel(r *http.Request, p Page) (deviceModel, error) {
	views, err := s.deviceViews(r, p)
	if err != nil {
		return deviceModel{}, err
	}
	id := store.DeviceID{Gate: r.PathValue("gate"), Lane: r.PathValue("lane"), Device: r.PathValue("device")}
	for _, l := range views {
		for _, d := range l.Devices {
			if d.Gate != id.Gate || d.Lane != id.Lane || d.Device.Device != id.Device {
				continue
			}
			// The first day begins at midnight, so that each day is a whole one.
			at := local(p.Now)
			from := time.Date(at.Year(), at.Month(), at.Day()-historyDays+1, 0, 0, 0, 0, at.Location())
			h, err := s.opt.Store.History(r.Context(), id, from)
			if err != nil {
				return deviceModel{}, err
			}
			m := deviceModel{deviceRow: deviceRow{d, h}, From: from}
			m.Segments, m.Up, m.Known = segments(h, from, p.Now)
			m.Days = dayBars(h, from)
			if d.Barrier != nil {
				control, err := s.controlOf(r, m.deviceRow, true)
				if err != nil {
					return deviceModel{}, err
				}
				m.Control = &control
			}
			return m, nil
		}
	}
	return deviceModel{}, fmt.Errorf("device %v: %w", id, store.ErrNotFound)
}

// The drawing area of a device's history, in its own units: a day is 20 wide.
const (
	dayWidth     = 20.0
	historyWidth = historyDays * dayWidth
	barHeight    = 46.0
)

// segment is a stretch of time in which a device was in one state.
type segment struct {
	X, Width float64
	State    event.DeviceState
	From, To time.Time
	Reason   string
	Words    event.Text
}

// segments are the device's states since from, and the share of the known time
// in which it was up.
func segments(h store.DeviceHistory, from, now time.Time) (list []segment, up float64, known bool) {
	changes := slices.Clone(h.Changes)
	slices.Reverse(changes)
	if h.Before != nil {
		first := *h.Before
		first.Since = from
		changes = append([]store.DeviceChanged{first}, changes...)
	}
	scale := historyWidth / (historyDays * 24 * time.Hour).Seconds()
	var all, good time.Duration
	for i, c := range changes {
		end := now
		if i+1 < len(changes) {
			end = changes[i+1].Since
		}
		lasted := end.Sub(c.Since)
		all += lasted
		if c.State == event.Up {
			good += lasted
		}
		list = append(list, segment{
			X: c.Since.Sub(from).Seconds() * scale, Width: max(lasted.Seconds()*scale, 0.6), State: c.State, From: c.Since, To: end, Reason: c.Reason, Words: c.Words,
		})
	}
	if all > 0 {
		return list, good.Seconds() / all.Seconds(), true
	}
	return list, 0, false
}

// dayBar is a day in the history: how many frames came, and whether some are
// missing.
type dayBar struct {
	X, Height float64
	Day       time.Time
	Frames    int
	Lost      int
	Gaps      int
}

func dayBars(h store.DeviceHistory, from time.Time) []dayBar {
	most := 1
	for _, d := range h.Days {
		most = max(most, d.Frames)
	}
	var list []dayBar
	for i := range historyDays {
		day := from.AddDate(0, 0, i)
		b := dayBar{X: float64(i) * dayWidth, Day: day}
		for _, d := range h.Days {
			if d.Day == day.Format(time.DateOnly) {
				b.Frames = d.Frames
			}
		}
		for _, g := range h.Gaps {
			if local(g.To).Format(time.DateOnly) == day.Format(time.DateOnly) {
				b.Gaps, b.Lost = b.Gaps+1, b.Lost+g.Frames
			}
		}
		b.Height = barHeight * float64(b.Frames) / float64(most)
		if b.Frames > 0 {
			b.Height = max(b.Height, 1)
		}
		list = append(list, b)
	}
	return list
}

// units is a length in a drawing.
func units(v float64) string { return fmt.Sprintf("%.1f", v) }

// percent is a share as people write it.
func percent(v float64) string {
	if v < 1 && v > 0.999 {
		return fmt.Sprintf("%.2f %%", v*100)
	}
	return fmt.Sprintf("%.1f %%", v*100)
}

// lasting is how long something took, in words.
func (p Page) lasting(d time.Duration) string { return p.Age(p.Now.Add(-d)) }
