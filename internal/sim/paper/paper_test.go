package paper_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gatehouse/internal/mrz"
	"gatehouse/internal/sim/paper"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func day(s string) time.Time {
	d, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return d
}

// The specimens of ICAO Doc 9303, with nothing in the optional fields that this
// package leaves empty; their check digits were computed by other programs.
func TestSpecimens(t *testing.T) {
	anna := paper.Document{
		Format: paper.TD2, Number: "D23145890", Nation: "UTO", Surname: "ERIKSSON", Given: "ANNA MARIA",
		Birth: day("1974-08-12"), Expiry: day("2012-04-15"),
	}
	anna.Number = "D23145890"
	require.Equal(t, "I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", anna.Lines()[0])
	require.Equal(t, "D231458907UTO7408122F1204159<<<<<<<6", anna.Lines()[1])
	anna.Format = paper.TD1
	require.Equal(t, []string{"I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<"}, anna.Lines())
	cn := paper.Document{Format: paper.TD3, Number: "E12345678", Nation: "CHN", Male: true, Birth: day("1985-06-15"), Expiry: day("2029-12-31")}
	require.Equal(t, "E123456782CHN8506151M2912316<<<<<<<<<<<<<<<2", cn.Lines()[1])
}

// The product's own parser was tried against published vectors; it has to
// agree with each document that is drawn.
func TestDrawnDocumentsAreWhatTheySay(t *testing.T) {
	today := day("2026-11-22")
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		for _, format := range []string{paper.TD1, paper.TD2, paper.TD3, paper.MRVA, paper.MRVB} {
			for _, flaw := range []string{"", paper.Expired, paper.Check, paper.OCR} {
				d := paper.Draw(r, format, flaw, today)
				got, err := mrz.Parse(d.Lines(), today)
				require.NoError(t, err, d.Lines())
				require.Equal(t, format, string(got.Format))
				require.Equal(t, d.Number, got.Number)
				require.Equal(t, flaw == paper.Expired, got.Expiry < "2026-11-22", "%s %s %v", got.Expiry, flaw, d.Lines())
				switch flaw {
				case paper.Check:
					require.Contains(t, got.Wrong(), "number")
				case paper.OCR:
					if strings.ContainsAny(d.Expiry.Format("060102"), "01852") {
						require.False(t, got.Sound(), d.Lines())
					}
				default:
					require.True(t, got.Sound(), "%v %v", d.Lines(), got)
				}
			}
		}
		for _, flaw := range []string{"", paper.Extra} {
			d := paper.Draw(r, paper.CCCD, flaw, today)
			got, err := mrz.ParseCCCD(d.Lines()[0])
			require.NoError(t, err, d.Lines())
			require.True(t, got.Sound(), "%v %+v", d.Lines(), got)
			require.Equal(t, d.Number, got.Number)
		}
	}
}

// check is ISO 6346 once more, from its table of values.
func check(number string) (remainder int) {
	values := map[rune]int{}
	v := 10
	for c := 'A'; c <= 'Z'; c++ {
		if v%11 == 0 {
			v++
		}
		values[c] = v
		v++
	}
	sum, weight := 0, 1
	for _, c := range number[:10] {
		n, letter := values[c]
		if !letter {
			n = int(c - '0')
		}
		sum += n * weight
		weight *= 2
	}
	return sum % 11
}

func TestContainers(t *testing.T) {
	require.Equal(t, 3, check("CSQU3054383"))
	require.Equal(t, 10, check("TEMU0000080"))
	r := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		for kind, ok := range map[string]func(remainder, digit int) bool{
			paper.Right:    func(rest, digit int) bool { return rest == digit },
			paper.WrongEnd: func(rest, digit int) bool { return rest%10 != digit },
			paper.Ten:      func(rest, digit int) bool { return rest == 10 && digit == 0 },
		} {
			n := paper.Container(r, kind)
			require.Len(t, n, 11)
			require.True(t, ok(check(n), int(n[10]-'0')), "%s %s", kind, n)
		}
	}
}
