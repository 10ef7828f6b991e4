// Package scanner simulates an X-ray scanner, drive-through for cargo or a
// tunnel with a belt for baggage, that speaks XSP/1 on a serial line and leaves its images in a drop folder.
//
// It sends $XSTA once a second and on change, $XEVT at begin and end of a scan
// and $XIMG when an image lies complete in the folder: image and sidecar are
// written as .part and renamed, the sidecar first. The lorry's own light
// barrier starts a scan; a host may ask (ARM, START) that the next scan carries
// its id. Nothing a host sends defeats an interlock.
package scanner

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"gatehouse/internal/sim/fault"
	"gatehouse/internal/sim/pace"
	"gatehouse/internal/sim/xsp"
)

// Wire is the scanner's serial line.
type Wire interface {
	Send(line, passage string)
	Lines() <-chan []byte
}

// Book hears which files have been left in the folder.
type Book interface {
	Sent(device, kind string, frame []byte, passage string)
}

// Settings of a scanner.
type Settings struct {
	Drop   string // folder for the images
	Lane   string // two digits; a scan id is L<lane>-<number>
	Kind   string // Cargo when empty, or Baggage
	Pace   pace.Pace
	NextID func() (int, error) // gives scan numbers, none twice
	// Keep is how long images stay in the folder; the scanner's own disk is
	// finite too.
	Keep time.Duration
}

// Kinds of scanner.
const (
	Cargo   = "cargo"
	Baggage = "baggage"
)

const (
	statusBeat = time.Second     // real time: the protocol's heartbeat
	hostWatch  = 5 * time.Second // real time: no host for so long stops the belt
	doorTime   = 3 * time.Second // how long the door of an interlock stays open
	lateAnswer = 3 * time.Second
	lateImage  = 20 * time.Second
)

// Scanner is one simulated scanner. Scan and Deliver may be called from
// anywhere, one scan at a time.
type Scanner struct {
	set   Settings
	wire  Wire
	board *fault.Board
	book  Book
	log   *slog.Logger

	mu       sync.Mutex
	seq      int
	sent     int
	scanning bool
	door     bool // the interlock of an interlock occasion
	belt     string
	armed    string // scan id that the host wants for the next scan
	heard    time.Time
	answers  map[int]answer // by the host's sequence number
	previous int            // sequence number of the command before
}

type answer struct{ body, reply string }

// New makes a scanner.
func New(set Settings, wire Wire, board *fault.Board, b Book, log *slog.Logger) *Scanner {
	return &Scanner{
		set: set, wire: wire, board: board, book: b, log: log.With("device", fault.XRay),
		belt: "STOP", answers: map[int]answer{},
	}
}

// Run keeps the status beat and answers the host until ctx ends.
func (s *Scanner) Run(ctx context.Context) error {
	var jobs sync.WaitGroup
	defer jobs.Wait()
	for _, name := range []string{"door-open", "e-stop", "warm-up", "belt-jam"} {
		jobs.Go(func() {
			s.board.Follow(ctx, fault.XRay, name, func(bool) { s.status() })
		})
	}
	tick := time.NewTicker(statusBeat)
	defer tick.Stop()
	s.status()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			s.watchHost()
			s.status()
		case line := <-s.wire.Lines():
			s.host(ctx, &jobs, string(line))
		}
	}
}

// send numbers, seals and sends a body; format's first value is the sequence
// number, which is filled in here.
func (s *Scanner) send(passage, kind, rest string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	body := fmt.Sprintf("%s,%04d,%s", kind, s.seq, rest)
	s.seq = (s.seq + 1) % xsp.Sequences
	s.put(passage, body)
}

// put seals and sends; the caller holds mu, which keeps the numbers in order.
func (s *Scanner) put(passage, body string) {
	line := xsp.Seal(body)
	s.sent++
	if s.sent%2 == 0 && s.board.On(fault.XRay, "bad-checksum") {
		line = fmt.Sprintf("$%s*%02X", body, xsp.Xor(body)^0x01)
	}
	s.wire.Send(line, passage)
}

// state is what XSTA says, in the order of what matters most.
func (s *Scanner) state() (state, xray, curtain, stop, code string) {
	on := func(name string) bool { return s.board.On(fault.XRay, name) }
	xray, curtain, stop, code = "OFF", "CLOSED", "0", "0"
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case on("e-stop"):
		return "ESTOP", xray, curtain, "1", "0"
	case on("door-open") || s.door:
		return "INTERLOCK", xray, "OPEN", stop, "I02"
	case on("belt-jam"):
		return "FAULT", xray, curtain, stop, "F07"
	case on("warm-up"):
		return "WARMUP", xray, curtain, stop, code
	case s.scanning:
		return "SCANNING", "ON", curtain, stop, code
	case s.armed != "":
		return "ARMED", xray, curtain, stop, code
	}
	return "READY", xray, curtain, stop, code
}

