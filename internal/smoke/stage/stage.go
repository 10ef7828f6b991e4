package stage

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"gatehouse/internal/event"
)

// Options say what is played where.
type Options struct {
	Dir      string // state folder, the working directory of all programs
	Programs string // folder of gatehouse, gatehouse-console, gatectl and gatesim
	Vision   string // folder of gatehouse-vision with its models and libraries; first on the PATH
	Configs  string // folder of gate.yaml, customs.yaml and borderguard.yaml
	// Speed is how many simulated seconds go into a real one. The time limits
	// within which the gate joins readings shrink with it. Zero means 1.
	Speed float64
	// Edit, which may be nil, changes a configuration after it was derived: for
	// runs that plant a mistake.
	Edit func(name string, text []byte) []byte
	// Environment is added to that of the programs, as KEY=value.
	Environment []string
	// Hosts are the addresses that the agencies' consoles listen on; 127.0.0.1
	// where there is none.
	Hosts map[event.Agency]string
	// Broker is the MQTT broker of the cameras, tcp://host:port; empty for the
	// gate's own listener.
	Broker string
	// Prepare, which may be nil, changes how a program is started, such as by
	// whom and in which network.
	Prepare func(name string, cmd *exec.Cmd)
}

// Ports are the listeners of one gate on 127.0.0.1.
type Ports struct {
	Hub, MQTT int
	Console   map[event.Agency]int
}

// Stage is one gate in a folder. It is safe for concurrent use.
type Stage struct {
	opt   Options
	ports Ports
	held  []net.Listener // of ports that are listened on elsewhere

	mu      sync.Mutex
	runs    []*Process
	peaks   map[string]int64 // bytes by program
	samples map[string][]Sample
	stop    chan struct{}
	watch   sync.WaitGroup
}

// New derives the configurations in a folder. Close ends what was started.
func New(opt Options) (*Stage, error) {
	s := &Stage{opt: opt, peaks: map[string]int64{}, samples: map[string][]Sample{}, stop: make(chan struct{})}
	if err := s.findPorts(); err != nil {
		return nil, err
	}
	if err := s.furnish(); err != nil {
		s.free()
		return nil, err
	}
	s.watch.Go(s.measure)
	return s, nil
}

// furnish makes the folder and the configurations in it.
func (s *Stage) furnish() error {
	if err := os.MkdirAll(filepath.Join(s.opt.Dir, "log"), 0o755); err != nil {
		return fmt.Errorf("make the stage: %w", err)
	}
	dir, err := filepath.EvalSymlinks(s.opt.Dir) // as /proc names it
	if err != nil {
		return fmt.Errorf("make the stage: %w", err)
	}
	s.opt.Dir = dir
	return s.derive()
}

// findPorts asks the kernel for ports that nobody listens on. One that a
// console will listen on elsewhere is held here all the time: the kernel, which
// does not see that console, would soon offer it to another stage, whose
// consoles may be in the same network.
func (s *Stage) findPorts() error {
	s.ports.Console = map[event.Agency]int{}
	for _, port := range []struct {
		take func(int)
		hold bool
	}{
		{func(n int) { s.ports.Hub = n }, false},
		{func(n int) { s.ports.MQTT = n }, false},
		{func(n int) { s.ports.Console[event.Customs] = n }, s.opt.Hosts[event.Customs] != ""},
		{func(n int) { s.ports.Console[event.BorderGuard] = n }, s.opt.Hosts[event.BorderGuard] != ""},
	} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			s.free()
			return fmt.Errorf("find a free port: %w", err)
		}
		if port.take(l.Addr().(*net.TCPAddr).Port); port.hold {
			s.held = append(s.held, l)
			continue
		}
		defer l.Close() // all stay open until the last is found, so that they differ
	}
	return nil
}

// free gives back the ports that were held.
func (s *Stage) free() {
	for _, l := range s.held {
		_ = l.Close() // nobody was listening
	}
	s.held = nil
}

// demo are the addresses that the demo's configurations use, and the stage's.
func (s *Stage) demo() map[string]string {
	at := func(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }
	return map[string]string{
		"127.0.0.1:14222": at(s.ports.Hub), "127.0.0.1:11883": at(s.ports.MQTT),
		"127.0.0.1:8081": s.address(event.Customs), "127.0.0.1:8082": s.address(event.BorderGuard),
	}
}

// address is where an agency's console listens.
func (s *Stage) address(a event.Agency) string {
	return fmt.Sprintf("%s:%d", cmp.Or(s.opt.Hosts[a], "127.0.0.1"), s.ports.Console[a])
}

// limit is a line of the gate's configuration that limits how readings are
// joined in time.
var limit = regexp.MustCompile(`(?m)^(\s+(?:before|after|missing_end|resume|tail_gate|transit): )(\S+)`)

// join is the begin of a lane's limits with what follows it more indented.
var join = regexp.MustCompile(`(?m)^    join:\n((?: {6}.*\n)+)`)

// unsaid are limits that a lane has when its file does not say them. Machines do
// not become quicker with the traffic, so the shortest is a little longer.
func unsaid() []string { return []string{"resume: 10s", "tail_gate: 2s"} }

