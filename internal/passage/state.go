package passage

import (
	"slices"
	"time"

	"gatehouse/internal/event"
)

// format is the version of the snapshot. A snapshot of another format is not
// read; the journal is replayed instead.
const format = 2

// Limits of what is remembered; see the package comment.
const (
	keysPerDevice  = 512
	forgottenScans = 256
	// correctionsKept bounds the memory of corrections, which come again when a
	// crash fell between their journalling and their acknowledgement.
	correctionsKept = 1024
	// readingsPerRecord bounds a passage's list of readings, so that a vehicle
	// that stands in a portal for an hour does not outgrow a message: 2,000
	// references are about 450 kB. Later readings still count in the profile and
	// are accounted for in the frame logs.
	readingsPerRecord = 2000
)

// state is everything that Engine knows.
type state struct {
	Format   int            `json:"format"`
	Last     event.ID       `json:"last,omitempty"`
	Now      time.Time      `json:"now,omitzero"` // of the newest entry
	Devices  []*deviceState `json:"devices,omitempty"`
	Passages []*passage     `json:"passages,omitempty"` // in the order in which they opened
	Held     []*held        `json:"held,omitempty"`     // in the order of arrival
	// Forgotten are scan ids of passages that are no longer kept.
	Forgotten []scanKey `json:"forgotten,omitempty"`
	// Corrected are the ids of the newest corrections that were looked at.
	Corrected []event.ID `json:"corrected,omitempty"`
	Clock     clockState `json:"clock,omitzero"`
	// Ahead is when the clock was last set ahead, by the clock that was set.
	Ahead time.Time `json:"ahead,omitzero"`
	// Config is the digest of the configuration in force.
	Config string    `json:"config,omitempty"`
	Frames FrameFold `json:"frames"`
	// Lots are the declarations seen last, with what came on each.
	Lots []*cargoLot `json:"lots,omitempty"`
}

// deviceState is what is known of one device.
type deviceState struct {
	ID     string    `json:"id"`
	Link   condition `json:"link"`
	Report condition `json:"report"`
	// Unheard says that nothing was heard since the daemon started: the link is
	// taken as down, and the first reading proves it up.
	Unheard bool `json:"unheard,omitempty"`
	// Heard is when the newest reading that is not idle was received.
	Heard time.Time `json:"heard,omitzero"`
	// Told is the state that the agencies were told last.
	Told     event.DeviceState `json:"told,omitempty"`
	ToldCode string            `json:"told_code,omitempty"`
	// Barrier is what a barrier shows, ToldBarrier what the agencies were told
	// of it at ToldAt; at TellAt they are told again.
	Barrier     *event.Barrier `json:"barrier,omitempty"`
	ToldBarrier *event.Barrier `json:"told_barrier,omitempty"`
	ToldAt      time.Time      `json:"told_at,omitzero"`
	TellAt      time.Time      `json:"tell_at,omitzero"`
	// Load is what stands on a scale.
	Load load `json:"load,omitzero"`
	// Faults are the backgrounds of a radiation monitor that are out of their
	// limits, by channel; Tampered is when somebody opened the device.
	Faults   map[string]condition `json:"faults,omitempty"`
	Tampered condition            `json:"tampered,omitzero"`
	// GapFrom is set while frames may be going missing.
	GapFrom   time.Time `json:"gap_from,omitzero"`
	GapReason string    `json:"gap_reason,omitempty"`
	// AwayFrom and AwayTo are the last time in which frames may have gone missing.
	AwayFrom time.Time `json:"away_from,omitzero"`
	AwayTo   time.Time `json:"away_to,omitzero"`
	Keys     []string  `json:"keys,omitempty"`
	// LastEnd is the last end of presence that the device told.
	LastEnd time.Time `json:"last_end,omitzero"`
}

// condition is a state with its beginning and its reason.
type condition struct {
	State  event.DeviceState `json:"state"`
	Since  time.Time         `json:"since,omitzero"`
	Reason string            `json:"reason,omitempty"`
	Code   string            `json:"code,omitempty"` // the device's own word
}

