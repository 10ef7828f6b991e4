package tip_test

import (
	"fmt"
	"image"
	"image/color"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"gatehouse/internal/console/tip"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func noon() time.Time { return time.Date(2026, 11, 22, 5, 0, 0, 0, time.UTC) }

// always draws trials, threats and controls in turn.
func always() func() uint64 {
	dice := rand.New(rand.NewPCG(1, 1))
	n := 0
	return func() uint64 {
		if n++; n%4 == 1 {
			return 0 // below every share
		}
		return dice.Uint64()
	}
}

func open(t require.TestingT, path string, draw func() uint64) *tip.Engine {
	e, err := tip.Open(path, noon, draw)
	require.NoError(t, err)
	return e
}

// TestEngine plays supervisors and reviewers against a plain model: a scan is
// one trial at most for a reviewer, the first answer counts and is revealed,
// nothing is a trial where projection is off, the rates are those of the model,
// and all of it is still so after a restart.
func TestEngine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp("", "tip")
		require.NoError(t, err)
		defer func() { _ = os.RemoveAll(dir) }()
		path := filepath.Join(dir, "tip.jsonl")
		dice := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		e := open(t, path, dice.Uint64)
		defer func() { _ = e.Close() }()

		type seen struct {
			trial  *tip.Trial
			answer tip.Answer
			void   bool
			done   bool
		}
		on, looks := map[string]bool{}, map[string]*seen{}
		lanes, people := rapid.SampledFrom([]string{"01", "02"}), rapid.SampledFrom([]string{"an", "binh"})
		scan := rapid.Custom(func(t *rapid.T) string { return fmt.Sprint("scan", rapid.IntRange(0, 30).Draw(t, "n")) })
		key := func(s, r string) string { return s + "/" + r }
		lane := func(s string) string { return []string{"01", "02"}[len(s)%2] }
		t.Repeat(map[string]func(*rapid.T){
			"switch": func(t *rapid.T) {
				l, want := lanes.Draw(t, "lane"), rapid.Bool().Draw(t, "on")
				require.NoError(t, e.Switch(l, want, 0.2, "supervisor"))
				on[l] = want
				for _, s := range looks {
					if !want && s.trial != nil && s.trial.Lane == l && s.answer == "" {
						s.void = true
					}
				}
			},
			"open a scan": func(t *rapid.T) {
				s, r := scan.Draw(t, "scan"), people.Draw(t, "reviewer")
				got, err := e.Offer(lane(s), s, r)
				require.NoError(t, err)
				k, known := looks[key(s, r)]
				switch {
				case known && (k.trial == nil || k.answer != "" || k.void):
					require.Nil(t, got, "the real scan, for good")
				case known:
					require.Equal(t, k.trial.ID, got.ID, "the same trial again")
				case !on[lane(s)]:
					require.Nil(t, got)
				default:
					looks[key(s, r)] = &seen{trial: got}
				}
			},
			"answer": func(t *rapid.T) {
				s, r := scan.Draw(t, "scan"), people.Draw(t, "reviewer")
				k := looks[key(s, r)]
				if k == nil || k.trial == nil {
					return
				}
				a := rapid.SampledFrom([]tip.Answer{tip.Clear, tip.Suspect}).Draw(t, "answer")
				if !k.void && k.answer == "" {
					require.ErrorIs(t, e.Decided(k.trial.ID, r, false), tip.ErrSettled, "the real scan comes after the reveal")
				}
				got, err := e.Answer(k.trial.ID, r, a)
				require.NoError(t, err)
				if k.answer == "" && !k.void {
					k.answer = a
				}
				require.Equal(t, k.trial.Threat != "", got.Projected)
				require.Equal(t, got.Projected && k.answer == tip.Suspect, got.Hit)
				require.Equal(t, !got.Projected && k.answer == tip.Suspect, got.Alarm)
				_, err = e.Answer(k.trial.ID, "somebody else", a)
				require.ErrorIs(t, err, tip.ErrUnknown)
			},
			"decide on the real scan": func(t *rapid.T) {
				s, r := scan.Draw(t, "scan"), people.Draw(t, "reviewer")
				k := looks[key(s, r)]
				if k == nil || k.trial == nil || k.answer == "" && !k.void {
					return
				}
				suspect := rapid.Bool().Draw(t, "suspect")
				require.NoError(t, e.Decided(k.trial.ID, r, suspect))
				if !k.done {
					k.done, k.void = true, k.void || suspect
				}
			},
			"a colleague decides": func(t *rapid.T) {
				s, r := scan.Draw(t, "scan"), people.Draw(t, "reviewer")
				k := looks[key(s, r)]
				if k == nil || k.trial == nil {
					return
				}
				require.ErrorIs(t, e.Void(k.trial.ID, "somebody else"), tip.ErrUnknown)
				require.NoError(t, e.Void(k.trial.ID, r))
				if k.answer == "" {
					k.void = true
				}
			},
			"nothing can be projected": func(t *rapid.T) {
				s, r := scan.Draw(t, "scan"), people.Draw(t, "reviewer")
				k := looks[key(s, r)]
				if k == nil || k.trial == nil || k.answer != "" || k.void {
					return
				}
				require.NoError(t, e.Spare(k.trial.ID, r))
				_, err := e.Answer(k.trial.ID, r, tip.Clear)
				require.ErrorIs(t, err, tip.ErrUnknown, "it is no trial any more")
				k.trial = nil
			},
			"restart": func(t *rapid.T) {
				require.NoError(t, e.Close())
				f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
				require.NoError(t, err)
				_, err = f.WriteString(`{"trial":{"id":"half a li`)
				require.NoError(t, err)
				require.NoError(t, f.Close())
				e = open(t, path, dice.Uint64)
			},
			"": func(t *rapid.T) {
				for at, k := range looks {
					s, r, _ := strings.Cut(at, "/")
					got := e.Look(s, r)
					require.NotNil(t, got)
					require.Equal(t, k.trial == nil, got.Plain)
					require.Equal(t, k.trial != nil && k.answer == "" && !k.void, got.Open())
					require.Equal(t, k.trial != nil && !got.Open(), got.Settled())
				}
				require.Nil(t, e.Look("no such scan", "an"))
				require.Equal(t, on["01"] || on["02"], e.Any())
				want := map[string]tip.Rates{}
				for k, s := range looks {
					if s.trial == nil || s.answer == "" || s.void {
						continue
					}
					_, r, _ := strings.Cut(k, "/")
					x := want[r]
					x.Reviewer = r
					if s.trial.Threat != "" {
						x.Projected++
						if s.answer == tip.Suspect {
							x.Hits++
						}
					} else {
						x.Controls++
						if s.answer == tip.Suspect {
							x.Alarms++
						}
					}
					want[r] = x
				}
				got := e.Rates()
				require.Len(t, got, len(want))
				for _, r := range got {
					require.Equal(t, want[r.Reviewer], r)
					rate, low, high := r.HitRate()
					require.True(t, low <= rate+1e-9 && rate <= high+1e-9)
				}
			},
		})
	})
}

