package web

import (
	"slices"

	"gatehouse/internal/event"
)

// bursts groups photos by what their cameras followed, each group in the order
// of its taking and the groups in that of their first photos. A photo of a
// camera that names no track stands for itself.
func bursts(photos []event.Photo) [][]event.Photo {
	var out [][]event.Photo
	for _, ph := range photos {
		i := slices.IndexFunc(out, func(b []event.Photo) bool {
			return ph.Track != "" && b[0].Track == ph.Track && b[0].Device == ph.Device && b[0].View == ph.View
		})
		if i < 0 {
			out = append(out, []event.Photo{ph})
			continue
		}
		out[i] = append(out[i], ph)
	}
	return out
}

// bestOf is the photo of a burst that its plate was read on best; without a
// plate the last, which is the nearest.
func bestOf(burst []event.Photo, plates []event.PlateReading) event.Photo {
	for _, pl := range plates {
		if i := slices.IndexFunc(burst, func(ph event.Photo) bool { return ph.Image.SHA256 == pl.Photo }); i >= 0 {
			return burst[i]
		}
	}
	return burst[len(burst)-1]
}
