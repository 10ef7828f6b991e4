package barrier

import (
	"fmt"
	"time"

	"gatehouse/internal/driver"
	"gatehouse/internal/event"
)

// Travel of an arm from down to up. Outside of it something is wrong: the arm
// is blocked, slips, or a limit switch is stuck.
const (
	ShortestTravel = 1500 * time.Millisecond
	LongestTravel  = 6 * time.Second
)

// Verb is a command to the barrier.
type Verb string

// Verbs.
const (
	VerbOpen  Verb = "OPEN"
	VerbClose Verb = "CLOSE"
	VerbStop  Verb = "STOP"
	VerbRed   Verb = "RED"
	VerbAmber Verb = "AMBER"
	VerbGreen Verb = "GREEN"
)

// ErrCommand says that there is no such command.
var ErrCommand = fmt.Errorf("barrier: %w", driver.ErrNoCommand)

// Refused is the interlock's no. No setting changes it.
type Refused struct {
	Verb Verb
	Why  string // ESTOP, MANUAL, OBSTRUCTED, SENSOR, FAULT, ARM, BUSY or UNKNOWN
}

// Error says what was refused and why.
func (r *Refused) Error() string { return fmt.Sprintf("barrier refuses %s: %s", r.Verb, r.Why) }

// Refusal implements driver.Refusal.
func (r *Refused) Refusal() (code string, why event.Text) {
	switch r.Why {
	case "ESTOP":
		why = event.Text{VI: "Nút dừng khẩn cấp đang bị nhấn hoặc đứt dây.", EN: "The emergency stop is pressed, or its wire is broken."}
	case "MANUAL":
		why = event.Text{VI: "Barie đang ở chế độ tay, hoặc cần đã tháo.", EN: "The barrier is in manual mode, or its arm is detached."}
	case "OBSTRUCTED":
		why = event.Text{
			VI: "Khóa liên động: có xe trên vòng từ an toàn, hoặc tế bào quang bị chắn.",
			EN: "Interlock: a vehicle is over the safety loop, or the photocell is interrupted.",
		}
	case "SENSOR":
		why = event.Text{VI: "Khóa liên động: cả hai công tắc hành trình cùng tác động.", EN: "Interlock: both limit switches are active."}
	case "FAULT":
		why = event.Text{VI: "Khóa liên động: barie đang báo lỗi, không thể tin trạng thái của nó.", EN: "Interlock: the barrier has a fault, what it shows cannot be relied on."}
	case "ARM":
		why = event.Text{VI: "Khóa liên động: đèn xanh chỉ bật khi cần đã mở hết.", EN: "Interlock: green needs the arm to be up."}
	case "BUSY":
		why = event.Text{VI: "Barie đang thực hiện một lệnh khác.", EN: "The barrier is carrying out another command."}
	default:
		why = event.Text{VI: "Khóa liên động: chưa biết trạng thái của barie.", EN: "Interlock: the barrier's state is not known."}
	}
	return r.Why, why
}

// Interlock decides what the relays are to be. It does no I/O: whoever uses it
// reads the board, calls Observe, and writes Want. Times are of one monotonic
// clock. The zero value knows nothing and wants the safe state.
type Interlock struct {
	pulse time.Duration // length of a pulse

	known  bool // inputs were read since the line opened
	inputs Bits

	pulsing Bits // relay of the running pulse, 0 for none
	ends    time.Time
	light   Bits
	closing bool // an arm that may be on its way down

	opened   time.Time // when an arm that was down was told to open; zero for not
	slow     bool      // it took too long
	fast     bool      // it was there too soon
	mismatch bool      // a relay is not what it was told to be
}

// NewInterlock makes an interlock that gives pulses of the given length.
func NewInterlock(pulse time.Duration) *Interlock { return &Interlock{pulse: pulse} }

// Want is what the relays are to be: one pulse at most and one lamp. Relays
// that the driver does not own are 0 in it.
func (l *Interlock) Want() Bits {
	if !l.light.Has(Amber) && !l.light.Has(Green) {
		return l.pulsing | Red
	}
	return l.pulsing | l.light
}

// Pulsing says whether a pulse is running, so that the board has to be looked
// at more often.
func (l *Interlock) Pulsing() bool { return l.pulsing != 0 }

// Ends is when the running pulse is over.
func (l *Interlock) Ends() time.Time { return l.ends }

