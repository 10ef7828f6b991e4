// Package config is the one YAML file of a place: its lanes and devices, the
// agencies that share them, and where things are kept. It is decoded strictly;
// a mistake is a Problem with file, line and column.
package config

//go:generate sh -c "cd ../.. && go run ./internal/config/schemagen configs/gate.schema.json"

import (
	"time"

	"github.com/goccy/go-yaml/ast"

	"gatehouse/internal/event"
)

// Gate is the configuration of one place.
//
// Relative paths are relative to the working directory of the daemon, which
// its service unit sets.
type Gate struct {
	// ID is the customs office code of the place, such as 15BB.
	ID string `yaml:"gate" validate:"required,alphanum"`
	// Name is the place as officers say it, in both languages.
	Name event.Text `yaml:"name"`
	// State is the folder of everything that the daemon keeps.
	State string `yaml:"state" validate:"required"`
	// Journal limits what the daemon keeps on disk.
	Journal Journal `yaml:"journal"`
	// Retention says which evidence may go from the gate's disk, and when.
	Retention Retention `yaml:"retention"`
	// Hub is where gate and agencies meet.
	Hub Hub `yaml:"hub"`
	// Field is the gate's own MQTT listener for cameras; left out for none.
	Field *Field `yaml:"field_mqtt"`
	// Agencies are the two forces that share the gate.
	Agencies []Agency `yaml:"agencies" validate:"len=2,dive"`
	// Vision says how pictures are analysed.
	Vision Vision `yaml:"vision"`
	// Policy is the file of the finding policy; empty for the built-in one.
	Policy string `yaml:"policy"`
	// Expected says where the lists of expected vehicles are.
	Expected Expected `yaml:"expected"`
	// Lanes are the physical channels of the place.
	Lanes []Lane `yaml:"lanes" validate:"min=1,dive"`
}

// Journal limits what the daemon keeps on disk.
type Journal struct {
	// Reserve is the free disk space that stays untouched, so that "disk full"
	// is met at the door and not in the middle of a write.
	Reserve Size `yaml:"reserve"`
	// MaxSize and MaxAge bound what the lanes' states follow from.
	MaxSize Size `yaml:"max_size" validate:"gt=0"`
	// MaxAge and MaxSize bound what the lanes' states follow from.
	MaxAge time.Duration `yaml:"max_age" validate:"gt=0"`
	// IdleMaxSize and IdleMaxAge bound the readings that say that nothing happens.
	IdleMaxSize Size `yaml:"idle_max_size" validate:"gt=0"`
	// IdleMaxAge and IdleMaxSize bound the readings that say that nothing happens.
	IdleMaxAge time.Duration `yaml:"idle_max_age" validate:"gt=0"`
	// SharedMaxAge is how long events are kept that both agencies hold.
	SharedMaxAge time.Duration `yaml:"shared_max_age" validate:"gt=0"`
}

// Retention says which evidence may go from the gate's disk, and when. Nothing
// goes that an agency has not received, nothing of a passage with an alert that an
// agency has not decided on or with a legal hold, and nothing without a rule.
type Retention struct {
	// Low is the free disk space from which on down evidence goes to make room;
	// zero removes nothing for room.
	Low Size `yaml:"low" validate:"gte=0"`
	// Enough is the free disk space at which that ends.
	Enough Size `yaml:"enough" validate:"gte=0"`
	// Rules are asked in their order, and the first that fits a piece decides. To
	// make room, what fits the first rule goes first, the oldest before the newer.
	Rules []RetentionRule `yaml:"rules" validate:"dive"`
}

// RetentionRule says how long some evidence is kept.
type RetentionRule struct {
	// Name stands in the record of what was removed.
	Name string `yaml:"name" json:"name,omitempty" validate:"required,max=40"`
	// Evidence is the kinds that the rule is about: raw, burst, photo, scan.
	Evidence []event.EvidenceKind `yaml:"evidence" json:"evidence,omitempty" validate:"min=1,unique,dive,oneof=raw burst photo scan"`
	// Passages is of which passages: clear for those without findings and
	// verdicts, findings for those with findings and without verdicts, decided for
	// those with a verdict.
	Passages RetentionOf `yaml:"passages" json:"passages,omitempty" validate:"oneof=clear findings decided"`
	// Severities limits the rule to passages whose worst finding is one of them;
	// empty is any.
	Severities []event.Severity `yaml:"severities" json:"severities,omitempty" validate:"unique,dive,oneof=Extreme Severe Moderate Minor Unknown"`
	// Verdicts limits the rule to passages on which nobody's verdict is another;
	// empty is any.
	Verdicts []event.VerdictCode `yaml:"verdicts" json:"verdicts,omitempty" validate:"unique,dive,oneof=RELEASE INSPECT HOLD FALSE-ALARM CONFIRMED"`
	// Days is how long it is kept at least.
	Days int `yaml:"days" json:"days,omitempty" validate:"gte=0,lte=36500"`
	// Until is the number of days after which it goes although there is room; zero
	// removes it only to make room.
	Until int `yaml:"until" json:"until,omitempty" validate:"gte=0,lte=36500"`
}

