package plate

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"gocv.io/x/gocv"

	"gatehouse/internal/vision/model"
	"gatehouse/internal/vision/picture"
	"gatehouse/internal/vision/wire"
)

// Names of the models that reading plates needs.
const (
	DetectorModel = "plate-detector"
	ReaderModel   = "plate-reader"
	CornersModel  = "plate-corners"
)

// strong is the score from which a text is given out. It is part of the
// command-line contract: readers of the results decide by it too.
const strong = 0.5

// What the detector found is listed without a text when its reading scores
// weakest and has shortest characters, or when the detector itself was sure: a
// plate that nobody can read is still a plate.
const (
	weakest  = 0.05
	shortest = 3
	sure     = 0.7 // heat
)

// A glance is the detector's look at a share of its input's width and height,
// with a threshold below the usual one, so that it does not miss what it cannot
// settle.
const (
	glanceShare     = 0.5
	glanceThreshold = 0.15 // heat
)

// Analyser finds and reads plates. One call of Analyse at a time.
type Analyser struct {
	detector detector
	reader   reader
	corners  *straightener // nil without its model: then the detector looks twice
	rules    *Rules
}

// New loads the models from folders of their names in dir. Plates can be read
// without the one for corners, less well.
func New(rt *model.Runtime, dir string, rules *Rules) (*Analyser, error) {
	found, err := rt.Load(filepath.Join(dir, DetectorModel))
	if err != nil {
		return nil, err
	}
	read, err := rt.Load(filepath.Join(dir, ReaderModel))
	if err != nil {
		return nil, errors.Join(err, found.Close())
	}
	a := &Analyser{detector{found}, reader{read}, nil, rules}
	if _, err := os.Stat(filepath.Join(dir, CornersModel)); errors.Is(err, fs.ErrNotExist) {
		return a, nil
	}
	corners, err := rt.Load(filepath.Join(dir, CornersModel))
	if err != nil {
		return nil, errors.Join(err, a.Close())
	}
	a.corners = &straightener{corners}
	return a, nil
}

// nets are the models in use.
func (a *Analyser) nets() []*model.Net {
	all := []*model.Net{a.detector.net, a.reader.net}
	if a.corners != nil {
		all = append(all, a.corners.net)
	}
	return all
}

// Close frees the models.
func (a *Analyser) Close() error {
	var errs []error
	for _, n := range a.nets() {
		errs = append(errs, n.Close())
	}
	return errors.Join(errs...)
}

// Model names the models with their versions.
func (a *Analyser) Model() string {
	var ids []string
	for _, n := range a.nets() {
		ids = append(ids, n.Manifest.ID())
	}
	return strings.Join(ids, " ")
}

// Versions are the models' versions by name.
func (a *Analyser) Versions() map[string]string {
	v := map[string]string{}
	for _, n := range a.nets() {
		v[n.Manifest.Name] = n.Manifest.Version
	}
	return v
}

// Reading is a plate with its corners: x and y in pixels of the upright
// picture, in the order top left, top right, bottom right, bottom left.
type Reading struct {
	Plate   wire.Plate
	Corners [4][2]float64
}

// Analyse reads the plates of a picture in Colour mode. File and the decoding
// time are the caller's to add.
func (a *Analyser) Analyse(p *picture.Picture) (*wire.Plates, error) {
	all, ms, err := a.Read(p)
	if err != nil {
		return nil, err
	}
	result := &wire.Plates{Plates: []wire.Plate{}, Model: a.Model(), MS: ms}
	for _, r := range all {
		result.Plates = append(result.Plates, r.Plate)
	}
	return result, nil
}

// Read is Analyse with the corners of every plate, the surest detection first.
func (a *Analyser) Read(p *picture.Picture) ([]Reading, wire.Times, error) {
	ms := wire.Times{}
	all, done, err := a.glance(p.Mat, ms)
	if err == nil && !done {
		all, err = a.study(p.Mat, ms)
	}
	if err != nil {
		return nil, nil, err
	}
	return readings(p, all), ms, nil
}

// Study is Read at full size always: who follows plates from frame to frame
// must see the same things in each, whatever else is read with certainty.
func (a *Analyser) Study(p *picture.Picture) ([]Reading, error) {
	all, err := a.study(p.Mat, wire.Times{})
	return readings(p, all), err
}

