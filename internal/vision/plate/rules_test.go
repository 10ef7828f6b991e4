package plate_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gatehouse/internal/vision/plate"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func rules(t *testing.T) *plate.Rules {
	t.Helper()
	r, err := plate.BuiltinRules()
	require.NoError(t, err)
	return r
}

func TestForms(t *testing.T) {
	r := rules(t)
	for _, c := range []struct {
		text    string
		rows    int
		aspect  float64
		kind    string
		display string
	}{
		{"29A12345", 1, 4.7, "car", "29A-123.45"},
		{"29A12345", 2, 2.0, "car", "29A-123.45"},
		{"29A12345", 2, 1.3, "motorcycle", "29A1-2345"},
		{"29A12345", 0, 0, "car", "29A-123.45"},
		{"12C4567", 1, 4.7, "car", "12C-4567"},
		{"29AA12345", 2, 1.36, "motorcycle", "29AA-123.45"},
		{"50HB2282", 2, 1.36, "motorcycle", "50HB-2282"},
		{"59X112345", 2, 1.36, "motorcycle", "59X1-123.45"},
		{"51R01234", 1, 4.7, "trailer", "51R-012.34"},
		{"15RM01234", 1, 4.7, "trailer", "15RM-012.34"},
		{"29MĐ112345", 2, 1.36, "electric-motorcycle", "29MĐ1-123.45"},
		{"29LD12345", 1, 4.7, "special", "29LD-123.45"},
		{"74LB01234", 1, 4.7, "zone", "74LB-012.34"},
		{"80011NG01", 1, 4.7, "diplomatic", "80-011-NG-01"},
		{"80NG63670", 1, 4.7, "diplomatic", "80NG-636-70"},
		{"QB1234", 2, 2.0, "military", "QB-12-34"},
		{"AA5678", 1, 4.7, "military", "AA-56-78"},
		{"T2912345", 1, 4.7, "temporary", "T29-123.45"},
	} {
		f, ok := r.Form(c.text, c.rows, c.aspect)
		require.True(t, ok, c.text)
		require.Equal(t, c.kind, f.Kind, "%s with %d rows, %.2f", c.text, c.rows, c.aspect)
		require.Equal(t, c.display, f.Display, c.text)
	}
	for _, text := range []string{
		"", "13C12345", "29I12345", "29O12345", "29W12345", "29J12345", "12C123", "12C1234567", "2A1234",
		"AI1234", "80011XX01", "29a12345", "29A-12345", "ກຂ1234", "100A1234",
	} {
		_, ok := r.Form(text, 1, 4.7)
		require.False(t, ok, text)
	}
}

// The province group stands for exactly the 81 codes in use.
func TestProvinces(t *testing.T) {
	r := rules(t)
	n := 0
	for a := '0'; a <= '9'; a++ {
		for b := '0'; b <= '9'; b++ {
			if _, ok := r.Form(string([]rune{a, b})+"A12345", 1, 4.7); ok {
				n++
			}
		}
	}
	require.Equal(t, 81, n)
}

// What can be spelled of foreign plates follows the rules of their own country,
// never those of Viet Nam.
func TestSpelled(t *testing.T) {
	r := rules(t)
	for country, texts := range map[string][]string{
		"CN": {"A12345", "BG8Z21", "A1234", "AD12345", "AFB1345", "A12345D"},
		"LA": {"1234", "007"},
		"KH": {"2AB1234", "3F1234"},
		"TH": {"1234", "21234", "7", "701234"},
	} {
		for _, text := range texts {
			require.True(t, r.Spelled(country, text), "%s %s", country, text)
		}
	}
	for country, texts := range map[string][]string{
		"CN": {"", "AO2345", "AI2345", "12345", "A123", "30A12345", "AB123456"},
		"LA": {"12", "12345", "A123"},
		"KH": {"2A123", "0AB1234", "AB1234"},
		"TH": {"A123", "012345", "1234567"},
	} {
		for _, text := range texts {
			require.False(t, r.Spelled(country, text), "%s %s", country, text)
		}
	}
	require.True(t, r.Spelled("other", "ANYTHING"))
}

func TestRulesMistakes(t *testing.T) {
	for text, word := range map[string]string{
		"country: VN\nkind: []":                                            "kind",
		"kinds: [{name: x, pattern: \"({Q}\", display: \"{1}\"}]":          "x",
		"kinds: [{name: x, pattern: \"(a)\", display: \"{2}\", rows: []}]": "group 2 of 1",
		"foreign: {CN: [\"(\"]}":                                           "CN",
		"country: [":                                                       "parse",
	} {
		_, err := plate.ParseRules([]byte(text))
		require.ErrorContains(t, err, word)
	}
}
