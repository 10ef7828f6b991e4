// Package wire holds the words that the daemon and a vision worker speak to
// each other: one JSON object a line, one request in flight. The results are
// also the lines that the gatehouse-vision command prints.
package wire

import (
	"encoding/json"
	"fmt"
)

// MaxLine is the longest line that either side accepts, in bytes.
const MaxLine = 4 << 20

// Op is what a worker is asked to do.
type Op string

// Operations of a worker.
const (
	OpPlate     Op = "plate"
	OpContainer Op = "container"
	OpXray      Op = "xray"
	// OpCanary analyses a picture that is built into the worker and fails when
	// the known answer does not come out. With a Kind it tries that kind of
	// X-ray instead of the plates.
	OpCanary Op = "canary"
)

// Kinds of X-ray scan.
const (
	KindBaggage = "baggage"
	KindCargo   = "cargo"
)

// Request asks a worker for one analysis.
type Request struct {
	ID      string `json:"id"`
	Op      Op     `json:"op"`
	Path    string `json:"path,omitempty"` // absolute
	Kind    string `json:"kind,omitempty"` // of an X-ray scan
	Scanner string `json:"scanner,omitempty"`
	// Low and Sidecar are the other files of a scan where their names do not
	// tell that they belong together, as in a store by digest. Absolute.
	Low     string `json:"low,omitempty"`
	Sidecar string `json:"sidecar,omitempty"`
}

// Response answers the request of the same id; either Result or Error is set.
type Response struct {
	ID     string          `json:"id"`
	Result json.RawMessage `json:"result,omitempty"`
	Error  *Error          `json:"error,omitempty"`
}

// Ready is a worker's first line. Missing says for each model that could not
// be loaded why; operations that need it answer model-missing.
type Ready struct {
	Ready   bool              `json:"ready"`
	Models  map[string]string `json:"models,omitempty"`  // name to version
	Missing map[string]string `json:"missing,omitempty"` // name to reason
	Error   *Error            `json:"error,omitempty"`   // when the worker cannot start
}

// Code says why a file could not be analysed.
type Code string

// Codes. ModelMissing and Internal are the worker's fault, the others the file's.
const (
	NotRegular    Code = "not-regular"     // no such file, or a folder, link, pipe or device
	TooLarge      Code = "too-large"       // more bytes than allowed
	TooManyPixels Code = "too-many-pixels" // refused before decoding
	Undecodable   Code = "undecodable"     // damaged, truncated or empty
	Unsupported   Code = "unsupported"     // not a picture, or of a form nobody here decodes
	ModelMissing  Code = "model-missing"
	Internal      Code = "internal"
)

// Error is a failure that a caller decides on by its code.
type Error struct {
	Code    Code   `json:"code"`
	Message string `json:"message"`
}

func (e *Error) Error() string { return string(e.Code) + ": " + e.Message }

// Errorf makes an Error with a formatted message.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Times are durations of the steps of an analysis in milliseconds; "total" is
// always there.
type Times map[string]float64

// Box is x, y, width and height in pixels of the file as stored.
type Box [4]int

// Plates is what was read in one picture.
type Plates struct {
	File   string  `json:"file"`
	Plates []Plate `json:"plates"`
	MS     Times   `json:"ms"`
	Model  string  `json:"model"`
}

// Plate is one plate. Text is canonical: upper case letters (Đ kept) and
// digits, rows joined; it is empty when the reading is too weak to stand on
// (then Score is below 0.5 and Alternates hold what was seen).
type Plate struct {
	Text       string      `json:"text"`
	Display    string      `json:"display"`
	Country    string      `json:"country"` // ISO 3166 alpha-2, or "other"
	Kind       string      `json:"kind"`
	Rows       int         `json:"rows"`
	Box        Box         `json:"box"`
	Score      float64     `json:"score"` // 0..1
	Alternates []Alternate `json:"alternates"`
}

// Alternate is another text that a plate could have.
type Alternate struct {
	Text  string  `json:"text"`
	Score float64 `json:"score"`
}

// Codes is the container numbers that were read in one picture.
type Codes struct {
	File  string          `json:"file"`
	Codes []ContainerCode `json:"codes"`
	MS    Times           `json:"ms"`
	Model string          `json:"model"`
}

// ContainerCode is a number by ISO 6346: eleven characters, the last the check
// digit. CheckOK says that the digit was read and is right. A Repaired number
// had one character changed, the only change that makes it valid; a digit that
// was not read is filled in, and then neither is set and Score is below 0.5.
type ContainerCode struct {
	Text     string  `json:"text"`
	CheckOK  bool    `json:"check_ok"`
	Repaired bool    `json:"repaired,omitempty"`
	SizeType string  `json:"size_type"` // such as 45G1; empty when it was not read
	Box      Box     `json:"box"`
	Score    float64 `json:"score"` // 0..1
}

