package clock_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gatehouse/internal/clock"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestStampTellsSourceAndOffset(t *testing.T) {
	state := clock.State{Synchronised: true, Offset: 1500 * time.Microsecond, MaxError: 20 * time.Millisecond}
	c := clock.NewFrom(time.Now, func() (clock.State, error) { return state, nil })

	got := c.Stamp()
	require.Equal(t, "ntp", got.Source)
	require.True(t, got.Synchronised)
	require.InDelta(t, 1.5, got.OffsetMS, 1e-9)
	require.InDelta(t, 20, got.MaxErrorMS, 1e-9)
	require.Zero(t, got.SteppedMS)
}

func TestStampWithoutKernelIsUnknown(t *testing.T) {
	c := clock.NewFrom(time.Now, func() (clock.State, error) { return clock.State{}, errors.New("denied") })
	require.Equal(t, "unknown", c.Stamp().Source)
}

func TestUnsynchronisedClockRunsFree(t *testing.T) {
	c := clock.NewFrom(time.Now, func() (clock.State, error) { return clock.State{}, nil })
	require.Equal(t, "free", c.Stamp().Source)
}

func TestStepIsMeasuredAgainstMonotonicTime(t *testing.T) {
	a := time.Now()
	require.Zero(t, clock.Step(time.Time{}, a), "the first stamp has nothing to compare with")
	require.Zero(t, clock.Step(a, a.Add(5*time.Second)), "time that passed is no step")

	// A set wall clock changes wall time and leaves the monotonic reading. Times
	// built without one compare by wall time alone, so the step shows as the
	// difference between the two kinds.
	b := time.Now()
	require.Zero(t, clock.Step(a, b))
}

func TestKernelAnswers(t *testing.T) {
	_, err := clock.Kernel()
	require.NoError(t, err)
}
