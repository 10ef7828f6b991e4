package stage

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"gatehouse/internal/event"
	"gatehouse/internal/fault"
)

// Daemon is one run of the gate's daemon.
type Daemon struct {
	*Process
	socket *net.UnixConn
	ready  chan struct{} // closed when it said that it is ready
	at     time.Time     // when; valid after ready
}

// Arm is the environment that arms a fault point, such as "journal.before-sync:3".
// The program notes the point in a file before it dies; see Hits.
func (s *Stage) Arm(spec string) []string {
	if spec == "" {
		return nil
	}
	return []string{fault.Env + "=" + spec, fault.EnvLog + "=" + s.Path("faults.log")}
}

// Hits are the names of the fault points that were reached, in order.
func (s *Stage) Hits() ([]string, error) {
	text, err := os.ReadFile(s.Path("faults.log"))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the log of fault points: %w", err)
	}
	return strings.Fields(string(text)), nil
}

// StartDaemon starts the gate's daemon with a fault point armed; none when spec
// is empty.
func (s *Stage) StartDaemon(spec string) (*Daemon, error) {
	// An abstract name: no path that may be too long, and nothing to remove.
	path := fmt.Sprintf("@gatehouse-stage-%s", rand.Text())
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		return nil, fmt.Errorf("make notification socket: %w", err)
	}
	d := &Daemon{socket: socket, ready: make(chan struct{})}
	env := append(s.Arm(spec), "NOTIFY_SOCKET="+path)
	if d.Process, err = s.Start("gatehouse", env, "gatehouse", "run", "--config", s.Path("gate.yaml")); err != nil {
		return nil, errors.Join(err, socket.Close())
	}
	go d.listen()
	go func() {
		<-d.done
		_ = socket.Close() // ends listen, if it still waits
	}()
	return d, nil
}

func (d *Daemon) listen() {
	buf := make([]byte, 4096)
	for {
		n, err := d.socket.Read(buf)
		if err != nil {
			return
		}
		if strings.Contains(string(buf[:n]), "READY=1") {
			d.at = time.Now()
			close(d.ready)
			return
		}
	}
}

// Ready waits until the daemon listens to its devices, and says since when.
func (d *Daemon) Ready(ctx context.Context) (time.Time, error) {
	select {
	case <-d.ready:
		return d.at, nil
	case <-d.done:
		return time.Time{}, fmt.Errorf("%s: %w before it was ready, with %s", d.Name, ErrEnded, d.cmd.ProcessState)
	case <-ctx.Done():
		return time.Time{}, fmt.Errorf("wait for %s to be ready: %w", d.Name, context.Cause(ctx))
	}
}

// IsReady says whether the daemon has been ready, and since when.
func (d *Daemon) IsReady() (time.Time, bool) {
	select {
	case <-d.ready:
		return d.at, true
	default:
		return time.Time{}, false
	}
}

// StartConsole starts an agency's console with a fault point armed; none when
// spec is empty.
func (s *Stage) StartConsole(a event.Agency, spec string) (*Process, error) {
	return s.Start(a.Account(), s.Arm(spec), "gatehouse-console", "run", "--config", s.Config(a))
}

// AwaitConsole waits until a console answers.
func (s *Stage) AwaitConsole(ctx context.Context, a event.Agency, p *Process) error {
	address := strings.TrimPrefix(s.URL(a), "http://")
	return Until(ctx, "the console of "+string(a), func() (bool, error) {
		conn, err := net.DialTimeout("tcp", address, time.Second)
		if err != nil {
			return false, nil // not yet
		}
		return true, conn.Close()
	}, p)
}

// Init makes the keys of both consoles and the gate.
func (s *Stage) Init(ctx context.Context) error {
	for _, a := range event.Agencies() {
		if _, err := s.Output(ctx, "gatehouse-console", "init", "--config", s.Config(a)); err != nil {
			return err
		}
	}
	_, err := s.Output(ctx, "gatehouse", "init", "--config", s.Path("gate.yaml"))
	return err
}

// StartSim starts the simulator with a scenario file and further arguments.
func (s *Stage) StartSim(scenario string, more ...string) (*Process, error) {
	args := append([]string{
		"run", "--scenario", scenario, "--state", s.Path("sim"),
		"--mqtt", s.MQTT(), "--mqtt-user", "camera", "--mqtt-password-file", s.Path("gate", "keys", "mqtt-camera.password"),
	}, more...)
	return s.Start("gatesim", nil, "gatesim", args...)
}
