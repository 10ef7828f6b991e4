//go:build bench

package bench_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/trust"
)

// settle is how long a daemon runs before its memory is read: several garbage
// collections and the first frame logs are behind it then.
const settle = 30 * time.Second

// TestMemoryOfTheDaemon reads the resident set of the real daemon with its
// journal, field MQTT and hub servers: with one quiet lane, and with ten lanes
// in which a lorry stands in the portal all the time.
func TestMemoryOfTheDaemon(t *testing.T) {
	rest := resident(t, 1, false)
	busy := resident(t, 10, true)
	fmt.Printf("daemon's resident set: %.0f MB at rest, %.0f MB with ten busy lanes (%.1f MB a lane)\n", rest, busy, (busy-rest)/9)
	require.Less(t, rest, 80.0, "MB at rest")
}

// resident is the daemon's resident set in MB after settling.
func resident(t *testing.T, lanes int, busy bool) float64 {
	t.Helper()
	dir := t.TempDir()
	program, err := filepath.Abs("../../bin/gatehouse")
	require.NoError(t, err)
	for _, agency := range []string{"customs", "borderguard"} {
		_, err := trust.Create(filepath.Join(dir, agency+".key"))
		require.NoError(t, err)
		seed, err := trust.NewSeed()
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, agency+".nkey.pub"), []byte(seed.Public()+"\n"), 0o600))
	}
	monitor := portal(t, busy)
	config := filepath.Join(dir, "gate.yaml")
	require.NoError(t, os.WriteFile(config, []byte(gateConfig(lanes, monitor)), 0o600))

	cmd := exec.Command(program, "run", "--config", config)
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	cmd.Args = append(cmd.Args, "--log-level", "error")
	require.NoError(t, cmd.Start())
	defer func() {
		require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
		require.NoError(t, cmd.Wait())
	}()
	time.Sleep(settle)
	return rss(t, cmd.Process.Pid)
}

func rss(t *testing.T, pid int) float64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	require.NoError(t, err)
	_, rest, ok := strings.Cut(string(status), "VmRSS:")
	require.True(t, ok)
	kb, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
	require.NoError(t, err)
	return kb / 1024
}

// portal listens for daemons and sends them the stream of a monitor, with
// something in the portal or without. It returns its address.
func portal(t *testing.T, busy bool) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(func() { cancel(); _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				for tick := time.NewTicker(200 * time.Millisecond); ctx.Err() == nil; <-tick.C {
					line := "GB,000188,000206,000262,000243\r\n"
					if busy {
						line = "GS,000060,000061,000059,000060\r\n"
					}
					if _, err := c.Write([]byte(line)); err != nil {
						return
					}
				}
			}()
		}
	}()
	return l.Addr().String()
}

func gateConfig(lanes int, monitor string) string {
	var b strings.Builder
	b.WriteString(`gate: BENCH
hub: {embedded: {listen: "127.0.0.1:0"}}
field_mqtt: {listen: "127.0.0.1:0"}
journal: {reserve: 1 MiB}
agencies:
  - {code: CUSTOMS, key: customs.pub, hub_user: customs.nkey.pub}
  - {code: BORDERGUARD, key: borderguard.pub, hub_user: borderguard.nkey.pub}
lanes:
`)
	for n := range lanes {
		fmt.Fprintf(&b, "  - id: %q\n    devices:\n      - {id: rpm, driver: rpm, owner: CUSTOMS, role: presence, required: true, settings: {line: {tcp: %q}}}\n", fmt.Sprintf("%02d", n+1), monitor)
	}
	return b.String()
}
