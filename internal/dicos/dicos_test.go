package dicos_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gatehouse/internal/dicos"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const pixels = 1 << 20

// radiograph is a dual-energy DX of random values.
func radiograph(frames int) *dicos.DX {
	dice := rand.New(rand.NewPCG(3, 4))
	d := &dicos.DX{
		ScanID: "L01-000123", View: 2, Kind: "cargo", Maker: "Nhà máy X", KV: 160, MA: 0.7, PixelMM: 1.25,
		Time: time.Date(2026, 11, 22, 1, 2, 3, 0, time.UTC), Width: 37, Height: 21, Bits: 16, Rows: 21,
	}
	if frames == 1 {
		d.Energy = dicos.EnergyLow
	}
	for range frames {
		f := make([]uint16, d.Width*d.Height)
		for i := range f {
			f[i] = uint16(dice.Uint32())
		}
		d.Frames = append(d.Frames, f)
	}
	return d
}

func encoded(t testing.TB, d *dicos.DX) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, d.Write(&b))
	return b.Bytes()
}

func TestDXThereAndBack(t *testing.T) {
	for _, frames := range []int{1, 2} {
		want := radiograph(frames)
		got, err := dicos.Read(encoded(t, want), pixels)
		require.NoError(t, err)
		want.Class = dicos.ClassDXProcessing
		want.Study, want.Series, want.Instance = got.Study, got.Series, got.Instance
		want.MA = 1 // an integer in DICOM
		require.Equal(t, want, got)
		require.False(t, got.Truncated())
		require.Regexp(t, `^2\.25\.[0-9]{1,39}$`, got.Instance)
	}
}

// A file that was cut off is read as far as it goes.
func TestDXCutOff(t *testing.T) {
	want := radiograph(1)
	data := encoded(t, want)
	got, err := dicos.Read(data[:len(data)-2*(5*want.Width+3)], pixels)
	require.NoError(t, err)
	require.True(t, got.Truncated())
	require.Equal(t, want.Height-6, got.Rows)
	n := got.Rows * want.Width
	require.Equal(t, want.Frames[0][:n], got.Frames[0][:n])

	_, err = dicos.Read(data[:len(data)-2*want.Width*want.Height+10], pixels)
	require.ErrorIs(t, err, dicos.ErrDamaged)
	_, err = dicos.Read(data[:300], pixels)
	require.ErrorIs(t, err, dicos.ErrDamaged)
	_, err = dicos.Read(data, 100)
	require.ErrorIs(t, err, dicos.ErrTooLarge)
}

func report() *dicos.TDR {
	return &dicos.TDR{
		ScanID: "L01-000123", View: 1, Kind: "cargo", By: dicos.ByMachine, Decision: dicos.DecisionAlarm, Maker: "Gatehouse",
		At: time.Date(2026, 11, 22, 1, 2, 3, 0, time.UTC), Took: 320 * time.Millisecond,
		Algorithms: []string{"xray-cargo-rules@2", "calibration none"}, Image: "2.25.1234", Study: "2.25.99",
		Objects: []dicos.Object{
			{Box: [4]int{10, 20, 30, 40}, Class: "dense-anomaly", Rule: "foreign-density", Description: "đặc hơn hàng xung quanh", Probability: 0.75, MassKG: 1.5, ZEffective: 26, Threat: true},
			{Box: [4]int{1, 2, 3, 4}, Class: "opaque", Rule: "opaque", Probability: 0.5, Opaque: true},
		},
	}
}

// tool is the path of a program of Debian's, or the test is skipped aloud.
func tool(t *testing.T, name, pack string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("SKIPPED: %s is not here; install Debian's %s (make deps-test)", name, pack)
	}
	return path
}

func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	require.NoError(t, err, string(out))
	return string(out)
}

func file(t *testing.T, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.dcs")
	require.NoError(t, os.WriteFile(path, data, 0o600))
	return path
}

