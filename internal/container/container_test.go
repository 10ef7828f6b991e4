package container_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gatehouse/internal/container"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestCheckDigits(t *testing.T) {
	for text, valid := range map[string]bool{
		"CSQU3054383": true,  // the standard's own example
		"ZEPU0037255": true,  // as published
		"TEMU0000080": true,  // remainder 10 is written as 0
		"CSQU3054384": false, // wrong digit
		"CSQX3054383": false, // no category
		"CSQU305438":  false, // too short
		"csqu3054383": false, // not canonical
		"":            false,
	} {
		require.Equal(t, valid, container.Number{Text: text}.Valid(), text)
	}
}

func TestFind(t *testing.T) {
	for text, want := range map[string][]container.Number{
		"CSQU3054383":                            {{Text: "CSQU3054383"}},
		"CSQU 305438 3":                          {{Text: "CSQU3054383"}},
		"CSQU 305 438-3 45G1":                    {{Text: "CSQU3054383", SizeType: "45G1"}},
		"csqu3054383/22G1":                       {{Text: "CSQU3054383", SizeType: "22G1"}},
		"TK 307654321012|CSQU3054384|12C-123.45": {{Text: "CSQU3054384"}},
		"CSQU3054383 ZEPU0037255 CSQU3054383":    {{Text: "CSQU3054383"}, {Text: "ZEPU0037255"}},
		"XCSQU3054383":                           nil,
		"CSQU30543831":                           nil,
		"307654321012":                           nil,
		"":                                       nil,
	} {
		require.Equal(t, want, container.Find(text), text)
	}
}

func TestCanonical(t *testing.T) {
	got, ok := container.Canonical(" csqu 305438-3 ")
	require.True(t, ok)
	require.Equal(t, "CSQU3054383", got)
	for _, bad := range []string{"", "CSQX3054383", "CSQU30543833", "C5QU3054383", "CSQU30543Đ"} {
		_, ok := container.Canonical(bad)
		require.False(t, ok, bad)
	}
}

func FuzzFind(f *testing.F) {
	f.Add("CSQU3054383 45G1")
	f.Add("TK|ĐCSQU 305 438-3|x")
	f.Fuzz(func(t *testing.T, text string) {
		for _, n := range container.Find(text) {
			c, ok := container.Canonical(n.Text)
			require.True(t, ok)
			require.Equal(t, n.Text, c)
		}
	})
}
