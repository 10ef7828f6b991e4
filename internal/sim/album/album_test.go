package album_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gatehouse/internal/sim/album"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestOnlyDevPhotosWithOnePlate(t *testing.T) {
	dir := t.TempDir()
	_, err := album.Open(dir)
	require.ErrorContains(t, err, "GATEHOUSE_DATA")
	plates := filepath.Join(dir, "plates")
	require.NoError(t, os.Mkdir(plates, 0o755))
	write := func(labels string) {
		require.NoError(t, os.WriteFile(filepath.Join(plates, "labels.jsonl"), []byte(labels), 0o600))
	}
	const (
		train  = `{"file":"a.jpg","split":"train","scene":"parking-handheld","plates":[{"text":"29A12345","rows":1,"box":[1,2,3,4]}]}` + "\n"
		other  = `{"file":"b.jpg","split":"dev","scene":"gate-fixed","plates":[{"text":"29A12345","rows":1,"box":[1,2,3,4]}]}` + "\n"
		boxed  = `{"file":"c.jpg","split":"dev","scene":"parking-handheld","plates":[{"text":"30F51443","rows":2,"box":[1,2,3,4]}]}` + "\n"
		noBox  = `{"file":"d.jpg","split":"dev","scene":"parking-handheld","plates":[{"text":"30F51443","rows":2,"box":null}]}` + "\n"
		broken = `{"file":` + "\n"
	)
	write(train + other + noBox)
	_, err = album.Open(dir)
	require.ErrorIs(t, err, album.ErrNone)
	write(train + other + boxed + noBox)
	photos, err := album.Open(dir)
	require.NoError(t, err)
	require.Len(t, photos, 1)
	require.Equal(t, "30F51443", photos[0].Text)
	_, err = photos[0].Read()
	require.ErrorIs(t, err, os.ErrNotExist)
	require.NoError(t, os.WriteFile(filepath.Join(plates, "c.jpg"), []byte("jpeg"), 0o600))
	b, err := photos[0].Read()
	require.NoError(t, err)
	require.Equal(t, "jpeg", string(b))
	write(broken)
	_, err = album.Open(dir)
	require.Error(t, err)
}