// RetentionOf is a class of passages in a rule.
type RetentionOf string

// Classes of passages.
const (
	OfClear    RetentionOf = "clear"
	OfFindings RetentionOf = "findings"
	OfDecided  RetentionOf = "decided"
)

// Hub is the NATS system where gate and agencies meet.
type Hub struct {
	// URL is where the gate connects as a client; empty with Embedded.
	URL string `yaml:"url"`
	// CA is the PEM file that the hub's certificate must descend from.
	CA string `yaml:"ca"`
	// ImageRate caps the evidence sent to the agencies, in bytes a second; zero
	// is no cap.
	ImageRate Size `yaml:"image_rate" validate:"gte=0"`
	// Embedded runs a hub inside the daemon, so that one box is a whole gate.
	Embedded *EmbeddedHub `yaml:"embedded"`
}

// EmbeddedHub is a hub server in the daemon.
type EmbeddedHub struct {
	// Listen is the address that consoles connect to, host:port. 127.0.0.1 is this
	// machine alone.
	Listen string `yaml:"listen" validate:"required,listen"`
	// Certificate and Key turn on TLS; PEM files.
	Certificate string `yaml:"certificate"`
	// Key is the certificate's private key, a PEM file.
	Key string `yaml:"key"`
	// InboxSize and InboxAge bound what each agency's stream holds.
	InboxSize Size `yaml:"inbox_size" validate:"gt=0"`
	// InboxAge and InboxSize bound what each agency's stream holds.
	InboxAge time.Duration `yaml:"inbox_age" validate:"gt=0"`
}

// Field is the gate's own MQTT listener for cameras.
type Field struct {
	// Listen is the address in the cameras' network, host:port.
	Listen string `yaml:"listen" validate:"required,listen"`
	// Users may each publish to the topics of their own device only.
	Users []FieldUser `yaml:"users" validate:"dive"`
}

// FieldUser is an account of the field listener.
type FieldUser struct {
	// Name is the MQTT user name and client id of a camera.
	Name string `yaml:"name" validate:"required"`
	// PasswordFile holds the password, mode 0600. `gatehouse init` makes one
	// with a random password where it is missing.
	PasswordFile string `yaml:"password_file" validate:"required"`
	// Topics are the MQTT topics that the user may publish to, such as
	// gatehouse/15BB/01/camera/#. It may read none.
	Topics []string `yaml:"topics" validate:"min=1"`
}

// Agency is one of the forces that share the gate.
type Agency struct {
	// Code is CUSTOMS or BORDERGUARD.
	Code event.Agency `yaml:"code" validate:"oneof=CUSTOMS BORDERGUARD"`
	// Name is the agency as officers say it, in both languages.
	Name event.Text `yaml:"name"`
	// Key is the file of the public key that its console signs with.
	Key string `yaml:"key" validate:"required"`
	// HubUser is the file of the public nkey that its console connects with.
	HubUser string `yaml:"hub_user" validate:"required"`
}

// Vision says how pictures are analysed.
type Vision struct {
	// Command starts a worker; empty switches vision off, which every passage
	// then says.
	Command []string `yaml:"command"`
	// Workers is the number of processes at once; each takes about 200 MB.
	Workers int `yaml:"workers" validate:"min=1,max=16"`
	// Deadline is when an analysis is given up and its worker ended.
	Deadline time.Duration `yaml:"deadline" validate:"gt=0"`
	// RecycleAfter is the number of pictures after which a worker is replaced.
	RecycleAfter int `yaml:"recycle_after" validate:"gt=0"`
	// MaxMemory ends a worker that grows beyond it.
	MaxMemory Size `yaml:"max_memory" validate:"gt=0"`
}

// Expected says where the place's lists of expected vehicles are.
type Expected struct {
	// Folder is watched for CSV lists; empty for none.
	Folder string `yaml:"folder"`
}

