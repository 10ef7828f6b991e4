package link_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/driver"
	"gatehouse/internal/link"
)

func TestJudge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := link.NewJudge("port", 12*time.Second)
		start := time.Now()
		require.Equal(t, start.Add(12*time.Second), j.Deadline())
		requireHint(t, j.Expired(), driver.ErrSilent)

		require.NoError(t, j.Bad(10))
		requireHint(t, j.Expired(), driver.ErrGarbage)
		time.Sleep(time.Second)
		j.Good()
		require.Equal(t, start.Add(13*time.Second), j.Deadline())
		requireHint(t, j.Expired(), driver.ErrSilent)

		for range 19 {
			require.NoError(t, j.Bad(10))
		}
		requireHint(t, j.Bad(10), driver.ErrGarbage)
		j.Good()
		require.NoError(t, j.Bad(4095))
		requireHint(t, j.Bad(1), driver.ErrGarbage)
	})
}
