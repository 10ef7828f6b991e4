package event

import "time"

// PassageKind is what goes through.
type PassageKind string

// Kinds of passage.
const (
	Vehicle     PassageKind = "vehicle"
	Person      PassageKind = "person"
	Consignment PassageKind = "consignment"
	Wagon       PassageKind = "wagon"
)

// PassageState is how far a passage has got.
type PassageState string

// Passage states.
const (
	Open      PassageState = "open"      // something is in the lane
	Waiting   PassageState = "waiting"   // it has left the presence zone; readings or results are still expected
	Closed    PassageState = "closed"    // nothing more is expected; late results may still add a version
	Cancelled PassageState = "cancelled" // it reversed out, or was none
	Merged    PassageState = "merged"    // it is part of another passage, which MergedInto names
)

// Passage is the one record of a vehicle, person or consignment going through.
// A later Version replaces an earlier one of the same ID.
type Passage struct {
	ID      ID  `json:"id"`
	Version int `json:"version"` // from 1
	Where
	Kind      PassageKind  `json:"kind"`
	Direction Direction    `json:"direction"`
	Flow      Flow         `json:"flow"`
	State     PassageState `json:"state"`
	OpenedAt  time.Time    `json:"opened_at"`
	LeftAt    *time.Time   `json:"left_at,omitempty"`
	ClosedAt  *time.Time   `json:"closed_at,omitempty"`
	// Irregular lists what was unusual about its boundaries: "tail-gate",
	// "reversed", "missing-end", "no-presence", "restart", "by-hand".
	Irregular []string `json:"irregular,omitempty"`

	Plates     []PlateReading     `json:"plates,omitempty"`
	Radiation  *RadiationProfile  `json:"radiation,omitempty"`
	Scans      []ScanView         `json:"scans,omitempty"`
	Photos     []Photo            `json:"photos,omitempty"`
	Containers []ContainerReading `json:"containers,omitempty"`
	Weighings  []Weighing         `json:"weighings,omitempty"`
	Documents  []DocumentReading  `json:"documents,omitempty"`
	Barcodes   []BarcodeReading   `json:"barcodes,omitempty"`
	// Expected is what the place's list of expected vehicles says of it; nil
	// where the lane uses no list.
	Expected *Expected `json:"expected,omitempty"`
	// Stated is what officers have stated, the latest for each field; the
	// readings stay as they were. Corrections tell who, when and why.
	Stated      Facts        `json:"stated,omitzero"`
	Corrections []Correcting `json:"corrections,omitempty"`
	MergedInto  ID           `json:"merged_into,omitempty"`
	Coverage    []Coverage   `json:"coverage"`
	Findings    []Finding    `json:"findings,omitempty"`
	Readings    []ReadingRef `json:"readings"`
	// Clock is the worst that the gate's clock was while its readings came; nil
	// where nothing is known of it. The journal has it of each reading.
	Clock *Clock `json:"clock,omitempty"`
	// Pending are the evidence digests whose analysis has not come back.
	Pending []string `json:"pending,omitempty"`
}

// ReadingRef is a passage's pointer to one of its readings.
type ReadingRef struct {
	ID         ID          `json:"id"`
	Device     string      `json:"device"`
	Kind       ReadingKind `json:"kind"`
	ReceivedAt time.Time   `json:"received_at"`
	Quality    Quality     `json:"quality"`
	Frames     []string    `json:"frames"`
}

