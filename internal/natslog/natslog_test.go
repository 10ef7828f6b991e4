package natslog_test

import (
	"bytes"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gatehouse/internal/natslog"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestAFailedStoreIsToldOnce(t *testing.T) {
	var out bytes.Buffer
	failures := 0
	s := natslog.New(slog.New(slog.NewTextHandler(&out, nil)), func() { failures++ })
	s.Noticef("Server is ready")
	s.Warnf("slow consumer %d", 7)
	s.Errorf("client %s: authentication error", "x")
	require.Zero(t, failures, "not every error is of a store")
	s.Errorf("Filestore [%s] Critical write error: %v", "SHARED", "no space left on device")
	s.Errorf("JetStream out of %s resources, will be DISABLED", "File")
	require.Equal(t, 1, failures)
	require.NotContains(t, out.String(), "Server is ready", "a notice is for whoever asks for it")
	require.Contains(t, out.String(), "slow consumer 7")
	require.Contains(t, out.String(), "no space left on device")
}

func TestAFatalLineIsGiven(t *testing.T) {
	s := natslog.New(slog.New(slog.DiscardHandler), func() {})
	s.Fatalf("can't listen on %s", "127.0.0.1:4222")
	s.Fatalf("and more")
	require.Equal(t, "can't listen on 127.0.0.1:4222", <-s.Fatal())
	select {
	case again := <-s.Fatal():
		t.Fatal("given twice: ", again)
	default:
	}
}
