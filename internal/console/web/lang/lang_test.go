package lang_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gatehouse/internal/console/web/lang"
	"gatehouse/internal/event"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestEveryKeyHasBothLanguages(t *testing.T) {
	words := lang.Dictionary()
	require.Greater(t, len(words), 150)
	for key, text := range words {
		require.NotEmpty(t, text.VI, key)
		require.NotEmpty(t, text.EN, key)
		require.NotContains(t, text.EN, " | ", key)
	}
}

func TestEveryKeyIsDefinedOnce(t *testing.T) {
	files, err := filepath.Glob("words*.go")
	require.NoError(t, err)
	seen := map[string]bool{}
	for _, file := range files {
		source, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, m := range regexp.MustCompile(`(?m)^([a-zA-Z][^ ]*) = `).FindAllStringSubmatch(string(source), -1) {
			require.False(t, seen[m[1]], m[1])
			seen[m[1]] = true
		}
	}
	require.Len(t, seen, len(lang.Dictionary()))
}

func TestPagesUseOnlyKnownKeys(t *testing.T) {
	words := lang.Dictionary()
	var used int
	for _, pattern := range []string{"../*.templ", "../*.go"} {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, file := range files {
			source, err := os.ReadFile(file)
			require.NoError(t, err)
			for _, m := range regexp.MustCompile(`\.T\("([^"]+)"\)`).FindAllStringSubmatch(string(source), -1) {
				used++
				require.Contains(t, words, m[1], "%s uses a key that is not in the dictionary", file)
			}
		}
	}
	require.Greater(t, used, 80)
}

func TestEverySharedCodeHasAWord(t *testing.T) {
	words := lang.Dictionary()
	for _, a := range event.Agencies() {
		require.Contains(t, words, "agency."+string(a))
	}
	for _, v := range event.VerdictCodes() {
		require.Contains(t, words, "verdict."+string(v))
	}
	for _, s := range []event.DeviceState{event.Up, event.Degraded, event.Faulty, event.Down, event.Bypassed, event.InTest} {
		require.Contains(t, words, "device."+string(s))
	}
	for _, s := range []event.PassageState{event.Open, event.Waiting, event.Closed, event.Cancelled} {
		require.Contains(t, words, "state."+string(s))
	}
	for _, s := range []event.Severity{event.Extreme, event.Severe, event.Moderate, event.Minor, event.SeverityUnknown} {
		require.Contains(t, words, "severity."+string(s))
	}
	source, err := os.ReadFile("../../../event/passage.go")
	require.NoError(t, err)
	codes := regexp.MustCompile(`Finding\w+\s+= "([^"]+)"`).FindAllStringSubmatch(string(source), -1)
	require.NotEmpty(t, codes)
	for _, m := range codes {
		require.Contains(t, words, "finding."+m[1])
	}
}

func TestAnUnknownCodeIsShownAsItIs(t *testing.T) {
	words := lang.Dictionary()
	require.Equal(t, "new code", words.Code(lang.VI, "verdict", "NEW_CODE"))
	require.Equal(t, "Cho qua", words.Code(lang.VI, "verdict", "RELEASE"))
	require.False(t, strings.Contains(words.T(lang.EN, "login.title"), "Đ"))
}