// PlateReading is one plate as vision read it. Text is canonical: upper case
// letters (Đ kept) and digits, no separators, rows joined top to bottom; empty
// when the reading is too weak to stand on.
type PlateReading struct {
	Text       string      `json:"text"`
	Display    string      `json:"display,omitempty"` // as people write it: 12C-123.45
	Country    string      `json:"country,omitempty"` // ISO 3166 alpha-2
	Kind       string      `json:"kind,omitempty"`
	Rows       int         `json:"rows,omitempty"`
	Box        []int       `json:"box,omitempty"` // x, y, w, h in pixels of the photo
	Score      float64     `json:"score"`         // 0..1
	Alternates []Alternate `json:"alternates,omitempty"`
	Photo      string      `json:"photo"` // digest of the photo it was read from
	View       string      `json:"view,omitempty"`
	Model      string      `json:"model"`
	// Where a camera took several pictures of what it followed, Frames is how many
	// showed the plate and Votes how many of them read Text; Photo and Box are of
	// the best. Zero for a single picture.
	Frames int `json:"frames,omitempty"`
	Votes  int `json:"votes,omitempty"`
}

// Alternate is another text that the same plate could have.
type Alternate struct {
	Text  string  `json:"text"`
	Score float64 `json:"score"`
}

// Photo is a camera image of a passage.
type Photo struct {
	Image    Evidence  `json:"image"`
	View     string    `json:"view"`
	Device   string    `json:"device"`
	TakenAt  time.Time `json:"taken_at"`
	Analysis string    `json:"analysis"` // "pending", "done", "unreadable", "unavailable"
	// Track is the camera's own id of what it followed; photos of one camera with
	// the same are a burst. Empty where the camera gives none.
	Track string `json:"track,omitempty"`
}

// ScanView is one X-ray view of a passage.
type ScanView struct {
	ScanID   string    `json:"scan_id"`
	View     int       `json:"view"`
	Kind     string    `json:"kind"`
	Image    Evidence  `json:"image"`
	Device   string    `json:"device"`
	TakenAt  time.Time `json:"taken_at"`
	Cut      bool      `json:"cut,omitempty"` // an interlock ended the scan early
	Analysis string    `json:"analysis"`      // as Photo.Analysis
	// Analysed is the share of the view that could be analysed, 0..1, where the
	// picture was cut off; zero when all of it was.
	Analysed float64 `json:"analysed,omitempty"`
	Score    float64 `json:"score,omitempty"`
	Cargo    *Cargo  `json:"cargo,omitempty"`
	Model    string  `json:"model,omitempty"`
	// Low is the low energy where it has a file of its own, Sidecar the scanner's
	// own description; both were analysed with the image.
	Low     *Evidence `json:"low,omitempty"`
	Sidecar *Evidence `json:"sidecar,omitempty"`
	// Shadow says that the scanner is not calibrated: what was marked in the view
	// is counted at the gate and is no finding.
	Shadow bool `json:"shadow,omitempty"`
	// Calibration is the version of the scanner's calibration that was used.
	Calibration string `json:"calibration,omitempty"`
	// Heat is how suspect each part of the view is; nil where no model says so.
	Heat *Heat `json:"heat,omitempty"`
}

// MostHeat is the largest number of cells of a Heat.
const MostHeat = 1 << 14

// Heat is a map of a scan, a cell for each Step by Step pixels of the image.
type Heat struct {
	Width  int     `json:"width"`
	Height int     `json:"height"`
	Step   float64 `json:"step"`
	Cells  []byte  `json:"cells"` // row by row, 255 times the score
}

// Fits tells whether the map is whole and of a size that is shown.
func (h *Heat) Fits() bool {
	return h != nil && h.Width > 0 && h.Height > 0 && h.Step > 0 && h.Step <= MostHeat && h.Width <= MostHeat && h.Height <= MostHeat && h.Width*h.Height == len(h.Cells) && len(h.Cells) <= MostHeat
}

// ContainerReading is one container number as vision, a code or an officer
// gave it.
type ContainerReading struct {
	Text     string  `json:"text"`                // ISO 6346, 11 characters without separators
	CheckOK  bool    `json:"check_ok"`            // the check digit was read and is right
	Repaired bool    `json:"repaired,omitempty"`  // one character was changed, the only change that makes it valid
	SizeType string  `json:"size_type,omitempty"` // ISO 6346, 4 characters
	Box      []int   `json:"box,omitempty"`       // x, y, w, h in pixels of the photo
	Score    float64 `json:"score"`               // 0..1
	Photo    string  `json:"photo,omitempty"`     // digest of the photo it was read from
	Reading  ID      `json:"reading,omitempty"`   // of the barcode it was in
	Model    string  `json:"model,omitempty"`
}

