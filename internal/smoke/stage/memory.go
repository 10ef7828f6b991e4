package stage

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// measure keeps the peak resident memory of every process whose working
// directory is the stage's folder: the programs and the workers they start.
func (s *Stage) measure() {
	tick := time.NewTicker(beat)
	defer tick.Stop()
	for {
		select {
		case <-s.stop:
			return
		case <-tick.C:
		}
		for pid, name := range s.inFolder() {
			peak := peakOf(pid)
			s.mu.Lock()
			s.peaks[name] = max(s.peaks[name], peak)
			s.mu.Unlock()
		}
	}
}

// inFolder lists the processes that work in the stage's folder: pid to the
// program's name.
func (s *Stage) inFolder() map[int]string {
	all := map[int]string{}
	list, err := filepath.Glob("/proc/[0-9]*/cwd")
	if err != nil {
		return all
	}
	for _, link := range list {
		dir, err := os.Readlink(link)
		if err != nil || dir != s.opt.Dir {
			continue // gone, or somebody else's
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(link)))
		if err != nil || pid == os.Getpid() {
			continue
		}
		line, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
		if err != nil || len(line) == 0 {
			continue
		}
		argv0, _, _ := bytes.Cut(line, []byte{0})
		all[pid] = filepath.Base(string(argv0))
	}
	return all
}

// Left lists the programs that still run in the folder.
func (s *Stage) Left() []string {
	var names []string
	for _, name := range s.inFolder() {
		names = append(names, name)
	}
	return names
}

// peakOf is a process's peak resident memory in bytes; zero when it is gone.
func peakOf(pid int) int64 {
	status, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		rest, found := strings.CutPrefix(line, "VmHWM:")
		if !found {
			continue
		}
		kb, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
		if err != nil {
			return 0
		}
		return kb << 10
	}
	return 0
}
