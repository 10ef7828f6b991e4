package risk_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/event"
	"gatehouse/internal/risk"
)

func TestALanesOwnPolicy(t *testing.T) {
	base, err := risk.Default()
	require.NoError(t, err)
	quiet := false
	own, err := base.With([]risk.Override{
		{Code: event.FindingTailgate, Severity: event.Severe, Lead: event.Customs},
		{Code: event.FindingCoverageGap, Alert: &quiet},
		{Code: event.FindingXrayAnomaly, Severity: event.Extreme, Mode: risk.Advisory},
	}, false)
	require.NoError(t, err)
	require.NotEqual(t, base.Version(), own.Version())
	require.Equal(t, event.Severe, own.Rule(event.FindingTailgate).Severity)
	require.Equal(t, event.Customs, own.Rule(event.FindingTailgate).Lead)
	require.True(t, own.Rule(event.FindingTailgate).Alerts())
	require.False(t, own.Rule(event.FindingCoverageGap).Alerts())
	require.Equal(t, base.Rule(event.FindingCoverageGap).Severity, own.Rule(event.FindingCoverageGap).Severity)
	severity, enough := own.Rule(event.FindingXrayAnomaly).Judge(0.9)
	require.True(t, enough)
	require.Equal(t, event.Extreme, severity, "the lane's severity holds for every score")
	require.False(t, own.Rule(event.FindingXrayAnomaly).Alerts())
	require.Equal(t, event.BorderGuard, base.Rule(event.FindingTailgate).Lead, "the common policy is not touched")

	again, err := base.With([]risk.Override{
		{Code: event.FindingTailgate, Severity: event.Severe, Lead: event.Customs},
		{Code: event.FindingCoverageGap, Alert: &quiet},
		{Code: event.FindingXrayAnomaly, Severity: event.Extreme, Mode: risk.Advisory},
	}, false)
	require.NoError(t, err)
	require.Equal(t, own.Version(), again.Version())
	same, err := base.With(nil, false)
	require.NoError(t, err)
	require.Equal(t, base.Version(), same.Version())
}

func TestALaneInShadowMode(t *testing.T) {
	base, err := risk.Default()
	require.NoError(t, err)
	own, err := base.With([]risk.Override{{Code: event.FindingTailgate, Mode: risk.Live}}, true)
	require.NoError(t, err)
	for _, code := range append(own.Codes(), "NO-SUCH-CODE") {
		require.Equal(t, risk.Shadow, own.Rule(code).Mode, code)
		require.False(t, own.Rule(code).Alerts(), code)
	}
}

func TestMistakesInALanesPolicy(t *testing.T) {
	base, err := risk.Default()
	require.NoError(t, err)
	_, err = base.With([]risk.Override{
		{Code: "TAIL-GAT"}, {Code: event.FindingTailgate, Severity: "severe"},
		{Code: event.FindingCoverageGap}, {Code: event.FindingCoverageGap}, {Code: event.FindingXrayOpaque, Lead: "POLICE", Mode: "loud"},
	}, false)
	require.ErrorIs(t, err, risk.ErrOverride)
	require.ErrorContains(t, err, `there is no finding code "TAIL-GAT"; the policy has `)
	require.ErrorContains(t, err, `rule TAIL-GATE: severity is "severe", want Extreme, Severe, Moderate, Minor or Unknown`)
	require.ErrorContains(t, err, "COVERAGE-GAP is there twice")
	require.ErrorContains(t, err, `rule XRAY-OPAQUE: lead is "POLICE"`)
	require.ErrorContains(t, err, `rule XRAY-OPAQUE: mode is "loud"`)
}
