package barrier_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"gatehouse/drivers/barrier"
)

const (
	pulse = 500 * time.Millisecond
	down  = barrier.LimitDown | barrier.EStopClosed
	up    = barrier.LimitUp | barrier.EStopClosed
)

func verbs() []barrier.Verb {
	return []barrier.Verb{
		barrier.VerbOpen, barrier.VerbClose, barrier.VerbStop, barrier.VerbRed, barrier.VerbAmber, barrier.VerbGreen,
	}
}

func TestRules(t *testing.T) {
	for _, c := range []struct {
		name   string
		inputs barrier.Bits
		verb   barrier.Verb
		why    string
		want   barrier.Bits
	}{
		{"open", down, barrier.VerbOpen, "", barrier.Open | barrier.Red},
		{"close", up, barrier.VerbClose, "", barrier.Close | barrier.Red},
		{"close on the safety loop", up | barrier.LoopSafety, barrier.VerbClose, "OBSTRUCTED", barrier.Red},
		{"close in the beam", up | barrier.Photocell, barrier.VerbClose, "OBSTRUCTED", barrier.Red},
		{"close with a vehicle before it", up | barrier.LoopEntry | barrier.LoopExit, barrier.VerbClose, "", barrier.Close | barrier.Red},
		{"open over a vehicle", down | barrier.LoopSafety, barrier.VerbOpen, "", barrier.Open | barrier.Red},
		{"open in an emergency", barrier.LimitDown, barrier.VerbOpen, "ESTOP", barrier.Red},
		{"close in an emergency", barrier.LimitUp, barrier.VerbClose, "ESTOP", barrier.Red},
		{"stop in an emergency", barrier.LimitUp, barrier.VerbStop, "", barrier.Stop | barrier.Red},
		{"green in an emergency", barrier.LimitUp, barrier.VerbGreen, "ESTOP", barrier.Red},
		{"open by hand", down | barrier.Manual, barrier.VerbOpen, "MANUAL", barrier.Red},
		{"close by hand", up | barrier.Manual, barrier.VerbClose, "MANUAL", barrier.Red},
		{"amber by hand", up | barrier.Manual, barrier.VerbAmber, "MANUAL", barrier.Red},
		{"close with both limits", up | barrier.LimitDown, barrier.VerbClose, "SENSOR", barrier.Red},
		{"green with both limits", up | barrier.LimitDown, barrier.VerbGreen, "FAULT", barrier.Red},
		{"green up", up, barrier.VerbGreen, "", barrier.Green},
		{"green down", down, barrier.VerbGreen, "ARM", barrier.Red},
		{"amber", down, barrier.VerbAmber, "", barrier.Amber},
		{"red", up, barrier.VerbRed, "", barrier.Red},
	} {
		t.Run(c.name, func(t *testing.T) {
			now := time.Now()
			l := barrier.NewInterlock(pulse)
			require.Equal(t, barrier.Red, l.Want(), "red at start")
			for _, v := range verbs() {
				if err := l.Command(v, now); v != barrier.VerbStop && v != barrier.VerbRed {
					require.ErrorContains(t, err, "UNKNOWN", "nothing is known yet")
				}
			}
			l = barrier.NewInterlock(pulse)
			l.Observe(c.inputs, now)
			err := l.Command(c.verb, now)
			if c.why == "" {
				require.NoError(t, err)
			} else {
				var refused *barrier.Refused
				require.ErrorAs(t, err, &refused)
				require.Equal(t, c.why, refused.Why)
			}
			require.Equal(t, c.want, l.Want())
		})
	}
	require.ErrorIs(t, barrier.NewInterlock(pulse).Command("FLY", time.Now()), barrier.ErrCommand)
}

func TestPulsesEndAndAreNotMixed(t *testing.T) {
	now := time.Now()
	l := barrier.NewInterlock(pulse)
	l.Observe(down, now)
	require.NoError(t, l.Command(barrier.VerbOpen, now))
	require.ErrorContains(t, l.Command(barrier.VerbClose, now), "BUSY")
	l.Observe(down, now.Add(pulse-1))
	require.True(t, l.Want().Has(barrier.Open))
	l.Observe(down, now.Add(pulse))
	require.Equal(t, barrier.Red, l.Want())
}

func TestSomethingUnderAClosingArm(t *testing.T) {
	for _, obstacle := range []barrier.Bits{barrier.LoopSafety, barrier.Photocell} {
		for _, after := range []time.Duration{pulse / 2, 2 * pulse} {
			now := time.Now()
			l := barrier.NewInterlock(pulse)
			l.Observe(up, now)
			require.NoError(t, l.Command(barrier.VerbClose, now))
			l.Observe(barrier.EStopClosed, now.Add(after/2))
			l.Observe(barrier.EStopClosed|obstacle, now.Add(after))
			require.Equal(t, barrier.Stop|barrier.Red, l.Want())
			l.Observe(barrier.EStopClosed|obstacle, now.Add(after+pulse))
			require.Equal(t, barrier.Red, l.Want(), "one stop is enough")
		}
	}
}

