package event

import "time"

// ReadingKind says what a reading measured; it decides which value is set.
type ReadingKind string

// Reading kinds of the first drivers.
const (
	// RadiationBackground is an rpm background record while nobody passes.
	RadiationBackground ReadingKind = "radiation.background"
	// RadiationSample is one interval of an occupancy.
	RadiationSample ReadingKind = "radiation.sample"
	// Presence marks begin or end of something standing in the lane.
	PresenceChange ReadingKind = "presence"
	// CameraCapture is one image of a plate camera.
	CameraCapture ReadingKind = "camera.capture"
	// ScanEvent is a scanner's event such as SCAN_BEGIN.
	ScanEvent ReadingKind = "xray.event"
	// ScanImage is one finished view of a scan.
	ScanImage ReadingKind = "xray.image"
	// WeightSample is one frame of a scale's indicator.
	WeightSample ReadingKind = "weight.sample"
	// WeightStable is a weight at which the scale has settled: another one than
	// before, or the first since something drove on or off.
	WeightStable ReadingKind = "weight.stable"
	// BarcodeRead is one code that a barcode reader decoded.
	BarcodeRead ReadingKind = "barcode"
	// DeviceReport is a state, setup or tamper message of a device about itself.
	DeviceReport ReadingKind = "device.report"
	// DocumentRead is a travel or identity document as its machine-readable
	// zone or its QR code says.
	DocumentRead ReadingKind = "document"
	// BarrierState is what a barrier, its lights, loops and safety inputs show.
	BarrierState ReadingKind = "barrier.state"
	// FrameInvalid is a frame that could not be understood. It is kept: bad
	// input always leaves a trace.
	FrameInvalid ReadingKind = "frame.invalid"
	// FrameLoss says that a driver had to drop frames, or that frames are known
	// to be missing.
	FrameLoss ReadingKind = "frame.loss"
)

// Class is the value class of a reading; it decides retention.
type Class string

const (
	// Idle readings say that nothing happens; they are kept for a short time.
	Idle Class = "idle"
	// Active readings belong to a passage or change what is known.
	Active Class = "active"
)

// Quality says how far a value can be trusted.
type Quality string

// Value qualities.
const (
	Good    Quality = "good"
	Suspect Quality = "suspect" // plausible but flagged by the device or the driver
	Bad     Quality = "bad"     // must not be used as a value
)

// Clock is the state of the gate's clock when a reading was received.
type Clock struct {
	Source       string  `json:"source"`               // "ntp", "free" or "unknown"
	Synchronised bool    `json:"synchronised"`         // the kernel's own judgement (STA_UNSYNC clear)
	OffsetMS     float64 `json:"offset_ms"`            // last known offset to the source
	MaxErrorMS   float64 `json:"max_error_ms"`         // kernel's bound on the error
	SteppedMS    float64 `json:"stepped_ms,omitempty"` // step of the wall clock since the last reading, when there was one
}

// Reading is one measurement or image of a device. The runtime sets ID, Where
// and Clock; the driver sets the rest.
type Reading struct {
	ID ID `json:"id"`
	Where
	Kind       ReadingKind `json:"kind"`
	Class      Class       `json:"class"`
	DeviceTime *time.Time  `json:"device_time,omitempty"` // as the device says, whatever it says
	ReceivedAt time.Time   `json:"received_at"`           // UTC, taken when the last byte of the frame arrived
	Clock      Clock       `json:"clock"`
	Quality    Quality     `json:"quality"`
	Note       string      `json:"note,omitempty"` // why the quality is not good, for technicians

	// Key is the device's own identity of this measurement (camera event id,
	// scan id and view). A second reading with the same device and key is a
	// re-delivery and is dropped. Empty when the protocol has none.
	Key string `json:"key,omitempty"`
	// Frames are the SHA-256 digests of the raw frames the reading came from:
	// a serial line without its terminator, an MQTT payload, a file.
	Frames []string `json:"frames"`
	// Raw is the frame itself when it is at most 4 KiB; longer ones are evidence.
	Raw []byte `json:"raw,omitempty"`

	Radiation *Radiation    `json:"radiation,omitempty"`
	Presence  *PresenceEdge `json:"presence,omitempty"`
	Capture   *Capture      `json:"capture,omitempty"`
	Scan      *Scan         `json:"scan,omitempty"`
	Weight    *Weight       `json:"weight,omitempty"`
	Barcode   *Barcode      `json:"barcode,omitempty"`
	Document  *Document     `json:"document,omitempty"`
	Barrier   *Barrier      `json:"barrier,omitempty"`
	Report    *Report       `json:"report,omitempty"`
	Loss      *Loss         `json:"loss,omitempty"`
}

