package board_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/sim/board"
)

// A host that has closed the arm keeps the lane's own controller from opening
// it, until it opens it itself.
func TestAHostKeepsTheArmDown(t *testing.T) {
	b := start(t, board.Settings{Pace: 5})
	c := client(t, b)
	require.NoError(t, c.WriteCoils(0, []bool{false, true, false, true, false, false})) // close
	require.NoError(t, c.WriteCoils(0, []bool{false, false, false, true, false, false}))
	b.Stand()
	left := make(chan struct{})
	done := make(chan error, 1)
	go func() { done <- b.Out(b.ctx, func() { close(left) }) }()
	for range 20 {
		require.True(t, inputs(t, c)[down])
		select {
		case <-left:
			require.Fail(t, "the vehicle left below a closed arm")
		case <-time.After(20 * time.Millisecond):
		}
	}
	require.NoError(t, c.WriteCoils(0, []bool{true, false, false, true, false, false})) // open
	<-left
	require.NoError(t, <-done)
	require.Equal(t, board.Pulses{Open: 1, Close: 1}, b.Pulsed())
}
