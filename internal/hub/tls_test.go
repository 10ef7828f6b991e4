package hub_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"gatehouse/internal/hub"
	"gatehouse/internal/hub/client"
)

// certificate makes one for 127.0.0.1 that is its own authority.
func certificate(t *testing.T) *hub.TLS {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "hub"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	dir := t.TempDir()
	files := &hub.TLS{Cert: filepath.Join(dir, "hub.pem"), Key: filepath.Join(dir, "hub.key")}
	require.NoError(t, os.WriteFile(files.Cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	require.NoError(t, os.WriteFile(files.Key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}), 0o600))
	return files
}

func TestAHubWithACertificate(t *testing.T) {
	files := certificate(t)
	s := newSite(t, func(o *hub.Options) { o.TLS = files })
	c, js := s.connect(t, s.gate, nats.RootCAs(files.Cert))
	_, err := js.Publish(t.Context(), "to.customs.alert.15BB", []byte("a"))
	require.NoError(t, err)
	require.True(t, c.TLSRequired())
	state, err := c.TLSConnectionState()
	require.NoError(t, err)
	require.GreaterOrEqual(t, state.Version, uint16(tls.VersionTLS12))

	own, err := client.Connect("", "test", s.gate, slog.New(slog.DiscardHandler), s.server.InProcess())
	require.NoError(t, err)
	defer own.Close()
	require.NoError(t, own.Flush(), "in the same process it works without the authority")

	_, err = nats.Connect(s.server.URL(), s.gate.Option())
	require.ErrorContains(t, err, "certificate", "an unknown authority is not believed")
}

func TestAFieldServerWithACertificate(t *testing.T) {
	files := certificate(t)
	f, err := hub.StartField(t.Context(), hub.FieldOptions{
		Name: "field", Listen: "127.0.0.1:0", StoreDir: t.TempDir(), TLS: files,
		Cameras: []hub.Camera{{User: "cam", PasswordHash: hash(t, "x"), Topics: []string{"gatehouse/15BB/01/camera/#"}}},
	})
	require.NoError(t, err)
	defer f.Close()
	pool := x509.NewCertPool()
	b, err := os.ReadFile(files.Cert)
	require.NoError(t, err)
	require.True(t, pool.AppendCertsFromPEM(b))
	o := mqtt.NewClientOptions().AddBroker(f.URL()).SetClientID("cam").SetUsername("cam").SetPassword("x").
		SetTLSConfig(&tls.Config{RootCAs: pool}).SetAutoReconnect(false)
	c := mqtt.NewClient(o)
	wait(t, c.Connect())
	publish(t, c, "gatehouse/15BB/01/camera/capture", "x")
	c.Disconnect(50)
}