func (s *Scanner) status() {
	state, xray, curtain, stop, code := s.state()
	s.mu.Lock()
	belt := s.belt
	if s.scanning && s.set.Kind == Baggage && state == "SCANNING" {
		belt = "FWD" // its own controller moves it while a bag is in the tunnel
	}
	s.mu.Unlock()
	s.send("", "XSTA", fmt.Sprintf("%s,%s,%s,%s,%s,%s", state, belt, xray, curtain, stop, code))
}

// watchHost stops the belt when the host has gone quiet.
func (s *Scanner) watchHost() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.belt != "STOP" && time.Since(s.heard) > hostWatch {
		s.belt = "STOP"
	}
}

// host answers one line of the host. A repeated command with the same number
// gets the same answer and does nothing again.
func (s *Scanner) host(ctx context.Context, jobs *sync.WaitGroup, line string) {
	if s.board.On(fault.XRay, "echo") {
		s.wire.Send(line, "")
	}
	c, err := xsp.ParseCommand(line)
	if c.Seq < 0 {
		return // nothing that could be answered
	}
	s.mu.Lock()
	s.heard = time.Now()
	known, repeated := s.answers[c.Seq]
	repeated = repeated && known.body == c.Body && err == nil
	s.mu.Unlock()
	reply := known.reply
	if !repeated {
		reply = "OK"
		if code := s.obey(c, err); code != "" {
			reply = code
		}
	}
	s.mu.Lock()
	if err == nil {
		s.answers[c.Seq] = answer{c.Body, reply}
		delete(s.answers, (c.Seq+xsp.Sequences-16)%xsp.Sequences)
	}
	seq := c.Seq
	if s.board.On(fault.XRay, "wrong-ack") {
		seq = s.previous
	}
	s.previous = c.Seq
	s.mu.Unlock()
	s.answer(ctx, jobs, seq, reply)
	if c.Verb == "STATUS" && err == nil {
		s.status()
	}
}

func (s *Scanner) answer(ctx context.Context, jobs *sync.WaitGroup, seq int, reply string) {
	if s.board.On(fault.XRay, "lost-ack") {
		return
	}
	kind := "XNAK"
	if reply == "OK" {
		kind = "XACK"
	}
	put := func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.put("", fmt.Sprintf("%s,%04d,%s", kind, seq, reply))
	}
	if !s.board.On(fault.XRay, "late-ack") {
		put()
		return
	}
	jobs.Go(func() {
		if pace.Pace(1).Sleep(ctx, lateAnswer) == nil {
			put()
		}
	})
}

// obey does what a command wants and returns the code of a refusal.
func (s *Scanner) obey(c xsp.Command, err error) string {
	if errors.Is(err, xsp.ErrSum) {
		return "BADSUM"
	}
	state, _, _, _, _ := s.state()
	s.mu.Lock()
	defer s.mu.Unlock()
	arg := ""
	if len(c.Args) > 0 {
		arg = c.Args[0]
	}
	switch c.Verb {
	case "ARM", "START":
		switch {
		case state == "SCANNING":
			return "BUSY"
		case state != "READY" && state != "ARMED":
			return refusal(state)
		case arg == "" || len(arg) > 32:
			return "BADARG"
		}
		s.armed = arg
	case "STOP":
		s.belt, s.armed = "STOP", ""
	case "BELT":
		belt, ok := map[string]string{"F": "FWD", "R": "REV", "S": "STOP"}[arg]
		switch {
		case !ok:
			return "BADARG"
		case belt != "STOP" && state != "READY" && state != "ARMED" && state != "SCANNING":
			return refusal(state)
		}
		s.belt = belt
	case "DECIDE":
		if len(c.Args) != 2 || c.Args[1] != "CLEAR" && c.Args[1] != "CHECK" && c.Args[1] != "HOLD" {
			return "BADARG"
		}
	case "TIME":
		if _, err := time.Parse(time.RFC3339, arg); err != nil {
			return "BADARG"
		}
	case "ID", "STATUS":
	default:
		return "BADARG"
	}
	return ""
}

// refusal is the code for a state in which X-rays may not be switched on.
func refusal(state string) string {
	switch state {
	case "INTERLOCK", "ESTOP":
		return state
	}
	return "NOTREADY"
}
