package xray_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/drivers/drivertest"
	"gatehouse/drivers/xray"
	"gatehouse/internal/event"
)

// A view with two energies in two files is one reading with both, whether a
// sentence announced it or not, and whichever half the sentence names.
func TestDualEnergyPairIsOneReading(t *testing.T) {
	for name, announced := range map[string]string{"nobody": "", "high": "_high", "both": "_high,_low"} {
		t.Run(name, func(t *testing.T) {
			s := newScanner(t)
			high, low := picture(60), picture(61)
			side := put(t, s.folder, "L01-000060_v1.json", describe(high, 1))
			second := put(t, s.folder, "L01-000060_v1_low.png", low)
			first := put(t, s.folder, "L01-000060_v1_high.png", high)
			frames := []string{}
			store, stop := run(t, s, drivertest.Env(&drivertest.Evidence{}))
			if announced != "" {
				frames = append(frames, s.send(xray.TypeImage, "L01-000060", "1", "L01-000060_v1_high.png", fmt.Sprint(len(high))))
			}
			if announced == "_high,_low" {
				s.send(xray.TypeImage, "L01-000060", "1", "L01-000060_v1_low.png", fmt.Sprint(len(low)))
			}
			got := waitImages(t, store, 1)[0]
			require.Equal(t, event.Good, got.Quality, got.Note)
			require.Equal(t, "L01-000060/1", got.Key)
			require.Equal(t, first, got.Scan.Image.SHA256)
			require.NotNil(t, got.Scan.Low)
			require.Equal(t, second, got.Scan.Low.SHA256)
			require.Equal(t, side, got.Scan.Sidecar.SHA256)
			require.Equal(t, append(frames, first, second, side), got.Frames)
			stop()
			require.Empty(t, listing(t, s.folder))
			require.Len(t, images(store.Readings()), 1)
		})
	}
}

// Half a pair is analysed alone and says so.
func TestHalfAPairIsTakenAlone(t *testing.T) {
	s := newScanner(t)
	store, stop := run(t, s, drivertest.Env(&drivertest.Evidence{}))
	put(t, s.folder, "L01-000062_v1_low.json", describe(picture(62), 1))
	put(t, s.folder, "L01-000062_v1_low.png", picture(62))
	got := waitImages(t, store, 1)[0]
	require.Equal(t, event.Suspect, got.Quality)
	require.Contains(t, got.Note, "without the high one")
	require.Equal(t, "L01-000062/1/low", got.Key)
	require.Nil(t, got.Scan.Low)
	stop()
}
