package web

import (
	"net/http"
	"sort"
	"time"

	"gatehouse/internal/console/store"
	"gatehouse/internal/event"
)

// boardRows is how many passages the board shows.
const boardRows = 30

// boardModel is what the board shows.
type boardModel struct {
	Passages []store.Passage
	Lanes    []laneCard
	Open     []store.Alert // waiting for this agency's verdict
	Gates    []gateState
	Names    map[string]string // of the own agency's officers, by badge
	Waiting  []store.Correction
	Breaks   []store.ChainBreak // of the last days
	Known    []store.Lane       // that a passage can be entered by hand on
	Enter    correctForm
}

// laneDevices are the devices of one lane.
type laneDevices struct {
	Gate, Lane string
	Devices    []deviceView
}

// laneCard is a lane as the board shows it: its devices, what is in it, and
// what its barrier and lights show.
type laneCard struct {
	laneDevices
	Current []store.Passage // under way, oldest first; at most two are drawn
	Last    *store.Passage  // the newest that is over
	Barrier *deviceView     // the device that reports the lane's barrier
	Control *controlModel   // who controls it
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
	part := r.URL.Query().Get("part")
	if part == "link" {
		s.show(w, r, http.StatusOK, linkBanner(p))
		return
	}
	m, err := s.boardPart(r, p, part)
	if err != nil {
		s.fail(w, r, p, err)
		return
	}
	switch part {
	case "rows":
		s.show(w, r, http.StatusOK, rowsTable(p, m))
	case "passages":
		s.show(w, r, http.StatusOK, passageRows(p, m))
	case "devices":
		s.show(w, r, http.StatusOK, laneCards(p, m))
	case "lane":
		s.show(w, r, http.StatusOK, oneLane(p, m, r.URL.Query().Get("gate"), r.URL.Query().Get("lane")))
	case "corrections":
		s.show(w, r, http.StatusOK, waitingCorrections(p, m.Waiting))
	default:
		s.show(w, r, http.StatusOK, boardView(p, m))
	}
}

// boardPart reads what a part of the board needs, and everything for the whole
// board.
func (s *Server) boardPart(r *http.Request, p Page, part string) (boardModel, error) {
	var m boardModel
	var err error
	ctx := r.Context()
	switch part {
	case "rows":
		m.Passages, err = s.opt.Store.PassagesByID(ctx, idsOf(r))
		return m, err
	case "passages":
		m.Passages, err = s.opt.Store.Passages(ctx, boardRows)
		return m, err
	case "devices", "lane":
		return m, s.lanes(r, p, &m)
	case "corrections":
		m.Waiting, err = s.opt.Store.OpenCorrections(ctx, p.Now.Add(-shownUnapplied))
		return m, err
	}
	if m.Passages, err = s.opt.Store.Passages(ctx, boardRows); err != nil {
		return m, err
	}
	if err := s.lanes(r, p, &m); err != nil {
		return m, err
	}
	if m.Waiting, err = s.opt.Store.OpenCorrections(ctx, p.Now.Add(-shownUnapplied)); err != nil {
		return m, err
	}
	if m.Names, err = s.opt.Private.Names(ctx); err != nil {
		return m, err
	}
	if m.Known, err = s.opt.Store.Lanes(ctx); err != nil {
		return m, err
	}
	alerts, err := s.opt.Store.Alerts(ctx, queueReach)
	m.Open = waiting(alerts, p.Agency)
	return m, err
}

// maxRows bounds how many rows one request asks for.
const maxRows = 60

// idsOf are the passages that a page asks for.
func idsOf(r *http.Request) []event.ID {
	var ids []event.ID
	for _, id := range r.URL.Query()["id"] {
		if len(ids) < maxRows && len(id) <= 40 {
			ids = append(ids, event.ID(id))
		}
	}
	return ids
}

// shownBreaks is how long the pages say that a gate began a new record.
const shownBreaks = 14 * 24 * time.Hour

// lanes fills in the lanes' cards.
func (s *Server) lanes(r *http.Request, p Page, m *boardModel) error {
	var err error
	if m.Gates, err = s.gates(r, p); err != nil {
		return err
	}
	if m.Breaks, err = s.opt.Store.ChainBreaks(r.Context(), p.Now.Add(-shownBreaks)); err != nil {
		return err
	}
	devices, err := s.opt.Store.Devices(r.Context())
	if err != nil {
		return err
	}
	passages, err := s.opt.Store.LanePassages(r.Context())
	if err != nil {
		return err
	}
	m.Lanes = cards(byLane(devices, m.Gates, p.Now), passages)
	for i := range m.Lanes {
		c := &m.Lanes[i]
		if c.Barrier == nil {
			continue
		}
		control, err := s.controlOf(r, deviceRow{deviceView: *c.Barrier}, false)
		if err != nil {
			return err
		}
		c.Control = &control
	}
	return nil
}

// cards joins the lanes' devices with what is in the lanes.
func cards(lanes []laneDevices, passages []store.Passage) []laneCard {
	list := make([]laneCard, 0, len(lanes))
	for _, l := range lanes {
		c := laneCard{laneDevices: l}
		for i := range l.Devices {
			if l.Devices[i].Barrier != nil {
				c.Barrier = &l.Devices[i]
			}
		}
		for i := range passages {
			x := &passages[i]
			switch {
			case x.Gate != l.Gate || x.Lane != l.Lane:
			case x.State == event.Open || x.State == event.Waiting:
				c.Current = append(c.Current, *x)
			default:
				c.Last = x
			}
		}
		sort.SliceStable(c.Current, func(i, j int) bool { return c.Current[i].OpenedAt.Before(c.Current[j].OpenedAt) })
		list = append(list, c)
	}
	return list
}

// kindOf is what passes through a lane, as far as its newest passage tells.
func (c laneCard) kindOf() (event.PassageKind, event.Direction, event.Flow) {
	x := c.Last
	if n := len(c.Current); n > 0 {
		x = &c.Current[n-1]
	}
	if x == nil {
		return "", "", ""
	}
	return x.Kind, x.Direction, x.Flow
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
