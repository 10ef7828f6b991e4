package web

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/event"
)

func TestBursts(t *testing.T) {
	photo := func(digest, device, view, track string) event.Photo {
		return event.Photo{Image: event.Evidence{SHA256: digest}, Device: device, View: view, Track: track}
	}
	far, rear, near := photo("far", "camera", "front", "a"), photo("rear", "camera2", "rear", "a"), photo("near", "camera", "front", "a")
	one, two := photo("one", "camera", "front", ""), photo("two", "camera", "front", "")
	all := bursts([]event.Photo{far, rear, one, near, two})
	require.Equal(t, [][]event.Photo{{far, near}, {rear}, {one}, {two}}, all, "by camera and track; those without one stand alone")
	require.Equal(t, near, bestOf(all[0], nil), "the last is the nearest")
	require.Equal(t, far, bestOf(all[0], []event.PlateReading{{Photo: "rear"}, {Photo: "far"}}), "the one that its plate was read on")
	require.Empty(t, bursts(nil))
}
