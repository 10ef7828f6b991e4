package mrz_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"gatehouse/internal/mrz"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func today() time.Time { return time.Date(2026, 3, 2, 1, 30, 0, 0, time.UTC) }

func pad(s string, n int) string { return s + strings.Repeat("<", n-len(s)) }

func ok(fields ...string) map[string]mrz.Outcome {
	out := map[string]mrz.Outcome{}
	for _, f := range fields {
		out[f] = mrz.OK
	}
	return out
}

// The worked sums of the specification's appendix, and of open parsers.
func TestDigit(t *testing.T) {
	for s, want := range map[string]byte{
		"520727": '3', "AB2134<<<": '5', "HA672242<658022549601086<<<<<<<<<<<<<<0": '8', "": '0', "<<<": '0',
	} {
		require.Equal(t, string(want), string(mrz.Digit(s)), s)
	}
}

// Specimens of ICAO Doc 9303 and fictional documents in the same form.
func TestPublishedVectors(t *testing.T) {
	all := ok("number", "birth", "expiry", "composite")
	passport := ok("number", "birth", "expiry", "personal", "composite")
	emptyPersonal := ok("number", "birth", "expiry", "composite")
	emptyPersonal["personal"] = mrz.Absent
	for _, c := range []struct {
		name  string
		lines []string
		want  mrz.Document
	}{
		{"TD3", []string{pad("P<UTOERIKSSON<<ANNA<MARIA", 44), "L898902C36UTO7408122F1204159ZE184226B<<<<<10"}, mrz.Document{
			Format: mrz.TD3, Type: "P", Issuer: "UTO", Number: "L898902C3", Nationality: "UTO", Birth: "1974-08-12",
			Sex: "F", Expiry: "2012-04-15", Names: []string{"ERIKSSON", "ANNA MARIA"}, Optional: "ZE184226B", Checks: passport,
		}},
		{"TD1", []string{pad("I<UTOD231458907", 30), "7408122F1204159UTO<<<<<<<<<<<6", pad("ERIKSSON<<ANNA<MARIA", 30)}, mrz.Document{
			Format: mrz.TD1, Type: "I", Issuer: "UTO", Number: "D23145890", Nationality: "UTO", Birth: "1974-08-12",
			Sex: "F", Expiry: "2012-04-15", Names: []string{"ERIKSSON", "ANNA MARIA"}, Checks: all,
		}},
		{"TD1 Sweden", []string{pad("I<SWE59000002<8198703142391", 30), "8703145M1701027SWE<<<<<<<<<<<8", pad("SPECIMEN<<SVEN", 30)}, mrz.Document{
			Format: mrz.TD1, Type: "I", Issuer: "SWE", Number: "59000002", Nationality: "SWE", Birth: "1987-03-14",
			Sex: "M", Expiry: "2017-01-02", Names: []string{"SPECIMEN", "SVEN"}, Optional: "198703142391", Checks: all,
		}},
		{"TD1 long number", []string{pad("I<UTOD23145890<7349", 30), "3407127M9507122UTO<<<<<<<<<<<2", pad("STEVENSON<<PETER", 30)}, mrz.Document{
			Format: mrz.TD1, Type: "I", Issuer: "UTO", Number: "D23145890734", Nationality: "UTO", Birth: "1934-07-12",
			Sex: "M", Expiry: "2095-07-12", Names: []string{"STEVENSON", "PETER"}, Checks: all,
		}},
		{"TD2", []string{pad("I<UTOERIKSSON<<ANNA<MARIA", 36), "D231458907UTO7408122F1204159<<<<<<<6"}, mrz.Document{
			Format: mrz.TD2, Type: "I", Issuer: "UTO", Number: "D23145890", Nationality: "UTO", Birth: "1974-08-12",
			Sex: "F", Expiry: "2012-04-15", Names: []string{"ERIKSSON", "ANNA MARIA"}, Checks: all,
		}},
		{"MRV-A", []string{pad("V<UTOERIKSSON<<ANNA<MARIA", 44), "L8988901C4XXX4009078F96121096ZE184226B<<<<<<"}, mrz.Document{
			Format: mrz.MRVA, Type: "V", Issuer: "UTO", Number: "L8988901C", Nationality: "XXX", Birth: "1940-09-07",
			Sex: "F", Expiry: "2096-12-10", Names: []string{"ERIKSSON", "ANNA MARIA"}, Optional: "6ZE184226B",
			Checks: ok("number", "birth", "expiry"),
		}},
		{"MRV-B", []string{pad("V<UTOERIKSSON<<ANNA<MARIA", 36), "L8988901C4XXX4009078F9612109<<<<<<<<"}, mrz.Document{
			Format: mrz.MRVB, Type: "V", Issuer: "UTO", Number: "L8988901C", Nationality: "XXX", Birth: "1940-09-07",
			Sex: "F", Expiry: "2096-12-10", Names: []string{"ERIKSSON", "ANNA MARIA"}, Checks: ok("number", "birth", "expiry"),
		}},
		{"Viet Nam", []string{pad("P<VNMNGUYEN<<VAN<AN", 44), "C1234567<0VNM9001011M3001019001090123456<<32"}, mrz.Document{
			Format: mrz.TD3, Type: "P", Issuer: "VNM", Number: "C1234567", Nationality: "VNM", Birth: "1990-01-01",
			Sex: "M", Expiry: "2030-01-01", Names: []string{"NGUYEN", "VAN AN"}, Optional: "001090123456", Checks: passport,
		}},
		{"China", []string{pad("POCHNZHANG<<SAN", 44), "E123456782CHN8506151F2912316<<<<<<<<<<<<<<<2"}, mrz.Document{
			Format: mrz.TD3, Type: "PO", Issuer: "CHN", Number: "E12345678", Nationality: "CHN", Birth: "1985-06-15",
			Sex: "F", Expiry: "2029-12-31", Names: []string{"ZHANG", "SAN"}, Checks: emptyPersonal,
		}},
		{"CCCD", []string{"IDVNM0901234562001090123456<<3", "9001011M3001019VNM<<<<<<<<<<<4", pad("NGUYEN<<VAN<AN", 30)}, mrz.Document{
			Format: mrz.TD1, Type: "ID", Issuer: "VNM", Number: "090123456", Nationality: "VNM", Birth: "1990-01-01",
			Sex: "M", Expiry: "2030-01-01", Names: []string{"NGUYEN", "VAN AN"}, Optional: "001090123456  3", Checks: all,
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := mrz.Parse(c.lines, today())
			require.NoError(t, err)
			require.Equal(t, c.want, got)
			require.True(t, got.Sound())
			require.Equal(t, c.lines, mrz.Split(strings.Join(c.lines, "\r\n")+"\r\n"))
			require.Equal(t, c.lines, mrz.Split(strings.Join(c.lines, "")))
		})
	}
}