// Lane is one physical channel of the place.
type Lane struct {
	// ID is made of letters and digits, and unique in the place.
	ID string `yaml:"id" validate:"required,alphanum"`
	// Name is the lane as officers say it, in both languages.
	Name event.Text `yaml:"name"`
	// Kind is what goes through: vehicle, person, consignment or wagon.
	Kind event.PassageKind `yaml:"kind" validate:"oneof=vehicle person consignment wagon"`
	// Flow is goods, traveller or mixed.
	Flow event.Flow `yaml:"flow" validate:"oneof=goods traveller mixed"`
	// Direction is entry, exit, or unknown for a lane that is used both ways.
	Direction event.Direction `yaml:"direction" validate:"oneof=entry exit unknown"`
	// Join sets the time limits within which readings make one passage.
	Join Join `yaml:"join"`
	// Limits are what the lane's findings are concluded from.
	Limits Limits `yaml:"limits"`
	// Expected lanes look each vehicle up in the place's lists.
	Expected bool `yaml:"expected"`
	// Shadow keeps all findings of the lane at the gate: they are concluded and
	// counted, and not shared.
	Shadow bool `yaml:"shadow"`
	// Policy changes rows of the finding policy for this lane.
	Policy []Override `yaml:"policy" validate:"dive"`
	// Devices are the instruments on the lane.
	Devices []Device `yaml:"devices" validate:"dive"`
}

// Join sets the time limits within which readings make one passage.
type Join struct {
	// Before is how long a photo waits for the vehicle that it announces.
	Before time.Duration `yaml:"before" validate:"gte=0,lte=10m"`
	// After is how long after the vehicle has left its readings are waited for.
	After time.Duration `yaml:"after" validate:"gt=0,lte=1h"`
	// MissingEnd is the silence of the presence device after which the vehicle
	// counts as gone.
	MissingEnd time.Duration `yaml:"missing_end" validate:"gt=0,lte=1h"`
	// TailGate is the time within which a vehicle that follows another is
	// tail-gating.
	TailGate time.Duration `yaml:"tail_gate" validate:"gte=0,lte=1m"`
	// Resume is how long the presence device may be away for what stands there
	// afterwards to be the same vehicle.
	Resume time.Duration `yaml:"resume" validate:"gt=0,lte=10m"`
	// Vision is how long a passage waits for vision before it closes without.
	Vision time.Duration `yaml:"vision" validate:"gt=0,lte=10m"`
}

// Limits are what the lane's findings are concluded from.
type Limits struct {
	// SpeedKMH is the fastest that a vehicle may drive through, in km/h; zero is
	// not checked.
	SpeedKMH float64 `yaml:"speed_kmh" validate:"gte=0,lte=200"`
	// A weight may differ from the declared one by WeightPercent of it or by
	// WeightKG, whichever is more.
	WeightPercent float64 `yaml:"weight_percent" validate:"gte=0,lte=100"`
	// WeightKG and WeightPercent bound how far a weight may differ from the
	// declared one, whichever is more.
	WeightKG float64 `yaml:"weight_kg" validate:"gte=0,lte=100000"`
	// AxlesPercent is how far a gross weight may differ from the sum of its
	// axles, in percent of it.
	AxlesPercent float64 `yaml:"axles_percent" validate:"gte=0,lte=100"`
}

// Override is a lane's own change to one row of the finding policy. Fields
// that are left out stay as the policy has them.
type Override struct {
	// Code is the finding, such as OVERSPEED.
	Code string `yaml:"code" validate:"required"`
	// Severity is Extreme, Severe, Moderate, Minor or Unknown.
	Severity event.Severity `yaml:"severity" validate:"omitempty,oneof=Extreme Severe Moderate Minor Unknown"`
	// Lead is the agency that decides first.
	Lead event.Agency `yaml:"lead" validate:"omitempty,oneof=CUSTOMS BORDERGUARD"`
	// Alert shares the finding at once as an alert, not only in the record.
	Alert *bool `yaml:"alert"`
	// Mode is live, advisory (never an alert) or shadow (not shared).
	Mode string `yaml:"mode" validate:"omitempty,oneof=live advisory shadow"`
}

// Roles of devices, as the file names them.
const (
	RolePresence = "presence"
	RoleCamera   = "camera"
	RoleScanner  = "scanner"
	RoleScale    = "scale"
	RoleDocument = "document"
	RoleBarcode  = "barcode"
	RoleBarrier  = "barrier"
	RoleOther    = "other"
)

