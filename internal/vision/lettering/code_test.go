package lettering_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"gatehouse/internal/container"
	"gatehouse/internal/vision/lettering"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const tall = 20.0

// across paints text to the right of x, y; a blank is a gap of a character.
func across(text string, x, y float64) (out []lettering.Painted) {
	for _, c := range []byte(text) {
		if c != ' ' {
			out = append(out, lettering.Painted{C: c, P: 1, X: x, Y: y, H: tall})
		}
		x += 0.75 * tall
	}
	return out
}

// down paints text below x, y.
func down(text string, x, y float64) (out []lettering.Painted) {
	for _, c := range []byte(text) {
		if c != ' ' {
			out = append(out, lettering.Painted{C: c, P: 1, X: x, Y: y, H: tall})
		}
		y += 1.25 * tall
	}
	return out
}

func join(parts ...[]lettering.Painted) (out []lettering.Painted) {
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

// CSQU3054383 is the standard's own example.
func TestLayouts(t *testing.T) {
	for name, chars := range map[string][]lettering.Painted{
		"one row":            join(across("CSQU 305438 3", 50, 100), across("45G1", 125, 135)),
		"with a rod between": join(across("CSQU   305438  3", 50, 100), across("45G1", 155, 135)),
		"size beside":        across("CSQU 305438 3  45G1", 50, 100),
		"two rows":           join(across("CSQU", 50, 100), across("305438 3", 50, 132), across("45G1", 50, 164)),
		"down":               join(down("CSQU 305438 3", 50, 20), down("45G1", 90, 20)),
		"two columns":        join(down("CSQU", 50, 20), down("305438 3", 85, 20), down("45G1", 120, 20)),
		"among other words": join(across("CSQU 305438 3", 50, 100), across("45G1", 125, 135),
			across("MAXGROSS 32500 KGS", 50, 210), across("TARE 3860", 50, 250)),
	} {
		t.Run(name, func(t *testing.T) {
			got := lettering.ReadPainted(chars)
			require.Len(t, got, 1)
			require.Equal(t, "CSQU3054383", got[0].Text)
			require.True(t, got[0].CheckOK)
			require.False(t, got[0].Repaired)
			require.Equal(t, "45G1", got[0].SizeType)
			require.InDelta(t, 1, got[0].Score, 1e-6)
		})
	}
}

func TestTwoContainersOnOneChassis(t *testing.T) {
	got := lettering.ReadPainted(join(across("CSQU 305438 3", 50, 100), across("22G1", 125, 135),
		across("ZEPU 003725 5", 500, 100), across("45R1", 575, 135)))
	require.Len(t, got, 2)
	texts := map[string]string{got[0].Text: got[0].SizeType, got[1].Text: got[1].SizeType}
	require.Equal(t, map[string]string{"CSQU3054383": "22G1", "ZEPU0037255": "45R1"}, texts)
}

// A letter that looks like a figure is taken for the one that may stand there.
func TestTwins(t *testing.T) {
	chars := across("CSQU 3O5438 3", 50, 100)
	got := lettering.ReadPainted(chars)
	require.Len(t, got, 1)
	require.Equal(t, "CSQU3054383", got[0].Text)
	require.True(t, got[0].CheckOK)
}

// A repair is made when it is the only one that the net thinks possible, and
// never to the check digit.
func TestRepair(t *testing.T) {
	wrong := across("CSQU 305438 3", 50, 100)
	wrong[6].C, wrong[6].Also, wrong[6].P = '6', '5', 0.7 // 3065438 for 3054383
	got := lettering.ReadPainted(wrong)
	require.Len(t, got, 1)
	require.Equal(t, "CSQU3054383", got[0].Text)
	require.True(t, got[0].Repaired)
	require.False(t, got[0].CheckOK, "a repaired number was not read as it is written")
	require.Less(t, got[0].Score, 0.5)

	digit := across("CSQU 305438 4", 50, 100)
	digit[10].Also, digit[10].P = '3', 0.7
	got = lettering.ReadPainted(digit)
	require.Len(t, got, 1)
	require.Equal(t, "CSQU3054384", got[0].Text, "the digit stays as it was read")
	require.False(t, got[0].CheckOK || got[0].Repaired)

	plain := lettering.ReadPainted(across("CSQU 306438 3", 50, 100))
	require.Len(t, plain, 1)
	require.Equal(t, "CSQU3064383", plain[0].Text, "nothing else was seen")
	require.False(t, plain[0].CheckOK || plain[0].Repaired)
}

func TestMissingCheckDigit(t *testing.T) {
	got := lettering.ReadPainted(across("CSQU 305438", 50, 100))
	require.Len(t, got, 1)
	require.Equal(t, "CSQU3054383", got[0].Text)
	require.False(t, got[0].CheckOK, "what was not read proves nothing")
	require.Less(t, got[0].Score, 0.5)
}

func TestNoNumber(t *testing.T) {
	for _, text := range []string{"MAXGROSS 32500 KGS", "CSQX 305438 3", "12345678901", "CSQU", "305438 3", "ABCDEFGHIJK"} {
		require.Empty(t, lettering.ReadPainted(across(text, 50, 100)), text)
	}
	require.Empty(t, lettering.ReadPainted(nil))
}

// Whatever is painted, check_ok is never said of a number that is not valid,
// and nothing is both read and repaired.
func TestCheckedIsValid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var chars []lettering.Painted
		for range rapid.IntRange(0, 3).Draw(t, "lines") {
			text := strings.ToUpper(rapid.StringMatching(`[A-Z]{3}[UJZ] ?[0-9]{6} ?[0-9]?`).Draw(t, "text"))
			x, y := float64(rapid.IntRange(20, 200).Draw(t, "x")), float64(rapid.IntRange(20, 300).Draw(t, "y"))
			row := across(text, x, y)
			if rapid.Bool().Draw(t, "down") {
				row = down(text, x, y)
			}
			for i := range row {
				row[i].P = rapid.Float64Range(0.4, 1).Draw(t, "p")
				row[i].Also = "0123456789ABCUJZ"[rapid.IntRange(0, 15).Draw(t, "also")]
			}
			chars = append(chars, row...)
		}
		for _, c := range lettering.ReadPainted(chars) {
			if c.CheckOK || c.Repaired {
				require.True(t, container.Number{Text: c.Text}.Valid(), c.Text)
			}
			require.False(t, c.CheckOK && c.Repaired)
			_, ok := container.Canonical(c.Text)
			require.True(t, ok, c.Text)
		}
	})
}

// The parts of a large picture cover it, each inside it, and share what a
// number may lie across.
func TestPartsCoverThePicture(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		length, side := rapid.IntRange(1, 20000).Draw(t, "length"), rapid.IntRange(100, 4000).Draw(t, "side")
		end := 0
		for i, at := range lettering.Starts(length, side) {
			require.GreaterOrEqual(t, at, 0)
			if i > 0 {
				require.LessOrEqual(t, at, end-side/10)
				require.LessOrEqual(t, at+side, length)
			}
			end = at + side
		}
		require.GreaterOrEqual(t, end, length)
	})
}