// Weighing is what one scale said of a passage: its last settled weight and
// the way there. Weights are in kilograms.
type Weighing struct {
	Device string    `json:"device"`
	At     time.Time `json:"at"`               // of the settled weight; of the last sample when none settled
	Weight *Weight   `json:"weight,omitempty"` // nil when nothing settled
	// AxlesKG are the loads of the axles in the order in which they passed;
	// empty for a scale that takes the whole vehicle.
	AxlesKG []float64 `json:"axles_kg,omitempty"`
	// Course is the indicated gross weight over time, for people to see how the
	// vehicle came to rest; at most 240 points.
	Course  []WeightPoint `json:"course,omitempty"`
	Reading ID            `json:"reading,omitempty"`
}

// WeightPoint is one point of a weighing's course.
type WeightPoint struct {
	AtMS    int64   `json:"at_ms"` // since the course's first point
	GrossKG float64 `json:"gross_kg"`
}

// DocumentReading is a document of a passage.
type DocumentReading struct {
	Device   string    `json:"device"`
	At       time.Time `json:"at"`
	Reading  ID        `json:"reading"`
	Document Document  `json:"document"`
}

// BarcodeReading is a code of a passage.
type BarcodeReading struct {
	Device  string    `json:"device"`
	At      time.Time `json:"at"`
	Reading ID        `json:"reading"`
	Barcode Barcode   `json:"barcode"`
}

// Expected is the answer of the place's list of expected vehicles.
type Expected struct {
	List   string `json:"list"`   // name of the list
	SHA256 string `json:"sha256"` // of the list's file as it was when asked
	Asked  string `json:"asked"`  // the plate, container number or declaration that was looked up
	Found  bool   `json:"found"`
	// What the list says of it; empty fields are not on the list.
	Plate       string    `json:"plate,omitempty"`
	RearPlate   string    `json:"rear_plate,omitempty"`
	Container   string    `json:"container,omitempty"`
	Declaration string    `json:"declaration,omitempty"` // VN customs declaration number
	GrossKG     *float64  `json:"gross_kg,omitempty"`    // declared gross weight of vehicle and load
	NetKG       *float64  `json:"net_kg,omitempty"`      // declared weight of the goods
	Goods       string    `json:"goods,omitempty"`
	Direction   Direction `json:"direction,omitempty"`
	From        string    `json:"from,omitempty"` // 2006-01-02, first day on which it is expected
	To          string    `json:"to,omitempty"`   // last day
}

// Cargo is what a cargo scan says about the load.
type Cargo struct {
	State string  `json:"state"` // "empty", "loaded" or "partial"
	Fill  float64 `json:"fill"`  // share of the interior that is filled, 0..1
}

// RadiationProfile is the course of one occupancy.
type RadiationProfile struct {
	StartedAt            time.Time `json:"started_at"`
	GammaIntervalMS      int       `json:"gamma_interval_ms"`
	Gamma                []float64 `json:"gamma"` // sum over detectors per interval
	NeutronIntervalMS    int       `json:"neutron_interval_ms"`
	Neutron              []float64 `json:"neutron"` // sum over detectors per interval
	GammaBackgroundCPS   float64   `json:"gamma_background_cps"`
	NeutronBackgroundCPS float64   `json:"neutron_background_cps"`
	GammaAlarm           bool      `json:"gamma_alarm"`   // the monitor's own flag
	NeutronAlarm         bool      `json:"neutron_alarm"` // the monitor's own flag
	// MaxSigma is the largest (F-B)/sqrt(B) over one second, as the gate
	// recomputes it; advisory beside the monitor's own flags.
	MaxSigma float64  `json:"max_sigma"`
	SpeedKMH *float64 `json:"speed_kmh,omitempty"`
}