// Radiation is one record of a radiation portal monitor.
type Radiation struct {
	Record     string    `json:"record"`          // the two letters of the wire, such as GS
	Channel    string    `json:"channel"`         // "gamma" or "neutron"
	Counts     []float64 `json:"counts"`          // per detector, in IntervalMS
	IntervalMS int       `json:"interval_ms"`     // 200, 1000 or 5000
	Alarm      bool      `json:"alarm"`           // the monitor's own flag (GA, NA)
	Fault      string    `json:"fault,omitempty"` // "high-background", "low-background"
	// GammaBackgroundCPS and NeutronBackgroundCPS are the sums over detectors of
	// the last background records before this one, in counts per second; zero
	// when none was seen. Every sample carries them so that it stands alone.
	GammaBackgroundCPS   float64  `json:"gamma_background_cps,omitempty"`
	NeutronBackgroundCPS float64  `json:"neutron_background_cps,omitempty"`
	SpeedKMH             *float64 `json:"speed_kmh,omitempty"` // SP records only
}

// PresenceEdge is the begin or end of an occupancy, as the device knows it.
type PresenceEdge struct {
	Occupied bool   `json:"occupied"`
	Number   string `json:"number,omitempty"` // the device's occupancy number
	// Unterminated marks an end that the driver inferred because background
	// came back without the device's own end record.
	Unterminated bool `json:"unterminated,omitempty"`
	// Reverse marks something that left the way it came.
	Reverse bool `json:"reverse,omitempty"`
}

// Capture is one image of a plate camera with what the camera itself says.
type Capture struct {
	EventID    string            `json:"event_id"`
	View       string            `json:"view"` // "front", "rear", "side", "overview"
	Image      *Evidence         `json:"image,omitempty"`
	PlateHint  string            `json:"plate_hint,omitempty"` // the camera's own reading, if it has one; never trusted alone
	HintScore  float64           `json:"hint_score,omitempty"`
	Direction  Direction         `json:"direction,omitempty"`
	Final      bool              `json:"final,omitempty"` // the camera's track has ended
	Properties map[string]string `json:"properties,omitempty"`
}

// Scan is an event or a finished view of an X-ray scanner.
type Scan struct {
	ScanID string    `json:"scan_id"`
	Event  string    `json:"event,omitempty"`  // SCAN_BEGIN, SCAN_END, ITEM_IN, ITEM_OUT, TIP
	Result *int      `json:"result,omitempty"` // of SCAN_END: 0 complete, 3 cut off by an interlock
	View   int       `json:"view,omitempty"`   // 1-based
	Kind   string    `json:"kind,omitempty"`   // "cargo" or "baggage"
	Image  *Evidence `json:"image,omitempty"`
	// Low is the low energy of the view where a scanner with two writes it to a
	// file of its own; Image is the high energy then.
	Low *Evidence `json:"low,omitempty"`
	// Sidecar is the scanner's own description of the view, kept as received.
	Sidecar *Evidence `json:"sidecar,omitempty"`
	KV      float64   `json:"kv,omitempty"` // tube voltage, kilovolt
	MA      float64   `json:"ma,omitempty"` // tube current, milliampere
}

// Weight is what a scale showed, in kilograms whatever unit it sent. A value
// that is not set is not known; a reading that is not valid has none.
type Weight struct {
	Gross      *float64 `json:"gross_kg,omitempty"` // below zero when the scale shows less than its zero
	Tare       *float64 `json:"tare_kg,omitempty"`
	Net        *float64 `json:"net_kg,omitempty"`
	Stable     bool     `json:"stable"` // settled: as many equal readings without motion as the lane asks for
	Motion     bool     `json:"motion"`
	OverRange  bool     `json:"over_range"`
	UnderRange bool     `json:"under_range"`
	Zeroed     bool     `json:"zeroed"`      // false while the indicator says that it was not zeroed since power-up
	Loaded     bool     `json:"loaded"`      // something stands on the scale, by the lane's threshold
	ZeroBefore bool     `json:"zero_before"` // the scale stood settled at zero before what is on it came
	Unit       string   `json:"unit"`        // as sent: "kg", "lb", "t", "g"
	DivisionKG float64  `json:"division_kg"` // the smallest step of the scale
}

