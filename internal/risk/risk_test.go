package risk_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/event"
	"gatehouse/internal/risk"
)

func TestBuiltInPolicyKnowsEveryCode(t *testing.T) {
	table, err := risk.Default()
	require.NoError(t, err)
	require.NotEmpty(t, table.Version())
	require.ElementsMatch(t, []string{
		event.FindingRadiationGamma, event.FindingRadiationNeutron, event.FindingXrayAnomaly, event.FindingXrayOpaque,
		event.FindingCoverageGap, event.FindingPlateUnread, event.FindingPlateMismatch, event.FindingTailgate,
		event.FindingUnreadableImage, event.FindingRadiationFault, event.FindingWeightDeclared, event.FindingWeightAxles,
		event.FindingWeightUncertain, event.FindingOverspeed, event.FindingUnexpected, event.FindingContainerCheck,
		event.FindingDocumentExpired, event.FindingDocumentCheck, event.FindingClockLost, event.FindingTamper,
	}, table.Codes())
}

func TestBuiltInTextsHaveOnlyKnownPlaceholders(t *testing.T) {
	table, err := risk.Default()
	require.NoError(t, err)
	placeholder := regexp.MustCompile(`\{[^}]*\}`)
	for _, code := range append(table.Codes(), "NO-SUCH-CODE") {
		r := table.Rule(code)
		for _, text := range []string{r.Headline.VI, r.Headline.EN, r.Instruction.VI, r.Instruction.EN} {
			require.NotEmpty(t, text, code)
			for _, p := range placeholder.FindAllString(text, -1) {
				require.Contains(t, []string{"{lane}", "{device}", "{reason}", "{score}", "{figures}", "{code}"}, p, code)
			}
		}
		require.Equal(t, placeholder.FindAllString(r.Headline.VI, -1), placeholder.FindAllString(r.Headline.EN, -1), code)
		require.Positive(t, r.Expires)
	}
}

func TestUnknownCodeGetsTheFallback(t *testing.T) {
	table, err := risk.Default()
	require.NoError(t, err)
	r := table.Rule("DENSITY-OUTLIER")
	require.Equal(t, "DENSITY-OUTLIER", r.Code)
	require.Equal(t, event.SeverityUnknown, r.Severity)
	require.False(t, r.Alerts())
	_, enough := r.Judge(0)
	require.True(t, enough)
}

func TestJudge(t *testing.T) {
	table, err := risk.Default()
	require.NoError(t, err)
	r := table.Rule(event.FindingXrayAnomaly)
	for _, c := range []struct {
		score  float64
		want   event.Severity
		enough bool
	}{{0.49, "", false}, {0.5, event.Moderate, true}, {0.79, event.Moderate, true}, {0.8, event.Severe, true}, {1, event.Severe, true}} {
		severity, enough := r.Judge(c.score)
		require.Equal(t, c.enough, enough, c.score)
		require.Equal(t, c.want, severity, c.score)
	}
}

func TestFill(t *testing.T) {
	got := risk.Fill(event.Text{VI: "làn {lane}: {score}", EN: "lane {lane}: {score} {open}"},
		risk.Vars{"lane": {VI: "01", EN: "01"}, "score": {VI: "0,87", EN: "0.87"}})
	require.Equal(t, event.Text{VI: "làn 01: 0,87", EN: "lane 01: 0.87 {open}"}, got)
}

const good = `version: "1"
fallback: &rule
  severity: Minor
  lead: CUSTOMS
  category: Other
  urgency: Unknown
  certainty: Unknown
  headline: {vi: a, en: b}
  instruction: {vi: a, en: b}
rules:
  - code: X
    severity: Severe
    lead: BORDERGUARD
    alert: true
    expires: 10m
    category: Security
    urgency: Immediate
    certainty: Likely
    headline: {vi: a, en: b}
    instruction: {vi: a, en: b}
`

func TestLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "policy.yaml")
	require.NoError(t, os.WriteFile(path, []byte(good), 0o600))
	table, err := risk.Load(path)
	require.NoError(t, err)
	r := table.Rule("X")
	require.Equal(t, risk.Live, r.Mode)
	require.True(t, r.Alerts())
	require.Equal(t, 10*time.Minute, r.Expires)

	_, err = risk.Load(path + ".missing")
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestMistakesInAPolicy(t *testing.T) {
	for _, c := range []struct{ name, old, new, want string }{
		{"no version", `version: "1"`, ``, "version is missing"},
		{"severity", "severity: Severe", "severity: severe", `rule X: severity is "severe", want Extreme, Severe, Moderate, Minor or Unknown`},
		{"lead", "lead: BORDERGUARD", "lead: POLICE", `rule X: lead is "POLICE", want CUSTOMS or BORDERGUARD`},
		{"category", "category: Security", "category: Nuclear", `rule X: category is "Nuclear"`},
		{"urgency", "urgency: Immediate", "urgency: now", `rule X: urgency is "now"`},
		{"certainty", "certainty: Likely", "certainty: sure", `rule X: certainty is "sure"`},
		{"mode", "alert: true", "mode: loud", `rule X: mode is "loud", want live, advisory or shadow`},
		{"field", "alert: true", "alrt: true", `unknown field "alrt"`},
		{"score", "alert: true", "min_score: 2", "rule X: min_score is 2, want 0 to 1"},
		{"levels", "alert: true", "levels: [{score: 0.5, severity: Minor}]", "rule X: level 0.5 Minor does not rise"},
		{"expiry", "expires: 10m", "expires: -1m", "rule X: expires is -1m0s"},
		{"one language", "  - code: X", "  - code: X\n    mode: live\n    levels: []\n  - code: X", "rule X is there twice"},
		{"no code", "code: X", `code: ""`, "rule 1 has no code"},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := strings.Replace(good, c.old, c.new, 1)
			require.NotEqual(t, good, text)
			_, err := risk.Parse([]byte(text))
			require.ErrorIs(t, err, risk.ErrPolicy)
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestTextsMustBeInBothLanguages(t *testing.T) {
	_, err := risk.Parse([]byte(strings.ReplaceAll(good, "{vi: a, en: b}", "{en: b}")))
	require.ErrorIs(t, err, risk.ErrPolicy)
	require.ErrorContains(t, err, "rule X: headline must be given in Vietnamese (vi) and English (en)")
	require.ErrorContains(t, err, "rule fallback: instruction must be given", "all mistakes at once")
}