// Coverage says whether one required sensor was looking while a passage lasted.
type Coverage struct {
	Device string      `json:"device"`
	State  DeviceState `json:"state"`           // the worst while the passage lasted
	Looked bool        `json:"looked"`          // it delivered what the lane requires of it
	From   *time.Time  `json:"from,omitempty"`  // of the worst state
	Reason Text        `json:"reason,omitzero"` // for people: "no signal for 14 s"
}

// Severity uses the words of CAP 1.2.
type Severity string

// CAP 1.2 severities.
const (
	Extreme         Severity = "Extreme"
	Severe          Severity = "Severe"
	Moderate        Severity = "Moderate"
	Minor           Severity = "Minor"
	SeverityUnknown Severity = "Unknown"
)

// Finding codes. The table of severities and lead agencies is configuration.
const (
	FindingRadiationGamma   = "RPM-GAMMA"
	FindingRadiationNeutron = "RPM-NEUTRON"
	FindingXrayAnomaly      = "XRAY-ANOMALY"
	FindingXrayOpaque       = "XRAY-OPAQUE"
	FindingCoverageGap      = "COVERAGE-GAP"
	FindingPlateUnread      = "PLATE-UNREAD"
	FindingPlateMismatch    = "PLATE-MISMATCH"
	FindingTailgate         = "TAIL-GATE"
	FindingUnreadableImage  = "IMAGE-UNREADABLE"
	// FindingRadiationFault is a background out of its limits while a passage
	// lasted: the monitor could not have told an alarm from none.
	FindingRadiationFault = "RPM-FAULT"
	// FindingWeightDeclared is a weight that differs from the declared one by
	// more than the lane's tolerance; FindingWeightAxles a gross weight that
	// differs from the sum of the axles.
	FindingWeightDeclared = "WEIGHT-MISMATCH"
	FindingWeightAxles    = "WEIGHT-AXLES"
	// FindingWeightUncertain is a vehicle that no settled, valid weight was got
	// of: motion, over range, not zeroed, scale past its calibration date.
	FindingWeightUncertain = "WEIGHT-UNCERTAIN"
	FindingOverspeed       = "OVERSPEED"
	// FindingUnexpected is a vehicle that the list of expected ones lacks.
	FindingUnexpected      = "NOT-EXPECTED"
	FindingContainerCheck  = "CONTAINER-CHECK"
	FindingDocumentExpired = "DOCUMENT-EXPIRED"
	FindingDocumentCheck   = "DOCUMENT-CHECK"
	FindingClockLost       = "CLOCK-LOST"
	FindingTamper          = "DEVICE-TAMPER"
)

// Region is a rectangle on one piece of evidence, in its pixels.
type Region struct {
	Evidence string `json:"evidence"` // digest
	Box      []int  `json:"box"`      // x, y, w, h
}

// Source says what concluded a finding.
type Source struct {
	Kind    string `json:"kind"` // "device", "rule" or "model"
	Name    string `json:"name"`
	Version string `json:"version"`
	// Calibration is the version of the scanner's calibration by which a rule or
	// model judged a scan.
	Calibration string `json:"calibration,omitempty"`
}

// Finding is what an analysis or a rule concluded about a passage.
type Finding struct {
	ID       ID             `json:"id"`
	Code     string         `json:"code"`
	Severity Severity       `json:"severity"`
	Lead     Agency         `json:"lead"`
	Score    float64        `json:"score"` // 0..1; 1 for a rule that is simply met
	At       time.Time      `json:"at"`
	Device   string         `json:"device,omitempty"`
	Region   *Region        `json:"region,omitempty"`
	Source   Source         `json:"source"`
	Headline Text           `json:"headline"`
	Figures  map[string]any `json:"figures,omitempty"` // the values compared, with units in the keys
	Causes   []ID           `json:"causes,omitempty"`  // readings it follows from
}