// Barcode is one decoded code.
type Barcode struct {
	Symbology string `json:"symbology,omitempty"` // such as "qr" or "code128"; empty when the reader does not say
	Text      string `json:"text"`                // UTF-8, NFC; empty when the bytes are no text, which the frame still has
}

// Document is a travel or identity document as a machine read it. Nothing in
// it is corrected but what Repaired names.
type Document struct {
	Format      string `json:"format"`                // "TD1", "TD2", "TD3", "MRV-A", "MRV-B" or "CCCD-QR"
	Type        string `json:"type,omitempty"`        // the one or two letters of the document, such as P or ID
	Issuer      string `json:"issuer,omitempty"`      // state or organisation, as printed
	Number      string `json:"number"`                // document number, of a CCCD its twelve digits
	Nationality string `json:"nationality,omitempty"` // as printed
	Birth       string `json:"birth,omitempty"`       // 2006-01-02; XX for a part that the document leaves open
	Sex         string `json:"sex,omitempty"`         // M, F or empty
	Expiry      string `json:"expiry,omitempty"`      // as Birth
	// Names are the primary and the secondary identifier of a machine-readable
	// zone, or the one full name of a CCCD.
	Names    []string `json:"names,omitempty"`
	Optional string   `json:"optional,omitempty"` // personal number or other optional data
	// Checks says for each field what was checked: "ok", "wrong", or "absent"
	// where the document carries no digit for it.
	Checks map[string]string `json:"checks"`
	// Repaired names each repair as field and characters, such as
	// "birth: O read as 0"; empty when nothing was touched.
	Repaired []string `json:"repaired,omitempty"`
}

// Barrier is a barrier with its lights and safety inputs at one moment.
type Barrier struct {
	Arm       string   `json:"arm"`                 // "up", "down", "between", or "unknown" when both limits are active
	Lights    []string `json:"lights"`              // those that are lit: "red", "amber", "green", "beacon"
	Loops     []string `json:"loops"`               // those that are occupied: "entry", "safety", "exit"
	Photocell bool     `json:"photocell,omitempty"` // beam is interrupted
	EStop     bool     `json:"e_stop,omitempty"`    // emergency stop is pressed, or its wire is broken
	Manual    bool     `json:"manual,omitempty"`    // manual mode, or the arm is detached
	Faults    []string `json:"faults,omitempty"`    // "sensor", "open-travel", "coil"
	Commanded string   `json:"commanded,omitempty"` // the pulse that is being given: "open", "close", "stop"
	Watchdog  string   `json:"watchdog"`            // "board" when the IO board drops to red by itself, else "none"
}

// DeviceState is what a device is able to do right now.
type DeviceState string

// Device states, from best to worst. They are also the coverage states.
const (
	Up       DeviceState = "up"
	Degraded DeviceState = "degraded"
	Faulty   DeviceState = "faulty" // connected and unable to look
	Down     DeviceState = "down"   // no signal
	Bypassed DeviceState = "bypassed"
	InTest   DeviceState = "in-test"
)

// Report is what a device says about itself.
type Report struct {
	State  DeviceState       `json:"state"`
	Code   string            `json:"code,omitempty"` // the device's word, such as INTERLOCK or TT
	Detail map[string]string `json:"detail,omitempty"`
}

// Loss counts frames that were dropped or never arrived.
type Loss struct {
	Frames int       `json:"frames"` // 0 when the number cannot be known
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`
	Reason string    `json:"reason"` // "overflow", "link", "restart", "disk-full"
}

// Evidence refers to an image or capture by content.
type Evidence struct {
	SHA256    string `json:"sha256"`
	MediaType string `json:"media_type"`
	Bytes     int64  `json:"bytes"`
	Role      string `json:"role"`           // "plate-photo", "scan", "sidecar", "crop", "frame"
	Name      string `json:"name,omitempty"` // the file's or topic's name as received
}
