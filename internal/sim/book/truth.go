package book

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Truth is what a simulated vehicle or person really was.
type Truth struct {
	Lane    string    `json:"lane"`
	Vehicle string    `json:"vehicle"` // sim-000012; persons are numbered with the vehicles
	Kind    string    `json:"kind"`    // "rigid", "semi-trailer"; "person"
	Plate   string    `json:"plate"`   // canonical; empty when it had none in the picture
	Display string    `json:"display"` // as people write it
	Rows    int       `json:"rows"`
	Country string    `json:"country"`
	View    string    `json:"view"`
	Photo   string    `json:"photo,omitempty"` // digest of the last picture sent
	Burst   []Shot    `json:"burst,omitempty"` // the pictures before it in a burst
	Event   string    `json:"event,omitempty"` // the camera's event id
	Scene   string    `json:"scene,omitempty"` // weather and light, or the real photo's file
	Box     []int     `json:"box,omitempty"`   // of the plate in the picture: x, y, w, h
	Follows bool      `json:"follows"`         // in the same occupancy as the vehicle before it
	Reverse bool      `json:"reverse"`         // backed out first and came again
	Declare string    `json:"declared"`        // what the papers say is in it
	Rad     Radiation `json:"radiation"`       //
	Scan    Scan      `json:"scan"`            // of a vehicle; of a person see Bags
	// What else a gate sees of a vehicle.
	RearPlate   string  `json:"rear_plate,omitempty"`  // canonical
	RearPhoto   string  `json:"rear_photo,omitempty"`  // digest of the rear camera's picture
	Container   string  `json:"container,omitempty"`   // as its label says
	Declaration string  `json:"declaration,omitempty"` // as its paper says
	Weight      *Weight `json:"weight,omitempty"`
	SpeedKMH    float64 `json:"speed_kmh,omitempty"` // in the portal
	// What else it sees of a person.
	Document *Document `json:"document,omitempty"`
	Bags     []Bag     `json:"bags,omitempty"`
	WrongWay bool      `json:"wrong_way,omitempty"` // came against the lane's direction
	// Missing are devices that were made to give nothing of it.
	Missing []string `json:"missing,omitempty"`
	// Findings are the codes that the gate has to conclude of it, sorted: what
	// was planted, and what the simulated instruments flagged.
	Findings []string `json:"findings"`

	Began  time.Time `json:"began"`            // UTC, first sign of it on a wire
	Ended  time.Time `json:"ended,omitzero"`   // UTC, last frame
	Faults []string  `json:"faults,omitempty"` // device/name of each that touched it
	// Cut is set when the simulator was stopped while the vehicle was under way.
	Cut bool `json:"cut,omitempty"`
}

// Shot is an earlier picture of a burst.
type Shot struct {
	Photo string `json:"photo"` // digest
	Box   []int  `json:"box"`   // of the plate in it: x, y, w, h
}

// Radiation is what the vehicle emitted and what the monitor made of it.
type Radiation struct {
	Class        string  `json:"class"`         // planned: "none", "gamma", "neutron", "both"
	GammaSigma   float64 `json:"gamma_sigma"`   // planned peak over one second
	NeutronSigma float64 `json:"neutron_sigma"` // planned peak over one second
	Shielding    float64 `json:"shielding"`     // share of the background that the vehicle shades, 0..1
	Occupancy    string  `json:"occupancy,omitempty"`
	GammaAlarm   bool    `json:"gamma_alarm"`   // the simulated monitor flagged it
	NeutronAlarm bool    `json:"neutron_alarm"` // the simulated monitor flagged it
	Samples      int     `json:"samples"`       // GS and GA records of its occupancy
	MaxSigma     float64 `json:"max_sigma"`     // (F-B)/sqrt(B) as sent
}

// Scan is what went through the X-ray.
type Scan struct {
	ID     string   `json:"id,omitempty"`
	Image  string   `json:"image,omitempty"` // digest of the image file of view 1
	Load   string   `json:"load"`            // "empty", "boxes", ...
	State  string   `json:"state"`           // "empty", "partial" or "loaded"
	Fill   float64  `json:"fill"`            // share of the interior's area that the load covers
	Threat bool     `json:"threat"`
	Kinds  []string `json:"kinds,omitempty"` // of the threats, in the order of boxes
	Boxes  [][4]int `json:"boxes"`           // x, y, w, h in pixels of the image
	Result int      `json:"result"`          // of SCAN_END
}

