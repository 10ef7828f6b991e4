package report_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gatehouse/internal/console/report"
	"gatehouse/internal/dicos"
	"gatehouse/internal/event"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func passage() *event.Passage {
	at := time.Date(2026, 11, 22, 1, 2, 3, 0, time.UTC)
	digest := event.Digest([]byte("scan"))
	return &event.Passage{
		ID: event.NewID(at), Where: event.Where{Gate: "15BB", Lane: "01"}, OpenedAt: at,
		Scans: []event.ScanView{
			{ScanID: "L01-7", View: 1, Kind: "cargo", Image: event.Evidence{SHA256: digest}, TakenAt: at, Analysis: "done", Model: "xray-cargo-rules@2", Calibration: "20261120T000000Z-0a0b0c0d"},
			{ScanID: "L01-7", View: 2, Kind: "cargo", Image: event.Evidence{SHA256: event.Digest([]byte("other"))}, TakenAt: at, Analysis: "done", Model: "xray-cargo-rules@2", Calibration: "20261120T000000Z-0a0b0c0d"},
		},
		Findings: []event.Finding{
			{Code: event.FindingRadiationGamma, Source: event.Source{Kind: "device", Name: "rpm", Version: "1"}},
			{
				Code: event.FindingXrayAnomaly, Score: 0.91, At: at.Add(20 * time.Second), Region: &event.Region{Evidence: digest, Box: []int{10, 20, 30, 40}},
				Source:   event.Source{Kind: "rule", Name: "xray-hidden-volume", Version: "1", Calibration: "20261120T000000Z-0a0b0c0d"},
				Headline: event.Text{VI: "Thành dày bất thường", EN: "The wall is denser than the template"},
				Figures:  map[string]any{"class": "hidden-volume", "excess_attenuation": 0.6, "excess_attenuation_limit": 0.22},
			},
		},
	}
}

func TestTheDecisionIsTheRecords(t *testing.T) {
	p := passage()
	at := func(i int) *dicos.TDR {
		t.Helper()
		r, err := report.Of(p, p.Scans[i].Image.SHA256, "")
		require.NoError(t, err)
		return r
	}
	require.Equal(t, dicos.DecisionAlarm, at(0).Decision)
	require.Equal(t, dicos.DecisionClear, at(1).Decision, "the finding is on the other view")
	require.Empty(t, at(1).Objects)
	p.Scans[1].Cut = true
	require.Equal(t, dicos.DecisionUnknown, at(1).Decision)
	p.Scans[1].Cut, p.Scans[1].Analysis = false, "unavailable"
	require.Equal(t, dicos.DecisionUnknown, at(1).Decision, "nobody has looked")
	p.Findings[1].Code = event.FindingXrayOpaque
	require.Equal(t, dicos.DecisionUnknown, at(0).Decision)
	p.Findings[1].Code, p.Scans[0].Shadow, p.Scans[0].Calibration = event.FindingXrayAnomaly, true, ""
	require.Equal(t, dicos.DecisionUnknown, at(0).Decision)
	require.Contains(t, at(0).Algorithms, "calibration none, shadow mode")
	_, err := report.Of(p, event.Digest([]byte("nothing")), "")
	require.ErrorIs(t, err, report.ErrNoScan)
}

// A scan that came as DICOS is named by its own identifiers.
func TestAReportNamesTheImage(t *testing.T) {
	dx := &dicos.DX{Class: dicos.ClassDXProcessing, Instance: "2.25.11", Series: "2.25.12", Study: "2.25.13", ScanID: "L01-7", Kind: "cargo",
		Time: time.Date(2026, 11, 22, 1, 2, 3, 0, time.UTC), Width: 4, Height: 3, Bits: 16, Frames: [][]uint16{make([]uint16, 12)}, Rows: 3}
	var b bytes.Buffer
	require.NoError(t, dx.Write(&b))
	path := filepath.Join(t.TempDir(), "scan")
	require.NoError(t, os.WriteFile(path, b.Bytes(), 0o600))
	p := passage()
	r, err := report.Of(p, p.Scans[0].Image.SHA256, path)
	require.NoError(t, err)
	require.Equal(t, [3]string{dx.Class, dx.Instance, dx.Study}, [3]string{r.ImageClass, r.Image, r.Study})
}

// dcmdump and pydicom read the report, and find in it what the record says.
func TestOthersReadTheReport(t *testing.T) {
	p := passage()
	r, err := report.Of(p, p.Scans[0].Image.SHA256, "")
	require.NoError(t, err)
	var one, two bytes.Buffer
	require.NoError(t, r.Write(&one))
	require.NoError(t, r.Write(&two))
	require.Equal(t, one.Bytes(), two.Bytes(), "the same record gives the same file")
	path := filepath.Join(t.TempDir(), "t.dcm")
	require.NoError(t, os.WriteFile(path, one.Bytes(), 0o600))
	t.Run("dcmdump", func(t *testing.T) {
		dcmdump, err := exec.LookPath("dcmdump")
		if err != nil {
			t.Skip("SKIPPED: dcmdump is not here; install Debian's dcmtk (make deps-test)")
		}
		out, err := exec.CommandContext(t.Context(), dcmdump, "+L", path).CombinedOutput()
		require.NoError(t, err, string(out))
		for _, want := range []string{
			"[hidden-volume: xray-hidden-volume@1: The wall is denser", "excess_attenuation_limit 0.22", "xray-cargo-rules@2",
			"calibration 20261120T000000Z-0a0b0c0d", "CS [ALARM]", "CS [THREAT]",
		} {
			require.Contains(t, string(out), want)
		}
		require.NotContains(t, string(out), "E: ")
	})
	t.Run("pydicom", func(t *testing.T) {
		const python = "/usr/bin/python3"
		if err := exec.CommandContext(t.Context(), python, "-c", "import pydicom").Run(); err != nil {
			t.Skip("SKIPPED: pydicom is not here; install Debian's python3-pydicom (make deps-test)")
		}
		out, err := exec.CommandContext(t.Context(), python, "-W", "ignore", "-c", `
import sys, pydicom
d = pydicom.dcmread(sys.argv[1])
t = d[0x4010, 0x1011].value[0]
print(d.SOPClassUID, list(t[0x4010, 0x1037].value[0][0x4010, 0x101d].value), t[0x4010, 0x1038].value[0][0x4010, 0x1015].value)`, path).CombinedOutput()
		require.NoError(t, err, string(out))
		require.Equal(t, dicos.ClassTDR+" [10.0, 20.0, 0.0, 40.0, 60.0, 0.0] THREAT\n", string(out))
	})
}
