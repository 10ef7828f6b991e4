package main

import (
	"bytes"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/stretchr/testify/require"
)

func TestPortsAreListedByPermanentNames(t *testing.T) {
	root := t.TempDir()
	for _, path := range []string{"dev/ttyUSB0", "dev/ttyUSB1", "dev/ttyS0", "dev/ttyS1", "sys/class/tty/ttyUSB0/device", "sys/class/tty/ttyUSB1/device", "sys/class/tty/ttyS0/device"} {
		path = filepath.Join(root, path)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, nil, 0o600))
	}
	byID := filepath.Join(root, "dev/serial/by-id")
	require.NoError(t, os.MkdirAll(byID, 0o755))
	require.NoError(t, os.Symlink("../../ttyUSB1", filepath.Join(byID, "usb-portal")))

	got := ports(root, map[string]string{filepath.Join(root, "dev/ttyUSB1"): "lane 01 rpm"})
	require.Equal(t, []port{
		{Path: filepath.Join(byID, "usb-portal"), Device: filepath.Join(root, "dev/ttyUSB1"), UsedBy: "lane 01 rpm"},
		{Path: filepath.Join(root, "dev/ttyUSB0"), Device: filepath.Join(root, "dev/ttyUSB0")},
		{Path: filepath.Join(root, "dev/ttyS0"), Device: filepath.Join(root, "dev/ttyS0")},
	}, got)
}

// talk writes a portal monitor's lines until the test ends.
func talk(t *testing.T, write func(string) error) {
	var all sync.WaitGroup
	end := make(chan struct{})
	all.Go(func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-end:
				return
			case <-tick.C:
				_ = write("GB,000237,000225,000219,000226\r\n") // nobody may listen now
			}
		}
	})
	t.Cleanup(func() {
		close(end)
		all.Wait()
	})
}

func TestAProbeFindsTheDriver(t *testing.T) {
	master, slave, err := pty.Open()
	require.NoError(t, err)
	defer master.Close()
	defer slave.Close()
	talk(t, func(s string) error { _, err := master.WriteString(s); return err })
	var out, errs bytes.Buffer
	require.Zero(t, run([]string{"devices", "--json", "--baud", "9600", slave.Name()}, &out, &errs), errs.String())
	var got port
	require.NoError(t, json.Unmarshal(out.Bytes(), &got))
	require.Equal(t, &found{Driver: "rpm", Baud: 9600, Says: "radiation portal monitor on " + slave.Name() + " sends GB"}, got.Found)
}

func TestAProbeOfATerminalServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var lines sync.WaitGroup
	defer lines.Wait()
	defer l.Close()
	lines.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = c.Write([]byte(strings.Repeat("GB,000237,000225,000219,000226\r\n", 5)))
			lines.Go(func() { // until the driver has heard enough
				defer c.Close()
				_, _ = c.Read(make([]byte, 1))
			})
		}
	})
	var out, errs bytes.Buffer
	require.Zero(t, run([]string{"devices", l.Addr().String(), "--driver", "rpm"}, &out, &errs), errs.String())
	require.Contains(t, out.String(), "        driver: rpm\n        settings:\n          line:\n            tcp: "+l.Addr().String()+"\n")

	out.Reset()
	require.Equal(t, exitFailed, run([]string{"devices", "/dev/no-such-port"}, &out, &errs))
	require.Contains(t, errs.String(), "/dev/no-such-port: ")
	require.Equal(t, exitFailed, run([]string{"devices", l.Addr().String(), "--driver", "toaster"}, &out, &errs))
	require.Contains(t, errs.String(), "there is no driver toaster")
}