// Weight is what a vehicle weighs, and what the list of expected vehicles says.
type Weight struct {
	GrossKG    float64 `json:"gross_kg"`    // as it stood on the scale; 0 when it was not weighed
	DeclaredKG float64 `json:"declared_kg"` // 0 when it is on no list
}

// Document is what a person showed.
type Document struct {
	Format string `json:"format"` // "TD1", "TD2", "TD3", "MRV-A", "MRV-B", "CCCD-QR"
	Number string `json:"number"`
	Name   string `json:"name"`
	Expiry string `json:"expiry,omitempty"` // 2006-01-02
	// Flaw is what is wrong with it: "expired", "check", "ocr", "extra" or empty.
	Flaw string `json:"flaw,omitempty"`
}

// Bag is a piece of baggage.
type Bag struct {
	Tag  string `json:"tag"`
	Scan Scan   `json:"scan"`
}

// numbers is what may never be used twice, and who is under way.
type numbers struct {
	Vehicle int              `json:"vehicle"`
	Scan    int              `json:"scan"`
	Lanes   map[string]int   `json:"lanes"` // vehicles and persons of each lane
	Pending map[string]Truth `json:"pending,omitempty"`
}

func (b *Book) numbersPath() string { return filepath.Join(b.dir, "numbers.json") }

func (b *Book) loadNumbers() error {
	b.numbers = numbers{Pending: map[string]Truth{}, Lanes: map[string]int{}}
	data, err := os.ReadFile(b.numbersPath())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the simulator's numbers: %w", err)
	}
	if err := json.Unmarshal(data, &b.numbers); err != nil {
		return fmt.Errorf("read %s: %w; without it vehicle numbers would be used twice: start with another --state folder", b.numbersPath(), err)
	}
	if b.numbers.Lanes == nil {
		b.numbers.Lanes = map[string]int{}
	}
	names := make([]string, 0, len(b.numbers.Pending))
	for name := range b.numbers.Pending {
		names = append(names, name)
	}
	slices.Sort(names)
	told, err := os.ReadFile(filepath.Join(b.dir, "truth.jsonl"))
	if err != nil {
		return fmt.Errorf("read the truth file: %w", err)
	}
	for _, name := range names {
		// A kill between the truth line and the numbers leaves both.
		if bytes.Contains(told, []byte(`"vehicle":"`+name+`"`)) {
			continue
		}
		t := b.numbers.Pending[name]
		t.Cut = true
		b.append(b.truth, t)
	}
	b.numbers.Pending = map[string]Truth{}
	return errors.Join(b.err, b.saveNumbers())
}

// saveNumbers replaces the file in one step; the caller holds mu.
func (b *Book) saveNumbers() error {
	data, err := json.Marshal(b.numbers)
	if err != nil {
		return fmt.Errorf("encode the simulator's numbers: %w", err)
	}
	part := b.numbersPath() + ".part"
	if err := os.WriteFile(part, data, 0o644); err != nil {
		return fmt.Errorf("write the simulator's numbers: %w", err)
	}
	return os.Rename(part, b.numbersPath())
}

// NextVehicle allocates a number for a vehicle or person of a lane; it is never
// given out again.
func (p Page) NextVehicle() (int, error) {
	b := p.book
	b.mu.Lock()
	defer b.mu.Unlock()
	b.numbers.Vehicle++
	b.numbers.Lanes[p.lane]++
	return b.numbers.Vehicle, b.saveNumbers()
}

// NextScan allocates a scan number; it is never given out again.
func (b *Book) NextScan() (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.numbers.Scan++
	return b.numbers.Scan, b.saveNumbers()
}

// Vehicles is how many vehicles and persons of the lane there were in all runs.
func (p Page) Vehicles() int {
	p.book.mu.Lock()
	defer p.book.mu.Unlock()
	return p.book.numbers.Lanes[p.lane]
}

// Begin notes a vehicle or person that is under way, so that a kill does not
// lose it.
func (b *Book) Begin(t Truth) error {
	t = t.clone()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.numbers.Pending[t.Vehicle] = t
	return b.saveNumbers()
}

// clone shares nothing with t, which goes on being filled in.
func (t Truth) clone() Truth {
	if t.Weight != nil {
		w := *t.Weight
		t.Weight = &w
	}
	if t.Document != nil {
		d := *t.Document
		t.Document = &d
	}
	t.Bags, t.Faults, t.Findings = slices.Clone(t.Bags), slices.Clone(t.Faults), slices.Clone(t.Findings)
	return t
}

// Finish writes the vehicle's line.
func (b *Book) Finish(t Truth) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.numbers.Pending, t.Vehicle)
	b.append(b.truth, t)
	return b.saveNumbers()
}