func TestSettingsAndMistakes(t *testing.T) {
	e := open(t, filepath.Join(t.TempDir(), "tip.jsonl"), always())
	defer func() { require.NoError(t, e.Close()) }()
	require.ErrorIs(t, e.Switch("01", true, 0.5, "lan"), tip.ErrShare)
	require.NoError(t, e.Switch("01", true, 0.1, "lan"))
	require.Equal(t, []tip.Setting{{Lane: "01", On: true, Share: 0.1, By: "lan", At: noon()}}, e.Settings())
	shown, err := e.Offer("01", "scan", "an")
	require.NoError(t, err)
	require.NotNil(t, shown)
	_, err = e.Answer(shown.ID, "an", "maybe")
	require.ErrorIs(t, err, tip.ErrAnswer)
	got, err := e.Answer(shown.ID, "an", tip.Suspect)
	require.NoError(t, err)
	vi, en := got.Describe()
	require.NotEmpty(t, vi)
	require.NotEqual(t, vi, en)
}

func TestADamagedRecordIsNotOverwritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tip.jsonl")
	require.NoError(t, os.WriteFile(path, []byte("{}\nnonsense\n{}\n"), 0o600))
	_, err := tip.Open(path, noon, nil)
	require.ErrorContains(t, err, "line 2")
}

// suitcase is a grey picture with an item in its middle.
func suitcase() *image.Gray16 {
	m := image.NewGray16(image.Rect(0, 0, 400, 300))
	for y := range 300 {
		for x := range 400 {
			v := 60000.0
			if x > 50 && x < 350 && y > 40 && y < 260 {
				v = 38000 + 4000*float64((x/20+y/20)%2)
			}
			m.SetGray16(x, y, color.Gray16{Y: uint16(v)})
		}
	}
	return m
}

// A projection darkens its box and nothing else, is the same when it is shown
// again, and leaves the scan as it was.
func TestProject(t *testing.T) {
	for _, kind := range tip.Threats() {
		scan := suitcase()
		before := append([]byte(nil), scan.Pix...)
		trial := tip.Trial{Threat: kind, Seed: 5}
		shown, box, err := tip.Project(scan, trial)
		require.NoError(t, err, kind)
		require.Equal(t, before, scan.Pix, "the real scan is not touched")
		again, _, err := tip.Project(scan, trial)
		require.NoError(t, err)
		require.Equal(t, shown.Pix, again.Pix)
		other, _, err := tip.Project(scan, tip.Trial{Threat: kind, Seed: 6})
		require.NoError(t, err)
		require.NotEqual(t, shown.Pix, other.Pix)
		darker := 0
		for y := range 300 {
			for x := range 400 {
				was, is := scan.Gray16At(x, y).Y, shown.NRGBA64At(x, y).R
				require.LessOrEqual(t, is, was)
				if is < was {
					require.True(t, image.Pt(x, y).In(box), kind)
					if float64(is) < 0.8*float64(was) {
						darker++
					}
				}
			}
		}
		require.Greater(t, darker, 60, kind)
		require.Less(t, darker, box.Dx()*box.Dy(), "%s is no rectangle", kind)
	}
	control, box, err := tip.Project(suitcase(), tip.Trial{})
	require.NoError(t, err)
	require.True(t, box.Empty())
	require.Equal(t, suitcase().Gray16At(200, 150).Y, control.NRGBA64At(200, 150).R)
	_, _, err = tip.Project(image.NewGray16(image.Rect(0, 0, 300, 200)), tip.Trial{Threat: "knife"})
	require.ErrorIs(t, err, tip.ErrNoItem)
}

// The package can reach nothing that is about real traffic.
func TestNothingRealCanBeReached(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "gatehouse/internal/console/tip").Output()
	require.NoError(t, err)
	for dep := range strings.FieldsSeq(string(out)) {
		if strings.HasPrefix(dep, "gatehouse/") {
			require.Equal(t, "gatehouse/internal/console/tip", dep)
		}
	}
}
