package plate

import (
	"fmt"
	"math"
	"slices"

	"gocv.io/x/gocv"

	"gatehouse/internal/vision/model"
)

// seen is what the reader sees on one plate, the mean over its margins.
type seen struct {
	Slots   [][]float32 // per slot the probabilities over the alphabet
	Rows    int         // 1 or 2
	Country string      // the likeliest
	PHome   float64     // probability of the rules' country
	Seen    float64     // probability of Country
}

type reader struct{ net *model.Net }

// margins are those with which the score was calibrated.
func (r reader) margins() []float64 {
	if m := r.net.Manifest.Margins; len(m) > 0 {
		return m
	}
	return []float64{0.08}
}

// middle is one margin in the middle of those: it costs one look in place of
// several.
func (r reader) middle() []float64 {
	m := r.margins()
	return []float64{(slices.Min(m) + slices.Max(m)) / 2}
}

// read looks at every plate with every margin in one run of the net.
func (r reader) read(img gocv.Mat, plates []detection, home string, margins []float64) ([]seen, error) {
	m := r.net.Manifest
	w, h := m.Input.Width, m.Input.Height
	input := make([]float32, 0, len(plates)*len(margins)*w*h)
	for _, d := range plates {
		for _, margin := range margins {
			crop := rectify(img, d.Quad, margin, w, h)
			pixels, err := crop.DataPtrUint8()
			if err != nil {
				_ = crop.Close()
				return nil, fmt.Errorf("read rectified plate: %w", err)
			}
			for _, v := range pixels {
				input = append(input, float32(v)/255)
			}
			_ = crop.Close()
		}
	}
	n := len(plates) * len(margins)
	out, err := r.net.Run([]int64{int64(n), 1, int64(h), int64(w)}, input)
	if err != nil {
		return nil, err
	}
	slots, err := model.Output(out, "slots", 3)
	if err != nil {
		return nil, err
	}
	rows, err := model.Output(out, "rows", 2)
	if err != nil {
		return nil, err
	}
	country, err := model.Output(out, "country", 2)
	if err != nil {
		return nil, err
	}
	if slots.Shape[0] != n || slots.Shape[2] != len(m.Alphabet) || !slices.Equal(rows.Shape, []int{n, 2}) ||
		!slices.Equal(country.Shape, []int{n, len(m.Countries)}) {
		return nil, fmt.Errorf("reader gave slots %v, rows %v, country %v for %d crops", slots.Shape, rows.Shape, country.Shape, n)
	}
	all := make([]seen, len(plates))
	for i := range plates {
		first, count := i*len(margins), len(margins)
		s := &all[i]
		flat := meanOf(slots.Data, slots.Shape[1]*slots.Shape[2], first, count)
		s.Slots = slices.Collect(slices.Chunk(flat, slots.Shape[2]))
		s.Rows = 1
		if p := meanOf(rows.Data, 2, first, count); p[1] > p[0] {
			s.Rows = 2
		}
		for k, p := range meanOf(country.Data, len(m.Countries), first, count) {
			if float64(p) > s.Seen {
				s.Country, s.Seen = m.Countries[k], float64(p)
			}
			if m.Countries[k] == home {
				s.PHome = float64(p)
			}
		}
	}
	return all, nil
}

// meanOf is the mean of count consecutive rows of a width, from row first.
func meanOf(data []float32, width, first, count int) []float32 {
	mean := make([]float32, width)
	for i := first; i < first+count; i++ {
		for k := range mean {
			mean[k] += data[i*width+k] / float32(count)
		}
	}
	return mean
}

// calibrated turns the product of character probabilities into a score.
func calibrated(p, temperature float64) float64 {
	if p <= 0 {
		return 0
	}
	return min(1, math.Pow(p, 1/temperature))
}
