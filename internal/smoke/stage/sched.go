package stage

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Traced makes a Go program list its goroutines on its standard error every
// ten seconds, and its heap after every collection. It is the runtime's own
// doing: the program is the one that is shipped, and nothing listens.
const Traced = "GODEBUG=schedtrace=10000,scheddetail=1,gctrace=1"

// Goroutines is how many goroutines a program had.
type Goroutines struct {
	Since time.Duration // since the program began
	N     int
}

// Heap is what a program still needed after a collection of garbage.
type Heap struct {
	Since time.Duration // since the program began
	MB    float64
}

var (
	// As documented in package runtime: the heap when the collection began, when
	// it ended, and what of it is live.
	collection = regexp.MustCompile(`^gc \d+ @([0-9.]+)s .* \d+->\d+->(\d+) MB, `)
	schedHead  = regexp.MustCompile(`^SCHED (\d+)ms: `)
	schedLine  = regexp.MustCompile(`^ {2}([GMP])\d+: `)
)

// dead is the status of a goroutine that has ended and is kept for re-use.
const dead = "status=6("

// Heaps reads how large the live heap of a program that runs traced was after
// each collection.
func (s *Stage) Heaps(name string) ([]Heap, error) {
	text, err := os.ReadFile(s.Path("log", name+".log"))
	if err != nil {
		return nil, fmt.Errorf("read heaps of %s: %w", name, err)
	}
	return readHeaps(string(text))
}

func readHeaps(text string) ([]Heap, error) {
	var all []Heap
	for line := range strings.Lines(text) {
		m := collection.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		seconds, err := strconv.ParseFloat(m[1], 64)
		if err != nil {
			return nil, err
		}
		live, err := strconv.ParseFloat(m[2], 64)
		if err != nil {
			return nil, err
		}
		all = append(all, Heap{Since: time.Duration(seconds * float64(time.Second)), MB: live})
	}
	return all, nil
}

// Goroutines reads what a program that runs traced has listed so far.
func (s *Stage) Goroutines(name string) ([]Goroutines, error) {
	f, err := os.Open(s.Path("log", name+".log"))
	if err != nil {
		return nil, fmt.Errorf("read goroutines of %s: %w", name, err)
	}
	defer f.Close()
	list, err := readSched(f)
	if err != nil {
		return nil, fmt.Errorf("read goroutines of %s: %w", name, err)
	}
	return list, nil
}

// readSched counts the goroutines of each list. The last one may still be
// under way and is left out.
func readSched(r io.Reader) ([]Goroutines, error) {
	var all []Goroutines
	for lines := bufio.NewReader(r); ; {
		line, err := lines.ReadString('\n')
		if m := schedHead.FindStringSubmatch(line); m != nil {
			ms, bad := strconv.ParseInt(m[1], 10, 64)
			if bad != nil {
				return nil, bad
			}
			all = append(all, Goroutines{Since: time.Duration(ms) * time.Millisecond})
		} else if m := schedLine.FindStringSubmatch(line); m != nil && m[1] == "G" && len(all) > 0 && !strings.Contains(line, dead) {
			all[len(all)-1].N++
		}
		if errors.Is(err, io.EOF) {
			return all[:max(0, len(all)-1)], nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// isSched says that a line of a log is of such a list, or of a collection.
func isSched(line string) bool {
	return schedHead.MatchString(line) || schedLine.MatchString(line) || collection.MatchString(line)
}