func TestRepairs(t *testing.T) {
	first := pad("P<VNMNGUYEN<<VAN<AN", 44)
	sound := "C1234567<0VNM9001011M3001019001090123456<<32"
	for _, c := range []struct {
		name     string
		line     string
		repaired []string
		wrong    []string
	}{
		{"one letter in the birth", "C1234567<0VNM9O01011M3001019001090123456<<32", []string{"birth: O read as 0"}, nil},
		{"its digit", "C1234567<0VNM900101IM3001019001090123456<<32", []string{"birth: I read as 1"}, nil},
		{"the composite digit", "C1234567<0VNM9001011M3001019001090123456<<3Z", []string{"composite: Z read as 2"}, nil},
		{"the digit of the number", "C1234567<OVNM9001011M3001019001090123456<<32", []string{"number: O read as 0"}, nil},
		{"two letters", "C1234567<0VNM9OO1011M3001019001090123456<<32", nil, []string{"birth", "birth_date", "composite"}},
		{"a letter in each of two dates", "C1234567<0VNM9O01011M3OO1019001090123456<<32", nil,
			[]string{"birth", "birth_date", "composite", "expiry", "expiry_date"}},
		{"a letter in the number", "CI234567<0VNM9001011M3001019001090123456<<32", nil, []string{"composite", "number"}},
		{"a letter that nothing resembles", "C1234567<0VNM9X01011M3001019001090123456<<32", nil, []string{"birth", "birth_date", "composite"}},
		{"a wrong digit", "C1234567<0VNM9101011M3001019001090123456<<32", nil, []string{"birth", "composite"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, err := mrz.Parse([]string{first, c.line}, today())
			require.NoError(t, err)
			require.Equal(t, c.repaired, d.Repaired)
			require.Equal(t, c.wrong, d.Wrong())
			require.False(t, d.Sound())
			if c.repaired != nil {
				want, err := mrz.Parse([]string{first, sound}, today())
				require.NoError(t, err)
				want.Repaired = d.Repaired
				require.Equal(t, want, d)
			}
		})
	}
}

