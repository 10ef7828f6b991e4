package plate_test

import (
	"math/rand/v2"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"gatehouse/internal/sim/plate"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The grammar as the domain reference gives it for cars and special series.
const (
	province = `(?:1[1-24-9]|2\d|3\d|4[0137-9]|[56]\d|7\d|8[0-689]|9[02-57-9])`
	grammar  = `^` + province + `(?:[ABCDEFGHKLMNPSTUVXYZ]|LD)\d{4,5}$`
	chinese  = `^[桂云][A-HJ-NP-Z][A-HJ-NP-Z0-9]{5}$`
)

func TestRandomPlatesKeepTheGrammar(t *testing.T) {
	ok, cn := regexp.MustCompile(grammar), regexp.MustCompile(chinese)
	rapid.Check(t, func(t *rapid.T) {
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		rows := rapid.IntRange(1, 2).Draw(t, "rows")
		p := plate.Random(r, rows)
		require.Regexp(t, ok, p.Text)
		require.Equal(t, rows, p.Rows())
		again, err := plate.Parse(p.Display, rows, p.Colour)
		require.NoError(t, err)
		require.Equal(t, p, again)
		require.Regexp(t, cn, plate.RandomChinese(r).Text)
	})
}

func TestParse(t *testing.T) {
	p, err := plate.Parse("12c-123.45", 2, plate.Yellow)
	require.NoError(t, err)
	require.Equal(t, plate.Plate{Text: "12C12345", Display: "12C-123.45", Lines: []string{"12C", "123.45"}, Colour: plate.Yellow, Country: "VN"}, p)
	p, err = plate.Parse("12C-4567", 1, plate.White)
	require.NoError(t, err)
	require.Equal(t, []string{"12C-4567"}, p.Lines)
	for _, bad := range []string{"", "13C-123.45", "12I-123.45", "12C-123", "12C-123.456", "AA-56-78"} {
		_, err := plate.Parse(bad, 1, plate.Yellow)
		require.ErrorIs(t, err, plate.ErrGrammar, bad)
	}
}