// Lost says that the board cannot be read: nothing is known any more.
func (l *Interlock) Lost() {
	l.known, l.pulsing, l.light, l.closing, l.opened = false, 0, Red, false, time.Time{}
}

// Observe takes inputs that were just read.
func (l *Interlock) Observe(in Bits, now time.Time) {
	l.known, l.inputs = true, in
	l.travel(now)
	if l.pulsing != 0 && !now.Before(l.ends) {
		l.pulsing = 0
	}
	switch {
	case in.EStop() || in.Has(Manual):
		// A person has the arm: nothing but a stop may go on.
		l.pulsing &= Stop
		l.closing = false
	case l.closing && (in.Obstructed() || in.Arm() == "unknown"):
		l.give(Stop, now)
		l.closing = false
	case in.Arm() == "down" && !l.pulsing.Has(Close):
		l.closing = false
	}
	if l.Doubt() || l.light.Has(Green) && in.Arm() != "up" {
		l.light = Red
	}
}

// Relays takes relays that were just read, against what was written last.
func (l *Interlock) Relays(got, written Bits) {
	l.mismatch = got&owned != written&owned
	if l.mismatch {
		l.light = Red
		l.pulsing &^= Close // what sticks may be anything: the arm is not moved down on it
	}
}

// travel judges how long the arm takes to open.
func (l *Interlock) travel(now time.Time) {
	arm := l.inputs.Arm()
	switch arm {
	case "up":
		l.slow = false
		if !l.opened.IsZero() {
			l.fast = now.Sub(l.opened) < ShortestTravel
		}
		l.opened = time.Time{}
	case "down":
		l.fast = false
	}
	if !l.opened.IsZero() && now.Sub(l.opened) > LongestTravel {
		l.slow, l.opened = true, time.Time{}
	}
}

// Faults are what is wrong: sensor, open-travel, coil.
func (l *Interlock) Faults() []string {
	var out []string
	if l.known && l.inputs.Arm() == "unknown" {
		out = append(out, "sensor")
	}
	if l.slow || l.fast {
		out = append(out, "open-travel")
	}
	if l.mismatch {
		out = append(out, "coil")
	}
	return out
}

// Doubt says whether the light has to be red.
func (l *Interlock) Doubt() bool {
	return !l.known || l.inputs.EStop() || l.inputs.Has(Manual) || len(l.Faults()) > 0
}

// Command takes a command right after Observe. It fails with *Refused, or with
// ErrCommand, and then changes nothing.
func (l *Interlock) Command(v Verb, now time.Time) error {
	if why := l.refusal(v); why != "" {
		return &Refused{Verb: v, Why: why}
	}
	switch v {
	case VerbOpen:
		l.closing = false
		if l.inputs.Arm() == "down" {
			l.opened, l.slow, l.fast = now, false, false
		}
		l.give(Open, now)
	case VerbClose:
		// Whoever drives through may not do so on green.
		l.closing, l.opened, l.light = true, time.Time{}, Red
		l.give(Close, now)
	case VerbStop:
		l.closing, l.opened = false, time.Time{}
		l.give(Stop, now)
	case VerbRed:
		l.light = Red
	case VerbAmber:
		l.light = Amber
	case VerbGreen:
		l.light = Green
	default:
		return fmt.Errorf("%w: %q", ErrCommand, v)
	}
	return nil
}

// refusal is why a command is not carried out, or "".
func (l *Interlock) refusal(v Verb) string {
	in := l.inputs
	moves := v == VerbOpen || v == VerbClose
	if v == VerbStop || v == VerbRed || !moves && v != VerbAmber && v != VerbGreen {
		return ""
	}
	switch {
	case !l.known:
		return "UNKNOWN"
	case in.EStop():
		return "ESTOP"
	case in.Has(Manual):
		return "MANUAL"
	case v == VerbClose && in.Obstructed():
		return "OBSTRUCTED"
	case v == VerbClose && in.Arm() == "unknown":
		return "SENSOR"
	case moves && l.pulsing != 0:
		return "BUSY"
	case l.mismatch, !moves && l.Doubt():
		return "FAULT"
	case v == VerbGreen && in.Arm() != "up":
		return "ARM"
	case v == VerbGreen && l.closing:
		return "ARM"
	}
	return ""
}

// give starts a pulse; it replaces another one.
func (l *Interlock) give(relay Bits, now time.Time) {
	l.pulsing, l.ends = relay, now.Add(l.pulse)
}
