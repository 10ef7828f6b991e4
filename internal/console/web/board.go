package web

import (
	"net/http"
	"sort"
	"time"

	"gatehouse/internal/console/store"
	"gatehouse/internal/event"
)

// boardRows is how many passages the board shows.
const boardRows = 40

// boardModel is what the board shows.
type boardModel struct {
	Passages []store.Passage
	Devices  []laneDevices
	Open     []store.Alert // waiting for this agency's verdict
	Gates    []gateState
}

// laneDevices are the devices of one lane.
type laneDevices struct {
	Gate, Lane string
	Devices    []deviceView
}

// deviceView is a device as the board may show it: a state that is too old is
// none.
type deviceView struct {
	store.Device
	// Heard is the latest moment at which the device's state was known to hold.
	Heard   time.Time
	Timeout time.Duration
	Silent  bool
}

// gateState is when a gate was heard of last.
type gateState struct {
	Gate
	Heard  time.Time // zero if never
	Silent bool
}

// board serves the live board, or the part of it that a page wants anew.
func (s *Server) board(w http.ResponseWriter, r *http.Request, p Page) {
	m, err := s.boardModel(r, p)
	if err != nil {
		s.fail(w, r, p, err)
		return
	}
	switch r.URL.Query().Get("part") {
	case "passages":
		s.show(w, r, http.StatusOK, passageRows(p, m))
	case "devices":
		s.show(w, r, http.StatusOK, deviceStrip(p, m))
	case "alerts":
		s.show(w, r, http.StatusOK, openAlerts(p, m.Open))
	case "link":
		s.show(w, r, http.StatusOK, linkBanner(p))
	default:
		s.show(w, r, http.StatusOK, boardView(p, m))
	}
}

func (s *Server) boardModel(r *http.Request, p Page) (boardModel, error) {
	var m boardModel
	var err error
	if m.Passages, err = s.opt.Store.Passages(r.Context(), boardRows); err != nil {
		return m, err
	}
	if m.Gates, err = s.gates(r, p); err != nil {
		return m, err
	}
	devices, err := s.opt.Store.Devices(r.Context())
	if err != nil {
		return m, err
	}
	m.Devices = byLane(devices, m.Gates, p.Now)
	alerts, err := s.opt.Store.Alerts(r.Context(), 200)
	if err != nil {
		return m, err
	}
	m.Open = waiting(alerts, p.Agency)
	return m, nil
}

// gates tells when each gate was heard of last: its chain carries the frame
// logs of all its devices, so a gate that lives is never silent for long.
func (s *Server) gates(r *http.Request, p Page) ([]gateState, error) {
	chains, err := s.opt.Store.Chains(r.Context())
	if err != nil {
		return nil, err
	}
	var list []gateState
	for _, g := range s.opt.Gates {
		st := gateState{Gate: g}
		for _, c := range chains {
			if c.Gate == g.ID && c.LastAt.After(st.Heard) {
				st.Heard = c.LastAt
			}
		}
		st.Silent = st.Heard.IsZero() || p.Now.Sub(st.Heard) > g.Silence
		list = append(list, st)
	}
	return list, nil
}

// byLane groups devices by lane and takes away states that nobody vouches for
// any more.
func byLane(devices []store.Device, gates []gateState, now time.Time) []laneDevices {
	var lanes []laneDevices
	for _, d := range devices {
		v := deviceView{Device: d, Heard: d.Heard, Timeout: time.Minute}
		for _, g := range gates {
			if g.ID == d.Gate {
				v.Timeout = g.Silence
				if g.Heard.After(v.Heard) {
					v.Heard = g.Heard
				}
			}
		}
		v.Silent = v.Heard.IsZero() || now.Sub(v.Heard) > v.Timeout
		if n := len(lanes); n == 0 || lanes[n-1].Gate != d.Gate || lanes[n-1].Lane != d.Lane {
			lanes = append(lanes, laneDevices{Gate: d.Gate, Lane: d.Lane})
		}
		lanes[len(lanes)-1].Devices = append(lanes[len(lanes)-1].Devices, v)
	}
	return lanes
}

// rank orders severities, worst first.
func rank(s event.Severity) int {
	for i, known := range []event.Severity{event.Extreme, event.Severe, event.Moderate, event.Minor} {
		if s == known {
			return i
		}
	}
	return 4
}

// waiting picks the alerts that wait for an agency's verdict: worst first,
// then the oldest, which has waited longest.
func waiting(alerts []store.Alert, a event.Agency) []store.Alert {
	var open []store.Alert
	for _, x := range alerts {
		if x.MsgType == "Cancel" || x.Superseded || x.DecidedBy(a) {
			continue
		}
		open = append(open, x)
	}
	sort.SliceStable(open, func(i, j int) bool {
		if a, b := rank(open[i].Severity), rank(open[j].Severity); a != b {
			return a < b
		}
		return open[i].Sent.Before(open[j].Sent)
	})
	return open
}

// alerts serves the alert list.
func (s *Server) alerts(w http.ResponseWriter, r *http.Request, p Page) {
	list, err := s.opt.Store.Alerts(r.Context(), 200)
	if err != nil {
		s.fail(w, r, p, err)
		return
	}
	open := waiting(list, p.Agency)
	if r.URL.Query().Get("part") == "list" {
		s.show(w, r, http.StatusOK, alertLists(p, open, list))
		return
	}
	s.show(w, r, http.StatusOK, alertsView(p, open, list))
}

// statusModel is what the technician sees.
type statusModel struct {
	Counts   store.Counts
	Chains   []store.Chain
	Suspects []store.Suspect
	Strays   []store.StrayNote
	Gaps     []store.Gap
	Devices  []laneDevices
}

// status serves the technician's page.
func (s *Server) status(w http.ResponseWriter, r *http.Request, p Page) {
	m, err := s.statusModel(r, p)
	if err != nil {
		s.fail(w, r, p, err)
		return
	}
	if r.URL.Query().Get("part") == "body" {
		s.show(w, r, http.StatusOK, statusBody(p, m))
		return
	}
	s.show(w, r, http.StatusOK, statusView(p, m))
}

func (s *Server) statusModel(r *http.Request, p Page) (statusModel, error) {
	var m statusModel
	ctx := r.Context()
	var err error
	if m.Counts, err = s.opt.Store.Counts(ctx); err != nil {
		return m, err
	}
	if m.Chains, err = s.opt.Store.Chains(ctx); err != nil {
		return m, err
	}
	if m.Suspects, err = s.opt.Store.Suspects(ctx, 50); err != nil {
		return m, err
	}
	if m.Strays, err = s.opt.Store.Strays(ctx, 20); err != nil {
		return m, err
	}
	if m.Gaps, err = s.opt.Store.Gaps(ctx, 30); err != nil {
		return m, err
	}
	gates, err := s.gates(r, p)
	if err != nil {
		return m, err
	}
	devices, err := s.opt.Store.Devices(ctx)
	m.Devices = byLane(devices, gates, p.Now)
	return m, err
}
