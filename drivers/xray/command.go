package xray

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"gatehouse/internal/link"
)

// Commander is a scanner that takes commands. Whoever calls it holds the
// device's control lease; nothing here can defeat an interlock, as the
// scanner's own controller decides whether X-rays may be on.
type Commander interface {
	// Command sends a verb of the profile with its arguments and returns when
	// the scanner has taken it. It fails with *Refused when the scanner says
	// no, with ErrNoAnswer when it says nothing, with ErrCommand when the
	// profile has no such command, and with ErrNotRunning without a line.
	Command(ctx context.Context, verb string, args ...string) error
}

var _ Commander = (*Driver)(nil)

// Errors of Command.
var (
	ErrCommand    = errors.New("no such command in the profile")
	ErrNotRunning = errors.New("scanner's line is not open")
	ErrNoAnswer   = errors.New("scanner did not answer")
)

// Refused is the scanner's NAK.
type Refused struct {
	Verb string
	Code string // BUSY, INTERLOCK, ESTOP, NOTREADY, BADARG or BADSUM
}

// Error says what was refused and why.
func (r *Refused) Error() string { return fmt.Sprintf("scanner refuses %s: %s", r.Verb, r.Code) }

const (
	// answerTime is how long an answer may take before the command is sent
	// again, with the same sequence so that it is carried out once only.
	answerTime = time.Second
	// attempts is how often a command is sent at most.
	attempts = 3
)

var (
	scanArgument = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)
	timeArgument = regexp.MustCompile(`^[0-9T:.Z+-]{10,40}$`)
)

// commandable says whether verb and arguments are a command of the profile.
func commandable(verb string, args []string) bool {
	switch verb {
	case "STOP", "ID", "STATUS":
		return len(args) == 0
	case "ARM", "START":
		return len(args) == 1 && scanArgument.MatchString(args[0])
	case "BELT":
		return len(args) == 1 && slices.Contains([]string{"F", "R", "S"}, args[0])
	case "DECIDE":
		return len(args) == 2 && scanArgument.MatchString(args[0]) && slices.Contains([]string{"CLEAR", "CHECK", "HOLD"}, args[1])
	case "TIME":
		return len(args) == 1 && timeArgument.MatchString(args[0])
	}
	return false
}

// Command implements Commander.
func (d *Driver) Command(ctx context.Context, verb string, args ...string) error {
	if !commandable(verb, args) {
		return fmt.Errorf("%w: %s %q", ErrCommand, verb, args)
	}
	s := Sentence{Type: TypeCommand, Seq: d.sequence(), Fields: append([]string{verb}, args...)}
	line, answer, err := d.ask(s.Seq)
	if err != nil {
		return err
	}
	defer d.forget(s.Seq)
	for range attempts {
		if err := d.send(ctx, line, s); err != nil {
			return fmt.Errorf("send %s: %w", verb, err)
		}
		timer := time.NewTimer(answerTime)
		select {
		case a := <-answer:
			timer.Stop()
			switch a.Type {
			case TypeNak:
				return &Refused{Verb: verb, Code: a.Fields[0]}
			default:
				return nil
			}
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
	}
	return fmt.Errorf("%s: %w in %d attempts", verb, ErrNoAnswer, attempts)
}

// ask registers for the answer to a sequence.
func (d *Driver) ask(seq int) (*link.Line, <-chan Sentence, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.line == nil {
		return nil, nil, ErrNotRunning
	}
	c := make(chan Sentence, 1)
	d.asked[seq] = c
	return d.line, c, nil
}

func (d *Driver) forget(seq int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.asked, seq)
}

// answered hands an answer to whoever asked. Those to keep-alives are nobody's.
func (d *Driver) answered(s Sentence) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if c, ok := d.asked[s.Seq]; ok {
		select {
		case c <- s:
		default: // a second answer to a repeated command
		}
	}
}

// use makes line the one that commands go to; nil for none.
func (d *Driver) use(line *link.Line) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.line = line
}