func TestEmergencyStopEndsPulseAndGreen(t *testing.T) {
	now := time.Now()
	l := barrier.NewInterlock(pulse)
	l.Observe(up, now)
	require.NoError(t, l.Command(barrier.VerbGreen, now))
	require.NoError(t, l.Command(barrier.VerbOpen, now))
	require.Equal(t, barrier.Open|barrier.Green, l.Want())
	l.Observe(barrier.LimitUp, now.Add(time.Millisecond))
	require.Equal(t, barrier.Red, l.Want())
	l.Observe(up, now.Add(time.Second))
	require.Equal(t, barrier.Red, l.Want(), "green does not come back by itself")
}

func TestTravel(t *testing.T) {
	for _, c := range []struct {
		after time.Duration
		fault []string
	}{
		{1400 * time.Millisecond, []string{"open-travel"}}, {1500 * time.Millisecond, nil}, {6 * time.Second, nil},
	} {
		now := time.Now()
		l := barrier.NewInterlock(pulse)
		l.Observe(down, now)
		require.NoError(t, l.Command(barrier.VerbOpen, now))
		l.Observe(barrier.EStopClosed, now.Add(time.Second))
		l.Observe(up, now.Add(c.after))
		require.Equal(t, c.fault, l.Faults(), c.after)
	}
	now := time.Now()
	l := barrier.NewInterlock(pulse)
	l.Observe(down, now)
	require.NoError(t, l.Command(barrier.VerbOpen, now))
	l.Observe(barrier.EStopClosed, now.Add(6001*time.Millisecond))
	require.Equal(t, []string{"open-travel"}, l.Faults())
	l.Observe(up, now.Add(7*time.Second))
	require.Empty(t, l.Faults(), "it arrived after all")
}

func TestRelayThatSticks(t *testing.T) {
	now := time.Now()
	l := barrier.NewInterlock(pulse)
	l.Observe(up, now)
	require.NoError(t, l.Command(barrier.VerbGreen, now))
	l.Relays(barrier.Green|barrier.Beacon|barrier.Sign, barrier.Green)
	require.Empty(t, l.Faults(), "the beacon is not the driver's")
	l.Relays(barrier.Green|barrier.Red, barrier.Green)
	require.Equal(t, []string{"coil"}, l.Faults())
	require.Equal(t, barrier.Red, l.Want())
	require.ErrorContains(t, l.Command(barrier.VerbClose, now), "FAULT")
	l.Relays(barrier.Red, barrier.Red)
	require.Empty(t, l.Faults())
}

// No sequence of commands, inputs, relays and losses ever pulses close on an
// occupied safety loop, moves an arm in an emergency, gives two pulses or two
// lamps, or shows green on a doubt.
func TestNoSequenceDefeatsTheInterlock(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := barrier.NewInterlock(time.Duration(rapid.IntRange(100, 1000).Draw(t, "pulse")) * time.Millisecond)
		now := time.Now()
		in, known := barrier.Bits(0), false
		t.Repeat(map[string]func(*rapid.T){
			"observe": func(t *rapid.T) {
				now = now.Add(time.Duration(rapid.IntRange(0, 7000).Draw(t, "ms")) * time.Millisecond)
				in, known = barrier.Bits(rapid.Byte().Draw(t, "inputs")), true
				l.Observe(in, now)
			},
			"quiet": func(*rapid.T) { // most of the time all is well
				in, known = up, true
				l.Observe(in, now)
			},
			"command": func(t *rapid.T) {
				v := rapid.SampledFrom(verbs()).Draw(t, "verb")
				_ = l.Command(v, now) // refused or not: what is wanted is judged
			},
			"relays": func(t *rapid.T) {
				l.Relays(barrier.Bits(rapid.Byte().Draw(t, "relays")), l.Want())
			},
			"right relays": func(*rapid.T) { l.Relays(l.Want(), l.Want()) },
			"lost":         func(*rapid.T) { l.Lost(); known = false },
			"": func(t *rapid.T) {
				want := l.Want()
				if want.Has(barrier.Close) {
					require.True(t, known)
					require.False(t, in.Obstructed())
					require.NotEqual(t, "unknown", in.Arm())
				}
				if known && (in.EStop() || in.Has(barrier.Manual)) {
					require.Zero(t, want&(barrier.Open|barrier.Close))
				}
				require.Contains(t, []barrier.Bits{0, barrier.Open, barrier.Close, barrier.Stop}, want&(barrier.Open|barrier.Close|barrier.Stop))
				require.Contains(t, []barrier.Bits{barrier.Red, barrier.Amber, barrier.Green}, want&(barrier.Red|barrier.Amber|barrier.Green))
				if l.Doubt() || !known {
					require.True(t, want.Has(barrier.Red))
				}
				if want.Has(barrier.Green) {
					require.Equal(t, "up", in.Arm())
				}
			},
		})
	})
}
