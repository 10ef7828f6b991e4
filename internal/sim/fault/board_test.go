package fault_test

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gatehouse/internal/sim/fault"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestMenuIsComplete(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range fault.Menu() {
		require.False(t, seen[s.Name], s.Name)
		seen[s.Name] = true
		require.NotEmpty(t, s.Devices, s.Name)
		require.NotEmpty(t, s.EN, s.Name)
		require.NotEmpty(t, s.VI, s.Name)
		found, ok := fault.Find(s.Name)
		require.True(t, ok)
		require.Equal(t, s, found)
	}
}

func TestWindowEndsByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var phases []string
		b := fault.NewBoard(func(c fault.Change) { phases = append(phases, c.Phase) })
		began := time.Now()
		_, err := b.Set(fault.Order{Name: "noise", For: 3 * time.Second})
		require.NoError(t, err)
		require.True(t, b.On("rpm", "noise"))
		require.False(t, b.On("xray", "noise"))
		require.True(t, b.Take("rpm", "noise", 1), "using a window does not end it")
		require.True(t, b.On("rpm", "noise"))
		time.Sleep(3*time.Second + time.Nanosecond)
		synctest.Wait()
		require.False(t, b.On("rpm", "noise"))
		require.Equal(t, []string{"set", "used", "ended"}, phases)
		require.Len(t, b.Windows(began), 1)
		require.Empty(t, b.Windows(time.Now().Add(time.Second)))
	})
}

func TestOccasions(t *testing.T) {
	b := fault.NewBoard(nil)
	_, err := b.Set(fault.Order{Name: "image-empty", Device: "xray", Count: 2})
	require.NoError(t, err)
	_, err = b.Set(fault.Order{Name: "image-empty", Device: "xray", Vehicle: 9})
	require.NoError(t, err)
	require.False(t, b.Take("camera", "image-empty", 1))
	require.True(t, b.Take("xray", "image-empty", 1))
	require.True(t, b.Take("xray", "image-empty", 2))
	require.False(t, b.Take("xray", "image-empty", 3))
	require.True(t, b.Take("xray", "image-empty", 9))
	require.Empty(t, b.List())
}

func TestSetRefuses(t *testing.T) {
	b := fault.NewBoard(nil)
	_, err := b.Set(fault.Order{Name: "nonsense"})
	require.ErrorIs(t, err, fault.ErrUnknown)
	_, err = b.Set(fault.Order{Name: "tamper", Device: "camera"})
	require.ErrorIs(t, err, fault.ErrUnknown)
}

func TestFollowSeesEachChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := fault.NewBoard(nil)
		ctx, cancel := context.WithCancel(t.Context())
		var seen []bool
		go b.Follow(ctx, "rpm", "tamper", func(on bool) { seen = append(seen, on) })
		for range 2 {
			_, err := b.Set(fault.Order{Name: "tamper", For: time.Second})
			require.NoError(t, err)
			time.Sleep(2 * time.Second)
		}
		synctest.Wait()
		require.Equal(t, []bool{true, false, true, false}, seen)
		cancel()
	})
}

func pictures(t *testing.T) map[string][]byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 320, 200))
	for i := range 320 * 200 {
		img.Set(i%320, i/320, color.RGBA{uint8(i), uint8(i / 320), uint8(i * 7), 255})
	}
	var j, p bytes.Buffer
	require.NoError(t, jpeg.Encode(&j, img, nil))
	require.NoError(t, png.Encode(&p, img))
	return map[string][]byte{"jpeg": j.Bytes(), "png": p.Bytes()}
}

func TestPictures(t *testing.T) {
	spoil := func(t *testing.T, name string, good []byte) []byte {
		t.Helper()
		b := fault.NewBoard(nil)
		_, err := b.Set(fault.Order{Name: name, Device: "camera"})
		require.NoError(t, err)
		made, used, err := b.Picture("camera", 1, good)
		require.NoError(t, err)
		require.Equal(t, []string{name}, used)
		return made
	}
	for kind, good := range pictures(t) {
		t.Run(kind, func(t *testing.T) {
			require.Empty(t, spoil(t, "image-empty", good))

			cut := spoil(t, "image-truncated", good)
			require.Equal(t, good[:len(good)/2], cut)
			_, _, err := image.Decode(bytes.NewReader(cut))
			require.Error(t, err)

			_, _, err = image.Decode(bytes.NewReader(spoil(t, "image-corrupt", good)))
			require.Error(t, err)

			conf, format, err := image.DecodeConfig(bytes.NewReader(spoil(t, "image-huge", good)))
			require.NoError(t, err)
			require.Equal(t, kind, format)
			require.Equal(t, 200_000_000, conf.Width*conf.Height)

			_, format, err = image.Decode(bytes.NewReader(spoil(t, "image-wrong-type", good)))
			require.NoError(t, err)
			require.NotEqual(t, kind, format)
		})
	}
	large := spoil(t, "image-large", pictures(t)["jpeg"])
	require.Greater(t, len(large), 1<<20)
	_, err := jpeg.Decode(bytes.NewReader(large))
	require.NoError(t, err)
}
