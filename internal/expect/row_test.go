package expect_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gatehouse/internal/event"
	"gatehouse/internal/expect"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestParse(t *testing.T) {
	rows, mistakes := expect.Parse("a.csv", []byte("\ufeffPlate,gross_kg, direction,goods,from,to,container,declaration,rear_plate,net_kg\n"+
		"12c-123.45,31500.5,Entry,\"Bìa, giấy\",2026-03-02,2026-03-03,csqu 305438-3,103456789012,51R 012.34,20000\n"+
		",,,,,,ZEPU0037255,,,\n"))
	require.Empty(t, mistakes)
	require.Equal(t, []expect.Row{
		{
			Line: 2, Plate: "12C12345", RearPlate: "51R01234", Container: "CSQU3054383", Declaration: "103456789012",
			GrossKG: new(31500.5), NetKG: new(20000.0), Goods: "Bìa, giấy", Direction: event.Entry, From: "2026-03-02", To: "2026-03-03",
		},
		{Line: 3, Container: "ZEPU0037255"},
	}, rows)
}

func TestMistakesInAList(t *testing.T) {
	const header = "plate,container,declaration,gross_kg,direction,from,to\n"
	for name, c := range map[string]struct{ text, want string }{
		"empty":            {"", "a.csv:1: no header row: want declaration,plate,rear_plate,container,gross_kg,net_kg,goods,direction,from,to"},
		"unknown column":   {"plate,colour\n", `a.csv:1: there is no column "colour": want declaration,plate,rear_plate,container,gross_kg,net_kg,goods,direction,from,to`},
		"column twice":     {"plate,Plate\n", `a.csv:1: column "plate" is there twice`},
		"no key":           {"goods,from\n", "a.csv:1: none of the columns plate, container and declaration is there"},
		"not UTF-8":        {"plate\n\xc3\x28\n", "a.csv:1: the file is not UTF-8; save it as CSV UTF-8"},
		"too few":          {header + "12C12345,\n", "a.csv:2: 2 fields, the header names 7"},
		"quote":            {header + "12C12345,\"x,,,,,\n", `a.csv:2: extraneous or missing " in quoted-field`},
		"plate":            {header + "12C_12345,,,,,,\n", `a.csv:2: plate: "12C_12345" has a character that no plate has`},
		"short plate":      {header + "1-,,,,,,\n", `a.csv:2: plate: "1-" is no plate`},
		"container":        {header + ",CSQU305438,,,,,\n", `a.csv:2: container: "CSQU305438" is no container number`},
		"check digit":      {header + ",CSQU3054384,,,,,\n", `a.csv:2: container: "CSQU3054384" has a wrong check digit, it should end with 3`},
		"declaration":      {header + ",,10345678901,,,,\n", `a.csv:2: declaration: "10345678901" is not twelve digits`},
		"weight":           {header + "12C12345,,,31 500,,,\n", `a.csv:2: gross_kg: "31 500" is no weight in kg between 0 and 250000`},
		"direction":        {header + "12C12345,,,,in,,\n", `a.csv:2: direction: "in" is neither entry nor exit`},
		"day":              {header + "12C12345,,,,,02/03/2026,\n", `a.csv:2: from: "02/03/2026" is no day such as 2026-03-02`},
		"order of days":    {header + "12C12345,,,,,2026-03-03,2026-03-02\n", "a.csv:2: from 2026-03-03 is after to 2026-03-02"},
		"nothing named":    {header + ",,,100,,,\n", "a.csv:2: it names no plate, no container and no declaration"},
		"several mistakes": {header + "x,,1,,,,\n", `a.csv:2: plate: "x" is no plate; declaration: "1" is not twelve digits`},
		"not a number":     {header + "12C12345,,,NaN,,,\n", `a.csv:2: gross_kg: "NaN" is no weight in kg between 0 and 250000`},
	} {
		t.Run(name, func(t *testing.T) {
			rows, mistakes := expect.Parse("a.csv", []byte(c.text))
			require.Empty(t, rows)
			require.Len(t, mistakes, 1)
			require.EqualError(t, mistakes[0], c.want)
			require.ErrorIs(t, mistakes[0], expect.ErrList)
		})
	}
}

func TestTheRestOfAListGoesOn(t *testing.T) {
	rows, mistakes := expect.Parse("a.csv", []byte("plate,gross_kg\n12C12345,1\n12C1\"2345,2\n?,3\n29H54321,4\n"))
	require.Len(t, rows, 2)
	require.Equal(t, "29H54321", rows[1].Plate)
	require.Equal(t, 5, rows[1].Line)
	require.Len(t, mistakes, 2)
	require.Equal(t, []int{3, 4}, []int{mistakes[0].Line, mistakes[1].Line})
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("plate,gross_kg\n12C-123.45,31500\n"))
	f.Add([]byte("\xef\xbb\xbfcontainer,to\nCSQU 305438 3,2026-03-02\n\"\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		rows, mistakes := expect.Parse("f.csv", data)
		for _, r := range rows {
			require.Positive(t, r.Line)
			require.NotEmpty(t, r.Plate+r.Container+r.Declaration)
			if r.Plate != "" {
				again, err := expect.Plate(r.Plate)
				require.NoError(t, err)
				require.Equal(t, r.Plate, again)
			}
		}
		for _, m := range mistakes {
			require.Positive(t, m.Line)
			require.False(t, strings.Contains(m.Error(), "\n") && !strings.Contains(string(data), "\n"))
		}
	})
}
