package intake

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"gocv.io/x/gocv"

	"gatehouse/internal/sidecar"
	"gatehouse/internal/vision/picture"
	"gatehouse/internal/vision/wire"
)

// Scan is one view with what is known of it.
type Scan struct {
	*picture.Scan
	Side    sidecar.Description
	Sources []wire.Source
	Notes   []wire.Text // what an officer should know of the file
	// Lit is the share of the columns that the beam reached, from the left, and
	// Rows the share of rows that the file holds; 1 for whole scans.
	Lit  float64
	Rows float64
}

// Files name the parts of one view. Only High is needed.
type Files struct {
	High    string // the view, or its high energy
	Low     string // the low energy
	Sidecar string
}

// Find names the parts of the view in a file by the names of its neighbours:
// NAME_high.EXT goes with NAME_low.EXT, and NAME.json or NAME.xml describes it.
func Find(path string) Files {
	f := Files{High: path}
	ext := filepath.Ext(path)
	stem := strings.TrimSuffix(path, ext)
	base := stem
	for _, pair := range [][2]string{{"_high", "_low"}, {"-high", "-low"}, {"_HIGH", "_LOW"}, {"_hi", "_lo"}} {
		if b, ok := strings.CutSuffix(stem, pair[0]); ok {
			base = b
			f.Low = regular(b + pair[1] + ext)
		} else if b, ok := strings.CutSuffix(stem, pair[1]); ok {
			base = b
			if high := regular(b + pair[0] + ext); high != "" {
				f.High, f.Low = high, path
			}
		}
	}
	for _, name := range []string{stem + ".json", stem + ".xml", path + ".json", path + ".xml", base + ".json", base + ".xml"} {
		if f.Sidecar = regular(name); f.Sidecar != "" {
			break
		}
	}
	return f
}

// regular is the path when a regular file lies there.
func regular(path string) string {
	if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() {
		return ""
	}
	return path
}

// Open reads a view and its parts. Every error is a *wire.Error. A part beside
// the view that cannot be read is told in the notes: the view is analysed alone.
func Open(f Files, limits picture.Limits) (*Scan, error) {
	high, data, err := picture.OpenScan(f.High, limits)
	if err != nil {
		return nil, err
	}
	s := &Scan{Scan: high, Lit: 1, Rows: high.Whole()}
	s.source(f.High, data)
	s.join(f.Low, limits)
	s.describe(f, limits)
	s.Lit = lit(s.Mat)
	if s.Lit < 1 {
		s.keepColumns(int(s.Lit * float64(s.Mat.Cols())))
	}
	return s, nil
}

func (s *Scan) source(path string, data []byte) {
	sum := sha256.Sum256(data)
	s.Sources = append(s.Sources, wire.Source{File: filepath.Base(path), SHA256: hex.EncodeToString(sum[:])})
}

func (s *Scan) note(vi, en string) { s.Notes = append(s.Notes, wire.Text{VI: vi, EN: en}) }

// join adds the low energy from a file of its own.
func (s *Scan) join(path string, limits picture.Limits) {
	if path == "" || s.Low != nil {
		return
	}
	low, data, err := picture.OpenScan(path, limits)
	if err == nil && (low.Mat.Type() != s.Mat.Type() || low.Mat.Cols() != s.Mat.Cols() || s.Mat.Channels() != 1) {
		low.Close()
		err = wire.Errorf(wire.Unsupported, "differs from the high energy in size or depth")
	}
	if err != nil {
		s.note("Không đọc được ảnh năng lượng thấp: "+err.Error(), "The low-energy image cannot be used: "+err.Error())
		return
	}
	rows := min(s.Rows, low.Whole())
	both, err := picture.Pair(s.Scan, low)
	if err != nil { // sizes were compared: only memory is left
		s.note("Không ghép được hai mức năng lượng", "The two energies cannot be joined")
		return
	}
	s.Scan, s.Rows = both, rows
	s.source(path, data)
}

// describe takes what the sidecar and a DICOS header say.
func (s *Scan) describe(f Files, limits picture.Limits) {
	if f.Sidecar != "" {
		data, err := os.ReadFile(f.Sidecar)
		if err == nil {
			s.Side, err = sidecar.Parse(data)
			s.source(f.Sidecar, data)
		}
		if err != nil {
			s.note("Không đọc được tệp mô tả: "+err.Error(), "The sidecar cannot be used: "+err.Error())
		}
	}
	if d := s.DX; d != nil {
		side := &s.Side
		side.ScanID, side.View = cmp.Or(side.ScanID, d.ScanID), cmp.Or(side.View, d.View)
		side.Kind, side.KV, side.MA = cmp.Or(side.Kind, d.Kind), cmp.Or(side.KV, d.KV), cmp.Or(side.MA, d.MA)
		side.PixelMM = cmp.Or(side.PixelMM, d.PixelMM)
		if side.Time.IsZero() {
			side.Time = d.Time
		}
	}
	if want := s.Side.SHA256; want != "" && want != s.Sources[0].SHA256 {
		s.note("SHA-256 trong tệp mô tả khác với ảnh", "The sidecar's SHA-256 is not the image's")
	}
	if s.Rows < 1 {
		s.note(fmt.Sprintf("Tệp bị cắt cụt: chỉ phân tích %.0f %% số hàng", 100*s.Rows),
			fmt.Sprintf("The file is cut off: %.0f %% of the rows are analysed", 100*s.Rows))
	}
}

// darkEdge is the least share of columns without beam that counts as a scan
// that was cut off, and not as a frame.
const darkEdge = 0.01

// lit is the share of columns up to the last that the beam reached. Columns that
// are wholly zero at the right end were never scanned: a door was opened.
func lit(m gocv.Mat) float64 {
	if m.Channels() != 1 {
		return 1
	}
	sums := gocv.NewMat()
	defer sums.Close()
	gocv.Reduce(m, &sums, 0, gocv.ReduceMax, -1)
	w, last := m.Cols(), 0
	for x := range w {
		v := 0
		if sums.Type() == gocv.MatTypeCV16U {
			v = int(uint16(sums.GetShortAt(0, x)))
		} else {
			v = int(sums.GetUCharAt(0, x))
		}
		if v > 0 {
			last = x + 1
		}
	}
	if last == 0 || float64(w-last) < darkEdge*float64(w) {
		return 1
	}
	return float64(last) / float64(w)
}

// keepColumns cuts both planes to their first columns. Only upright files can be
// cut, so that places stay those of the file.
func (s *Scan) keepColumns(n int) {
	for _, m := range []*gocv.Mat{&s.Mat, s.Low} {
		if m == nil {
			continue
		}
		part := m.ColRange(0, n)
		kept := part.Clone()
		_ = part.Close()
		_ = m.Close()
		*m = kept
	}
	s.note(fmt.Sprintf("Máy soi dừng giữa chừng: chỉ phân tích %.0f %% số cột", 100*s.Lit),
		fmt.Sprintf("The beam went off in mid-scan: %.0f %% of the columns are analysed", 100*s.Lit))
}

// Truncated tells how much of the scan could be analysed, or is nil for a whole one.
func (s *Scan) Truncated() *wire.Truncated {
	t := &wire.Truncated{Analysed: s.Rows * s.Lit}
	switch {
	case s.Rows < 1:
		t.Why = "file-cut"
	case s.Lit < 1:
		t.Why = "no-signal"
	case s.Side.Incomplete:
		t.Why = "scanner"
		if s.Side.Width > s.Mat.Cols() {
			t.Analysed = float64(s.Mat.Cols()) / float64(s.Side.Width)
		}
	default:
		return nil
	}
	return t
}
