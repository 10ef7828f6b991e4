package xray_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/drivers/drivertest"
	"gatehouse/drivers/xray"
	"gatehouse/internal/event"
)

// nextCommand is the next sentence of the host that is no keep-alive.
func nextCommand(t *testing.T, s *scanner) xray.Sentence {
	t.Helper()
	for {
		c, err := xray.Parse([]byte(s.ReadLine()))
		require.NoError(t, err)
		if c.Fields[0] != "STATUS" {
			return c
		}
	}
}

func (s *scanner) answer(kind string, seq int, code string) {
	s.Write(append(xray.Format(xray.Sentence{Type: kind, Seq: seq, Fields: []string{code}}), "\r\n"...))
}

func TestCommands(t *testing.T) {
	s := newScanner(t)
	d := s.Driver(drivertest.Env(nil)).(*xray.Driver)
	require.ErrorIs(t, d.Command(t.Context(), "STOP"), xray.ErrNotRunning)

	ctx, cancel := context.WithCancel(t.Context())
	store := drivertest.NewStore()
	result := make(chan error, 1)
	go func() { result <- d.Run(ctx, store.Emit) }()
	s.Ready()
	s.ReadLine() // a keep-alive: from now on the line takes commands
	done := make(chan error, 1)
	command := func(verb string, args ...string) {
		go func() { done <- d.Command(t.Context(), verb, args...) }()
	}

	command("START", "L01-000123")
	c := nextCommand(t, s)
	require.Equal(t, []string{"START", "L01-000123"}, c.Fields)
	s.answer(xray.TypeAck, c.Seq+100, "OK") // somebody else's
	s.answer(xray.TypeAck, c.Seq, "OK")
	require.NoError(t, <-done)

	command("ARM", "L01-000124")
	c = nextCommand(t, s)
	s.answer(xray.TypeNak, c.Seq, "INTERLOCK")
	var refused *xray.Refused
	require.ErrorAs(t, <-done, &refused)
	require.Equal(t, xray.Refused{Verb: "ARM", Code: "INTERLOCK"}, *refused)

	// A lost answer: the same sentence comes again, with the same sequence.
	command("BELT", "S")
	first := nextCommand(t, s)
	again := nextCommand(t, s)
	require.Equal(t, first, again)
	s.answer(xray.TypeAck, again.Seq, "OK")
	require.NoError(t, <-done)

	command("DECIDE", "L01-000123", "HOLD")
	for range 3 {
		nextCommand(t, s)
	}
	require.ErrorIs(t, <-done, xray.ErrNoAnswer)
	cancel()
	require.NoError(t, <-result)
	require.ErrorIs(t, d.Command(t.Context(), "STOP"), xray.ErrNotRunning)

	// Every answer was a frame.
	n := 0
	for _, r := range store.Readings() {
		require.Equal(t, event.DeviceReport, r.Kind)
		n += len(r.Frames)
	}
	require.Equal(t, 4, n)
}

func TestOnlyCommandsOfTheProfile(t *testing.T) {
	d := newScanner(t).Driver(drivertest.Env(nil)).(*xray.Driver)
	for _, c := range [][]string{
		{"CLEAR_ESTOP"}, {"XRAY", "ON"}, {"STOP", "x"}, {"BELT"}, {"BELT", "FWD"}, {"START", "a,b"}, {"START", "a*b"},
		{"START", ""}, {"DECIDE", "a", "MAYBE"}, {"TIME", "now"}, {"START", "a\r\n$XCMD,0000,BELT,F*00"},
	} {
		require.ErrorIs(t, d.Command(t.Context(), c[0], c[1:]...), xray.ErrCommand, "%q", c)
	}
}
