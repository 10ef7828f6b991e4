package report_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/dicos"
	"gatehouse/internal/vision/wire"
	"gatehouse/internal/vision/xray/report"
)

func scan() *wire.Scan {
	return &wire.Scan{
		Kind: wire.KindCargo, ScanID: "L01-7", View: 1, Model: "xray-cargo-rules@2", Calibration: "20261122T000000Z-0a0b0c0d",
		MS: wire.Times{"total": 120}, Sources: []wire.Source{{File: "a.png", SHA256: "0011223344556677"}},
		Findings: []wire.Finding{{
			Code: "XRAY-ANOMALY", Class: "hidden-volume", Rule: "xray-hidden-volume@1", Box: wire.Box{5, 6, 70, 8}, Score: 0.91,
			Figures: []wire.Figure{{Name: "excess_attenuation", Value: 0.6, Limit: 0.22}},
			Text:    &wire.Text{VI: "Kết cấu dày hơn", EN: "Denser than the template"},
		}},
	}
}

func TestDecision(t *testing.T) {
	at := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	s := scan()
	require.Equal(t, dicos.DecisionAlarm, report.TDR(s, at, "", "").Decision)
	s.Shadow, s.Calibration = true, ""
	r := report.TDR(s, at, "", "")
	require.Equal(t, dicos.DecisionUnknown, r.Decision)
	require.Contains(t, r.Algorithms, "calibration none, shadow mode")
	s.Shadow, s.Findings[0].Code = false, "XRAY-OPAQUE"
	require.Equal(t, dicos.DecisionUnknown, report.TDR(s, at, "", "").Decision)
	s.Findings = nil
	require.Equal(t, dicos.DecisionClear, report.TDR(s, at, "", "").Decision)
	s.Truncated = &wire.Truncated{Analysed: 0.5}
	require.Equal(t, dicos.DecisionUnknown, report.TDR(s, at, "", "").Decision)
}

func TestDcmdump(t *testing.T) {
	dcmdump, err := exec.LookPath("dcmdump")
	if err != nil {
		t.Skip("SKIPPED: dcmdump is not here; install Debian's dcmtk (make deps-test)")
	}
	var b bytes.Buffer
	require.NoError(t, report.TDR(scan(), time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC), "", "").Write(&b))
	path := filepath.Join(t.TempDir(), "t.dcm")
	require.NoError(t, os.WriteFile(path, b.Bytes(), 0o600))
	out, err := exec.Command(dcmdump, "+L", path).CombinedOutput()
	require.NoError(t, err, string(out))
	for _, want := range []string{"[hidden-volume: xray-hidden-volume@1: Denser than the template", "limit 0.22", "20261122T000000Z-0a0b0c0d", "CS [ALARM]"} {
		require.Contains(t, string(out), want)
	}
}
