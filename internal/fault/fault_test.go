package fault_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gatehouse/internal/fault"
)

const childEnv = "FAULT_TEST_CHILD"

func TestMain(m *testing.M) {
	if log := os.Getenv(childEnv); log != "" {
		p, err := fault.Parse("a:2,b:9", log)
		if err != nil {
			os.Exit(3)
		}
		for _, name := range []string{"a", "b", "never-armed", "a"} {
			p.Hit(name)
		}
		os.Exit(0) // reached only if the point did not kill
	}
	goleak.VerifyTestMain(m)
}

func TestArmedPointKillsAtItsCountAndLeavesItsName(t *testing.T) {
	log := filepath.Join(t.TempDir(), "hit")
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+log)
	err := cmd.Run()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	status, ok := exit.Sys().(syscall.WaitStatus)
	require.True(t, ok)
	require.Equal(t, syscall.SIGKILL, status.Signal())
	hit, err := os.ReadFile(log)
	require.NoError(t, err)
	require.Equal(t, "a\n", string(hit))
}

func TestBadSpecificationsAreRefused(t *testing.T) {
	for _, bad := range []string{"", "a", "a:", "a:0", "a:x", "a:1,"} {
		_, err := fault.Parse(bad, "")
		require.Error(t, err, bad)
	}
}

func TestUnarmedBuildHasNoPoints(t *testing.T) {
	t.Setenv(fault.Env, "a:1")
	p, err := fault.FromEnv()
	require.NoError(t, err)
	require.Nil(t, p)
	p.Hit("a") // a nil set does nothing
}