// passage is a passage's shared record with what is needed to go on with it.
type passage struct {
	Record   event.Passage `json:"record"`
	Spans    []span        `json:"spans,omitempty"`
	Deadline *Deadline     `json:"deadline,omitempty"`
	Scans    []scanState   `json:"scans,omitempty"`
	Tracks   []sighting    `json:"tracks,omitempty"`
	Blank    []string      `json:"blank,omitempty"` // devices that answered without a usable image
	Analyses []analysis    `json:"analyses,omitempty"`
	Shots    []shot        `json:"shots,omitempty"` // in the order of Record.Photos
	Watch    []watch       `json:"watch,omitempty"` // required devices
	Alerts   []sent        `json:"alerts,omitempty"`
	Derived  []derived     `json:"derived,omitempty"`
	Shadowed []derived     `json:"shadowed,omitempty"` // counted once
	Boxes    []cargoBox    `json:"boxes,omitempty"`    // scans of cargo, for the comparison within a lot
	Noted    []noted       `json:"noted,omitempty"`
	Weighs   []weighing    `json:"weighs,omitempty"` // of Record.Weighings, in its order
	Lookups  []lookup      `json:"lookups,omitempty"`
	Alarms   []alarm       `json:"alarms,omitempty"`
	// Plate is the plate that vision has settled on.
	Plate string `json:"plate,omitempty"`
	// Fastest is the highest speed that was measured, km/h.
	Fastest float64   `json:"fastest,omitempty"`
	Gamma   []float64 `json:"gamma,omitempty"` // the last samples, for the sliding second
	// GammaAt and NeutronAt are when the samples of the profile came, in ms since
	// its start.
	GammaAt   []int64 `json:"gamma_at,omitempty"`
	NeutronAt []int64 `json:"neutron_at,omitempty"`
	// Scanner opened the passage, and with Item set it ends when the item leaves.
	Scanner string `json:"scanner,omitempty"`
	Item    bool   `json:"item,omitempty"`
	// Scanned is when the scanner says that it made the image which alone tells of
	// the passage; zero for all others.
	Scanned time.Time `json:"scanned,omitzero"`
	// JoinOver and VisionOver say that the waiting for readings or for vision
	// has run out.
	JoinOver   bool `json:"join_over,omitempty"`
	VisionOver bool `json:"vision_over,omitempty"`
	// Aside passages were entered by hand or called back by a correction: no
	// device's reading is theirs.
	Aside bool `json:"aside,omitempty"`
	// Frozen passages were read back from the shared record, which does not
	// tell all that coverage follows from.
	Frozen bool `json:"frozen,omitempty"`
	// Touched is when the newest version was made.
	Touched time.Time `json:"touched,omitzero"`

	dirty bool // the record changed in this Apply
}

// span is one stay in the zone of a presence device.
type span struct {
	Device string    `json:"device"`
	Number string    `json:"number,omitempty"`
	Begin  time.Time `json:"begin"`
	Heard  time.Time `json:"heard"` // last reading of the device in it
	End    time.Time `json:"end,omitzero"`
	// Inferred says that a timer ended it, so that a late end may correct it.
	Inferred bool `json:"inferred,omitempty"`
	// Assumed says that samples without a begin opened it.
	Assumed bool `json:"assumed,omitempty"`
	// Broken says that the device or the daemon was away during it.
	Broken bool `json:"broken,omitempty"`
}

func (s *span) open() bool { return s.End.IsZero() }

type scanKey struct {
	Device string `json:"device"`
	ID     string `json:"id"`
}

type scanState struct {
	scanKey
	At    time.Time `json:"at"` // of the first reading
	Ended bool      `json:"ended,omitempty"`
	Cut   bool      `json:"cut,omitempty"`
}

// track is one thing that a camera followed, in one view. Documents and codes
// have tracks too: the same person's document read again is the same track.
type track struct {
	Device string `json:"device"`
	View   string `json:"view,omitempty"`
	Event  string `json:"event,omitempty"`
}