// TestDcmtkReads: dcmdump of DCMTK reads what is written, without a warning.
func TestDcmtkReads(t *testing.T) {
	dcmdump := tool(t, "dcmdump", "dcmtk")
	dx := run(t, dcmdump, "+L", file(t, encoded(t, radiograph(2))))
	var b bytes.Buffer
	require.NoError(t, report().Write(&b))
	tdr := run(t, dcmdump, "+L", file(t, b.Bytes()))
	for _, out := range []string{dx, tdr} {
		require.NotContains(t, out, "W: ")
		require.NotContains(t, out, "E: ")
		require.NotContains(t, out, "Unknown Tag")
	}
	for _, want := range []string{
		"(0028,0010) US 21", "(0028,0011) US 37", "(0028,0008) IS [2]", "DigitalXRayImageStorageForProcessing",
		"(4010,1042) CS [CARGO]", "(0018,0060) DS [160]",
	} {
		require.Contains(t, strings.ReplaceAll(dx, "DICOS_", ""), want)
	}
	for _, want := range []string{
		"(4010,1027) CS [MACHINE]", "(4010,1031) CS [ALARM]", "(4010,1033) US 2", "(4010,1034) US 1", "(4010,1011) SQ",
		"(4010,101d) FL 10\\20\\0\\40\\60\\0", "(4010,1012) CS [ANOMALY]", "(4010,1014) CS [SHIELD]", "(4010,1016) FL 0.75",
		"(4010,1029) LO [xray-cargo-rules@2\\calibration none]", "(0008,1155) UI [2.25.1234]",
	} {
		require.Contains(t, tdr, want)
	}
}

// TestDcmtkWrites: a file that DCMTK made, in both uncompressed syntaxes and
// with lengths given instead of delimiters, is read alike.
func TestDcmtkWrites(t *testing.T) {
	dcmconv := tool(t, "dcmconv", "dcmtk")
	want := radiograph(1)
	in := file(t, encoded(t, want))
	for name, args := range map[string][]string{"explicit": {"+te", "+e"}, "implicit": {"+ti"}, "group lengths": {"+te", "+g", "-e"}} {
		t.Run(name, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "out.dcm")
			run(t, dcmconv, append(args, in, out)...)
			data, err := os.ReadFile(out)
			require.NoError(t, err)
			got, err := dicos.Read(data, pixels)
			require.NoError(t, err)
			require.Equal(t, want.Frames, got.Frames)
			require.Equal(t, want.ScanID, got.ScanID)
		})
	}
	t.Run("big endian", func(t *testing.T) {
		out := filepath.Join(t.TempDir(), "out.dcm")
		run(t, dcmconv, "+tb", in, out)
		data, err := os.ReadFile(out)
		require.NoError(t, err)
		_, err = dicos.Read(data, pixels)
		require.ErrorIs(t, err, dicos.ErrUnsupported)
	})
}

// python is Debian's interpreter with pydicom.
func python(t *testing.T) string {
	t.Helper()
	path := tool(t, "/usr/bin/python3", "python3")
	if err := exec.Command(path, "-c", "import pydicom").Run(); err != nil {
		t.Skip("SKIPPED: pydicom is not here; install Debian's python3-pydicom (make deps-test)")
	}
	return path
}

// TestPydicomReads: pydicom sees the same pixels and regions.
func TestPydicomReads(t *testing.T) {
	py := python(t)
	want := radiograph(1)
	out := run(t, py, "-W", "ignore", "-c", `
import sys, json, struct, pydicom
d = pydicom.dcmread(sys.argv[1])
n = d.Rows * d.Columns
print(json.dumps({"px": list(struct.unpack("<%dH" % n, d.PixelData)), "class": d.SOPClassUID, "kvp": float(d.KVP), "maker": str(d.Manufacturer)}))`,
		file(t, encoded(t, want)))
	var got struct {
		Px    []uint16
		Class string
		KVP   float64
		Maker string
	}
	require.NoError(t, json.Unmarshal([]byte(out), &got))
	require.Equal(t, want.Frames[0], got.Px)
	require.Equal(t, dicos.ClassDXProcessing, got.Class)
	require.Equal(t, want.KV, got.KVP)
	require.Equal(t, want.Maker, got.Maker)

	var b bytes.Buffer
	require.NoError(t, report().Write(&b))
	out = run(t, py, "-W", "ignore", "-c", `
import sys, pydicom
d = pydicom.dcmread(sys.argv[1])
for t in d[0x4010, 0x1011].value:
    p, a = t[0x4010, 0x1037].value[0], t[0x4010, 0x1038].value[0]
    print(t[0x4010, 0x1010].value, list(p[0x4010, 0x101d].value), a[0x4010, 0x1015].value, a[0x4010, 0x1013].value)`, file(t, b.Bytes()))
	require.Equal(t, "1 [10.0, 20.0, 0.0, 40.0, 60.0, 0.0] THREAT dense-anomaly: foreign-density: đặc hơn hàng xung quanh\n"+
		"2 [1.0, 2.0, 0.0, 4.0, 6.0, 0.0] NO_THREAT opaque: opaque\n", out)
}