// quicken divides the limits by the speed of the simulated traffic, also those
// that the file leaves out.
func (s *Stage) quicken(text []byte) []byte {
	if s.opt.Speed == 0 || s.opt.Speed == 1 {
		return text
	}
	text = join.ReplaceAllFunc(text, func(block []byte) []byte {
		for _, line := range unsaid() {
			name, _, _ := strings.Cut(line, ":")
			if !bytes.Contains(block, []byte(" "+name+":")) {
				block = append(bytes.Clone(block), "      "+line+"\n"...)
			}
		}
		return block
	})
	return limit.ReplaceAllFunc(text, func(line []byte) []byte {
		parts := limit.FindSubmatch(line)
		d, err := time.ParseDuration(string(parts[2]))
		if err != nil {
			return line
		}
		return fmt.Appendf(nil, "%s%s", parts[1], time.Duration(float64(d)/s.opt.Speed))
	})
}

// derive copies the demo's configurations with other ports and quicker limits,
// and with nothing else changed.
func (s *Stage) derive() error {
	replaced := 0
	for _, name := range []string{"gate.yaml", "customs.yaml", "borderguard.yaml"} {
		text, err := os.ReadFile(filepath.Join(s.opt.Configs, name))
		if err != nil {
			return fmt.Errorf("derive configuration: %w", err)
		}
		for from, to := range s.demo() {
			replaced += bytes.Count(text, []byte(from))
			text = bytes.ReplaceAll(text, []byte(from), []byte(to))
		}
		text = s.quicken(text)
		if s.opt.Edit != nil {
			text = s.opt.Edit(name, text)
		}
		if err := os.WriteFile(s.Path(name), text, 0o644); err != nil {
			return fmt.Errorf("derive configuration: %w", err)
		}
	}
	if want := 6; replaced != want { // hub three times, MQTT once, each console once
		return fmt.Errorf("derive configuration: the demo's configurations name %d known addresses, expected %d; adapt the harness", replaced, want)
	}
	return nil
}

// Path is a path in the stage's folder.
func (s *Stage) Path(parts ...string) string {
	return filepath.Join(append([]string{s.opt.Dir}, parts...)...)
}

// MQTT is the address of the field listener.
func (s *Stage) MQTT() string {
	return cmp.Or(s.opt.Broker, fmt.Sprintf("tcp://127.0.0.1:%d", s.ports.MQTT))
}

// Hub is the address of the hub that the gate's daemon runs.
func (s *Stage) Hub() string { return fmt.Sprintf("127.0.0.1:%d", s.ports.Hub) }

// URL is where an agency's console listens.
func (s *Stage) URL(a event.Agency) string {
	return "http://" + s.address(a)
}

// Config is the file of an agency's console.
func (s *Stage) Config(a event.Agency) string { return s.Path(a.Account() + ".yaml") }

// program is the path of a built program; one that is not built here is named by
// its whole path.
func (s *Stage) program(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(s.opt.Programs, name)
}

// env is the environment of every program.
func (s *Stage) env(more []string) []string {
	env := slices.DeleteFunc(os.Environ(), func(e string) bool {
		return strings.HasPrefix(e, "PATH=") || strings.HasPrefix(e, "GATEHOUSE_FAULT") || strings.HasPrefix(e, "NOTIFY_SOCKET=")
	})
	env = append(env, "GATEHOUSE_SCANNERS="+filepath.Join(s.opt.Configs, "scanners")) // the simulated scanners' calibrations
	env = append(env, s.opt.Environment...)
	env = append(env, "PATH="+s.opt.Vision+string(os.PathListSeparator)+os.Getenv("PATH"), "TMPDIR="+os.TempDir())
	return append(env, more...)
}

// Peaks is the peak resident memory of each program so far, in bytes.
func (s *Stage) Peaks() map[string]int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := map[string]int64{}
	maps.Copy(all, s.peaks)
	return all
}

// Tails writes the end of every log.
func (s *Stage) Tails(w io.Writer, lines int) error {
	logs, err := filepath.Glob(s.Path("log", "*"))
	if err != nil {
		return err
	}
	var all error
	for _, path := range logs {
		text, err := os.ReadFile(path)
		all = errors.Join(all, err)
		list := slices.DeleteFunc(strings.Split(strings.TrimRight(string(text), "\n"), "\n"), isSched)
		if text = bytes.TrimSpace(text); len(text) == 0 {
			continue
		}
		_, err = fmt.Fprintf(w, "--- %s\n%s\n", path, strings.Join(list[max(0, len(list)-lines):], "\n"))
		all = errors.Join(all, err)
	}
	return all
}

// Close kills what still runs and ends the watch on memory.
func (s *Stage) Close() {
	s.Kill()
	close(s.stop)
	s.watch.Wait()
	s.free()
}

// Kill ends everything that still runs in the folder, workers that have
// process groups of their own included.
func (s *Stage) Kill() {
	s.mu.Lock()
	runs := slices.Clone(s.runs)
	s.mu.Unlock()
	for _, p := range runs {
		p.kill()
	}
	for _, p := range runs {
		<-p.done
	}
	for pid := range s.inFolder() {
		if process, err := os.FindProcess(pid); err == nil {
			_ = process.Kill() // it may be gone by now
		}
	}
}

// beat is how often memory is looked at.
const beat = 250 * time.Millisecond