// The fictional card of an unverified description has a number whose digit is
// not the one of ICAO; it is shown and not believed.
func TestUnverifiedCard(t *testing.T) {
	d, err := mrz.Parse([]string{"IDVNM0901234561001090123456<<3", "9001011M3001019VNM<<<<<<<<<<<4", pad("NGUYEN<<VAN<AN", 30)}, today())
	require.NoError(t, err)
	require.Equal(t, []string{"composite", "number"}, d.Wrong())
	require.Equal(t, "090123456", d.Number)
}

func TestDates(t *testing.T) {
	for _, c := range []struct{ birth, want string }{
		{"260302", "2026-03-02"}, {"260303", "1926-03-03"}, {"000229", "2000-02-29"}, {"8506<<", "1985-06-XX"},
		{"85<<<<", "1985-XX-XX"}, {"<<<<<<", "XXXX-XX-XX"},
	} {
		d, err := mrz.Parse(passport(c.birth, "300101"), today())
		require.NoError(t, err)
		require.Equal(t, c.want, d.Birth)
		require.Empty(t, d.Wrong(), c.birth)
	}
	d, err := mrz.Parse(passport("901301", "300230"), today())
	require.NoError(t, err)
	require.Equal(t, []string{"birth_date", "expiry_date"}, d.Wrong(), "good digits do not make a date")
}

// passport is a passport of the given dates with the digits that it must have.
func passport(birth, expiry string) []string {
	number, personal := "C1234567<", pad("", 14)
	second := number + string(mrz.Digit(number)) + "VNM" + birth + string(mrz.Digit(birth)) + "M" + expiry + string(mrz.Digit(expiry)) + personal + "<"
	return []string{pad("P<VNMNGUYEN<<VAN<AN", 44), second + string(mrz.Digit(second[:10]+second[13:20]+second[21:43]))}
}

func TestRefused(t *testing.T) {
	for _, lines := range [][]string{
		nil, {""}, {pad("P<", 44)}, {pad("P<", 44), pad("", 43)}, {pad("X<", 44), pad("", 44)}, {pad("P<", 30), pad("", 30), pad("", 30)},
		{pad("I<", 30), pad("", 30)}, {pad("P<vnm", 44), pad("", 44)}, {pad("P< ", 44), pad("", 44)}, {pad("P<", 44), pad("", 43) + "\xff"},
	} {
		_, err := mrz.Parse(lines, today())
		require.ErrorIs(t, err, mrz.ErrFormat, "%q", lines)
	}
	require.Nil(t, mrz.Split("hello"))
	require.Nil(t, mrz.Split(""))
}

// Whatever one character of the second line becomes, the document is never
// taken for sound: a digit fails, or the repair is named and right.
func TestOneErrorIsNeverSilent(t *testing.T) {
	letters := "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789<"
	rapid.Check(t, func(t *rapid.T) {
		birth := time.Date(1940, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, rapid.IntRange(0, 29000).Draw(t, "birth")).Format("060102")
		expiry := time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, rapid.IntRange(0, 3650).Draw(t, "expiry")).Format("060102")
		lines := passport(birth, expiry)
		want, err := mrz.Parse(lines, today())
		require.NoError(t, err)
		require.True(t, want.Sound())
		// A place that a digit covers: not nationality and sex.
		i := rapid.SampledFrom(append(span(0, 10), append(span(13, 20), append(span(21, 28), 43)...)...)).Draw(t, "place")
		c := letters[rapid.IntRange(0, len(letters)-1).Draw(t, "character")]
		if lines[1][i] == c {
			return
		}
		bad := []byte(lines[1])
		bad[i] = c
		got, err := mrz.Parse([]string{lines[0], string(bad)}, today())
		require.NoError(t, err)
		if len(got.Repaired) > 0 {
			got.Repaired = nil
			require.Equal(t, want, got, "a repair that is not the original")
			return
		}
		// 10 and 0, A and K … count alike: only those may pass.
		if value(c)%10 != value(lines[1][i])%10 {
			require.NotEmpty(t, got.Wrong(), "%s", bad)
		}
	})
}

func span(from, to int) []int {
	var out []int
	for i := from; i < to; i++ {
		out = append(out, i)
	}
	return out
}

func value(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c == '<':
		return 0
	}
	return int(c-'A') + 10
}