// TestPydicomWrites: a DX that pydicom made is read: 8 bit, and 12 bit with
// intensity falling as values rise.
func TestPydicomWrites(t *testing.T) {
	py := python(t)
	for _, c := range []struct {
		bits, sign int
		want       []uint16
	}{{8, 1, []uint16{1, 2, 3, 250, 5, 6}}, {12, -1, []uint16{4094, 4093, 4092, 3845, 4090, 4089}}} {
		path := filepath.Join(t.TempDir(), "p.dcm")
		run(t, py, "-W", "ignore", "-c", `
import sys, struct, pydicom
from pydicom.dataset import Dataset, FileMetaDataset
bits, sign = int(sys.argv[2]), int(sys.argv[3])
m = FileMetaDataset()
m.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.501.2.2"
m.MediaStorageSOPInstanceUID = "1.2.3.4"
m.TransferSyntaxUID = "1.2.840.10008.1.2.1"
d = Dataset()
d.file_meta, d.is_little_endian, d.is_implicit_VR = m, True, False
d.SOPClassUID, d.SOPInstanceUID, d.PatientID = m.MediaStorageSOPClassUID, "1.2.3.4", "BAG-7"
d.Rows, d.Columns, d.SamplesPerPixel, d.PhotometricInterpretation = 2, 3, 1, "MONOCHROME2"
d.BitsAllocated, d.BitsStored, d.HighBit, d.PixelRepresentation = (8, 8, 7, 0) if bits == 8 else (16, bits, bits - 1, 0)
d.PixelIntensityRelationship, d.PixelIntensityRelationshipSign = "LIN", sign
v = [1, 2, 3, 250, 5, 6]
d.PixelData = bytes(v) if bits == 8 else struct.pack("<6H", *v)
d["PixelData"].VR = "OB" if bits == 8 else "OW"
item = Dataset(); item.CodeValue = "1"
d.ViewCodeSequence = [item]
d.save_as(sys.argv[1], write_like_original=False)`, path, itoa(c.bits), itoa(c.sign))
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		got, err := dicos.Read(data, pixels)
		require.NoError(t, err)
		require.Equal(t, c.want, got.Frames[0])
		require.Equal(t, "BAG-7", got.ScanID)
		require.Equal(t, c.bits, got.Bits)
	}
}

func itoa(n int) string { return string(must(json.Marshal(n))) }

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// A length field that lies is an error and never an allocation of its size.
func TestLyingLength(t *testing.T) {
	data := encoded(t, radiograph(1))
	at := bytes.Index(data, []byte{0x10, 0x00, 0x20, 0x00, 'L', 'O'})
	require.Positive(t, at)
	copy(data[at+4:], "UN")
	binary.LittleEndian.PutUint32(data[at+8:], 0xfffffff0)
	_, err := dicos.Read(data, pixels)
	require.ErrorIs(t, err, dicos.ErrDamaged)
}

func FuzzRead(f *testing.F) {
	t := &testing.T{}
	f.Add(encoded(t, radiograph(1)))
	f.Add(encoded(t, radiograph(2))[:700])
	var b bytes.Buffer
	require.NoError(t, report().Write(&b))
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := dicos.Read(data, pixels)
		if err != nil {
			return
		}
		require.NotEmpty(t, d.Frames)
		require.Len(t, d.Frames[0], d.Width*d.Height)
	})
}
