package stage

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Sample is what one program used at a moment, over all its processes.
type Sample struct {
	At       time.Time
	Resident int64 // bytes
	Threads  int
}

// every is how far samples are apart.
const every = time.Second

// measure keeps the peak resident memory of every process whose working
// directory is the stage's folder, the programs and the workers they start, and
// a sample of each program every now and then.
func (s *Stage) measure() {
	tick := time.NewTicker(beat)
	defer tick.Stop()
	var sampled time.Time
	for {
		select {
		case <-s.stop:
			return
		case <-tick.C:
		}
		now := time.Now()
		due := now.Sub(sampled) >= every
		if due {
			sampled = now
		}
		sums := map[string]Sample{}
		for pid, name := range s.inFolder() {
			u := usageOf(pid)
			s.mu.Lock()
			s.peaks[name] = max(s.peaks[name], u.peak)
			s.mu.Unlock()
			name = s.named(pid, name)
			sums[name] = Sample{At: now, Resident: sums[name].Resident + u.resident, Threads: sums[name].Threads + u.threads}
		}
		if !due {
			continue
		}
		s.mu.Lock()
		for name, sum := range sums {
			s.samples[name] = append(s.samples[name], sum)
		}
		s.mu.Unlock()
	}
}

// named is what the stage calls a process: as it was started, else by its program.
func (s *Stage) named(pid int, program string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.runs {
		if p.cmd.Process.Pid == pid {
			return p.Name
		}
	}
	return program
}

// Samples are the samples of each process so far, about one a second. A process
// that the stage did not start itself goes by its program's name.
func (s *Stage) Samples() map[string][]Sample {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := map[string][]Sample{}
	for name, list := range s.samples {
		all[name] = slices.Clone(list)
	}
	return all
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

// Pids are the processes of a program that run in the folder, also those that
// another program started.
func (s *Stage) Pids(program string) []int {
	var all []int
	for pid, name := range s.inFolder() {
		if name == program {
			all = append(all, pid)
		}
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

// usage is what the kernel says of a process; zero when it is gone.
type usage struct {
	peak, resident int64 // bytes
	threads        int
}

func usageOf(pid int) usage {
	status, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	if err != nil {
		return usage{}
	}
	var u usage
	for line := range strings.Lines(string(status)) {
		name, value, _ := strings.Cut(line, ":")
		n, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
		if err != nil {
			continue // a line of words
		}
		switch name {
		case "VmHWM":
			u.peak = n << 10
		case "VmRSS":
			u.resident = n << 10
		case "Threads":
			u.threads = int(n)
		}
	}
	return u
}
