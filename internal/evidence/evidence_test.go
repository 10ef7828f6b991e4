package evidence_test

import (
	"bytes"
	"context"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gatehouse/internal/driver"
	"gatehouse/internal/event"
	"gatehouse/internal/evidence"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T, dir string, reserve int64) *evidence.Store {
	t.Helper()
	s, err := evidence.Open(dir, reserve, nil)
	require.NoError(t, err)
	return s
}

func put(s *evidence.Store, content string, limit int64) (event.Evidence, error) {
	return s.Put(context.Background(), strings.NewReader(content), limit, "image/png", "scan", "a.png")
}

func TestPutIsAddressedByContent(t *testing.T) {
	s := open(t, t.TempDir(), 0)
	ref, err := put(s, "picture", 100)
	require.NoError(t, err)
	require.Equal(t, event.Digest([]byte("picture")), ref.SHA256)
	require.EqualValues(t, 7, ref.Bytes)

	again, err := put(s, "picture", 100)
	require.NoError(t, err)
	require.Equal(t, ref, again, "the same content is one piece")

	r, size, err := s.Open(ref.SHA256)
	require.NoError(t, err)
	defer r.Close()
	got, err := io.ReadAll(r)
	require.NoError(t, err)
	require.Equal(t, "picture", string(got))
	require.EqualValues(t, 7, size)
}

func TestTooLargeStoresNothing(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, 0)
	_, err := put(s, "12345", 4)
	require.ErrorIs(t, err, driver.ErrTooLarge)
	require.Empty(t, files(t, dir))

	_, err = put(s, "1234", 4)
	require.NoError(t, err, "exactly the limit fits")
}

func TestReserveIsKept(t *testing.T) {
	dir := t.TempDir()
	_, err := put(open(t, dir, math.MaxInt64), "x", 10)
	require.ErrorIs(t, err, evidence.ErrDiskReserve)
	require.Empty(t, files(t, dir))
}

func TestHalfWrittenIsClearedAtOpen(t *testing.T) {
	dir := t.TempDir()
	open(t, dir, 0)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "incoming", "put-1"), []byte("half"), 0o600))
	open(t, dir, 0)
	require.Empty(t, files(t, dir))
}

func TestBrokenSourceStoresNothing(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, 0)
	torn := io.MultiReader(bytes.NewReader([]byte("half")), iotestErr{})
	_, err := s.Put(context.Background(), torn, 100, "image/png", "scan", "a.png")
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.Empty(t, files(t, dir))
}

func TestOpenRefusesWhatIsNoDigest(t *testing.T) {
	s := open(t, t.TempDir(), 0)
	for _, bad := range []string{"", "..", "../../etc/passwd", strings.Repeat("A", 64)} {
		_, _, err := s.Open(bad)
		require.Error(t, err)
	}
}

type iotestErr struct{}

func (iotestErr) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// files lists every regular file below dir.
func files(t *testing.T, dir string) []string {
	t.Helper()
	var out []string
	require.NoError(t, filepath.WalkDir(dir, func(p string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			out = append(out, p)
		}
		return err
	}))
	return out
}
