package private_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gatehouse/internal/console/private"
	"gatehouse/internal/event"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const password = "một mật khẩu dài"

func open(t *testing.T, dir string, now *time.Time) *private.Store {
	t.Helper()
	s, err := private.Open(t.Context(), dir, event.BorderGuard, func() time.Time { return *now })
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func TestTheSetupLinkWorksOnceAndExpires(t *testing.T) {
	now, dir := time.Now(), t.TempDir()
	s := open(t, dir, &now)
	old, err := s.NewSetupLink(t.Context())
	require.NoError(t, err)
	token, err := s.NewSetupLink(t.Context())
	require.NoError(t, err)
	_, err = s.SetUp(t.Context(), token+"x", "an", "An", password)
	require.ErrorIs(t, err, private.ErrSetupLink)
	in, err := s.CheckSetupLink(t.Context(), old)
	require.NoError(t, err, "a newer link leaves the older valid")
	require.Nil(t, in.User)
	_, err = s.SetUp(t.Context(), token, "an", "An", "ngắn")
	require.ErrorIs(t, err, private.ErrShortPassword)
	_, err = s.SetUp(t.Context(), token, "a n", "An", password)
	require.ErrorIs(t, err, private.ErrBadLogin)

	now = now.Add(private.SetupLife)
	_, err = s.CheckSetupLink(t.Context(), token)
	require.ErrorIs(t, err, private.ErrSetupLink)
	now = now.Add(-time.Minute)
	u, err := s.SetUp(t.Context(), token, "an", "An", password)
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(u.Badge, "BP-"))
	for _, used := range []string{token, old} {
		_, err = s.SetUp(t.Context(), used, "binh", "Bình", password)
		require.ErrorIs(t, err, private.ErrSetupLink, "the first user takes the force of all links")
	}
	_, err = s.NewSetupLink(t.Context())
	require.ErrorIs(t, err, private.ErrUsersExist)

	raw, err := os.ReadFile(filepath.Join(dir, private.File+"-wal"))
	require.NoError(t, err)
	require.NotContains(t, string(raw), token)
	require.NotContains(t, string(raw), password)
}

func TestLogIn(t *testing.T) {
	now := time.Now()
	s := open(t, t.TempDir(), &now)
	token, err := s.NewSetupLink(t.Context())
	require.NoError(t, err)
	u, err := s.SetUp(t.Context(), token, "an", "An", password)
	require.NoError(t, err)
	got, err := s.LogIn(t.Context(), "an", password)
	require.NoError(t, err)
	require.Equal(t, u, got)
	for _, c := range [][2]string{{"an", password + "x"}, {"an", ""}, {"nobody", password}, {"an", strings.Repeat("x", 5000)}} {
		_, err := s.LogIn(t.Context(), c[0], c[1])
		require.ErrorIs(t, err, private.ErrWrong)
	}
}

func TestSessionsSurviveARestartAndExpire(t *testing.T) {
	now, dir := time.Now(), t.TempDir()
	s, err := private.Open(t.Context(), dir, event.Customs, func() time.Time { return now })
	require.NoError(t, err)
	require.NoError(t, s.Sessions().Commit("token", []byte("data"), now.Add(time.Hour)))
	require.NoError(t, s.Close())
	s = open(t, dir, &now)
	b, ok, err := s.Sessions().Find("token")
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, "data", string(b))
	now = now.Add(time.Hour)
	_, ok, err = s.Sessions().Find("token")
	require.NoError(t, err)
	require.False(t, ok)
}

func TestNotesNameTheirOfficer(t *testing.T) {
	now := time.Now()
	s := open(t, t.TempDir(), &now)
	token, err := s.NewSetupLink(t.Context())
	require.NoError(t, err)
	u, err := s.SetUp(t.Context(), token, "an", "Nguyễn Văn An", password)
	require.NoError(t, err)
	require.NoError(t, s.AddNote(t.Context(), u.ID, "P", "lái xe quen"))
	require.Error(t, s.AddNote(t.Context(), u.ID+1, "P", "x"), "nobody's note")
	notes, err := s.Notes(t.Context(), "P")
	require.NoError(t, err)
	require.Len(t, notes, 1)
	require.Equal(t, "Nguyễn Văn An", notes[0].Name)
	require.NoError(t, s.Record(t.Context(), 0, "login-failed", "an", ""))
}