func FuzzParse(f *testing.F) {
	f.Add(strings.Join(passport("900101", "300101"), "\r\n"))
	f.Add("IDVNM0901234561001090123456<<3\n9001011M3001019VNM<<<<<<<<<<<4\nNGUYEN<<VAN<AN<<<<<<<<<<<<<<<<")
	f.Add(pad("I<UTOD23145890<7349", 30) + "\r3407127M9507122UTO<<<<<<<<<<<2\r" + pad("", 30))
	f.Add("001090123456|012345678|NGUYEN VAN A|01011990|Nam|Phường Bến Nghé, ...|15042021")
	f.Add("V<UTO")
	f.Fuzz(func(t *testing.T, text string) {
		d, err := mrz.Parse(mrz.Split(text), today())
		if err == nil {
			require.LessOrEqual(t, len(d.Repaired), 1)
			require.NotEmpty(t, d.Checks)
			if len(d.Repaired) == 1 {
				for _, field := range d.Wrong() {
					require.Contains(t, []string{"birth_date", "expiry_date"}, field)
				}
			}
		} else {
			require.ErrorIs(t, err, mrz.ErrFormat)
		}
		if d, err := mrz.ParseCCCD(text); err == nil {
			require.Len(t, d.Number, 12)
			require.Len(t, d.Checks, 3)
		} else {
			require.ErrorIs(t, err, mrz.ErrFormat)
		}
	})
}

func TestCCCD(t *testing.T) {
	good := ok("sex", "century", "birth_year")
	text := "001090123456|012345678|NGUYEN VAN A|01011990|Nam|Phường Bến Nghé, ...|15042021"
	want := mrz.Document{
		Format: mrz.CCCD, Type: "ID", Issuer: "VNM", Nationality: "VNM", Number: "001090123456", Optional: "012345678",
		Birth: "1990-01-01", Sex: "M", Names: []string{"NGUYEN VAN A"}, Checks: good,
	}
	got, err := mrz.ParseCCCD(text)
	require.NoError(t, err)
	require.Equal(t, want, got)

	got, err = mrz.ParseCCCD(text + "|15042046|NGUYEN VAN B|TRAN THI C|x")
	require.NoError(t, err)
	require.Equal(t, want, got, "fields that nobody has published are left alone")

	want.Optional = ""
	for _, short := range []string{
		"001090123456||NGUYEN VAN A|01011990|Nam|Phường Bến Nghé", "001090123456|NGUYEN VAN A|01011990|Nam|Phường Bến Nghé|15042021",
	} {
		got, err = mrz.ParseCCCD(short)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}

	// Decomposed letters are composed; the name is the same name.
	got, err = mrz.ParseCCCD("020301123456||LE THI\u0323 HA\u0300|02022001|Nu\u031b\u0303|x|15042021")
	require.NoError(t, err)
	require.Equal(t, []string{"LE TH\u1eca HÀ"}, got.Names)
	require.Equal(t, "F", got.Sex)
	require.True(t, got.Sound())
}

func TestCCCDCrossChecks(t *testing.T) {
	for _, c := range []struct {
		number, birth, sex string
		wrong              []string
	}{
		{"001090123456", "01011990", "Nữ", []string{"sex"}},
		{"001290123456", "01011990", "Nam", []string{"century"}},
		{"001091123456", "01011990", "Nam", []string{"birth_year"}},
		{"001190123456", "01011990", "Nữ", nil},
		{"001205123456", "01012005", "Nam", nil},
		{"001305123456", "01012005", "?", []string{"sex"}},
	} {
		d, err := mrz.ParseCCCD(fmt.Sprintf("%s||A B|%s|%s|x|15042021", c.number, c.birth, c.sex))
		require.NoError(t, err)
		require.Equal(t, c.wrong, d.Wrong(), c.number)
	}
}

func TestCCCDRefused(t *testing.T) {
	for _, text := range []string{
		"", "001090123456|||||", "001090123456|1|2|3|4", "00109012345|012345678|A|01011990|Nam|x|15042021",
		"001090123456|012345678|A|31021990|Nam|x|15042021", "001090123456|012345678|A\xff|01011990|Nam|x|15042021",
		"001090123456|012345678|A|01011990|Nam|x|1|2|3|4|5|6",
	} {
		_, err := mrz.ParseCCCD(text)
		require.ErrorIs(t, err, mrz.ErrFormat, "%q", text)
	}
}
