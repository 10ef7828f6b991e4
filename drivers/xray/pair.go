package xray

import (
	"os"
	"path"
	"strings"
)

// energies are the endings by which the two files of a dual-energy view are
// told apart, the high one first.
func energies() [][2]string {
	return [][2]string{{"_high", "_low"}, {"-high", "-low"}, {"_HIGH", "_LOW"}, {"_hi", "_lo"}}
}

// energy parts the ending of one energy from a name without its extension and
// names the ending of the other. other is empty, and base the whole name, where
// there is none.
func energy(stem string) (base, other string, low bool) {
	for _, pair := range energies() {
		if base, ok := strings.CutSuffix(stem, pair[0]); ok {
			return base, pair[1], false
		}
		if base, ok := strings.CutSuffix(stem, pair[1]); ok {
			return base, pair[0], true
		}
	}
	return stem, "", false
}

// partner is the name of the other energy's file, and whether the given one is
// the low energy; empty for names that are no half of a pair.
func partner(name string) (other string, low bool) {
	ext := path.Ext(name)
	base, ending, low := energy(strings.TrimSuffix(name, ext))
	if ending == "" {
		return "", false
	}
	return base + ending + ext, low
}

// findLow is the name of the image's low energy in the folder, or "".
func findLow(root *os.Root, image string) string {
	other, low := partner(image)
	if other == "" || low {
		return ""
	}
	if info, err := root.Lstat(other); err != nil || !info.Mode().IsRegular() {
		return ""
	}
	return other
}

// hasHigh says that a file is the low energy of a high one in the folder: it
// goes with that one.
func (c *collector) hasHigh(name string) bool {
	other, low := partner(name)
	if !low {
		return false
	}
	info, err := c.root.Lstat(other)
	return err == nil && info.Mode().IsRegular()
}
