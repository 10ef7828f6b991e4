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

// Scan is what was found in one X-ray view.
type Scan struct {
	File     string    `json:"file"`
	Kind     string    `json:"kind"`
	Energy   string    `json:"energy"` // "grey" or "pseudocolor"
	Score    float64   `json:"score"`  // 0..1, of the whole image
	Findings []Finding `json:"findings"`
	Cargo    *Cargo    `json:"cargo,omitempty"`
	MS       Times     `json:"ms"`
	Model    string    `json:"model"`
}

// Finding is one region of a scan that should be looked at.
type Finding struct {
	Code  string  `json:"code"` // XRAY-ANOMALY or XRAY-OPAQUE
	Class string  `json:"class"`
	Box   Box     `json:"box"`
	Score float64 `json:"score"` // 0..1
}

// Cargo is the state of a cargo body.
type Cargo struct {
	State string  `json:"state"` // "empty", "partial" or "loaded"
	Fill  float64 `json:"fill"`  // share of the body's interior that is filled, 0..1
}

// Failure is the line for a file that could not be analysed.
type Failure struct {
	File  string `json:"file"`
	Error *Error `json:"error"`
}