// Scan is what was found in one X-ray view.
type Scan struct {
	File     string    `json:"file"`
	Kind     string    `json:"kind"`
	Energy   string    `json:"energy"` // "grey", "dual" or "pseudocolor"
	Score    float64   `json:"score"`  // 0..1, of the whole image
	Findings []Finding `json:"findings"`
	Cargo    *Cargo    `json:"cargo,omitempty"`
	MS       Times     `json:"ms"`
	Model    string    `json:"model"`

	ScanID string `json:"scan_id,omitempty"`
	View   int    `json:"view,omitempty"`
	// Scanner is the scanner whose calibration was used; Calibration is its
	// version. Shadow says that the scanner is not calibrated: findings are for
	// watching the scanner and must not stop anybody.
	Scanner     string `json:"scanner,omitempty"`
	Calibration string `json:"calibration,omitempty"`
	Shadow      bool   `json:"shadow,omitempty"`
	// Scores are the strongest score of each rule, reported or not; calibration
	// sets its thresholds on them.
	Scores    map[string]float64 `json:"scores,omitempty"`
	Truncated *Truncated         `json:"truncated,omitempty"`
	Physics   *Physics           `json:"physics,omitempty"`
	Sources   []Source           `json:"sources,omitempty"`
	Notes     []Text             `json:"notes,omitempty"`
	Heat      *Heat              `json:"heat,omitempty"`
}

// Text is said in both languages.
type Text struct {
	VI string `json:"vi"`
	EN string `json:"en"`
}

// Source is a file that a result was made from.
type Source struct {
	File   string `json:"file"`
	SHA256 string `json:"sha256"`
}

// Truncated says that only a part of a scan could be analysed.
type Truncated struct {
	Analysed float64 `json:"analysed"` // share of the whole scan, 0..1
	Why      string  `json:"why"`      // "file-cut", "no-signal" or "scanner"
}

// Heat is a map of what is suspect, a cell for each Step pixels of the file.
type Heat struct {
	Width  int     `json:"width"`
	Height int     `json:"height"`
	Step   float64 `json:"step"`  // pixels of the file a cell
	Cells  []byte  `json:"cells"` // row by row, 0..255 of the score; base64 in JSON
}

// Physics is what the transmission tells. Shares are of what is not air.
type Physics struct {
	Air           float64 `json:"air"`                       // level of the open beam, 0..1 of the range
	AirFrom       string  `json:"air_from"`                  // "sidecar", "calibration" or "scan"
	Noise         float64 `json:"noise"`                     // of the open beam, share of it
	PenetrationMM float64 `json:"penetration_mm,omitempty"`  // of steel behind which a signal is left
	Opaque        float64 `json:"opaque"`                    // share that could not be inspected
	Organic       float64 `json:"organic,omitempty"`         // shares, with two energies
	Inorganic     float64 `json:"inorganic,omitempty"`       // "
	Metal         float64 `json:"metal,omitempty"`           // "
	MostSteelMM   float64 `json:"most_steel_mm,omitempty"`   // 99th percentile of steel-equivalent
	MassKG        float64 `json:"mass_kg,omitempty"`         // of all that is not air, where the pixel size is known
	Curves        string  `json:"material_curves,omitempty"` // "calibrated" or "nominal"
}

// Finding is one region of a scan that should be looked at.
type Finding struct {
	Code  string  `json:"code"` // XRAY-ANOMALY or XRAY-OPAQUE
	Class string  `json:"class"`
	Box   Box     `json:"box"`
	Score float64 `json:"score"` // 0..1
	// Rule is the rule or model that found it, with its version; Figures are
	// what it compared.
	Rule    string   `json:"rule,omitempty"`
	Figures []Figure `json:"figures,omitempty"`
	Text    *Text    `json:"text,omitempty"`
}

// Figure is a value that a rule compared with a limit.
type Figure struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Limit float64 `json:"limit"`
	Unit  string  `json:"unit,omitempty"`
}

// Cargo is the state of a cargo body.
type Cargo struct {
	State string  `json:"state"` // "empty", "partial" or "loaded"
	Fill  float64 `json:"fill"`  // share of the body's interior that is filled, 0..1
	// Load is the mean log attenuation where there is load.
	Load float64 `json:"load,omitempty"`
	// Bodies are the containers or box bodies from left to right; two twenties
	// are two.
	Bodies []Body `json:"bodies,omitempty"`
	// Parts are what belongs to the vehicle; the rules pass it over.
	Parts []Part `json:"parts,omitempty"`
}

// Part is a part of the vehicle: "wheel", "engine" or "tank".
type Part struct {
	Kind string `json:"kind"`
	Box  Box    `json:"box"`
}

// Body is one container or box body.
type Body struct {
	Box     Box       `json:"box"`     // its inside
	State   string    `json:"state"`   // as of Cargo
	Fill    float64   `json:"fill"`    // 0..1
	Profile []float64 `json:"profile"` // fill from left to right, in 24 equal parts
	MassKG  float64   `json:"mass_kg,omitempty"`
}

// Failure is the line for a file that could not be analysed.
type Failure struct {
	File  string `json:"file"`
	Error *Error `json:"error"`
}
