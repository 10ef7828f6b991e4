//go:build torture

package torture_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"gatehouse/internal/torture"
)

// TestTorture plays N seeded runs, or the one of SEED, JOBS at a time, and writes
// the table.
func TestTorture(t *testing.T) {
	menu := menuOf(t)
	first, n := seeds(t, len(menu))
	spaces := spacesOf(t)
	var mu sync.Mutex
	var runs []torture.Run
	var all errgroup.Group
	all.SetLimit(number(t, "JOBS", jobs()))
	for seed := first; seed < first+uint64(n); seed++ {
		all.Go(func() error {
			r, err := play(t, spaces, seed, menu, nil)
			mu.Lock()
			defer mu.Unlock()
			runs = append(runs, r)
			slices.SortFunc(runs, func(a, b torture.Run) int { return cmp.Compare(a.Seed, b.Seed) })
			return errors.Join(err, torture.Sum(menu, runs).Write(filepath.Join(root(t), "build")))
		})
	}
	require.NoError(t, all.Wait())
	var table strings.Builder
	require.NoError(t, torture.Sum(menu, runs).Markdown(&table))
	fmt.Println(table.String())
	for _, r := range runs {
		if r.Failed() {
			t.Errorf("%s\n  %s", r.Line(), strings.Join(r.Problems[:min(12, len(r.Problems))], "\n  "))
		}
	}
}

// short says that only a minute is wanted: two runs side by side, of faults that
// need neither root nor programs whose clocks can be set.
func short() bool { return os.Getenv("SHORT") != "" }

func jobs() int {
	if short() {
		return 2
	}
	return 1
}

// menuOf is the menu, or only the faults whose names have a part of FAULT in them;
// parts are separated by semicolons.
func menuOf(t *testing.T) []torture.Fault {
	menu := torture.Menu()
	if short() {
		menu = slices.DeleteFunc(menu, func(f torture.Fault) bool { return !f.Light })
	}
	if only := os.Getenv("FAULT"); only != "" {
		menu = slices.DeleteFunc(menu, func(f torture.Fault) bool {
			return !slices.ContainsFunc(strings.Split(only, ";"), func(part string) bool { return strings.Contains(f.Name, part) })
		})
		require.NotEmpty(t, menu, "no fault is named so")
	}
	return menu
}

// seeds are the first seed and the number of runs.
func seeds(t *testing.T, menu int) (uint64, int) {
	if text := os.Getenv("SEED"); text != "" {
		seed, err := strconv.ParseUint(text, 10, 64)
		require.NoError(t, err, "SEED must be a number")
		return seed, number(t, "N", 1)
	}
	first := rand.Uint64N(1_000_000)
	if short() {
		return first, number(t, "N", 2)
	}
	return first, number(t, "N", menu)
}

func number(t *testing.T, name string, otherwise int) int {
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err, "%s must be a number", name)
	return n
}

func root(t *testing.T) string {
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	return root
}

// spacesOf puts the consoles into users and networks of their own where root
// allows, and says aloud when it does not.
func spacesOf(t *testing.T) *torture.Spaces {
	s, err := torture.NewSpaces(t.Context())
	if err != nil {
		t.Logf("consoles, hub and gate share one user and one network: %v", err)
		return nil
	}
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			t.Log(err)
		}
	})
	return s
}

// programs is where the programs of the torture build are; TORTURE_PROGRAMS names
// others.
func programs(t *testing.T) string {
	if dir := os.Getenv("TORTURE_PROGRAMS"); dir != "" {
		return dir
	}
	return filepath.Join(root(t), "build", "torture", "programs")
}

// hardLimit ends a run that hangs.
const hardLimit = 12 * time.Minute

// play plays one run. The error says why its folder could not be made or left.
func play(t *testing.T, spaces *torture.Spaces, seed uint64, menu []torture.Fault, change func(*torture.Setting)) (torture.Run, error) {
	ctx, cancel := context.WithTimeout(t.Context(), hardLimit)
	defer cancel()
	dir, err := os.MkdirTemp(os.Getenv("TORTURE_DIR"), "gatehouse-torture-")
	if err != nil {
		return torture.Run{}, err
	}
	place := torture.Place{Root: root(t), Programs: programs(t), Dir: dir, Spaces: spaces}
	began := time.Now()
	var said strings.Builder
	var mu sync.Mutex // officers and the run say things side by side
	say := func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintf(&said, "  %5.1f s  %s\n", time.Since(began).Seconds(), fmt.Sprintf(format, args...))
	}
	var words strings.Builder
	r, err := torture.Play(ctx, place, seed, menu, change, say, &words)
	if err != nil {
		r.Problems = append(r.Problems, err.Error())
	}
	if len(r.Problems) == 0 && os.Getenv("KEEP") == "" {
		fmt.Println(r.Line())
		return r, place.Tidy()
	}
	fmt.Printf("%s\n  kept in %s\n%s  - %s\n", r.Line(), dir, said.String(), strings.Join(r.Problems, "\n  - "))
	return r, os.WriteFile(filepath.Join(dir, "said.txt"), []byte(said.String()+"\n"+words.String()), 0o644)
}
