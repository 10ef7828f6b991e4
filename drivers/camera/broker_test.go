package camera_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

// brokerEnv makes the test binary a broker: NATS keeps goroutines for what a
// client had, which a leak check in the same process would blame on the driver.
const brokerEnv = "CAMERA_TEST_BROKER_STORE"

func TestMain(m *testing.M) {
	if store := os.Getenv(brokerEnv); store != "" {
		if err := serveNATS(store, os.Getenv("CAMERA_TEST_BROKER_PASSWORD")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

// serveNATS is a NATS server with an MQTT listener until its input ends.
func serveNATS(store, password string) error {
	o := &server.Options{
		ServerName: "camera-test", Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: store,
		NoSigs: true, NoLog: true, MaxPayload: 8 << 20,
		MQTT: server.MQTTOpts{Host: "127.0.0.1", Port: -1, AckWait: 500 * time.Millisecond, MaxAckPending: 100},
	}
	if password != "" {
		o.Users = []*server.User{{Username: "gate", Password: password}}
	}
	s, err := server.NewServer(o)
	if err != nil {
		return err
	}
	s.Start()
	if !s.ReadyForConnections(20 * time.Second) {
		return errors.New("server did not start")
	}
	fmt.Println(o.MQTT.Port)
	_, _ = io.Copy(io.Discard, os.Stdin)
	s.Shutdown()
	s.WaitForShutdown()
	return nil
}

// broker is a real broker in a process of its own.
type broker struct {
	url  string
	stop func() // ends it without a goodbye
}

// natsBroker starts a NATS server; users must give the password if there is one.
func natsBroker(t *testing.T, password string) *broker {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), brokerEnv+"="+t.TempDir(), "CAMERA_TEST_BROKER_PASSWORD="+password)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	port, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	b := &broker{url: "tcp://127.0.0.1:" + strings.TrimSpace(port)}
	b.stop = func() {
		_ = cmd.Process.Kill()
		_ = in.Close()
		_ = cmd.Wait()
	}
	t.Cleanup(b.stop)
	return b
}

// mosquittoBroker starts Eclipse Mosquitto, the independent implementation.
func mosquittoBroker(t *testing.T) *broker {
	t.Helper()
	path, err := exec.LookPath("mosquitto")
	if err != nil {
		path = "/usr/sbin/mosquitto"
		if _, err := os.Stat(path); err != nil {
			t.Skip("SKIPPED: mosquitto is not installed, so the driver was not tried against it (apt-get install mosquitto)")
		}
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port := ln.Addr().(*net.TCPAddr).Port
	require.NoError(t, ln.Close()) // Mosquitto cannot choose a port itself
	conf := filepath.Join(t.TempDir(), "mosquitto.conf")
	require.NoError(t, os.WriteFile(conf, fmt.Appendf(nil,
		"listener %d 127.0.0.1\nallow_anonymous true\npersistence false\nmax_queued_messages 0\n", port), 0o644))
	cmd := exec.Command(path, "-c", conf)
	require.NoError(t, cmd.Start())
	b := &broker{url: fmt.Sprintf("tcp://127.0.0.1:%d", port)}
	b.stop = func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	t.Cleanup(b.stop)
	limit := time.Now().Add(20 * time.Second)
	for {
		c, err := net.Dial("tcp", strings.TrimPrefix(b.url, "tcp://"))
		if err == nil {
			require.NoError(t, c.Close())
			return b
		}
		require.True(t, time.Now().Before(limit), "mosquitto never listened")
		time.Sleep(5 * time.Millisecond) // another process; it tells nobody
	}
}

// client signs in to the broker.
func (b *broker) client(t *testing.T, id string, clean bool, on mqtt.MessageHandler) mqtt.Client {
	t.Helper()
	o := mqtt.NewClientOptions().AddBroker(b.url).SetClientID(id).SetCleanSession(clean).
		SetProtocolVersion(4).SetAutoReconnect(false).SetAutoAckDisabled(on != nil)
	if on != nil {
		o.SetDefaultPublishHandler(on)
	}
	c := mqtt.NewClient(o)
	wait(t, c.Connect())
	t.Cleanup(func() { c.Disconnect(100) })
	return c
}

func wait(t *testing.T, token mqtt.Token) {
	t.Helper()
	require.True(t, token.WaitTimeout(20*time.Second), "broker does not answer")
	require.NoError(t, token.Error())
}