// Device is one instrument on a lane.
type Device struct {
	// ID is made of letters and digits, and unique in the lane.
	ID string `yaml:"id" validate:"required,alphanum"`
	// Driver is the name of a folder below drivers/.
	Driver string `yaml:"driver" validate:"required"`
	// Owner is the agency that owns the instrument; both may use it.
	Owner event.Agency `yaml:"owner" validate:"oneof=CUSTOMS BORDERGUARD"`
	// Role is what the device does for the lane.
	Role string `yaml:"role" validate:"oneof=presence camera scanner scale document barcode barrier other"`
	// Required devices must have looked at every passage, or the passage says so.
	Required bool `yaml:"required"`
	// View is what a camera sees.
	View string `yaml:"view" validate:"omitempty,oneof=front rear side overview"`
	// Scan is what a scanner scans: cargo or baggage.
	Scan string `yaml:"scan" validate:"omitempty,oneof=cargo baggage"`
	// Transit is the longest usual time from leaving the presence zone to the
	// begin of the scan, the weighing or the reading behind it; zero means 20 s
	// for a scanner, and join.after for others.
	Transit time.Duration `yaml:"transit" validate:"gte=0,lte=10m"`
	// Room is how many vehicles or persons fit between the device and the
	// presence zone that they come to next; zero means one.
	Room int `yaml:"room" validate:"gte=0,lte=9"`
	// Position is where the device stands along the lane: before, during or
	// after the presence zone. Every role has one but presence.
	Position string `yaml:"position" validate:"omitempty,oneof=before during after"`
	// Reads is what vision looks for in a camera's pictures.
	Reads []string `yaml:"reads" validate:"unique,dive,oneof=plate container"`
	// Views is how many views a complete scan has.
	Views int `yaml:"views" validate:"gte=0,max=16"`
	// Silence overrides the driver's own limit on how long the device may say
	// nothing.
	Silence time.Duration `yaml:"silence" validate:"gte=0,lte=24h"`
	// Settings are what the driver needs to know.
	Settings ast.Node `yaml:"settings" validate:"-"` // the validator would recurse into it for ever
}

// Default is the configuration that a file starts from.
func Default() Gate {
	return Gate{
		State: "gate",
		Journal: Journal{
			Reserve: 256 << 20,
			MaxSize: 8 << 30, MaxAge: 90 * 24 * time.Hour,
			IdleMaxSize: 2 << 30, IdleMaxAge: 48 * time.Hour,
			SharedMaxAge: 400 * 24 * time.Hour,
		},
		Retention: Retention{
			Low: 1 << 30, Enough: 2 << 30,
			Rules: []RetentionRule{
				{Name: "clear-raw", Evidence: []event.EvidenceKind{event.EvidenceRaw}, Passages: OfClear, Days: 7},
				{Name: "clear-bursts", Evidence: []event.EvidenceKind{event.EvidenceBurst}, Passages: OfClear, Days: 7},
				{Name: "clear-photos", Evidence: []event.EvidenceKind{event.EvidencePhoto}, Passages: OfClear, Days: 30},
				{Name: "clear-scans", Evidence: []event.EvidenceKind{event.EvidenceScan}, Passages: OfClear, Days: 90},
				{
					Name: "minor", Evidence: event.EvidenceKinds(), Passages: OfFindings,
					Severities: []event.Severity{event.SeverityUnknown, event.Minor}, Days: 180,
				},
				{
					Name: "released", Evidence: event.EvidenceKinds(), Passages: OfDecided,
					Verdicts: []event.VerdictCode{event.Release, event.FalseAlarm}, Days: 400,
				},
			},
		},
		Vision: Vision{Workers: 1, Deadline: 20 * time.Second, RecycleAfter: 2000, MaxMemory: 1500 << 20},
	}
}

// defaults implements defaulter.
func (l *Lane) defaults() {
	l.Kind, l.Flow, l.Direction = event.Vehicle, event.Goods, event.DirectionUnknown
	l.Join = Join{
		Before: 10 * time.Second, After: 60 * time.Second, MissingEnd: 120 * time.Second,
		TailGate: time.Second, Resume: 10 * time.Second, Vision: 20 * time.Second,
	}
	l.Limits = Limits{WeightPercent: 5, WeightKG: 300, AxlesPercent: 5}
}

// defaults implements defaulter.
func (d *Device) defaults() { d.Role = "other" }

// defaults implements defaulter.
func (h *EmbeddedHub) defaults() { h.InboxSize, h.InboxAge = 4<<30, 30*24*time.Hour }

// DefaultLane is the lane that a section starts from.
func DefaultLane() (l Lane) { l.defaults(); return l }

// DefaultDevice is the device that a section starts from.
func DefaultDevice() (d Device) { d.defaults(); return d }

// DefaultEmbeddedHub is the hub in the daemon that a section starts from.
func DefaultEmbeddedHub() (h EmbeddedHub) { h.defaults(); return h }

// complete fills what depends on other fields.
func (g *Gate) complete() {
	for i := range g.Lanes {
		for j := range g.Lanes[i].Devices {
			if d := &g.Lanes[i].Devices[j]; d.Role == RoleCamera && d.Reads == nil {
				d.Reads = []string{"plate"}
			}
		}
	}
}