// sighting is a track with the time of its first reading.
type sighting struct {
	track
	At time.Time `json:"at"`
}

// shot is a photo with what was read on it. Those of one track are a burst.
type shot struct {
	track
	Photo  string               `json:"photo"` // digest
	At     time.Time            `json:"at"`    // by the camera's clock where it has one
	Read   bool                 `json:"read,omitempty"`
	Plates []event.PlateReading `json:"plates,omitempty"`
}

type analysis struct {
	Request
	Outcome string `json:"outcome,omitempty"`
}

// final says that no other answer is waited for.
func (a *analysis) final() bool { return a.Outcome == outcomeDone || a.Outcome == outcomeUnreadable }

// watch is the worst state of a required device while a passage lasted.
type watch struct {
	Device string    `json:"device"`
	Worst  condition `json:"worst"`
}

// sent is an alert that was shared.
type sent struct {
	Code     string         `json:"code"`
	Device   string         `json:"device,omitempty"`
	Finding  event.ID       `json:"finding"`
	IDs      []event.ID     `json:"ids"` // the alert and its updates
	Severity event.Severity `json:"severity"`
}

// derived is a finding that follows from the record as a whole. Mark tells
// those of one code and device apart.
type derived struct {
	Code    string   `json:"code"`
	Device  string   `json:"device,omitempty"`
	Mark    string   `json:"mark,omitempty"`
	Finding event.ID `json:"finding,omitempty"` // empty in shadow mode
}

// noted is something about a device or the clock that held while the passage
// lasted.
type noted struct {
	Code    string         `json:"code"` // of the finding
	Device  string         `json:"device,omitempty"`
	Mark    string         `json:"mark,omitempty"`
	Since   time.Time      `json:"since,omitzero"`
	Figures map[string]any `json:"figures,omitempty"`
	Reason  event.Text     `json:"reason,omitzero"`
	Said    event.Text     `json:"said,omitzero"`
}

// alarm is the first and the last time that a monitor flagged a channel.
type alarm struct {
	Channel string    `json:"channel"`
	First   time.Time `json:"first"`
	Last    time.Time `json:"last"`
}

// clockState is what the readings say of the gate's clock.
type clockState struct {
	// Met says that the clock was synchronised once; Lost since when it is not.
	Met  bool      `json:"met,omitempty"`
	Lost time.Time `json:"lost,omitzero"`
}

// held is a capture, document or code that waits for the presence it announces.
type held struct {
	Reading event.Reading `json:"reading"`
	Passage event.ID      `json:"passage"` // the id that its own passage would have
	Until   time.Time     `json:"until"`
	// During is the passage that stood in the presence zone meanwhile; the
	// capture is its own when no other presence follows.
	During event.ID `json:"during,omitempty"`
}

// meetDevices makes the state's devices those of the lane.
func (e *Engine) meetDevices() {
	met := make([]*deviceState, 0, len(e.lane.Devices))
	for _, d := range e.lane.Devices {
		if ds := e.s.device(d.ID); ds != nil {
			met = append(met, ds)
			continue
		}
		met = append(met, &deviceState{
			ID: d.ID, Link: condition{State: event.Down}, Report: condition{State: event.Up}, Unheard: true,
		})
	}
	e.s.Devices = met
}

func (s *state) device(id string) *deviceState {
	i := slices.IndexFunc(s.Devices, func(d *deviceState) bool { return d.ID == id })
	if i < 0 {
		return nil
	}
	return s.Devices[i]
}

func (s *state) passage(id event.ID) *passage {
	i := slices.IndexFunc(s.Passages, func(p *passage) bool { return p.Record.ID == id })
	if i < 0 {
		return nil
	}
	return s.Passages[i]
}

const (
	outcomeDone        = "done"
	outcomeUnreadable  = "unreadable"
	outcomeUnavailable = "unavailable"
)