// readings are the listed ones with their places in the picture.
func readings(p *picture.Picture, all []reading) []Reading {
	var out []Reading
	for _, r := range all {
		if !r.listed {
			continue
		}
		one := Reading{Plate: r.plate}
		one.Plate.Box = p.ToStored(r.at.Quad.rect())
		for i, c := range r.at.Quad {
			one.Corners[i] = [2]float64{c.X, c.Y}
		}
		out = append(out, one)
	}
	return out
}

// glance looks for plates in the picture at a quarter of its pixels. done is false when
// that does not settle it: when nothing was found, or when anything that might
// be a plate was not read with certainty.
func (a *Analyser) glance(img gocv.Mat, ms wire.Times) (all []reading, done bool, err error) {
	found, err := a.detect(img, glanceShare, glanceThreshold, ms)
	if err != nil || len(found) == 0 {
		return nil, false, err
	}
	defer since(time.Now(), "read", ms)
	first, err := a.straight(img, found)
	if err == nil {
		all, err = a.readOnce(img, first, a.reader.middle())
	}
	if err != nil {
		return nil, false, wire.Errorf(wire.Internal, "read plates: %v", err)
	}
	return all, len(unsettled(all)) == 0, nil
}

// study looks at the picture in full, and twice at what is not certain.
func (a *Analyser) study(img gocv.Mat, ms wire.Times) ([]reading, error) {
	found, err := a.detect(img, 1, a.detector.net.Manifest.Threshold, ms)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	defer since(time.Now(), "read", ms)
	all, err := a.readTwice(img, found)
	if err != nil {
		return nil, wire.Errorf(wire.Internal, "read plates: %v", err)
	}
	return all, nil
}

func (a *Analyser) detect(img gocv.Mat, share, threshold float64, ms wire.Times) ([]detection, error) {
	defer since(time.Now(), "detect", ms)
	found, err := a.detector.find(img, share, threshold)
	if err != nil {
		return nil, wire.Errorf(wire.Internal, "detect plates: %v", err)
	}
	return found, nil
}

// since adds the time from start to what a step took before.
func since(start time.Time, step string, ms wire.Times) {
	ms[step] += milliseconds(time.Since(start))
}

// reading is a plate with the place where it was read. score is the plate's
// before what has no text is bounded below what has one.
type reading struct {
	at     detection
	plate  wire.Plate
	listed bool
	score  float64
}

// foreign says that it is a plate of another country.
func (r reading) foreign() bool { return r.plate.Kind == foreignKind }

// better says that a reading is to take the place of an earlier one of the same
// plate. A foreign plate stays as it was first read: of several looks at one the
// surest is not oftener right, and words on a lorry look more like a plate in it.
func (r reading) better(earlier reading) bool {
	if r.plate.Text == "" {
		return false
	}
	if earlier.foreign() {
		return r.score > earlier.score
	}
	return r.plate.Score > earlier.plate.Score
}

// certain is the score from which no second look is worth its time.
const certain = 0.9

// suspected is the heat below which the detector only suspects a plate.
const suspected = 0.5

// readTwice reads every plate, and those that are not certain once more with
// corners from a second look. The better reading counts.
func (a *Analyser) readTwice(img gocv.Mat, found []detection) ([]reading, error) {
	first, err := a.straight(img, found)
	if err != nil {
		return nil, err
	}
	all, err := a.readOnce(img, first, a.reader.margins())
	if err != nil {
		return nil, err
	}
	var places []detection
	var which []int
	for _, i := range unsettled(all) {
		more, err := a.look(img, found[i], all[i].at)
		if err != nil {
			return nil, err
		}
		for _, d := range more {
			places, which = append(places, d), append(which, i)
		}
	}
	if len(places) == 0 {
		return all, nil
	}
	second, err := a.readOnce(img, places, a.reader.margins())
	if err != nil {
		return nil, err
	}
	for k, i := range which {
		if second[k].better(all[i]) {
			all[i] = second[k]
		}
	}
	return all, nil
}

// unsettled are the places of readings that a further look may change. Beside a
// plate that was read with certainty, lettering that the detector only suspected
// and that reads as no plate is not worth one.
func unsettled(all []reading) (which []int) {
	settled := slices.ContainsFunc(all, func(r reading) bool { return r.plate.Score >= certain })
	for i, r := range all {
		if r.plate.Score < certain && (r.listed || !settled || r.at.Score >= suspected) {
			which = append(which, i)
		}
	}
	return which
}

// straight moves the corners of detections to where they are.
func (a *Analyser) straight(img gocv.Mat, found []detection) ([]detection, error) {
	if a.corners == nil {
		return found, nil
	}
	quads := make([]quad, len(found))
	for i, d := range found {
		quads[i] = d.Quad
	}
	better, err := a.corners.refine(img, quads)
	if err != nil {
		return nil, err
	}
	out := slices.Clone(found)
	for i := range out {
		out[i].Quad = better[i]
	}
	return out, nil
}

