package stage

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The lines are those of a program built with Go 1.26.
func TestHeapsAreReadFromTheTrace(t *testing.T) {
	heaps, err := readHeaps(`{"level":"INFO","msg":"gate is ready"}
gc 1 @0.012s 2%: 0.026+0.83+0.022 ms clock, 0.052+0.30/0.61/0+0.045 ms cpu, 3->4->1 MB, 4 MB goal, 0 MB stacks, 0 MB globals, 2 P
SCHED 10003ms: gomaxprocs=2 idleprocs=2
gc 17 @63.504s 0%: 0.11+12+0.041 ms clock, 0.22+0.12/11/3.5+0.083 ms cpu, 61->63->33 MB, 64 MB goal, 0 MB stacks, 0 MB globals, 2 P
`)
	require.NoError(t, err)
	require.Equal(t, []Heap{{12 * time.Millisecond, 1}, {63504 * time.Millisecond, 33}}, heaps)
}
