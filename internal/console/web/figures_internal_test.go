package web

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/console/web/lang"
	"gatehouse/internal/event"
)

func page(l lang.Code) Page { return Page{Lang: l, Words: lang.Dictionary()} }

func TestFiguresAreWordsWithUnitsInBothLanguages(t *testing.T) {
	m := map[string]any{
		"max_sigma": 27.43, "background_cps": 1912.0, "measured_kg": 38240.0, "difference_percent": -15.9, "gap_ms": 1250.0, "state": "down",
		"image_score": 0.913, "evidence": "abc", "front": "12C12345", "attempts": 2,
	}
	require.Equal(t, []figure{
		{"số lần thử", "2"}, {"nền", "1.912 xung/giây"}, {"chênh lệch", "−15,9 %"}, {"biển trước", "12C12345"}, {"cách xe trước", "1,3 giây"},
		{"điểm của cả ảnh", "0,91"}, {"cao hơn nền", "27,4 σ"}, {"cân được", "38.240 kg"}, {"trạng thái", "mất tín hiệu"},
	}, figuresOf(page(lang.VI), m))
	require.Equal(t, []figure{
		{"attempts", "2"}, {"background", "1,912 counts/s"}, {"difference", "−15.9 %"}, {"front plate", "12C12345"}, {"gap to the vehicle ahead", "1.3 s"},
		{"score of the image", "0.91"}, {"above background", "27.4 σ"}, {"measured", "38,240 kg"}, {"state", "no signal"},
	}, figuresOf(page(lang.EN), m))
	require.Equal(t, []figure{{"độ che trong vùng", "5,83 (xung quanh 1,62)"}, {"khối lượng theo ảnh", "900 kg (mức giữa của lô 700 kg)"}, {"độ lệch so với hàng", "25,23 (ngưỡng 6)"}},
		figuresOf(page(lang.VI), map[string]any{
			"attenuation_inside": 5.831, "attenuation_inside_limit": 1.62, "robust_z": 25.228, "robust_z_limit": 6.0, "image_kg": 900.0, "image_kg_limit": 700.0,
		}), "each beside what it was compared with")
	require.Equal(t, []figure{{"speed over limit", "7.5 km/h"}}, figuresOf(page(lang.EN), map[string]any{"speed_over_limit_kmh": 7.5}), "a key that is not known yet")
}

// The gate's own rules name their figures; each has a word in both languages.
func TestEveryFigureOfTheGatesRulesHasAWord(t *testing.T) {
	words := lang.Dictionary()
	used := 0
	var missing []string
	for _, pattern := range []string{"../../passage/*.go", "../../expect/*.go", "../../vision/xray/*.go"} {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			source, err := os.ReadFile(file)
			require.NoError(t, err)
			for _, key := range figureKeys(string(source)) {
				if hiddenFigure(key) {
					continue
				}
				used++
				if _, ok := words["figure."+key]; !ok {
					missing = append(missing, filepath.Base(file)+": "+key)
				}
			}
		}
	}
	require.Positive(t, used)
	require.Empty(t, missing, "figures without a word")
}

// figureKeys finds the keys in literals of and assignments to figures.
func figureKeys(source string) []string {
	var keys []string
	for _, m := range regexp.MustCompile(`(?s)[fF]igures(?::| :?=) map\[string\]any\{([^}]*)\}`).FindAllStringSubmatch(source, -1) {
		for _, k := range regexp.MustCompile(`"([a-z][a-z_]*)":`).FindAllStringSubmatch(m[1], -1) {
			keys = append(keys, k[1])
		}
	}
	for _, m := range regexp.MustCompile(`[fF]igures\["([a-z_]+)"\]`).FindAllStringSubmatch(source, -1) {
		keys = append(keys, m[1])
	}
	for _, m := range regexp.MustCompile(`\{Name: "([a-z_]+)"(?: \+ (\w+))?, Value`).FindAllStringSubmatch(source, -1) {
		if m[2] == "" {
			keys = append(keys, m[1])
			continue
		}
		keys = append(keys, m[1]+"declared", m[1]+"weighed") // what an image's mass is compared with
	}
	return keys
}

func TestMasksKeepOnlyWhatAHolderRecognises(t *testing.T) {
	require.Equal(t, "C1••••67", mask("C1234567"))
	require.Equal(t, "00••••••••78", mask("001234567878"))
	require.Equal(t, "A•••E", mask("ABCDE"))
	require.Equal(t, "••", mask("AB"))
	require.Equal(t, "T•• M••• A••", maskName("THI MINH ANH"))
	require.Equal(t, "Đ•••", maskName("Đặng"))
	require.Equal(t, "1988-••-••", maskDate("1988-04-17"))
	require.NotContains(t, codeText("001088012345||Nguyễn Văn An|17041988|Nam|Hà Nội|01012021"), "Nguyễn", "an identity card's code is a document")
	require.NotContains(t, codeText("P<VNMNGUYEN<<THI"), "NGUYEN")
	require.Equal(t, "TK:307123456789", codeText("TK:307123456789"))
}

func TestEveryKeyOfTheHelpHasAWord(t *testing.T) {
	words := lang.Dictionary()
	for _, g := range keyGroups() {
		require.Contains(t, words, "keys."+g.Name)
		for _, k := range g.Keys {
			require.Contains(t, words, k.Word)
		}
	}
}

func TestWhatWasDeclaredStandsBesideWhatWasMeasured(t *testing.T) {
	declared, gross := 30_000.0, 38_240.0
	x := &event.Passage{
		Kind: event.Vehicle, Direction: event.Entry,
		Plates:    []event.PlateReading{{Text: "12C12345", View: "front", Score: 0.9}, {Text: "15R00001", View: "rear", Score: 0.99}},
		Expected:  &event.Expected{Found: true, Plate: "12C12345", RearPlate: "15R99999", GrossKG: &declared, Direction: event.Exit},
		Weighings: []event.Weighing{{Device: "scale", Weight: &event.Weight{Gross: &gross}}},
		Findings:  []event.Finding{{Code: event.FindingWeightDeclared}},
	}
	states := map[string]string{}
	for _, r := range comparison(page(lang.EN), x) {
		states[r.Label] = r.State
	}
	require.Equal(t, map[string]string{"Front plate": "same", "Rear plate": "differs", "Gross weight": "differs", "Direction": "differs"}, states)
	x.Expected = nil
	for _, r := range comparison(page(lang.EN), x) {
		require.Empty(t, r.State, "nothing is compared with nothing")
	}
	require.Equal(t, "15R00001", plateOf(x, true).Text)
	x.Stated.RearPlate = "15R77777"
	require.Equal(t, "15R77777", plateOf(x, true).Text, "what an officer stated stands before what was read")
}