// look gives other corners for a plate that was not read with certainty.
func (a *Analyser) look(img gocv.Mat, first, straightened detection) ([]detection, error) {
	if a.corners == nil {
		q, ok, err := a.detector.again(img, first.Quad)
		if err != nil || !ok {
			return nil, err
		}
		return []detection{{q, first.Score}}, nil
	}
	again, err := a.straight(img, []detection{straightened})
	if err != nil {
		return nil, err
	}
	return append(again, first), nil
}

func (a *Analyser) readOnce(img gocv.Mat, found []detection, margins []float64) ([]reading, error) {
	all, err := a.reader.read(img, found, a.rules.Country, margins)
	if err != nil {
		return nil, err
	}
	out := make([]reading, len(found))
	for i, d := range found {
		out[i] = a.conclude(d, all[i])
	}
	return out, nil
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// conclude makes one plate of what was seen.
func (a *Analyser) conclude(d detection, s seen) reading {
	w, h := d.Quad.mean()
	aspect := w / h
	out := wire.Plate{Country: s.Country, Rows: s.Rows, Alternates: []wire.Alternate{}}
	if s.Country != a.rules.Country {
		return a.foreign(out, d, s)
	}
	m := a.reader.net.Manifest
	read := decode(s.Slots, m.Alphabet, func(text string) float64 {
		form, _ := a.rules.Form(text, s.Rows, aspect)
		return form.Fit
	})
	score := func(c candidate) float64 { return calibrated(c.P, m.Calibration.Temperature) * s.PHome }
	if len(read.Forms) == 0 {
		return weak(out, d, read.Raw, score(read.Raw))
	}
	best := read.Forms[0]
	for _, f := range read.Forms[1:] {
		out.Alternates = append(out.Alternates, alternate(f.Text, score(f)))
	}
	form, _ := a.rules.Form(best.Text, s.Rows, aspect)
	out.Kind = form.Kind
	if score(best) < strong {
		rest := out.Alternates
		out.Alternates = nil
		r := weak(out, d, best, score(best))
		r.plate.Alternates = append(r.plate.Alternates, rest...)
		return r
	}
	out.Text, out.Display, out.Score = best.Text, form.Display, rounded(score(best))
	return reading{at: d, plate: out, listed: true, score: score(best)}
}

// foreignKind is the kind of every plate of another country.
const foreignKind = "foreign"

// faint is the share of the likeliest text's probability below which a text that
// fits the country's rules is not what was seen.
const faint = 0.01

// foreign reports a plate of another country with the Latin letters and digits
// that could be read as alternates. It gets no text: its script is not Latin,
// so what was read is not the plate.
func (a *Analyser) foreign(out wire.Plate, d detection, s seen) reading {
	out.Kind = foreignKind
	m := a.reader.net.Manifest
	read := decode(s.Slots, m.Alphabet, func(text string) float64 {
		if a.rules.Spelled(s.Country, text) {
			return 1
		}
		return 0
	})
	score := func(c candidate) float64 { return calibrated(c.P, m.Calibration.Temperature) * s.Seen }
	best, others := read.Raw, read.Forms
	if len(others) > 0 && others[0].P >= faint*read.Raw.P {
		best, others = others[0], others[1:]
	}
	r := weak(out, d, best, score(best))
	for _, f := range others {
		r.plate.Alternates = append(r.plate.Alternates, alternate(f.Text, min(score(f), r.plate.Score)))
	}
	return r
}

// weak lists a plate without a text: what was seen becomes an alternate, unless
// it is probably no plate.
func weak(out wire.Plate, d detection, c candidate, score float64) reading {
	bounded := 0.0
	if utf8.RuneCountInString(c.Text) < shortest {
		score = 0
	} else {
		bounded = min(score, strong-0.01)
		out.Alternates = append(out.Alternates, alternate(c.Text, bounded))
	}
	out.Score = rounded(bounded)
	return reading{at: d, plate: out, listed: bounded >= weakest || d.Score >= sure, score: score}
}

func alternate(text string, score float64) wire.Alternate {
	return wire.Alternate{Text: text, Score: rounded(score)}
}

// rounded keeps four digits, which is finer than any calibration.
func rounded(v float64) float64 { return float64(int(v*1e4+0.5)) / 1e4 }
