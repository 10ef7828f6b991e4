package xray

import "image"

func sizeOf(w, h int) image.Point { return image.Pt(w, h) }

// blob is a connected region of a mask.
type blob struct {
	Rect   image.Rectangle
	Pixels []int // indices into the mask
}

// blobs are the 8-connected regions of the true pixels of a w wide mask.
func blobs(mask []bool, w int) []blob {
	h := len(mask) / w
	seen := make([]bool, len(mask))
	var out []blob
	for start, on := range mask {
		if !on || seen[start] {
			continue
		}
		b := blob{Rect: image.Rect(start%w, start/w, start%w+1, start/w+1)}
		seen[start] = true
		stack := []int{start}
		for len(stack) > 0 {
			i := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			b.Pixels = append(b.Pixels, i)
			x, y := i%w, i/w
			b.Rect = b.Rect.Union(image.Rect(x, y, x+1, y+1))
			for ny := max(0, y-1); ny <= min(h-1, y+1); ny++ {
				for nx := max(0, x-1); nx <= min(w-1, x+1); nx++ {
					if k := ny*w + nx; mask[k] && !seen[k] {
						seen[k] = true
						stack = append(stack, k)
					}
				}
			}
		}
		out = append(out, b)
	}
	return out
}
